/** The bulk load of Cassandra over the wire client: rows go from their columns straight into unlogged batches, several of which are in flight. */

import { eachWord, Gathered } from '../../clients/gathered.ts'
import { Loading } from '../../clients/loading.ts'
import type { CqlConnection } from '../../clients/protocols/cql.ts'
import { cqlError } from '../../clients/protocols/cql-errors.ts'
import { batchStatement, beginBatch, endBatch, errorName, type PreparedStatement, writeNumber } from '../../clients/protocols/cql-messages.ts'
import { RequestBuffer } from '../../clients/request.ts'
import { type Block, type Chunk, type Column, cell, columnOf, startOf } from '../../data/rows.ts'
import { constantOf } from '../../data/value.ts'
import { writeInt32BE } from '../../data/whole-numbers.ts'
import { bucketOf } from '../../families/buckets.ts'
import type { Store, StoreColumn } from '../../families/model.ts'
import { type Constant, type Entity, entityOf } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import { insertRow, rowKeys } from './cql.ts'
import { type CassandraRows, lifeOfLines, nativeTtlSeconds } from './rows.ts'
import { consistencies } from './talk.ts'
import { unset, writeBytes, writeLength, writeValue } from './templates.ts'

const batchesInFlight = 4
/** A node that flushes and compacts may be late with a batch: all of it may be written again. */
const maxTries = 5
const late = new Set(['WriteTimeout', 'Overloaded'])
/** Well below the 50 KiB at which a node of the distribution's settings refuses a batch, unless one row alone is larger. */
const maxBatchBytes = 16_384
const maxBatchRows = 100
const widestNumber = 32
/** Below every version that an operation gives, and not absent. */
const firstVersion = 0

/** Writes one value of a row, length first. */
type Put = (row: number, to: RequestBuffer) => void
interface Insert {
  /** The statement of a row, as a batch carries it. */
  write: Put
  /** The values of its partition alone. */
  partition: Put
}

export class CassandraLoad {
  readonly #connection: CqlConnection
  readonly #compiled: Compiled
  readonly #rows: CassandraRows
  readonly #prepared = new Map<string, PreparedStatement>()
  readonly #streams = Array.from({ length: batchesInFlight }, (_, stream) => stream)
  /** By stream, what was sent on it last. */
  readonly #sent: { message: Buffer; tries: number }[] = []
  readonly #loading = new Loading()
  /** Rows that share their partitions with others, by partition. */
  readonly #gathered = new Gathered()
  readonly #scratch = new RequestBuffer()
  /** Of the row that is written: its word, and the owner whose partition its line belongs to. */
  #word: Buffer = Buffer.alloc(0)
  #owner = 0
  readonly #repeats: Buffer[] = []
  /** Of the batch that is being written: where it starts, and its statements so far. */
  #start = 0
  #statements = 0

