/**
 * Commands of the operations that are one call, as templates: constant words joined once, values written between them. What needs a read
 * first, several calls or a key of variable length has no template; its conversation is carried as it is.
 */
import { type Parameter, parametersOf, type WireSource } from '../data/parameters.ts'
import { readsFirst, setsOf } from '../model/key-value.ts'
import type { Store } from '../model/model.ts'
import { type Entity, entityOf, type Field, fieldOf, type Operation, type OperationOf } from '../scenario/scenario.ts'
import { bulkNumber, bulkOf, elementAt, isNull, lengthOf, numberAt } from '../wire/redis.ts'
import { type RequestBuffer, writeInt64BE } from '../wire/request.ts'
import type { Compiled } from './engine.ts'
import { enumSortable, stored } from './redis-keys.ts'
import type { RedisOperations } from './redis-operations.ts'
import { nativeGraceMs } from './redis-writes.ts'

export interface Template {
  write(params: WireSource, to: RequestBuffer): void
  /** Whether this call fits the template: a deep page does not. */
  fits(params: WireSource): boolean
  /** Rows of a reply, without decoding it. */
  rows(bytes: Buffer, from: number, nowMs: number): number
  /** Position of the parameter that holds the replay time; −1: nothing expires. */
  nowAt: number
}

/** Writes a value; returns its end. */
type Put = (params: WireSource, to: Buffer, at: number) => number
interface Dynamic {
  most: (params: WireSource) => number
  put: Put
}
type WordSpec = string | Buffer | Dynamic

/** Digits and line ends of a bulk string's length. */
const widestHead = 16

export function templateOf(
  compiled: Compiled,
  operations: RedisOperations,
  op: Operation,
  scripts: { page: string; write: string },
): Template | null {
  const parameters = parametersOf(compiled.scenario, op)
  const shape = new Shape(compiled, operations, op, parameters)
  const words =
    op.kind === 'get'
      ? shape.get(op)
      : op.kind === 'list' || op.kind === 'search'
        ? shape.page(op, scripts.page)
        : op.kind === 'put' || op.kind === 'update'
          ? shape.write(op, scripts.write)
          : null
  if (words === null || words.includes(null)) return null
  const nowAt = parameters.findIndex((each) => each.shape === 'now')
  const deepAt = parameters.findIndex((each) => each.shape === 'deep')
  const pieces = joined(words as WordSpec[])
  return {
    nowAt,
    fits: (params) => deepAt < 0 || params.number(deepAt) === 0,
    write(params, to) {
      for (let at = 0; at < pieces.length; at++) {
        const piece = pieces[at] as Buffer | Dynamic
        if (Buffer.isBuffer(piece)) to.append(piece)
        else writeBulk(piece, params, to)
      }
    },
    rows:
      op.kind === 'get' ? rowsOfGet(operations.fieldsOfGet(op), op, nowAt >= 0) : op.kind === 'put' || op.kind === 'update' ? rowsOfScript : lengthOf,
  }
}

function rowsOfGet({ fields, inside }: { fields: string[]; inside: string[] }, op: OperationOf<'get'>, expires: boolean): Template['rows'] {
  const keyAt = op.fields.length + inside.length
  return (bytes, from, nowMs) => {
    if (isNull(bytes, elementAt(bytes, from, keyAt))) return 0
    return !expires || bulkNumber(bytes, elementAt(bytes, from, fields.length - 1)) > nowMs ? 1 : 0
  }
}

/** One where the script wrote, none where its conditions did not hold. */
const rowsOfScript = (bytes: Buffer, from: number) => Math.max(0, numberAt(bytes, from + 1))

