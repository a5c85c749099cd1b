/**
 * How long calls take on the fleet that is planned: what one server of the bench took at the load that a server of the fleet has, and what the
 * bench has not: hops between zones, volumes over the network, rows that are not cached, tables of production's size.
 */
import jstat from 'jstat'
import type { CandidateResult, Result } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { isReadOperation } from '../capacity/calls.ts'
import { type LatencyByLoad, latenciesByLoad, latencyAt } from '../capacity/latency-by-load.ts'
import type { CostPlan } from '../cost/cost.ts'
import type { Demand } from '../demand/demand.ts'
import type { Drawn } from '../figures/drawn.ts'
import { derived, derivedFrom, type Figure, given, productOf, sumOf } from '../figures/figure.ts'
import { FigureMemo, ratio } from '../figures/figure-memo.ts'
import type { Spread } from '../figures/simulate.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import { assumptions } from './plan-assumptions.ts'
import { bounds, cacheOf, copiesInPart, type Need, usesOf } from './supply.ts'

export type LoadLevel = 'average' | 'peak'
/** One objective, in one month, at one load. */
export interface PlannedCall {
  operation: string
  objective: string
  limitMs: number
  month: number
  load: LoadLevel
  /** What one server of the bench took at as much load, and everything. */
  alone: Figure<'seconds'>
  total: Figure<'seconds'>
  added: { name: AddedName; seconds: Figure<'seconds'> }[]
  /** As measured it is late whatever the load is. */
  unloaded: boolean
  /** Of the lowest rates, that tell what was measured; null: the response curve alone does. */
  answers: number | null
}
export interface PlannedLatency {
  /** Multiples of today's average load on one server of the bench that are as much as the busiest server of the fleet has. */
  loads: { month: number; load: LoadLevel; multiple: Figure<'multiple'> }[]
  calls: PlannedCall[]
  /** Objectives of operations that were called too rarely to tell. */
  untold: string[]
}
export type AddedName = 'hops between zones' | 'flush of a volume' | 'reads from disk' | 'rows of production'

/** A year on, beside now and the horizon. */
const aYear = 12

/** Of those that costs are drawn for, so that nothing is computed twice. */
export function latencyMonths({ sampledMonths, months }: Demand): number[] {
  return [...new Set([0, sampledMonths.find((month) => month >= aYear) ?? months, months])]
}

export function latencyOf(
  plan: CapacityPlan,
  cost: CostPlan,
  candidate: CandidateResult,
  demand: Demand,
  calibration: Result['calibration'],
): PlannedLatency {
  const name = plan.candidate
  const memo = new FigureMemo()
  const laws = latenciesByLoad(candidate, plan.operations)
  const terms = termsOf(plan, cost, candidate, calibration, memo)
  const months = latencyMonths(demand)
  const loads = months.flatMap((month) => {
    const peak = peakMultiple(plan, cost, month)
    return [
      { month, load: 'average' as const, multiple: averageMultiple(plan, demand, peak, month) },
      { month, load: 'peak' as const, multiple: peak },
    ]
  })
  return {
    loads,
    calls: laws.flatMap(({ operation, objective, law }) =>
      law === null
        ? []
        : loads.map(({ month, load, multiple }): PlannedCall => {
            const path = `latency.${name}.${operation.name}.${objective.name}`
            const alone = aloneOf(path, `${path}.alone.${load}@${month}`, law, multiple, memo)
            const added = terms(operation, objective, month, law.unloaded ? alone : null)
            const total = sumOf(`${path}.${load}@${month}`, 'seconds', [alone, ...added.map(({ seconds }) => seconds)])
            return {
              operation: operation.name,
              objective: objective.name,
              limitMs: objective.limitMs,
              month,
              load,
              alone,
              total,
              added,
              unloaded: law.unloaded,
              answers: law.lowest?.calls ?? null,
            }
          }),
    ),
    untold: laws.flatMap(({ operation, objective, law }) => (law === null ? [`${objective.name} of ${operation.name}`] : [])),
  }
}

