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
export const maxShare = 0.25
/** Below, no trial of ours tells shares apart. */
const minShare = 1e-7

export const logit = (share: number) => Math.log(share / (1 - share))
const lowestLogit = logit(minShare)
const stepLogit = 0.2
const steps = Math.ceil((logit(maxShare) - lowestLogit) / stepLogit) + 2

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

/** What each share of the tables and each correlation contribute whatever was counted, from the gamma functions of the beta distribution. */
const parts = correlations.map((correlation) => {
  const strength = 1 / correlation - 1
  const beside = Array.from({ length: steps }, (_, step) => {
    const share = 1 / (1 + Math.exp(-Math.min(logit(maxShare), lowestLogit + step * stepLogit)))
    const alpha = share * strength
    const beta = strength - alpha
    return { alpha, beta, ofAlpha: jstat.gammaln(alpha), ofBeta: jstat.gammaln(beta) }
  })
  return { strength, ofStrength: jstat.gammaln(strength), beside }
})

/** Where the share with this logit lies in the tables of likelihoods. */
export const placeOf = (shareLogit: number) => Math.min(steps - 1.001, Math.max(0, (shareLogit - lowestLogit) / stepLogit))

/** The likelihood of one trial for any share, from a table over the share's logit: capacities ask for it a million times. */
export class Likelihood {
  readonly #tables: Float64Array[]

  /** `minPlace`: below it nobody asks. */
  constructor({ exceeded, intended }: Count, minPlace: number) {
    const over = Math.min(exceeded, Math.round(intended * maxShare))
    this.#tables = parts.map(({ strength, ofStrength, beside }) => {
      const table = new Float64Array(steps)
      const ofAll = jstat.gammaln(strength + intended)
      for (let step = Math.floor(minPlace); step < steps; step++) {
        const { alpha, beta, ofAlpha, ofBeta } = beside[step] as (typeof beside)[number]
        const ofOver = over === 0 ? ofAlpha : jstat.gammaln(alpha + over)
        table[step] = ofOver - ofAlpha + jstat.gammaln(beta + intended - over) - ofBeta - ofAll + ofStrength
      }
      return table
    })
  }

  /** Adds its logarithm at each of the places to `sums`. `correlation`: a position in `correlations`. */
  addTo(sums: Float64Array, places: Float64Array, correlation: number): void {
    const table = this.#tables[correlation] as Float64Array
    for (let at = 0; at < sums.length; at++) {
      const place = places[at] as number
      const step = Math.floor(place)
      const rest = place - step
      sums[at] = (sums[at] as number) + ((table[step] as number) * (1 - rest) + (table[step + 1] as number) * rest)
    }
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
