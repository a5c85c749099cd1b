/** The key-value family: a hash per row, a sorted set per list, search and aggregate, owned rows as one encoded field. */
import {
  type Entity,
  entityOf,
  type Field,
  fieldOf,
  isOptional,
  type Operation,
  type OperationOf,
  type Order,
  orderRangeOf,
  ownedBy,
  type Range,
  rangesOf,
  readsBefore,
  type Scenario,
  selectedBy,
  type Write,
  writesOf,
} from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import type { Capabilities } from '../capabilities.ts'
import { embeds } from '../document/model.ts'
import type { AccessStep, PhysicalModel, Store } from '../model.ts'
import { needsNulls, rangeShare, rowsInOrder } from '../selection.ts'
import { filterShare, heaviestValueShare, namedOperations, pickedShare } from '../sizes.ts'
import { column, emptyStore } from '../wide-column/stores.ts'
import { itemModel } from './items.ts'

export function keyValueModel(scenario: Scenario, operations: Operation[], capabilities: Capabilities): PhysicalModel {
  if (capabilities.access === 'keys') return itemModel(scenario, operations)
  const embedded = new Set(
    scenario.entities.filter((entity) => embeds(entity, operations) && uniqueFields(entity).length === 0).map(({ name }) => name),
  )
  const apart = scenario.entities.filter((entity) => !embedded.has(entity.name))
  const model: PhysicalModel = { family: 'key-value', stores: [], accesses: [], excuses: [], emulations: [] }
  for (const entity of apart) {
    model.stores.push(hashStore(scenario, entity, operations, embedded))
    if (entity.owner !== null) model.stores.push(linesStore(entity))
    for (const field of uniqueFields(entity)) model.stores.push(uniqueStore(entity, field))
  }
  for (const operation of operations) if (operation.kind === 'get') addGet(model, scenario, operation, embedded)
  // An aggregate without a window takes any set of its rows: lists come first, and ask for an order.
  for (const operation of operations) if (operation.kind === 'list' || operation.kind === 'search') addQuery(model, scenario, operation, capabilities)
  for (const operation of operations) if (operation.kind === 'aggregate') addQuery(model, scenario, operation, capabilities)
  // Writes come last: they keep every set that the reads asked for.
  for (const operation of operations) if (writesOf(operation).length > 0) addWrites(model, scenario, operation, capabilities)
  const position = new Map(operations.map((operation, at) => [operation.name, at]))
  const inOrder = (a: { operation: string | null }, b: { operation: string | null }) =>
    (position.get(a.operation ?? '') ?? 0) - (position.get(b.operation ?? '') ?? 0)
  model.accesses.sort(inOrder)
  model.emulations.sort(inOrder)
  model.excuses.sort(inOrder)
  return model
}

/** The sorted sets that hold an entity's rows. */
export function setsOf(stores: Store[], entity: string): Store[] {
  return stores.filter((store) => !store.base && store.entity === entity && store.clustering.length > 0)
}

/** The hashes from a unique field's value to its row: no order within a value, for it has one row at most. */
export function uniquesOf(stores: Store[], entity: string): Store[] {
  return stores.filter((store) => !store.base && store.entity === entity && store.clustering.length === 0)
}

const numbers = new Set(['int', 'decimal', 'timestamp'])

/** The number that a set is ordered by first, whose values are the scores: whole ones of the scenario, which a double holds exactly. null: all scores are alike. */
export function scoreOf({ columns, clustering: [first] }: Store): string | null {
  const column = columns.find((each) => each.name === first?.column)
  return column !== undefined && numbers.has(column.type) ? column.name : null
}

/** Fields that decide in which set, and where in it, a row stands. */
export function placedBy(store: Store): string[] {
  const words = store.columns.find((each) => each.role === 'token')?.field.split(' ') ?? []
  return [
    ...store.partition.filter((name) => name !== 'token'),
    ...store.clustering.map((each) => each.column),
    ...(store.where ?? []).map((each) => each.field),
    ...words,
  ]
}

