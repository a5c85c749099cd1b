/** Commands with their values, and documents as answers: what BSON makes of the values of a scenario, and back. */
import type { Document } from 'mongodb'
import type { ParamSource } from '../../data/parameters.ts'
import { type Answer, decimalText, decimalValue, type Value } from '../../data/value.ts'
import type { DocumentRequest } from '../../families/document/compile.ts'
import { isDocument, isMark, type Json, type Mark } from '../../families/document/marks.ts'
import { embeddedName } from '../../families/document/model.ts'
import { type Entity, entityOf, type Field, fieldOf, lineFields, type Operation } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'

export type Driver = typeof import('mongodb')

const maxDateMs = 8.64e15

/** A window may reach beyond the times that a date of the driver can be, where no row lies. */
export const storableMs = (ms: number) => Math.min(maxDateMs, Math.max(-maxDateMs, ms))

export class MongoDocuments {
  readonly #driver: Driver
  readonly #compiled: Compiled

  constructor(driver: Driver, compiled: Compiled) {
    this.#driver = driver
    this.#compiled = compiled
  }

  /** With the constants as BSON, and a call's values still to come. */
  prepared<T extends Json>(request: T): T {
    return replaced(request, (mark) => {
      if (mark['?'] === 'constant') return this.bson(mark.field, mark.value)
      return mark['?'] === 'each' ? { ...mark, body: this.prepared(mark.body) } : mark
    }) as T
  }

  /** A prepared request with a call's values in place of its marks; `line`: the owned row or target at hand. */
  filled(request: Document, params: ParamSource, line: Value[] = []): Document {
    return replaced(request, (mark) => {
      switch (mark['?']) {
        case 'each':
          return (params.value(mark.at) as Value[][]).map((each) => this.filled(mark.body, params, each))
        case 'clock':
          return new Date(Date.now() + mark.laterMs)
        case 'constant':
          return this.bson(mark.field, mark.value)
        default:
          return this.bson(mark.field, mark['?'] === 'parameter' || mark['?'] === 'read' ? params.value(mark.at) : (line[mark.at] as Value))
      }
    }) as Document
  }

  bson(field: Field, value: Value): unknown {
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

  /** `apart`: documents of owned rows that stand in collections of their own. */
  #row(op: Operation & { fields: string[] }, entity: Entity, found: Document, apart: Map<string, Document[]>): Value[] {
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

  /** `found`: the documents of each request. */
  answer(op: Operation, requests: Pick<DocumentRequest, 'collection'>[], found: Document[][]): Answer {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const [first = [], ...others] = found
    switch (op.kind) {
      case 'aggregate':
        return { kind: 'groups', groups: first.map((each) => this.#group(op, entity, each)) }
      case 'get':
      case 'list':
      case 'search': {
        const apart = new Map(requests.slice(1).map(({ collection }, index) => [collection, others[index] ?? []]))
        return { kind: 'rows', rows: first.map((each) => this.#row(op, entity, each, apart)) }
      }
      default:
        throw new Error(`${op.kind} returns no rows`)
    }
  }
}

function replaced(value: Json, by: (mark: Mark) => unknown): unknown {
  if (isMark(value)) return by(value)
  if (Array.isArray(value)) return value.map((each) => replaced(each, by))
  return isDocument(value) ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, replaced(each, by)])) : value
}
