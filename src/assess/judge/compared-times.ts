/** Times of two results, operation by operation and rate by rate: a ratio from the rounds, and the percentiles of all of them together. */
import { samplesNeeded } from '../../measure/decide.ts'
import { mergedHistogram } from '../../measure/merged.ts'
import type { CandidateResult, HistogramResult, Result, TrialResult } from '../../result/result.ts'
import { type Interval, minRepeats, ratioOf } from '../../stats/intervals.ts'
import { factorOf, type KnownResolution, minServed, p50Of, p99Of } from './machine-resolution.ts'

export type Verdict = 'faster' | 'slower' | 'tie' | 'undetermined'

/** `service p50`: what server and driver take; `response p99`: what a user waits, queueing included. */
export type Metric = 'service p50' | 'response p99'

export interface ComparedRow {
  candidate: string
  operation: string
  multiple: number
  metric: Metric
  /** Of the merged histograms of the rounds that count, µs; null: none does. */
  baselineUs: number | null
  resultUs: number | null
  /** Result over baseline; null with fewer than three rounds of either. */
  ratio: Interval | null
  verdict: Verdict
  /** Why nothing can be said; null: something can. */
  undetermined: string | null
  /** Slower by more than the tolerance, the whole interval, and by more than equals differ. */
  regression: boolean
}
export interface HowMeasured {
  metric: Metric
  /** By whose resolution it is judged. */
  number: NonNullable<Result['resolution']>[number]['number']
  usable: TrialResult['validity']['verdict'][]
  quantile: number
  /** A percentile of fewer samples in a round is that of one outlier. */
  minSamples: number
  histogramOf: (trial: TrialResult, operation: string) => HistogramResult | null | undefined
  /** Of one round, where it tells it. */
  of: (trial: TrialResult, operation: string) => number | null
}
export const metrics: HowMeasured[] = [
  {
    metric: 'service p50',
    number: 'service p50',
    usable: ['valid', 'client-bound'],
    quantile: 0.5,
    minSamples: minServed,
    histogramOf: (trial, operation) => trial.operations[operation]?.serviceUs,
    of: p50Of,
  },
  {
    metric: 'response p99',
    number: 'p99',
    usable: ['valid'],
    quantile: 0.99,
    minSamples: samplesNeeded(0.99),
    histogramOf: (trial, operation) => trial.operations[operation]?.responseUs,
    of: p99Of,
  },
]

/** `worse`: how many times worse the result is. Within the tolerance, or within what equals differ by, it is a tie. */
export function verdictOf(worse: Interval | null, tolerance: number, factor: number): Verdict {
  if (worse === null) return 'undetermined'
  if (worse.low > 1 + tolerance && worse.mid > factor) return 'slower'
  return worse.high < 1 / (1 + tolerance) && worse.mid < 1 / factor ? 'faster' : 'tie'
}

/** `isOneSpeed`: both were told at the full speed of one machine, and the ratios are so, too. */
export function comparedRows(
  before: CandidateResult,
  after: CandidateResult,
  multiples: number[],
  tolerance: number,
  known: KnownResolution[],
  isOneSpeed: boolean,
): ComparedRow[] {
  const factors = metrics.map(({ number }) => factorOf(known, [before.engine, after.engine], number))
  const operations = after.compiled.map((each) => each.operation).filter((name) => before.compiled.some((each) => each.operation === name))
  return multiples.flatMap((multiple) =>
    operations.flatMap((operation) =>
      metrics.map((how, at): ComparedRow => {
        const { metric } = how
        const [first, second] = [before, after].map((candidate) => roundsOf(candidate, how, multiple, operation, isOneSpeed)) as [Rounds, Rounds]
        const ratio = ratioOf([...first.byRound.values()], [...second.byRound.values()])
        const verdict = verdictOf(ratio, tolerance, factors[at] as number)
        return {
          candidate: after.name,
          operation,
          multiple,
          metric,
          baselineUs: first.mergedUs,
          resultUs: second.mergedUs,
          ratio,
          verdict,
          undetermined: ratio === null ? (tooFew('baseline', first, how) ?? tooFew('result', second, how) ?? 'no ratio') : null,
          regression: verdict === 'slower',
        }
      }),
    ),
  )
}

export interface Rounds {
  all: number
  valid: number
  /** Of each round that tells it, for ratios; `isAtFullSpeed`: as the cores would have done at their full speed. */
  byRound: Map<number, number>
  /** Of the same rounds together. */
  mergedUs: number | null
}

export function roundsOf(
  { trials }: CandidateResult,
  { usable, quantile, histogramOf, of }: HowMeasured,
  multiple: number,
  operation: string,
  isAtFullSpeed = false,
): Rounds {
  const all = trials.filter((trial) => trial.phase === 'confirmation' && trial.mix !== 'common' && trial.arrival.multiple === multiple)
  const valid = all.filter((trial) => usable.includes(trial.validity.verdict))
  const telling = valid.flatMap((trial) => {
    const value = of(trial, operation)
    return value === null ? [] : [{ trial, value }]
  })
  const merged = mergedHistogram(telling.map(({ trial }) => histogramOf(trial, operation)))
  return {
    all: all.length,
    valid: valid.length,
    byRound: new Map(telling.map(({ trial, value }) => [trial.repeat, isAtFullSpeed ? value / trial.slowdown : value])),
    mergedUs: merged.count === 0 ? null : merged.quantileNs(quantile) / 1000,
  }
}

/** What one side lacks for a ratio; null: nothing. */
function tooFew(side: string, { all, valid, byRound }: Rounds, { metric, minSamples }: HowMeasured): string | null {
  if (byRound.size >= minRepeats) return null
  if (all < minRepeats) return `the ${side} has ${all} of the ${minRepeats} rounds that a ratio needs (effort smoke has one)`
  if (valid < minRepeats) return `only ${valid} of the ${side}'s ${all} rounds are valid, ${minRepeats} are needed`
  return `too few calls in the ${side}'s rounds for a ${metric.split(' ')[1]} (${minSamples} each)`
}
