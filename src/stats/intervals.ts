/** Intervals from repeats: of the ratio of two runs, of the ratio within pairs; and which of several differences are none by luck. */
import jstat from 'jstat'

/** `high` and `low` enclose the value with this confidence. */
export interface Interval {
  low: number
  mid: number
  high: number
  confidence: number
}

/** With two, Student's t knows hardly anything. */
export const minRepeats = 3
const confidence = 0.95
/** Of the interval's end from its middle, in standard errors. */
export const reachOf = (freedom: number) => jstat.studentt.inv((1 + confidence) / 2, freedom)

/** How many times `after` is `before`: Welch's t on logarithms; null with fewer than three repeats of either. Values must be positive. */
export function ratioOf(before: number[], after: number[]): Interval | null {
  if (Math.min(before.length, after.length) < minRepeats) return null
  const [a, b] = [before, after].map((values) => moments(values.map(Math.log))) as [Moments, Moments]
  const [partA, partB] = [a.variance / before.length, b.variance / after.length]
  // Welch–Satterthwaite.
  const freedom = (partA + partB) ** 2 / (partA ** 2 / (before.length - 1) + partB ** 2 / (after.length - 1))
  return around(b.mean - a.mean, Number.isFinite(freedom) ? reachOf(freedom) * Math.sqrt(partA + partB) : 0)
}

const around = (log: number, reach: number): Interval => ({ low: Math.exp(log - reach), mid: Math.exp(log), high: Math.exp(log + reach), confidence })

export interface PairedRatio {
  interval: Interval
  /** Probability that the true ratio is below 1. */
  belowOne: number
}

/** How far pairs of several numbers scatter about their own middle: the variance of log ratios, and how many degrees of freedom it rests on. */
export interface Scatter {
  variance: number
  freedom: number
}

/**
 * What the pairs of all numbers say of their scatter together. Numbers of one round share its luck, so that all of them count as one: three rounds
 * are two degrees of freedom, however many operations were timed in them. `freedom`: rounds less one, added up over the groups that share none.
 */
export function scatterOf(all: readonly (readonly [number, number][])[], freedom: number): Scatter | undefined {
  const several = all.filter((pairs) => pairs.length >= minRepeats)
  if (several.length === 0 || freedom < 1) return undefined
  const squares = several.reduce((sum, pairs) => sum + moments(logRatios(pairs)).variance * (pairs.length - 1), 0)
  return { variance: squares / several.reduce((sum, pairs) => sum + pairs.length - 1, 0), freedom }
}

/**
 * How many times the second of each pair is the first: both were measured in the same round, so that what the machine did then cancels. Three
 * rounds that agree by luck are no evidence: with `scatter` the variance is that of the number itself moderated by the others' (Smyth, "Linear
 * models and empirical Bayes methods for assessing differential expression", 2004); a number that scatters more than the others is judged by itself.
 */
export function pairedRatio(pairs: readonly [number, number][], scatter?: Scatter): PairedRatio | null {
  if (pairs.length < minRepeats) return null
  const { mean, variance: own } = moments(logRatios(pairs))
  const of = pairs.length - 1
  const shared = scatter === undefined ? own : (own * of + scatter.variance * scatter.freedom) / (of + scatter.freedom)
  const freedom = scatter === undefined || own > shared ? of : of + scatter.freedom
  const error = Math.sqrt(Math.max(own, shared) / pairs.length)
  return {
    interval: around(mean, reachOf(freedom) * error),
    belowOne: error === 0 ? (mean < 0 ? 1 : mean > 0 ? 0 : 0.5) : jstat.studentt.cdf(-mean / error, freedom),
  }
}

const logRatios = (pairs: readonly (readonly [number, number])[]) => pairs.map(([a, b]) => Math.log(b / a))

/**
 * Which of several probabilities of "by chance" are small enough that none of those is chance, with 95 %: Holm, "A simple sequentially rejective
 * multiple test procedure", 1979. `of`: tests that were made, where not all of them are listed.
 */
export function holm(byChance: readonly number[], of = byChance.length): boolean[] {
  const order = byChance.map((_, at) => at).sort((a, b) => (byChance[a] as number) - (byChance[b] as number))
  const found = byChance.map(() => false)
  for (const [place, at] of order.entries()) {
    if ((byChance[at] as number) > (1 - confidence) / (of - place)) break
    found[at] = true
  }
  return found
}

/** That a ratio as far from 1 is chance, of which side it lies was not asked before. */
export const byChance = ({ belowOne }: PairedRatio) => 2 * Math.min(belowOne, 1 - belowOne)

interface Moments {
  mean: number
  variance: number
}

export function moments(values: number[]): Moments {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) }
}
