/**
 * Commands of the operations that are one call of so many words, as templates: constant words joined once, values written between them. What
 * takes several calls, a number of words or a length of key that differs from call to call has no template; its conversation is carried as it is.
 */

import { bulkNumber, bulkOf, elementAt, isNull, lengthOf, numberAt } from '../../clients/protocols/resp.ts'
import type { RequestBuffer } from '../../clients/request.ts'
import { conflicted, type TalkTemplate } from '../../clients/talk-lane.ts'
import { type Parameter, parametersOf, type WireSource } from '../../data/parameters.ts'
import { writeDigits, writeInt64BE } from '../../data/whole-numbers.ts'
import { comparedInside } from '../../families/key-value/model.ts'
import type { Store } from '../../families/model.ts'
import { type Entity, entityOf, type Field, fieldOf, type Operation, type OperationOf, writesOf } from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import type { Compiled } from '../engine.ts'
import { behindKeys, enumSortable, isUnique, keyLength, nativeGraceMs, uniqueHash } from './keys.ts'
import { isReversed, type RedisOperations, wholeRange } from './operations.ts'
import { findScript, type Script } from './scripts.ts'
import { isGuardedLater, placesOf, type Step } from './write-scripts.ts'

/** Writes a value; returns its end. */
type Put = (params: WireSource, to: Buffer, at: number) => number
interface Dynamic {
  most: (params: WireSource) => number
  put: Put
}
type WordSpec = string | Buffer | Dynamic
/** Of one step of a script. */
interface Words {
  keys: (WordSpec | null)[]
  words: (WordSpec | null)[]
}

/** Digits and line ends of a bulk string's length. */
const widestHead = 16

export function templateOf(compiled: Compiled, operations: RedisOperations, op: Operation): TalkTemplate | null {
  const parameters = parametersOf(compiled.scenario, op)
  const shape = new Shape(compiled, operations, op, parameters)
  const words = shape.words(op)
  if (words === null || words.some((command) => command.includes(null))) return null
  const nowAt = parameters.findIndex((each) => each.shape === 'now')
  const deepAt = parameters.findIndex((each) => each.shape === 'deep')
  const pieces = joined(words as WordSpec[][])
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
      op.kind === 'get'
        ? rowsOfGet(operations.fieldsOfGet(op), op, nowAt >= 0)
        : op.kind === 'list' || op.kind === 'search'
          ? lengthOf
          : writesOf(op).length > 0 && operations.writes.form(op) === 'new rows'
            ? () => 1
            : rowsOfScript,
    replies: (words as WordSpec[][]).length,
  }
}

function rowsOfGet({ fields, inside }: { fields: string[]; inside: string[] }, op: OperationOf<'get'>, expires: boolean): TalkTemplate['rows'] {
  const keyAt = op.fields.length + inside.length
  return (bytes, from, nowMs) => {
    if (isNull(bytes, elementAt(bytes, from, keyAt))) return 0
    return !expires || bulkNumber(bytes, elementAt(bytes, from, fields.length - 1)) > nowMs ? 1 : 0
  }
}

/** As many as the script found. */
function rowsOfScript(bytes: Buffer, from: number): number {
  const rows = numberAt(bytes, from + 1)
  return rows < 0 ? conflicted : rows
}

