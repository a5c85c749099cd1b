/** Whether a table is divided by the time of its rows, so that what is too old is dropped in parts and not deleted row by row; and why. */
import { type Entity, type Field, type Operation, ownedBy, rangesOf, renewsLife, type Scenario, writesOf } from '../../scenario/scenario.ts'
import type { TimeDivision } from '../model.ts'
import { type PartUnit, partMs, partUnits } from '../parts.ts'
import { pickedShare, rowBytes, timeOf } from '../sizes.ts'

/** Fewer parts would keep many rows for long after their time: with these it is a twelfth of them. */
const minParts = 12
/** A statement that may find its rows in any part is planned over all of them. */
const maxParts = 200
/** Fewer rows are deleted as fast as a part is dropped. */
const minRowsPerPart = 1e6
/** An index is entered once in each part that a call asks: so many times a second take a core about a per cent of its time. */
const maxEntriesPerSecond = 1000
/** Beyond this the question is asked of a table of which nothing is ever dropped, too. */
const largeBytes = 100e9

/** undefined: nobody would ask. `prefix`: of the names of parts. */
export function timeDivisionOf(scenario: Scenario, entity: Entity, operations: Operation[], prefix: string): TimeDivision | undefined {
  const keptMs = entity.ttlMs ?? entity.retentionMs
  const field = timeOf(entity, operations)
  const isLarge = rowBytes(entity) * entity.count > largeBytes
  const whole = (why: string): TimeDivision => ({ parts: null, why: `not partitioned by time: ${why}` })
  if (entity.owner !== null) return undefined
  if (keptMs === null) return isLarge && field !== undefined ? whole('large as it is, nothing of it is ever dropped') : undefined
  if (entity.count < minParts * minRowsPerPart)
    return entity.ttlMs === null ? whole(`${number(entity.count)} rows are few to delete one by one`) : undefined
  const bound = boundToKey(scenario, entity, operations)
  if (bound !== null) return whole(bound)
  const touching = operations.filter((operation) => writesOf(operation).some((write) => renewsLife(entity, write)))
  if (touching.length > 0) return whole(`${names(touching)} renews the life of its rows: how old they are does not say when they go`)
  if (field === undefined) return whole('no field says when a row was made, and stays as it is')
  const unit = partUnits.findLast((each) => keptMs >= minParts * partMs[each])
  if (unit === undefined) return whole(`it is kept for less than ${minParts} parts of an hour`)
  const parts = Math.max(keptMs, entity.ageMs) / partMs[unit]
  if (parts > maxParts) return whole(`from the oldest row on there would be ${number(parts)} parts`)
  const fanOut = entriesOf(scenario, entity, operations, field.name, parts)
  if (fanOut.perSecond > maxEntriesPerSecond)
    return whole(
      `${fanOut.names.join(', ')} would look into several of ${Math.ceil(parts)} parts each time, ${number(fanOut.perSecond)} times a second`,
    )
  return { parts: { field: field.name, unit, keptMs, prefix }, why: reason(entity, field, unit, keptMs, fanOut) }
}

function reason({ count, key }: Entity, { name }: Field, unit: PartUnit, keptMs: number, { names, perSecond }: FanOut): string {
  const rows = number((count * partMs[unit]) / keptMs)
  return [
    `partitioned by ${name} into parts of ${unit}, so that some ${rows} rows are dropped at once, and not deleted one by one`,
    ...(names.length === 0 ? [] : [`${names.join(', ')} look into several parts each time, ${number(perSecond)} times a second, which is little`]),
    `the primary key has to hold ${name}, too: that ${key.join(', ')} alone is unique no server sees to`,
  ].join('; ')
}

/** What needs a key that is unique by itself, which a table in parts by time has not; null: nothing. */
function boundToKey(scenario: Scenario, entity: Entity, operations: Operation[]): string | null {
  const holding = 'which would have to hold the time, too'
  const owned = ownedBy(scenario, entity.name).map(({ name }) => name)
  if (owned.length > 0) return `rows of ${owned.join(', ')} hang on its key, ${holding}`
  const referring = scenario.entities.filter(({ fields }) =>
    fields.some(({ generator }) => generator.kind === 'reference' && generator.entity === entity.name),
  )
  if (referring.length > 0) return `rows of ${referring.map(({ name }) => name).join(', ')} refer to its key, ${holding}`
  const unique = entity.fields.find((field) => field.unique && !entity.key.includes(field.name))
  if (unique !== undefined) return `${unique.name} is unique, and a server sees to that within each part alone`
  const puts = operations.filter((operation) => writesOf(operation).some((write) => write.kind === 'put' && write.entity === entity.name))
  if (puts.length > 0) return `rows are replaced by their key (${names(puts)}), which is unique within each part alone`
  const own = operations.filter((operation) => operation.entity === entity.name && Object.keys(operation.native).length > 0)
  return own.length === 0 ? null : `statements of the scenario's own (${names(own)}) may count on a key that is unique by itself`
}

const names = (operations: Operation[]) => operations.map(({ name }) => name).join(', ')

interface FanOut {
  names: string[]
  perSecond: number
}

/** Calls that look into several parts, and how many times a second they enter one. */
function entriesOf(scenario: Scenario, entity: Entity, operations: Operation[], time: string, parts: number): FanOut {
  const asking = operations.flatMap((operation) => {
    const asked = partsAsked(scenario, entity, operation, time, parts)
    return asked > 1 ? [{ name: operation.name, perSecond: asked * operation.ratePerSecond }] : []
  })
  return { names: asking.map(({ name }) => name), perSecond: asking.reduce((sum, each) => sum + each.perSecond, 0) }
}

/** A span of time lies in a part or two; a page in the order of the time comes from as many as it takes to fill it; what is asked for in another way may lie in any. */
function partsAsked(scenario: Scenario, entity: Entity, operation: Operation, time: string, parts: number): number {
  const changes = writesOf(operation).filter((write) => write.entity === entity.name && write.kind !== 'insert').length
  if (changes > 0 || operation.entity !== entity.name) return changes * parts
  if (operation.kind === 'insert' || operation.kind === 'transaction') return 0
  const isQuery = operation.kind === 'list' || operation.kind === 'aggregate'
  if (isQuery && (rangesOf(operation).some(({ field }) => field === time) || operation.where.some(({ field }) => field === time))) return 1
  if (operation.kind !== 'list' || operation.order[0]?.field !== time) return parts
  const found = operation.where.reduce((rows, filter) => rows * pickedShare(scenario, entity, filter), entity.count)
  return Math.min(parts, (operation.limit * parts) / found)
}

const number = (value: number) => Math.round(value).toLocaleString('en')
