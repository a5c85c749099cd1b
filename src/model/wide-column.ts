/** The wide-column family: a base table by key, one table per list and aggregate, a token store per search. Queries decide the tables. */
import {
  type Entity,
  entityOf,
  type Field,
  fieldOf,
  type Operation,
  type OperationOf,
  ownedBy,
  type Scenario,
  writesOf,
} from '../scenario/scenario.ts'
import { type BucketUnit, bucketMs, bucketUnits } from './buckets.ts'
import type { AccessStep, PhysicalModel, Store, StoreColumn } from './model.ts'
import { single } from './model.ts'
import { filterShare, namedOperations, newestShare, rowBytes } from './sizes.ts'

const heaviestPartitionBytes = 100e6
const mostBucketReads = 64
/** Bytes a row costs beside its values: clustering prefix, flags, one timestamp delta a cell. */
const rowOverheadBytes = 24

export function wideColumnModel(scenario: Scenario, operations: Operation[]): PhysicalModel {
  const model: PhysicalModel = { family: 'wide-column', stores: baseStores(scenario, operations), accesses: [], excuses: [], emulations: [] }
  const excuse = (operation: Operation, reason: string, bottleneck: string) =>
    model.excuses.push({ engine: '', operation: operation.name, reason, bottleneck })
  for (const operation of operations) {
    const entity = entityOf(scenario, operation.entity)
    if (operation.kind === 'list' || operation.kind === 'aggregate') addQueryStore(model, scenario, operation, entity, excuse)
    if (operation.kind === 'search') addTokenStore(model, operation, entity)
    if (operation.kind === 'get') {
      const apart = operation.with.filter((name) => model.stores.some((store) => store.name === name))
      const steps = [baseStore(model.stores, entity.name).name, ...apart].map(
        (store): AccessStep => ({ action: 'read', store, index: 'partition', requests: 1 }),
      )
      if (apart.length > 0)
        model.emulations.push({
          operation: operation.name,
          how: `emulated: ${apart.length} more read${apart.length > 1 ? 's' : ''}, joined by the client`,
        })
      model.accesses.push({ operation: operation.name, kind: 'get', steps })
    }
  }
  // Writes come last: they touch every store that the reads asked for.
  for (const operation of operations) if (writesOf(operation).length > 0) addWrite(model, operation, scenario, excuse)
  return model
}

export function column(entity: Entity, field: Field, role: StoreColumn['role'], name = field.name): StoreColumn {
  return { name, entity: entity.name, field: field.name, type: field.type, scale: field.scale, role }
}

export function emptyStore(name: string, entity: Entity): Store {
  const expiry = entity.ttlMs === null ? null : { field: 'expires_at', ttlMs: entity.ttlMs }
  return {
    name,
    base: false,
    entity: entity.name,
    columns: [],
    partition: [],
    clustering: [],
    bucket: null,
    embedded: [],
    indexes: [],
    references: [],
    expiry,
    serves: [],
    reason: '',
  }
}

/** The base table that holds an entity's rows by key: its own, or its owner's. */
export function baseStore(stores: Store[], entity: string): Store {
  return stores.find((store) => store.base && (store.entity === entity || store.embedded.includes(entity))) as Store
}

/** The first owned entity lives in its owner's partition as clustering rows, the owner's own fields static; further ones have a table. */
function baseStores(scenario: Scenario, operations: Operation[]): Store[] {
  const serves = (entity: Entity) =>
    namedOperations(operations).filter(
      (operation) => operation.entity === entity.name && operation.kind !== 'list' && operation.kind !== 'aggregate' && operation.kind !== 'search',
    )
  return scenario.entities.flatMap((entity): Store[] => {
    if (entity.owner !== null) return []
    const [inside, ...apart] = ownedBy(scenario, entity.name)
    const key = entity.key[0] as string
    const base = { ...emptyStore(entity.name, entity), base: true }
    base.partition = [key]
    base.serves = serves(entity).map((operation) => operation.name)
    base.columns = entity.fields.map((field) => column(entity, field, field.name === key ? 'key' : inside === undefined ? 'value' : 'static'))
    base.reason = `base table: ${entity.name} by its key`
    if (inside !== undefined) {
      base.embedded = [inside.name]
      base.clustering = [{ column: 'line', descending: false }]
      base.columns.push(...lineColumns(inside, true))
      base.reason += `; ${inside.name} as clustering rows of its owner's partition, the owner's fields static, so that one read answers both`
    }
    const own = apart.map((owned): Store => {
      const store = { ...emptyStore(owned.name, owned), base: true }
      store.partition = [owned.key[0] as string]
      store.clustering = [{ column: 'line', descending: false }]
      store.columns = [column(owned, fieldOf(owned, owned.key[0] as string), 'key'), ...lineColumns(owned, false)]
      store.serves = serves(owned).map((operation) => operation.name)
      store.reason = `lines of ${entity.name} in a table of their own: a partition has room for one kind of clustering row`
      return store
    })
    return [base, ...own]
  })
}

