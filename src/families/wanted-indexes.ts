/** Which indexes the accesses of an entity want, before any two of them are found to be one. */
import {
  type Aggregate,
  type Constant,
  type Entity,
  type Filter,
  fieldOf,
  type List,
  type Operation,
  orderRangeOf,
  type Scenario,
} from '../scenario/scenario.ts'
import { areOfSameRows, columnsServe, type WantedIndex } from './index-merge.ts'
import type { IndexColumn } from './model.ts'
import { amongShare, findingPresence, leftOver, rangesByShare, rowsInOrder, rowsRead } from './selection.ts'
import { changedFields, constantShare, pickedShare, rowBytes } from './sizes.ts'

const maxCoveredBytes = 64
/** A constant that fewer rows have is worth an index of its own rows alone. */
const rareShare = 0.1
/** So many rows of one owner are read and sorted at once, rather than kept in another order. */
const fewLines = 100

export type Query = Operation & (List | Aggregate)
type Entities = Pick<Scenario, 'entities'>

const ascending = (field: string): IndexColumn => ({ field, descending: false })
const indexOf = (part: Partial<WantedIndex> & Pick<WantedIndex, 'columns' | 'reason'>): WantedIndex => ({
  name: '',
  kind: 'ordered',
  include: [],
  where: [],
  unique: false,
  serves: [],
  ...part,
})

export function isQuery(operation: Operation): operation is Query {
  return operation.kind === 'list' || operation.kind === 'aggregate'
}

/** `partial`: whether an index can be of the rows alone that fit a constant. */
export function wantedIndexes(scenario: Entities, entity: Entity, operations: Operation[], partial = true): WantedIndex[] {
  const own = operations.filter((operation) => operation.entity === entity.name)
  const changed = changedFields(operations, entity)
  const queries = own.filter(isQuery).filter((query) => !servedByKey(scenario, entity, query, changed, partial))
  const unique = entity.fields
    .filter((field) => field.unique && !entity.key.includes(field.name))
    .map((field) =>
      indexOf({
        columns: [ascending(field.name)],
        unique: true,
        serves: queries.filter((query) => uniqueFilter(entity, query) === field.name).map((query) => query.name),
        reason: `${field.name} is unique`,
      }),
    )
  const whole = queries
    .filter((query) => uniqueFilter(entity, query) === undefined)
    .map((query) => ({ query, index: queryIndex(scenario, entity, query, changed, partial) }))
    .filter(({ index }) => index.columns.length > 0)
  const texts = own.flatMap((operation) =>
    operation.kind === 'search'
      ? [
          indexOf({
            kind: 'text',
            columns: searchedFields(entity, operation.in).map(ascending),
            serves: [operation.name],
            reason: `${operation.name}: whole words of ${operation.in.join(', ')}`,
          }),
        ]
      : [],
  )
  const expiry = indexOf({ kind: 'expiry', columns: [ascending('expires_at')], reason: 'expired rows are purged in batches' })
  return [
    ...unique,
    ...(partial ? withPartial(entity, whole) : whole.map(({ index }) => index)),
    ...texts,
    ...(entity.ttlMs === null ? [] : [expiry]),
  ]
}

/** In the entity's order, so that one index serves every search in the same fields. */
export function searchedFields(entity: Entity, names: string[]): string[] {
  return entity.fields.map((field) => field.name).filter((name) => names.includes(name))
}

/** Whether the primary key finds the rows, in their order where one is asked for. */
export function servedByKey(scenario: Entities, entity: Entity, query: Query, changed: Set<string>, partial = true): boolean {
  const filtered = query.where.map((filter) => filter.field)
  if (entity.key.every((key) => filtered.includes(key))) return true
  if (entity.owner !== null && entity.owner.most <= fewLines && filtered.includes(entity.key[0] as string)) return true
  const wanted = queryIndex(scenario, entity, query, changed, partial)
  return wanted.columns.length > 0 && wanted.presence === undefined && columnsServe(entity.key.map(ascending), wanted)
}

