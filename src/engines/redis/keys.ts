/** Rows as hashes and members of sorted sets: values as bytes, and an encoding whose byte order is the values' order. */

import { constantOf, uuidBytes, uuidText, type Value } from '../../data/value.ts'
import { scoreOf } from '../../families/key-value/model.ts'
import type { Store } from '../../families/model.ts'
import { type Constant, type Entity, entityOf, type Field, fieldOf, isOptional, lineFields, type Scenario } from '../../scenario/scenario.ts'

export type Row = Map<string, Value>

/** The server's own expiry comes this much later than the one in replay time: it only cleans up. */
export const nativeGraceMs = 24 * 3_600_000

/** A value as a hash field holds it. Decimals are integers of their scale, so that the server can add to them. */
export function stored(field: Field, value: Value): Buffer {
  switch (field.type) {
    case 'uuid':
    case 'bytes':
      return Buffer.from(value as Uint8Array)
    case 'bool':
      return Buffer.from(value === true ? '1' : '0')
    case 'json':
      return Buffer.from(JSON.stringify(value))
    default:
      return Buffer.from(String(value))
  }
}

export function restored(field: Field, bytes: Buffer | null): Value {
  if (bytes === null) return null
  switch (field.type) {
    case 'uuid':
    case 'bytes':
      return bytes
    case 'bool':
      return bytes[0] === 0x31
    case 'json':
      return JSON.parse(bytes.toString()) as Value
    case 'decimal':
      return BigInt(bytes.toString())
    case 'int':
    case 'timestamp':
      return Number(bytes.toString())
    default:
      return bytes.toString()
  }
}

/** The field of the owner's hash that holds its owned rows: no scenario's field is named so. */
export const linesField = (owned: string) => `${owned}[]`

/** Owned rows as one field: JSON, a list of lists. */
export function storedLines(owned: Entity, lines: Value[][]): Buffer {
  const fields = lineFields(owned)
  return Buffer.from(JSON.stringify(lines.map((line) => line.map((value, at) => plain(fields[at] as Field, value)))))
}

export function restoredLines(owned: Entity, bytes: Buffer | null): Value[][] {
  if (bytes === null) return []
  const fields = lineFields(owned)
  return (JSON.parse(bytes.toString()) as Value[][]).map((line) => line.map((value, at) => unplain(fields[at] as Field, value)))
}

export function plain(field: Field, value: Value): Value {
  if (value === null) return null
  if (field.type === 'uuid') return uuidText(value as Uint8Array)
  if (field.type === 'bytes') return Buffer.from(value as Uint8Array).toString('base64')
  return typeof value === 'bigint' ? Number(value) : value
}

function unplain(field: Field, value: Value): Value {
  if (value === null) return null
  if (field.type === 'uuid') return uuidBytes(value as string)
  if (field.type === 'bytes') return Buffer.from(value as string, 'base64')
  return field.type === 'decimal' ? BigInt(value as number) : value
}

/** Bytes that sort as the values do: numbers with their sign flipped, strings ended so that none is a prefix of another. The scripts do the same. */
function sortable(field: Field, value: Value): Buffer {
  switch (field.type) {
    case 'uuid':
    case 'bool':
      return stored(field, value)
    case 'int':
    case 'decimal':
    case 'timestamp': {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(BigInt(value as number | bigint))
      bytes[0] = (bytes[0] as number) ^ 0x80
      return bytes
    }
    default: {
      const text = Buffer.from(value instanceof Uint8Array ? value : typeof value === 'string' ? value : JSON.stringify(value))
      const escaped = text.includes(0) ? Buffer.from(text.toString('latin1').replaceAll('\0', '\0\xff'), 'latin1') : text
      return Buffer.concat([escaped, Buffer.alloc(2)])
    }
  }
}

/** `sortable` of every value of an enum. */
export function enumSortable(field: Field): Buffer[] {
  return field.generator.kind === 'enum' ? field.generator.values.map((value) => sortable(field, value)) : []
}

/** How many bytes of the end of a member, and of a hash's name, are the row's key. */
export function keyLength(entity: Entity): number {
  return entity.key.reduce((sum, name) => sum + (fieldOf(entity, name).type === 'uuid' ? 16 : 8), 0)
}

/** Bytes that sort behind every key of an entity. */
export const behindKeys = (entity: Entity) => Buffer.alloc(keyLength(entity) + 1, 0xff)

/** Columns that a member starts with, behind what is its score; the key follows. */
export function leading(entity: Entity, store: Store): string[] {
  const names = store.clustering.map((each) => each.column)
  const order = names.slice(-entity.key.length).join() === entity.key.join() ? names.slice(0, -entity.key.length) : names
  return order.filter((name) => name !== scoreOf(store))
}

export class RedisKeys {
  readonly #scenario: Scenario

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  /** The key as it stands behind the entity's name and at the end of members. */
  keyBytes(entity: Entity, value: (field: string) => Value): Buffer {
    return Buffer.concat(entity.key.map((key) => sortable(fieldOf(entity, key), value(key))))
  }

  hash(entity: Entity, value: (field: string) => Value): Buffer {
    return Buffer.concat([Buffer.from(`${entity.name}:`), this.keyBytes(entity, value)])
  }

  /** The sets of a store that a row is in: one, or one per distinct word; none where a constant filter leaves it out, or a value that it would be ordered by is not there. */
  sets(store: Store, row: Row): Buffer[] {
    const entity = entityOf(this.#scenario, store.entity)
    if (optionalKeys(entity, store).some((name) => row.get(name) === null)) return []
    if ((store.where ?? []).some(({ field, constant }) => row.get(field) !== constantOf(entity, field, constant as Constant))) return []
    const token = store.columns.find((each) => each.role === 'token')
    if (token === undefined) return [this.set(store, (field) => row.get(field) ?? null)]
    const words = new Set(
      token.field.split(' ').flatMap((field) =>
        String(row.get(field))
          .split(' ')
          .filter((word) => word !== ''),
      ),
    )
    return [...words].map((word) => this.wordSet(store, word))
  }

  set(store: Store, value: (field: string) => Value): Buffer {
    const entity = entityOf(this.#scenario, store.entity)
    return Buffer.concat([Buffer.from(`${store.name}:`), ...store.partition.map((name) => sortable(fieldOf(entity, name), value(name)))])
  }

  wordSet(store: Store, word: string): Buffer {
    return Buffer.from(`${store.name}:${word}`)
  }

  /** Order columns, then the key: a member says which hash it stands for. */
  member(store: Store, value: (field: string) => Value): Buffer {
    const entity = entityOf(this.#scenario, store.entity)
    const columns = leading(entity, store).map((name) => sortable(fieldOf(entity, name), value(name)))
    return Buffer.concat([...columns, this.keyBytes(entity, value)])
  }

  /** Of the member that a row is. */
  score(store: Store, value: (field: string) => Value): string {
    const field = scoreOf(store)
    return field === null ? '0' : String(value(field))
  }
}

/** What a row must have a value of to stand in a set. */
export const optionalKeys = (entity: Entity, store: Store) =>
  [...store.partition, ...store.clustering.map((each) => each.column)].filter((name) => isOptional(entity, name))

/** Whether a store is the hash of a unique field. */
export const isUnique = (store: Store) => !store.base && store.clustering.length === 0

/** The one hash of a unique field. */
export const uniqueHash = (store: Store) => `${store.name}:`
