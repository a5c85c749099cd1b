/** Rows as CQL: the statements that write, change and delete a row in every store, and values as answers carry them. */
import { canonical, constantOf, decimalValue, sumOf, type Value } from '../../data/value.ts'
import { bucketOf } from '../../families/buckets.ts'
import type { PhysicalModel, Store, StoreColumn } from '../../families/model.ts'
import { storesOfEntity } from '../../families/wide-column/stores.ts'
import { versionOf } from '../../families/wide-column/versions.ts'
import { type Constant, type Entity, entityOf, lineFields, renewsLife, type Update, writesOf } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import {
  claimRow,
  cqlType,
  deleteColumn,
  deleteRow,
  insertRow,
  rowKeys,
  selectOwner,
  selectPartition,
  selectRow,
  type Using,
  updateRow,
} from './cql.ts'
import type { Cql, StoredRow } from './talk.ts'

const nativeGraceSeconds = 24 * 3600
/** Twenty years, the longest that a statement may ask for. */
const longestTtlSeconds = 630_720_000
/** Times of expiry are seconds of 32 bits; a day is left to clocks that differ. */
const lastExpiryMs = Date.UTC(2038, 0, 18)

/** `expires_at` alone decides absence; native expiry cleans up later, and of what the server cannot hold never (0). */
export function nativeTtlSeconds(lifeMs: number, clockMs = Date.now()): number {
  const possible = Math.floor((lastExpiryMs - clockMs) / 1000)
  return Math.max(0, Math.min(Math.ceil(lifeMs / 1000) + nativeGraceSeconds, longestTtlSeconds, possible))
}

export type Row = Map<string, Value>

/** Microseconds, and of one row never the same twice: see families/wide-column/versions.ts. */
export const nextVersion = (before: number) => Math.max(Math.floor((performance.timeOrigin + performance.now()) * 1000), before + 1)

export class CassandraRows {
  readonly #compiled: Compiled

  constructor(compiled: Compiled) {
    this.#compiled = compiled
  }

  /** The columns of a store that an entity's row fills; lines have theirs. */
  insertColumns(store: Store, entity: Entity): StoreColumn[] {
    if (store.embedded.length === 0) return store.columns
    return store.columns.filter((column) => column.entity === entity.name && column.role !== 'line' && column.role !== 'value')
  }

  /** The partition's key and the columns of a line in its owner's store. */
  lineColumns(store: Store, owned: string): StoreColumn[] {
    const key = columnOf(store, store.partition[0] as string)
    return [key, ...store.columns.filter((column) => column.entity === owned && column !== key)]
  }

  /** `isNew`: no row has its key yet. The rows of a store that an entity's row makes: one, or one per distinct word of a token store; none where it is not one that the store holds. */
  inserts(store: Store, entity: Entity, values: Row, nowMs: number, version: number, isNew = false): Cql[] {
    if (!this.#holds(store, values)) return []
    const row = this.#versioned(store, values, version)
    const columns = this.insertColumns(store, entity)
    const names = columns.map((column) => column.name)
    const { using, params: used } = this.#using(store, this.#ttl(entity, row, nowMs), version)
    return this.#tokens(store, row).map((token) => {
      const params = columns.map((column) => this.#columnValue(store, column, row, token))
      const insert = {
        query: insertRow(store, names, using),
        columns: [...columns, ...used.map(() => null)],
        params: [...params, ...used],
        ...(isNew && { isNew }),
      }
      return store.unique ? { ...insert, claim: this.#claim(store, entity, row, nowMs) } : insert
    })
  }

  lineInsert(store: Store, owned: Entity, ownerKey: Value, line: Row): Cql {
    const columns = this.lineColumns(store, owned.name)
    const [key] = columns
    const params = this.#ttl(owned, line, 0)
    return {
      query: insertRow(
        store,
        columns.map((column) => column.name),
        params.length > 0 ? ['TTL'] : [],
      ),
      columns: [...columns, ...params.map(() => null)],
      params: [...columns.map((column) => (column === key ? ownerKey : (line.get(column.field) as Value))), ...params],
      isNew: true,
    }
  }

  /** The row with the version that it is written with, where the store keeps one. */
  #versioned(store: Store, row: Row, version: number): Row {
    const column = versionOf(store)
    return column === undefined ? row : new Map(row).set(column.name, version)
  }

