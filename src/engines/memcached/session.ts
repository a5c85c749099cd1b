/** Memcached through its driver (memcache-client): the operations' conversations and facts; what an administrator asks, and the load, go through the wire client. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { MemcacheClient } from 'memcache-client'
import { bytesOf, type Call, ItemOperations, type Outcome, type Said, type Storing } from '../../clients/item-operations.ts'
import { itemPromises } from '../../clients/item-promises.ts'
import { Loading, outOfMemory } from '../../clients/loading.ts'
import { errorOf, findItem, MemcachedConnection, type MemcachedLogin } from '../../clients/protocols/memcached.ts'
import { memcachedError } from '../../clients/protocols/memcached-errors.ts'
import { RequestBuffer } from '../../clients/request.ts'
import { ServerError } from '../../clients/server-error.ts'
import type { ParamSource } from '../../data/parameters.ts'
import type { RowSource } from '../../data/rows.ts'
import { hostOf } from '../../families/key-value/items.ts'
import type { Compiled, Limits, Parity, Reply, Session } from '../engine.ts'
import { expiryTime, refusals } from './calls.ts'
import { writeCall } from './lane.ts'

const crawlerWithinMs = 10_000
const maxDumps = 5
/** Of one reply to several keys. */
const keysAtOnce = 50
const bytesAtOnce = 8 * 2 ** 20
const outcomes: Record<string, Outcome> = { EXISTS: 'changed', NOT_STORED: 'not stored', NOT_FOUND: 'not found' }

export class MemcachedSession implements Session {
  readonly #client: MemcacheClient
  readonly #login: MemcachedLogin
  readonly #namespace: string
  readonly #compiled: Compiled
  readonly #operations: ItemOperations
  readonly #settings: (limits: Limits) => Record<string, string>

  constructor(
    client: MemcacheClient,
    login: MemcachedLogin,
    namespace: string,
    compiled: Compiled,
    settings: (limits: Limits) => Record<string, string>,
  ) {
    this.#client = client
    this.#login = login
    this.#namespace = namespace
    this.#compiled = compiled
    this.#operations = new ItemOperations(compiled, refusals)
    this.#settings = settings
  }

  async facts(limits: Limits) {
    const found = await settingsOfServer(this.#client)
    const sized = new Set(['maxbytes', 'num_threads', 'item_size_max'])
    const parity = Object.entries(this.#settings(limits)).map(([what, set]): Parity => {
      const effective = found.get(what) ?? 'unknown'
      const asked = sized.has(what) ? 'what the limits leave: a write that does not fit is refused' : `durability ${this.#compiled.durability}`
      return { what, asked, set, effective, ok: effective === set, ...(sized.has(what) ? { sizing: true as const } : {}) }
    })
    const volatile = { what: 'data after a restart', asked: 'durability volatile', set: 'none', effective: 'nothing is written to a disk', ok: true }
    const [, version = ''] = await this.#client.version()
    return { version, parity: [...parity, volatile, ...itemPromises] }
  }

  /** There is no schema. */
  async create() {}

  async load(rows: RowSource) {
    const connection = await MemcachedConnection.open(this.#login)
    const loading = new Loading()
    let [building, sent] = [new RequestBuffer(), new RequestBuffer()]
    let [pending, entity] = [0, '']
    connection.onReply = (bytes, from, to) => {
      const error = errorOf(bytes, from, to)
      if (error !== '') loading.fail(memcachedError(error))
      if (--pending === 0) loading.wake()
    }
    connection.onClosed = (cause) => loading.fail(cause)
    try {
      for (const block of rows.blocks()) {
        building.length = 0
        entity = block.entity
        for (const call of this.#operations.stored(block)) writeCall(call, this.#namespace, building)
        await loading.until(() => pending === 0)
        ;[building, sent] = [sent, building]
        pending = block.rows
        connection.send(sent)
      }
      await loading.until(() => pending === 0)
    } catch (error) {
      if (!(error instanceof ServerError) || error.code !== 'out-of-resources') throw error
      throw outOfMemory(rows, entity, error)
    } finally {
      connection.end()
    }
  }

  /** Nothing is left to be done behind a reply. */
  async settle() {}

  async maintain() {
    await this.#asking((connection) => connection.ask('lru_crawler crawl all\r\n')).catch((error: unknown) => {
      if (!isBusy(error)) throw error
    })
  }

  perform(operation: number, params: ParamSource): Promise<Reply> {
    return this.#operations.perform(operation, params, (call) => this.#call(call))
  }

  async #call(call: Call): Promise<Said> {
    const key = `${this.#namespace}:${call.key}`
    if (call.command === 'get' || call.command === 'gets') {
      const found = await (call.command === 'get' ? this.#client.get<Buffer>(key) : this.#client.gets<Buffer>(key))
      return found === undefined ? null : { value: found.value, cas: String(found.casUniq ?? '') }
    }
    const work = 'item' in call ? this.#store(call, key) : this.#client.delete(key)
    return await work.then(
      () => 'done' as const,
      (error: Error) => {
        const outcome = outcomes[error.message]
        if (outcome === undefined) throw error
        return outcome
      },
    )
  }

