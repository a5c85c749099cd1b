/** Redis through its driver: pipelined loads, reads as one command or script, writes as one compared script, facts and sizes. */
import type { Redis } from 'ioredis'
import { type ParamSource, parametersOf } from '../data/parameters.ts'
import { type Block, cell, type RowSource } from '../data/rows.ts'
import type { Value } from '../data/value.ts'
import { TrialError } from '../errors.ts'
import { setsOf } from '../model/key-value.ts'
import type { Store } from '../model/model.ts'
import { type Aggregate, type Entity, entityOf, fieldOf, lineFields, type Operation, type OperationOf } from '../scenario/scenario.ts'
import type { Compiled, Limits, Parity, Reply, Session } from './engine.ts'
import { Groups } from './groups.ts'
import { RedisKeys, type Row, restored, restoredLines } from './redis-keys.ts'
import { pageScript, writeScript } from './redis-scripts.ts'
import { RedisWrites, type WritePlan } from './redis-writes.ts'
import { readReply, wroteReply } from './replies.ts'

const mostReads = 10
const sampledHashes = 20
const settleWithinMs = 60_000

export type Word = string | Buffer

/** Three quarters of the limit hold data: the rest is for the copy-on-write of a log rewrite, buffers and fragmentation. */
export function maxMemory({ memoryBytes }: Limits): number {
  return Math.floor(memoryBytes * 0.75)
}

interface Scripts {
  pageBuffer(key: Word, ...words: Word[]): Promise<(Buffer | null)[][]>
  compareWriteBuffer(...words: Word[]): Promise<number>
}

/** Gives a client its scripts; the driver sends them whole where the server does not know them yet. */
export function withScripts(client: Redis): void {
  client.defineCommand('page', { numberOfKeys: 1, lua: pageScript })
  client.defineCommand('compareWrite', { numberOfKeys: 0, lua: writeScript })
}

export class RedisSession implements Session {
  readonly #client: Redis & Scripts
  readonly #compiled: Compiled
  readonly #keys: RedisKeys
  readonly #writes: RedisWrites
  readonly #parameters: Map<string, number>[]
  readonly #settings: (limits: Limits) => Record<string, string>