  /** What is said of the cells of a store, with the values. */
  #using(store: Store, ttl: number[], version: number): { using: Using[]; params: number[] } {
    const timed = store.timed === true
    return {
      using: [...(ttl.length > 0 ? (['TTL'] as const) : []), ...(timed ? (['TIMESTAMP'] as const) : [])],
      params: [...ttl, ...(timed ? [version] : [])],
    }
  }

  #holds(store: Store, row: Row): boolean {
    const entity = entityOf(this.#compiled.scenario, store.entity)
    if (rowKeys(store).some((name) => row.get(name) === null)) return false
    return (store.where ?? []).every(({ field, constant }) => row.get(field) === constantOf(entity, field, constant as Constant))
  }

  /** The row of a table that is not by key, by its values. */
  found(store: Store, row: Row): Cql {
    const columns = rowKeys(store).map((name) => columnOf(store, name))
    return { query: selectRow(store), columns, params: columns.map((column) => this.#columnValue(store, column, row, null)) }
  }

  /** A transaction has the time that the server gives it. */
  #claim(store: Store, entity: Entity, row: Row, nowMs: number): Cql['claim'] {
    const ttl = this.#ttl(entity, row, nowMs)
    const names = store.columns.map((column) => column.name)
    const keys = store.partition.map((name) => columnOf(store, name))
    const valuesOf = (columns: StoreColumn[]) => columns.map((column) => row.get(column.field) as Value)
    return {
      insert: {
        query: claimRow(store, names, ttl.length > 0 ? ['TTL'] : []),
        columns: [...store.columns, ...ttl.map(() => null)],
        params: [...valuesOf(store.columns), ...ttl],
      },
      release: { query: deleteRow(store, store.partition), columns: keys, params: valuesOf(keys) },
    }
  }

  /** The native time to live of a row as the one value it is bound by; none where the row stays. */
  #ttl(entity: Entity, row: Row, nowMs: number): number[] {
    if (entity.ttlMs !== null) return [nativeTtlSeconds(Number(row.get('expires_at')) - nowMs)]
    const lifeMs = lifeOfLines(this.#compiled.scenario, entity)
    return lifeMs === null ? [] : [nativeTtlSeconds(lifeMs)]
  }

  #tokens(store: Store, row: Row): (string | null)[] {
    const token = store.columns.find((column) => column.role === 'token')
    return token === undefined ? [null] : [...new Set(token.field.split(' ').flatMap((field) => String(row.get(field)).split(' ')))]
  }

  #columnValue(store: Store, column: StoreColumn, row: Row, token: string | null): Value {
    if (column.role === 'token') return token
    if (column.role === 'bucket') return bucketOf((store.bucket as NonNullable<Store['bucket']>).unit, Number(row.get(column.field)))
    return row.get(column.field) as Value
  }

  /** A row of the base table by field names; the key of an owner is not among its columns. */
  rowOf(base: Store, entity: Entity, row: StoredRow, firstKey: Value): Row {
    const values: Row = new Map(
      base.columns.filter((column) => column.entity === entity.name).map((column) => [column.field, restored(column, row[column.name])]),
    )
    return values.set(entity.key[0] as string, firstKey)
  }

  /** A whole row in its base table, where that has the version that was read (null: no row). */
  put(base: Store, entity: Entity, row: Row, before: number | null, nowMs: number, version: number): Cql {
    const column = versionOf(base) as StoreColumn
    const keys = base.partition.map((name) => columnOf(base, name))
    const set = this.insertColumns(base, entity).filter((each) => !keys.includes(each))
    const ttl = this.#ttl(entity, row, nowMs)
    const values = this.#versioned(base, row, version)
    return {
      query: updateRow(
        base,
        set.map((each) => each.name),
        base.partition,
        ttl.length > 0 ? ['TTL'] : [],
        [column.name],
      ),
      columns: [...ttl.map(() => null), ...set, ...keys, column],
      params: [...ttl, ...[...set, ...keys].map((each) => values.get(each.field) as Value), before],
      conditional: true,
    }
  }

  /** Changes columns in place; where a key column changes, the row moves: delete and insert. */
  changes(write: Update, entity: Entity, stores: Store[], before: Row, bound: (name: string) => Value, nowMs: number | null, version: number): Cql[] {
    const after: Row = new Map(before)
    for (const each of write.set)
      after.set(each.field, each.to === 'constant' ? constantOf(entity, each.field, each.constant) : bound(`set.${each.field}`))
    for (const { field, amount } of write.add) after.set(field, sumOf(after.get(field) as Value, amount))
    const changed = new Set([...write.set, ...write.add].map((each) => each.field))
    return stores.flatMap((store) => {
      const hit = store.columns.filter((column) => column.entity === entity.name && column.field.split(' ').some((field) => changed.has(field)))
      if (hit.length === 0) return []
      const ttl = this.#ttl(entity, after, nowMs ?? 0)
      if (hit.some(isInKey)) {
        const inserts = this.inserts(store, entity, after, nowMs ?? 0, version)
        return [...this.deletes(store, before, inserts, version), ...inserts]
      }
      if (!this.#holds(store, before)) return []
      const line = entity.owner !== null && store.embedded.includes(entity.name)
      const keys = line ? [...store.partition, ...store.clustering.map((each) => each.column)] : rowKeys(store)
      const own = versionOf(store)
      const asked = own === undefined ? [] : [own]
      const set = [...hit, ...asked]
      const guard = own === undefined ? undefined : guardOf(write, entity, store)
      const { using, params: used } = this.#using(store, ttl, version)
      const query = updateRow(
        store,
        set.map((column) => column.name),
        keys,
        using,
        asked.map((column) => column.name),
        guard,
      )
      const keyValue = (name: string, token: string | null) => {
        const column = columnOf(store, name)
        return line && name === store.partition[0] ? (before.get(entity.key[0] as string) as Value) : this.#columnValue(store, column, before, token)
      }
      const columns = [...used.map(() => null), ...set, ...keys.map((name) => columnOf(store, name)), ...asked, ...(guard?.columns ?? [])]
      const values = this.#versioned(store, after, version)
      return this.#tokens(store, before).map((token) => ({
        query,
        columns,
        params: [
          ...used,
          ...set.map((column) => values.get(column.field) as Value),
          ...keys.map((name) => keyValue(name, token)),
          ...asked.map((column) => before.get(column.name) as Value),
          ...(guard?.values ?? []),
        ],
        ...(own !== undefined && { conditional: true as const }),
      }))
    })
  }

  /** Deletes of the rows that are not written again: within one batch a delete would win over an insert of the same row. */
  deletes(store: Store, row: Row, kept: Cql[], version: number): Cql[] {
    if (!this.#holds(store, row)) return []
    const keys = rowKeys(store)
    const { using, params: used } = this.#using(store, [], version)
    const query = deleteRow(store, keys, using)
    const names = store.columns.map((column) => column.name)
    const columns = [...used.map(() => null), ...keys.map((name) => columnOf(store, name))]
    const again = new Set(kept.map((insert) => canonical(keys.map((name) => insert.params[names.indexOf(name)] as Value))))
    return this.#tokens(store, row)
      .map((token) => keys.map((name) => this.#columnValue(store, columnOf(store, name), row, token)))
      .filter((values) => !again.has(canonical(values)))
      .map((values) => ({ query, columns, params: [...used, ...values] }))
  }

  /** The partition of a base table, where it has the version that was read. A statement that deletes many rows can have no condition: beside it stands one that has. */
  deletesOfBase(base: Store, key: Value, before: Value): Cql[] {
    const own = versionOf(base) as StoreColumn
    const partition = columnOf(base, base.partition[0] as string)
    const asked = { columns: [partition, own], params: [key, before], conditional: true as const }
    if (base.clustering.length === 0) return [{ ...asked, query: deleteRow(base, base.partition, [], [own.name]) }]
    return [
      { ...asked, query: deleteColumn(base, own.name) },
      { query: deleteRow(base, base.partition), columns: [partition], params: [key], conditional: true },
    ]
  }

  insertedLines(owned: Entity, ownerKey: Value, lines: Value[][], version: number): Cql[] {
    const fields = lineFields(owned)
    return lines.flatMap((line) => {
      const row: Row = new Map([
        [owned.key[0] as string, ownerKey],
        ...fields.map((field, index): [string, Value] => [field.name, line[index] as Value]),
      ])
      return storesOfEntity(this.#compiled.model, owned).flatMap((store) =>
        store.embedded.includes(owned.name) ? [this.lineInsert(store, owned, ownerKey, row)] : this.inserts(store, owned, row, 0, version, true),
      )
    })
  }

  /** Whether a number of this column is a 32-bit one. */
  isInt(column: StoreColumn): boolean {
    return cqlType(column, this.#compiled.scenario) === 'int'
  }
}

/** The guard of a change, where its table has the version that makes the change conditional. */
function guardOf({ guard }: Update, entity: Entity, store: Store) {
  if (guard === undefined) return undefined
  const column = store.columns.find((each) => each.entity === entity.name && each.field === guard.field) as StoreColumn
  return { column: column.name, is: guard.is, columns: [column], values: [constantOf(entity, guard.field, guard.constant)] }
}

/** Partition and clustering columns both have the role `key`: a row whose value of one changes stands elsewhere (`sayMoves` prints it). */
const isInKey = ({ role }: StoreColumn) => role === 'key' || role === 'token' || role === 'bucket'

/** The column that numbers the lines of a partition. */
export const lineColumn = (store: Store) => (store.clustering[0] as Store['clustering'][number]).column

/** Whether the key of a row is all that its base table is asked by. */
export const isByKey = ({ partition }: Store, { key }: Entity) => partition.length === 1 && partition[0] === key[0]

/** All columns of the partition that a key names. */
export function partitionOf(store: Store, key: Value): Cql {
  return { query: selectPartition(store), columns: [columnOf(store, store.partition[0] as string)], params: [key] }
}

/** The row that a key names, without the lines that stand beside it. */
export function ownerOf(store: Store, key: Value): Cql {
  return store.embedded.length === 0 ? partitionOf(store, key) : { ...partitionOf(store, key), query: selectOwner(store) }
}

/** A stored value as answers carry it. */
export function restored(column: StoreColumn, stored: Value | undefined): Value {
  if (stored === null || stored === undefined) return null
  switch (column.type) {
    case 'decimal':
      return amountOf(stored, column.scale)
    case 'json':
      return JSON.parse(stored as string) as Value
    case 'int':
      return Number(stored)
    default:
      return stored
  }
}

/** Lines live as long as their owner, counted from their insertion; where a put or a touch lengthens the owner's life they stay. */
export function lifeOfLines(scenario: Compiled['scenario'], { owner }: Entity): number | null {
  if (owner === null) return null
  const holder = entityOf(scenario, owner.entity)
  const isRenewed = scenario.operations.some((operation) =>
    writesOf(operation).some((write) => (write.kind === 'put' && write.entity === holder.name) || renewsLife(holder, write)),
  )
  return isRenewed ? null : holder.ttlMs
}

/** The store that an operation reads, or writes first. */
export function storeFor({ stores, accesses }: Pick<PhysicalModel, 'stores' | 'accesses'>, operation: string): Store {
  const name = accesses.find((access) => access.operation === operation)?.steps[0]?.store
  return stores.find((store) => store.name === name) as Store
}

export function columnOf(store: Store, name: string): StoreColumn {
  return store.columns.find((column) => column.name === name) as StoreColumn
}

/** A decimal or int as an integer of the scale. */
export function amountOf(stored: Value | undefined, scale: number): bigint {
  if (stored === null || stored === undefined) return 0n
  const text = String(stored)
  return decimalValue(text.includes('E') ? Number(text).toFixed(scale) : text, scale)
}