function uniqueFilter(entity: Entity, query: Query): string | undefined {
  return query.where.find((filter) => fieldOf(entity, filter.field).unique)?.field
}

/** Equality first, constants before what varies, then the order or the range, then what an aggregate groups by; before the order the conditions that leave few rows to sort, else behind it. */
function queryIndex(scenario: Entities, entity: Entity, query: Query, changed: Set<string>, partial: boolean): WantedIndex {
  const finding = findingPresence(entity, query)
  // In an index of all rows those without a value lie together, as those with one value do.
  const empty = partial ? [] : finding.filter(({ isNull }) => isNull).map(({ field }) => field)
  const equalTo = (constant: boolean) => query.where.filter((filter) => (filter.constant !== null) === constant).map((filter) => filter.field)
  const names = (constant: boolean) => (constant ? [...equalTo(true), ...empty] : equalTo(false))
  const presence = partial && finding.length > 0 ? { presence: finding } : {}
  const { entered, filtered } = conditions(scenario, entity, query, changed)
  const rest = orderedColumns(query).filter(
    (column) => query.where.every((filter) => filter.field !== column.field) && !entered.includes(column.field),
  )
  const group = query.kind === 'aggregate' && query.groupBy?.unit === null ? query.groupBy.field : null
  // A few rows more are read sooner than an index is changed with every write of the group.
  const grouped =
    group !== null &&
    query.where.length > 0 &&
    rest.length === 0 &&
    entered.length === 0 &&
    !changed.has(group) &&
    !query.where.some((each) => each.field === group)
  const ordered = grouped ? [ascending(group)] : [...entered.map(ascending), ...rest, ...filtered.map(ascending)]
  const onlyCommon = ordered.length === 0 && names(false).length === 0 && finding.length === 0 && rareFilters(entity, query).length === 0
  const equal = onlyCommon ? [] : [...names(true), ...names(false)]
  const found = [...equal.map(ascending), ...ordered]
  const columns = found.length === 0 && partial ? finding.map(({ field }) => ascending(field)) : found
  const include = covered(entity, query, columns, changed)
  const parts = [
    equal.length > 0 ? `equality on ${equal.join(', ')}` : '',
    'presence' in presence ? `only rows ${finding.map(({ field, isNull }) => `${isNull ? 'without' : 'with'} ${field}`).join(' and ')}` : '',
    rest.length > 0
      ? `${query.kind === 'list' || query.before !== undefined ? 'order' : 'range'} by ${rest.map((each) => each.field).join(', ')}`
      : '',
    entered.length > 0 ? `first what fits ${entered.join(', ')}${query.kind === 'list' ? ', which is little to sort' : ''}` : '',
    filtered.length > 0 ? `${filtered.join(', ')} behind it, so that what does not fit is left out in the index` : '',
    grouped ? `grouped by ${group}` : '',
    include.length > 0 ? `covers ${include.join(', ')}: narrow and never changed` : '',
  ]
  return indexOf({
    columns,
    equality: equal.length,
    include,
    ...presence,
    serves: [query.name],
    reason: `${query.name}: ${parts.filter((part) => part !== '').join('; ')}`,
  })
}

function orderedColumns(query: Query): IndexColumn[] {
  if (query.kind === 'list') return query.order
  if (query.before !== undefined) return query.before
  const range = orderRangeOf(query)
  return range === null ? [] : [ascending(range.field)]
}

/** Fields of conditions that an index has in front of the order, and behind it. */
function conditions(scenario: Entities, entity: Entity, query: Query, changed: Set<string>): { entered: string[]; filtered: string[] } {
  // No index finds what is not.
  const lists = (query.among ?? []).filter(({ none }) => !none).map(({ field }) => field)
  const ranges = rangesByShare(entity, query).filter((field) => leftOver(query).includes(field))
  const fields = [...lists, ...ranges]
  if (fields.length === 0) return { entered: [], filtered: [] }
  if (query.kind === 'aggregate') {
    // What most rows have is no way to find some.
    const finds = query.where.length > 0 || orderRangeOf(query) !== null || amongShare(entity, query) <= rareShare
    return finds ? { entered: lists, filtered: ranges.filter((field) => !changed.has(field)) } : { entered: [], filtered: [] }
  }
  const equal = query.where.reduce((product, filter) => product * pickedShare(scenario, entity, filter), entity.count)
  if (rowsRead(entity, query, equal) < rowsInOrder(entity, query)) return { entered: fields, filtered: [] }
  const key = query.order.map(({ field }) => field)
  return { entered: [], filtered: fields.filter((field) => !changed.has(field) && !key.includes(field)) }
}

