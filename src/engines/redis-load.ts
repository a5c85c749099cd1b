/** The bulk load of Redis over the wire client: rows go from their columns straight into pipelined commands, a block at a time. */
import { type Block, type Chunk, type Column, cell, columnOf, startOf } from '../data/rows.ts'
import { setsOf, uniquesOf } from '../model/key-value.ts'
import type { Store } from '../model/model.ts'
import { type Constant, type Entity, entityOf, type Field, fieldOf, lineFields } from '../scenario/scenario.ts'
import { bulkOf, errorOf, type RedisConnection } from '../wire/redis.ts'
import { RequestBuffer, writeInt64BE } from '../wire/request.ts'
import type { Compiled } from './engine.ts'
import { Loading } from './loading.ts'
import { constantValue, enumSortable, leading, linesField, plain, uniqueHash } from './redis-keys.ts'
import { writeDigits } from './redis-templates.ts'
import { nativeGraceMs } from './redis-writes.ts'

/** Appends what a row has. */
type Put = (row: number, to: RequestBuffer) => void
type Ends = Uint32Array

const commandOf = (words: number, ...first: (string | Buffer)[]) => Buffer.concat([Buffer.from(`*${words}\r\n`), ...first.map(bulkOf)])
const lineEnd = Buffer.from('\r\n')
const widestNumber = 24

export class RedisLoad {
  readonly #connection: RedisConnection
  readonly #compiled: Compiled
  /** One is built while the server works on the other. */
  #building = new RequestBuffer()
  #sent = new RequestBuffer()
  readonly #scratch = new RequestBuffer()
  #commands = 0
  #pending = 0
  readonly #loading = new Loading()

