/** How far two capacities differ, each an interval that holds with 80 %, and how likely that is chance. */
import jstat from 'jstat'
import type { CandidateResult } from '../../result/result.ts'
import type { Interval } from '../../stats/intervals.ts'

type Capacity = CandidateResult['capacity']
export const capacityKinds = ['saturation', 'cpu', 'objectives'] as const
export type CapacityKind = (typeof capacityKinds)[number]

export interface CapacityDifference {
  /** Second over first. */
  ratio: Interval
  byChance: number
}

/** null: one is not known, or is without an end above, or without an interval. */
export function capacityDifference(first: CandidateResult, second: CandidateResult, kind: CapacityKind): CapacityDifference | null {
  const [a, b] = [first, second].map((candidate) => estimateOf(candidate.capacity[kind], freedomOf(candidate, kind)))
  if (a == null || b == null) return null
  const variance = a.variance + b.variance
  const log = b.log - a.log
  // Welch–Satterthwaite.
  const freedom = Math.min(manyStarts, variance === 0 ? manyStarts : variance ** 2 / (a.variance ** 2 / a.freedom + b.variance ** 2 / b.freedom))
  const error = Math.sqrt(variance)
  const reach = jstat.studentt.inv((1 + confidence) / 2, freedom) * error
  return {
    ratio: { low: Math.exp(log - reach), mid: Math.exp(log), high: Math.exp(log + reach), confidence },
    byChance: error === 0 ? (log === 0 ? 1 : 0) : 2 * jstat.studentt.cdf(-Math.abs(log) / error, freedom),
  }
}

const confidence = 0.95
/** So many degrees of freedom are a normal distribution. */
const manyStarts = 1e4

/** The response curve knows starts by itself; the other two are Student's t over them. */
function freedomOf({ trials }: CandidateResult, kind: CapacityKind): number {
  const phases = kind === 'saturation' ? ['sweep'] : ['confirmation', 'curve']
  return kind === 'objectives'
    ? manyStarts
    : Math.max(1, new Set(trials.filter(({ phase }) => phases.includes(phase)).map(({ start }) => start)).size - 1)
}

function estimateOf(interval: Capacity['multiple'], freedom: number): { log: number; variance: number; freedom: number } | null {
  if (interval === null || interval.high === null || interval.confidence === null) return null
  const { low, mid, high } = interval
  const deviations = jstat.studentt.inv((1 + interval.confidence) / 2, freedom)
  return { log: Math.log(mid), variance: (Math.log(high / low) / (2 * deviations)) ** 2, freedom }
}