/** Whether a write moves a row in this set, from where it stood or to where it stands. */
export function moves(store: Store, write: Write & { entity: string }): boolean {
  if (store.base || store.entity !== write.entity) return false
  if (write.kind !== 'update') return true
  const placed = placedBy(store)
  return [...write.set, ...write.add].some(({ field }) => placed.includes(field))
}

function uniqueFields(entity: Entity): Field[] {
  return entity.fields.filter((field) => field.unique && !entity.key.includes(field.name))
}

function hashStore(scenario: Scenario, entity: Entity, operations: Operation[], embedded: Set<string>): Store {
  const inside = scenario.entities.filter((each) => each.owner?.entity === entity.name && embedded.has(each.name)).map((each) => each.name)
  return {
    ...emptyStore(entity.name, entity),
    base: true,
    columns: entity.fields.map((field) => column(entity, field, entity.key.includes(field.name) ? 'key' : 'value')),
    partition: entity.key,
    embedded: inside,
    serves: namedOperations(operations)
      .filter((operation) => operation.entity === entity.name)
      .map((operation) => operation.name),
    reason: ['a hash per row, one field per column', ...inside.map((name) => `${name} as one encoded field of its owner`)].join('; '),
  }
}

function linesStore(owned: Entity): Store {
  const [owner, line] = owned.key as [string, string]
  return {
    ...emptyStore(`${owned.name}.of.${owned.owner?.entity}`, owned),
    columns: owned.key.map((key) => column(owned, fieldOf(owned, key), 'key')),
    partition: [owner],
    clustering: [{ column: line, descending: false }],
    reason: `lines of one ${owned.owner?.entity}, in order: they are addressed alone, so each has a hash of its own`,
  }
}

function uniqueStore(entity: Entity, field: Field): Store {
  return {
    ...emptyStore(`${entity.name}.unique.${field.name}`, entity),
    columns: [field, ...entity.key.map((key) => fieldOf(entity, key))].map((each) => column(entity, each, 'key')),
    partition: [field.name],
    reason: `${field.name} is unique: one hash from its value to the row, and a write that would give a value to a second row is refused`,
  }
}

function addGet(model: PhysicalModel, scenario: Scenario, operation: OperationOf<'get'>, embedded: Set<string>): void {
  const outside = operation.with.filter((name) => !embedded.has(name))
  const steps: AccessStep[] = [operation.entity, ...outside].map((store) => ({ action: 'read', store, index: null, requests: 1 }))
  model.accesses.push({ operation: operation.name, kind: 'get', steps })
  if (tenantAskedOf(entityOf(scenario, operation.entity), operation) !== null)
    model.emulations.push({ operation: operation.name, how: 'emulated: the tenant of a row is compared by the client, once the row is read' })
  if (outside.length > 0)
    model.emulations.push({ operation: operation.name, how: `emulated: a sorted set and a hash per row of ${outside.join(', ')}` })
}

type Query = OperationOf<'list' | 'search' | 'aggregate'>

