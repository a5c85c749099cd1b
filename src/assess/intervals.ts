/** Intervals from repeats: of a level, of the ratio of two runs, of the ratio within pairs. */
import jstat from 'jstat'

/** `high` and `low` enclose the ratio; `confidence` null: a plain range, from three or four repeats. */
export interface Interval {
  low: number
  mid: number
  high: number
  confidence: number | null
}

const fewestRepeats = 3
const fewestForStudent = 5
const confidence = 0.95

/**
 * How many times `after` is `before`: Welch's t on logarithms from five repeats each; with three or four the largest and smallest ratio of
 * any two; null with fewer. Values must be positive.
 */
export function ratioOf(before: number[], after: number[]): Interval | null {
  if (Math.min(before.length, after.length) < fewestRepeats) return null
  const logs = [before, after].map((values) => values.map(Math.log)) as [number[], number[]]
  const [a, b] = logs.map(moments) as [Moments, Moments]
  const mid = Math.exp(b.mean - a.mean)
  if (Math.min(before.length, after.length) < fewestForStudent)
    return { low: Math.min(...after) / Math.max(...before), mid, high: Math.max(...after) / Math.min(...before), confidence: null }
  const [partA, partB] = [a.variance / before.length, b.variance / after.length]
  // Welch–Satterthwaite.
  const freedom = (partA + partB) ** 2 / (partA ** 2 / (before.length - 1) + partB ** 2 / (after.length - 1))
  const reach = Number.isFinite(freedom) ? jstat.studentt.inv((1 + confidence) / 2, freedom) * Math.sqrt(partA + partB) : 0
  return { low: Math.exp(b.mean - a.mean - reach), mid, high: Math.exp(b.mean - a.mean + reach), confidence }
}

/** The level of positive values: Student's t on logarithms from five repeats; with three or four their range; null with fewer. */
export function levelOf(values: number[]): Interval | null {
  if (values.length < fewestRepeats) return null
  const { mean, variance } = moments(values.map(Math.log))
  const mid = Math.exp(mean)
  if (values.length < fewestForStudent) return { low: Math.min(...values), mid, high: Math.max(...values), confidence: null }
  const reach = jstat.studentt.inv((1 + confidence) / 2, values.length - 1) * Math.sqrt(variance / values.length)
  return { low: Math.exp(mean - reach), mid, high: Math.exp(mean + reach), confidence }
}

export interface PairedRatio {
  interval: Interval
  /** Probability that the true ratio is below 1, from Student's t on the pairs' log ratios; null with fewer than five pairs. */
  belowOne: number | null
}

/** How many times the second of each pair is the first: both were measured in the same round, so that what the machine did then cancels. */
export function pairedRatio(pairs: [number, number][]): PairedRatio | null {
  const ratios = pairs.map(([a, b]) => b / a)
  const interval = levelOf(ratios)
  if (interval === null) return null
  if (ratios.length < fewestForStudent) return { interval, belowOne: null }
  const { mean, variance } = moments(ratios.map(Math.log))
  const error = Math.sqrt(variance / ratios.length)
  const belowOne = error === 0 ? (mean < 0 ? 1 : mean > 0 ? 0 : 0.5) : jstat.studentt.cdf(-mean / error, ratios.length - 1)
  return { interval, belowOne }
}

interface Moments {
  mean: number
  variance: number
}

export function moments(values: number[]): Moments {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) }
}