/** At most what a server is planned to carry: where a draw asks for more, the next fleet of the path is bought earlier. */
function peakMultiple(plan: CapacityPlan, { purchases, shapes, block }: CostPlan, month: number): Figure<'multiple'> {
  const name = plan.candidate
  const fleet = purchases.fleet(month)
  const shape = shapes[fleet.shape] as (typeof shapes)[number]
  const terms = plan.terms(block, shapes)
  const need = {} as Need
  const cpu = bounds.indexOf('CPU')
  const busy = derivedFrom(
    `latency.${name}.busy@${month}`,
    'share',
    'load of the busiest server at peak, with one member lost, over what it carries; at most all of it',
    plan.needFigures(month),
    (values) => Math.min(1, usesOf(shape, fleet, plan.needOf(values, need), terms)[cpu] as number),
  )
  return productOf(`latency.${name}.multiple.peak@${month}`, 'multiple', 'busy × carried', [busy, plan.carried])
}

/** Scheduled jobs do not follow the peak. */
function averageMultiple(plan: CapacityPlan, demand: Demand, peak: Figure<'multiple'>, month: number): Figure<'multiple'> {
  const name = plan.candidate
  const coresAt = (level: LoadLevel) =>
    sumOf(
      `latency.${name}.cores.${level}@${month}`,
      'cores',
      plan.operations.map((operation) => {
        const more = plan.rows.cost(operation, month)
        return productOf(`latency.${name}.${operation.name}.cores.${level}@${month}`, 'cores', `rate × cpu${more === null ? '' : ' × rowsCost'}`, [
          level === 'peak' ? demand.peakRate(operation, month) : demand.rate(operation, month),
          plan.work.perOperation.get(operation.name) as Figure<'core-s/operation'>,
          ...(more === null ? [] : [more]),
        ])
      }),
    )
  return derived(
    `latency.${name}.multiple.average@${month}`,
    'multiple',
    'multiple at peak × cores on average ÷ cores at peak',
    [peak, coresAt('average'), coresAt('peak')],
    (multiple, average, most) => multiple * Math.min(1, ratio(average, most)),
  )
}

/** A slower core takes longer at the same use. */
function aloneOf(path: string, own: string, law: LatencyByLoad, multiple: Figure<'multiple'>, memo: FigureMemo): Figure<'seconds'> {
  const { lowest, bound, limitMs } = law
  const error = memo.once(`${path}.error`, (errorPath) =>
    given(
      errorPath,
      'ratio',
      lowest?.error ?? 1,
      lowest?.error.confidence == null ? 'assumed' : 'measured',
      lowest === null
        ? 'nothing was measured at a low rate'
        : `what another run would find over ${Number(lowest.ms.toPrecision(3))} ms at ${Number(lowest.multiple.toPrecision(3))}×${lowest.error.confidence === null ? '; too few trials tell' : ', by how far its trials lie apart'}`,
    ),
  )
  const passes = memo.once(`${path}.bound`, (boundPath) =>
    given(
      boundPath,
      'multiple',
      bound ?? 1,
      bound === null ? 'assumed' : 'measured',
      bound === null ? 'too rare for a response curve' : `where the response curve passes ${limitMs} ms`,
    ),
  )
  const exponent = given(
    'plan.latencyExponent',
    'ratio',
    assumptions.latencyExponent,
    'assumed',
    'a percentile grows ∝ load^e where measured rates do not tell how',
  )
  const host = given('plan.hostFactor', 'ratio', assumptions.host, 'assumed', 'a cloud vCPU over a core of the machine that was measured on')
  return derivedFrom(
    own,
    'seconds',
    'on one server of the bench at this load: straight on logarithms from the lowest rate to the bound; ÷ hostFactor',
    [multiple, error, passes, exponent, host],
    (values) => {
      const [load, factor, limit, e, core] = values as [number, number, number, number, number]
      return ratio(latencyAt(law, load, factor, limit, e) / 1000, core)
    },
  )
}

type Objective = Operation['objectives'][number]