function covered(entity: Entity, query: Query, columns: IndexColumn[], changed: Set<string>): string[] {
  if (columns.length === 0) return []
  const projection = query.kind === 'list' ? query.fields : [query.groupBy?.field, query.sum].filter((name) => name != null)
  const asked = [...leftOver(query), ...(query.presence ?? []).map(({ field }) => field)]
  const read = [...new Set([...projection, ...asked, ...(entity.ttlMs === null ? [] : ['expires_at'])])]
  const rest = read.filter((name) => columns.every((column) => column.field !== name))
  const narrow = rest.length > 0 && rowBytes(entity, rest) <= maxCoveredBytes && rowBytes(entity, read) <= rowBytes(entity) / 2
  return narrow && rest.every((name) => !changed.has(name)) ? rest : []
}

function rareFilters(entity: Entity, query: Query): Filter[] {
  return query.where.filter((filter) => filter.constant !== null && constantShare(fieldOf(entity, filter.field), filter.constant) <= rareShare)
}

/**
 * A rare constant gets an index of its own rows; unless an index of all rows that starts with the constant's column is there anyway,
 * or the constants that are asked for are not rare together. No row has two of them: their indexes never cost more than one of all rows.
 */
function withPartial(entity: Entity, whole: { query: Query; index: WantedIndex }[]): WantedIndex[] {
  const rare = whole.map(({ query }) => rareFilters(entity, query).sort((a, b) => (a.field < b.field ? -1 : 1)))
  return whole.map(({ index }, at) => {
    const filters = rare[at] as Filter[]
    if (filters.length === 0) return index
    const alike = whole.flatMap(({ index: other }, each) => {
      const names = other.columns.map((column) => column.field)
      const serves = filters.every((filter) => names.includes(filter.field)) && (columnsCouldServe(other, index) || columnsCouldServe(index, other))
      return each !== at && serves && areOfSameRows(other, index) ? [rare[each] as Filter[]] : []
    })
    const isThere = alike.some((others) => others.length === 0)
    return isThere || shareTogether(entity, [filters, ...alike]) > rareShare ? index : ofRareRows(index, filters)
  })
}

/** Share of the rows that have the constants of one list or of another. */
function shareTogether(entity: Entity, lists: Filter[][]): number {
  const distinct = new Map(lists.map((filters) => [JSON.stringify(filters), filters])).values()
  return [...distinct].reduce(
    (sum, filters) =>
      sum + filters.reduce((product, { field, constant }) => product * constantShare(fieldOf(entity, field), constant as Constant), 1),
    0,
  )
}

/** With the host's equality columns in the order that suits the guest. */
function columnsCouldServe(host: WantedIndex, guest: WantedIndex): boolean {
  const wanted = guest.columns.slice(0, guest.equality).map((column) => column.field)
  const equal = host.columns.slice(0, host.equality)
  const first = equal.filter((column) => wanted.includes(column.field))
  return columnsServe([...first, ...equal.filter((column) => !first.includes(column)), ...host.columns.slice(host.equality)], guest)
}

function ofRareRows(index: WantedIndex, where: Filter[]): WantedIndex {
  const apart = (column: IndexColumn) => where.every((filter) => filter.field !== column.field)
  const equal = index.columns.slice(0, index.equality).filter(apart)
  const columns = [...equal, ...index.columns.slice(index.equality)]
  const reason = `${index.reason}; partial: few rows have ${where.map((filter) => `this ${filter.field}`).join(' and ')}`
  if (columns.length === 0) return { ...index, where, reason }
  return { ...index, columns, equality: equal.length, where, reason }
}
