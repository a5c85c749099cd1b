/** PostgreSQL through its driver: binary COPY, prepared statements, facts and plans. */
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { Client, QueryArrayResult } from 'pg'
import type { SqlDriver } from '../../clients/sql-operations.ts'
import { keysInParts, purgeBatchRows, readsOnPrimary, referentialIntegrity, SqlSession } from '../../clients/sql-session.ts'
import { isWindowBound, type ParamSource } from '../../data/parameters.ts'
import type { RowSource } from '../../data/rows.ts'
import type { Store } from '../../families/model.ts'
import type { Parts } from '../../families/parts.ts'
import type { Statement } from '../../families/relational/compile.ts'
import type { Durability, Field } from '../../scenario/scenario.ts'
import { settingsOf } from '../configuration.ts'
import type { Compiled, Limits, Parity, Session } from '../engine.ts'
import { copyHeader, copyTrailer, encodeCopy } from './copy.ts'
import { dialect } from './dialect.ts'
import { columnName, tableName } from './names.ts'
import { partNames, tablePart } from './parts.ts'
import { type PlanNode, readPlan } from './plan.ts'
import { decode, pgValue, pgValues, type Rows, timestampText } from './values.ts'

const MiB = 2 ** 20
const asText = { getTypeParser: () => (text: string) => text }

export function serverSettings({ memoryBytes }: Limits, durability: Durability): Record<string, string> {
  const megabytes = (share: number) => `${Math.max(16, Math.floor((memoryBytes * share) / MiB))}MB`
  return {
    timezone: 'UTC',
    max_connections: '200',
    shared_buffers: megabytes(0.25),
    effective_cache_size: megabytes(0.75),
    maintenance_work_mem: megabytes(1 / 16),
    max_wal_size: '4GB',
    min_wal_size: '1GB',
    ...settingsOf('postgres', durability),
    default_transaction_isolation: 'read committed',
    log_min_messages: 'fatal',
  }
}

interface Copy {
  client: Client
  stream: Writable
  finished: Promise<unknown>
  /** What ended it; null: nothing did. */
  failure: Error | null
}

/** Written on, a stream whose connection has failed throws an error of its own, which says nothing of the server. */
function checkCopy({ failure }: Copy): void {
  if (failure !== null) throw failure
}

export class PostgresSession extends SqlSession<Client, string | null> implements Session {
  readonly #open: () => Promise<Client>

  constructor(clients: Client[], open: () => Promise<Client>, compiled: Compiled<Statement>) {
    super(clients, compiled, dialect, compiled.pooler === undefined ? driver : unnamed)
    this.#open = open
  }

  async facts(limits: Limits) {
    const { durability } = this.compiled
    const parity: Parity[] = []
    const promised = new Set(['default_transaction_isolation', ...Object.keys(settingsOf('postgres', durability))])
    for (const [name, set] of Object.entries(serverSettings(limits, durability))) {
      const effective = String((await this.rows(`SHOW ${name}`))[0]?.[0] ?? '')
      const asked =
        {
          synchronous_commit: `durability ${durability}`,
          default_transaction_isolation: 'isolation read committed',
          shared_buffers: 'a quarter of the memory limit',
        }[name] ?? set
      const sizing = promised.has(name) ? {} : { sizing: true as const }
      parity.push({ what: name, asked, set, effective, ok: sameSetting(set, effective), ...sizing })
    }
    const constraints = Number((await this.rows("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0"))[0]?.[0])
    parity.push(referentialIntegrity(constraints, this.compiled), ...keysInParts(this.compiled))
    const log = await this.#logSegments().catch(() => null)
    parity.push({
      what: 'log segments ready',
      asked: 'the state of a server that has run for a day',
      set: 'as many as min_wal_size keeps, written once and recycled',
      effective: log === null ? 'not told to us' : `${log.ahead} of ${log.kept - 1}`,
      ok: true,
    })
    parity.push(readsOnPrimary)
    return { version: String((await this.rows('SHOW server_version'))[0]?.[0]), parity }
  }