/** The whole command, constants of neighbouring words joined. */
function joined(words: WordSpec[]): (Buffer | Dynamic)[] {
  const pieces: (Buffer | Dynamic)[] = []
  let constant = Buffer.from(`*${words.length}\r\n`)
  for (const word of words) {
    if (typeof word === 'string' || Buffer.isBuffer(word)) constant = Buffer.concat([constant, bulkOf(word)])
    else {
      pieces.push(constant, word)
      constant = Buffer.alloc(0)
    }
  }
  return constant.length === 0 ? pieces : [...pieces, constant]
}

function writeBulk({ most, put }: Dynamic, params: WireSource, to: RequestBuffer): void {
  to.reserve(2 * widestHead + most(params))
  const { bytes, length: start } = to
  const from = start + widestHead
  const end = put(params, bytes, from)
  // The length stands in front of a value whose length is known only now.
  let at = start
  bytes[at++] = 0x24
  at = writeDigits(end - from, bytes, at)
  bytes[at++] = 0x0d
  bytes[at++] = 0x0a
  bytes.copyWithin(at, from, end)
  at += end - from
  bytes[at++] = 0x0d
  bytes[at++] = 0x0a
  to.length = at
}

/** A whole number below 2⁵³ in decimal. */
function writeDigits(value: number, to: Buffer, at: number): number {
  if (value < 0) {
    to[at++] = 0x2d
    value = -value
  }
  let length = 1
  for (let limit = 10; limit <= value; limit *= 10) length++
  for (let place = at + length - 1; place >= at; place--) {
    const rest = Math.floor(value / 10)
    to[place] = 0x30 + value - rest * 10
    value = rest
  }
  return at + length
}

/** The words of one operation; null stands for one that cannot be written in place. */
class Shape {
  readonly #compiled: Compiled
  readonly #operations: RedisOperations
  readonly #entity: Entity
  readonly #parameters: Parameter[]

  constructor(compiled: Compiled, operations: RedisOperations, op: Operation, parameters: Parameter[]) {
    this.#compiled = compiled
    this.#operations = operations
    this.#entity = entityOf(compiled.scenario, op.entity)
    this.#parameters = parameters
  }

  get(op: OperationOf<'get'>): (WordSpec | null)[] | null {
    const { fields, inside } = this.#operations.fieldsOfGet(op)
    if (inside.length < op.with.length) return null
    return ['HMGET', this.#hash('key.'), ...fields]
  }

  page(op: OperationOf<'list'> | OperationOf<'search'>, sha: string): (WordSpec | null)[] {
    const store = this.#operations.storeOf(op.name)
    const set = op.kind === 'search' ? this.#joined(`${store.name}:`, [this.#bytes('word')]) : this.#set(store)
    const reversed = this.#operations.keys.isReversed(store) ? '1' : '0'
    const now = this.#entity.ttlMs === null ? '' : this.#digits('now')
    return ['EVALSHA', sha, '1', set, '-', '+', reversed, String(op.limit), `${store.entity}:`, now, ...op.fields]
  }

  /** Writes that touch the row's hash alone. */
  write(op: OperationOf<'put'> | OperationOf<'update'>, sha: string): (WordSpec | null)[] | null {
    const { stores } = this.#compiled.model
    if (readsFirst(stores, op) || (op.kind === 'put' && setsOf(stores, op.entity).length > 0)) return null
    if (op.kind === 'put') {
      const hash = this.#hash('row.')
      const fields = this.#entity.fields.flatMap((field) => [field.name, this.#stored(`row.${field.name}`, field)])
      const { ttlMs } = this.#entity
      const expire = ttlMs === null ? [] : ['3', 'PEXPIRE', hash, String(ttlMs + nativeGraceMs)]
      return ['EVALSHA', sha, '0', '0', ttlMs === null ? '1' : '2', String(2 + fields.length), 'HSET', hash, ...fields, ...expire]
    }
    const hash = this.#hash('key.')
    const alive = this.#entity.ttlMs === null ? [] : [hash, 'expires_at', '>', this.#digits('now')]
    const adds = op.add.flatMap((each) => ['4', 'HINCRBY', hash, each.field, String(each.amount)])
    const sets = op.set.flatMap((each): (WordSpec | null)[] => {
      const field = fieldOf(this.#entity, each.field)
      if (each.to !== 'constant') return [each.field, this.#stored(`set.${each.field}`, field)]
      return [each.field, stored(field, field.type === 'decimal' ? BigInt(each.constant as number) : each.constant)]
    })
    const set = sets.length === 0 ? [] : [String(2 + sets.length), 'HSET', hash, ...sets]
    const commands = op.add.length + (sets.length > 0 ? 1 : 0)
    const conditions = alive.length > 0 ? '2' : '1'
    return ['EVALSHA', sha, '0', conditions, hash, '', 'E', '', ...alive, String(commands), ...adds, ...set]
  }

  #at(name: string): number {
    return this.#parameters.findIndex((each) => each.name === name)
  }

  #hash(prefix: string): Dynamic | null {
    return this.#joined(
      `${this.#entity.name}:`,
      this.#entity.key.map((name) => this.#sortable(`${prefix}${name}`, fieldOf(this.#entity, name))),
    )
  }

