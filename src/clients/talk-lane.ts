/**
 * Conversations on connections that carry one call at a time. An operation that is a single call is written from its template, and its answer is
 * counted in place; others ask call by call. Which bytes that takes, and what they mean, is the product's.
 */
import type { WireSource } from '../data/parameters.ts'
import type { Lane, Reply } from '../engines/engine.ts'
import { type Carrier, carry } from './conversation.ts'
import type { RequestBuffer } from './request.ts'
import { ServerError } from './server-error.ts'

/** In place of a number of rows: the server refused. */
export const refused = -1
/** In place of a number of rows: a guard did not hold. */
export const conflicted = -2

export interface TalkTemplate {
  write(params: WireSource, to: RequestBuffer): void
  /** Whether this call fits the template: a deep page does not. */
  fits(params: WireSource): boolean
  /** Rows that an answer tells of, without decoding it; `refused`, or `conflicted`. */
  rows(bytes: Buffer, from: number, nowMs: number): number
  /** Replies to what it writes: the last is the answer. */
  replies: number
  /** Position of the parameter that holds the replay time; −1: nothing expires. */
  nowAt: number
}

export interface TalkProgram<Call, Said> {
  /** null: it takes more than one call. */
  template: TalkTemplate | null
  converse(params: WireSource): Generator<Call, Reply, Said>
}

/** How calls travel. */
export interface TalkProtocol<Call, Said> {
  /** Appends a call; returns the number of replies to it. */
  write(call: Call, to: RequestBuffer): number
  read(bytes: Buffer, from: number): Said
  /** The server's own name of an error; '': it is none. */
  errorOf(bytes: Buffer, from: number, to: number): string
  /** The key that trials count an error by. */
  keyOf(error: string): string
  /** The error that a template's refusal stands for. */
  refusal: string
}

export interface TalkConnection {
  readonly request: RequestBuffer
  onReply: (bytes: Buffer, from: number, to: number) => void
  onClosed: (cause: ServerError) => void
  send(): void
  end(): void
}

export class TalkLane<Call, Said> implements Lane {
  readonly slots: number
  onDone: Lane['onDone'] = () => {}
  onAnswer: Lane['onAnswer'] = () => {}
  readonly #programs: TalkProgram<Call, Said>[]
  readonly #slots: Slot<Call, Said>[]

  constructor(connections: TalkConnection[], programs: TalkProgram<Call, Said>[], protocol: TalkProtocol<Call, Said>) {
    this.slots = connections.length
    this.#programs = programs
    this.#slots = connections.map((connection, slot) => new Slot(this, slot, connection, protocol))
  }

  send(slot: number, operation: number, params: WireSource, keep: boolean): void {
    ;(this.#slots[slot] as Slot<Call, Said>).send(this.#programs[operation] as TalkProgram<Call, Said>, params, keep)
  }

  flush(): void {}

  async [Symbol.asyncDispose]() {
    for (const slot of this.#slots) slot.end()
  }
}

class Slot<Call, Said> {
  readonly #lane: Lane
  readonly #slot: number
  readonly #connection: TalkConnection
  readonly #protocol: TalkProtocol<Call, Said>
  #busy = false
  #template: TalkTemplate | null = null
  #nowMs = 0
  /** Decodes the answer to a template's call, or makes the calls where there is no template. */
  #talk: Generator<Call, Reply, Said> | null = null
  #keep = false
  #closed: ServerError | null = null
  /** Replies that are still to come. */
  #pending = 0
  #error = ''
  readonly #carrier: Carrier<Call> = {
    ask: (call) => {
      const { request } = this.#connection
      request.length = 0
      this.#expect(this.#protocol.write(call, request))
      this.#connection.send()
    },
    answered: (reply) => {
      if (this.#keep) this.#lane.onAnswer(this.#slot, reply.answer())
    },
    finish: (outcome, rows, retries, error) => this.#finish(outcome, rows, retries, error),
  }

  constructor(lane: Lane, slot: number, connection: TalkConnection, protocol: TalkProtocol<Call, Said>) {
    this.#lane = lane
    this.#slot = slot
    this.#connection = connection
    this.#protocol = protocol
    connection.onReply = (bytes, from, to) => this.#received(bytes, from, to)
    connection.onClosed = (cause) => {
      this.#closed = cause
      if (this.#busy) this.#finish('error', 0, 0, cause.key)
    }
  }

  send(program: TalkProgram<Call, Said>, params: WireSource, keep: boolean): void {
    this.#busy = true
    this.#keep = keep
    if (this.#closed !== null) {
      const { key } = this.#closed
      setImmediate(() => this.#finish('error', 0, 0, key))
      return
    }
    const { template } = program
    if (template?.fits(params)) {
      this.#template = template
      if (template.nowAt >= 0) this.#nowMs = params.number(template.nowAt)
      const { request } = this.#connection
      request.length = 0
      template.write(params, request)
      this.#expect(template.replies)
      this.#talk = keep ? program.converse(params) : null
      this.#talk?.next()
      this.#connection.send()
      return
    }
    this.#template = null
    const talk = program.converse(params)
    this.#talk = talk
    carry(() => talk.next(), this.#carrier)
  }

  end(): void {
    this.#closed = new ServerError('connection-lost', 'the lane was closed')
    this.#connection.end()
  }

  #received(bytes: Buffer, from: number, to: number): void {
    if (!this.#busy) return
    // Commands that run together are answered one by one before they are: the last reply counts, and the first refusal.
    if (this.#error === '') this.#error = this.#protocol.errorOf(bytes, from, to)
    if (--this.#pending > 0) return
    if (this.#error !== '') {
      this.#fail(this.#error)
      return
    }
    const counted = this.#template?.rows(bytes, from, this.#nowMs)
    const talk = this.#talk
    if (counted === refused) this.#fail(this.#protocol.refusal)
    else if (talk === null) this.#finish(counted === conflicted ? 'conflict' : counted === 0 ? 'miss' : 'ok', Math.max(0, counted as number), 0, '')
    else {
      const said = this.#protocol.read(bytes, from)
      carry(() => talk.next(said), this.#carrier, counted === conflicted ? 0 : counted)
    }
  }

  #expect(replies: number): void {
    this.#pending = replies
    this.#error = ''
  }

  #fail(error: string): void {
    this.#finish('error', 0, 0, this.#protocol.keyOf(error))
  }

  #finish(outcome: 'ok' | 'miss' | 'conflict' | 'error', rows: number, retries: number, error: string): void {
    this.#busy = false
    this.#lane.onDone(this.#slot, outcome, rows, retries, error)
  }
}