  /** One COPY per table, each on a connection of its own: owners and lines arrive together, and rows are generated while the server works. */
  async load(rows: RowSource, last: boolean) {
    const { from } = await import('pg-copy-streams')
    const copies = new Map<string, Copy>()
    const copyOf = async (table: string) => {
      const client = await this.#open()
      const stream = client.query(from(`COPY ${tableName(table)} FROM STDIN (FORMAT binary)`))
      const copy: Copy = { client, stream, finished: once(stream, 'finish'), failure: null }
      copy.finished.catch(() => {}) // Told where it is awaited.
      stream.once('error', (error) => (copy.failure = error))
      copies.set(table, copy)
      stream.write(copyHeader)
      return copy
    }
    const finish = async (tables: string[]) => {
      for (const table of tables) {
        const copy = copies.get(table)
        if (copy === undefined) continue
        copies.delete(table)
        checkCopy(copy)
        copy.stream.end(copyTrailer)
        await copy.finished
        await copy.client.end()
      }
    }
    try {
      for (const block of rows.blocks()) {
        const tables = [block, ...block.owned].map((chunk) => chunk.entity)
        await finish([...copies.keys()].filter((table) => !tables.includes(table)))
        for (const chunk of [block, ...block.owned]) {
          const copy = copies.get(chunk.entity) ?? (await copyOf(chunk.entity))
          checkCopy(copy)
          const { stream, finished } = copy
          if (!stream.write(encodeCopy(this.compiled.scenario, chunk))) await Promise.race([once(stream, 'drain'), finished])
        }
      }
      await finish([...copies.keys()])
    } finally {
      for (const { client } of copies.values()) await client.end().catch(() => {})
    }
    if (last) for (const statement of this.compiled.afterLoad) await this.rows(statement)
  }

  async settle() {
    await this.rows('VACUUM ANALYZE')
    // What somebody else runs may not let us, and is as old as it is.
    await this.#fillLog().catch(() => {})
    await this.rows('CHECKPOINT')
  }

