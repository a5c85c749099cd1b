/** The key-value family: a hash per row, a sorted set per list, search and aggregate, owned rows as one encoded field. */
import { type Entity, entityOf, fieldOf, type Operation, type OperationOf, type Scenario, type Write, writesOf } from '../scenario/scenario.ts'
import { embeds } from './document.ts'
import type { AccessStep, PhysicalModel, Store } from './model.ts'
import { filterShare, namedOperations, newestShare } from './sizes.ts'
import { column, emptyStore } from './wide-column.ts'

/** A server that runs one command at a time stands still while it reads a window: this many rows take it about a tenth of a second. */
const mostAggregateRows = 100_000

export function keyValueModel(scenario: Scenario, operations: Operation[]): PhysicalModel {
  const embedded = new Set(scenario.entities.filter((entity) => embeds(entity, operations)).map((entity) => entity.name))
  const apart = scenario.entities.filter((entity) => !embedded.has(entity.name))
  const model: PhysicalModel = { family: 'key-value', stores: [], accesses: [], excuses: [], emulations: [] }
  for (const entity of apart) {
    model.stores.push(hashStore(scenario, entity, operations, embedded))
    if (entity.owner !== null) model.stores.push(linesStore(entity))
  }
  for (const operation of operations) {
    const entity = entityOf(scenario, operation.entity)
    if (operation.kind === 'get') addGet(model, operation, embedded)
    else if (operation.kind === 'list' || operation.kind === 'search' || operation.kind === 'aggregate') addQuery(model, scenario, operation, entity)
  }
  // Writes come last: they keep every set that the reads asked for.
  for (const operation of operations) if (writesOf(operation).length > 0) addWrites(model, operation)
  return model
}

/** The sorted sets that hold an entity's rows. */
export function setsOf(stores: Store[], entity: string): Store[] {
  return stores.filter((store) => !store.base && store.entity === entity)
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

/** Whether a write must know the row as it was, to move it in its sets. */
export function readsFirst(stores: Store[], write: Write & { entity: string }): boolean {
  const sets = setsOf(stores, write.entity)
  if (write.kind === 'insert') return false
  if (write.kind !== 'update') return sets.length > 0
  const changed = [...write.set, ...write.add].map((each) => each.field)
  return sets.some((store) => placedBy(store).some((field) => changed.includes(field)))
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

function addGet(model: PhysicalModel, operation: OperationOf<'get'>, embedded: Set<string>): void {
  const outside = operation.with.filter((name) => !embedded.has(name))
  const steps: AccessStep[] = [operation.entity, ...outside].map((store) => ({ action: 'read', store, index: null, requests: 1 }))
  model.accesses.push({ operation: operation.name, kind: 'get', steps })
  if (outside.length > 0)
    model.emulations.push({ operation: operation.name, how: `emulated: a sorted set and a hash per row of ${outside.join(', ')}` })
}

function addQuery(model: PhysicalModel, scenario: Scenario, operation: OperationOf<'list' | 'search' | 'aggregate'>, entity: Entity): void {
  const where = operation.kind === 'search' ? [] : operation.where
  const equal = where.filter((filter) => filter.constant === null).map((filter) => filter.field)
  const constants = where.filter((filter) => filter.constant !== null)
  const by =
    operation.kind === 'list'
      ? operation.order
      : operation.kind === 'aggregate' && operation.over !== null
        ? [{ field: operation.over.field, descending: false }]
        : []
  const order = [...by, ...entity.key.filter((key) => by.every((each) => each.field !== key)).map((field) => ({ field, descending: false }))]
  if (operation.kind === 'aggregate') {
    const share = where.reduce((product, filter) => product * filterShare(scenario, entity, filter), 1)
    const rows = Math.round(entity.count * share * (operation.over === null ? 1 : newestShare(entity, operation.over.ms)))
    if (rows > mostAggregateRows) {
      model.excuses.push({
        engine: '',
        operation: operation.name,
        reason: `${operation.name} would read ${rows.toLocaleString('en')} rows at production counts, and nothing in this server adds them up: it runs one command at a time and would stand still`,
        bottleneck: 'aggregation; a counter kept up with every write would need `precompute`',
      })
      return
    }
    model.emulations.push({ operation: operation.name, how: `emulated: up to ${rows.toLocaleString('en')} rows are read and grouped by the client` })
  } else model.emulations.push({ operation: operation.name, how: 'emulated: a script reads a sorted set, then a hash for each row' })
  const words = operation.kind === 'search' ? operation.in : []
  const what =
    operation.kind === 'search'
      ? `words.${words.join('.')}`
      : `by.${[...equal, ...order.map((each) => `${each.descending ? '-' : ''}${each.field}`)].join('.')}`
  const store: Store = {
    ...emptyStore(`${entity.name}.${what}${constants.map((filter) => `.${filter.field}=${filter.constant}`).join('')}`, entity),
    columns: [
      ...(words.length > 0
        ? [{ name: 'token', entity: entity.name, field: words.join(' '), type: 'words' as const, scale: 0, role: 'token' as const }]
        : []),
      ...[...new Set([...equal, ...order.map((each) => each.field)])].map((name) => column(entity, fieldOf(entity, name), 'key')),
    ],
    partition: operation.kind === 'search' ? ['token'] : equal,
    clustering: order.map((each) => ({ column: each.field, descending: each.descending })),
    where: constants,
    serves: operation.internal ? [] : [operation.name],
    reason: `a sorted set per ${operation.kind === 'search' ? 'word' : equal.length > 0 ? `value of ${equal.join(', ')}` : entity.name}, ordered by ${order.map((each) => each.field).join(', ')}: all scores are 0 and the members sort as bytes, exactly, whatever the types`,
  }
  const same = model.stores.find((each) => each.name === store.name)
  if (same === undefined) model.stores.push(store)
  else same.serves.push(...store.serves)
  model.accesses.push({ operation: operation.name, kind: operation.kind, steps: [{ action: 'read', store: store.name, index: null, requests: 1 }] })
}

function addWrites(model: PhysicalModel, operation: Operation): void {
  const steps: AccessStep[] = []
  for (const write of writesOf(operation)) {
    if (readsFirst(model.stores, write)) {
      steps.push({ action: 'read first', store: write.entity, index: null, requests: 1 })
      model.emulations.push({ operation: operation.name, how: 'emulated: read, then one script that compares and writes' })
    }
    const touched = [write.entity, ...(write.kind === 'insert' ? write.with : [])].flatMap((entity) =>
      model.stores.filter((store) => store.entity === entity && (store.base || write.kind !== 'update' || readsFirst([store], write))),
    )
    for (const store of touched) steps.push({ action: write.kind === 'delete' ? 'delete' : 'write', store: store.name, index: null, requests: 1 })
  }
  if (steps.length > 1)
    model.emulations.push({
      operation: operation.name,
      how: `one script over ${new Set(steps.map((step) => step.store)).size} kinds of keys, atomic`,
    })
  model.accesses.push({ operation: operation.name, kind: operation.kind, steps })
}
