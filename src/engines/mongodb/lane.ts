/** MongoDB through the wire client: one connection and one logical session per slot. */
import { randomBytes } from 'node:crypto'
import type { Document } from 'mongodb'
import { openFor } from '../../clients/open-all.ts'
import {
  beginMessage,
  endMessage,
  MongoConnection,
  type MongoLogin,
  numberInFirst,
  type ScannedReply,
  scanReply,
} from '../../clients/protocols/mongodb.ts'
import { mongoKey } from '../../clients/protocols/mongodb-errors.ts'
import { type Exchange, SlotLane } from '../../clients/slot-lane.ts'
import { noParameters, type WireSource } from '../../data/parameters.ts'
import { writeInt64LE } from '../../data/whole-numbers.ts'
import type { DocumentRequest } from '../../families/document/compile.ts'
import type { Compiled, Lane } from '../engine.ts'
import { beginWriting, type Instruction, type Writing } from './bson.ts'
import { type Driver, MongoDocuments } from './documents.ts'
import { type CommandTemplate, endTemplate, getMore, templatesOf } from './templates.ts'

interface Shared {
  driver: Driver
  database: string
  commit: Instruction
  abort: Instruction
}

export function openMongoLane(
  driver: Driver,
  login: MongoLogin,
  compiled: Compiled<DocumentRequest>,
  database: string,
  slots: number,
): Promise<Lane> {
  const open = () => MongoConnection.open(login, driver.BSON)
  return openFor(slots, open, (connections) => {
    const documents = new MongoDocuments(driver, compiled)
    const programs = compiled.operations.map((op, index) => {
      const program = compiled.programs[index] ?? null
      return program === null ? null : { op, program, templates: templatesOf(driver.BSON, documents, database, program) }
    })
    const commit = endTemplate(driver.BSON, compiled.durability, 'commitTransaction')
    const abort = endTemplate(driver.BSON, compiled.durability, 'abortTransaction')
    return new SlotLane(
      programs,
      connections.map((connection) => new MongoExchange({ driver, database, commit, abort }, connection)),
      ({ op, templates: [first = []] }, found) => documents.answer(op, first, found),
    )
  })
}

class MongoExchange implements Exchange<CommandTemplate, Document[]> {
  onReplied: Exchange<CommandTemplate, Document[]>['onReplied'] = () => {}
  onClosed: Exchange<CommandTemplate, Document[]>['onClosed'] = () => {}
  keep = false
  found: Document[] = []
  readonly #shared: Shared
  readonly #connection: MongoConnection
  readonly #reply: ScannedReply = { ok: false, n: 0, batch: 0, cursorAt: -1, error: '', transient: false, unknownCommit: false }
  readonly #writing: Writing
  #transaction = 0
  #template: CommandTemplate | null = null
  #told = 0
  /** Rows of all batches so far. */
  #rows = 0
  /** Where the operation's requests end. */
  #end = 0

  constructor(shared: Shared, connection: MongoConnection) {
    this.#shared = shared
    this.#connection = connection
    const session = randomBytes(16)
    session[6] = ((session[6] as number) & 0x0f) | 0x40
    session[8] = ((session[8] as number) & 0x3f) | 0x80
    this.#writing = beginWriting(noParameters, session, connection.request)
    connection.onReply = (bytes, from, to) => this.#received(bytes, from, to)
    connection.onClosed = (cause) => this.onClosed(cause)
  }

  get request() {
    return this.#connection.request
  }

  keyOf(error: string): string {
    return mongoKey(error)
  }

  write({ write }: CommandTemplate, params: WireSource, first: boolean): void {
    const writing = this.#writing
    writing.params = params
    writing.first = first
    if (first) writing.transactionNumbers.length = 0
    this.#append(write)
  }

  commit(): void {
    this.#append(this.#shared.commit)
  }
  abort(): void {
    this.#append(this.#shared.abort)
  }

  /** Each attempt is a transaction, or retryable write, of its own number. */
  renew(): void {
    const { transactionNumbers, to } = this.#writing
    if (transactionNumbers.length > 0) this.#transaction++
    for (let at = 0; at < transactionNumbers.length; at++) writeInt64LE(this.#transaction, to.bytes, transactionNumbers[at] as number)
  }

  send(from: number, to: number, template: CommandTemplate | null): void {
    this.#template = template
    this.#rows = 0
    if (this.keep) this.found = []
    if (template?.compares) writeInt64LE(this.#told, this.request.bytes, this.#writing.readAt)
    this.#connection.send(from, to)
  }

  end(): void {
    this.#connection.end()
  }

  #append(write: Instruction): void {
    const { to } = this.#writing
    const start = beginMessage(to)
    write(this.#writing)
    endMessage(to, start)
    this.#end = to.length
  }

  #received(bytes: Buffer, from: number, to: number): void {
    const reply = this.#reply
    scanReply(bytes, from, to, reply)
    this.#rows += reply.batch + reply.n
    if (this.#template?.tells && reply.batch > 0) this.#told = numberInFirst(bytes, from, to, this.#template.told)
    if (this.keep && reply.error === '' && (reply.batch > 0 || reply.cursorAt >= 0)) this.#collect(bytes.subarray(from, to))
    if (reply.error === '' && reply.cursorAt >= 0 && this.#template !== null)
      this.#nextBatch(this.#template, bytes.subarray(reply.cursorAt, reply.cursorAt + 8))
    else this.onReplied(this.#rows, reply.error, reply.transient, reply.unknownCommit)
  }

  #collect(document: Buffer): void {
    // A copy: binary values are views of what they were read from, which the next reply overwrites.
    const { cursor } = this.#shared.driver.BSON.deserialize(Buffer.from(document)) as { cursor: { firstBatch?: Document[]; nextBatch?: Document[] } }
    this.found.push(...(cursor.firstBatch ?? cursor.nextBatch ?? []))
  }

  #nextBatch({ collection }: CommandTemplate, cursor: Buffer): void {
    const { to, session } = this.#writing
    const document = getMore(this.#shared.driver.BSON, this.#shared.database, collection, session, cursor)
    to.length = this.#end
    beginMessage(to)
    to.append(document)
    endMessage(to, this.#end)
    this.#connection.send(this.#end, to.length)
  }
}
