/** What sessions of relational products share: their operations, totals, promises that they keep alike, and the purge of expired rows. */
import type { ParamSource } from '../data/parameters.ts'
import { decimalValue } from '../data/value.ts'
import type { Compiled, Parity, Reply } from '../engines/engine.ts'
import type { Store } from '../families/model.ts'
import { type Parts, partStart } from '../families/parts.ts'
import type { Statement } from '../families/relational/compile.ts'
import type { SqlDialect } from '../families/relational/dialect.ts'
import { entityOf, fieldOf } from '../scenario/scenario.ts'
import { retrying } from './retry.ts'
import { type SqlDriver, SqlOperations } from './sql-operations.ts'

/** A part of a table, by the time of its rows. */
export interface TablePart {
  startMs: number
  /** Says of its rows how many there are, and how many of them live still. */
  counts: string
  drop: string[]
}

export abstract class SqlSession<Client extends { end(): Promise<void> }, Cell> {
  protected readonly client: Client
  protected readonly compiled: Compiled<Statement>
  protected readonly operations: SqlOperations<Client, Cell>
  readonly #clients: Client[]
  readonly #dialect: SqlDialect
  readonly #driver: SqlDriver<Client, Cell>

  constructor(clients: Client[], compiled: Compiled<Statement>, dialect: SqlDialect, driver: SqlDriver<Client, Cell>) {
    this.client = clients[0] as Client
    this.compiled = compiled
    this.operations = new SqlOperations(clients, compiled, driver)
    this.#clients = clients
    this.#dialect = dialect
    this.#driver = driver
  }

  /** Of a statement without parameters; [] where it returns none. */
  protected abstract rows(text: string): Promise<Cell[][]>
  /** Removes up to `purgeBatchRows` rows that expired by then; resolves with how many. */
  protected abstract removeExpired(store: Store, expiryField: string, nowMs: number): Promise<number>

  /** The parts of a table that there are, but for the one of all later rows: the oldest first. */
  protected abstract partsOf(table: string, parts: Parts, expiryField: string, nowMs: number): Promise<TablePart[]>

  async create() {
    for (const statement of this.compiled.ddl) await this.rows(statement)
  }

  perform(operation: number, params: ParamSource): Promise<Reply> {
    return this.operations.perform(operation, params)
  }

  async total(entity: string, field?: string) {
    const { column, table } = this.#dialect
    const sum = field === undefined ? '0' : `coalesce(sum(${column(field)}), 0)`
    const [row] = await this.rows(`SELECT count(*), ${sum} FROM ${table(entity)}`)
    const scale = field === undefined ? 0 : fieldOf(entityOf(this.compiled.scenario, entity), field).scale
    return { rows: BigInt(String(row?.[0] ?? 0)), sum: decimalValue(String(row?.[1] ?? '0'), scale) }
  }

  /** Some batches of every store whose rows expire; of one in parts those in which no row lives. */
  async purge(nowMs: number): Promise<number> {
    let removed = 0
    for (const store of this.compiled.model.stores) {
      const { expiry, division } = store
      if (expiry === null) continue
      if (division?.parts) {
        removed += await this.#dropExpired(store.name, division.parts, expiry.field, nowMs)
        continue
      }
      for (let batch = 0; batch < maxPurgeBatches; batch++) {
        const { result: rows } = await retrying(() => this.removeExpired(store, expiry.field, nowMs), this.#driver.isTransient)
        removed += rows
        if (rows !== purgeBatchRows) break
      }
    }
    return removed
  }

  async #dropExpired(table: string, parts: Parts, expiryField: string, nowMs: number): Promise<number> {
    let removed = 0
    for (const { startMs, counts, drop } of await this.partsOf(table, parts, expiryField, nowMs)) {
      if (partStart(parts.unit, startMs, 1) + parts.keptMs > nowMs) break
      const [[rows, living] = []] = await this.rows(counts)
      if (Number(living) > 0) break
      for (const statement of drop) await this.rows(statement)
      removed += Number(rows)
    }
    return removed
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => {})))
  }
}

export const purgeBatchRows = 1000
const maxPurgeBatches = 10

/** `foreignKeys`: as many as the server says that it has. */
export function referentialIntegrity(foreignKeys: number, { model }: Compiled): Parity {
  return {
    what: 'referential integrity',
    asked: 'references point at rows',
    set: 'foreign keys, but to rows that an operation or their expiry removes',
    effective: `${foreignKeys} foreign keys`,
    ok: foreignKeys === model.stores.reduce((sum, { references }) => sum + references.length, 0),
  }
}

/** Of tables in parts: [] where there are none. */
export function keysInParts({ model, scenario }: Compiled): Parity[] {
  const divided = model.stores.flatMap(({ name, entity, partition, division }) =>
    division?.parts ? [`${name}: ${partition.join(', ')} together, and ${entityOf(scenario, entity).key.join(', ')} alone is not looked after`] : [],
  )
  if (divided.length === 0) return []
  return [{ what: 'unique keys', asked: 'no two rows with one key', set: 'primary keys', effective: `excused: ${divided.join('; ')}`, ok: true }]
}

/** Of a server without replicas. */
export const readsOnPrimary: Parity = {
  what: 'consistency',
  asked: 'strong',
  set: 'reads on the primary',
  effective: 'one node: every read sees every acknowledged write',
  ok: true,
}
