/** The bulk load of Redis over the wire client: rows go from their columns straight into pipelined commands, a block at a time. */

import { eachWord, Gathered } from '../../clients/gathered.ts'
import { Loading } from '../../clients/loading.ts'
import { bulkOf, errorOf, type RedisConnection } from '../../clients/protocols/resp.ts'
import { respError } from '../../clients/protocols/resp-errors.ts'
import { RequestBuffer } from '../../clients/request.ts'
import { type Block, type Chunk, type Column, cell, columnOf, startOf } from '../../data/rows.ts'
import { constantOf } from '../../data/value.ts'
import { writeDigits, writeInt64BE } from '../../data/whole-numbers.ts'
import { scoreOf, setsOf, uniquesOf } from '../../families/key-value/model.ts'
import type { Store } from '../../families/model.ts'
import { type Constant, type Entity, entityOf, type Field, fieldOf, lineFields } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import { enumSortable, leading, linesField, nativeGraceMs, optionalKeys, plain, uniqueHash } from './keys.ts'

/** Appends what a row has. */
type Put = (row: number, to: RequestBuffer) => void
type Ends = Uint32Array

const commandOf = (words: number, ...first: (string | Buffer)[]) => Buffer.concat([Buffer.from(`*${words}\r\n`), ...first.map(bulkOf)])
const noScore = bulkOf('0')
const widestNumber = 24
/** Most values are 10 to 99 bytes long. */
const lengthBytes = '$00\r\n'.length
const maxMembers = 1000
const [dollar, carriage, newline] = [...'$\r\n'].map((letter) => letter.charCodeAt(0)) as [number, number, number]

export class RedisLoad {
  readonly #connection: RedisConnection
  readonly #compiled: Compiled
  /** One is built while the server works on the other. */
  #building = new RequestBuffer()
  #sent = new RequestBuffer()
  readonly #scratch = new RequestBuffer()
  /** Members of the sorted sets, by set. */
  readonly #gathered = new Gathered()
  #commands = 0
  #pending = 0
  readonly #loading = new Loading()

