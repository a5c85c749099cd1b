/** MariaDB through its driver: bulk inserts, prepared statements, facts, sizes and plans. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from 'mariadb'
import type { Cell } from '../../clients/protocols/mysql-rows.ts'
import type { SqlDriver } from '../../clients/sql-operations.ts'
import { keysInParts, purgeBatchRows, readsOnPrimary, referentialIntegrity, SqlSession } from '../../clients/sql-session.ts'
import type { ParamSource } from '../../data/parameters.ts'
import { type Chunk, cell, type RowSource } from '../../data/rows.ts'
import type { Store } from '../../families/model.ts'
import type { Parts } from '../../families/parts.ts'
import type { Statement } from '../../families/relational/compile.ts'
import { type Compiled, type Limits, type Parity, planInWords, type Session } from '../engine.ts'
import { dialect } from './dialect.ts'
import { isTransient } from './errors.ts'
import { columnName, id } from './names.ts'
import { partNames, tablePart, wholeOf } from './parts.ts'
import { readPlan } from './plan.ts'
import { promisedSettings, serverSettings } from './settings.ts'
import { boundValue, decode, ownValue, timestampText } from './values.ts'

export type Client = Connection

const noneFewerMs = 1000

export class MariadbSession extends SqlSession<Client, Cell> implements Session {
  readonly #open: () => Promise<Client>
  readonly #isMysql: boolean

  constructor(clients: Client[], open: () => Promise<Client>, compiled: Compiled<Statement>, isMysql: boolean) {
    super(clients, compiled, dialect, driver)
    this.#open = open
    this.#isMysql = isMysql
  }

  async facts(limits: Limits) {
    const { durability } = this.compiled
    const variables = new Map((await this.rows('SHOW VARIABLES')).map((row) => [String(row[0]), String(row[1])]))
    const promised = promisedSettings(durability)
    const asked: Record<string, string> = {
      innodb_flush_log_at_trx_commit: `durability ${durability}`,
      transaction_isolation: 'isolation read committed',
      innodb_buffer_pool_size: 'six tenths of the memory limit',
      log_bin: 'a log that a replica can follow',
    }
    const parity = Object.entries(serverSettings(limits, durability)).map(([name, set]): Parity => {
      // MariaDB before version 11 calls the isolation by another name.
      const effective = variables.get(name) ?? variables.get(name.replace('transaction_', 'tx_')) ?? ''
      return { what: name, asked: asked[name] ?? set, set, effective, ok: effective === set, ...(name in promised ? {} : { sizing: true as const }) }
    })
    const [[constraints] = []] = await this.rows(
      "SELECT count(*) FROM information_schema.table_constraints WHERE constraint_schema = DATABASE() AND constraint_type = 'FOREIGN KEY'",
    )
    parity.push(referentialIntegrity(Number(constraints), this.compiled), ...keysInParts(this.compiled), readsOnPrimary)
    return { version: `${variables.get('version')}${this.#isMysql ? ' (MySQL)' : ''}`, parity }
  }

  /** A connection for each table: owners and lines arrive together, and rows are generated while the server works. */
  async load(rows: RowSource, last: boolean) {
    const loaders = new Map<string, Promise<Client>>()
    const loaderOf = (table: string) => {
      const loader = loaders.get(table) ?? this.#openLoader()
      loaders.set(table, loader)
      return loader
    }
    try {
      let working: Promise<unknown> = Promise.resolve()
      for (const block of rows.blocks()) {
        const chunks = [block, ...block.owned].filter((chunk) => chunk.rows > 0).map((chunk) => ({ chunk, values: valuesOf(chunk) }))
        await working
        working = Promise.all(chunks.map(async ({ chunk, values }) => (await loaderOf(chunk.entity)).batch(insertOf(chunk), values)))
        working.catch(() => {}) // Told where it is awaited.
      }
      await working
      // Each goes through its table once more: a reference to nobody is refused here.
      if (last) for (const statement of this.compiled.afterLoad) await (await loaderOf('')).query(statement)
    } finally {
      await Promise.all([...loaders.values()].map((opening) => opening.then((loader) => loader.end()).catch(() => {})))
    }
  }

  async #openLoader(): Promise<Client> {
    const loader = await this.#open()
    // A replica is made of a copy that holds these rows; somebody else's server may not let us.
    await loader.query('SET SESSION sql_log_bin = 0').catch(() => {})
    return loader
  }

  async settle() {
    await this.rows(`ANALYZE TABLE ${this.compiled.model.stores.map((store) => id(store.name)).join(', ')}`)
    await this.maintain()
  }

  /** Writes all changed pages to the disk. What somebody else runs may not let us. */
  async maintain() {
    const name = 'innodb_max_dirty_pages_pct'
    const [[usual] = []] = await this.rows(`SELECT @@GLOBAL.${name}`)
    try {
      await this.rows(`SET GLOBAL ${name} = 0`)
    } catch {
      return
    }
    try {
      let least = Number.POSITIVE_INFINITY
      // The server itself changes a page now and then: who waits for none may wait for ever.
      for (let since = Date.now(); least > 0 && Date.now() - since < noneFewerMs; await sleep(50)) {
        const [[, dirty] = []] = await this.rows("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")
        if (Number(dirty) < least) since = Date.now()
        least = Math.min(least, Number(dirty))
      }
    } finally {
      await this.rows(`SET GLOBAL ${name} = ${usual}`)
    }
  }

  async storage() {
    const sizes = await this.rows(
      "SELECT table_name, index_name, stat_value * @@innodb_page_size FROM mysql.innodb_index_stats WHERE database_name = DATABASE() AND stat_name = 'size' ORDER BY 1, 2",
    )
    const words = this.#isMysql ? [] : await this.rows(wordIndexes)
    const each = [...sizes, ...words].map(([table, name, bytes]) => ({ table: wholeOf(String(table)), name: String(name), bytes: Number(bytes) }))
    const known = new Set(this.compiled.model.stores.map((store) => store.name))
    const own = [
      ...Map.groupBy(
        each.filter(({ table }) => known.has(table)),
        ({ table, name }) => `${table} ${name}`,
      ).values(),
    ].map(([first, ...others]) => ({ ...first!, bytes: others.reduce((sum, { bytes }) => sum + bytes, first!.bytes) }))
    const isTable = ({ name }: { name: string }) => name === 'PRIMARY'
    return { tables: own.filter(isTable).map(({ table, bytes }) => ({ name: table, bytes })), indexes: own.filter((index) => !isTable(index)) }
  }

  /** MariaDB runs the statement and counts; of MySQL the plan alone has this form. */
  async explain(operation: number, params: ParamSource) {
    const { statement, values } = this.operations.first(operation, params)
    const { client } = this
    const steps: Record<string, unknown>[] = await client.execute(`${this.#isMysql ? 'EXPLAIN' : 'ANALYZE'} ${statement.text}`, values)
    const shown = (step: Record<string, unknown>) =>
      Object.entries(step).flatMap(([name, value]) => (value === null || value === '' || name === 'id' ? [] : [`${name}: ${value}`]))
    const text = steps.map((step) => shown(step).join(', ')).join('\n')
    // MySQL's EXPLAIN guesses, and what it says of a call that it runs is words.
    if (this.#isMysql) return planInWords(text)
    const [row = {}]: Record<string, string>[] = await client.execute(`ANALYZE FORMAT=JSON ${statement.text}`, values)
    const found: unknown[] = await client.execute({ sql: statement.text, rowsAsArray: true }, values)
    return { text, ...readPlan(Object.values(row)[0] ?? 'null', found.length) }
  }

  /** Nothing where the server does not count: its counters cost what is measured. */
  async indexUse() {
    const rows = await this.rows(
      'SELECT object_name, index_name, count_star FROM performance_schema.table_io_waits_summary_by_index_usage WHERE object_schema = DATABASE() AND index_name IS NOT NULL ORDER BY 1, 2',
    )
    return rows.map(([table, index, uses]) => ({ table: String(table), index: String(index), uses: Number(uses) }))
  }

  protected async partsOf(table: string, _parts: Parts, expiryField: string, nowMs: number) {
    const names = await this.rows(partNames(table))
    return names.map(([name]) => tablePart(table, String(name), `${columnName(expiryField)} > '${timestampText(nowMs)}'`))
  }

  protected async removeExpired(store: Store, expiryField: string, nowMs: number) {
    const { affectedRows } = await this.client.execute(purgeStatement(store, expiryField), [timestampText(nowMs)])
    return Number(affectedRows)
  }

  protected async rows(sql: string): Promise<Cell[][]> {
    const rows: unknown = await this.client.query({ sql, rowsAsArray: true })
    return Array.isArray(rows) ? rows : []
  }
}

