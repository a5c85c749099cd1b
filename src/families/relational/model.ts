/** The relational family: third normal form, and an index for every access that needs one. */
import { type Entity, entityOf, fieldOf, type Operation, type Order, ownedBy, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { mergeIndexes, type WantedIndex } from '../index-merge.ts'
import { freeName, nameIndexes } from '../index-names.ts'
import type { Access, AccessStep, Index, PhysicalModel, Store, TimeDivision } from '../model.ts'
import { isInParts, single } from '../model.ts'
import { changedFields, namedOperations } from '../sizes.ts'
import { isQuery, servedByKey, wantedIndexes } from '../wanted-indexes.ts'
import { timeDivisionOf } from './division.ts'
import { entryBytes, type Indexing, usualIndexing } from './indexing.ts'

export function relationalModel(scenario: Scenario, operations: Operation[], indexing: Indexing = usualIndexing): PhysicalModel {
  const decisive = operations.map((operation) => decided(entityOf(scenario, operation.entity), operation))
  const taken = new Set(scenario.entities.map((entity) => entity.name))
  for (const entity of scenario.entities) taken.add(freeName(primaryKeyName(entity.name), taken))
  const stores = scenario.entities.map((entity): Store => {
    const named = namedOperations(decisive)
    const division = timeDivisionOf(scenario, entity, named, partPrefix(entity, taken))
    const wanted = wantedIndexes(scenario, entity, named, indexing.partial)
      // Parts are dropped by their time.
      .filter(({ kind }) => kind !== 'expiry' || !division?.parts)
      .flatMap((index) => fitted(entity, index, indexing))
    const indexes = mergeIndexes(wanted).flatMap((index) => fitted(entity, index, indexing))
    return divided(
      { ...tableOf(scenario, entity, operations), indexes: nameIndexes(indexes, `${entity.name}_`, taken) },
      division,
      indexing.partsRefer,
    )
  })
  const emulations = stores
    .filter((store) => store.expiry !== null)
    .map((store) => {
      if (isInParts(store))
        return { operation: `expiry of ${store.name}`, how: 'emulated: a part of the table is dropped when all of its rows have expired' }
      const owned = ownedBy(scenario, store.entity).length > 0 ? ' with the rows that they own' : ''
      return { operation: `expiry of ${store.name}`, how: `emulated: expired rows are purged in batches${owned}, as part of the measured work` }
    })
  return {
    family: 'relational',
    stores,
    accesses: decisive.map((operation) => accessOf(scenario, operation, stores, indexing.partial)),
    excuses: [],
    emulations,
  }
}

/** The tables of all entities, each with the indexes that its accesses want, merged and named within the table. */
export function tablesOf(scenario: Scenario, operations: Operation[]): Store[] {
  return scenario.entities.map((entity) => ({
    ...tableOf(scenario, entity, operations),
    indexes: merge(wantedIndexes(scenario, entity, namedOperations(operations))),
  }))
}

/** Merged and named within one store. */
export function merge(wanted: WantedIndex[]): Index[] {
  return nameIndexes(mergeIndexes(wanted), '', new Set())
}

/** A name of a table's primary key, which is the name of an index. */
export const primaryKeyName = (table: string) => `${table}_pkey`

/** No other table begins with it, and no index, which are named by fields. */
function partPrefix({ name: table, fields }: Entity, taken: Set<string>): string {
  const names = [...taken, ...fields.map(({ name }) => `${table}_${name}`)]
  let prefix = `${table}_part_`
  while (names.some((name) => name.startsWith(prefix))) prefix += '_'
  return prefix
}

/** A primary key holds what rows are divided by. */
function divided(store: Store, division: TimeDivision | undefined, refers: boolean): Store {
  if (division === undefined) return store
  const { parts, why } = division
  const whole = { ...store, division, reason: `${store.reason}; ${why}` }
  if (parts === null) return whole
  const lost = refers ? [] : store.references
  return {
    ...whole,
    partition: [...store.partition, parts.field],
    references: refers ? store.references : [],
    reason: `${whole.reason}${lost.length === 0 ? '' : `; ${lost.map(({ field }) => field).join(', ')} is no foreign key: a table in parts holds none`}`,
  }
}

/** Nothing is left to order behind a column in which no two rows are equal. */
export function decisiveOrder(entity: Entity, order: Order[]): Order[] {
  const last = order.findIndex(({ field }) => fieldOf(entity, field).unique)
  return last < 0 ? order : order.slice(0, last + 1)
}

function decided(entity: Entity, operation: Operation): Operation {
  if (operation.kind === 'list') return { ...operation, order: decisiveOrder(entity, operation.order) }
  if (operation.kind !== 'aggregate' || operation.before === undefined) return operation
  return { ...operation, before: decisiveOrder(entity, operation.before) }
}

/** The same order from its other end. */
export const reversed = (order: Order[]): Order[] => order.map(({ field, descending }) => ({ field, descending: !descending }))

/** Without the columns that do not fit into an entry; what they would have found is filtered, what they would have ordered is sorted. None: nothing fits. */
function fitted<T extends Index>(entity: Entity, index: T, indexing: Indexing): T[] {
  if (index.kind !== 'ordered') return [index]
  let bytes = indexing.overheadBytes
  const fits = (name: string) => {
    bytes += entryBytes(indexing, fieldOf(entity, name))
    return bytes <= indexing.maxEntryBytes
  }
  const columns = index.columns.filter((column) => fits(column.field))
  if (columns.length === 0) return []
  if (columns.length < index.columns.length)
    return [{ ...index, columns, include: [], reason: `${index.reason}; an entry holds ${columns.length} of ${index.columns.length} columns` }]
  return [index.include.every(fits) ? index : { ...index, include: [] }]
}

function tableOf(scenario: Scenario, entity: Entity, operations: Operation[]): Omit<Store, 'indexes'> {
  const named = namedOperations(operations)
  const expiry = entity.ttlMs === null ? null : { field: 'expires_at', ttlMs: entity.ttlMs }
  const references = entity.fields.flatMap((field) =>
    field.generator.kind === 'reference' ? [{ field: field.name, entity: field.generator.entity }] : [],
  )
  const dangling = references.flatMap((reference) => {
    const why = removal(entityOf(scenario, reference.entity), named)
    return why === null ? [] : [{ ...reference, why }]
  })
  return {
    name: entity.name,
    base: true,
    entity: entity.name,
    columns: entity.fields.map((field) => ({
      name: field.name,
      entity: entity.name,
      field: field.name,
      type: field.type,
      scale: field.scale,
      role: entity.key.includes(field.name) ? 'key' : 'value',
    })),
    partition: entity.key,
    clustering: [],
    bucket: null,
    embedded: [],
    references: [
      ...references.filter((reference) => dangling.every((each) => each.field !== reference.field)),
      ...(entity.owner === null ? [] : [{ field: entity.key[0] as string, entity: entity.owner.entity }]),
    ],
    expiry,
    serves: named.filter((operation) => operation.entity === entity.name).map((operation) => operation.name),
    reason: [
      entity.owner === null
        ? `one table per entity, primary key ${entity.key[0]}${ownedBy(scenario, entity.name).length > 0 ? '; its owned rows are reached by the prefix of their key' : ''}`
        : `owned by ${entity.owner.entity}: the primary key (${entity.key.join(', ')}) keeps the lines of an owner together, and they go with it`,
      ...dangling.map((each) => `${each.field} is no foreign key: ${each.why}, and who refers to them stays`),
    ].join('; '),
  }
}

/** Why rows of an entity may go while others refer to them; null: they stay. */
function removal(entity: Entity, operations: Operation[]): string | null {
  const by = operations.find((operation) => writesOf(operation).some((write) => write.kind === 'delete' && write.entity === entity.name))
  if (by !== undefined) return `${by.name} deletes rows of ${entity.name}`
  return entity.ttlMs === null ? null : `rows of ${entity.name} expire`
}

function accessOf(scenario: Scenario, operation: Operation, stores: Store[], partial: boolean): Access {
  const byKey = (store: string): AccessStep => ({ action: 'read', store, index: 'primary key', requests: 1 })
  if (operation.kind === 'get') return { operation: operation.name, kind: 'get', steps: [operation.entity, ...operation.with].map(byKey) }
  const writes = writesOf(operation)
  if (writes.length === 0) return single(operation, 'read', operation.entity, indexOf(scenario, operation, stores, partial))
  const steps = writes.flatMap((write) => {
    const action = write.kind === 'delete' ? 'delete' : 'write'
    const owned = write.kind === 'insert' ? write.with : write.kind === 'delete' ? ownedBy(scenario, write.entity).map((each) => each.name) : []
    const read = write.kind === 'update' && write.reads !== undefined ? [byKey(write.entity)] : []
    return [...read, ...[write.entity, ...owned].map((store): AccessStep => ({ action, store, index: null, requests: 1 }))]
  })
  return { operation: operation.name, kind: operation.kind, steps }
}

function indexOf(scenario: Scenario, operation: Operation, stores: Store[], partial: boolean): string | null {
  const entity = entityOf(scenario, operation.entity)
  if (isQuery(operation) && servedByKey(scenario, entity, operation, changedFields(scenario.operations, entity), partial)) return 'primary key'
  return stores.find((store) => store.name === entity.name)?.indexes.find((index) => index.serves.includes(operation.name))?.name ?? null
}