  constructor(connection: RedisConnection, compiled: Compiled) {
    this.#connection = connection
    this.#compiled = compiled
    connection.onReply = (bytes, from, to) => {
      const code = errorOf(bytes, from, to)
      if (code !== '') this.#loading.fail(Object.assign(new Error(bytes.toString('utf8', from + 1, to - 2)), { code }))
      if (--this.#pending === 0) this.#loading.wake()
    }
    connection.onClosed = (cause) => this.#loading.fail(cause)
  }

  /** @throws what the server refused of the blocks before. */
  async block(block: Block): Promise<void> {
    const { scenario, model } = this.#compiled
    const embedded = model.stores.find((store) => store.base && store.entity === block.entity)?.embedded ?? []
    const inside = block.owned.filter((owned) => embedded.includes(owned.entity))
    this.#rows(entityOf(scenario, block.entity), block, inside)
    for (const owned of block.owned) if (!inside.includes(owned)) this.#rows(entityOf(scenario, owned.entity), owned, [])
    await this.finish()
    ;[this.#building, this.#sent] = [this.#sent, this.#building]
    this.#building.length = 0
    this.#pending = this.#commands
    this.#commands = 0
    if (this.#pending > 0) this.#connection.send(this.#sent)
  }

  /** Resolves when everything that was sent is acknowledged. */
  finish(): Promise<void> {
    return this.#loading.until(() => this.#pending === 0)
  }

  /** Each row's commands: its hash with its embedded lines, its life, the sets it stands in, its unique values. */
  #rows(entity: Entity, chunk: Chunk, inside: Block['owned']): void {
    const { scenario, model } = this.#compiled
    const key = joined(entity.key.map((name) => sortable(columnOf(chunk, name))))
    const hash = prefixed(`${entity.name}:`, key)
    const lines = inside.map((owned) => ({ name: bulkOf(linesField(owned.entity)), put: linesOf(entityOf(scenario, owned.entity), owned) }))
    const fields = [...chunk.columns.map((column) => ({ name: bulkOf(column.field.name), put: stored(column) })), ...lines]
    const head = commandOf(2 + 2 * fields.length, 'HSET')
    const places = [
      ...(entity.ttlMs === null ? [] : [this.#life(chunk, hash, scenario.epochMs)]),
      ...setsOf(model.stores, entity.name).map((store) => this.#set(store, entity, chunk, key)),
      ...uniquesOf(model.stores, entity.name).map((store) => this.#unique(store, chunk, key)),
    ]
    const to = this.#building
    for (let row = 0; row < chunk.rows; row++) {
      this.#commands++
      to.append(head)
      this.#bulk(hash, row)
      for (let at = 0; at < fields.length; at++) {
        const { name, put } = fields[at] as (typeof fields)[number]
        to.append(name)
        this.#bulk(put, row)
      }
      for (let at = 0; at < places.length; at++) (places[at] as (row: number) => void)(row)
    }
  }

  #life(chunk: Chunk, hash: Put, nowMs: number): (row: number) => void {
    const expires = columnOf(chunk, 'expires_at') as Extract<Column, { kind: 'numbers' }>
    const life: Put = (row, to) => digits(Math.max(1, (expires.numbers[row] as number) - nowMs) + nativeGraceMs, to)
    return this.#command(commandOf(3, 'PEXPIRE'), [hash, life])
  }

  #unique(store: Store, chunk: Chunk, key: Put): (row: number) => void {
    return this.#command(commandOf(4, 'HSET', uniqueHash(store)), [stored(columnOf(chunk, store.partition[0] as string)), key])
  }

  #set(store: Store, entity: Entity, chunk: Chunk, key: Put): (row: number) => void {
    const head = commandOf(4, 'ZADD')
    const score = constant('0')
    const member = joined([...leading(entity, store).map((name) => sortable(columnOf(chunk, name))), key])
    const token = store.columns.find((each) => each.role === 'token')
    if (token !== undefined) {
      return (row) => {
        const words = token.field.split(' ').flatMap((field) => String(cell(columnOf(chunk, field), row)).split(' '))
        for (const word of new Set(words.filter((each) => each !== ''))) this.#write(head, [constant(`${store.name}:${word}`), score, member], row)
      }
    }
    const set = prefixed(`${store.name}:`, joined(store.partition.map((name) => sortable(columnOf(chunk, name)))))
    const filters = (store.where ?? []).map(({ field, constant: value }) => ({
      column: columnOf(chunk, field),
      value: constantValue(entity, field, value as Constant),
    }))
    return (row) => {
      if (filters.every(({ column, value }) => cell(column, row) === value)) this.#write(head, [set, score, member], row)
    }
  }

  #command(head: Buffer, words: Put[]): (row: number) => void {
    return (row) => this.#write(head, words, row)
  }

  #write(head: Buffer, words: Put[], row: number): void {
    this.#commands++
    this.#building.append(head)
    for (let at = 0; at < words.length; at++) this.#bulk(words[at] as Put, row)
  }

  /** A value behind its length, which is known once it is written. */
  #bulk(put: Put, row: number): void {
    const [scratch, to] = [this.#scratch, this.#building]
    scratch.length = 0
    put(row, scratch)
    to.reserve(scratch.length + widestNumber)
    to.bytes[to.length++] = 0x24
    to.length = writeDigits(scratch.length, to.bytes, to.length)
    to.append(lineEnd)
    to.reserve(scratch.length + 2)
    to.length += scratch.bytes.copy(to.bytes, to.length, 0, scratch.length)
    to.append(lineEnd)
  }
}

function constant(text: string): Put {
  const bytes = Buffer.from(text)
  return (_, to) => to.append(bytes)
}

function prefixed(prefix: string, put: Put): Put {
  const bytes = Buffer.from(prefix)
  return (row, to) => {
    to.append(bytes)
    put(row, to)
  }
}

function joined(parts: Put[]): Put {
  return (row, to) => {
    for (let at = 0; at < parts.length; at++) (parts[at] as Put)(row, to)
  }
}

function digits(value: number, to: RequestBuffer): void {
  to.reserve(widestNumber)
  to.length = writeDigits(value, to.bytes, to.length)
}

function chosen(numbers: Float64Array, texts: Buffer[]): Put {
  return (row, to) => to.append(texts[numbers[row] as number] as Buffer)
}

function bytesOf({ bytes, ends }: { bytes: Buffer; ends: Ends }): Put {
  return (row, to) => {
    const from = startOf(ends, row)
    to.reserve((ends[row] as number) - from)
    to.length += bytes.copy(to.bytes, to.length, from, ends[row] as number)
  }
}

const textsOf = (field: Field) => (field.generator.kind === 'enum' ? field.generator.values.map((value) => Buffer.from(value)) : [])

/** As a hash field holds it. */
function stored(column: Column): Put {
  if (column.kind === 'bytes') return bytesOf(column)
  const { numbers, field } = column
  // Truth is stored as 1 and 0, which it is here.
  return field.type === 'enum' ? chosen(numbers, textsOf(field)) : (row, to) => digits(numbers[row] as number, to)
}

/** Bytes that sort as the values do; see redis-keys. */
function sortable(column: Column): Put {
  const { field } = column
  if (column.kind === 'bytes') return field.type === 'uuid' ? bytesOf(column) : escaped(column)
  const { numbers } = column
  if (field.type === 'enum') return chosen(numbers, enumSortable(field))
  if (field.type === 'bool') return stored(column)
  return (row, to) => {
    to.reserve(8)
    const at = to.length
    to.length = writeInt64BE(numbers[row] as number, to.bytes, at)
    to.bytes[at] = (to.bytes[at] as number) ^ 0x80
  }
}

/** Texts that end, so that none is a prefix of another. */
function escaped({ bytes, ends }: { bytes: Buffer; ends: Ends }): Put {
  return (row, to) => {
    const from = startOf(ends, row)
    const end = ends[row] as number
    to.reserve(2 * (end - from) + 2)
    for (let at = from; at < end; at++) {
      const byte = bytes[at] as number
      to.bytes[to.length++] = byte
      if (byte === 0) to.bytes[to.length++] = 0xff
    }
    to.bytes[to.length++] = 0
    to.bytes[to.length++] = 0
  }
}

/** An owner's lines as one field: JSON, a list of lists. */
function linesOf(owned: Entity, chunk: Block['owned'][number]): Put {
  const puts = lineFields(owned).map((field) => json(fieldOf(owned, field.name), columnOf(chunk, field.name)))
  return (row, to) => {
    const first = startOf(chunk.ends, row)
    to.append(open)
    for (let line = first; line < (chunk.ends[row] as number); line++) {
      to.append(line === first ? open : nextLine)
      for (let at = 0; at < puts.length; at++) {
        if (at > 0) to.append(comma)
        ;(puts[at] as Put)(line, to)
      }
      to.append(close)
    }
    to.append(close)
  }
}
const [open, close, comma, nextLine] = ['[', ']', ',', ',['].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer]

function json(field: Field, column: Column): Put {
  if (column.kind === 'numbers' && field.type === 'enum')
    return chosen(
      column.numbers,
      textsOf(field).map((text) => Buffer.from(JSON.stringify(text.toString()))),
    )
  if (column.kind === 'numbers' && field.type !== 'bool') return (row, to) => digits(column.numbers[row] as number, to)
  return (row, to) => to.append(Buffer.from(JSON.stringify(plain(field, cell(column, row)))))
}
