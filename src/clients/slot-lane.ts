/**
 * Programs on connections that carry one request at a time: what is sent next, committed, given up or tried again. All requests of an operation are
 * written when it is sent, and each goes out when its turn comes. Which bytes that takes is the protocol's.
 */
import type { WireSource } from '../data/parameters.ts'
import type { Answer } from '../data/value.ts'
import type { Lane, OutcomeCode, Reply } from '../engines/engine.ts'
import { type Guarded, neededRows, type Program } from '../families/program.ts'
import { type Operation, writesOf } from '../scenario/scenario.ts'
import type { RequestBuffer } from './request.ts'
import { backoffMs, maxRetries } from './retry.ts'
import { ServerError, unfit } from './server-error.ts'

/** A request that is ready to be written; more of it only its protocol knows. */
export interface Template extends Guarded {
  /** Parameter with the owned rows or targets without which it is not sent; null: always sent. */
  unlessEmptyAt: number | null
  /** Of a request that reads what one behind it compares: the first column of its row is that number. */
  tells: boolean
}
export interface Prepared<T extends Template> {
  op: Operation
  program: Omit<Program, 'variants'>
  /** By variant. */
  templates: T[][]
}

/** One connection of a protocol. `found`: what came back to one request, where it is kept. */
export interface Exchange<T extends Template, Found> {
  readonly request: RequestBuffer
  /** The last request was answered. `error`: the server's own name of it, '' where there is none. */
  onReplied: (rows: number, error: string, isTransient: boolean, isCommitUnknown: boolean) => void
  onClosed: (cause: ServerError) => void
  /** Whether what comes back is kept. */
  keep: boolean
  readonly found: Found
  /** The key that trials count an error by. */
  keyOf(error: string): string
  /** Appends one request; `first` of its operation. @throws RangeError where a value does not fit. */
  write(template: T, params: WireSource, first: boolean): void
  /** Appends what opens a transaction, where that is a request of its own. */
  begin?(): void
  commit(): void
  abort(): void
  /** Before each attempt at an operation. */
  renew?(): void
  /** Sends one request of the buffer; null: what begins, commits or aborts. */
  send(from: number, to: number, template: T | null): void
  end(): void
}

export class SlotLane<T extends Template, Found> implements Lane {
  readonly slots: number
  onDone: Lane['onDone'] = () => {}
  onAnswer: Lane['onAnswer'] = () => {}
  readonly #programs: (Prepared<T> | null)[]
  readonly #slots: Slot<T, Found>[]

  /** `answer`: of what the requests of a reading operation found. */
  constructor(programs: (Prepared<T> | null)[], exchanges: Exchange<T, Found>[], answer: (prepared: Prepared<T>, found: Found[]) => Answer) {
    this.slots = exchanges.length
    this.#programs = programs
    this.#slots = exchanges.map((exchange, slot) => new Slot(this, slot, exchange, answer))
  }

