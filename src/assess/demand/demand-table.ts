/** What production asks, month by month: the first thing to believe or not to believe of a plan. Every number at the middle of its range. */
import { rowBytes } from '../../families/sizes.ts'
import { entityOf, type Operation } from '../../scenario/scenario.ts'
import type { Rows } from '../capacity/rows.ts'
import { middleOf } from '../figures/simulate.ts'
import type { CapacityPlan } from '../fleet/capacity-plan.ts'
import type { Demand } from './demand.ts'

export interface DemandMonth {
  month: number
  /** Calls of all operations; average over the day. */
  perSecond: number
  peakPerSecond: number
  operations: { name: string; perSecond: number; peakPerSecond: number; rowsPerCall: number }[]
  entities: { name: string; rows: number }[]
  /** Of all fields, one copy, without what a store adds. */
  bytes: number
  /** What a candidate makes of it: one copy with its indexes, and the part that answers most reads from memory. */
  stored: { candidate: string; bytes: number; workingSetBytes: number }[]
}
export interface DemandTable {
  months: DemandMonth[]
  /** What looks like an oversight in the scenario; null: nothing does. */
  still: Still | null
  warning: string | null
}
/** Many calls that do not grow beside an entity that does. */
export interface Still {
  entity: string
  /** Its rows at the horizon over today's. */
  times: number
  growthPerMonth: number
  /** Of all calls of today. */
  share: number
  /** Those that are made most often first. */
  operations: string[]
}

/** An entity that becomes so many times as large, beside so large a share of calls that stay as they are, is worth a question. */
const fastGrowth = 2
const stillShare = 0.3
/** Calls that grow by less stay as they are. */
const stillGrowth = 1.1
const maxNamed = 4

export function demandTable(demand: Demand, rows: Rows, plans: readonly CapacityPlan[]): DemandTable {
  const widths = new Map(demand.scenario.entities.map((entity) => [entity.name, rowBytes(entity)]))
  const months = demand.sampledMonths.map((month) => monthOf(demand, rows, plans, widths, month))
  const still = stillOf(demand, months)
  return { months, still, warning: still === null ? null : warningOf(still, demand.months) }
}

function monthOf(demand: Demand, rows: Rows, plans: readonly CapacityPlan[], widths: ReadonlyMap<string, number>, month: number): DemandMonth {
  const { scenario } = demand
  const operations = scenario.operations.map((operation: Operation) => ({
    name: operation.name,
    perSecond: middleOf(demand.rate(operation, month)),
    peakPerSecond: middleOf(demand.peakRate(operation, month)),
    rowsPerCall: middleOf(rows.perCall(operation, month)),
  }))
  const entities = scenario.entities.map((entity) => ({ name: entity.name, rows: middleOf(demand.rows(entity, month)) }))
  return {
    month,
    perSecond: operations.reduce((sum, each) => sum + each.perSecond, 0),
    peakPerSecond: operations.reduce((sum, each) => sum + each.peakPerSecond, 0),
    operations,
    entities,
    bytes: entities.reduce((sum, each) => sum + each.rows * (widths.get(each.name) as number), 0),
    stored: plans.map((plan) => ({
      candidate: plan.candidate,
      bytes: middleOf(plan.storage.bytes(month)),
      workingSetBytes: plan.facts.memoryBound ? middleOf(plan.storage.bytes(month)) : middleOf(plan.hot.workingSet(month)),
    })),
  }
}

function stillOf(demand: Demand, months: DemandMonth[]): Still | null {
  const [first, last] = [months[0], months.at(-1)]
  if (first === undefined || last === undefined) return null
  const [fastest] = last.entities
    .map(({ name, rows }, at) => ({ name, times: rows / Math.max(1, first.entities[at]?.rows ?? 1) }))
    .sort((a, b) => b.times - a.times)
  const still = last.operations
    .map((each, at) => ({ ...each, before: first.operations[at]?.perSecond ?? 0 }))
    .filter(
      ({ name, perSecond, before }) => perSecond < before * stillGrowth && demand.scenario.operations.some((own) => own.name === name && own.scales),
    )
    .sort((a, b) => b.before - a.before)
  const share = still.reduce((sum, each) => sum + each.before, 0) / Math.max(1e-12, first.perSecond)
  if (fastest === undefined || fastest.times < fastGrowth || share < stillShare) return null
  const { growthPerMonth } = entityOf(demand.scenario, fastest.name)
  return { entity: fastest.name, times: fastest.times, growthPerMonth, share, operations: still.map(({ name }) => name) }
}

/** The first of them by name, and how many more there are. */
export function namedStill({ operations }: Still): string {
  const more = operations.length - maxNamed
  return `${operations.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const warningOf = (still: Still, months: number) =>
  `${still.entity} grows ${Number(still.times.toPrecision(2))}-fold in ${months} months, and ${Math.round(still.share * 100)} % of the calls do not grow (${namedStill(still)}): if ${still.entity} grows because the application is used more, say so by requirements.growth, or by load_growth of these.`