function lineColumns(owned: Entity, prefixed: boolean): StoreColumn[] {
  const fields = owned.fields.filter((field) => field.name === 'line' || !field.implicit)
  return fields.map((field) =>
    column(owned, field, field.name === 'line' ? 'line' : 'value', prefixed && field.name !== 'line' ? `${owned.name}_${field.name}` : field.name),
  )
}

function addQueryStore(
  model: PhysicalModel,
  scenario: Scenario,
  operation: OperationOf<'list'> | OperationOf<'aggregate'>,
  entity: Entity,
  excuse: (operation: Operation, reason: string, bottleneck: string) => void,
): void {
  const equal = operation.where.map((filter) => filter.field)
  const time = operation.kind === 'list' ? operation.order.find((order) => !equal.includes(order.field))?.field : operation.over?.field
  const timeField = time !== undefined && fieldOf(entity, time).type === 'timestamp' ? time : undefined
  const ordered =
    operation.kind === 'list'
      ? operation.order
      : [...(timeField === undefined ? [] : [timeField]), ...entity.key].map((field) => ({ field, descending: false }))
  const clustering = ordered.filter(
    (order, index) => !equal.includes(order.field) && ordered.findIndex((each) => each.field === order.field) === index,
  )
  const wanted = operation.kind === 'list' ? operation.fields : [operation.groupBy?.field, operation.sum].filter((name) => name != null)
  const keys = [...equal, ...clustering.map((order) => order.field)]
  const names = [...new Set([...keys, ...wanted, ...(entity.ttlMs === null ? [] : ['expires_at'])])]
  if (equal.length === 0 && timeField === undefined) {
    excuse(operation, `${operation.name} filters by no equality and no time: every partition would be read`, 'full scan of the table')
    return
  }
  const share = operation.where.reduce((product, filter) => product * filterShare(scenario, entity, filter), 1)
  const heaviestBytes = (equal.length === 0 ? 1 : share) * entity.count * (rowBytes(entity, names) + rowOverheadBytes)
  const group = operation.kind === 'aggregate' ? (operation.groupBy?.unit ?? null) : null
  const unit = timeField === undefined ? null : bucketUnit(entity, heaviestBytes, equal.length === 0, group)
  const store = emptyStore(
    `${entity.name}_by_${[...equal, ...(unit === null ? [] : [unit]), clustering[0]?.field].filter((part) => part !== undefined).join('_')}`.slice(
      0,
      44,
    ),
    entity,
  )
  store.partition = [...equal, ...(unit === null ? [] : ['bucket'])]
  store.clustering = clustering.map((order) => ({ column: order.field, descending: order.descending }))
  store.bucket = unit === null || timeField === undefined ? null : { column: 'bucket', field: timeField, unit }
  store.columns = names.map((name) => column(entity, fieldOf(entity, name), keys.includes(name) ? 'key' : 'value'))
  if (store.bucket !== null)
    store.columns.push({ name: 'bucket', entity: entity.name, field: store.bucket.field, type: 'int', scale: 0, role: 'bucket' })
  store.serves = operation.internal ? [] : [operation.name]
  const heaviest = `heaviest partition ${(heaviestBytes / 1e6).toPrecision(2)} MB at production counts`
  store.reason = `${operation.name}: partition = ${equal.length > 0 ? `equality on ${equal.join(', ')}` : 'time alone'}, clustering = ${clustering.map((order) => order.field).join(', ')}; ${heaviest}${
    unit === null ? (heaviestBytes > heaviestPartitionBytes ? ', above 100 MB, with no time to split it by' : '') : `, split by ${unit}`
  }`
  const span = operation.kind === 'aggregate' && operation.over !== null ? operation.over.ms : entity.ageMs
  const requests = unit === null ? 1 : Math.ceil(span / bucketMs[unit]) + 1
  if (requests > mostBucketReads) {
    excuse(operation, `${operation.name} would read ${requests} ${unit} buckets, more than ${mostBucketReads}`, `partitions of ${unit}s: ${heaviest}`)
    return
  }
  const target = mergeStore(model, store)
  if (requests > 1) model.emulations.push({ operation: operation.name, how: `emulated: ${requests} bucket reads at most, 8 in flight` })
  if (operation.kind === 'aggregate' && !groupedByServer(operation, target))
    model.emulations.push({ operation: operation.name, how: 'emulated: rows are read and grouped by the client' })
  if (entity.ttlMs !== null) model.emulations.push({ operation: operation.name, how: 'emulated: expired rows are filtered by the client' })
  model.accesses.push({
    operation: operation.name,
    kind: operation.kind,
    steps: [{ action: 'read', store: target.name, index: 'partition', requests }],
  })
}

/** Sums come from the server where a whole bucket falls into one group. */
export function groupedByServer(operation: OperationOf<'aggregate'>, store: Store): boolean {
  if (store.expiry !== null) return false
  return operation.groupBy === null || (operation.groupBy.unit !== null && store.bucket !== null && store.bucket.field === operation.groupBy.field)
}