  send(slot: number, operation: number, params: WireSource, keep: boolean): void {
    ;(this.#slots[slot] as Slot<T, Found>).send(this.#programs[operation] as Prepared<T>, params, keep)
  }

  flush(): void {}

  async [Symbol.asyncDispose]() {
    for (const slot of this.#slots) slot.end()
  }
}

/** Where an operation stands: in its requests, committing, or aborting before it is tried again or given up. */
type Stage = 'idle' | 'requests' | 'commit' | 'abort'

class Slot<T extends Template, Found> {
  readonly #lane: Lane
  readonly #slot: number
  readonly #exchange: Exchange<T, Found>
  readonly #answer: (prepared: Prepared<T>, found: Found[]) => Answer
  /** Where the requests end in the buffer; of a transaction the last but one commits and the last aborts. */
  readonly #ends: number[] = []
  /** By request; null: it begins, commits or aborts. */
  readonly #templates: (T | null)[] = []
  /** Rows that each must match. */
  readonly #needed: number[] = []
  /** Of both; what lies behind is of earlier operations. */
  #written = 0
  #prepared: Prepared<T> | null = null
  #counted: T | null = null
  #stage: Stage = 'idle'
  #at = 0
  /** How many requests come before the commit, or are all there are. */
  #length = 0
  /** Rows of the counted request. */
  #result = 0
  /** Sent so far. */
  #operations = 0
  #retries = 0
  #commitRetries = 0
  #error = ''
  #isConflict = false
  #isTransient = false
  #found: Found[] = []
  #closed: ServerError | null = null

  constructor(lane: Lane, slot: number, exchange: Exchange<T, Found>, answer: (prepared: Prepared<T>, found: Found[]) => Answer) {
    this.#lane = lane
    this.#slot = slot
    this.#exchange = exchange
    this.#answer = answer
    exchange.onReplied = (rows, error, isTransient, isCommitUnknown) => this.#replied(rows, error, isTransient, isCommitUnknown)
    exchange.onClosed = (cause) => {
      this.#closed = cause
      if (this.#stage !== 'idle') this.#finish('error', 0, cause.key)
    }
  }

  send(prepared: Prepared<T>, params: WireSource, keep: boolean): void {
    this.#prepared = prepared
    this.#operations++
    this.#stage = 'requests'
    this.#retries = 0
    this.#exchange.keep = keep
    if (this.#closed !== null) {
      this.#fail(this.#closed)
      return
    }
    try {
      this.#write(prepared, params)
    } catch (error) {
      // As the server refuses it in text: the binary protocol would carry another number.
      this.#fail(unfit(error))
      return
    }
    this.#attempt()
  }

  end(): void {
    this.#closed = new ServerError('connection-lost', 'the lane was closed')
    this.#exchange.end()
  }

  /** Whoever sends learns of it later, as of everything else. */
  #fail({ key }: ServerError): void {
    const operation = this.#operations
    setImmediate(() => {
      // A connection that was closed in the meantime has told it already.
      if (operation === this.#operations && this.#stage !== 'idle') this.#finish('error', 0, key)
    })
  }

  #write({ program, templates }: Prepared<T>, params: WireSource): void {
    const exchange = this.#exchange
    exchange.request.length = 0
    this.#written = 0
    const variant = templates[program.variantAt === null ? 0 : params.number(program.variantAt)] as T[]
    this.#counted = variant[program.counted] as T
    if (program.readsFirst) {
      const read = variant[0] as T
      exchange.write(read, params, true)
      this.#wrote(read, neededRows(read, params))
    }
    if (program.atomic && exchange.begin !== undefined) {
      exchange.begin()
      this.#wrote(null, 0)
    }
    let first = true
    for (let at = program.readsFirst ? 1 : 0; at < variant.length; at++) {
      const template = variant[at] as T
      if (template.unlessEmptyAt !== null && isEmpty(params, template.unlessEmptyAt)) continue
      exchange.write(template, params, first)
      this.#wrote(template, neededRows(template, params))
      first = false
    }
    this.#length = this.#written
    if (!program.atomic) return
    exchange.commit()
    this.#wrote(null, 0)
    exchange.abort()
    this.#wrote(null, 0)
  }

  #wrote(template: T | null, needed: number): void {
    this.#needed[this.#written] = needed
    this.#ends[this.#written] = this.#exchange.request.length
    this.#templates[this.#written++] = template
  }

  #attempt(): void {
    this.#exchange.renew?.()
    this.#stage = 'requests'
    this.#result = 0
    this.#isConflict = false
    this.#commitRetries = 0
    if (this.#exchange.keep) this.#found = []
    this.#sendRequest(0)
  }

  #sendRequest(at: number): void {
    this.#at = at
    this.#exchange.send(at === 0 ? 0 : (this.#ends[at - 1] as number), this.#ends[at] as number, this.#templates[at] as T | null)
  }

