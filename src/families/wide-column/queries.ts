/** Query tables of the wide-column family: one per list and aggregate, with a time bucket where a partition would grow too heavy; a token store per search. */
import { type Entity, fieldOf, type List, type Operation, type OperationOf, orderRangeOf, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { type BucketUnit, bucketMs, bucketUnits } from '../buckets.ts'
import { homeQuery, isKeyless } from '../keyless.ts'
import type { AccessStep, PhysicalModel, Store } from '../model.ts'
import { single } from '../model.ts'
import { keptShare, leftOver, needsNulls, rowsInOrder } from '../selection.ts'
import { filterShare, newestShare, pickedShare, rowBytes } from '../sizes.ts'
import { baseStore, column, emptyStore, mergeStore } from './stores.ts'

const heaviestPartitionBytes = 100e6
const maxBucketReads = 64
/** All rows of a partition are written by one set of replicas, into one tree in memory; assumed, well below what a node writes into many. */
const maxNewRowsPerSecond = 1000
/** Bytes a row costs beside its values: clustering prefix, flags, one timestamp delta a cell. */
const rowOverheadBytes = 24

export type Excused = (operation: Operation, reason: string, bottleneck: string) => void
type Query = OperationOf<'list'> | OperationOf<'aggregate'>

export function addQueryStore(model: PhysicalModel, scenario: Scenario, operation: Query, entity: Entity, excuse: Excused): void {
  const claims = uniqueFor(model, operation)
  if (claims !== undefined) {
    addUniqueLookup(model, operation, claims)
    return
  }
  if (operation.kind === 'aggregate' && operation.before !== undefined) {
    excuse(
      operation,
      `${operation.name} counts the rows before a place: a partition has no count, and all of them would be read`,
      'a count of rows in an order',
    )
    return
  }
  const absent = needsNulls(entity, operation)
  if (absent !== null) {
    const reason = `${operation.name} asks for rows by whether they have a ${absent}, or for all in its order: the key of a table has a value in every row`
    excuse(operation, reason, 'rows without a value have no place in a table that is ordered by it')
    return
  }
  const equal = operation.where.map((filter) => filter.field)
  const time = timeOf(operation, entity, equal)
  if (equal.length === 0 && time === null) {
    excuse(operation, `${operation.name} filters by no equality and no time: every partition would be read`, 'full scan of the table')
    return
  }
  const isHome = isKeyless(scenario, entity) && homeQuery(scenario, entity) === operation.name
  const store = queryStore(operation, entity, equal, isHome)
  const rows = operation.where.reduce((product, filter) => product * filterShare(scenario, entity, filter), entity.count)
  const heaviestBytes = rows * (rowBytes(entity, [...new Set(store.columns.map((each) => each.field))]) + rowOverheadBytes)
  const group = operation.kind === 'aggregate' ? (operation.groupBy?.unit ?? null) : null
  const unit = time === null ? null : bucketUnit(entity, time, heaviestBytes, equal.length === 0, group)
  if (unit !== null && time !== null) addBucket(store, entity, time, unit)
  const heaviest = `heaviest partition ${(heaviestBytes / 1e6).toPrecision(2)} MB at production counts`
  const newRows = newRowsPerSecond(scenario, entity, operation)
  store.name = `${entity.name}_by_${[...equal, ...(unit === null ? [] : [unit]), ...store.clustering.slice(0, 1).map((each) => each.column)].join('_')}`
  store.reason = `${operation.name}: ${only(store)}partition = ${equal.length > 0 ? `equality on ${equal.join(', ')}` : 'time alone'}, clustering = ${store.clustering.map((each) => each.column).join(', ') || 'none'}; ${heaviest}${
    unit === null ? (heaviestBytes > heaviestPartitionBytes ? ', above 100 MB, with no time to split it by' : '') : `, split by ${unit}`
  }${newRows >= 1 ? `; all new rows go into one partition, ${newRows.toPrecision(2)} a second at peak` : ''}`
  const reads = unit === null || time === null ? { usual: 1, most: 1 } : bucketReads(scenario, operation, entity, time, unit)
  if (reads.usual > maxBucketReads) {
    excuse(
      operation,
      `${operation.name} would read ${reads.most} ${unit} buckets, more than ${maxBucketReads}`,
      `partitions of ${unit}s: ${heaviest}`,
    )
    return
  }
  if (newRows > maxNewRowsPerSecond) {
    excuse(
      operation,
      `${operation.name} would have all new rows written into one partition: ${Math.round(newRows).toLocaleString('en')} a second at peak, more than ${maxNewRowsPerSecond.toLocaleString('en')}`,
      'a hot partition: one set of replicas would do the work of all',
    )
    return
  }
  const target = mergeStore(model, store)
  const emulate = (how: string) => model.emulations.push({ operation: operation.name, how: `emulated: ${how}` })
  if (reads.most > 1)
    emulate(
      `${reads.usual < reads.most ? `${reads.usual} bucket read${reads.usual > 1 ? 's' : ''} as a rule, up to ${reads.most} where rows are rare` : `${reads.most} bucket reads at most`}, up to 8 in flight`,
    )
  if (operation.kind === 'aggregate' && !groupedByServer(operation, target)) emulate('rows are read and grouped by the client')
  if (entity.ttlMs !== null) emulate('expired rows are filtered by the client')
  if (leftOver(operation).length > 0) emulate(leftOutBy(entity, operation))
  model.accesses.push({
    operation: operation.name,
    kind: operation.kind,
    steps: [{ action: 'read', store: target.name, index: 'partition', requests: reads.usual }],
  })
}

/** A partition is read in its order: what is no range of that the client looks for. */
function leftOutBy(entity: Entity, operation: Query): string {
  const rows = operation.kind === 'list' ? `, ${Math.ceil(rowsInOrder(entity, operation)).toLocaleString('en')} for a page` : ''
  return `rows are read${rows}, and those that do not fit ${leftOver(operation).join(', ')} left out, by the client`
}

/** The table of a unique field that a list finds its one row by. */
function uniqueFor(model: PhysicalModel, operation: Query): Store | undefined {
  if (operation.kind !== 'list') return undefined
  const bound = operation.where.filter((filter) => filter.constant === null).map((filter) => filter.field)
  return model.stores.find((store) => store.unique && store.entity === operation.entity && bound.includes(store.partition[0] as string))
}

function addUniqueLookup(model: PhysicalModel, operation: Query, claims: Store): void {
  if (!operation.internal) claims.serves.push(operation.name)
  model.emulations.push({ operation: operation.name, how: `emulated: the value of ${claims.partition[0]} finds the key, then the key the row` })
  const steps = [claims, baseStore(model.stores, operation.entity)].map(
    ({ name }): AccessStep => ({ action: 'read', store: name, index: 'partition', requests: 1 }),
  )
  model.accesses.push({ operation: operation.name, kind: operation.kind, steps })
}

/** Rows that are written into the one partition of a table whose partitions no value but a constant or the present time tells apart; else 0. */
function newRowsPerSecond(scenario: Scenario, entity: Entity, { where }: Query): number {
  if (where.some((filter) => filter.constant === null)) return 0
  const rates = scenario.operations.map((operation) => {
    const added = writesOf(operation).filter((write) => write.entity === entity.name && (write.kind === 'insert' || write.kind === 'put'))
    return added.length * operation.ratePerSecond
  })
  const share = where.reduce((product, filter) => product * filterShare(scenario, entity, filter), 1)
  return rates.reduce((sum, rate) => sum + rate, 0) * share * scenario.requirements.peak
}

/** Which rows a table has, where it has not all. */
function only({ where = [] }: Store): string {
  return where.length === 0 ? '' : `rows with ${where.map(({ field, constant }) => `${field} = ${constant}`).join(', ')} alone; `
}

/** The timestamp that the rows of a partition are ordered by first; null where there is none, or the equality has it. */
function timeOf(operation: Query, entity: Entity, equal: string[]): string | null {
  const name = operation.kind === 'list' ? operation.order.find((order) => !equal.includes(order.field))?.field : operation.over?.field
  return name === undefined || equal.includes(name) || fieldOf(entity, name).type !== 'timestamp' ? null : name
}

/** `isHome`: it has all columns of its rows. */
function queryStore(operation: Query, entity: Entity, equal: string[], isHome: boolean): Store {
  const range = operation.kind === 'aggregate' ? orderRangeOf(operation) : null
  const ordered =
    operation.kind === 'list'
      ? operation.order
      : [...(range === null ? [] : [range.field]), ...entity.key].map((field): List['order'][number] => ({ field, descending: false }))
  const clustering = ordered.filter(
    (order, index) => !equal.includes(order.field) && ordered.findIndex((each) => each.field === order.field) === index,
  )
  const wanted = operation.kind === 'list' ? operation.fields : [operation.groupBy?.field, operation.sum].filter((name) => name != null)
  const keys = [...equal, ...clustering.map((order) => order.field)]
  const constants = operation.where.filter((filter) => filter.constant !== null).sort((a, b) => (a.field < b.field ? -1 : 1))
  const others = isHome ? entity.fields.map((field) => field.name) : entity.ttlMs === null ? [] : ['expires_at']
  const names = [...new Set([...keys, ...wanted, ...leftOver(operation), ...others])]
  return {
    ...emptyStore('', entity),
    partition: equal,
    clustering: clustering.map((order) => ({ column: order.field, descending: order.descending })),
    columns: names.map((name) => column(entity, fieldOf(entity, name), keys.includes(name) ? 'key' : 'value')),
    ...(constants.length > 0 && { where: constants }),
    serves: operation.internal ? [] : [operation.name],
  }
}

/** No field has a point in its name: the bucket's column has. */
function addBucket(store: Store, entity: Entity, field: string, unit: BucketUnit): void {
  const name = `${unit}.${field}`
  store.bucket = { column: name, field, unit }
  store.partition = [...store.partition, name]
  store.columns.push({ name, entity: entity.name, field, type: 'int', scale: 0, role: 'bucket' })
}

/** The widest bucket that keeps the heaviest partition below 100 MB, never wider than a group; null where none is needed. */
function bucketUnit(entity: Entity, time: string, heaviestBytes: number, required: boolean, group: BucketUnit | null): BucketUnit | null {
  if (!required && heaviestBytes <= heaviestPartitionBytes) return null
  const allowed = bucketUnits.slice(group === null ? 0 : bucketUnits.indexOf(group))
  return allowed.find((unit) => heaviestBytes * latestShare(entity, time, bucketMs[unit]) <= heaviestPartitionBytes) ?? 'hour'
}

/** How far the times of a field lie before the scenario's epoch and after it: rows were created in the past and expire in the future. */
export function timesOf(entity: Entity, field: string): { beforeMs: number; afterMs: number } {
  return fieldOf(entity, field).generator.kind === 'expiresAt'
    ? { beforeMs: 0, afterMs: entity.ttlMs as number }
    : { beforeMs: entity.ageMs, afterMs: 0 }
}

/** Share of the rows whose time lies in the last span of all times of the field; rows expire evenly. */
function latestShare(entity: Entity, field: string, spanMs: number): number {
  const { afterMs } = timesOf(entity, field)
  return afterMs > 0 ? Math.min(1, Math.max(0, spanMs / afterMs)) : newestShare(entity, spanMs)
}

/**
 * Buckets that one call reads. An aggregate reads its whole window; a list stops when its page is full:
 * as a rule after those that hold a page of the value that a picked row has, where rows are rare not before the last bucket.
 */
function bucketReads(scenario: Scenario, operation: Query, entity: Entity, time: string, unit: BucketUnit): { usual: number; most: number } {
  const { beforeMs, afterMs } = timesOf(entity, time)
  const whole = beforeMs + afterMs
  const span = operation.over != null && operation.over.field === time ? Math.min(operation.over.ms, whole) : whole
  const most = Math.ceil(span / bucketMs[unit]) + 1
  if (operation.kind === 'aggregate') return { usual: most, most }
  const rows =
    operation.where.reduce((product, filter) => product * pickedShare(scenario, entity, filter), entity.count) * keptShare(entity, operation)
  const isLatestFirst = operation.order.find((order) => order.field === time)?.descending === true
  const shareOf = (buckets: number) => {
    const spanMs = buckets * bucketMs[unit]
    return isLatestFirst ? latestShare(entity, time, spanMs) : latestShare(entity, time, span) - latestShare(entity, time, span - spanMs)
  }
  // The first bucket is cut off anywhere by the present moment, or by the page before.
  for (let buckets = 1; buckets < Math.min(most, maxBucketReads); buckets++)
    if (rows * shareOf(buckets) >= operation.limit) return { usual: buckets + 1, most }
  return { usual: most, most }
}

/** Sums come from the server where a whole bucket falls into one group. */
export function groupedByServer(operation: OperationOf<'aggregate'>, store: Store): boolean {
  if (store.expiry !== null || leftOver(operation).length > 0) return false
  return operation.groupBy === null || (operation.groupBy.unit !== null && store.bucket !== null && store.bucket.field === operation.groupBy.field)
}

export function addTokenStore(model: PhysicalModel, operation: OperationOf<'search'>, entity: Entity): void {
  const searched = entity.fields.map((field) => field.name).filter((name) => operation.in.includes(name))
  const token = `words.${searched.join('.')}`
  const names = [...new Set([...entity.key, ...operation.fields, ...(entity.ttlMs === null ? [] : ['expires_at'])])]
  const store: Store = {
    ...emptyStore(`${entity.name}_words_${searched.join('_')}`, entity),
    partition: [token],
    clustering: entity.key.map((key) => ({ column: key, descending: false })),
    columns: [
      { name: token, entity: entity.name, field: searched.join(' '), type: 'words', scale: 0, role: 'token' },
      ...names.map((name) => column(entity, fieldOf(entity, name), entity.key.includes(name) ? 'key' : 'value')),
    ],
    serves: operation.internal ? [] : [operation.name],
    reason: `${operation.name}: a row per distinct word of ${searched.join(', ')}, with the projected columns, so that one partition answers`,
  }
  const target = mergeStore(model, store)
  model.emulations.push({ operation: operation.name, how: 'emulated: token store' })
  model.accesses.push(single(operation, 'read', target.name, 'partition'))
}