/** How the driver runs what an operation is made of: it keeps prepared statements by their text. */
const driver: SqlDriver<Client, Cell> = {
  async run(client, _name, { text, guarded }, values) {
    const result: Cell[][] | { affectedRows: number } = await client.execute({ sql: text, rowsAsArray: true }, values)
    if (Array.isArray(result)) return { rows: result, touched: 0 }
    // A row that a put replaces is counted twice; what has no guard, and is counted, is of one row.
    return { rows: [], touched: guarded === undefined ? Math.min(1, result.affectedRows) : result.affectedRows }
  },
  control: (client, word) => client.query(word),
  bind: (values, parameter, value) => void values.push(boundValue(parameter, value)),
  decode,
  isTransient: (error) => isTransient(String((error as { errno?: number }).errno)),
}

const insertOf = ({ entity, data }: Chunk) => {
  const names = data.generators.map(({ field }) => columnName(field.name))
  return `INSERT INTO ${id(entity)} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
}

function valuesOf(chunk: Chunk): unknown[][] {
  const { columns } = chunk
  return Array.from({ length: chunk.rows }, (_, row) => columns.map((column) => ownValue(column.field, cell(column, row))))
}

/** In the order of their expiry, which an index has: a row that is renewed in the meantime stays. Owned rows go with their owner. */
function purgeStatement({ name }: Store, field: string): string {
  const expiry = columnName(field)
  return `DELETE FROM ${id(name)} WHERE ${expiry} <= ? ORDER BY ${expiry} LIMIT ${purgeBatchRows}`
}

/** InnoDB keeps the words of a text index in tables of their own, named by the numbers of the table and of the index. */
const wordIndexes = `SELECT SUBSTRING_INDEX(t.NAME, '/', -1), i.NAME, SUM(s.FILE_SIZE)
  FROM information_schema.INNODB_SYS_INDEXES i JOIN information_schema.INNODB_SYS_TABLES t ON t.TABLE_ID = i.TABLE_ID
  JOIN information_schema.INNODB_SYS_TABLESPACES s
    ON s.NAME LIKE CONCAT(DATABASE(), '/FTS\\_', LOWER(LPAD(HEX(t.TABLE_ID), 16, '0')), '\\_', LOWER(LPAD(HEX(i.INDEX_ID), 16, '0')), '\\_%')
  WHERE t.NAME LIKE CONCAT(DATABASE(), '/%') GROUP BY 1, 2`
