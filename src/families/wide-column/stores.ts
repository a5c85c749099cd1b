/** Stores of the wide-column family: base tables by key, and query tables that are found again where another operation needs the same. */
import { type Entity, type Field, fieldOf, isOptional, type Operation, ownedBy, type Scenario } from '../../scenario/scenario.ts'
import type { PhysicalModel, Store, StoreColumn } from '../model.ts'
import { namedOperations } from '../sizes.ts'

/** Tables of this family have names of up to 48 characters; some are left for a number. */
const longestName = 44

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

/** Every store that holds fields of an entity. */
export function storesOfEntity(model: PhysicalModel, entity: Entity): Store[] {
  return model.stores.filter((store) => store.entity === entity.name || store.embedded.includes(entity.name))
}

/** The first owned entity lives in its owner's partition as clustering rows, the owner's own fields static; further ones have a table, and all where the owner is its key alone. */
export function baseStores(scenario: Scenario, operations: Operation[]): Store[] {
  const serves = (entity: Entity) =>
    namedOperations(operations).filter(
      (operation) => operation.entity === entity.name && operation.kind !== 'list' && operation.kind !== 'aggregate' && operation.kind !== 'search',
    )
  return scenario.entities.flatMap((entity): Store[] => {
    if (entity.owner !== null) return []
    const key = entity.key[0] as string
    const owned = ownedBy(scenario, entity.name)
    // An owner that is its key alone, or may be, has nothing static: without lines its partition would not exist.
    const isKeyAlone = entity.fields.every((field) => field.name === key || field.optional !== undefined)
    const inside = isKeyAlone ? undefined : owned[0]
    const apart = isKeyAlone ? owned : owned.slice(1)
    const base = { ...emptyStore(entity.name, entity), base: true }
    base.partition = [key]
    base.serves = serves(entity).map((operation) => operation.name)
    base.columns = entity.fields.map((field) => column(entity, field, field.name === key ? 'key' : inside === undefined ? 'value' : 'static'))
    base.reason = `base table: ${entity.name} by its key`
    if (inside !== undefined) {
      base.embedded = [inside.name]
      base.clustering = [{ column: `${inside.name}.line`, descending: false }]
      base.columns.push(...lineColumns(inside, `${inside.name}.`))
      base.reason += `; ${inside.name} as clustering rows of its owner's partition, the owner's fields static, so that one read answers both`
    }
    const own = apart.map((line): Store => {
      const store = { ...emptyStore(line.name, line), base: true }
      store.partition = [line.key[0] as string]
      store.clustering = [{ column: 'line', descending: false }]
      store.columns = [column(line, fieldOf(line, line.key[0] as string), 'key'), ...lineColumns(line, '')]
      store.serves = serves(line).map((operation) => operation.name)
      store.reason = `lines of ${entity.name} in a table of their own: ${
        inside === undefined
          ? 'their owner has no fields that a partition of lines could share'
          : 'a partition has room for one kind of clustering row'
      }`
      return store
    })
    return [base, ...own]
  })
}

/** No field has a point in its name: `prefix` keeps the lines' columns apart from their owner's. */
function lineColumns(owned: Entity, prefix: string): StoreColumn[] {
  const fields = owned.fields.filter((field) => field.name === 'line' || !field.implicit)
  return fields.map((field) => column(owned, field, field.name === 'line' ? 'line' : 'value', `${prefix}${field.name}`))
}

/** A table for each unique field: whoever writes a value claims it there first. */
export function uniqueStores(scenario: Scenario): Store[] {
  return scenario.entities.flatMap((entity) =>
    entity.fields
      .filter((field) => field.unique && !entity.key.includes(field.name))
      .map(
        (field): Store => ({
          ...emptyStore(`${entity.name}_unique_${field.name}`, entity),
          unique: true,
          partition: [field.name],
          columns: [column(entity, field, 'key'), ...entity.key.map((key) => column(entity, fieldOf(entity, key), 'value'))],
          reason: `${field.name} is unique: a value is claimed here, by a lightweight transaction, before a row that has it is written`,
        }),
      ),
  )
}

/**
 * Stores with the same partition and clustering are one store with the columns of both; a partition is read in either direction.
 * One of all rows serves who asks for some of them; stores of different rows stay apart, for a row costs one write in either of them.
 */
export function mergeStore(model: PhysicalModel, store: Store): Store {
  const shape = ({ entity, partition, clustering, bucket }: Store) => {
    const turned = clustering[0]?.descending === true
    return JSON.stringify([entity, [...partition].sort(), clustering.map((each) => [each.column, each.descending !== turned]), bucket])
  }
  const rows = ({ where = [] }: Store) => JSON.stringify(where)
  const same = model.stores.find(
    (each) =>
      shape(each) === shape(store) &&
      (each.where === undefined || rows(each) === rows(store)) &&
      each.embedded.length === 0 &&
      each.unique === undefined,
  )
  if (same === undefined) return addStore(model, store)
  same.columns.push(...store.columns.filter((own) => same.columns.every((each) => each.name !== own.name)))
  same.serves.push(...store.serves)
  same.reason += ` · ${store.reason}`
  return same
}

/** Where nobody finds a row by its key, a table of all rows and columns takes the place of the one by key, which would be written for nobody. */
export function leaveBase(model: PhysicalModel, entity: Entity): void {
  const isWhole = (store: Store) =>
    store.entity === entity.name &&
    store.where === undefined &&
    [...store.partition, ...store.clustering.map((each) => each.column)].every((name) => !isOptional(entity, name)) &&
    store.columns.every((each) => each.role !== 'token') &&
    entity.fields.every((field) => store.columns.some((each) => each.name === field.name))
  const home = model.stores.find((store) => !store.base && isWhole(store))
  if (home === undefined) return
  model.stores = model.stores.filter((store) => store !== baseStore(model.stores, entity.name))
  home.base = true
  home.reason += '; with all columns, for nobody finds a row by its key'
}

export function addStore(model: PhysicalModel, store: Store): Store {
  store.name = freeName(model.stores, store.name)
  model.stores.push(store)
  return store
}

function freeName(stores: Store[], wanted: string): string {
  const name = wanted.slice(0, longestName)
  const isTaken = (each: string) => stores.some((store) => store.name === each)
  if (!isTaken(name)) return name
  let number = 2
  while (isTaken(`${name}_${number}`)) number++
  return `${name}_${number}`
}
