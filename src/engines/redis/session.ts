/** Redis through its driver: pipelined loads, the operations' conversations, facts and sizes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { outOfMemory } from '../../clients/loading.ts'
import { RedisConnection, type RedisLogin } from '../../clients/protocols/resp.ts'
import { ServerError } from '../../clients/server-error.ts'
import { type ParamSource, positionsOf } from '../../data/parameters.ts'
import type { RowSource } from '../../data/rows.ts'
import type { Value } from '../../data/value.ts'
import { TrialError } from '../../errors.ts'
import { scoreOf } from '../../families/key-value/model.ts'
import { entityOf, fieldOf, type Operation } from '../../scenario/scenario.ts'
import { type Compiled, type Limits, type Parity, planInWords, type Reply, type Session } from '../engine.ts'
import { isUnique, linesField, restored, restoredLines, uniqueHash } from './keys.ts'
import { RedisLoad } from './load.ts'
import { lineNames, RedisOperations } from './operations.ts'
import type { Call, Resp, Word } from './talk.ts'

const sampledHashes = 20
const settleWithinMs = 60_000
/** A log that has grown by less is as good as a rewritten one. */
const mostGrown = 1.1

const pendingWork = ['aof_rewrite_in_progress', 'aof_rewrite_scheduled', 'rdb_bgsave_in_progress']

/** Three quarters of the limit hold data: the rest is for the copy-on-write of a log rewrite, buffers and fragmentation. */
export function maxMemory({ memoryBytes }: Limits): number {
  return Math.floor(memoryBytes * 0.75)
}

export class RedisSession implements Session {
  readonly #client: Redis
  readonly #compiled: Compiled
  readonly #operations: RedisOperations
  readonly #parameters: Map<string, number>[]
  readonly #settings: (limits: Limits) => Record<string, string>
  readonly #openWire: () => Promise<RedisConnection>
  readonly #alone: boolean