function termsOf(plan: CapacityPlan, cost: CostPlan, candidate: CandidateResult, calibration: Result['calibration'], memo: FigureMemo) {
  const name = plan.candidate
  const { topology, memoryBound, lostSeconds } = plan.facts
  // Who loses nothing of what was acknowledged has waited for a copy in another zone.
  const waitsForCopy = topology.copies > 1 && lostSeconds.range.high === 0
  const hop = given('plan.zoneHop', 'seconds', assumptions.zoneHopSeconds, 'assumed', 'a hop to another zone and back, at a high percentile')
  const volumeFlush = given(
    'plan.volumeFlush',
    'seconds',
    assumptions.volumeFlushSeconds,
    'assumed',
    'a volume over the network makes a write durable',
  )
  // Where nobody timed the disk of the bench, all of the volume's flush comes on top.
  const benchFlush = given(
    'plan.benchFlush',
    'seconds',
    (calibration?.fsyncUs.p50 ?? 0) / 1e6,
    'measured',
    'the disk of the bench did, at its median',
  )
  const flush = derived('plan.flushAdded', 'seconds', 'max(0, volumeFlush − benchFlush)', [volumeFlush, benchFlush], (volume, bench) =>
    Math.max(0, volume - bench),
  )
  // Of a write that is late whatever the load is, the disk of the bench is a part: a faster one takes that off. Of others nobody knows.
  const flushInstead = (operation: Operation, objective: Objective, alone: Figure<'seconds'>) =>
    memo.once(`latency.${name}.${operation.name}.${objective.name}.flush`, (path) =>
      derived(path, 'seconds', 'volumeFlush − benchFlush', [volumeFlush, benchFlush, alone], (volume, bench, most) =>
        Math.max(-most, volume - bench),
      ),
    )
  const hops = (operation: Operation) => {
    const another = isReadOperation(operation) ? topology.consulted[operation.consistency] > 1 : waitsForCopy
    const times = another ? 2 : 1
    return memo.once(`latency.${name}.hops.${times}`, (path) =>
      productOf(path, 'seconds', `zoneHop${another ? ' of the caller, and of the copy that is waited for' : ' of the caller'}`, [hop], times),
    )
  }
  /** `unloaded`: what was measured of a call that is late whatever the load is. */
  return (operation: Operation, objective: Objective, month: number, unloaded: Figure<'seconds'> | null): PlannedCall['added'] => {
    const shape = cost.shapes[cost.purchases.fleet(month).shape] as (typeof cost.shapes)[number]
    // A disk in the server is as near as that of the bench.
    const hasVolume = shape.localDiskGib === undefined
    const isRead = isReadOperation(operation)
    const added: PlannedCall['added'] = [{ name: 'hops between zones', seconds: hops(operation) }]
    if (!isRead && hasVolume && candidate.durability === 'fsync')
      added.push({ name: 'flush of a volume', seconds: unloaded === null ? flush : flushInstead(operation, objective, unloaded) })
    // An aggregate reads its pages in a row, ahead of what it needs: it waits for the disk's throughput.
    if (isRead && hasVolume && !memoryBound && operation.kind !== 'aggregate')
      added.push({ name: 'reads from disk', seconds: disk(operation, objective, month) })
    const more = plan.rows.cost(operation, month)
    const mean = plan.seconds(operation, month)
    if (more !== null && mean !== null)
      added.push({
        name: 'rows of production',
        seconds: memo.once(`latency.${name}.${operation.name}.rows@${month}`, (path) =>
          derived(path, 'seconds', 'service × (1 − 1 ÷ rowsCost)', [mean, more], (seconds, times) => seconds * Math.max(0, 1 - 1 / times)),
        ),
      })
    return added
  }

  function disk(operation: Operation, { name: objective, quantile }: Objective, month: number): Figure<'seconds'> {
    const fleet = cost.purchases.fleet(month)
    const shape = cost.shapes[fleet.shape] as (typeof cost.shapes)[number]
    const cache = memo.once(`latency.${name}.cache@${month}`, (path) =>
      derived(path, 'bytes', 'what all parts cache, of one copy', [plan.fixedMemory, plan.cacheOfRest], (fixedMemoryBytes, cacheOfRest) =>
        Math.max(0, (cacheOf(shape, { fixedMemoryBytes, cacheOfRest }) * fleet.parts) / copiesInPart(topology)),
      ),
    )
    const miss = memo.once(`capacity.${name}.${operation.name}.missShare@${month}`, () => plan.hot.missShare(operation, cache, month))
    return memo.once(`latency.${name}.${operation.name}.${objective}.disk@${month}`, (path) =>
      derived(
        path,
        'seconds',
        `pages that are read from disk in ${quantile * 100} % of the calls at most, one after the other × diskRead`,
        [plan.pagesOfCall(operation, month), miss, plan.hot.diskRead],
        (pages, share, ms) => (binomialQuantile(pages, share, quantile) * ms) / 1000,
      ),
    )
  }
}

