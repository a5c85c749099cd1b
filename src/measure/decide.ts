/** Whether a limit on a share was met, from the counts of several trials: a burst counts about once, see `beta-binomial.ts`. */
import { type Count, probabilityWithin } from '../stats/beta-binomial.ts'

export type Outcome = 'met' | 'missed' | 'undetermined'

/** An outcome is one with this probability. */
export const sureShare = 0.95

/** Of the probability that one limit holds; of several limits that are told together see `holm`. */
export function outcomeOf(probability: number): Outcome {
  if (probability >= sureShare) return 'met'
  return probability <= 1 - sureShare ? 'missed' : 'undetermined'
}

/**
 * The probability that the limit of a quantile holds, where `exceeded` of `intended` answers were over it, by trial; null: too few answers tell.
 * `weights` as in `probabilityWithin`. Quantile 1, the maximum, allows none.
 */
export function holdsOf(counts: readonly Count[], quantile: number, weights?: readonly number[]): number | null {
  const intended = counts.reduce((sum, each) => sum + each.intended, 0)
  if (intended === 0) return null
  if (quantile >= 1) return counts.some(({ exceeded }) => exceeded > 0) ? 0 : 1
  if (intended < samplesNeeded(quantile) && counts.every(({ exceeded }) => exceeded === 0)) return null
  return probabilityWithin(counts, 1 - quantile, weights)
}

export function decide(counts: readonly Count[], quantile: number): Outcome {
  const holds = holdsOf(counts, quantile)
  return holds === null ? 'undetermined' : outcomeOf(holds)
}

/** The probability that errors stay within their limit. */
export function errorsHold(counts: readonly Count[], errorShare: number): number {
  if (counts.every(({ exceeded }) => exceeded === 0)) return 1
  return errorShare === 0 ? 0 : probabilityWithin(counts, errorShare)
}

/** Errors may miss their limit; that too few were seen to prove the limit is no reason to doubt. */
export const errorsMissed = (counts: readonly Count[], errorShare: number): boolean => outcomeOf(errorsHold(counts, errorShare)) === 'missed'

/** Smallest sample without one exceedance that can meet a quantile: 299 for p99. */
export function samplesNeeded(quantile: number): number {
  return quantile >= 1 ? 1 : Math.ceil(Math.log(1 - sureShare) / Math.log(quantile))
}