  #store(call: Storing, key: string): Promise<string[]> {
    const given = { lifetime: expiryTime(call.seconds) }
    const bytes = bytesOf(call)
    return call.command === 'cas' ? this.#client.cas(key, bytes, { ...given, casUniq: call.cas }) : this.#client[call.command](key, bytes, given)
  }

  async explain(operation: number) {
    return this.#operations.explain(operation)
  }

  /** The server counts no uses of a key. */
  async indexUse() {
    return []
  }

  /** Bytes of the items with their keys and headers; what the sizes of slabs add is not told apart. */
  async storage() {
    const bytes = new Map(this.#compiled.model.stores.map((store) => [store.name, 0]))
    await this.#asking(async (connection) => {
      for (const [key, size] of await itemsOf(connection, `${this.#namespace}:`)) {
        const [, entity = ''] = key.split(':')
        bytes.set(entity, (bytes.get(entity) ?? 0) + size)
      }
    })
    return { tables: [...bytes].map(([name, own]) => ({ name, bytes: own })), indexes: [] }
  }

  async total(name: string, field?: string) {
    const host = hostOf(this.#compiled.scenario, name)
    return await this.#asking(async (connection) => {
      const items = await itemsOf(connection, `${this.#namespace}:${host.name}:`)
      if (host.name === name && field === undefined) return { rows: BigInt(items.size), sum: 0n }
      let [rows, sum] = [0n, 0n]
      for (const keys of portions(items)) {
        const part = this.#operations.total(name, field, valuesIn(await connection.ask(`get ${keys.join(' ')}\r\n`)))
        rows += part.rows
        sum += part.sum
      }
      return { rows, sum }
    })
  }

  async #asking<T>(question: (connection: MemcachedConnection) => Promise<T>): Promise<T> {
    const connection = await MemcachedConnection.open(this.#login)
    try {
      return await question(connection)
    } finally {
      connection.end()
    }
  }

  async [Symbol.asyncDispose]() {
    this.#client.shutdown()
  }
}

const isBusy = (error: unknown) => error instanceof ServerError && error.code === 'unavailable'

export async function settingsOfServer(client: MemcacheClient): Promise<Map<string, string>> {
  const { STAT } = await client.cmd<{ STAT: [string, string][] }>('stats settings')
  return new Map(STAT.map(([name, value]) => [name, value]))
}

/** Keys with a prefix, and the bytes of their items. An item that the server moves between its lists while these are walked may be passed over: they are walked again until all are told. */
export async function itemsOf(connection: MemcachedConnection, prefix: string): Promise<Map<string, number>> {
  const all = new Map<string, number>()
  for (let dump = 0; dump < maxDumps; dump++) {
    await dumped(connection, all)
    const stats = (await connection.ask('stats\r\n')).toString('latin1')
    if (all.size >= Number(/^STAT curr_items (\d+)/m.exec(stats)?.[1] ?? 0)) break
    await sleep(50)
  }
  // Keys of others may be bytes that are no text: they stay as they are told.
  const own = encodeURIComponent(prefix)
  return new Map([...all].flatMap(([key, size]) => (key.startsWith(own) ? [[decodeURIComponent(key), size] as const] : [])))
}

/** Keys as they are told, escaped. One walk at a time: the server makes some of its own. */
async function dumped(connection: MemcachedConnection, all: Map<string, number>): Promise<void> {
  for (const end = Date.now() + crawlerWithinMs; ; await sleep(50)) {
    try {
      await connection.each('lru_crawler metadump all\r\n', (reply) => {
        const line = reply.toString('latin1')
        const [, key, size] = /^key=(\S+) .*\bsize=(\d+)/.exec(line) ?? []
        if (key !== undefined) all.set(key, Number(size))
        return key === undefined
      })
      return
    } catch (error) {
      if (!isBusy(error) || Date.now() > end) throw error
    }
  }
}

/** Keys whose items one reply holds. */
function* portions(items: Map<string, number>): Iterable<string[]> {
  let keys: string[] = []
  let bytes = 0
  for (const [key, size] of items) {
    if (keys.length === keysAtOnce || (bytes + size > bytesAtOnce && keys.length > 0)) {
      yield keys
      keys = []
      bytes = 0
    }
    keys.push(key)
    bytes += size
  }
  if (keys.length > 0) yield keys
}

/** The values of a reply, one after the other. */
function* valuesIn(reply: Buffer): Iterable<Buffer> {
  const item = { from: 0, to: -2, casFrom: -1, casTo: -1 }
  for (;;) {
    findItem(reply, item.to + 2, item)
    if (item.from < 0) return
    yield reply.subarray(item.from, item.to)
  }
}