  #set(store: Store): Dynamic | Buffer | null {
    const prefix = `${store.name}:`
    if (store.partition.length === 0) return Buffer.from(prefix)
    return this.#joined(
      prefix,
      store.partition.map((name) => this.#sortable(`where.${name}`, fieldOf(this.#entity, name))),
    )
  }

  #joined(prefix: string, parts: (Dynamic | null)[]): Dynamic | null {
    if (parts.includes(null)) return null
    const start = Buffer.from(prefix)
    const all = parts as Dynamic[]
    return {
      most: (params) => all.reduce((sum, part) => sum + part.most(params), start.length),
      put(params, to, at) {
        let end = at + start.copy(to, at)
        for (let part = 0; part < all.length; part++) end = (all[part] as Dynamic).put(params, to, end)
        return end
      },
    }
  }

  #bytes(name: string): Dynamic {
    const at = this.#at(name)
    return { most: (params) => params.mostBytes(at), put: (params, to, offset) => params.write(at, to, offset) }
  }

  #digits(name: string): Dynamic {
    const at = this.#at(name)
    return { most: () => 24, put: (params, to, offset) => writeDigits(params.number(at), to, offset) }
  }

  #chosen(name: string, texts: Buffer[]): Dynamic {
    const at = this.#at(name)
    const most = Math.max(...texts.map((text) => text.length))
    return { most: () => most, put: (params, to, offset) => offset + (texts[params.number(at)] as Buffer).copy(to, offset) }
  }

  /** Bytes that sort as the values do; see redis-keys. */
  #sortable(name: string, field: Field): Dynamic | null {
    const at = this.#at(name)
    switch (field.type) {
      case 'uuid':
        return this.#bytes(name)
      case 'bool':
        return { most: () => 1, put: (params, to, offset) => to.writeUInt8(params.number(at), offset) }
      case 'int':
      case 'decimal':
      case 'timestamp':
        return {
          most: () => 8,
          put(params, to, offset) {
            const end = writeInt64BE(params.number(at), to, offset)
            to[offset] = (to[offset] as number) ^ 0x80
            return end
          },
        }
      case 'enum':
        return this.#chosen(name, enumSortable(field))
      default:
        return null // Escaped where it holds a zero byte.
    }
  }

  /** As a hash field holds it. */
  #stored(name: string, field: Field): Dynamic {
    const at = this.#at(name)
    switch (field.type) {
      case 'bool':
        return { most: () => 1, put: (params, to, offset) => to.writeUInt8(0x30 + params.number(at), offset) }
      case 'int':
      case 'decimal':
      case 'timestamp':
        return this.#digits(name)
      case 'enum':
        return this.#chosen(name, field.generator.kind === 'enum' ? field.generator.values.map((value) => Buffer.from(value)) : [])
      default:
        return this.#bytes(name)
    }
  }
}
