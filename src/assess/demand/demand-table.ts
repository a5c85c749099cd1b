/** What production asks, month by month: the first thing to believe or not to believe of a plan. Every number at the middle of its range. */
import { rowBytes } from '../../families/sizes.ts'
import type { Operation } from '../../scenario/scenario.ts'
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
  warning: string | null
}

/** An entity that becomes so many times as large, beside so large a share of calls that stay as they are, is worth a question. */
const fastGrowth = 2
const stillShare = 0.3
/** Calls that grow by less stay as they are. */
const stillGrowth = 1.1
const mostNamed = 4

export function demandTable(demand: Demand, rows: Rows, plans: readonly CapacityPlan[]): DemandTable {
  const widths = new Map(demand.scenario.entities.map((entity) => [entity.name, rowBytes(entity)]))
  const months = demand.sampledMonths.map((month) => monthOf(demand, rows, plans, widths, month))
  return { months, warning: warningOf(demand, months) }
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

function warningOf(demand: Demand, months: DemandMonth[]): string | null {
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
  const names = still.slice(0, mostNamed).map(({ name }) => name)
  return `${fastest.name} grows ${Number(fastest.times.toPrecision(2))}-fold in ${demand.months} months, and ${Math.round(share * 100)} % of the calls do not grow (${names.join(', ')}${still.length > mostNamed ? ` and ${still.length - mostNamed} more` : ''}): if ${fastest.name} grows because the application is used more, say so by requirements.growth, or by load_growth of these.`
}
