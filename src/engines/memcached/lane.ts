/** Memcached through the wire client: a connection per slot; an operation that is one command is written from its template, others hold their conversation. */
import { type Carrier, carry } from '../../clients/conversation.ts'
import { type Call, ItemOperations, type Said, type Talk } from '../../clients/item-operations.ts'
import { openAll } from '../../clients/open-all.ts'
import { errorOf, findItem, MemcachedConnection, type MemcachedLogin, outcomeOf } from '../../clients/protocols/memcached.ts'
import { memcachedKey } from '../../clients/protocols/memcached-errors.ts'
import type { RequestBuffer } from '../../clients/request.ts'
import { ServerError } from '../../clients/server-error.ts'
import { fixedParameters, positionsOf, type WireSource } from '../../data/parameters.ts'
import { writeItem } from '../../families/key-value/item.ts'
import type { Operation } from '../../scenario/scenario.ts'
import type { Compiled, Lane } from '../engine.ts'
import { binaryFlag, expiryTime, refusals } from './calls.ts'
import { type Template, templateOf, writeLength, writeTimeAndRoom } from './templates.ts'

interface Program {
  op: Operation
  template: Template | null
  positions: Map<string, number>
}

export async function openMemcachedLane(login: MemcachedLogin, namespace: string, compiled: Compiled, slots: number): Promise<Lane> {
  return new MemcachedLane(await openAll(slots, () => MemcachedConnection.open(login)), namespace, compiled)
}

class MemcachedLane implements Lane {
  readonly slots: number
  onDone: Lane['onDone'] = () => {}
  onAnswer: Lane['onAnswer'] = () => {}
  readonly namespace: string
  readonly operations: ItemOperations
  readonly #programs: Program[]
  readonly #slots: Slot[]

  constructor(connections: MemcachedConnection[], namespace: string, compiled: Compiled) {
    this.slots = connections.length
    this.namespace = namespace
    this.operations = new ItemOperations(compiled, refusals)
    this.#programs = compiled.operations.map((op, index) => ({
      op,
      template: compiled.programs[index] == null ? null : templateOf(compiled, this.operations.layout(op.entity), op, namespace),
      positions: positionsOf(compiled.scenario, op),
    }))
    this.#slots = connections.map((connection, slot) => new Slot(this, slot, connection))
  }

  send(slot: number, operation: number, params: WireSource, keep: boolean): void {
    ;(this.#slots[slot] as Slot).send(this.#programs[operation] as Program, params, keep)
  }

  flush(): void {}

  async [Symbol.asyncDispose]() {
    for (const slot of this.#slots) slot.end()
  }
}

class Slot {
  readonly #lane: MemcachedLane
  readonly #slot: number
  readonly #connection: MemcachedConnection
  readonly #item = { from: -1, to: -1, casFrom: -1, casTo: -1 }
  #busy = false
  #template: Template | null = null
  #nowMs = 0
  /** Decodes the answer of a template's command, or asks where there is no template. */
  #talk: Talk | null = null
  #keep = false
  #closed: ServerError | null = null
  readonly #carrier: Carrier<Call> = {
    ask: (call) => {
      this.#connection.request.length = 0
      writeCall(call, this.#lane.namespace, this.#connection.request)
      this.#connection.send()
    },
    answered: (reply) => {
      if (this.#keep) this.#lane.onAnswer(this.#slot, reply.answer())
    },
    finish: (outcome, rows, retries, error) => this.#finish(outcome, rows, retries, error),
  }

  constructor(lane: MemcachedLane, slot: number, connection: MemcachedConnection) {
    this.#lane = lane
    this.#slot = slot
    this.#connection = connection
    connection.onReply = (bytes, from, to) => this.#received(bytes, from, to)
    connection.onClosed = (cause) => {
      this.#closed = cause
      if (this.#busy) this.#finish('error', 0, 0, cause.key)
    }
  }

  send({ op, template, positions }: Program, params: WireSource, keep: boolean): void {
    this.#busy = true
    this.#keep = keep
    this.#template = template
    if (this.#closed !== null) {
      const { key } = this.#closed
      setImmediate(() => this.#finish('error', 0, 0, key))
      return
    }
    if (template !== null) {
      const { request } = this.#connection
      request.length = 0
      if (template.nowAt >= 0) this.#nowMs = params.number(template.nowAt)
      template.write(params, request)
      this.#talk = keep ? this.#converse(op, positions, params) : null
      this.#talk?.next()
      this.#connection.send()
      return
    }
    this.#talk = this.#converse(op, positions, params)
    carry(() => (this.#talk as Talk).next(), this.#carrier)
  }

  end(): void {
    this.#closed = new ServerError('connection-lost', 'the lane was closed')
    this.#connection.end()
  }

  #converse(op: Operation, positions: Map<string, number>, params: WireSource): Talk {
    const fixed = fixedParameters(params.values())
    return this.#lane.operations.talk(op, (name) => fixed.value(positions.get(name) ?? -1))
  }

  #received(bytes: Buffer, from: number, to: number): void {
    if (!this.#busy) return
    const error = errorOf(bytes, from, to)
    if (error !== '') {
      this.#finish('error', 0, 0, memcachedKey(error))
      return
    }
    const counted = this.#template?.rows(bytes, from, this.#nowMs)
    if (counted === -1) this.#finish('error', 0, 0, memcachedKey(refusals.notStored))
    else if (this.#talk === null) this.#finish(counted === 0 ? 'miss' : 'ok', counted as number, 0, '')
    else {
      const said = this.#said(bytes, from)
      carry(() => (this.#talk as Talk).next(said), this.#carrier, counted)
    }
  }

  /** An item that was found, END where there was none, or one word. */
  #said(bytes: Buffer, from: number): Said {
    const item = this.#item
    findItem(bytes, from, item)
    if (item.from >= 0)
      return {
        value: Buffer.from(bytes.subarray(item.from, item.to)),
        cas: item.casFrom < 0 ? '' : bytes.toString('latin1', item.casFrom, item.casTo),
      }
    return bytes[from + 1] === 0x4e && bytes[from + 2] === 0x44 ? null : outcomeOf(bytes, from)
  }

  #finish(outcome: 'ok' | 'miss' | 'conflict' | 'error', rows: number, retries: number, error: string): void {
    this.#busy = false
    this.#lane.onDone(this.#slot, outcome, rows, retries, error)
  }
}

/** Appends one command as it travels. */
export function writeCall(call: Call, namespace: string, to: RequestBuffer): void {
  to.append(Buffer.from(`${call.command} ${namespace}:${call.key}`))
  if ('item' in call) {
    to.append(Buffer.from(` ${binaryFlag} `))
    const lengthAt = writeTimeAndRoom(expiryTime(call.seconds), to)
    if (call.cas !== '') {
      // The version stands behind the length, and before the end of the line.
      to.length -= 2
      to.append(Buffer.from(` ${call.cas}\r\n`))
    }
    const from = to.length
    writeItem(call.layout, call.item, to)
    writeLength(to.length - from, to.bytes, lengthAt)
  }
  to.append(Buffer.from('\r\n'))
}