  constructor(client: Redis, compiled: Compiled, settings: (limits: Limits) => Record<string, string>) {
    this.#client = client as Redis & Scripts
    this.#compiled = compiled
    this.#keys = new RedisKeys(compiled.scenario)
    this.#writes = new RedisWrites(compiled, this.#keys, {
      read: (entity, key, fields) => this.#read(entity, key, fields),
      lines: (store, owner) =>
        this.#page(
          store,
          this.#keys.set(store, () => owner),
          '-',
          '+',
          -1,
          null,
          entityOf(compiled.scenario, store.entity).key,
        ),
    })
    this.#parameters = compiled.operations.map(
      (operation) => new Map(parametersOf(compiled.scenario, operation).map((parameter, at) => [parameter.name, at])),
    )
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
    one('isolation', 'atomic writes', 'one script per write', 'commands and scripts run one at a time: serializable on one node')
    one('uniqueness', 'unique fields', 'none', 'not enforced by this engine')
    one('referential integrity', 'references point at rows', 'none', 'not enforced by this engine')
    return { version: String(info.get('valkey_version') ?? info.get('redis_version')), parity }
  }

  async create() {}

  async load(rows: RowSource) {
    for (const block of rows.blocks()) {
      const pipeline = this.#client.pipeline()
      for (const command of this.#loadCommands(block)) pipeline.call(...(command as [string, ...Word[]]))
      for (const [error] of (await pipeline.exec()) ?? []) {
        if (error?.message.startsWith('OOM'))
          throw new TrialError(
            'out-of-memory',
            `the memory limit was reached while ${block.entity} was loaded, after ${rows.rows.toLocaleString('en')} rows: ${error.message}`,
            {
              hint: 'this is a finding: the data does not fit; raise bench.limits.memory or lower bench.scale to measure the rest',
            },
          )
        if (error !== null) throw error
      }
    }
  }

  *#loadCommands(block: Block): Iterable<Word[]> {
    const { scenario } = this.#compiled
    const entity = entityOf(scenario, block.entity)
    const valuesAt = (columns: Block['columns'], at: number): Row => new Map(columns.map((column) => [column.field.name, cell(column, at)]))
    for (let at = 0; at < block.rows; at++) {
      const lines = new Map<string, Row[]>()
      for (const owned of block.owned) {
        const own: Row[] = []
        for (let line = at === 0 ? 0 : (owned.ends[at - 1] as number); line < (owned.ends[at] as number); line++)
          own.push(valuesAt(owned.columns, line))
        lines.set(owned.entity, own)
      }
      yield* this.#writes.insert(entity, valuesAt(block.columns, at), lines, scenario.epochMs)
    }
  }

  /** A rewritten log and an idle disk. */
  async settle() {
    const pending = async () => {
      const info = await this.#info()
      return info.get('aof_rewrite_in_progress') === '1' || info.get('aof_rewrite_scheduled') === '1' || info.get('rdb_bgsave_in_progress') === '1'
    }
    const wait = async () => {
      for (const end = Date.now() + settleWithinMs; (await pending()) && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await wait()
    // A server that others use too decides itself when it rewrites its log.
    await this.#client.bgrewriteaof().catch(() => {})
    await wait()
  }

  async perform(operation: number, params: ParamSource): Promise<Reply> {
    try {
      return await this.#perform(operation, params)
    } catch (error) {
      // The server's own code is the first word of its message.
      const code = /^[A-Z]{3,}\b/.exec((error as Error).message)?.[0]
      throw code === undefined ? error : Object.assign(error as Error, { code })
    }
  }

  async #perform(operation: number, params: ParamSource): Promise<Reply> {
    const op = this.#compiled.operations[operation] as Operation
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const bound = (name: string) => params.value(this.#parameters[operation]?.get(name) ?? -1)
    const now = entity.ttlMs === null ? null : Number(bound('now'))
    switch (op.kind) {
      case 'get':
        return await this.#get(op, entity, bound, now)
      case 'list': {
        const store = this.#storeOf(op.name)
        const after = bound('deep') === true ? Buffer.concat([Buffer.from('('), this.#keys.member(store, (field) => bound(`after.${field}`))]) : null
        const reversed = this.#keys.isReversed(store)
        const set = this.#keys.set(store, (field) => bound(`where.${field}`))
        const rows = await this.#page(store, set, reversed ? '-' : (after ?? '-'), reversed ? (after ?? '+') : '+', op.limit, now, op.fields)
        return readReply(rows.length, () => ({ kind: 'rows', rows: rows.map((row) => this.#values(entity, op.fields, row)) }))
      }
      case 'search': {
        const store = this.#storeOf(op.name)
        const rows = await this.#page(store, this.#keys.wordSet(store, String(bound('word'))), '-', '+', op.limit, now, op.fields)
        return readReply(rows.length, () => ({ kind: 'rows', rows: rows.map((row) => this.#values(entity, op.fields, row)) }))
      }
      case 'aggregate': {
        const store = this.#storeOf(op.name)
        const limit = (name: string, sign: string) => Buffer.concat([Buffer.from(sign), this.#keys.firstBound(store, bound(name))])
        const set = this.#keys.set(store, (field) => bound(`where.${field}`))
        const fields = [op.groupBy?.field, op.sum].filter((name) => name != null)
        const [low, high] = op.over === null ? ['-', '+'] : [limit('from', '['), limit('to', '(')]
        const rows = await this.#page(store, set, low, high, -1, now, fields.length === 0 ? entity.key : fields)
        const groups = grouped(
          op,
          rows.map((row) => this.#values(entity, fields, row)),
        )
        return readReply(groups.length, () => ({ kind: 'groups', groups }))
      }
      default:
        return await this.#write(op, bound)
    }
  }

  async #get(op: OperationOf<'get'>, entity: Entity, bound: (name: string) => Value, now: number | null): Promise<Reply> {
    const { scenario, model } = this.#compiled
    const base = model.stores.find((store) => store.base && store.entity === entity.name) as Store
    const inside = op.with.filter((name) => base.embedded.includes(name))
    const key = (field: string) => bound(`key.${field}`)
    const fields = [...op.fields, ...inside, entity.key[0] as string, ...(now === null ? [] : ['expires_at'])]
    const found = (await this.#client.hmgetBuffer(this.#keys.hash(entity, key), ...fields)) as (Buffer | null)[]
    const alive = found[op.fields.length + inside.length] !== null && (now === null || Number(found.at(-1)?.toString()) > now)
    const apart = new Map<string, (Buffer | null)[][]>()
    for (const name of alive ? op.with.filter((each) => !inside.includes(each)) : []) {
      const owned = entityOf(scenario, name)
      const store = setsOf(model.stores, name)[0] as Store
      const names = owned.fields.filter((field) => field.name !== owned.key[0]).map((field) => field.name)
      apart.set(
        name,
        await this.#page(
          store,
          this.#keys.set(store, () => key(entity.key[0] as string)),
          '-',
          '+',
          -1,
          null,
          names,
        ),
      )
    }
    return readReply(alive ? 1 : 0, () => {
      if (!alive) return { kind: 'rows', rows: [] }
      const lines = op.with.map((name): Value => {
        const owned = entityOf(scenario, name)
        const rows = apart.get(name)
        if (rows === undefined) return restoredLines(owned, found[op.fields.length + inside.indexOf(name)] as Buffer | null)
        return rows.map((row) => this.#values(owned, lineNames(owned), row))
      })
      return { kind: 'rows', rows: [[...this.#values(entity, op.fields, found), ...lines]] }
    })
  }

  /** Reads where it must, compares and writes in one script; again where somebody was faster. */
  async #write(op: Operation, bound: (name: string) => Value): Promise<Reply> {
    for (let retries = 0; ; retries++) {
      const plan = await this.#writes.plan(op, bound)
      if (plan === null) return wroteReply(0, retries)
      const done = await this.#run(plan)
      if (done >= 0) return wroteReply(done === 0 ? 0 : plan.rows, retries)
      if (retries === mostReads) throw Object.assign(new Error('the row changed again and again between reading and writing'), { code: 'CONTENDED' })
    }
  }

  #run({ conditions, commands }: WritePlan): Promise<number> {
    const words: Word[] = [
      String(conditions.length),
      ...conditions.flatMap(({ hash, field, kind, value }) => [hash, field, kind, value]),
      String(commands.length),
    ]
    for (const command of commands) words.push(String(command.length), ...command)
    return this.#client.compareWriteBuffer(...words)
  }

  #page(store: Store, set: Buffer, low: Word, high: Word, limit: number, now: number | null, fields: string[]): Promise<(Buffer | null)[][]> {
    const reversed = this.#keys.isReversed(store) ? '1' : '0'
    return this.#client.pageBuffer(set, low, high, reversed, String(limit), `${store.entity}:`, now === null ? '' : String(now), ...fields)
  }

  async #read(entity: Entity, hash: Buffer, fields: string[]): Promise<Row | null> {
    const wanted = [entity.key[0] as string, ...fields]
    const found = (await this.#client.hmgetBuffer(hash, ...wanted)) as (Buffer | null)[]
    if (found[0] === null) return null
    return new Map(wanted.map((name, at) => [name, restored(fieldOf(entity, name), found[at] as Buffer | null)]))
  }

  #values(entity: Entity, names: string[], found: (Buffer | null)[]): Value[] {
    return names.map((name, at) => restored(fieldOf(entity, name), found[at] as Buffer | null))
  }

  #storeOf(operation: string): Store {
    const name = this.#compiled.model.accesses.find((access) => access.operation === operation)?.steps[0]?.store
    return this.#compiled.model.stores.find((store) => store.name === name) as Store
  }

  async #info(): Promise<Map<string, string>> {
    const lines = (await this.#client.info()).split('\r\n').filter((line) => line.includes(':'))
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
  }

  /** Every key of the namespace, in batches. */
  async *#scan(prefix: string): AsyncIterable<Buffer[]> {
    let cursor = '0'
    do {
      const [next, keys] = (await this.#client.scanBuffer(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1000)) as [Buffer, Buffer[]]
      cursor = next.toString()
      if (keys.length > 0) yield keys
    } while (cursor !== '0')
  }

  /** Bytes as MEMORY USAGE tells them: of every sorted set, and of a sample of the hashes, which are alike. */
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
        for (const key of chosen) pipeline.call('MEMORY', 'USAGE', key)
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
    const bound = (name: string) => params.value(this.#parameters[operation]?.get(name) ?? -1)
    if (op.kind === 'get') return 'one HMGET of the row'
    const store = this.#storeOf(op.name)
    const set = op.kind === 'search' ? this.#keys.wordSet(store, String(bound('word'))) : this.#keys.set(store, (field) => bound(`where.${field}`))
    const members = await this.#client.zcard(set)
    const read = op.kind === 'list' || op.kind === 'search' ? Math.min(members, op.limit) : members
    return `ZRANGEBYLEX over a sorted set of ${members} members, then ${op.kind === 'aggregate' ? 'at most ' : ''}${read} HMGET, in one script`
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
        for (const key of batch) pipeline.hgetBuffer(key, host === undefined ? (field as string) : name)
        for (const [error, found] of (await pipeline.exec()) ?? []) {
          if (error !== null) throw error
          const lines =
            host === undefined ? [[restored(fieldOf(entity, field as string), found as Buffer)]] : restoredLines(entity, found as Buffer | null)
          rows += BigInt(lines.length)
          const at = host === undefined ? 0 : lineNames(entity).indexOf(field ?? '')
          if (field !== undefined) for (const line of lines) sum += BigInt(line[at] as number | bigint)
        }
      }
    }
    return { rows, sum }
  }

  async [Symbol.asyncDispose]() {
    this.#client.disconnect()
  }
}

/** The fields of a line in the order of answers. */
const lineNames = (owned: Entity) => lineFields(owned).map((field) => field.name)

/** Rows of [group field, summed field], each where asked for. */
function grouped(op: Aggregate, rows: Value[][]): Value[][] {
  const groups = new Groups(op)
  for (const row of rows) groups.add(row[0] ?? null, 1, op.sum === null ? 0n : BigInt(row.at(-1) as number | bigint))
  return groups.rows()
}
