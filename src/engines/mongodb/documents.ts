/** Rows as documents and back: BSON values, embedded lines, answers. */
import type { Document } from 'mongodb'
import { type Answer, decimalText, decimalValue, type Value } from '../../data/value.ts'
import { embeddedName } from '../../families/document/model.ts'
import type { Store } from '../../families/model.ts'
import { type Entity, entityOf, type Field, fieldOf, lineFields, type Operation, ownedBy } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import { nativeExpiry } from './commands.ts'

export type Driver = typeof import('mongodb')

/** The server's own expiry comes this much later than the one in replay time: it only cleans up. */
export const nativeGraceMs = 24 * 3_600_000

const maxDateMs = 8.64e15

/** A window may reach beyond the times that a date of the driver can be, where no row lies. */
export const storableMs = (ms: number) => Math.min(maxDateMs, Math.max(-maxDateMs, ms))

/** Stands for a value in a template: which parameter it will be, or which column of the owned row or target at hand. */
export class Slot {
  readonly from: 'parameter' | 'line' | 'target'
  readonly at: number
  readonly field: Field | null
  constructor(from: Slot['from'], at: number, field: Field | null = null) {
    this.from = from
    this.at = at
    this.field = field
  }
  of(field: Field): Slot {
    return new Slot(this.from, this.at, field)
  }
}
export type Bound = (name: string) => Value | Slot

export class MongoDocuments {
  readonly #driver: Driver
  readonly #compiled: Compiled

  constructor(driver: Driver, compiled: Compiled) {
    this.#driver = driver
    this.#compiled = compiled
  }

  plain(fields: Field[], values: Map<string, Value | Slot>): Document {
    return Object.fromEntries(fields.map((field) => [field.name, this.bson(field, values.get(field.name) as Value)]))
  }

  /** `expiresNatively`: what stands under the server's own index of expiry, of an owned row its owner's; undefined where rows do not expire. */
  document(entity: Entity, values: Map<string, Value | Slot>, expiresNatively: unknown): Document {
    const bson = (name: string) => this.bson(fieldOf(entity, name), values.get(name) as Value)
    const id: unknown = entity.key.length === 1 ? bson(entity.key[0] as string) : Object.fromEntries(entity.key.map((key) => [key, bson(key)]))
    const rest = Object.fromEntries(entity.fields.filter((field) => !entity.key.includes(field.name)).map((field) => [field.name, bson(field.name)]))
    return { _id: id, ...rest, ...(expiresNatively === undefined ? {} : { [nativeExpiry]: expiresNatively }) }
  }

  /** `nowMs`: the replay time, at which the row still lives until its own `expires_at`. */
  expiresNatively(entity: Entity, values: Map<string, Value>, nowMs: number): Date | undefined {
    return entity.ttlMs === null ? undefined : new Date(Date.now() + Number(values.get('expires_at')) - nowMs + nativeGraceMs)
  }

  bson(field: Field, value: Value | Slot): unknown {
    if (value instanceof Slot) return value.of(field)
    if (value === null) return null
    const { Binary, Decimal128, Long } = this.#driver
    if (field.type === 'uuid') return new Binary(value as Uint8Array, Binary.SUBTYPE_UUID)
    if (field.type === 'bytes') return new Binary(value as Uint8Array)
    if (field.type === 'decimal') return Decimal128.fromString(decimalText(BigInt(value as number | bigint), field.scale))
    if (field.type === 'timestamp') return new Date(storableMs(Number(value)))
    if (field.type === 'int' && Math.abs(Number(value)) >= 2 ** 31) return Long.fromNumber(Number(value))
    return value
  }

  value(field: Field, stored: unknown): Value {
    if (stored === undefined || stored === null) return null
    switch (field.type) {
      case 'uuid':
      case 'bytes':
        return (stored as { buffer: Uint8Array }).buffer
      case 'decimal':
        return decimalValue(String(stored), field.scale)
      case 'timestamp':
        return (stored as Date).getTime()
      case 'int':
        return Number(stored)
      default:
        return stored as Value
    }
  }

  #row(op: Operation & { fields: string[] }, entity: Entity, found: Document, apart = new Map<string, Document[]>()): Value[] {
    const row = this.#fields(entity, op.fields, found)
    if (op.kind !== 'get') return row
    for (const owned of op.with) {
      const ownedEntity = entityOf(this.#compiled.scenario, owned)
      const names = lineFields(ownedEntity).map((field) => field.name)
      const outside = apart.get(owned)
      row.push(
        outside === undefined
          ? ((found[embeddedName(entity, owned)] ?? []) as Document[]).map((line) =>
              names.map((name) => this.value(fieldOf(ownedEntity, name), line[name])),
            )
          : outside.map((line) => this.#fields(ownedEntity, names, line)),
      )
    }
    return row
  }

  #fields(entity: Entity, names: string[], found: Document): Value[] {
    return names.map((name) =>
      this.value(
        fieldOf(entity, name),
        entity.key.includes(name) ? (entity.key.length === 1 ? found._id : (found._id as Document)[name]) : found[name],
      ),
    )
  }

  #group(op: Operation & { kind: 'aggregate' }, entity: Entity, found: Document): Value[] {
    const key = op.groupBy === null ? [] : [this.value(fieldOf(entity, op.groupBy.field), found._id)]
    const sum = op.sum === null ? [] : [decimalValue(String(found.sum), fieldOf(entity, op.sum).scale)]
    return [...key, Number(found.count), ...sum]
  }

  /** `lines`: documents of owned rows that stand apart, by entity. */
  answer(op: Operation, found: Document[], lines?: Map<string, Document[]>): Answer {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    switch (op.kind) {
      case 'aggregate':
        return { kind: 'groups', groups: found.map((each) => this.#group(op, entity, each)) }
      case 'get':
      case 'list':
      case 'search':
        return { kind: 'rows', rows: found.map((each) => this.#row(op, entity, each, lines)) }
      default:
        throw new Error(`${op.kind} returns no rows`)
    }
  }

  /** Owned entities whose rows stand in collections of their own. */
  apart(owner: string): Entity[] {
    const { scenario, model } = this.#compiled
    return ownedBy(scenario, owner).filter((owned) => model.stores.some((store) => store.entity === owned.name))
  }

  store(entity: string): Store {
    return this.#compiled.model.stores.find((store) => store.name === entity) as Store
  }
}