/** Successes of so many trials that are exceeded with a probability of at most 1 − quantile; by the normal distribution where there are many. */
export function binomialQuantile(trials: number, share: number, quantile: number): number {
  const n = Math.max(1, Math.round(trials))
  if (share <= 0) return 0
  if (share >= 1) return n
  let probability = (1 - share) ** n
  let below = probability
  let at = 0
  while (below < quantile && at < n && at < mostCounted) {
    probability *= ((n - at) / (at + 1)) * (share / (1 - share))
    below += probability
    at++
  }
  return below >= quantile || at >= n ? at : Math.min(n, Math.ceil(n * share + jstat.normal.inv(quantile, 0, 1) * Math.sqrt(n * share * (1 - share))))
}

const mostCounted = 200

/** All that must be drawn to tell of it. */
export const figuresOfLatency = ({ loads, calls }: PlannedLatency): Figure[] => [
  ...loads.map(({ multiple }) => multiple),
  ...calls.flatMap(({ alone, total, added }) => [alone, total, ...added.map(({ seconds }) => seconds)]),
]

export interface LatencyCall extends Omit<PlannedCall, 'alone' | 'total' | 'added'> {
  aloneMs: Spread
  totalMs: Spread
  /** Every number at its middle. */
  added: { name: AddedName; ms: number }[]
  /** Share of the draws in which the objective holds, and in which it would without what is added. */
  holds: number
  holdsAlone: number
  /** It holds on one server as measured, and not on the fleet. */
  atRisk: boolean
}
export interface Latency {
  loads: { month: number; load: LoadLevel; multiple: Spread }[]
  calls: LatencyCall[]
  untold: string[]
}

/** More likely than not. */
const likely = 0.5

export function describeLatency({ loads, calls, untold }: PlannedLatency, drawn: Drawn): Latency {
  return {
    loads: loads.map(({ multiple, ...each }) => ({ ...each, multiple: drawn.spread(multiple) })),
    calls: calls.map(({ alone, total, added, ...each }) => {
      const within = (seconds: number) => seconds * 1000 <= each.limitMs
      const [holds, holdsAlone] = [drawn.share([total], within), drawn.share([alone], within)]
      return {
        ...each,
        aloneMs: inMs(drawn.spread(alone)),
        totalMs: inMs(drawn.spread(total)),
        added: added.map(({ name, seconds }) => ({ name, ms: (drawn.of(seconds)[0] as number) * 1000 })),
        holds,
        holdsAlone,
        atRisk: holdsAlone >= likely && holds < likely,
      }
    }),
    untold,
  }
}

const inMs = ({ p10, p50, p90 }: Spread): Spread => ({ p10: p10 * 1000, p50: p50 * 1000, p90: p90 * 1000 })

/** Over its objective, of the call that comes closest to it or passes it most, at peak in any of the months; null: no call can be told. */
export function worstOverLimit(name: string, { calls }: PlannedLatency): Figure<'ratio'> | null {
  const peak = calls.filter(({ load }) => load === 'peak')
  if (peak.length === 0) return null
  return derivedFrom(
    `latency.${name}.worst`,
    'ratio',
    'the most of latency ÷ limit at peak, of all objectives and months',
    peak.map(({ total }) => total),
    (values) => values.reduce((most, seconds, at) => Math.max(most, (seconds * 1000) / (peak[at] as PlannedCall).limitMs), 0),
  )
}