  /**
   * A server that has run for a day writes its log into segments that it has written before. A new one has to make each segment first, filled
   * with zeros and synced, while commits wait for it: it is led once through as many as it keeps, which the checkpoint that follows recycles.
   */
  async #fillLog() {
    const { kept, ahead } = await this.#logSegments()
    // The one that is written now is among those that it keeps.
    for (let missing = kept - 1 - ahead; missing > 0; missing--) await this.rows("SELECT pg_logical_emit_message(false, '', '-'), pg_switch_wal()")
  }

  /** Segments of the log that the server keeps at least, and those that lie ready ahead of the one that it writes. */
  async #logSegments(): Promise<{ kept: number; ahead: number }> {
    const [row] = await this.rows(
      "SELECT pg_size_bytes(current_setting('min_wal_size')) / pg_size_bytes(current_setting('wal_segment_size')), count(*) FILTER (WHERE name > pg_walfile_name(pg_current_wal_lsn())) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'",
    )
    return { kept: Number(row?.[0]), ahead: Number(row?.[1]) }
  }

  async maintain() {
    await this.rows('CHECKPOINT')
  }

  async storage() {
    const tables = await this.rows(
      `SELECT ${wholeOf('c.oid')}, sum(pg_table_size(c.oid)) FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1 ORDER BY 1`,
    )
    const indexes = await this.rows(
      `SELECT ${wholeOf('x.indrelid')}, ${wholeOf('c.oid')}, sum(pg_relation_size(c.oid)) FROM pg_class c JOIN pg_index x ON x.indexrelid = c.oid WHERE c.relkind = 'i' AND c.relnamespace = 'public'::regnamespace GROUP BY 1, 2 ORDER BY 1, 2`,
    )
    return {
      tables: tables.map(([name, bytes]) => ({ name: String(name), bytes: Number(bytes) })),
      indexes: indexes.map(([table, name, bytes]) => ({ table: String(table), name: String(name), bytes: Number(bytes) })),
    }
  }

  async explain(operation: number, params: ParamSource) {
    const { statement, values } = this.operations.first(operation, params)
    const { client } = this
    await client.query('BEGIN')
    try {
      const options = 'ANALYZE, COSTS off, TIMING off'
      const words = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (${options}, BUFFERS) ${statement.text}`, values)
      const told = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`EXPLAIN (${options}, FORMAT JSON) ${statement.text}`, values)
      return {
        text: words.rows.map((row) => row['QUERY PLAN']).join('\n'),
        ...readPlan((told.rows[0] as (typeof told.rows)[number])['QUERY PLAN'][0].Plan, (relation) => this.#storeOf(relation)),
      }
    } finally {
      await client.query('ROLLBACK')
    }
  }

  async indexUse() {
    const rows = await this.rows(
      `SELECT ${wholeOf('relid')}, ${wholeOf('indexrelid')}, sum(idx_scan) FROM pg_stat_user_indexes GROUP BY 1, 2 ORDER BY 1, 2`,
    )
    return rows.map((row) => ({ table: String(row[0]), index: String(row[1]), uses: Number(row[2]) }))
  }

  /** A part goes by the name of its table. */
  #storeOf(relation: string): string {
    const { stores } = this.compiled.model
    return stores.find(({ division }) => division?.parts && relation.startsWith(division.parts.prefix))?.name ?? relation
  }

  protected async partsOf(table: string, parts: Parts, expiryField: string, nowMs: number) {
    const names = await this.rows(partNames(tableName(table)))
    return names.flatMap(([name]) => tablePart(tableName(table), String(name), parts, `${columnName(expiryField)} > '${timestampText(nowMs)}'`))
  }

  protected async removeExpired(store: Store, expiryField: string, nowMs: number) {
    const { rowCount } = await this.client.query(purgeStatement(store, expiryField), [timestampText(nowMs)])
    return rowCount ?? 0
  }

  protected async rows(text: string): Promise<Rows> {
    const result = await this.client.query({ text, rowMode: 'array', types: asText })
    return result.rows as Rows
  }
}

/** The name of what a relation is a part of, or its own. */
const wholeOf = (oid: string) => `(SELECT relname FROM pg_class WHERE oid = coalesce(pg_partition_root(${oid}), ${oid}))`

/** How pg runs what an operation is made of. */
const driver: SqlDriver<Client, string | null> = {
  async run(client, name, { text }, values) {
    const result: QueryArrayResult<(string | null)[]> = await client.query({ name, text, values, rowMode: 'array', types: asText })
    return { rows: result.rows, touched: result.rowCount ?? 0 }
  },
  control: (client, word) => client.query(word),
  bind(values, parameter, value) {
    if (parameter.shape === 'value' && !isWindowBound(parameter)) values.push(pgValue(parameter.field as Field, value))
    else values.push(...pgValues(parameter, value))
  },
  decode,
  isTransient: (error) => isTransientError(error),
}

/** The statement and its execution go out together, in one transaction. */
const unnamed: typeof driver = { ...driver, run: (client, _name, statement, values) => driver.run(client, '', statement, values) }

const isTransientError = (error: unknown) => isTransient((error as { code?: string }).code)

/**
 * The batch is locked before it is removed: a row that is renewed in the meantime stays, and a row that somebody works on
 * is left to the next batch. Owned rows go with their owner.
 */
function purgeStatement({ name, partition }: Store, expiryField: string): string {
  const key = partition.map(columnName).join(', ')
  const condition = `${columnName(expiryField)} <= $1`
  const batch = `SELECT ${key} FROM ${tableName(name)} WHERE ${condition} LIMIT ${purgeBatchRows} FOR UPDATE SKIP LOCKED`
  return `WITH expired AS MATERIALIZED (${batch}) DELETE FROM ${tableName(name)} WHERE (${key}) IN (SELECT ${key} FROM expired)`
}

/** Serialization failure and deadlock: the whole transaction is tried again (PostgreSQL documentation, 13.5). */
export const isTransient = (sqlState: string | undefined) => sqlState === '40001' || sqlState === '40P01'

/** "512MB" as SHOW prints it may read "512MB" or, in another unit, "1GB". */
function sameSetting(set: string, effective: string): boolean {
  const bytes = (text: string) => {
    const match = /^(\d+)\s*(kB|MB|GB|TB)$/.exec(text)
    return match === null ? text : Number(match[1]) * { kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 }[match[2] as 'kB']!
  }
  return bytes(set) === bytes(effective)
}
