/** Cassandra through its driver: loads, the operations' conversations, facts and storage. */
import type { Client } from 'cassandra-driver'
import { CqlConnection, type CqlLogin } from '../../clients/protocols/cql.ts'
import { pageSize } from '../../clients/protocols/cql-messages.ts'
import { type ParamSource, positionsOf } from '../../data/parameters.ts'
import type { RowSource } from '../../data/rows.ts'
import { decimalText, type Value } from '../../data/value.ts'
import type { StoreColumn } from '../../families/model.ts'
import { rowBytes } from '../../families/sizes.ts'
import { baseStore } from '../../families/wide-column/stores.ts'
import { entityOf, type Operation } from '../../scenario/scenario.ts'
import { type Compiled, type ConnectOptions, type Limits, planInWords, type Reply, type Session } from '../engine.ts'
import { id } from './cql.ts'
import { CassandraLoad } from './load.ts'
import { CassandraOperations } from './operations.ts'
import { cassandraFacts } from './parity.ts'
import { amountOf, lineColumn } from './rows.ts'
import { type Cql, type CqlResult, consistencies, type Request } from './talk.ts'

export type Driver = typeof import('cassandra-driver')

const maxPageBytes = 4e6

export class CassandraSession implements Session {
  readonly #driver: Driver
  readonly #client: Client
  readonly #compiled: Compiled<string>
  readonly #options: ConnectOptions
  readonly #keyspace: string
  readonly #openWire: () => Promise<CqlConnection>
  readonly #operations: CassandraOperations
  readonly #parameters: Map<string, number>[]

  constructor(driver: Driver, client: Client, compiled: Compiled<string>, options: ConnectOptions, login: CqlLogin) {
    this.#keyspace = login.keyspace
    this.#openWire = () => CqlConnection.open(login)
    this.#driver = driver
    this.#client = client
    this.#compiled = compiled
    this.#options = options
    this.#operations = new CassandraOperations(compiled)
    this.#parameters = compiled.operations.map((operation) => positionsOf(compiled.scenario, operation))
  }

