/** MongoDB through the wire client: one connection and one logical session per slot; every command of an operation is written when it is sent. */
import { randomBytes } from 'node:crypto'
import type { Document } from 'mongodb'
import { errorCode } from '../../clients/driver-lane.ts'
import { openAll } from '../../clients/open-all.ts'
import { beginMessage, endMessage, MongoConnection, type MongoLogin, type ScannedReply, scanReply } from '../../clients/protocols/mongodb.ts'
import { mongoKey } from '../../clients/protocols/mongodb-errors.ts'
import { backoffMs, mostRetries } from '../../clients/retry.ts'
import { ServerError } from '../../clients/server-error.ts'
import type { WireSource } from '../../data/parameters.ts'
import { writeInt64LE } from '../../data/whole-numbers.ts'
import type { DocumentProgram, DocumentRequest } from '../../families/document/compile.ts'
import { type Operation, writesOf } from '../../scenario/scenario.ts'
import type { Compiled, Lane } from '../engine.ts'
import type { Writing } from './bson.ts'
import { type Driver, MongoDocuments } from './documents.ts'
import { type CommandTemplate, endTemplate, getMore, templatesOf } from './templates.ts'

interface Prepared {
  op: Operation
  program: DocumentProgram
  /** By variant. */
  templates: CommandTemplate[][]
}
interface Shared {
  lane: MongoLane
  driver: Driver
  documents: MongoDocuments
  database: string
  commit: Writes
  abort: Writes
}
type Writes = CommandTemplate['write']

export async function openMongoLane(
  driver: Driver,
  login: MongoLogin,
  compiled: Compiled<DocumentRequest>,
  database: string,
  slots: number,
): Promise<Lane> {
  const connections = await openAll(slots, () => MongoConnection.open(login, driver.BSON))
  return new MongoLane(driver, connections, compiled, database)
}

class MongoLane implements Lane {
  readonly slots: number
  onDone: Lane['onDone'] = () => {}
  onAnswer: Lane['onAnswer'] = () => {}
  readonly #programs: (Prepared | null)[]
  readonly #connections: SlotConnection[]