  constructor(connection: CqlConnection, compiled: Compiled, rows: CassandraRows) {
    this.#connection = connection
    this.#compiled = compiled
    this.#rows = rows
    connection.onReply = (stream, code, bytes, from) => {
      if (code >= 0 && this.#again(stream, errorName(code))) return
      this.#streams.push(stream)
      if (code >= 0) this.#loading.fail(cqlError(errorName(code), bytes.toString('utf8', from + 6, from + 6 + bytes.readUInt16BE(from + 4))))
      this.#loading.wake()
    }
    connection.onClosed = (cause) => this.#loading.fail(cause)
  }

  /** The rows of a block in all of their stores. @throws what the server refused. */
  async block(block: Block): Promise<void> {
    const { scenario, model } = this.#compiled
    for (const store of model.stores) {
      if (store.entity === block.entity) await this.#owners(store, block)
      for (const owned of block.owned) if (store.entity === owned.entity) await this.#all(store, entityOf(scenario, owned.entity), owned)
    }
    if (this.#gathered.full) await this.#partitions()
  }

  /** Resolves when everything is acknowledged. */
  async finish(): Promise<void> {
    await this.#partitions()
    await this.#acknowledged()
  }

  async #acknowledged(): Promise<void> {
    this.#send()
    await this.#until(batchesInFlight)
  }

  /** Rows of one partition follow one another: the server writes them at once. */
  async #partitions(): Promise<void> {
    for (const { rows, append } of this.#gathered.drain()) for (const row of rows) if (this.#write(append, row)) await this.#until(1)
  }

  /** An owner and its embedded lines follow one another: they are one partition. */
  async #owners(store: Store, block: Block): Promise<void> {
    const entity = entityOf(this.#compiled.scenario, block.entity)
    const lines = block.owned.filter((owned) => store.embedded.includes(owned.entity))
    if (lines.length === 0) {
      await this.#all(store, entity, block)
      return
    }
    const { write } = await this.#insert(store, entity, block)
    const writes: Put[] = []
    for (const owned of lines) writes.push(await this.#lineInsert(store, owned, block))
    for (let row = 0; row < block.rows; row++) {
      this.#owner = row
      if (this.#write(write, row)) await this.#until(1)
      for (let at = 0; at < lines.length; at++) {
        const { ends } = lines[at] as Block['owned'][number]
        const own = writes[at] as Put
        for (let line = startOf(ends, row); line < (ends[row] as number); line++) if (this.#write(own, line)) await this.#until(1)
      }
    }
  }

  async #all(store: Store, entity: Entity, chunk: Chunk): Promise<void> {
    const { write, partition } = await this.#insert(store, entity, chunk)
    const holds = heldBy(store, entity, chunk)
    if (store.clustering.length === 0) {
      for (let row = 0; row < chunk.rows; row++) if (holds(row) && this.#write(write, row)) await this.#until(1)
      return
    }
    const gather = (row: number) => {
      this.#scratch.length = 0
      partition(row, this.#scratch)
      const place = `${store.name} ${this.#scratch.bytes.toString('latin1', 0, this.#scratch.length)}`
      this.#gathered.add(place, (to) => write(row, to))
    }
    const token = store.columns.find((column) => column.role === 'token')
    if (token === undefined) {
      for (let row = 0; row < chunk.rows; row++) if (holds(row)) gather(row)
    } else
      eachWord(chunk, token.field, (word, row) => {
        this.#word = Buffer.from(word, 'latin1')
        gather(row)
      })
  }

  async #insert(store: Store, entity: Entity, chunk: Chunk): Promise<Insert> {
    const columns = this.#rows.insertColumns(store, entity)
    const life = lifeOf(this.#compiled, entity, chunk)
    const prepared = await this.#prepare(store, columns, life !== null)
    const puts = columns.map(
      (column, at): Put =>
        column.role === 'token' ? (_, to) => writeBytes(to, this.#word) : putOf(store, column, prepared.parameters[at]?.type ?? 0, chunk),
    )
    const partition = puts.filter((_, at) => store.partition.includes((columns[at] as StoreColumn).name))
    return { write: statement(prepared, life === null ? puts : [...puts, life]), partition: inTurn(partition) }
  }

  /** The key of a line's partition is its owner's. */
  async #lineInsert(store: Store, owned: Chunk, block: Block): Promise<Put> {
    const columns = this.#rows.lineColumns(store, owned.entity)
    const life = lifeOf(this.#compiled, entityOf(this.#compiled.scenario, owned.entity), owned)
    const prepared = await this.#prepare(store, columns, life !== null)
    const puts = columns.map((column, at): Put => {
      const type = prepared.parameters[at]?.type ?? 0
      if (column.name !== store.partition[0]) return putOf(store, column, type, owned)
      const put = putOf(store, column, type, block)
      return (_, to) => put(this.#owner, to)
    })
    return statement(prepared, life === null ? puts : [...puts, life])
  }

  async #prepare(store: Store, columns: StoreColumn[], expiring: boolean): Promise<PreparedStatement> {
    const text = insertRow(
      store,
      columns.map((column) => column.name),
      expiring ? ['TTL'] : [],
    )
    const known = this.#prepared.get(text)
    if (known !== undefined) return known
    // A statement that is prepared travels in the buffer that a batch is written into.
    await this.#acknowledged()
    const prepared = await this.#connection.prepare(text)
    this.#prepared.set(text, prepared)
    return prepared
  }

  /** Whether no more batches may be in flight. */
  #write(put: Put, row: number): boolean {
    const { request, version } = this.#connection
    if (this.#statements === 0) this.#start = beginBatch(request, version, this.#streams.at(-1) as number, 'unlogged')
    put(row, request)
    this.#statements++
    if (request.length - this.#start < maxBatchBytes && this.#statements < maxBatchRows) return false
    this.#send()
    return this.#streams.length === 0
  }

  #send(): void {
    if (this.#statements === 0) return
    const { request, version } = this.#connection
    endBatch(request, version, this.#start, consistencies.one, this.#statements)
    this.#sent[this.#streams.pop() as number] = { message: Buffer.from(request.bytes.subarray(this.#start, request.length)), tries: 1 }
    this.#statements = 0
    this.#connection.flush()
  }

  /** Sends a batch again that the node was late with; false: it has another answer, or was sent often enough. */
  #again(stream: number, error: string): boolean {
    const sent = this.#sent[stream]
    if (sent === undefined || !late.has(error) || ++sent.tries > maxTries) return false
    this.#repeats.push(sent.message)
    this.#loading.wake()
    return true
  }

  /** Resolves when so many more batches may be sent. */
  #until(free: number): Promise<void> {
    return this.#loading.until(() => {
      if (this.#streams.length >= free) return true
      // Between batches: a reply may come while one is being written.
      for (const message of this.#repeats.splice(0)) {
        this.#connection.request.append(message)
        this.#connection.flush()
      }
      return false
    })
  }
}

/** Which rows of a chunk a store has: of those with a constant, and with a value of all that is in its key. */
function heldBy(store: Store, entity: Entity, chunk: Chunk): (row: number) => boolean {
  const keys = rowKeys(store).flatMap((name) => chunk.columns.filter(({ field, nulls }) => field.name === name && nulls !== undefined))
  const filters = (store.where ?? []).map(({ field, constant }) => ({
    column: columnOf(chunk, field),
    value: constantOf(entity, field, constant as Constant),
  }))
  return (row) => keys.every(({ nulls }) => nulls?.[row] !== 1) && filters.every(({ column, value }) => cell(column, row) === value)
}

function statement(prepared: PreparedStatement, puts: Put[]): Put {
  const values = inTurn(puts)
  return (row, to) => {
    batchStatement(to, prepared)
    values(row, to)
  }
}

function inTurn(puts: Put[]): Put {
  return (row, to) => {
    for (let at = 0; at < puts.length; at++) (puts[at] as Put)(row, to)
  }
}

function putOf(store: Store, column: StoreColumn, type: number, chunk: Chunk): Put {
  if (column.role === 'version') return (_, to) => writeValue(to, type, 0, firstVersion)
  const source = columnOf(chunk, column.field)
  const put = filledPut(store, column, type, source)
  const { nulls } = source
  return nulls === undefined ? put : (row, to) => (nulls[row] === 1 ? writeLength(to, unset) : put(row, to))
}

function filledPut(store: Store, column: StoreColumn, type: number, source: Column): Put {
  if (source.kind === 'bytes') {
    const { bytes, ends } = source
    return (row, to) => {
      const from = startOf(ends, row)
      const end = ends[row] as number
      to.reserve(4)
      to.length = writeInt32BE(end - from, to.bytes, to.length)
      to.appendPart(bytes, from, end)
    }
  }
  const { numbers, field } = source
  if (column.role === 'bucket') {
    const { unit } = store.bucket as NonNullable<Store['bucket']>
    return (row, to) => writeValue(to, type, 0, bucketOf(unit, numbers[row] as number))
  }
  if (field.type === 'enum' && field.generator.kind === 'enum') {
    const texts = field.generator.values.map((value) => Buffer.from(value))
    return (row, to) => writeBytes(to, texts[numbers[row] as number] as Buffer)
  }
  return (row, to) => {
    to.reserve(widestNumber)
    to.length = writeNumber(type, numbers[row] as number, field.scale, to.bytes, to.length)
  }
}

/** The native time to live of a chunk's rows; null where they stay. */
function lifeOf({ scenario }: Compiled, entity: Entity, chunk: Chunk): Put | null {
  const clockMs = Date.now()
  const put = (to: RequestBuffer, lifeMs: number) => {
    to.reserve(8)
    to.length = to.bytes.writeInt32BE(nativeTtlSeconds(lifeMs, clockMs), to.bytes.writeInt32BE(4, to.length))
  }
  if (entity.ttlMs !== null) {
    const expires = columnOf(chunk, 'expires_at') as Extract<Column, { kind: 'numbers' }>
    return (row, to) => put(to, (expires.numbers[row] as number) - scenario.epochMs)
  }
  const lifeMs = lifeOfLines(scenario, entity)
  return lifeMs === null ? null : (_, to) => put(to, lifeMs)
}
