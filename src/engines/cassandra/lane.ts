/** Cassandra through the wire client: every slot has streams of one connection; single statements are written from templates, others hold their conversation. */

import { type Carrier, carry, conversing } from '../../clients/conversation.ts'
import { errorCode } from '../../clients/driver-lane.ts'
import { CqlConnection, type CqlLogin, maxStreams } from '../../clients/protocols/cql.ts'
import { cqlKey } from '../../clients/protocols/cql-errors.ts'
import {
  batchStatement,
  beginBatch,
  beginExecute,
  decodeRows,
  endBatch,
  endMessage,
  errorName,
  executeHead,
  executeTail,
  hasMorePages,
  type PreparedStatement,
  unprepared,
} from '../../clients/protocols/cql-messages.ts'
import { ServerError, unfit, unreadable } from '../../clients/server-error.ts'
import type { WireSource } from '../../data/parameters.ts'
import type { Compiled, Lane, OutcomeCode, Reply } from '../engine.ts'
import { CassandraOperations } from './operations.ts'
import type { Cql, CqlResult, Request, Talk } from './talk.ts'
import { type Template, type Templates, templatesOf, unset, type Writer, writeLength, writeValue } from './templates.ts'

/** A conversation sends at most so many requests side by side. */
const streamsPerSlot = 8

interface Program {
  templates: Templates | null
  converse(params: WireSource): Talk<Reply>
}

export async function openCassandraLane(login: CqlLogin, compiled: Compiled<string>, slots: number): Promise<Lane> {
  const connection = await CqlConnection.open(login)
  try {
    const lane = new CassandraLane(connection, compiled, Math.min(slots, Math.floor(maxStreams / streamsPerSlot)))
    await lane.prepareOperations()
    return lane
  } catch (error) {
    connection.end()
    throw error
  }
}

class CassandraLane implements Lane {
  readonly slots: number
  onDone: Lane['onDone'] = () => {}
  onAnswer: Lane['onAnswer'] = () => {}
  readonly connection: CqlConnection
  readonly #operations: CassandraOperations
  readonly #compiled: Compiled<string>
  readonly #prepared = new Map<string, PreparedStatement>()
  readonly #slots: Slot[]
  #programs: Program[] = []
  #closed: ServerError | null = null

