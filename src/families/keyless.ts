/** Entities whose rows nobody finds by their key: they are inserted and listed, never got, changed or removed. */
import { type Entity, isOptional, orderRangeOf, ownedBy, type Scenario, writesOf } from '../scenario/scenario.ts'
import { rowBytes } from './sizes.ts'
import { isQuery, type Query } from './wanted-indexes.ts'

/** A unique field and owned rows lead to a row by its key, too. */
export function isKeyless(scenario: Pick<Scenario, 'entities' | 'operations'>, entity: Entity): boolean {
  if (entity.owner !== null || ownedBy(scenario, entity.name).length > 0) return false
  if (entity.fields.some((field) => field.unique && !entity.key.includes(field.name))) return false
  return scenario.operations.every((operation) => {
    if (operation.kind === 'get') return operation.entity !== entity.name
    return writesOf(operation).every((write) => write.entity !== entity.name || write.kind === 'insert')
  })
}

/** Fields that its lists and aggregates filter or order by. No row of it ever changes: who knows a row knows their values. */
export function listedBy(scenario: Pick<Scenario, 'operations'>, entity: Entity): string[] {
  return [...new Set(queriesOf(scenario, entity).flatMap(placing))].filter((name) => !entity.key.includes(name))
}

/** The list or aggregate whose table holds all columns of the entity: the one that reads most of them; null: none reads half of a row. */
export function homeQuery(scenario: Pick<Scenario, 'operations'>, entity: Entity): string | null {
  const bytesOf = (query: Query) => {
    const read = query.kind === 'list' ? query.fields : [query.groupBy?.field, query.sum].filter((name) => name != null)
    return rowBytes(entity, [...new Set([...placing(query), ...read])])
  }
  // A table in whose key some rows have no value has not all rows.
  const isWhole = (query: Query) =>
    query.where.every((filter) => filter.constant === null) && !placing(query).some((name) => isOptional(entity, name))
  const whole = queriesOf(scenario, entity).filter(isWhole)
  const [widest] = [...whole].sort((a, b) => bytesOf(b) - bytesOf(a))
  return widest === undefined || bytesOf(widest) < rowBytes(entity) / 2 ? null : widest.name
}

function queriesOf({ operations }: Pick<Scenario, 'operations'>, { name }: Entity): Query[] {
  return operations.filter((operation) => operation.entity === name).filter(isQuery)
}

/** Fields that say where a row stands for a query. */
function placing(query: Query): string[] {
  const range = orderRangeOf(query)
  const ordered = query.kind === 'list' ? query.order : range === null ? [] : [range]
  return [...query.where, ...ordered].map((each) => each.field)
}