/** The widest bucket that keeps the heaviest partition below 100 MB, never wider than a group; null where none is needed. */
function bucketUnit(entity: Entity, heaviestBytes: number, required: boolean, group: BucketUnit | null): BucketUnit | null {
  if (!required && heaviestBytes <= heaviestPartitionBytes) return null
  const allowed = bucketUnits.slice(group === null ? 0 : bucketUnits.indexOf(group))
  return allowed.find((unit) => heaviestBytes * newestShare(entity, bucketMs[unit]) <= heaviestPartitionBytes) ?? 'hour'
}

/** Stores with the same partition and clustering are one store with the columns of both. */
function mergeStore(model: PhysicalModel, store: Store): Store {
  const shape = (each: Store) => JSON.stringify([each.entity, each.partition, each.clustering, each.bucket])
  const same = model.stores.find((each) => shape(each) === shape(store) && each.embedded.length === 0)
  if (same === undefined) {
    const taken = model.stores.filter((each) => each.name.startsWith(store.name)).length
    if (taken > 0) store.name = `${store.name}_${taken + 1}`
    model.stores.push(store)
    return store
  }
  same.columns.push(...store.columns.filter((column) => same.columns.every((each) => each.name !== column.name)))
  same.serves.push(...store.serves)
  same.reason += ` · ${store.reason}`
  return same
}

function addTokenStore(model: PhysicalModel, operation: OperationOf<'search'>, entity: Entity): void {
  const store = emptyStore(`${entity.name}_words_${operation.in.join('_')}`.slice(0, 44), entity)
  const names = [...new Set([...entity.key, ...operation.fields, ...operation.in, ...(entity.ttlMs === null ? [] : ['expires_at'])])]
  store.partition = ['token']
  store.clustering = entity.key.map((key) => ({ column: key, descending: false }))
  store.columns = [
    { name: 'token', entity: entity.name, field: operation.in.join(' '), type: 'words', scale: 0, role: 'token' },
    ...names.map((name) => column(entity, fieldOf(entity, name), entity.key.includes(name) ? 'key' : 'value')),
  ]
  store.serves = operation.internal ? [] : [operation.name]
  store.reason = `${operation.name}: a row per distinct word of ${operation.in.join(', ')}, with the projected columns, so that one partition answers`
  const target = mergeStore(model, store)
  model.emulations.push({ operation: operation.name, how: 'emulated: token store' })
  model.accesses.push(single(operation, 'read', target.name, 'partition'))
}

function addWrite(
  model: PhysicalModel,
  operation: Operation,
  scenario: Scenario,
  excuse: (operation: Operation, reason: string, bottleneck: string) => void,
): void {
  const writes = writesOf(operation)
  const changing = writes.filter((write) => write.kind === 'update' || write.kind === 'delete')
  if (operation.kind === 'transaction' && changing.length > 0) {
    excuse(
      operation,
      `${operation.name} needs an atomic multi-row update across partitions`,
      'transactions: a logged batch is atomic but cannot read what it changes',
    )
    return
  }
  if (writes.some((write) => write.kind === 'update' && write.add.length > 0)) {
    excuse(
      operation,
      `${operation.name} adds to a stored number: without a transaction concurrent additions would be lost`,
      'atomic read-modify-write',
    )
    return
  }
  const steps: AccessStep[] = []
  for (const write of writes) {
    const entity = entityOf(scenario, write.entity)
    const own = storesOfEntity(model, entity)
    const lines = write.kind === 'insert' ? write.with.flatMap((name) => storesOfEntity(model, entityOf(scenario, name))) : []
    const derived = own.some((store) => store.name !== baseStore(model.stores, entity.name).name)
    const readFirst = write.kind === 'update' || write.kind === 'delete' || (write.kind === 'put' && derived)
    if (readFirst) {
      steps.push({ action: 'read first', store: baseStore(model.stores, entity.name).name, index: 'partition', requests: 1 })
      model.emulations.push({ operation: operation.name, how: 'emulated: read before write' })
    }
    const changed = write.kind === 'update' ? write.set.map((each) => each.field) : null
    const touched =
      changed === null ? own : own.filter((store) => store.columns.some((each) => changed.some((field) => each.field.split(' ').includes(field))))
    for (const store of new Set([...touched, ...lines]))
      steps.push({ action: write.kind === 'delete' ? 'delete' : 'write', store: store.name, index: null, requests: 1 })
  }
  const tables = new Set(steps.filter((step) => step.action !== 'read first').map((step) => step.store))
  if (tables.size > 1) model.emulations.push({ operation: operation.name, how: `one logged batch over ${tables.size} tables` })
  model.accesses.push({ operation: operation.name, kind: operation.kind, steps })
}

/** Every store that holds fields of an entity. */
export function storesOfEntity(model: PhysicalModel, entity: Entity): Store[] {
  return model.stores.filter((store) => store.entity === entity.name || store.embedded.includes(entity.name))
}