function addQuery(model: PhysicalModel, scenario: Scenario, operation: Query, { maxAggregatedRows }: Capabilities): void {
  const entity = entityOf(scenario, operation.entity)
  const absent = operation.kind === 'search' ? null : needsNulls(entity, operation)
  if (absent !== null) {
    model.excuses.push({
      engine: '',
      operation: operation.name,
      reason: `${operation.name} asks for rows by whether they have a ${absent}, or for all in its order: a member of a sorted set has a value of all that it is ordered by`,
      bottleneck: 'rows without a value have no place in a set that is ordered by it',
    })
    return
  }
  const rows = operation.kind === 'search' ? 0 : scannedRows(scenario, entity, operation)
  const isRank = operation.kind === 'aggregate' && operation.before !== undefined
  if (isRank && entity.ttlMs !== null) {
    const reason = `${operation.name} counts rows that expire: they stay in their sorted set until they are looked at, and are counted there`
    model.excuses.push({ engine: '', operation: operation.name, reason, bottleneck: 'expiry of the members of a set' })
    return
  }
  if (maxAggregatedRows !== null && rows > maxAggregatedRows) {
    const without = operation.kind === 'aggregate' ? 'adds them up' : 'finds those that fit'
    model.excuses.push({
      engine: '',
      operation: operation.name,
      reason: `${operation.name} would read ${rows.toLocaleString('en')} rows at production counts, and nothing in this server ${without}: it runs one command at a time and would stand still`,
      bottleneck:
        operation.kind === 'aggregate'
          ? 'aggregation; a counter kept up with every write would need `precompute`'
          : 'a condition on a field that is not the order: a set has one order',
    })
    return
  }
  if (operation.kind === 'aggregate' && !isRank) {
    model.emulations.push({ operation: operation.name, how: `emulated: up to ${rows.toLocaleString('en')} rows are read and grouped by the client` })
  }
  const wanted = setFor(scenario, entity, operation)
  const store = uniqueFor(model, operation) ?? model.stores.find((each) => serves(each, wanted, operation, entity))
  if (isRank) model.emulations.push({ operation: operation.name, how: 'emulated: a script halves a sorted set until it has found the place' })
  else if (operation.kind !== 'aggregate') {
    const first = store?.clustering.length === 0 ? 'looks up a hash' : 'reads a sorted set'
    const left = store === undefined ? lookedAt(wanted, operation) : lookedAt(store, operation)
    const fit = left.length === 0 ? '' : `, and leaves out what does not fit ${left.join(', ')}`
    model.emulations.push({ operation: operation.name, how: `emulated: a script ${first}, then a hash for each row${fit}` })
  }
  if (store === undefined) model.stores.push({ ...wanted, name: unusedName(model, wanted.name) })
  const chosen = store ?? (model.stores.at(-1) as Store)
  if (!operation.internal) chosen.serves.push(operation.name)
  model.accesses.push({ operation: operation.name, kind: operation.kind, steps: [{ action: 'read', store: chosen.name, index: null, requests: 1 }] })
}

/** Rows that an aggregate reads at production counts, at most as a rule; a list in its order until its page is full; a rank is a place in a set. */
export function scannedRows(scenario: Scenario, entity: Entity, operation: OperationOf<'list' | 'aggregate'>): number {
  const share = operation.where.reduce((product, filter) => product * filterShare(scenario, entity, filter), 1)
  if (operation.kind === 'list') return Math.round(Math.min(entity.count * share, rowsInOrder(entity, operation)))
  if (operation.before !== undefined) return 1
  return Math.round(entity.count * share * rangeShare(entity, operation))
}

/** The range in which the members of a set lie together; null: there is none. */
export function rangeInSet(store: Store, operation: OperationOf<'list' | 'aggregate'>): Range | null {
  const [first] = store.clustering
  const range = rangesOf(operation).find(({ field }) => field === first?.column)
  return range !== undefined && ('characters' in range || scoreOf(store) !== null) ? range : null
}

/** Fields of conditions that a row of a set is looked at for: all but the range of its order. */
export function lookedAt(store: Store, operation: Query): string[] {
  if (operation.kind === 'search') return []
  const along = rangeInSet(store, operation)
  return [...(operation.among ?? []), ...rangesOf(operation).filter((range) => range !== along)].map(({ field }) => field)
}

/** Fields of a set's order that a list compares for equality: they stand in front of its members. */
export function comparedInside(store: Store, operation: OperationOf<'list'>): string[] {
  const bound = operation.where.filter((filter) => filter.constant === null).map((filter) => filter.field)
  return store.clustering.map((each) => each.column).filter((name) => bound.includes(name) && !store.partition.includes(name))
}

/**
 * Values of references that one row at most has together as a rule would have a set for that row alone: the set of one of them, of which the fewest
 * rows have the same, holds them in the order of the others. null: each combination has a set.
 */
