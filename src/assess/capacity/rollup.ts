/** What every architect does with a sum over a table that grows: kept by the hour or the day as rows are written, it reads as many rows as there are hours. */
import { entityOf, type Operation, type OperationOf, type Scenario, selectedBy, writesOf } from '../../scenario/scenario.ts'

export interface Rollup {
  /** What a row of the summary stands for. */
  by: string
  /** Rows that a call then reads. */
  rows: number
  /** Operations that must update the summary, and how often. */
  writers: string[]
  writesPerSecond: number
  /** How old an answer may be: then a job that refreshes the summary is enough; null: it may not. */
  stalenessMs: number | null
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** A summary that is hardly smaller than its table is none. */
const leastSaved = 10

/** null: it is no aggregate, or a rank, which is another for every row, or its groups are not known to be few. `rows`: those that a call touches in production. */
export function rollupOf(operation: Operation, scenario: Scenario, rows: number): Rollup | null {
  if (operation.kind !== 'aggregate' || operation.before !== undefined) return null
  const groups = groupsOf(operation, scenario)
  if (groups === null || groups.rows * leastSaved > rows) return null
  const writers = scenario.operations.filter((each) => changes(each, operation))
  return {
    ...groups,
    writers: writers.map(({ name }) => name),
    writesPerSecond: writers.reduce((sum, { ratePerSecond }) => sum + ratePerSecond, 0),
    stalenessMs: operation.stalenessMs,
  }
}

type Aggregate = OperationOf<'aggregate'>

/** The hours or days of the window, one more where it begins within one, times the values that are told apart. */
function groupsOf({ entity, groupBy, over, stalenessMs }: Aggregate, scenario: Scenario): Pick<Rollup, 'by' | 'rows'> | null {
  const values = groupBy === null || groupBy.unit !== null ? 1 : valuesOf(entity, groupBy.field, scenario)
  if (values === null) return null
  const told = groupBy === null || groupBy.unit !== null ? [] : [groupBy.field]
  // The window ends now: what may be a day old is kept by the day, all else by the hour.
  const unitMs = (stalenessMs ?? 0) >= dayMs ? dayMs : hourMs
  const span = over === null ? null : Math.ceil(over.ms / unitMs) + 1
  // A sum by the day over all time has no end of its own.
  if (span === null && groupBy !== null && groupBy.unit !== null) return null
  const unit = span === null ? [] : [unitMs === dayMs ? 'day' : 'hour']
  return { by: [...unit, ...told].join(' and ') || 'all of it', rows: (span ?? 1) * values }
}

/** null: nobody says how many. */
function valuesOf(entity: string, field: string, scenario: Scenario): number | null {
  const { generator } = entityOf(scenario, entity).fields.find((each) => each.name === field) ?? {}
  if (generator?.kind === 'enum') return generator.values.length
  return generator?.kind === 'reference' ? entityOf(scenario, generator.entity).count : null
}

/** Whether a write changes what is summed, or where it is summed. */
function changes(write: Operation, aggregate: Aggregate): boolean {
  const { entity } = aggregate
  const used = new Set([aggregate.sum, aggregate.groupBy?.field, ...selectedBy(aggregate)])
  return writesOf(write).some((each) => {
    if (each.kind === 'insert') return each.entity === entity || each.with.includes(entity)
    if (each.entity !== entity) return false
    return each.kind !== 'update' || [...each.set, ...each.add].some(({ field }) => used.has(field))
  })
}