  constructor(client: Redis, compiled: Compiled, settings: (limits: Limits) => Record<string, string>, login: RedisLogin, alone: boolean) {
    this.#openWire = () => RedisConnection.open(login)
    this.#alone = alone
    this.#client = client
    this.#compiled = compiled
    this.#operations = new RedisOperations(compiled)
    // The driver sends a script whole where the server does not know it yet.
    for (const { sha, text } of this.#operations.scripts()) client.defineCommand(nameOf(sha), { lua: text })
    this.#parameters = compiled.operations.map((operation) => positionsOf(compiled.scenario, operation))
    this.#settings = settings
  }

  async facts(limits: Limits) {
    const info = await this.#info()
    const { durability } = this.#compiled
    const parity: Parity[] = []
    for (const [what, set] of Object.entries(this.#settings(limits))) {
      const [, effective = 'unknown'] = (await this.#client.config('GET', what)) as string[]
      const memory = what.startsWith('maxmemory')
      const asked = memory ? 'memory is the bound: a write that does not fit is refused' : `durability ${durability}`
      parity.push({ what, asked, set, effective, ok: effective === set, ...(memory ? { sizing: true as const } : {}) })
    }
    const one = (what: string, asked: string, set: string, effective: string, ok = true) => parity.push({ what, asked, set, effective, ok })
    one('role', 'strong', 'reads and writes on the master', String(info.get('role')), info.get('role') === 'master')
    one('isolation', 'atomic writes', 'one command, transaction or script per write', 'they run one at a time: serializable on one node')
    one(
      'uniqueness',
      'unique fields',
      'a hash from value to row for each unique field',
      'every script that writes one refuses a value that another row has',
    )
    one('referential integrity', 'references point at rows', 'none', 'not enforced by this engine')
    return { version: String(info.get('valkey_version') ?? info.get('redis_version')), parity }
  }

  /** A server of our own loads without its log, which it would write again and again as it grows; it writes it once, behind the last row. */
  async create() {
    if (this.#alone) await this.#client.config('SET', 'appendonly', 'no')
  }

  /** Through the wire client: the driver's work for a command is several times that of the server. */
  async load(rows: RowSource, last: boolean) {
    await this.#send(rows)
    if (!this.#alone || !last) return
    await this.#client.config('SET', 'appendonly', 'yes')
    // As long as it is written, whatever that takes: it is as large as the load.
    while ((await this.#info()).get('aof_rewrite_in_progress') === '1') await sleep(50)
    await this.#idle()
    if ((await this.#info()).get('aof_last_bgrewrite_status') !== 'ok')
      throw new TrialError('load-not-kept', 'the server failed to write its log after the load', {
        hint: 'look whether the disk of its data is full or slow',
      })
  }

  async #send(rows: RowSource) {
    const connection = await this.#openWire()
    let entity = ''
    try {
      const load = new RedisLoad(connection, this.#compiled)
      for (const block of rows.blocks()) {
        await load.block(block)
        entity = block.entity
      }
      await load.finish()
    } catch (error) {
      if (!(error instanceof ServerError) || error.detail !== 'OOM') throw error
      throw outOfMemory(rows, entity, error)
    } finally {
      connection.end()
    }
  }

  /** A rewritten log and an idle disk. */
  async settle() {
    await this.#idle()
    const info = await this.#info()
    if (Number(info.get('aof_current_size') ?? 0) > mostGrown * Number(info.get('aof_base_size') ?? 0)) await this.maintain()
  }

  async #idle() {
    for (const end = Date.now() + settleWithinMs; Date.now() < end; await sleep(50)) {
      const info = await this.#info()
      if (!pendingWork.some((what) => info.get(what) === '1')) return
    }
  }

  async maintain() {
    // A server that others use too decides itself when it rewrites its log.
    await this.#client.bgrewriteaof().catch(() => {})
    await this.#idle()
  }

  async perform(operation: number, params: ParamSource): Promise<Reply> {
    const talk = this.#operations.perform(this.#compiled.operations[operation] as Operation, this.#bound(operation, params))
    let said = talk.next()
    while (said.done !== true) said = talk.next(await this.#call(said.value))
    return said.value
  }

  async #call(call: Call): Promise<Resp> {
    if ('command' in call) return (await this.#client.callBuffer(String(call.command[0]), ...call.command.slice(1))) as Resp
    if ('transaction' in call) {
      const multi = this.#client.multi()
      for (const [name, ...words] of call.transaction) multi.callBuffer(String(name), ...words)
      return ((await multi.exec()) ?? []).map(([error, reply]) => {
        if (error !== null) throw error
        return reply as Resp
      })
    }
    const { script, keys, words } = call
    const scripts = this.#client as unknown as Record<string, (keys: number, ...words: Word[]) => Promise<Resp>>
    return (scripts[`${nameOf(script.sha)}Buffer`] as (typeof scripts)[string]).call(this.#client, keys.length, ...keys, ...words)
  }

  #bound(operation: number, params: ParamSource): (name: string) => Value {
    return (name) => params.value(this.#parameters[operation]?.get(name) ?? -1)
  }

  async #info(): Promise<Map<string, string>> {
    const lines = (await this.#client.info()).split('\r\n').filter((line) => line.includes(':'))
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
  }

  /** Every key of the namespace, in batches. */
  async *#scan(prefix: string): AsyncIterable<Buffer[]> {
    let cursor = '0'
    do {
      const [next, keys] = (await this.#client.scanBuffer(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 10_000)) as [Buffer, Buffer[]]
      cursor = next.toString()
      if (keys.length > 0) yield keys
    } while (cursor !== '0')
  }

  /**
   * Bytes as MEMORY USAGE tells them: of every sorted set, whose members are alike, and of a sample of the hashes, which are alike. Of a hash
   * all fields are counted: the first five, which it takes by itself, are others on every server, and the widest may not be among them.
   */
  async storage() {
    const tables: { name: string; bytes: number }[] = []
    const indexes: { name: string; table: string; bytes: number }[] = []
    for (const store of this.#compiled.model.stores) {
      const every = store.base ? sampledHashes : 1
      let keys = 0
      let sampled = 0
      let bytes = 0
      for await (const batch of this.#scan(store.name)) {
        const chosen = batch.filter((_, at) => (keys + at) % every === 0)
        keys += batch.length
        const pipeline = this.#client.pipeline()
        for (const key of chosen) pipeline.call('MEMORY', 'USAGE', key, ...(store.base ? ['SAMPLES', '0'] : []))
        for (const [, size] of (await pipeline.exec()) ?? []) {
          bytes += Number(size ?? 0)
          sampled++
        }
      }
      const total = sampled === 0 ? 0 : Math.round((bytes / sampled) * keys)
      if (store.base) tables.push({ name: store.name, bytes: total })
      else indexes.push({ name: store.name, table: store.entity, bytes: total })
    }
    return { tables, indexes }
  }

  async explain(operation: number, params: ParamSource) {
    const op = this.#compiled.operations[operation] as Operation
    const bound = this.#bound(operation, params)
    if (op.kind === 'get') return planInWords('one HMGET of the row')
    const { keys } = this.#operations
    const store = this.#operations.storeOf(op.name)
    if (isUnique(store)) return planInWords(`HGET in a hash of ${await this.#client.hlen(uniqueHash(store))} values, then one HMGET, in one script`)
    const set = op.kind === 'search' ? keys.wordSet(store, String(bound('word'))) : keys.set(store, (field) => bound(`where.${field}`))
    const members = await this.#client.zcard(set)
    if (op.kind === 'aggregate' && op.before !== undefined)
      return planInWords(`a place in a sorted set of ${members} members, counted or found by halving, in one command`)
    const read = op.kind === 'list' || op.kind === 'search' ? Math.min(members, op.limit) : members
    return planInWords(
      `${scoreOf(store) === null ? 'ZRANGEBYLEX' : 'ZRANGE'} over a sorted set of ${members} members, then ${op.kind === 'aggregate' ? 'at most ' : ''}${read} HMGET, in one script`,
    )
  }

  /** The server counts no uses of a key. */
  async indexUse() {
    return []
  }

  async total(name: string, field?: string) {
    const { scenario, model } = this.#compiled
    const entity = entityOf(scenario, name)
    const host = model.stores.find((store) => store.base && store.embedded.includes(name))
    let rows = 0n
    let sum = 0n
    for await (const batch of this.#scan(host?.entity ?? name)) {
      if (host === undefined && field === undefined) rows += BigInt(batch.length)
      else {
        const pipeline = this.#client.pipeline()
        for (const key of batch) pipeline.hgetBuffer(key, host === undefined ? (field as string) : linesField(name))
        for (const [error, found] of (await pipeline.exec()) ?? []) {
          if (error !== null) throw error
          const lines =
            host === undefined ? [[restored(fieldOf(entity, field as string), found as Buffer)]] : restoredLines(entity, found as Buffer | null)
          rows += BigInt(lines.length)
          const at = host === undefined ? 0 : lineNames(entity).indexOf(field ?? '')
          if (field !== undefined) for (const line of lines) sum += BigInt((line[at] ?? 0) as number | bigint)
        }
      }
    }
    return { rows, sum }
  }

  async [Symbol.asyncDispose]() {
    this.#client.disconnect()
  }
}

/** A script as a method of the driver's client. */
const nameOf = (sha: string) => `script_${sha}`
