/** CQL for the stores of a wide-column model: tables, and the statement texts of every operation. */
import type { Store, StoreColumn } from '../../families/model.ts'
import { leftOver } from '../../families/selection.ts'
import { groupedByServer } from '../../families/wide-column/queries.ts'
import { compactionWindow } from '../../families/wide-column/windows.ts'
import { type Comparison, type Constant, entityOf, type OperationOf, type Scenario, type Selection, writesOf } from '../../scenario/scenario.ts'
import { behindOf, isDescending, isReversed, type PageStart, startText } from './pages.ts'
import { endsOf, sliceText } from './slices.ts'

export const id = (name: string) => `"${name.replaceAll('"', '""')}"`

export function cqlType(column: StoreColumn, scenario: Scenario): string {
  if (column.role === 'bucket') return 'int'
  switch (column.type) {
    case 'uuid':
      return 'uuid'
    case 'int':
      return isSmall(column, scenario) ? 'int' : 'bigint'
    case 'decimal':
      return 'decimal'
    case 'bool':
      return 'boolean'
    case 'timestamp':
      return 'timestamp'
    case 'bytes':
      return 'blob'
    default:
      return 'text'
  }
}

/** How far above their range numbers lie that no row has, and that a lookup may ask for. */
const missedBeyond = 2 ** 10

/** Whether 32 bits hold every value that a number of the scenario can have, be set to, or be asked for. */
function isSmall({ entity, field: name }: StoreColumn, { entities, operations }: Scenario): boolean {
  const generator = entityOf({ entities }, entity).fields.find((field) => field.name === name)?.generator
  if (generator?.kind === 'line') return true
  if (generator?.kind !== 'number') return false
  // What is added without a guard is excused.
  const isAddedTo = operations.some(
    (each) => each.kind === 'update' && each.entity === entity && each.add.some(({ field }) => field === name) && each.guard,
  )
  if (isAddedTo) return false
  const asked = operations.flatMap((operation) => [
    ...(operation.entity === entity && (operation.kind === 'list' || operation.kind === 'aggregate') ? constantsOf(operation) : []),
    ...writesOf(operation).flatMap((write) =>
      write.entity === entity && write.kind === 'update' ? [...write.set, ...(write.guard === undefined ? [] : [write.guard])] : [],
    ),
  ])
  const constants = asked.flatMap((each) => (each.field === name && 'constant' in each && typeof each.constant === 'number' ? [each.constant] : []))
  return [generator.low, generator.high + missedBeyond, ...constants].every((value) => value >= -(2 ** 31) && value < 2 ** 31)
}

/** What a list or an aggregate compares fields with. */
function constantsOf({ where, bounds = [], among = [] }: Selection): { field: string; constant: Constant | null }[] {
  const ends = bounds.flatMap(({ field, from, below }) => [from, below].map((constant) => ({ field, constant })))
  return [...where, ...ends, ...among.flatMap(({ field, constants }) => constants.map((constant) => ({ field, constant })))]
}

/** Of rows that are never deleted nothing must be kept for a node that missed a deletion: what has expired goes once no hint is older (max_hint_window, 3 h). */
const hintsSeconds = 10_800

export function createTable(store: Store, scenario: Scenario): string {
  const typeOf = (column: StoreColumn) => cqlType(column, scenario)
  const columns = store.columns.map((column) => `  ${id(column.name)} ${typeOf(column)}${isStatic(store, column) ? ' STATIC' : ''}`)
  const key = [`(${store.partition.map(id).join(', ')})`, ...store.clustering.map((each) => id(each.column))].join(', ')
  const order = store.clustering.map((each) => `${id(each.column)} ${each.descending ? 'DESC' : 'ASC'}`).join(', ')
  const window = compactionWindow(store, scenario)
  const options = [
    ...(order === '' ? [] : [`CLUSTERING ORDER BY (${order})`]),
    ...(window === null
      ? []
      : [
          `compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': '${window.unit}', 'compaction_window_size': ${window.size}}`,
          `gc_grace_seconds = ${hintsSeconds}`,
        ]),
  ]
  const text = `CREATE TABLE ${id(store.name)} (\n${[...columns, `  PRIMARY KEY (${key})`].join(',\n')}\n)`
  return options.length === 0 ? text : `${text} WITH ${options.join(' AND ')}`
}

/** One for all rows of a partition: the version of a base table with clustering rows is, as the owner's fields are. */
const isStatic = (store: Store, { role }: StoreColumn) => role === 'static' || (role === 'version' && store.clustering.length > 0)

const equals = (names: string[]) => names.map((name) => `${id(name)} = ?`).join(' AND ')

/** All columns of one partition. */
export function selectPartition(store: Store): string {
  return `SELECT ${store.columns.map((column) => id(column.name)).join(', ')} FROM ${id(store.name)} WHERE ${equals(store.partition)}`
}

/** The owner's own columns of a partition that it shares with its lines: all rows of it repeat them. */
export function selectOwner(store: Store): string {
  const own = store.columns.filter((column) => column.entity === store.entity)
  return `SELECT ${own.map((column) => id(column.name)).join(', ')} FROM ${id(store.name)} WHERE ${equals(store.partition)} LIMIT 1`
}