  #replied(rows: number, error: string, isTransient: boolean, isCommitUnknown: boolean): void {
    const prepared = this.#prepared
    if (prepared === null || this.#stage === 'idle') return
    if (this.#stage === 'abort' && this.#isConflict) this.#tell('conflict', 0)
    else if (this.#stage === 'abort') this.#again()
    else if (error !== '') this.#failed(prepared, error, isTransient, isCommitUnknown)
    else if (this.#stage === 'commit') this.#complete(prepared)
    else this.#advance(prepared, rows)
  }

  #advance(prepared: Prepared<T>, rows: number): void {
    const { program } = prepared
    const template = this.#templates[this.#at]
    const isRead = program.readsFirst === true && this.#at === 0
    if (template === this.#counted) this.#result = rows
    if (this.#exchange.keep && template !== null) this.#found.push(this.#exchange.found)
    const next = this.#at + 1
    if (rows < (this.#needed[this.#at] as number)) this.#refuse(program.atomic && !isRead)
    else if (program.stopWhenEmpty && (isRead ? rows : this.#result) === 0) this.#complete(prepared)
    else if (next < this.#length) this.#sendRequest(next)
    else if (program.atomic) {
      this.#stage = 'commit'
      this.#sendRequest(next)
    } else this.#complete(prepared)
  }

  #complete(prepared: Prepared<T>): void {
    const { op } = prepared
    // The rows of a join are one row and its lines.
    const rows = op.kind === 'get' ? Math.min(1, this.#result) : this.#result
    const outcome = rows > 0 ? 'ok' : 'miss'
    if (writesOf(op).length > 0) {
      this.#tell(outcome, rows)
      return
    }
    if (this.#exchange.keep) this.#lane.onAnswer(this.#slot, this.#answer(prepared, this.#found))
    this.#finish(outcome, rows, '')
  }

  /** A guard did not hold: what was written before it is taken back. */
  #refuse(hasBegun: boolean): void {
    if (!hasBegun) {
      this.#tell('conflict', 0)
      return
    }
    this.#isConflict = true
    this.#stage = 'abort'
    this.#sendRequest(this.#length + 1)
  }

  /** What became of writes. */
  #tell(outcome: Reply['outcome'], rows: number): void {
    if (this.#exchange.keep) this.#lane.onAnswer(this.#slot, { kind: 'wrote', outcome, rows })
    this.#finish(outcome, rows, '')
  }

  /** The commit alone where its outcome is unknown, the whole operation where the server asks for that; a transaction is ended first. */
  #failed({ program }: Prepared<T>, error: string, isTransient: boolean, isCommitUnknown: boolean): void {
    this.#error = error
    this.#isTransient = isTransient
    if (!program.atomic || (program.readsFirst && this.#at === 0)) this.#again()
    else if (this.#stage === 'commit' && isCommitUnknown && this.#commitRetries < maxRetries) {
      this.#commitRetries++
      this.#later(this.#commitRetries, () => this.#sendRequest(this.#length))
    } else if (this.#stage === 'commit') this.#again()
    else {
      this.#stage = 'abort'
      this.#sendRequest(this.#length + 1)
    }
  }

  #again(): void {
    if (!this.#isTransient || this.#retries === maxRetries) this.#finish('error', 0, this.#exchange.keyOf(this.#error))
    else this.#later(this.#retries++, () => this.#attempt())
  }

  #later(retries: number, work: () => void): void {
    setTimeout(() => {
      if (this.#closed === null) work()
    }, backoffMs(retries))
  }

  #finish(outcome: OutcomeCode, rows: number, error: string): void {
    this.#stage = 'idle'
    this.#lane.onDone(this.#slot, outcome, rows, this.#retries, error)
  }
}

function isEmpty(params: WireSource, at: number): boolean {
  const value = params.value(at)
  return Array.isArray(value) && value.length === 0
}