function outerField(scenario: Scenario, entity: Entity, operation: Query, equal: string[]): string | null {
  if (operation.kind !== 'list' || equal.length < 2 || equal.length < operation.where.length) return null
  const fields = equal.map((name) => fieldOf(entity, name))
  const isByKey = operation.order.every(({ field }) => entity.key.includes(field))
  if (!isByKey || fields.some((field) => field.type !== 'uuid' || entity.key.includes(field.name))) return null
  const rows = operation.where.reduce((product, filter) => product * pickedShare(scenario, entity, filter), entity.count)
  if (rows > 1) return null
  const share = (field: Field) => heaviestValueShare(scenario, field, entity.count)
  return fields.reduce((best, field) => (share(field) < share(best) ? field : best)).name
}

/** The order that rows are asked for in; undefined: in any. */
function orderOf(operation: Query): Order[] | undefined {
  if (operation.kind === 'list') return operation.order
  return operation.kind === 'aggregate' ? operation.before : undefined
}

/** The set that a query wants: always ascending, since it is read from either end. A bound equality leaves nothing to order by its field. */
function setFor(scenario: Scenario, entity: Entity, operation: Query): Store {
  const where = operation.kind === 'search' ? [] : operation.where
  const bound = where.filter((filter) => filter.constant === null).map((filter) => filter.field)
  const outer = outerField(scenario, entity, operation, bound)
  const equal = outer === null ? bound : [outer]
  const inner = bound.filter((name) => !equal.includes(name)).sort()
  const constants = where.filter((filter) => filter.constant !== null)
  const range = operation.kind === 'aggregate' ? rangeOfSet(operation) : null
  const asked = orderOf(operation) ?? (range === null ? [] : [range])
  const inOrder = [...new Set([...inner, ...asked.map(({ field }) => field), ...entity.key])].filter(
    (field) => !equal.includes(field) || (operation.kind === 'aggregate' && operation.before === undefined),
  )
  const order = inOrder.length > 0 ? inOrder : entity.key
  const words = operation.kind === 'search' ? operation.in : []
  const token = { name: 'token', entity: entity.name, field: words.join(' '), type: 'words' as const, scale: 0, role: 'token' as const }
  const partition = operation.kind === 'search' ? ['token'] : equal.sort()
  const per = operation.kind === 'search' ? 'word' : equal.length > 0 ? `value of ${equal.join(', ')}` : entity.name
  const only = constants.map(({ field, constant }) => `${field} = ${constant}`).join(', ')
  const what = operation.kind === 'search' ? `.words.${words.join('.')}` : `${equal.length > 0 ? `.by.${equal.join('.')}` : ''}>${order.join('.')}`
  const store = {
    ...emptyStore(`${entity.name}${what}`, entity),
    columns: [
      ...(words.length > 0 ? [token] : []),
      ...[...new Set([...equal, ...order])].map((name) => column(entity, fieldOf(entity, name), 'key')),
    ],
    partition,
    clustering: order.map((field) => ({ column: field, descending: false })),
    where: constants.sort((a, b) => (a.field < b.field ? -1 : 1)),
  }
  const score = scoreOf(store)
  const how =
    score === null
      ? 'all scores are 0 and the members sort as bytes, exactly, whatever the types'
      : `${score} is the score, members of one score sort as bytes`
  return {
    ...store,
    reason: `a sorted set per ${per}${only === '' ? '' : ` of rows with ${only}`}, ordered by ${order.join(', ')}, read from either end: ${how}`,
  }
}

/** By which the set of an aggregate is ordered. */
const rangeOfSet = (operation: OperationOf<'aggregate'>) => orderRangeOf(operation) ?? rangesOf(operation)[0] ?? null