  constructor(connection: RedisConnection, compiled: Compiled) {
    this.#connection = connection
    this.#compiled = compiled
    connection.onReply = (bytes, from, to) => {
      const code = errorOf(bytes, from, to)
      if (code !== '') this.#loading.fail(respError(bytes.toString('utf8', from + 1, to - 2)))
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
    if (this.#gathered.full) this.#sets()
    await this.#send()
  }

  /** Resolves when everything is acknowledged. */
  async finish(): Promise<void> {
    this.#sets()
    await this.#send()
    await this.#answered()
  }

  #answered(): Promise<void> {
    return this.#loading.until(() => this.#pending === 0)
  }

  async #send(): Promise<void> {
    await this.#answered()
    ;[this.#building, this.#sent] = [this.#sent, this.#building]
    this.#building.length = 0
    this.#pending = this.#commands
    this.#commands = 0
    if (this.#pending > 0) this.#connection.send(this.#sent)
  }

  /** Each row's commands: its hash with its embedded lines, its life, the sets it stands in, its unique values. */
  #rows(entity: Entity, chunk: Chunk, inside: Block['owned']): void {
    const { scenario, model } = this.#compiled
    const key = joined(entity.key.map((name) => sortable(columnOf(chunk, name))))
    const hash = prefixed(`${entity.name}:`, key)
    const lines = inside.map((owned) => ({
      name: bulkOf(linesField(owned.entity)),
      put: linesOf(entityOf(scenario, owned.entity), owned),
      nulls: undefined,
    }))
    const fields = [...chunk.columns.map((column) => ({ name: bulkOf(column.field.name), put: stored(column), nulls: column.nulls })), ...lines]
    const heads = Array.from({ length: fields.length + 1 }, (_, count) => commandOf(2 + 2 * count, 'HSET'))
    const optional = chunk.columns.flatMap(({ nulls }) => nulls ?? [])
    const places = [
      ...(entity.ttlMs === null ? [] : [this.#life(chunk, hash, scenario.epochMs)]),
      ...uniquesOf(model.stores, entity.name).map((store) => this.#unique(store, chunk, key)),
    ]
    for (const store of setsOf(model.stores, entity.name)) this.#members(store, entity, chunk, key)
    const to = this.#building
    for (let row = 0; row < chunk.rows; row++) {
      this.#commands++
      let count = fields.length
      for (let at = 0; at < optional.length; at++) count -= (optional[at] as Uint8Array)[row] as number
      to.append(heads[count] as Buffer)
      bulk(hash, row, to)
      for (let at = 0; at < fields.length; at++) {
        const { name, put, nulls } = fields[at] as (typeof fields)[number]
        if (nulls?.[row] === 1) continue
        to.append(name)
        bulk(put, row, to)
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

  /** Gathers the members of a sorted set, each behind its score. */
  #members(store: Store, entity: Entity, chunk: Chunk, key: Put): void {
    const bytes = joined([...leading(entity, store).map((name) => sortable(columnOf(chunk, name))), key])
    const field = scoreOf(store)
    const score = field === null ? null : stored(columnOf(chunk, field))
    const member: Put = (row, to) => {
      if (score === null) to.append(noScore)
      else bulk(score, row, to)
      bulk(bytes, row, to)
    }
    const token = store.columns.find((each) => each.role === 'token')
    if (token !== undefined) {
      const name = Buffer.from(`${store.name}:`).toString('latin1')
      eachWord(chunk, token.field, (word, row) => this.#gathered.add(name + word, (to) => member(row, to)))
      return
    }
    const set = prefixed(`${store.name}:`, joined(store.partition.map((name) => sortable(columnOf(chunk, name)))))
    const keys = optionalKeys(entity, store).map((name) => columnOf(chunk, name).nulls as Uint8Array)
    const filters = (store.where ?? []).map(({ field, constant: value }) => ({
      column: columnOf(chunk, field),
      value: constantOf(entity, field, value as Constant),
    }))
    for (let row = 0; row < chunk.rows; row++) {
      if (keys.some((nulls) => nulls[row] === 1) || !filters.every(({ column, value }) => cell(column, row) === value)) continue
      this.#scratch.length = 0
      set(row, this.#scratch)
      this.#gathered.add(this.#scratch.bytes.toString('latin1', 0, this.#scratch.length), (to) => member(row, to))
    }
  }

  /** One command for many members of one set. */
  #sets(): void {
    for (const { place, rows, append } of this.#gathered.drain()) {
      const key = bulkOf(Buffer.from(place, 'latin1'))
      for (let from = 0; from < rows.length; from += maxMembers) {
        const some = rows.slice(from, from + maxMembers)
        this.#commands++
        this.#building.append(commandOf(2 + 2 * some.length, 'ZADD'))
        this.#building.append(key)
        for (const row of some) append(row, this.#building)
      }
    }
  }

  #command(head: Buffer, words: Put[]): (row: number) => void {
    return (row) => this.#write(head, words, row)
  }

  #write(head: Buffer, words: Put[], row: number): void {
    this.#commands++
    this.#building.append(head)
    for (let at = 0; at < words.length; at++) bulk(words[at] as Put, row, this.#building)
  }
}

/** A value behind its length, which is known once it is written. */
function bulk(put: Put, row: number, to: RequestBuffer): void {
  to.reserve(lengthBytes)
  const start = to.length
  const first = start + lengthBytes
  to.length = first
  put(row, to)
  const length = to.length - first
  to.reserve(widestNumber)
  const { bytes } = to
  const digits = length < 10 ? 1 : length < 100 ? 2 : String(length).length
  if (digits !== 2) {
    bytes.copyWithin(first + digits - 2, first, to.length)
    to.length += digits - 2
  }
  bytes[start] = dollar
  let at = writeDigits(length, bytes, start + 1)
  bytes[at++] = carriage
  bytes[at++] = newline
  bytes[to.length++] = carriage
  bytes[to.length++] = newline
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
    to.appendPart(bytes, startOf(ends, row), ends[row] as number)
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
  const put = valuedJson(field, column)
  const { nulls } = column
  return nulls === undefined ? put : (row, to) => (nulls[row] === 1 ? to.append(nothing) : put(row, to))
}
const nothing = Buffer.from('null')

function valuedJson(field: Field, column: Column): Put {
  if (column.kind === 'numbers' && field.type === 'enum')
    return chosen(
      column.numbers,
      textsOf(field).map((text) => Buffer.from(JSON.stringify(text.toString()))),
    )
  if (column.kind === 'numbers' && field.type !== 'bool') return (row, to) => digits(column.numbers[row] as number, to)
  return (row, to) => {
    const text = JSON.stringify(plain(field, cell(column, row)))
    to.reserve(3 * text.length)
    to.length += to.bytes.write(text, to.length)
  }
}
