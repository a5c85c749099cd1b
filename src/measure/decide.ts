/** Whether a limit on a share was met, from the counts of several trials: a burst counts about once, see `beta-binomial.ts`. */
import { type Count, probabilityWithin } from '../stats/beta-binomial.ts'

export type Outcome = 'met' | 'missed' | 'undetermined'

/** An outcome is one with this probability. */
export const sureShare = 0.95

/** Of the probability that the limit holds. `of`: outcomes that are told together; that one of them is missed by chance is as unlikely as of one alone (Bonferroni). */
export function outcomeOf(probability: number, of = 1): Outcome {
  if (probability >= sureShare) return 'met'
  return probability <= (1 - sureShare) / of ? 'missed' : 'undetermined'
}

/** `exceeded` of `intended` answers were over the limit of a quantile, by trial; `weights` as in `probabilityWithin`. Quantile 1, the maximum, allows none. */
export function decide(counts: readonly Count[], quantile: number, weights?: readonly number[]): Outcome {
  const intended = counts.reduce((sum, each) => sum + each.intended, 0)
  if (intended === 0) return 'undetermined'
  if (quantile >= 1) return counts.some(({ exceeded }) => exceeded > 0) ? 'missed' : 'met'
  if (intended < samplesNeeded(quantile) && counts.every(({ exceeded }) => exceeded === 0)) return 'undetermined'
  return outcomeOf(probabilityWithin(counts, 1 - quantile, weights))
}

/** Errors may miss their limit; that too few were seen to prove the limit is no reason to doubt. */
export function errorsMissed(counts: readonly Count[], errorShare: number): boolean {
  if (counts.every(({ exceeded }) => exceeded === 0)) return false
  return errorShare === 0 || probabilityWithin(counts, errorShare) <= 1 - sureShare
}

/** Smallest sample without one exceedance that can meet a quantile: 299 for p99. */
export function samplesNeeded(quantile: number): number {
  return quantile >= 1 ? 1 : Math.ceil(Math.log(1 - sureShare) / Math.log(quantile))
}
