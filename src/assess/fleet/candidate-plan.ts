/** One candidate's plan as it is told: its fleet, what that costs, when it must change, and what its numbers rest on. */

import type { Topology } from '../../engines/engine.ts'
import { type ScaledCall, scaledCallsOf } from '../capacity/at-scale.ts'
import { concurrencyFor, type Scalability } from '../capacity/scaling.ts'
import { type ToldLine, withDraws } from '../cost/bill.ts'
import type { CostPlan } from '../cost/cost.ts'
import { besideUsd, volumeGb } from '../cost/fleet-cost.ts'
import { engineerHour } from '../cost/labour.ts'
import { type ManagedCost, managedCost } from '../cost/managed.ts'
import type { Catalogue } from '../cost/prices.ts'
import { type Exhibit, nodesFigure } from '../decision/criteria.ts'
import { figuresOfPlanned, type PlannedFigures, plannedFigures } from '../decision/planned-constraints.ts'
import type { Demand } from '../demand/demand.ts'
import type { Drawn, Priced } from '../figures/drawn.ts'
import { derivedFrom, type Figure, type Given, reachable } from '../figures/figure.ts'
import { middleOf, type Spread } from '../figures/simulate.ts'
import { availabilityFigure } from './availability.ts'
import { type CapacityPlan, middleNeed } from './capacity-plan.ts'
import type { Chosen, Stage, Sufficiency } from './fleet-plan.ts'
import { describeLatency, figuresOfLatency, type Latency, type PlannedLatency } from './latency-of-plan.ts'
import { type Bound, besideOf, boundOf, type Need, nodesOf } from './supply.ts'
import type { Trigger } from './triggers.ts'
import { type Waterfall, waterfallOf } from './waterfall.ts'

/** What stands for one month. */
export interface FleetPlan {
  month: number
  servers: number
  shape: string
  /** Shards; 1 where nothing is divided, or a ring divides by itself. */
  parts: number
  /** How likely it carries what each of some months needs, and what it falls short of first in most draws in which it does not. */
  suffices: Sufficiency[]
  /** Small servers beside them, '' where there are none, and what those cost a month. */
  coordinators: string
  coordinatorsUsd: number
  volumeGb: number
  bound: Bound
  /** In use at peak, on all servers. */
  connections: Spread
  /** From one core of the bench to it. */
  waterfall: Waterfall
  /** Of the bill of exactly this fleet, and what stands beside it: what is billed adds up, every number at its middle and what the draws add, to the median of the total. */
  lines: ToldLine[]
  total: Priced
  /** Servers, disks and shards of what each draw would need once its numbers are known, of those that some fleet carries; null: none is carried. */
  needed: Spread | null
  /** Share of the draws in which it costs no more than the budget; null where none is stated. */
  withinBudget: number | null
}
export interface CandidatePlan {
  topology: string
  how: string
  carried: Spread
  scalability: Scalability | null
  fleet: { now: FleetPlan; horizon: FleetPlan }
  /** `months`: of some, the first and the last among them. */
  usdPerMonth: { now: Priced; horizon: Priced; months: (Priced & { month: number })[] }
  usdToHorizon: Priced
  /** Of the first whole year and the last, without what changes cost once; none where the horizon is shorter. */
  usdPerYear: { year: number; usd: Priced }[]
  usdPerMillionOperations: Priced
  triggers: (Omit<Trigger, 'month'> & { month: Spread /** Share of the draws in which it comes before the horizon ends. */; probability: number })[]
  /** Of the fleet now, by independent failures of servers that are up as often as is assumed, and the time until others take over. */
  availability: Spread
  /** The same of any one row: what one call sees. */
  rowAvailability: Spread
  /** Share of the draws that each fleet is bought to carry. */
  boughtFor: number
  /** How often the volumes of a member are enlarged at a look until the horizon, and the largest; null: its disks stand in the servers. */
  volumes: { enlarged: number; largestGb: number } | null
  /** Operations in flight on one server at what it carries, by the scalability law; null: unknown. */
  inFlight: number | null
  /** Of calls on the fleet, on average and at peak. */
  latency: Latency
  /** Operations that hold an objective on one server at this load, and more likely than not do not with what the fleet adds, in some month. */
  atRisk: string[]
  managed: ManagedCost[]
  /** What moves most what is needed at the horizon, one at a time from its low to its high end: the cheapest fleet that then carries it. */
  tornado: { path: string; low: number; high: number; provenance: string }[]
}

const tornadoRows = 8
/** What moves a price by less from one of its ends to the other moves nothing that is shown. */
const minMove = 0.01

