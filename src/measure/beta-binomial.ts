/**
 * Exceedances come in bursts: of two answers of one trial, the second exceeds more often where the first did. The beta-binomial distribution
 * says so with one number, the intra-class correlation ρ; with it a burst counts about once (Skellam, "A probability distribution derived
 * from the binomial distribution", 1948).
 */
import jstat from 'jstat'

/** Of one trial: answers over a limit, and all that were intended. */
export interface Count {
  exceeded: number
  intended: number
}

/** Correlations that are told apart: from hardly any bursts to one that takes a trial. */
export const correlations = [0.001, 0.003, 0.01, 0.03, 0.1]

/**
 * How likely each is beforehand. Trials of real servers that our audits looked at had 3 to 90 times the variance of a binomial at some 5,000
 * answers, which is a correlation of 0.0004 to 0.02.
 */
export const usualWeights = [0.3, 0.3, 0.25, 0.1, 0.05]

/** Whatever is above is "far above": how far a saturated server's answers are over a limit tells of the trial's length only. */
export const largestShare = 0.25
/** Below, no trial of ours tells shares apart. */
const smallestShare = 1e-7

export const logit = (share: number) => Math.log(share / (1 - share))
const lowestLogit = logit(smallestShare)
const stepLogit = 0.2
const steps = Math.ceil((logit(largestShare) - lowestLogit) / stepLogit) + 2

/** ln P(exceeded of intended | share, ρ). */
export function logProbability({ exceeded, intended }: Count, share: number, correlation: number): number {
  const strength = 1 / correlation - 1
  const alpha = share * strength
  const beta = strength - alpha
  return (
    jstat.gammaln(alpha + exceeded) -
    jstat.gammaln(alpha) +
    jstat.gammaln(beta + intended - exceeded) -
    jstat.gammaln(beta) -
    jstat.gammaln(strength + intended) +
    jstat.gammaln(strength)
  )
}

/** The likelihood of one trial for any share, from a table over the share's logit: capacities ask for it a million times. */
export class Likelihood {
  readonly #tables: Float64Array[]

  constructor(count: Count) {
    const counted = { exceeded: Math.min(count.exceeded, Math.round(count.intended * largestShare)), intended: count.intended }
    this.#tables = correlations.map((correlation) =>
      Float64Array.from({ length: steps }, (_, step) =>
        logProbability(counted, 1 / (1 + Math.exp(-Math.min(logit(largestShare), lowestLogit + step * stepLogit))), correlation),
      ),
    )
  }

  /** `correlation`: a position in `correlations`. */
  at(shareLogit: number, correlation: number): number {
    const table = this.#tables[correlation] as Float64Array
    const place = Math.min(steps - 1.001, Math.max(0, (shareLogit - lowestLogit) / stepLogit))
    const step = Math.floor(place)
    const rest = place - step
    return (table[step] as number) * (1 - rest) + (table[step + 1] as number) * rest
  }
}

/**
 * The probability that the share behind some trials is at most `limit`, given what they counted; beforehand nothing is known of the share
 * (Jeffreys, "An invariant form for the prior probability in estimation problems", 1946). `weights`: how likely each of `correlations` is, by
 * what the rest of the run has shown; without them as in `usualWeights`, and one trial alone, which cannot tell a rare burst from a frequent one, refutes a
 * limit and hardly proves one.
 */
export function probabilityWithin(counts: readonly Count[], limit: number, weights: readonly number[] = usualWeights): number {
  const tried = counts.filter(({ intended }) => intended > 0)
  const logs: { within: boolean; log: number }[] = []
  for (let step = 0; step < fine; step++) {
    const share = 1 / (1 + Math.exp(-(lowestLogit + ((step + 0.5) * -2 * lowestLogit) / fine)))
    // dp ÷ √(p(1 − p)) = √(p(1 − p)) d logit.
    const prior = 0.5 * (Math.log(share) + Math.log1p(-share))
    for (const [at, correlation] of correlations.entries()) {
      let log = prior + Math.log(Math.max(1e-12, weights[at] as number))
      for (const count of tried) log += logProbability(count, share, correlation)
      logs.push({ within: share <= limit, log })
    }
  }
  const most = Math.max(...logs.map(({ log }) => log))
  let within = 0
  let all = 0
  for (const each of logs) {
    const weight = Math.exp(each.log - most)
    all += weight
    if (each.within) within += weight
  }
  return within / all
}
const fine = 240
