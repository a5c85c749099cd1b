/** Redis through the wire client: one connection per slot; an operation that is one call is written from its template, others hold their conversation. */

import { type Carrier, carry } from '../../clients/conversation.ts'
import { openAll } from '../../clients/open-all.ts'
import { decodeReply, errorOf, RedisConnection, type RedisLogin, writeCommand } from '../../clients/protocols/resp.ts'
import { respKey } from '../../clients/protocols/resp-errors.ts'
import { ServerError } from '../../clients/server-error.ts'
import { fixedParameters, positionsOf, type WireSource } from '../../data/parameters.ts'
import type { Operation } from '../../scenario/scenario.ts'
import type { Compiled, Lane, Reply } from '../engine.ts'
import { RedisOperations } from './operations.ts'
import { type Call, commandsOf, type Talk } from './talk.ts'
import { type Template, templateOf } from './templates.ts'

interface Program {
  op: Operation
  template: Template | null
  parameters: Map<string, number>
}

export async function openRedisLane(login: RedisLogin, compiled: Compiled, slots: number): Promise<Lane> {
  const connections = await openAll(slots, () => RedisConnection.open(login))
  try {
    const operations = new RedisOperations(compiled)
    for (const { text } of operations.scripts()) await (connections[0] as RedisConnection).ask(['SCRIPT', 'LOAD', text])
    return new RedisLane(connections, compiled, operations)
  } catch (error) {
    for (const connection of connections) connection.end()
    throw error
  }
}

class RedisLane implements Lane {
  readonly slots: number
  onDone: Lane['onDone'] = () => {}
  onAnswer: Lane['onAnswer'] = () => {}
  readonly operations: RedisOperations
  readonly programs: Program[]
  readonly #connections: SlotConnection[]

  constructor(connections: RedisConnection[], compiled: Compiled, operations: RedisOperations) {
    this.slots = connections.length
    this.operations = operations
    this.programs = compiled.operations.map((op, index) => ({
      op,
      template: compiled.programs[index] === null ? null : templateOf(compiled, operations, op),
      parameters: positionsOf(compiled.scenario, op),
    }))
    this.#connections = connections.map((connection, slot) => new SlotConnection(this, slot, connection))
  }

  send(slot: number, operation: number, params: WireSource, keep: boolean): void {
    ;(this.#connections[slot] as SlotConnection).send(this.programs[operation] as Program, params, keep)
  }

  flush(): void {}

  async [Symbol.asyncDispose]() {
    for (const connection of this.#connections) connection.end()
  }
}

class SlotConnection {
  readonly #lane: RedisLane
  readonly #slot: number
  readonly #connection: RedisConnection
  #busy = false
  #template: Template | null = null
  #nowMs = 0
  /** The conversation that decodes the answer of a template's call, or makes the calls where there is no template. */
  #talk: Talk<Reply> | null = null
  #keep = false
  #closed: ServerError | null = null
  /** Replies that are still to come. */
  #pending = 0
  #error = ''
  readonly #carrier: Carrier<Call> = {
    ask: (call) => this.#ask(call),
    answered: (reply) => {
      if (this.#keep) this.#lane.onAnswer(this.#slot, reply.answer())
    },
    finish: (outcome, rows, retries, error) => this.#finish(outcome, rows, retries, error),
  }

  constructor(lane: RedisLane, slot: number, connection: RedisConnection) {
    this.#lane = lane
    this.#slot = slot
    this.#connection = connection
    connection.onReply = (bytes, from, to) => this.#received(bytes, from, to)
    connection.onClosed = (cause) => {
      this.#closed = cause
      if (this.#busy) this.#finish('error', 0, 0, cause.key)
    }
  }

  send(program: Program, params: WireSource, keep: boolean): void {
    this.#busy = true
    this.#keep = keep
    if (this.#closed !== null) {
      const code = this.#closed.key
      setImmediate(() => this.#finish('error', 0, 0, code))
      return
    }
    const { request } = this.#connection
    request.length = 0
    const { template } = program
    if (template?.fits(params)) {
      this.#template = template
      if (template.nowAt >= 0) this.#nowMs = params.number(template.nowAt)
      template.write(params, request)
      this.#expect(template.commands)
      this.#talk = keep ? this.#converse(program, params) : null
      this.#talk?.next()
      this.#connection.send()
      return
    }
    this.#template = null
    this.#talk = this.#converse(program, params)
    carry(() => (this.#talk as Talk<Reply>).next(), this.#carrier)
  }

  end(): void {
    this.#closed = new ServerError('connection-lost', 'the lane was closed')
    this.#connection.end()
  }

  #converse({ op, parameters }: Program, params: WireSource): Talk<Reply> {
    const fixed = fixedParameters(params.values())
    return this.#lane.operations.perform(op, (name) => fixed.value(parameters.get(name) ?? -1))
  }

  #received(bytes: Buffer, from: number, to: number): void {
    if (!this.#busy) return
    const code = errorOf(bytes, from, to)
    if (this.#error === '') this.#error = code
    // A transaction's commands are answered one by one before it is: the last reply counts, and the first refusal.
    if (--this.#pending > 0) return
    if (this.#error !== '') {
      this.#finish('error', 0, 0, respKey(this.#error))
      return
    }
    if (this.#template !== null && this.#talk === null) {
      const rows = this.#template.rows(bytes, from, this.#nowMs)
      this.#finish(rows > 0 ? 'ok' : 'miss', rows, 0, '')
      return
    }
    const counted = this.#template?.rows(bytes, from, this.#nowMs)
    const reply = decodeReply(bytes, from)
    carry(() => (this.#talk as Talk<Reply>).next(reply), this.#carrier, counted)
  }

  #ask(call: Call): void {
    const { request } = this.#connection
    request.length = 0
    const commands = commandsOf(call)
    for (const words of commands) writeCommand(request, words)
    this.#expect(commands.length)
    this.#connection.send()
  }

  #expect(replies: number): void {
    this.#pending = replies
    this.#error = ''
  }

  #finish(outcome: 'ok' | 'miss' | 'conflict' | 'error', rows: number, retries: number, error: string): void {
    this.#busy = false
    this.#lane.onDone(this.#slot, outcome, rows, retries, error)
  }
}