  facts(limits: Limits) {
    return cassandraFacts(this.#client, this.#keyspace, this.#compiled, this.#options, limits)
  }

  async create() {
    await this.#durableWrites(false) // The bulk load bypasses the commit log; the flush that ends it makes it durable.
    for (const store of this.#compiled.model.stores) await this.#client.execute(`DROP TABLE IF EXISTS ${id(store.name)}`, [], { prepare: false })
    for (const statement of this.#compiled.ddl) await this.#client.execute(statement, [], { prepare: false })
  }

  /** Through the wire client: the driver's objects cost more than the server's work. */
  async load(rows: RowSource, last: boolean) {
    const connection = await this.#openWire()
    try {
      const load = new CassandraLoad(connection, this.#compiled, this.#operations.rows)
      for (const block of rows.blocks()) await load.block(block)
      await load.finish()
    } finally {
      connection.end()
    }
    await this.#options.administer?.(['flush', this.#keyspace])
    if (last) await this.#durableWrites(true)
  }

  /** Only where the flush that makes up for it can be asked for. */
  async #durableWrites(on: boolean) {
    if (this.#options.administer === undefined) return
    await this.#client.execute(`ALTER KEYSPACE ${id(this.#keyspace)} WITH durable_writes = ${on}`, [], { prepare: false })
  }

  async settle() {
    for (let waited = 0; waited < 30 && this.#options.administer !== undefined; waited++) {
      if (/pending tasks:?\s+0\b/.test(await this.#options.administer(['compactionstats']))) break
    }
  }

  /** Where no administration tool is at hand the server is left alone. */
  async maintain() {
    await this.#options.administer?.(['flush', this.#keyspace])
    await this.#options.administer?.(['compact', this.#keyspace])
  }

  async perform(operation: number, params: ParamSource): Promise<Reply> {
    const talk = this.#operations.perform(operation, (name) => params.value(this.#parameters[operation]?.get(name) ?? -1))
    let said = talk.next()
    while (said.done !== true) said = talk.next(await Promise.all(said.value.map((request) => this.#carry(request))))
    return said.value
  }

  async #carry({ statements, consistency, pageState, pageRows = pageSize }: Request): Promise<CqlResult> {
    const [only] = statements as [Cql]
    const options = { prepare: true, consistency, fetchSize: pageRows }
    const result =
      statements.length === 1
        ? await this.#client.execute(
            only.query,
            this.#bound(only) as never,
            pageState === null ? options : { ...options, pageState: pageState.toString('hex') },
          )
        : await this.#client.batch(statements.map((each) => ({ query: each.query, params: this.#bound(each) })) as never, {
            ...options,
            logged: true,
          })
    const names = (result.columns ?? []).map((column) => column.name)
    return {
      rows: (result.rows ?? []).map((row) => Object.fromEntries(names.map((name) => [name, this.#plain(row[name])]))),
      pageState: result.pageState ? Buffer.from(result.pageState, 'hex') : null,
    }
  }

  #bound({ columns, params, isNew }: Cql): unknown[] {
    const { unset } = this.#driver.types
    return params.map((value, at) => (value === null && isNew ? unset : this.#bind(columns[at] as StoreColumn | null, value)))
  }

  #bind(column: StoreColumn | null, value: Value): unknown {
    if (value === null || value === undefined) return null
    if (column === null || column.role === 'bucket' || column.role === 'token') return value
    const { Uuid, BigDecimal, Long } = this.#driver.types
    switch (column.type) {
      case 'uuid':
        return new Uuid(Buffer.from(value as Uint8Array))
      case 'decimal':
        return BigDecimal.fromString(decimalText(BigInt(value as number | bigint), column.scale))
      case 'timestamp':
        return new Date(Number(value))
      case 'json':
        return JSON.stringify(value)
      case 'int':
        return this.#operations.rows.isInt(column) ? Number(value) : Long.fromNumber(Number(value))
      default:
        return value
    }
  }

  /** The driver's own types as plain values. */
  #plain(stored: unknown): Value {
    const { Uuid, BigDecimal, Integer, Long } = this.#driver.types
    if (stored instanceof Uuid) return stored.getBuffer()
    if (stored instanceof BigDecimal || stored instanceof Integer) return stored.toString()
    if (stored instanceof Long) return stored.toNumber()
    return stored instanceof Date ? stored.getTime() : ((stored ?? null) as Value)
  }

  async storage() {
    const text = (await this.#options.administer?.(['tablestats', '-F', 'json', this.#keyspace])) ?? '{}'
    const found = JSON.parse(text.slice(text.indexOf('{'))) as Record<string, { tables?: Record<string, Record<string, unknown>> }>
    const tables = Object.entries(found[this.#keyspace]?.tables ?? {}).map(([name, facts]) => ({ name, bytes: Number(facts.space_used_live ?? 0) }))
    return { tables, indexes: [] }
  }

  async explain(operation: number) {
    const op = this.#compiled.operations[operation] as Operation
    const access = this.#compiled.model.accesses.find((each) => each.operation === op.name)
    const steps = (access?.steps ?? [])
      .map((step) => `${step.action} ${step.store} by ${step.index ?? 'its key'}, ${step.requests} request${step.requests > 1 ? 's' : ''} as a rule`)
      .join('\n')
    return planInWords(steps)
  }

  async indexUse() {
    return []
  }

  /** Reads the base table through: Cassandra keeps no counts. */
  async total(entityName: string, field?: string) {
    const { model } = this.#compiled
    const store = baseStore(model.stores, entityName)
    const line = store.embedded.includes(entityName)
    const column = field === undefined ? undefined : (store.columns.find((each) => each.entity === entityName && each.field === field) as StoreColumn)
    const counted = line ? lineColumn(store) : (store.partition[0] as string)
    const distinct = !line && store.embedded.length > 0
    let rows = 0n
    let sum = 0n
    const names = [...new Set([counted, ...(column === undefined ? [] : [column.name])])]
    const text = `SELECT ${distinct ? 'DISTINCT ' : ''}${names.map(id).join(', ')} FROM ${id(store.name)}`
    // Whole rows are read, whatever is asked of them: a page of the widest would take more memory than the server has.
    const pageRows = Math.max(1, Math.min(pageSize, Math.floor(maxPageBytes / rowBytes(entityOf(this.#compiled.scenario, entityName)))))
    let pageState: Buffer | null = null
    do {
      const statements = [{ query: text, columns: [], params: [] }]
      const page: CqlResult = await this.#carry({ statements, consistency: consistencies.quorum, pageState, pageRows })
      for (const row of page.rows) {
        if (row[counted] === null) continue
        rows++
        if (column !== undefined) sum += amountOf(row[column.name], column.scale)
      }
      pageState = page.pageState
    } while (pageState !== null)
    return { rows, sum }
  }

  async [Symbol.asyncDispose]() {
    await this.#client.shutdown()
  }
}
