/**
 * A high percentile of one operation against the load of its server: straight on logarithms through what was measured at the lowest rates and
 * the rate at which the response curve, which all rates are in, passes the limit. So it says the same as the capacity.
 */
import { samplesNeeded } from '../../measure/decide.ts'
import { Histogram } from '../../measure/histogram.ts'
import type { CandidateResult, TrialResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { moments } from '../../stats/intervals.ts'
import { assumed, type Range } from '../figures/figure.ts'
import { ownEvidence } from '../judge/own-evidence.ts'
import { drivenMultiple } from './capacity.ts'
import { curvesOf, isUsable, loadOf, type Objective } from './response-curve.ts'

export interface LatencyByLoad {
  limitMs: number
  /** At the lowest rates that have answers enough; null: none have. */
  lowest: Lowest | null
  /** Multiple at which the percentile passes the limit; null: the operation is too rare for a curve. */
  bound: Range | null
  /** Missed at any load: what was measured at the lowest rates stands for all. */
  unloaded: boolean
}
export interface Lowest {
  multiple: number
  ms: number
  /** That tell it. */
  calls: number
  /** What another run would find over `ms`; without a confidence it is assumed, too few trials tell. */
  error: Range
}

/** Open loops of the mix. */
const phases = new Set<TrialResult['phase']>(['confirmation', 'curve'])
/** Fewer tell no error. */
const minTrials = 3
const assumedError = assumed(0.5, 1, 2)
const confidence = 0.8
/** Normal deviate of that. */
const reach = 1.2816
/** Nothing repeats better. */
const minDeviation = 0.05
/** Multiples of what the server carries, at which its latencies are those of an overload and say nothing of less. */
const mostOverCarried = 2
/** No queue grows faster with the load. */
const steepest = 8

/** By operation and objective; those that nothing tells of are left out. */
export function latenciesByLoad(
  candidate: CandidateResult,
  operations: readonly Operation[],
): { operation: Operation; objective: Objective; law: LatencyByLoad | null }[] {
  const carried = drivenMultiple(candidate, [...operations])
  const evidence = ownEvidence(candidate, [...operations])
  const { trials } = evidence
  const curves = curvesOf(evidence)
  return operations.flatMap((operation) =>
    operation.objectives
      .filter(({ quantile }) => quantile < 1)
      .map((objective) => {
        const found = curves?.find((each) => each.operation === operation.name && each.objective.name === objective.name)
        const unloaded = found?.unloaded != null
        const bound = found === undefined || unloaded ? null : { low: found.curve.low, mid: found.curve.mid, high: found.curve.high, confidence }
        const tried = lowestOf(trials, operation.name, objective.quantile)
        const lowest = tried === null || tried.multiple > mostOverCarried * carried ? null : tried
        return { operation, objective, law: bound === null && lowest === null ? null : { limitMs: objective.limitMs, lowest, bound, unloaded } }
      }),
  )
}

/** `error` and `bound` as they are drawn; `exponent`: by how much it grows with the load where one of the two is missing, or they do not tell. */
export function latencyAt(
  { limitMs, lowest, bound: known, unloaded }: LatencyByLoad,
  multiple: number,
  error: number,
  bound: number,
  exponent: number,
): number {
  if (lowest === null) return limitMs * (multiple / bound) ** exponent
  const ms = lowest.ms * error
  if (unloaded) return ms
  if (known !== null && bound <= lowest.multiple) return limitMs * (multiple / bound) ** exponent
  // Below the lowest rate nobody measured: no less is counted on.
  const over = Math.max(1, multiple / lowest.multiple)
  if (known === null) return ms * over ** exponent
  return ms * over ** Math.min(steepest, Math.max(0, Math.log(limitMs / ms) / Math.log(bound / lowest.multiple)))
}

/** Trials from the lowest rate on until they have answers enough; their histograms are merged, percentiles are never averaged. null: they have too few. */
export function lowestOf(trials: readonly TrialResult[], operation: string, quantile: number): Lowest | null {
  const needed = samplesNeeded(quantile)
  const ofMix = answersOf(trials, operation, phases)
  // Where an operation is rare, the loops in which it was raised tell, too.
  const isRare = ofMix.every(({ response }) => response.count < needed)
  const answered = [...ofMix, ...(isRare ? answersOf(trials, operation, new Set(['probe'])) : [])].sort((a, b) => a.multiple - b.multiple)
  const merged = new Histogram()
  const taken: typeof answered = []
  for (const each of answered) {
    if (merged.count >= needed && taken.length >= minTrials && each.multiple !== taken.at(-1)?.multiple) break
    merged.merge(Histogram.decode(each.response.encoded))
    taken.push(each)
  }
  if (merged.count < needed) return null
  const logs = taken.reduce((sum, { multiple, response }) => sum + response.count * Math.log(multiple), 0)
  return {
    multiple: Math.exp(logs / merged.count),
    ms: merged.quantileNs(quantile) / 1e6,
    calls: merged.count,
    error: errorOf(
      taken.flatMap(({ response }) => (response.count >= needed ? [response] : [])).map((response) => response[percentileNearest(quantile)]),
    ),
  }
}

function answersOf(trials: readonly TrialResult[], operation: string, of: ReadonlySet<TrialResult['phase']>) {
  return trials
    .filter(
      (trial) =>
        of.has(trial.phase) &&
        trial.arrival.loop === 'open' &&
        !trial.saturated &&
        isUsable(trial) &&
        !trial.validity.clientBound.includes(operation),
    )
    .flatMap((trial) => {
      const response = trial.operations[operation]?.responseUs
      return trial.arrival.multiple === null || response == null || response.count === 0 ? [] : [{ multiple: loadOf(trial), response }]
    })
}

/** Of those that a trial keeps. */
function percentileNearest(quantile: number): 'p50' | 'p90' | 'p95' | 'p99' | 'p999' {
  return quantile <= 0.5 ? 'p50' : quantile <= 0.9 ? 'p90' : quantile <= 0.95 ? 'p95' : quantile <= 0.99 ? 'p99' : 'p999'
}

/** By how far trials of about one rate lie apart. */
function errorOf(values: readonly number[]): Range {
  if (values.length < minTrials) return assumedError
  const { variance } = moments(values.map((value) => Math.log(Math.max(1e-9, value))))
  const deviation = Math.max(minDeviation, Math.sqrt(variance / values.length))
  return { low: Math.exp(-reach * deviation), mid: 1, high: Math.exp(reach * deviation), confidence }
}