  constructor(driver: Driver, connections: MongoConnection[], compiled: Compiled<DocumentRequest>, database: string) {
    const documents = new MongoDocuments(driver, compiled)
    this.slots = connections.length
    this.#programs = compiled.operations.map((op, index) => {
      const program = compiled.programs[index] ?? null
      return program === null ? null : { op, program, templates: templatesOf(driver.BSON, documents, database, program) }
    })
    const commit = endTemplate(driver.BSON, compiled.durability, 'commitTransaction')
    const abort = endTemplate(driver.BSON, compiled.durability, 'abortTransaction')
    const shared: Shared = { lane: this, driver, documents, database, commit, abort }
    this.#connections = connections.map((connection, slot) => new SlotConnection(shared, slot, connection))
  }

  send(slot: number, operation: number, params: WireSource, keep: boolean): void {
    ;(this.#connections[slot] as SlotConnection).send(this.#programs[operation] as Prepared, params, keep)
  }

  flush(): void {}

  async [Symbol.asyncDispose]() {
    for (const connection of this.#connections) connection.end()
  }
}

/** Where an operation stands: in its commands, committing, or aborting before it is tried again or given up. */
type Stage = 'idle' | 'commands' | 'commit' | 'abort'

class SlotConnection {
  readonly #shared: Shared
  readonly #slot: number
  readonly #connection: MongoConnection
  readonly #reply: ScannedReply = { ok: false, n: 0, batch: 0, cursorAt: -1, error: '', transient: false, unknownCommit: false }
  readonly #writing: Writing
  /** Where the messages end in the request buffer; of a transaction the last but one commits and the last aborts. */
  readonly #ends: number[] = []
  readonly #commands: CommandTemplate[] = []
  #counted: CommandTemplate | null = null
  #program: Prepared | null = null
  #stage: Stage = 'idle'
  #step = 0
  #count = 0
  /** Rows of the counted command. */
  #result = 0
  #retries = 0
  #commitRetries = 0
  #transaction = 0
  #failure = { code: '', transient: false }
  #keep = false
  /** Documents by command. */
  #found: Document[][] = []
  #closed: Error | null = null

  constructor(shared: Shared, slot: number, connection: MongoConnection) {
    this.#shared = shared
    this.#slot = slot
    this.#connection = connection
    const session = randomBytes(16)
    session[6] = ((session[6] as number) & 0x0f) | 0x40
    session[8] = ((session[8] as number) & 0x3f) | 0x80
    this.#writing = {
      params: null as unknown as WireSource,
      session,
      to: connection.request,
      transactionNumbers: [],
      first: true,
      lines: null,
      line: 0,
      target: [],
    }
    connection.onReply = (bytes, from, to) => this.#received(bytes, from, to)
    connection.onClosed = (cause) => {
      this.#closed = cause
      if (this.#stage !== 'idle') this.#finish('error', 0, errorCode(cause))
    }
  }

  send(program: Prepared, params: WireSource, keep: boolean): void {
    this.#program = program
    this.#stage = 'commands'
    this.#retries = 0
    if (this.#closed !== null) {
      const code = errorCode(this.#closed)
      setImmediate(() => this.#finish('error', 0, code))
      return
    }
    this.#keep = keep
    this.#write(program, params)
    this.#begin(program)
  }

  end(): void {
    this.#closed = new ServerError('connection-lost', 'the lane was closed')
    this.#connection.end()
  }

  #write({ program, templates }: Prepared, params: WireSource): void {
    const writing = this.#writing
    writing.params = params
    writing.to.length = 0
    writing.transactionNumbers.length = 0
    this.#ends.length = 0
    this.#commands.length = 0
    const variant = templates[program.variantAt === null ? 0 : params.number(program.variantAt)] as CommandTemplate[]
    this.#counted = variant[program.counted] as CommandTemplate
    for (let at = 0; at < variant.length; at++) {
      const template = variant[at] as CommandTemplate
      const { unlessEmptyAt } = template.request
      if (unlessEmptyAt !== null && isEmpty(params, unlessEmptyAt)) continue
      writing.first = this.#commands.length === 0
      this.#commands.push(template)
      this.#append(template.write)
    }
    if (!program.atomic) return
    this.#append(this.#shared.commit)
    this.#append(this.#shared.abort)
  }

  #append(write: Writes): void {
    const start = beginMessage(this.#writing.to)
    write(this.#writing)
    endMessage(this.#writing.to, start)
    this.#ends.push(this.#writing.to.length)
  }

  /** Each attempt is a transaction, or retryable write, of its own number. */
  #begin({ templates }: Prepared): void {
    const { transactionNumbers, to } = this.#writing
    if (transactionNumbers.length > 0) this.#transaction++
    for (let at = 0; at < transactionNumbers.length; at++) writeInt64LE(this.#transaction, to.bytes, transactionNumbers[at] as number)
    this.#stage = 'commands'
    this.#step = 0
    this.#count = 0
    this.#result = 0
    this.#commitRetries = 0
    if (this.#keep) this.#found = templates[0]?.map(() => []) ?? []
    this.#sendMessage(0)
  }

  #sendMessage(index: number): void {
    this.#connection.send(index === 0 ? 0 : (this.#ends[index - 1] as number), this.#ends[index] as number)
  }

  #received(bytes: Buffer, from: number, to: number): void {
    const prepared = this.#program
    if (prepared === null || this.#stage === 'idle') return
    const reply = this.#reply
    scanReply(bytes, from, to, reply)
    if (this.#stage === 'abort') this.#again()
    else if (reply.error !== '') this.#failed(prepared, reply)
    else if (this.#stage === 'commit') this.#complete(prepared)
    else this.#advance(prepared, reply, bytes, from, to)
  }

  #advance(prepared: Prepared, reply: ScannedReply, bytes: Buffer, from: number, to: number): void {
    this.#count += reply.batch + reply.n
    if (this.#keep && (reply.batch > 0 || reply.cursorAt >= 0)) this.#collect(bytes.subarray(from, to))
    if (reply.cursorAt >= 0) {
      this.#nextBatch(bytes.subarray(reply.cursorAt, reply.cursorAt + 8))
      return
    }
    const { program } = prepared
    if (this.#commands[this.#step] === this.#counted) this.#result = this.#count
    this.#count = 0
    this.#step++
    if (program.stopWhenEmpty && this.#result === 0) this.#complete(prepared)
    else if (this.#step < this.#commands.length) this.#sendMessage(this.#step)
    else if (program.atomic) {
      this.#stage = 'commit'
      this.#sendMessage(this.#step)
    } else this.#complete(prepared)
  }

  #collect(document: Buffer): void {
    // A copy: binary values are views of what they were read from, which the next reply overwrites.
    const { cursor } = this.#shared.driver.BSON.deserialize(Buffer.from(document)) as { cursor: { firstBatch?: Document[]; nextBatch?: Document[] } }
    this.#found[this.#step]?.push(...(cursor.firstBatch ?? cursor.nextBatch ?? []))
  }

  #nextBatch(cursor: Buffer): void {
    const { collection } = (this.#commands[this.#step] as CommandTemplate).request
    const { to, session } = this.#writing
    const end = this.#ends.at(-1) as number
    const document = getMore(this.#shared.driver.BSON, this.#shared.database, collection, session, cursor)
    to.length = end
    beginMessage(to)
    to.append(document)
    endMessage(to, end)
    this.#connection.send(end, to.length)
  }

  #complete({ op, program }: Prepared): void {
    const rows = this.#result
    const outcome = rows > 0 ? 'ok' : 'miss'
    if (this.#keep) {
      this.#shared.lane.onAnswer(
        this.#slot,
        writesOf(op).length > 0 ? { kind: 'wrote', outcome, rows } : this.#shared.documents.answer(op, program.variants[0] ?? [], this.#found),
      )
    }
    this.#finish(outcome, rows, '')
  }

  /** As the driver's contract says: the commit alone where its outcome is unknown, the whole transaction where that is transient. */
  #failed({ program }: Prepared, { error, transient, unknownCommit }: ScannedReply): void {
    this.#failure = { code: error, transient }
    if (!program.atomic) this.#finish('error', 0, mongoKey(error))
    else if (this.#stage === 'commit' && unknownCommit && this.#commitRetries < mostRetries) {
      this.#commitRetries++
      setTimeout(() => {
        if (this.#closed === null) this.#sendMessage(this.#commands.length)
      }, backoffMs(this.#commitRetries))
    } else if (this.#stage === 'commit') this.#again()
    else {
      this.#stage = 'abort'
      this.#sendMessage(this.#commands.length + 1)
    }
  }

  #again(): void {
    const { code, transient } = this.#failure
    if (!transient || this.#retries === mostRetries) {
      this.#finish('error', 0, mongoKey(code))
      return
    }
    setTimeout(
      () => {
        if (this.#closed === null) this.#begin(this.#program as Prepared)
      },
      backoffMs(this.#retries++),
    )
  }

  #finish(outcome: 'ok' | 'miss' | 'error', rows: number, error: string): void {
    this.#stage = 'idle'
    this.#shared.lane.onDone(this.#slot, outcome, rows, this.#retries, error)
  }
}

const isEmpty = (params: WireSource, at: number) => {
  const value = params.value(at)
  return Array.isArray(value) && value.length === 0
}
