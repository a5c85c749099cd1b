/** The bulk load of MongoDB over the wire client: rows go from their columns straight into BSON, and into `insert` with a sequence of documents. */
import type { BSON, Document } from 'mongodb'
import { Loading } from '../../clients/loading.ts'
import { beginMessage, endMessage, type MongoConnection, scanReply } from '../../clients/protocols/mongodb.ts'
import { mongoReplyError } from '../../clients/protocols/mongodb-errors.ts'
import type { LineSource, WireSource } from '../../data/parameters.ts'
import { type Block, type Chunk, type Column, cell, columnOf, startOf } from '../../data/rows.ts'
import type { Value } from '../../data/value.ts'
import { documentOf, nativeGraceMs } from '../../families/document/compile.ts'
import { bind, each } from '../../families/document/marks.ts'
import { embeddedName } from '../../families/document/model.ts'
import { nativeExpiry } from '../../families/document/queries.ts'
import { type Entity, entityOf, type Field, lineFields } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import { beginWriting, compile, type Instruction } from './bson.ts'

type Bson = typeof BSON

/** As many documents as the server takes in one command without splitting its work, or so many bytes. */
const maxDocuments = 1000
const maxBytes = 4_000_000
const sequenceKind = 1
const sequenceName = Buffer.from('documents\0')

export class MongoLoad {
  readonly #connections: MongoConnection[]
  readonly #free: MongoConnection[]
  readonly #bson: Bson
  readonly #compiled: Compiled
  readonly #database: string
  readonly #templates = new Map<string, Instruction>()
  readonly #loading = new Loading()

  /** Each connection has one command under way: while the server works on it the next is written. */
  constructor(connections: MongoConnection[], bson: Bson, compiled: Compiled, database: string) {
    this.#connections = connections
    this.#free = [...connections]
    this.#bson = bson
    this.#compiled = compiled
    this.#database = database
    const reply = { ok: false, n: 0, batch: 0, cursorAt: -1, error: '', transient: false, unknownCommit: false }
    for (const connection of connections) {
      connection.onReply = (bytes, from, to) => {
        scanReply(bytes, from, to, reply)
        if (!reply.ok || reply.error !== '') this.#loading.fail(mongoReplyError(reply.error, `the server refused to load rows: ${reply.error}`))
        this.#free.push(connection)
        this.#loading.wake()
      }
      connection.onClosed = (cause) => this.#loading.fail(cause)
    }
  }

  /** The rows of a block in all of their collections. @throws what the server refused. */
  async block(block: Block): Promise<void> {
    const { scenario, model } = this.#compiled
    const entity = entityOf(scenario, block.entity)
    const embedded = model.stores.find((store) => store.name === block.entity)?.embedded ?? []
    const inside = block.owned.filter((owned) => embedded.includes(owned.entity))
    const expiry = entity.ttlMs === null ? null : expiryOf(block)
    await this.#insert(block.entity, block, expiry, inside)
    for (const owned of block.owned) {
      if (inside.includes(owned)) continue
      await this.#insert(owned.entity, owned, expiry === null ? null : ofOwners(expiry, owned), [])
    }
  }

  /** Resolves when everything is acknowledged. */
  async finish(): Promise<void> {
    await this.#until(this.#connections.length)
  }