/** The whole commands, constants of neighbouring words joined. */
function joined(commands: WordSpec[][]): (Buffer | Dynamic)[] {
  const pieces: (Buffer | Dynamic)[] = []
  let constant = Buffer.alloc(0)
  for (const words of commands) {
    constant = Buffer.concat([constant, Buffer.from(`*${words.length}\r\n`)])
    for (const word of words) {
      if (typeof word === 'string' || Buffer.isBuffer(word)) constant = Buffer.concat([constant, bulkOf(word)])
      else {
        pieces.push(constant, word)
        constant = Buffer.alloc(0)
      }
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

  words(op: Operation): (WordSpec | null)[][] | null {
    switch (op.kind) {
      case 'get':
        return this.#get(op)
      case 'list':
      case 'search':
        return [this.#page(op)]
      case 'aggregate':
        return null
      default:
        return this.#write(op)
    }
  }

  #get(op: OperationOf<'get'>): (WordSpec | null)[][] | null {
    const { fields, inside } = this.#operations.fieldsOfGet(op)
    if (inside.length < op.with.length || tenantAskedOf(this.#entity, op) !== null) return null
    return [['HMGET', this.#hash(this.#entity, 'key.'), ...fields]]
  }

  #page(op: OperationOf<'list'> | OperationOf<'search'>): (WordSpec | null)[] {
    const store = this.#operations.storeOf(op.name)
    const now = this.#entity.ttlMs === null ? '' : this.#digits('now')
    if (isUnique(store)) {
      const unique = fieldOf(this.#entity, store.partition[0] as string)
      return ['EVALSHA', findScript.sha, '1', uniqueHash(store), this.#stored(`where.${unique.name}`, unique), `${store.entity}:`, now, ...op.fields]
    }
    const set = op.kind === 'search' ? this.#joined(`${store.name}:`, [this.#bytes('word')]) : this.#set(store)
    const range = this.#range(op, store)
    const length = String(keyLength(this.#entity))
    const { script, further } = this.#operations.formOf(op.name)
    const last = further.map((name) => (name.startsWith('prefix.') ? this.#bytes(name) : this.#digits(name)))
    return ['EVALSHA', script.sha, '1', set, ...range, String(op.limit), length, `${store.entity}:`, now, ...op.fields, ...last]
  }

  /** Of a first page. */
  #range(op: OperationOf<'list'> | OperationOf<'search'>, store: Store): (WordSpec | null)[] {
    if (op.kind === 'search') return wholeRange(store, false)
    const inside = comparedInside(store, op).map((name) => this.#sortable(`where.${name}`, fieldOf(this.#entity, name)))
    const { range } = this.#operations.formOf(op.name)
    if (range?.of === 'texts')
      return [this.#joined('[', [this.#bytes(range.from)]), this.#joined('(', [this.#bytes(range.below)]), isReversed(op) ? '1' : '0']
    if (range !== null) {
      const word = (end: string) => (range.of === 'times' ? this.#digits(end) : end)
      return ['', '', word(range.from), word(range.below), isReversed(op) ? '1' : '0']
    }
    if (inside.length === 0) return wholeRange(store, isReversed(op))
    const end = behindKeys(this.#entity)
    const last: Dynamic = { most: () => end.length, put: (_, to, at) => at + end.copy(to, at) }
    return [this.#joined('[', inside), this.#joined('[', [...inside, last]), isReversed(op) ? '1' : '0']
  }

  #write(op: Operation): (WordSpec | null)[][] | null {
    const { writes } = this.#operations
    const form = writes.form(op)
    const steps = writesOf(op).map((write, at) => ({ write, prefix: op.kind === 'transaction' ? `${at}.` : '' }))
    if (form === 'new rows') {
      const rows = steps.map(({ write, prefix }) => this.#newRow(write, prefix))
      if (rows.includes(null)) return null
      const commands = rows.flatMap((row) => row ?? [])
      return commands.length === 1 ? commands : [['MULTI'], ...commands, ['EXEC']]
    }
    const guarded = steps.filter(({ write }, at) => isGuardedLater(write, at))
    const parts = [
      ...guarded.map(({ write, prefix }) => this.#address(write, prefix)),
      ...steps.map(({ write, prefix }) => this.#step(write, prefix)),
    ]
    if (parts.includes(null)) return null
    const keys = parts.flatMap((step) => step?.keys ?? [])
    if (form === 'DEL') return [['DEL', ...keys]]
    return [['EVALSHA', (writes.scripts.get(op.name) as Script).sha, String(keys.length), ...keys, ...parts.flatMap((step) => step?.words ?? [])]]
  }

  /** The commands of a new row that stands in no set; null where it has lines or places. */
  #newRow(write: Step, prefix: string): (WordSpec | null)[][] | null {
    const entity = entityOf(this.#compiled.scenario, write.entity)
    const { sets, uniques } = placesOf(this.#compiled, write)
    if (entity.fields.some(({ optional }) => optional !== undefined)) return null // The words of a row are not always as many.
    if (sets.length + uniques.length > 0 || (write.kind === 'insert' && write.with.length > 0)) return null
    const hash = this.#hash(entity, `${prefix}row.`)
    const life = entity.ttlMs === null ? [] : [['PEXPIRE', hash, String(entity.ttlMs + nativeGraceMs)]]
    return [['HSET', hash, ...this.#newFields(write, prefix)], ...life]
  }

  /** The row that a step is about, and what it has to be, besides there: alive, and of the tenant that asks. */
  #address(write: Step, prefix: string): Words {
    const entity = entityOf(this.#compiled.scenario, write.entity)
    const tenant = tenantAskedOf(entity, write)
    return {
      keys: [this.#hash(entity, `${prefix}key.`)],
      words: [
        ...(entity.ttlMs === null ? [] : [this.#digits(`${prefix}now`)]),
        ...(tenant === null ? [] : [this.#stored(`${prefix}tenant.${tenant}`, fieldOf(entity, tenant))]),
      ],
    }
  }

  /** Keys and arguments of one write; null where there are not always as many. */
  #step(write: Step, prefix: string): Words | null {
    const entity = entityOf(this.#compiled.scenario, write.entity)
    switch (write.kind) {
      case 'insert':
      case 'put': {
        const commands = this.#newRow(write, prefix)
        if (commands === null) return null
        return {
          keys: commands.map(([, key]) => key as WordSpec | null),
          words: [String(commands.length), ...commands.flatMap(([name, , ...words]) => [name as WordSpec, String(words.length), ...words])],
        }
      }
      case 'delete':
        return this.#address(write, prefix)
      default: {
        if (write.via !== null || write.reads !== undefined) return null
        const set = write.set
          .filter((each) => each.to !== 'constant')
          .map(({ field }) => this.#storedOrNone(`${prefix}set.${field}`, fieldOf(entity, field)))
        const { keys, words } = this.#address(write, prefix)
        return { keys, words: [...set, ...words] }
      }
    }
  }

  #newFields(write: Step, prefix: string): WordSpec[] {
    return entityOf(this.#compiled.scenario, write.entity).fields.flatMap((field) => [field.name, this.#stored(`${prefix}row.${field.name}`, field)])
  }

  #at(name: string): number {
    return this.#parameters.findIndex((each) => each.name === name)
  }

  #hash(entity: Entity, prefix: string): Dynamic | null {
    return this.#joined(
      `${entity.name}:`,
      entity.key.map((name) => this.#sortable(`${prefix}${name}`, fieldOf(entity, name))),
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
    return { most: (params) => params.maxBytes(at), put: (params, to, offset) => params.write(at, to, offset) }
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
        return this.#stored(name, field)
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

  /** No value is the empty text. */
  #storedOrNone(name: string, field: Field): Dynamic {
    const at = this.#at(name)
    const { most, put } = this.#stored(name, field)
    if (field.optional === undefined) return { most, put }
    return {
      most: (params) => (params.isNull(at) ? 0 : most(params)),
      put: (params, to, offset) => (params.isNull(at) ? offset : put(params, to, offset)),
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