/** The same rows in the same sets, in the same order where one was asked for. */
function serves(store: Store, wanted: Store, operation: Query, entity: Entity): boolean {
  if (store.base || store.entity !== wanted.entity || store.clustering.length === 0) return false
  const rows = ({ partition, where, columns }: Store) =>
    JSON.stringify([partition, where ?? [], columns.find((each) => each.role === 'token')?.field])
  if (rows(store) !== rows(wanted)) return false
  const isWhole = store.clustering.every(({ column: name }) => !isOptional(entity, name))
  const anyOrder = operation.kind === 'aggregate' && operation.before === undefined && rangeOfSet(operation) === null && isWhole
  return anyOrder || JSON.stringify(store.clustering) === JSON.stringify(wanted.clustering)
}

/** What finds the one row of a unique value. */
function uniqueFor(model: PhysicalModel, operation: Query): Store | undefined {
  if (operation.kind !== 'list' || operation.where.length !== 1 || selectedBy(operation).length !== 1) return undefined
  const [filter] = operation.where
  return filter?.constant !== null ? undefined : uniquesOf(model.stores, operation.entity).find((store) => store.partition[0] === filter.field)
}

/** Names tell equality from order; sets that differ in their constants are numbered. */
function unusedName(model: PhysicalModel, name: string): string {
  const taken = new Set(model.stores.map((store) => store.name))
  for (let number = 1; ; number++) {
    const numbered = number === 1 ? name : `${name}.${number}`
    if (!taken.has(numbered)) return numbered
  }
}

/** The entity of a guard that depends on what an earlier step has written. */
function guardedAfterWrite(scenario: Scenario, operation: Operation): string | undefined {
  const writes = writesOf(operation)
  const touched = (write: (typeof writes)[number]) => [
    write.entity,
    ...(write.kind === 'insert' ? write.with : write.kind === 'delete' ? ownedBy(scenario, write.entity).map(({ name }) => name) : []),
  ]
  const guarded = writes.find(
    (write, at) =>
      write.kind === 'update' && write.guard !== undefined && writes.slice(0, at).some((before) => touched(before).includes(write.entity)),
  )
  return guarded?.entity
}

function addWrites(model: PhysicalModel, scenario: Scenario, operation: Operation, { rollback }: Capabilities): void {
  const guarded = rollback ? undefined : guardedAfterWrite(scenario, operation)
  if (guarded !== undefined) {
    model.excuses.push({
      engine: '',
      operation: operation.name,
      reason: `${operation.name} asks what a row of ${guarded} holds after an earlier step may have written it: what a script has written cannot be taken back`,
      bottleneck: 'transactions that are rolled back',
    })
    return
  }
  const steps: AccessStep[] = []
  for (const write of writesOf(operation)) {
    const moved = model.stores.filter((store) => moves(store, write))
    if (moved.length > 0 && write.kind !== 'insert')
      model.emulations.push({ operation: operation.name, how: `emulated: a script reads the row and moves it between the sets of ${write.entity}` })
    if (tenantAskedOf(entityOf(scenario, write.entity), write) !== null)
      model.emulations.push({ operation: operation.name, how: 'emulated: a script compares the tenant of the row before it writes' })
    const touched = [
      ...model.stores.filter((store) => store.base && store.entity === write.entity),
      ...moved,
      ...(write.kind === 'insert' ? write.with : []).flatMap((owned) => model.stores.filter((store) => store.entity === owned)),
    ]
    for (const store of touched) steps.push({ action: write.kind === 'delete' ? 'delete' : 'write', store: store.name, index: null, requests: 1 })
  }
  if (steps.length > 1)
    model.emulations.push({
      operation: operation.name,
      how: `one script over ${new Set(steps.map((step) => step.store)).size} kinds of keys, atomic`,
    })
  const read: AccessStep[] = readsBefore(operation) ? [{ action: 'read', store: (steps[0] as AccessStep).store, index: null, requests: 1 }] : []
  model.accesses.push({ operation: operation.name, kind: operation.kind, steps: [...read, ...steps] })
}