  constructor(connection: CqlConnection, compiled: Compiled<string>, slots: number) {
    this.slots = slots
    this.connection = connection
    this.#compiled = compiled
    this.#operations = new CassandraOperations(compiled)
    this.#slots = Array.from({ length: slots }, (_, slot) => new Slot(this, slot))
    connection.onReply = (stream, code, bytes, from) => {
      const slot = this.#slots[Math.floor(stream / streamsPerSlot)]
      if (slot === undefined) throw unreadable(`a reply on stream ${stream}, on which nothing was asked`)
      slot.received(stream % streamsPerSlot, code, bytes, from)
    }
    connection.onClosed = (cause) => {
      this.#closed = cause
      for (const slot of this.#slots) slot.fail(cause.key)
    }
  }

  async prepareOperations(): Promise<void> {
    for (const [operation, op] of this.#compiled.operations.entries()) {
      const excused = this.#compiled.programs[operation] === null
      this.#programs.push({
        templates: excused ? null : await templatesOf(this.#compiled, op, (text) => this.prepare(text)),
        converse: conversing(this.#compiled, op, (bound) => this.#operations.perform(operation, bound)),
      })
    }
  }

  /** Statements of conversations are prepared when they are met first, which is in the warm-up at the latest. */
  prepared(text: string): PreparedStatement | undefined {
    return this.#prepared.get(text)
  }

  async prepare(text: string): Promise<PreparedStatement> {
    const prepared = await this.connection.prepare(text)
    this.#prepared.set(text, prepared)
    return prepared
  }

  /** The server has forgotten a statement: it is told all of them again, for the operations that follow. */
  prepareAgain(): void {
    for (const text of this.#prepared.keys()) this.prepare(text).catch(() => {})
  }

  send(slot: number, operation: number, params: WireSource, keep: boolean): void {
    const to = this.#slots[slot] as Slot
    to.begin(keep)
    if (this.#closed === null) to.send(this.#programs[operation] as Program, params)
    else {
      const code = this.#closed.key
      setImmediate(() => to.fail(code))
    }
  }

  flush(): void {
    this.connection.flush()
  }

  async [Symbol.asyncDispose]() {
    this.#closed = new ServerError('connection-lost', 'the lane was closed')
    this.connection.end()
  }
}

/** What is under way on the streams of one slot. */
class Slot {
  readonly #lane: CassandraLane
  readonly #slot: number
  #busy = false
  #keep = false
  #program: Program | null = null
  #params: WireSource | null = null
  #template: Template | null = null
  #nowMs = 0
  #talk: Talk<Reply> | null = null
  #prepared: (PreparedStatement | null)[] = []
  #results: CqlResult[] = []
  #pending = 0
  #error = ''
  readonly #carrier: Carrier<Request[]> = {
    ask: (requests) => this.#ask(requests),
    answered: (reply) => {
      if (this.#keep) this.#lane.onAnswer(this.#slot, reply.answer())
    },
    finish: (outcome, rows, retries, error) => this.#finish(outcome, rows, retries, error),
  }

  constructor(lane: CassandraLane, slot: number) {
    this.#lane = lane
    this.#slot = slot
  }

  begin(keep: boolean): void {
    this.#busy = true
    this.#keep = keep
    this.#error = ''
  }

  send(program: Program, params: WireSource): void {
    const { templates } = program
    this.#program = program
    this.#params = params
    if (templates === null) {
      this.#openTalk(program, params)
      return
    }
    const template = templates.variants[templates.deepAt < 0 ? 0 : params.number(templates.deepAt)] as Template
    this.#template = template
    if (templates.nowAt >= 0) this.#nowMs = params.number(templates.nowAt)
    if (!this.#execute(template, params)) return
    this.#pending = 1
    this.#talk = this.#keep ? program.converse(params) : null
    this.#talk?.next()
  }

  /** With a conversation, from its first request on. */
  #openTalk(program: Program, params: WireSource): void {
    this.#template = null
    const talk = program.converse(params)
    this.#talk = talk
    carry(() => talk.next(), this.#carrier)
  }

  /** Whether the request was written: a value that its column cannot hold leaves nothing of it, and is told. */
  #execute(template: Template, params: WireSource): boolean {
    const { request, version } = this.#lane.connection
    const before = request.length
    try {
      const start = beginExecute(request, version, this.#slot * streamsPerSlot, template.head)
      for (let at = 0; at < template.writers.length; at++) (template.writers[at] as Writer)(params, request)
      request.append(template.tail)
      endMessage(request, start)
      return true
    } catch (error) {
      request.length = before
      const { key } = unfit(error)
      setImmediate(() => this.fail(key))
      return false
    }
  }

  received(index: number, code: number, bytes: Buffer, from: number): void {
    if (!this.#busy) return
    this.#pending--
    if (code >= 0) {
      if (code === unprepared) this.#lane.prepareAgain()
      this.#error = cqlKey(errorName(code))
    }
    const template = this.#template
    if (this.#error === '' && template !== null) {
      const rows = template.rows(bytes, from, this.#nowMs)
      // Too many of the first page had expired: the conversation goes on for as long as it takes.
      if (rows < template.pageRows && hasMorePages(bytes, from)) this.#openTalk(this.#program as Program, this.#params as WireSource)
      else if (this.#talk === null) this.#finish(rows > 0 ? 'ok' : 'miss', rows, 0, '')
      else this.#proceed([decodeRows(bytes, from, template.prepared.columns)], rows)
      return
    }
    if (this.#error === '') this.#results[index] = decodeRows(bytes, from, this.#prepared[index]?.columns ?? [])
    if (this.#pending > 0) return
    if (this.#error === '') this.#proceed(this.#results)
    else this.#finish('error', 0, 0, this.#error)
  }

  #proceed(results: CqlResult[], counted?: number): void {
    carry(() => (this.#talk as Talk<Reply>).next(results), this.#carrier, counted)
  }

  fail(error: string): void {
    if (this.#busy) this.#finish('error', 0, 0, error)
  }

  #ask(requests: Request[]): void {
    const unknown = requests
      .flatMap((request) => request.statements.map((each) => each.query))
      .filter((text) => this.#lane.prepared(text) === undefined)
    if (unknown.length > 0) {
      Promise.all([...new Set(unknown)].map((text) => this.#lane.prepare(text))).then(
        () => {
          this.#ask(requests)
          this.#lane.flush()
        },
        (error: unknown) => this.fail(errorCode(error)),
      )
      return
    }
    const { request } = this.#lane.connection
    const before = request.length
    try {
      this.#prepared = requests.map((each, index) => this.#write(each, this.#slot * streamsPerSlot + index))
    } catch (error) {
      request.length = before
      const { key } = unfit(error)
      setImmediate(() => this.fail(key))
      return
    }
    this.#pending = requests.length
    this.#results = []
  }

  /** Returns the statement whose columns the rows will have; of a batch none. */
  #write({ statements, consistency, pageState, pageRows }: Request, stream: number): PreparedStatement | null {
    const { request, version } = this.#lane.connection
    if (statements.length > 1) {
      const start = beginBatch(request, version, stream, 'logged')
      for (const statement of statements) {
        const prepared = this.#lane.prepared(statement.query) as PreparedStatement
        batchStatement(request, prepared)
        this.#writeValues(statement, prepared)
      }
      endBatch(request, version, start, consistency, statements.length)
      return null
    }
    const [statement] = statements as [Cql]
    const prepared = this.#lane.prepared(statement.query) as PreparedStatement
    const start = beginExecute(request, version, stream, executeHead(prepared, consistency, pageState !== null))
    this.#writeValues(statement, prepared)
    request.append(executeTail(pageState, pageRows))
    endMessage(request, start)
    return prepared
  }

  #writeValues({ columns, params, isNew }: Cql, { parameters }: PreparedStatement): void {
    const { request } = this.#lane.connection
    for (let at = 0; at < parameters.length; at++)
      if (params[at] === null && isNew) writeLength(request, unset)
      else writeValue(request, parameters[at]?.type ?? 0, columns[at]?.scale ?? 0, params[at])
  }

  #finish(outcome: OutcomeCode, rows: number, retries: number, error: string): void {
    this.#busy = false
    this.#lane.onDone(this.#slot, outcome, rows, retries, error)
  }
}