/** The one row that partition and clustering name. */
export function selectRow(store: Store): string {
  return `SELECT ${store.columns.map((column) => id(column.name)).join(', ')} FROM ${id(store.name)} WHERE ${equals(rowKeys(store))}`
}

/** Equality on the partition, then a page of the clustering order. Rows of which the client leaves some out cannot be limited by the server. */
export function selectPage(store: Store, operation: OperationOf<'list'>, start: PageStart): string {
  const descending = isDescending(operation)
  const order = isReversed(store, operation)
    ? ` ORDER BY ${store.clustering.map((each) => `${id(each.column)} ${descending ? 'DESC' : 'ASC'}`).join(', ')}`
    : ''
  const left = leftOver(operation)
  const limit = left.length > 0 ? '' : limitOf(store, operation)
  const slice = sliceText(endsOf(operation, behindOf(operation, start)), id, start.columns.length > 0)
  return `${selectProjection(store, operation, left)}${slice}${startText(start, descending, id)}${order}${limit}`
}

export function selectWords(store: Store, operation: OperationOf<'search'>): string {
  return `${selectProjection(store, operation)}${limitOf(store, operation)}`
}

function selectProjection(store: Store, { fields }: { fields: string[] }, further: string[] = []): string {
  const columns = [...new Set([...fields, ...(store.expiry === null ? [] : ['expires_at']), ...further])]
  return `SELECT ${columns.map(id).join(', ')} FROM ${id(store.name)} WHERE ${equals(store.partition)}`
}

const limitOf = (store: Store, { limit }: { limit: number }) => (store.expiry === null ? ` LIMIT ${limit}` : '')

/** Sums by the server where a bucket lies within a group, else the rows to be grouped. An int's sum would be an int and overflow. */
export function selectGroup(store: Store, operation: OperationOf<'aggregate'>): string {
  const { groupBy, sum } = operation
  const isInteger = store.columns.some((column) => column.field === sum && column.type === 'int')
  const summed = sum === null ? [] : [isInteger ? `sum(CAST(${id(sum)} AS varint))` : `sum(${id(sum)})`]
  const columns = groupedByServer(operation, store)
    ? ['count(*)', ...summed]
    : [...new Set([groupBy?.field, sum, store.expiry === null ? null : 'expires_at', ...leftOver(operation)].filter((name) => name != null))].map(id)
  return `SELECT ${columns.join(', ')} FROM ${id(store.name)} WHERE ${equals(store.partition)}${sliceText(endsOf(operation), id)}`
}

/** What a statement says of its cells beside their values: how long they live, in seconds, and the time they are of, in microseconds. */
export type Using = 'TTL' | 'TIMESTAMP'
const usingText = (using: Using[]) => (using.length === 0 ? '' : ` USING ${using.map((each) => `${each} ?`).join(' AND ')}`)

/** What it is `using` comes last among its values. */
export function insertRow(store: Store, columns: string[], using: Using[]): string {
  return `INSERT INTO ${id(store.name)} (${columns.map(id).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})${usingText(using)}`
}

/** The insert of a unique value, where nobody has it. */
export function claimRow(store: Store, columns: string[], using: Using[]): string {
  return `${insertRow(store, columns, [])} IF NOT EXISTS${usingText(using)}`
}

const operators: Record<Comparison, string> = { equals: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' }

/** What it is `using` comes first among its values, what `asked` columns must be, and then a `guarded` one, comes last: then it is a lightweight transaction. */
export function updateRow(
  store: Store,
  columns: string[],
  keys: string[],
  using: Using[],
  asked: string[] = [],
  guarded?: { column: string; is: Comparison },
): string {
  const guard = guarded === undefined ? '' : ` AND ${id(guarded.column)} ${operators[guarded.is]} ?`
  return `UPDATE ${id(store.name)}${usingText(using)} SET ${columns.map((name) => `${id(name)} = ?`).join(', ')} WHERE ${equals(keys)}${condition(asked)}${guard}`
}

/** What it is `using` comes first among its values, what `asked` columns must be comes last: then it is a lightweight transaction. */
export function deleteRow(store: Store, keys: string[], using: Using[] = [], asked: string[] = []): string {
  return `DELETE FROM ${id(store.name)}${usingText(using)} WHERE ${equals(keys)}${condition(asked)}`
}

/** One column of a row, where it has a value that is asked for: the condition of a batch that deletes the whole partition, which no statement with a condition can. */
export function deleteColumn(store: Store, column: string): string {
  return `DELETE ${id(column)} FROM ${id(store.name)} WHERE ${equals(store.partition)}${condition([column])}`
}

const condition = (asked: string[]) => (asked.length === 0 ? '' : ` IF ${equals(asked)}`)

/** Columns that address one row of a store; of a base table with clustering lines only the partition. */
export function rowKeys(store: Store): string[] {
  return [...store.partition, ...(store.embedded.length > 0 ? [] : store.clustering.map((each) => each.column))]
}
