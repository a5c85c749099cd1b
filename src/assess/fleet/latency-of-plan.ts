/**
 * How long calls take on the fleet that is planned: what one server of the bench took at the load that a server of the fleet has, and what the
 * bench has not: hops between zones, volumes over the network, rows that are not cached, tables of production's size.
 */
import type { CandidateResult, Result } from '../../result/result.ts'
import { type LatencyByLoad, latenciesByLoad, latencyAt } from '../capacity/latency-by-load.ts'
import type { CostPlan } from '../cost/cost.ts'
import type { Demand } from '../demand/demand.ts'
import type { Drawn } from '../figures/drawn.ts'
import { derived, derivedFrom, type Figure, given, productOf, sumOf } from '../figures/figure.ts'
import { FigureMemo, ratio } from '../figures/figure-memo.ts'
import type { Spread } from '../figures/simulate.ts'
import { type Added, addedOf } from './added-latency.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import { assumptions } from './plan-assumptions.ts'
import { bounds, type Need, usesOf } from './supply.ts'

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
  added: Added[]
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
  const addedTo = addedOf(plan, cost, candidate, calibration, memo)
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
            const added = addedTo(operation, objective, month, law.unloaded ? alone : null)
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
  const cpu = bounds.indexOf('load')
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

/** All that must be drawn to tell of it. */
export const figuresOfLatency = ({ loads, calls }: PlannedLatency): Figure[] => [
  ...loads.map(({ multiple }) => multiple),
  ...calls.flatMap(({ alone, total, added }) => [alone, total, ...added.map(({ seconds }) => seconds)]),
]

export interface LatencyCall extends Omit<PlannedCall, 'alone' | 'total' | 'added'> {
  aloneMs: Spread
  totalMs: Spread
  /** Every number at its middle. */
  added: { name: Added['name']; ms: number }[]
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

/** Calls that more likely miss their limit than keep it on the servers of now, at the average load. */
export const lateNow = ({ calls }: Pick<Latency, 'calls'>): LatencyCall[] =>
  calls.filter(({ month, load, holds }) => month === 0 && load === 'average' && holds < 0.5)

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
