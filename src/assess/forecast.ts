/** The model grades itself: it predicts trials that it was not shown, and says how far off it was. */

import { median } from '../measure/median.ts'
import type { CandidateResult, TrialResult } from '../result.ts'
import type { Operation } from '../scenario/scenario.ts'
import { meanWait } from './queueing.ts'
import { fitScalability, sweepOf, throughputAt } from './scaling.ts'
import { utilisationOf } from './utilisation.ts'

export interface Forecast {
  candidate: string
  what: string
  unit: 'cores' | 'µs' | 'operations/s'
  predicted: number
  measured: number
  /** |predicted ÷ measured − 1|. */
  error: number
  /** How it was predicted. */
  by: string
}

const fewestSamples = 100

export function forecastsOf(candidate: CandidateResult, operations: Operation[]): Forecast[] {
  return [...heldBackRate(candidate, operations), ...heldBackConcurrency(candidate), ...heldBackSize(candidate)]
}

/** A rate that was measured among the others, from all others. */
function heldBackRate(candidate: CandidateResult, operations: Operation[]): Forecast[] {
  const usable = candidate.trials.filter(
    (trial) =>
      trial.arrival.loop === 'open' &&
      trial.mix === candidate.mix &&
      trial.client === 'wire' &&
      trial.validity.verdict === 'valid' &&
      !trial.saturated &&
      trial.phase !== 'probe',
  )
  const held = usable.filter((trial) => trial.phase === 'held-back')
  const shown = usable.filter((trial) => trial.phase !== 'held-back')
  const multiple = held[0]?.arrival.multiple ?? null
  if (multiple === null || shown.length < 2) return []
  const found: Forecast[] = []
  const add = (what: string, unit: Forecast['unit'], predicted: number | null, measured: number | null, by: string) => {
    if (predicted !== null && measured !== null && measured > 0)
      found.push({ candidate: candidate.name, what, unit, predicted, measured, error: Math.abs(predicted / measured - 1), by })
  }
  const at = `at ${Number(multiple.toPrecision(3))}×`
  const cores = (trial: TrialResult) => trial.resources.server?.cpuCores ?? null
  add(
    `server CPU ${at}`,
    'cores',
    byUtilisation(shown, median(held.map((trial) => trial.throughputPerSecond)) ?? 0),
    median(held.flatMap((trial) => cores(trial) ?? [])),
    'utilisation law over other rates',
  )
  const busiest = [...operations]
    .sort((a, b) => b.ratePerSecond - a.ratePerSecond)
    .find((operation) => held.some((trial) => (trial.operations[operation.name]?.responseUs?.count ?? 0) >= fewestSamples))
  if (busiest === undefined) return found
  for (const percentile of ['p50', 'p99'] as const) {
    const of = (trial: TrialResult) => {
      const response = trial.operations[busiest.name]?.responseUs
      return response != null && response.count >= fewestSamples ? response[percentile] : null
    }
    add(
      `${percentile} of ${busiest.name} ${at}`,
      'µs',
      interpolate(shown, multiple, of),
      median(held.flatMap((trial) => of(trial) ?? [])),
      'interpolation between measured rates',
    )
  }
  const mean = (trial: TrialResult) => trial.operations[busiest.name]?.responseUs?.mean ?? null
  add(
    `mean of ${busiest.name} ${at}`,
    'µs',
    byFormula(candidate, shown, held, busiest),
    median(held.flatMap((trial) => mean(trial) ?? [])),
    'Erlang C with the Allen–Cunneen factor',
  )
  return found
}

/** Cores are a line over throughput. */
function byUtilisation(shown: TrialResult[], perSecond: number): number | null {
  const law = utilisationOf(shown)
  return law === null ? null : law.idle + law.demand * perSecond
}