/** An exhibit that has a plan and its price. */
export type Complete = Exhibit & { plan: CapacityPlan; cost: CostPlan; planned: PlannedFigures; latency: PlannedLatency }

export function completed(exhibit: Exhibit, demand: Demand): Complete | null {
  const { plan, cost, latency } = exhibit
  return plan === null || cost === null || latency === null ? null : { ...exhibit, plan, cost, latency, planned: plannedFigures(plan, cost, demand) }
}

/** All that must be drawn to tell of it. */
export function figuresOf(exhibit: Complete, demand: Demand): Figure[] {
  const { plan, cost, triggers, planned, latency } = exhibit
  return [
    ...figuresOfPlanned(planned),
    ...figuresOfLatency(latency),
    ...demand.sampledMonths.flatMap((month) => [cost.total(month), nodesFigure(exhibit, month)]),
    ...demand.sampledMonths.flatMap((month) => cost.affordable(month) ?? []),
    ...[0, demand.months].flatMap((month) => [plan.connections(month), ...cost.bill(month).map(({ figure }) => figure)]),
    ...scaledCallsOfPlan(plan, demand).flatMap(({ now, horizon }) => [now, horizon]),
    plan.carried,
    cost.horizon,
    ...yearsOf(demand).map((year) => cost.year(year)),
    cost.perMillionOperations,
    ...triggers.map((trigger) => trigger.month),
  ]
}

const yearsOf = ({ months }: Demand): number[] => (months < 12 ? [] : [...new Set([1, Math.floor(months / 12)])])

export const scaledCallsOfPlan = ({ operations, rows, seconds }: CapacityPlan, { months }: Demand): ScaledCall[] =>
  scaledCallsOf(operations, rows, seconds, months)

/** What can be asked of any month. */
export function figuresOfMonth(exhibit: Complete, month: number): Figure[] {
  const { plan, cost } = exhibit
  return [
    nodesFigure(exhibit, month),
    cost.total(month),
    cost.needed(month),
    ...cost.bill(month).map(({ figure }) => figure),
    volumeFigure(exhibit, month),
    ...(['all', 'one'] as const).map((rows) => availabilityFigure(plan, cost, month, rows)),
    plan.connections(month),
    ...plan.needFigures(month),
    plan.carried,
    cost.horizon,
    cost.perMillionOperations,
  ]
}

/** Of one server of the fleet that is bought; 0 where its disks stand in it. */
function volumeFigure({ plan, cost }: Complete, month: number): Figure<'bytes'> {
  const chosen = cost.purchases.fleet(month)
  const shape = cost.shapes[chosen.shape]
  const terms = plan.terms(cost.block, cost.shapes)
  const need = {} as Need
  return derivedFrom(
    `capacity.${plan.candidate}.volume@${month}`,
    'bytes',
    'diskBytes at the next look ÷ parts ÷ diskFill, and no smaller than a log needs',
    plan.needFigures(cost.purchases.stage(month).until),
    (values) => (shape?.localDiskGib === undefined ? volumeGb(chosen, plan.needOf(values, need), terms) * 2 ** 30 : 0),
  )
}

interface Told {
  demand: Demand
  drawn: Drawn
  catalogues: readonly Catalogue[]
}

export function describePlan(own: Complete, told: Told): CandidatePlan {
  const { plan, cost, triggers, candidate, planned } = own
  const { demand, drawn, catalogues } = told
  const latency = describeLatency(own.latency, drawn)
  const { months } = demand
  const fleet = { now: fleetOf(own, told, 0), horizon: fleetOf(own, told, months) }
  const need = middleNeed(plan, 0)
  return {
    topology: plan.facts.topology.name,
    how: plan.work.how,
    carried: drawn.spread(plan.carried),
    scalability: plan.scalability,
    fleet,
    usdPerMonth: {
      now: fleet.now.total,
      horizon: fleet.horizon.total,
      months: demand.sampledMonths.map((month) => ({ month, ...drawn.priced(cost.total(month)) })),
    },
    usdToHorizon: drawn.priced(cost.horizon),
    usdPerYear: yearsOf(demand).map((year) => ({ year, usd: drawn.priced(cost.year(year)) })),
    usdPerMillionOperations: drawn.priced(cost.perMillionOperations),
    triggers: triggers
      .map((trigger) => ({
        ...trigger,
        month: drawn.spread(trigger.month),
        probability: drawn.share([trigger.month], (month) => month <= months),
      }))
      .sort((a, b) => whenOf(a) - whenOf(b) || a.month.p10 - b.month.p10),
    availability: drawn.spread(planned.up[0].all),
    rowAvailability: drawn.spread(planned.up[0].one),
    boughtFor: cost.purchases.target,
    volumes: volumesOf(own),
    inFlight: plan.scalability === null ? null : inFlightAt(plan.scalability, middleOf(plan.carried) * plan.averageRate),
    latency,
    atRisk: [...new Set(latency.calls.flatMap((call) => (call.atRisk ? [call.operation] : [])))],
    managed: catalogues.flatMap((each) =>
      each.managed
        .filter((offer) => offer.engines.includes(candidate.engine))
        .map((offer) =>
          managedCost(plan, need, offer, `${each.provider}, ${each.region}`, cost, fleet.now.lines, middleOf(engineerHour(demand.scenario))),
        ),
    ),
    tornado: tornadoOf(cost.needed(months)),
  }
}

