/** Intervals of ratios from the repeats of two runs. */
import jstat from 'jstat'

/** `high` and `low` enclose the ratio; `confidence` null: a plain range, from three or four repeats. */
export interface RatioInterval {
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
export function ratioOf(before: number[], after: number[]): RatioInterval | null {
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

interface Moments {
  mean: number
  variance: number
}

function moments(values: number[]): Moments {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) }
}