/** The lowest measured rate's mean, less its own wait, plus the wait at the predicted rate. */
function byFormula(candidate: CandidateResult, shown: TrialResult[], held: TrialResult[], operation: Operation): number | null {
  const servers = candidate.provision?.limits.cpus ?? 1
  const [lowest] = [...shown].sort((a, b) => (a.arrival.multiple as number) - (b.arrival.multiple as number))
  const multiple = held[0]?.arrival.multiple as number
  const base = lowest?.operations[operation.name]?.responseUs
  const used = lowest?.resources.server?.cpuCores ?? null
  if (lowest === undefined || base == null || used === null || lowest.throughputPerSecond === 0) return null
  const service = (used / lowest.throughputPerSecond) * 1e6
  // Of a log-normal with these two percentiles.
  const sigma = Math.log(Math.max(1, base.p90 / Math.max(1, base.p50))) / 1.2816
  const variation2 = Math.expm1(sigma * sigma)
  const offered = (at: number) => (used * at) / (lowest.arrival.multiple as number)
  const wait = (at: number) => meanWait(servers, offered(at), service, variation2)
  const predicted = base.mean - wait(lowest.arrival.multiple as number) + wait(multiple)
  return Number.isFinite(predicted) && predicted > 0 ? predicted : null
}

/** On logarithms of both, between the nearest multiples on either side; below the lowest it is taken as there, above the highest nothing is known. */
function interpolate(trials: TrialResult[], multiple: number, of: (trial: TrialResult) => number | null): number | null {
  const groups = Map.groupBy(trials, (trial) => trial.arrival.multiple as number)
  const points = [...groups]
    .flatMap(([at, group]) => {
      const value = median(group.flatMap((trial) => of(trial) ?? []))
      return value === null || value <= 0 ? [] : [{ x: Math.log(at), y: Math.log(value) }]
    })
    .sort((a, b) => a.x - b.x)
  const x = Math.log(multiple)
  const next = points.findIndex((point) => point.x >= x)
  const [before, after] = [points[next - 1], points[next]]
  if (after === undefined) return null
  if (before === undefined) return Math.exp(after.y)
  return Math.exp(before.y + ((after.y - before.y) * (x - before.x)) / (after.x - before.x))
}

/** One concurrency in the middle of the sweep, from the Universal Scalability Law fitted to the others. */
function heldBackConcurrency(candidate: CandidateResult): Forecast[] {
  const sweep = sweepOf(candidate).sort((a, b) => a.concurrency - b.concurrency)
  const held = sweep[Math.floor(sweep.length / 2)]
  const law = held === undefined ? null : fitScalability(sweep.filter((point) => point !== held))
  if (held === undefined || law === null) return []
  const predicted = throughputAt(law, held.concurrency)
  return [
    {
      candidate: candidate.name,
      what: `throughput of ${held.concurrency} in flight`,
      unit: 'operations/s',
      predicted,
      measured: held.perSecond,
      error: Math.abs(predicted / held.perSecond - 1),
      by: `Universal Scalability Law from ${sweep.length - 1} other concurrencies`,
    },
  ]
}

/** A size in the middle, on the line between its neighbours: throughput ∝ cores^s. */
function heldBackSize({ name, sizes }: CandidateResult): Forecast[] {
  const sorted = [...sizes].sort((a, b) => a.cpus - b.cpus)
  const at = sorted.length >> 1
  const [below, held, above] = [sorted[at - 1], sorted[at], sorted[at + 1]]
  if (below === undefined || held === undefined || above === undefined) return []
  const slope = Math.log(above.throughputPerSecond / below.throughputPerSecond) / Math.log(above.cpus / below.cpus)
  const predicted = below.throughputPerSecond * (held.cpus / below.cpus) ** slope
  return [
    {
      candidate: name,
      what: `throughput on ${held.cpus} cores`,
      unit: 'operations/s',
      predicted,
      measured: held.throughputPerSecond,
      error: Math.abs(predicted / held.throughputPerSecond - 1),
      by: 'from the sizes below and above',
    },
  ]
}