  async #insert(collection: string, chunk: Chunk, expiry: Float64Array | null, inside: Block['owned']): Promise<void> {
    const write = this.#template(entityOf(this.#compiled.scenario, collection), chunk, expiry, inside)
    const command = Buffer.from(this.#bson.serialize({ insert: collection, ordered: false, writeConcern: { w: 1 }, $db: this.#database }))
    const rows = new Rows(chunk, expiry, inside)
    const writing = beginWriting(rows, Buffer.alloc(0), (this.#connections[0] as MongoConnection).request)
    for (let row = 0; row < chunk.rows; ) {
      await this.#until(1)
      const connection = this.#free.pop() as MongoConnection
      const { request } = connection
      request.length = 0
      const start = beginMessage(request)
      request.append(command)
      const sequence = beginSequence(request)
      writing.to = request
      for (let documents = 0; row < chunk.rows && documents < maxDocuments && request.length < maxBytes; documents++) {
        rows.row = row++
        write(writing)
      }
      request.bytes.writeInt32LE(request.length - sequence, sequence)
      endMessage(request, start)
      connection.send(0, request.length)
    }
  }

  /** Columns have the same places in every block. */
  #template(entity: Entity, chunk: Chunk, expiry: Float64Array | null, inside: Block['owned']): Instruction {
    const known = this.#templates.get(entity.name)
    if (known !== undefined) return known
    const binds = (columns: Column[], from: 'parameter' | 'line') =>
      new Map(columns.map(({ field }, at) => [field.name, bind(from, at, field.name, field)]))
    const values = binds(chunk.columns, 'parameter')
    const document: Document = documentOf(
      entity,
      (name) => values.get(name),
      expiry === null ? null : bind('parameter', chunk.columns.length, moment.name, moment),
    )
    for (const [at, owned] of inside.entries()) {
      const line = binds(owned.columns, 'line')
      const fields = lineFields(entityOf(this.#compiled.scenario, owned.entity))
      document[embeddedName(entity, owned.entity)] = each('line', at, Object.fromEntries(fields.map(({ name }) => [name, line.get(name)])))
    }
    const template = compile(this.#bson, document)
    this.#templates.set(entity.name, template)
    return template
  }

  /** Resolves when so many connections are free. */
  #until(free: number): Promise<void> {
    return this.#loading.until(() => this.#free.length >= free)
  }
}

/** Of a column that no entity has: when the server may remove a row by itself. */
const moment = { name: nativeExpiry, type: 'timestamp' } as Field

/** The section that documents follow in, up to its first; returns where its length stands. */
function beginSequence(request: MongoConnection['request']): number {
  request.reserve(5)
  request.bytes[request.length] = sequenceKind
  const at = request.length + 1
  request.length += 5
  request.append(sequenceName)
  return at
}

/** By row, ms since the epoch; the time of the row's own `expires_at` in the server's time, and `nativeGraceMs` later. */
function expiryOf(chunk: Chunk): Float64Array {
  const column = columnOf(chunk, 'expires_at')
  const laterMs = Date.now() - chunk.epochMs + nativeGraceMs
  return column.kind === 'numbers' ? column.numbers.map((ms) => ms + laterMs) : new Float64Array()
}

/** Owned rows go with their owners. */
function ofOwners(expiry: Float64Array, { rows, ends }: Block['owned'][number]): Float64Array {
  const lines = new Float64Array(rows)
  for (let owner = 0; owner < ends.length; owner++) lines.fill(expiry[owner] as number, startOf(ends, owner), ends[owner])
  return lines
}

function copyCell(column: Column, row: number, to: Buffer, offset: number): number {
  if (column.kind === 'numbers') throw new TypeError(`${column.field.name} is a number`)
  return offset + column.bytes.copy(to, offset, startOf(column.ends, row), column.ends[row])
}
const cellBytes = (column: Column, row: number) => (column.kind === 'numbers' ? 8 : (column.ends[row] as number) - startOf(column.ends, row))
const cellNumber = (column: Column, row: number) => (column.kind === 'numbers' ? (column.numbers[row] as number) : Number.NaN)

/** One row of a chunk after the other, in the place of an operation's parameters. */
class Rows implements WireSource {
  row = 0
  readonly #columns: Column[]
  readonly #expiry: Float64Array | null
  readonly #lines: Lines[]

  constructor(chunk: Chunk, expiry: Float64Array | null, inside: Block['owned']) {
    this.#columns = chunk.columns
    this.#expiry = expiry
    this.#lines = inside.map((owned) => new Lines(owned))
  }

  next(): void {}
  value = (at: number): Value => cell(this.#columns[at] as Column, this.row)
  values = (): Value[] => this.#columns.map((column) => cell(column, this.row))
  isNull(at: number): boolean {
    return this.#columns[at]?.nulls?.[this.row] === 1
  }
  number(at: number): number {
    return at === this.#columns.length ? (this.#expiry?.[this.row] as number) : cellNumber(this.#columns[at] as Column, this.row)
  }
  write(at: number, to: Buffer, offset: number): number {
    return copyCell(this.#columns[at] as Column, this.row, to, offset)
  }
  maxBytes(at: number): number {
    return cellBytes(this.#columns[at] as Column, this.row)
  }
  lines(at: number): LineSource {
    const lines = this.#lines[at] as Lines
    lines.owner = this.row
    return lines
  }
}

/** The lines of one owner. */
class Lines implements LineSource {
  owner = 0
  readonly #columns: Column[]
  readonly #ends: Uint32Array

  constructor(owned: Block['owned'][number]) {
    this.#columns = owned.columns
    this.#ends = owned.ends
  }

  get count(): number {
    return (this.#ends[this.owner] as number) - startOf(this.#ends, this.owner)
  }
  isNull(line: number, at: number): boolean {
    return this.#columns[at]?.nulls?.[startOf(this.#ends, this.owner) + line] === 1
  }
  number(line: number, at: number): number {
    return cellNumber(this.#columns[at] as Column, startOf(this.#ends, this.owner) + line)
  }
  write(line: number, at: number, to: Buffer, offset: number): number {
    return copyCell(this.#columns[at] as Column, startOf(this.#ends, this.owner) + line, to, offset)
  }
  /** The largest of the owner's: which line it will be is not known here. */
  maxBytes(at: number): number {
    const from = startOf(this.#ends, this.owner)
    let most = 0
    for (let line = 0; line < this.count; line++) most = Math.max(most, cellBytes(this.#columns[at] as Column, from + line))
    return most
  }
}