/** The month of the plan, or the median of the draws. */
export const whenOf = ({ planned, month }: { planned: number | null; month: Spread }) => planned ?? month.p50

function fleetOf(own: Complete, { demand, drawn }: Told, month: number): FleetPlan {
  const { plan, cost } = own
  const chosen = cost.purchases.fleet(month)
  const need = middleNeed(plan, month)
  const shape = cost.shapes[chosen.shape] as (typeof cost.shapes)[number]
  const terms = plan.terms(cost.block, cost.shapes)
  const total = drawn.priced(cost.total(month))
  const budget = demand.scenario.requirements.budgetUsdPerMonth
  const beside = besideUsd(chosen, terms)
  return {
    month,
    servers: nodesOf(chosen, plan.facts.topology),
    shape: shape.name,
    parts: plan.facts.topology.kind === 'ring' ? 1 : chosen.parts,
    suffices: cost.purchases.sufficiency(chosen),
    coordinators: besideText(chosen, plan.facts.topology),
    coordinatorsUsd: beside.servers + beside.storage,
    volumeGb: volumeOf(own, cost.purchases.stage(month)),
    bound: boundOf(shape, chosen, need, terms),
    connections: drawn.spread(plan.connections(month)),
    waterfall: waterfallOf(own, demand, month),
    lines: withDraws(
      cost.bill(month).map(({ figure, ...line }) => ({ ...line, usdPerMonth: drawn.priced(figure) })),
      total,
    ),
    total,
    needed: cost.purchases.needed(month),
    withinBudget: budget === null ? null : drawn.share([cost.total(month)], (usd) => usd <= budget),
  }
}

/** Of one member, in whole GB, with room for what lies on it at the next look; 0 where its disks stand in the server. */
function volumeOf({ plan, cost }: Complete, { fleet, until }: Stage): number {
  const shape = cost.shapes[fleet.shape]
  if (shape?.localDiskGib !== undefined) return 0
  const need = middleNeed(plan, until)
  return Math.ceil(volumeGb(fleet, need, plan.terms(cost.block, cost.shapes)))
}

/** null: no year of the path has volumes. */
function volumesOf(own: Complete): CandidatePlan['volumes'] {
  const sizes = own.cost.purchases.stages.map((stage) => volumeOf(own, stage))
  const largestGb = Math.max(0, ...sizes)
  return largestGb === 0 ? null : { enlarged: sizes.filter((size, at) => at > 0 && size > (sizes[at - 1] as number)).length, largestGb }
}

function besideText(fleet: Pick<Chosen, 'parts' | 'members'>, topology: Topology): string {
  return besideOf(fleet, topology)
    .map(({ nodes, what }) => `${nodes} ${what}`)
    .join(' and ')
}

/** At least one: less than one on average is still one at a time. */
function inFlightAt(law: Scalability, perSecond: number): number | null {
  const found = concurrencyFor(law, perSecond)
  return found === null ? null : Math.max(1, Math.round(found))
}

export function tornadoOf(cost: Figure<'USD/month'>): CandidatePlan['tornado'] {
  const ranges = reachable([cost]).filter((figure): figure is Given => figure.kind === 'given' && figure.range.low < figure.range.high)
  return ranges
    .map((figure) => ({
      path: figure.path,
      low: middleOf(cost, { figure, value: figure.range.low }),
      high: middleOf(cost, { figure, value: figure.range.high }),
      provenance: figure.provenance,
    }))
    .filter(({ low, high }) => Math.abs(high - low) >= minMove * Math.max(low, high))
    .sort((a, b) => Math.abs(b.high - b.low) - Math.abs(a.high - a.low))
    .slice(0, tornadoRows)
}
