/** The model grades itself: it predicts trials that it was not shown, and says how far off it was. */

import type { CandidateResult, TrialResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { nonNegativeLeastSquares } from '../../stats/linear.ts'
import { median } from '../../stats/median.ts'
import { middleOf } from '../figures/simulate.ts'
import { fitScalability, sweepOf, throughputAt } from './scaling.ts'
import { utilisationOf } from './utilisation.ts'
import { type Work, workOf } from './work.ts'

export interface Forecast {
  candidate: string
  what: string
  unit: 'cores' | 'µs' | 'operations/s' | 'bytes'
  predicted: number
  measured: number
  /** |predicted ÷ measured − 1|. */
  error: number
  /** How it was predicted. */
  by: string
}

const fewestSamples = 100
/** At the full speed of the cores: on slower ones the same calls are more work. */
const workPerSecond = ({ throughputPerSecond, slowdown }: TrialResult) => throughputPerSecond * slowdown

export function forecastsOf(candidate: CandidateResult, operations: Operation[]): Forecast[] {
  return [
    ...heldBackRate(candidate, operations),
    ...heldBackMix(candidate, operations),
    ...heldBackStorage(candidate),
    ...heldBackConcurrency(candidate),
    ...heldBackSize(candidate),
  ]
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
    byUtilisation(shown, median(held.map(workPerSecond)) ?? 0),
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
    byQueue(candidate, shown, held, busiest),
    median(held.flatMap((trial) => mean(trial) ?? [])),
    's + k·ρ/(1 − ρ), fitted to other rates',
  )
  return found
}

/** Cores are a line over throughput. */
function byUtilisation(shown: TrialResult[], perSecond: number): number | null {
  const law = utilisationOf(shown)
  return law === null ? null : law.idle + law.demand * perSecond
}

/** mean = s + k·ρ/(1 − ρ): s and k by least squares of shares over the shown rates, ρ from the utilisation law. What a queue adds is fitted, not guessed. */
function byQueue(candidate: CandidateResult, shown: TrialResult[], held: TrialResult[], operation: Operation): number | null {
  const law = utilisationOf(shown)
  const cpus = candidate.provision?.limits.cpus ?? 1
  if (law === null) return null
  const queue = (perSecond: number) => {
    const busy = Math.min(mostBusy, Math.max(0, (law.idle + law.demand * perSecond) / cpus))
    return busy / (1 - busy)
  }
  const points = shown.flatMap((trial) => {
    const mean = trial.operations[operation.name]?.responseUs?.mean ?? 0
    return mean > 0 ? [{ mean, queue: queue(workPerSecond(trial)) }] : []
  })
  const fitted = nonNegativeLeastSquares(
    points.map((point) => [1 / point.mean, point.queue / point.mean]),
    points.map(() => 1),
  )
  const [alone, perQueue] = fitted?.coefficients ?? []
  const perSecond = median(held.map(workPerSecond))
  return alone === undefined || perQueue === undefined || perSecond === null ? null : alone + perQueue * queue(perSecond)
}

/** A server that is busier waits as long as its queue is: nothing steady is left to predict. */
const mostBusy = 0.98

/** The mix that all candidates can do, which the costs by operation were not fitted to: what they say of its CPU. */
function heldBackMix(candidate: CandidateResult, operations: Operation[]): Forecast[] {
  const common = candidate.trials.filter(
    (trial) => trial.mix === 'common' && trial.validity.verdict === 'valid' && !trial.saturated && trial.arrival.loop === 'open',
  )
  const work = common.length === 0 ? null : workOf(candidate, operations)
  if (work === null || work.perOperation.size === 0) return []
  return [...Map.groupBy(common, (trial) => trial.arrival.multiple)].flatMap(([multiple, own]) => {
    const measured = median(own.flatMap((trial) => trial.resources.server?.cpuCores ?? []))
    if (measured === null || measured <= 0 || measured > mostSteady * (candidate.provision?.limits.cpus ?? 1)) return []
    const predicted = median(own.map((trial) => coresOf(trial, work)))
    if (predicted === null) return []
    return [
      {
        candidate: candidate.name,
        what: `server CPU of the common mix at ${Number((multiple ?? 0).toPrecision(3))}×`,
        unit: 'cores' as const,
        predicted,
        measured,
        error: Math.abs(predicted / measured - 1),
        by: 'costs by operation, as the plan takes them',
      },
    ]
  })
}

/** Of the cores: beyond it a server takes calls together, and the utilisation law bends. */
const mostSteady = 0.85

function coresOf(trial: TrialResult, work: Work): number {
  return [...work.perOperation].reduce((sum, [name, cost]) => {
    const each = trial.operations[name]
    return each === undefined
      ? sum
      : sum + ((trial.slowdown * (each.completed ?? each.ok + each.miss + each.conflict)) / trial.seconds) * middleOf(cost)
  }, middleOf(work.fixed))
}

/** The whole load's bytes from those of its half: what the slope of the plan takes for granted. */
function heldBackStorage({ name, storage }: CandidateResult): Forecast[] {
  const [half, whole] = storage?.at ?? []
  if (half === undefined || whole === undefined || half.rows <= 0) return []
  const bytesOf = ({ tables, indexes }: typeof half) => [...tables, ...indexes].reduce((sum, each) => sum + each.bytes, 0)
  const [predicted, measured] = [(bytesOf(half) * whole.rows) / half.rows, bytesOf(whole)]
  if (measured <= 0) return []
  const error = Math.abs(predicted / measured - 1)
  return [{ candidate: name, what: 'bytes of the whole load', unit: 'bytes', predicted, measured, error, by: 'bytes a row of its first part' }]
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
