/** The model grades itself: it predicts trials that it was not shown, and says how far off it was. */

import { mergedHistogram, percentileUs } from '../../measure/merged.ts'
import type { CandidateResult, TrialResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { nonNegativeLeastSquares } from '../../stats/linear.ts'
import { median } from '../../stats/median.ts'
import { noiseOf } from '../../stats/repeat-noise.ts'
import type { Figure } from '../figures/figure.ts'
import { middleOf, simulate, spreadOf } from '../figures/simulate.ts'
import { rowBytesSpread } from '../fleet/plan-assumptions.ts'
import { type ForecastInterval, forecastInterval, reachOf80, reachOfRepeats } from './forecast-interval.ts'
import { heldBackShare } from './held-back-share.ts'
import { fitScalability, type Scalability, sweepOf, throughputAt } from './scaling.ts'
import { utilisationOf } from './utilisation.ts'
import { type Work, workOf } from './work.ts'

export interface Forecast {
  candidate: string
  what: string
  unit: 'cores' | 'µs' | 'operations/s' | 'bytes' | 'share'
  predicted: number
  measured: number
  /** |predicted ÷ measured − 1|. */
  error: number
  /** How far two of the held-back trials differ, see `noiseOf`: no model can be much closer. null: there is only one. */
  noise: number | null
  /** Holds what is measured with 80 %, by the model and the noise; null: the model does not say how sure it is. */
  interval: ForecastInterval | null
  /** How it was predicted. */
  by: string
}

/** At the full speed of the cores: on slower ones the same calls are more work. */
const workPerSecond = ({ throughputPerSecond, slowdown }: TrialResult) => throughputPerSecond * slowdown

export function forecastsOf(candidate: CandidateResult, operations: Operation[]): Forecast[] {
  return [
    ...heldBackRate(candidate, operations),
    ...heldBackShare(candidate, operations),
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
      trial.validity.verdict === 'valid' &&
      !trial.saturated &&
      trial.phase !== 'probe',
  )
  const held = usable.filter((trial) => trial.phase === 'held-back')
  const shown = usable.filter((trial) => trial.phase !== 'held-back')
  const multiple = held[0]?.arrival.multiple ?? null
  if (multiple === null || shown.length < 2) return []
  const at = `at ${Number(multiple.toPrecision(3))}×`
  const cores = (trial: TrialResult) => trial.resources.server?.cpuCores ?? null
  const usedCores = held.flatMap((trial) => cores(trial) ?? [])
  return [
    ...forecastOf(candidate, `server CPU ${at}`, 'cores', {
      ...byUtilisation(shown, median(held.map(workPerSecond)) ?? 0),
      measured: median(usedCores),
      repeats: usedCores,
      by: 'utilisation law over other rates',
    }),
    ...heldBackTimes(candidate, operations, { multiple, at, held, shown }),
  ]
}

interface HeldBack {
  multiple: number
  /** The multiple in words. */
  at: string
  held: TrialResult[]
  shown: TrialResult[]
}

/** Of the busiest operation that was called often enough for a p99. */
function heldBackTimes(candidate: CandidateResult, operations: Operation[], { multiple, at, held, shown }: HeldBack): Forecast[] {
  const responseOf = (trials: TrialResult[], name: string) => mergedHistogram(trials.map((trial) => trial.operations[name]?.responseUs))
  const busiest = [...operations]
    .sort((a, b) => b.ratePerSecond - a.ratePerSecond)
    .find(({ name }) => percentileUs(responseOf(held, name), 0.99) !== null)
  if (busiest === undefined) return []
  const ofEach = (of: (trials: TrialResult[]) => number | null) => held.flatMap((trial) => of([trial]) ?? [])
  const percentiles = (
    [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const
  ).flatMap(([percentile, quantile]) => {
    const of = (trials: TrialResult[]) => percentileUs(responseOf(trials, busiest.name), quantile)
    const by = 'interpolation between measured rates'
    return forecastOf(candidate, `${percentile} of ${busiest.name} ${at}`, 'µs', {
      predicted: interpolate(shown, multiple, of),
      measured: of(held),
      repeats: ofEach(of),
      by,
    })
  })
  const mean = (trials: TrialResult[]) => meanUs(trials, busiest.name)
  return [
    ...percentiles,
    ...forecastOf(candidate, `mean of ${busiest.name} ${at}`, 'µs', {
      predicted: byQueue(candidate, shown, held, busiest),
      measured: mean(held),
      repeats: ofEach(mean),
      by: 's + k·ρ/(1 − ρ), fitted to other rates',
    }),
  ]
}

interface Prediction {
  predicted: number | null
  /** 80 % of what the model is unsure of. */
  model?: ForecastInterval
  /** By how much one trial differs from what is true, as a share, where there are no repeats to tell. */
  scatter?: number
}
interface Told extends Prediction {
  measured: number | null
  repeats: readonly number[]
  by: string
}

function forecastOf({ name }: CandidateResult, what: string, unit: Forecast['unit'], told: Told): Forecast[] {
  const { predicted, model, scatter, measured, repeats, by } = told
  if (predicted === null || measured === null || measured <= 0) return []
  const noise = noiseOf(repeats)
  const reach = noise !== null ? reachOfRepeats(noise, repeats.length) : repeats.length === 0 ? 0 : scatter
  const interval = model === undefined || reach === undefined ? null : forecastInterval(predicted, model, reach * predicted)
  return [{ candidate: name, what, unit, predicted, measured, error: Math.abs(predicted / measured - 1), noise, interval, by }]
}

/** Of all answers of these trials; null: there is none. */
function meanUs(trials: TrialResult[], operation: string): number | null {
  const all = trials.flatMap((trial) => trial.operations[operation]?.responseUs ?? [])
  const count = all.reduce((sum, each) => sum + each.count, 0)
  return count === 0 ? null : all.reduce((sum, each) => sum + each.count * each.mean, 0) / count
}

/** Cores are a line over throughput. */
function byUtilisation(shown: TrialResult[], perSecond: number): Prediction {
  const law = utilisationOf(shown)
  if (law === null) return { predicted: null }
  const predicted = law.idle + law.demand * perSecond
  const error = law.errorAt(perSecond)
  if (error === null || law.scatter === null) return { predicted }
  const reach = reachOf80(law.freedom)
  return { predicted, model: { low: predicted - reach * error, high: predicted + reach * error }, scatter: reach * law.scatter }
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
  const costs = drawnCosts(work)
  return [...Map.groupBy(common, (trial) => trial.arrival.multiple)].flatMap(([multiple, own]) => {
    const used = own.flatMap((trial) => trial.resources.server?.cpuCores ?? [])
    const measured = median(used)
    if (measured === null || measured > mostSteady * (candidate.provision?.limits.cpus ?? 1)) return []
    return forecastOf(candidate, `server CPU of the common mix at ${Number((multiple ?? 0).toPrecision(3))}×`, 'cores', {
      ...byCosts(own, work, costs),
      measured,
      repeats: used,
      by: 'costs by operation, as the plan takes them',
    })
  })
}

/** Of the cores: beyond it a server takes calls together, and the utilisation law bends. */
const mostSteady = 0.85

const seed = 1
const costDraws = 500

const drawnCosts = ({ perOperation, fixed }: Work) => simulate([fixed, ...perOperation.values()], seed, costDraws)

/** The middle of what the trials would have used by the costs, and by their draws. */
function byCosts(trials: TrialResult[], work: Work, drawn: Map<Figure, Float64Array>): Prediction {
  const coresBy = (numberOf: (figure: Figure) => number) => median(trials.map((trial) => coresOf(trial, work, numberOf)))
  const samples = Float64Array.from({ length: costDraws }, (_, at) => coresBy((figure) => drawn.get(figure)?.[at] as number) ?? 0)
  const { p10, p90 } = spreadOf(samples)
  return { predicted: coresBy(middleOf), model: { low: p10, high: p90 } }
}

function coresOf(trial: TrialResult, { perOperation, fixed }: Work, numberOf: (figure: Figure) => number): number {
  return [...perOperation].reduce((sum, [name, cost]) => {
    const each = trial.operations[name]
    return each === undefined
      ? sum
      : sum + ((trial.slowdown * (each.completed ?? each.ok + each.miss + each.conflict)) / trial.seconds) * numberOf(cost)
  }, numberOf(fixed))
}

/** The whole load's bytes from those of its half: what the slope of the plan takes for granted. */
function heldBackStorage(candidate: CandidateResult): Forecast[] {
  const [half, whole] = candidate.storage?.at ?? []
  if (half === undefined || whole === undefined || half.rows <= 0) return []
  const bytesOf = ({ tables, indexes }: typeof half) => [...tables, ...indexes].reduce((sum, each) => sum + each.bytes, 0)
  const predicted = (bytesOf(half) * whole.rows) / half.rows
  const spread = rowBytesSpread()
  const { p10, p90 } = spreadOf(simulate([spread], seed, costDraws).get(spread) as Float64Array)
  return forecastOf(candidate, 'bytes of the whole load', 'bytes', {
    predicted,
    model: { low: p10 * predicted, high: p90 * predicted },
    measured: bytesOf(whole),
    repeats: [],
    by: 'bytes a row of its first part',
  })
}

/** On logarithms of both, between the nearest multiples on either side; below the lowest it is taken as there, above the highest nothing is known. */
function interpolate(trials: TrialResult[], multiple: number, of: (trials: TrialResult[]) => number | null): number | null {
  const groups = Map.groupBy(trials, (trial) => trial.arrival.multiple as number)
  const points = [...groups]
    .flatMap(([at, group]) => {
      const value = of(group)
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

/**
 * One concurrency in the middle of the sweep, from the Universal Scalability Law fitted to the others; two others are no law, and one start is
 * held back in its place.
 */
function heldBackConcurrency(candidate: CandidateResult): Forecast[] {
  const sweep = sweepOf(candidate)
  const concurrencies = [...new Set(sweep.map(({ concurrency }) => concurrency))].sort((a, b) => a - b)
  const middle = concurrencies[concurrencies.length >> 1]
  if (middle === undefined) return []
  const atMiddle = (points: typeof sweep) => points.filter(({ concurrency }) => concurrency === middle).map(({ perSecond }) => perSecond)
  const told = (law: Scalability | null, held: typeof sweep, by: string) =>
    forecastOf(candidate, `throughput of ${middle} in flight`, 'operations/s', {
      predicted: law === null ? null : throughputAt(law, middle),
      measured: median(atMiddle(held)),
      repeats: atMiddle(sweep),
      by: `Universal Scalability Law from ${by}`,
    })
  const others = fitScalability(sweep.filter(({ concurrency }) => concurrency !== middle))
  if (others !== null) return told(others, sweep, `${concurrencies.length - 1} other concurrencies`)
  const last = Math.max(...candidate.trials.filter(({ phase }) => phase === 'sweep').map(({ start }) => start))
  const ofStarts = (isHeld: boolean) => sweepOf({ trials: candidate.trials.filter(({ start }) => (start === last) === isHeld) })
  return told(fitScalability(ofStarts(false)), ofStarts(true), 'the other starts')
}

/** A size in the middle, on the line between its neighbours: throughput ∝ cores^s. */
function heldBackSize(candidate: CandidateResult): Forecast[] {
  const sorted = [...candidate.sizes].sort((a, b) => a.cpus - b.cpus)
  const at = sorted.length >> 1
  const [below, held, above] = [sorted[at - 1], sorted[at], sorted[at + 1]]
  if (below === undefined || held === undefined || above === undefined) return []
  const slope = Math.log(above.throughputPerSecond / below.throughputPerSecond) / Math.log(above.cpus / below.cpus)
  return forecastOf(candidate, `throughput on ${held.cpus} cores`, 'operations/s', {
    predicted: below.throughputPerSecond * (held.cpus / below.cpus) ** slope,
    measured: held.throughputPerSecond,
    repeats: [],
    by: 'from the sizes below and above',
  })
}
