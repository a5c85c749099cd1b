/** A store's lane with a cache in front, both through their wire clients: a connection to the cache for each slot, and one latency for all that a call does. */
import type { WireSource } from '../data/parameters.ts'
import type { Answer, Value } from '../data/value.ts'
import type { CacheProtocol, Span } from '../engines/caching.ts'
import type { Compiled, Lane, OutcomeCode } from '../engines/engine.ts'
import type { Cache } from '../scenario/scenario.ts'
import {
  type CachedKeys,
  type CachedRead,
  cachedKey,
  cachedKeysOf,
  decodeCached,
  encodeCached,
  monotonicNs,
  type Outdated,
  storeAskedAt,
  targetsOf,
  writeCachedKey,
} from './cached-keys.ts'
import { HeldKey } from './held-key.ts'
import { RequestBuffer } from './request.ts'
import { ServerError } from './server-error.ts'
import type { TalkConnection } from './talk-lane.ts'

export class CachedLane implements Lane {
  readonly slots: number
  onDone: Lane['onDone'] = () => {}
  onAnswer: Lane['onAnswer'] = () => {}
  readonly #store: Lane
  readonly #slots: Slot[]

  constructor(store: Lane, connections: TalkConnection[], protocol: CacheProtocol, compiled: Compiled, cache: Cache) {
    const shared = { lane: this, store, protocol, keys: cachedKeysOf(compiled, cache), ttlMs: cache.ttlMs }
    this.slots = connections.length
    this.#store = store
    this.#slots = connections.map((connection, slot) => new Slot(shared, slot, connection))
    store.onAnswer = (slot, answer) => (this.#slots[slot] as Slot).answered(answer)
    store.onDone = (slot, outcome, rows, retries, error) => (this.#slots[slot] as Slot).stored(outcome, rows, retries, error)
  }

  send(slot: number, operation: number, params: WireSource, keep: boolean): void {
    ;(this.#slots[slot] as Slot).send(operation, params, keep)
  }

  flush(): void {
    this.#store.flush()
  }

  async [Symbol.asyncDispose]() {
    for (const slot of this.#slots) slot.end()
    await this.#store[Symbol.asyncDispose]()
  }
}

interface Shared {
  lane: CachedLane
  store: Lane
  protocol: CacheProtocol
  keys: CachedKeys
  ttlMs: number
}

/** Where a call stands: it waits for the cache to find, for the store to read or do, or for the cache to take what was read or to lose what was written. */
type Stage = 'idle' | 'find' | 'read' | 'fill' | 'store' | 'remove'

class Slot {
  readonly #shared: Shared
  readonly #slot: number
  readonly #connection: TalkConnection
  readonly #key = new RequestBuffer()
  readonly #held = new HeldKey()
  readonly #found: Span = { from: -1, to: -1 }
  #stage: Stage = 'idle'
  #operation = 0
  #keep = false
  /** Replies of the cache that are still to come. */
  #pending = 0
  #error = ''
  /** Of a read that the cache did not have. */
  #askedNs = 0
  #answer: Answer | null = null
  // What the store told, for when the cache has followed.
  #outcome: OutcomeCode = 'ok'
  #rows = 0
  #retries = 0
  #storeError = ''
  #closed: ServerError | null = null

  constructor(shared: Shared, slot: number, connection: TalkConnection) {
    this.#shared = shared
    this.#slot = slot
    this.#connection = connection
    connection.onReply = (bytes, from, to) => this.#replied(bytes, from, to)
    connection.onClosed = (cause) => {
      this.#closed = cause
      if (this.#stage === 'find' || this.#stage === 'fill' || this.#stage === 'remove') this.#finish('error', 0, cause.key)
    }
  }

  send(operation: number, params: WireSource, keep: boolean): void {
    const { keys, store } = this.#shared
    this.#operation = operation
    this.#keep = keep
    this.#retries = 0
    this.#connection.request.length = 0
    const read = keys.reads[operation] as CachedRead | null
    if (read !== null) {
      this.#find(read, params)
      return
    }
    const outdated = keys.outdated[operation] as Outdated[]
    this.#pending = 0
    for (let write = 0; write < outdated.length; write++) this.#writeRemoval(outdated[write] as Outdated, params)
    this.#stage = 'store'
    store.send(this.#slot, operation, params, keep)
  }

  /** The store answered a call that is kept, or that fills the cache. */
  answered(answer: Answer): void {
    this.#answer = answer
    if (this.#keep) this.#shared.lane.onAnswer(this.#slot, answer)
  }

  /** The store is done. */
  stored(outcome: OutcomeCode, rows: number, retries: number, error: string): void {
    this.#outcome = outcome
    this.#rows = rows
    this.#retries = retries
    this.#storeError = error
    if (this.#stage === 'read') this.#fill()
    // What failed may have been done.
    else if (this.#pending > 0 && (outcome === 'ok' || outcome === 'error')) this.#ask('remove')
    else this.#finish(outcome, rows, error)
  }

  end(): void {
    this.#closed = new ServerError('connection-lost', 'the lane was closed')
    this.#connection.end()
  }

  #find(read: CachedRead, params: WireSource): void {
    this.#held.hold(read, params)
    writeCachedKey(read.prefix, read, params, this.#key)
    this.#shared.protocol.get(this.#key, this.#connection.request)
    this.#pending = 1
    this.#ask('find')
  }

  /** Written before the store is asked: what a call is about is known only while it is sent. */
  #writeRemoval(write: Outdated, params: WireSource): void {
    if (write.row === null) for (const key of targetsOf(write, params)) for (const prefix of write.prefixes) this.#remove(cachedKey(prefix, [key]))
    else
      for (let each = 0; each < write.prefixes.length; each++) {
        writeCachedKey(write.prefixes[each] as Buffer, write.row, params, this.#key)
        this.#shared.protocol.delete(this.#key, this.#connection.request)
        this.#pending++
      }
  }

  #remove(key: Value & string): void {
    this.#key.length = 0
    this.#key.append(Buffer.from(key))
    this.#shared.protocol.delete(this.#key, this.#connection.request)
    this.#pending++
  }

  #ask(stage: Stage): void {
    this.#stage = stage
    this.#error = ''
    if (this.#closed === null) this.#connection.send()
    else {
      const { key } = this.#closed
      setImmediate(() => this.#finish('error', 0, key))
    }
  }

  #replied(bytes: Buffer, from: number, to: number): void {
    const { protocol } = this.#shared
    if (this.#error === '') this.#error = protocol.errorOf(bytes, from, to)
    if (--this.#pending > 0) return
    if (this.#error !== '') this.#finish('error', 0, protocol.keyOf(this.#error))
    else if (this.#stage === 'find') this.#looked(bytes, from)
    else this.#finish(this.#outcome, this.#rows, this.#storeError)
  }

  #looked(bytes: Buffer, from: number): void {
    const { protocol, lane, store } = this.#shared
    const found = this.#found
    protocol.find(bytes, from, found)
    if (found.from >= 0) {
      if (this.#keep) lane.onAnswer(this.#slot, decodeCached(bytes, found.from, found.to), storeAskedAt(bytes, found.from))
      this.#finish('ok', 1, '', true)
      return
    }
    this.#stage = 'read'
    this.#answer = null
    this.#askedNs = monotonicNs()
    // What fills the cache has to be decoded, as an application does.
    store.send(this.#slot, this.#operation, this.#held, true)
  }

  #fill(): void {
    const { protocol, ttlMs } = this.#shared
    if (this.#outcome !== 'ok' || this.#answer?.kind !== 'rows') {
      this.#finish(this.#outcome, this.#rows, this.#storeError)
      return
    }
    const { request } = this.#connection
    request.length = 0
    protocol.set(this.#key, encodeCached(this.#askedNs, this.#answer), ttlMs, request)
    this.#pending = 1
    this.#ask('fill')
  }

  #finish(outcome: OutcomeCode, rows: number, error: string, isCached = false): void {
    this.#stage = 'idle'
    this.#shared.lane.onDone(this.#slot, outcome, rows, this.#retries, error, isCached)
  }
}
