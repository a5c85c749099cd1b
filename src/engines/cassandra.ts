/** Cassandra: one node, its CQL, its driver (cassandra-driver). */
import type { types as CassandraTypes, Client } from 'cassandra-driver'
import { type ParamSource, parametersOf } from '../data/parameters.ts'
import { type Block, cell, type RowSource } from '../data/rows.ts'
import { type Answer, canonical, compareValues, decimalText, decimalValue, type Value } from '../data/value.ts'
import { bucketMs, bucketOf } from '../model/buckets.ts'
import type { Store, StoreColumn } from '../model/model.ts'
import { baseStore, groupedByServer, storesOfEntity } from '../model/wide-column.ts'
import { type Entity, entityOf, type Field, lineFields, type Operation, ownedBy, type Update, type Write } from '../scenario/scenario.ts'
import {
  cqlType,
  createTable,
  deleteRow,
  id,
  insertRow,
  rowKeys,
  selectGroup,
  selectPage,
  selectPartition,
  selectWords,
  updateRow,
} from './cassandra-cql.ts'
import { configurationFiles, heapMegabytes, nodetoolCommand, startCommand } from './cassandra-server.ts'
import type { Compiled, CompiledOperation, ConnectOptions, Endpoint, Engine, Limits, Parity, Reply, Session } from './engine.ts'

const keyspace = 'dbtrial'
const bucketsInFlight = 8
const loadsInFlight = 128
/** Bytes of one load batch; all its rows share a partition. */
const rowsPerLoadBatch = 40
const nativeGraceSeconds = 24 * 3600

type Driver = typeof import('cassandra-driver')
type Row = Map<string, Value>
interface Cql {
  query: string
  params: unknown[]
}

export const cassandra: Engine = {
  name: 'cassandra',
  family: 'wide-column',
  traits: {
    licence: { value: 'Apache-2.0', source: 'cassandra.apache.org' },
    transactions: { value: 'none across partitions; lightweight transactions within one', source: 'Cassandra documentation, Guarantees' },
    isolation: { value: 'row-level within a partition', source: 'Cassandra documentation, Guarantees' },
    sharding: { value: 'built in, consistent hashing of the partition key', source: 'Cassandra documentation, Dynamo' },
    topologies: { value: 'ring without a primary', source: 'Cassandra documentation, Architecture' },
  },
  pace: { startSeconds: 8, loadRowsPerSecond: 12_000, settleSeconds: 4, verifySeconds: 11, warmUpSeconds: 12 },
  server: {
    onPath: null,
    package: {
      manager: 'maven',
      name: 'org.apache.cassandra:cassandra-all',
      version: '5.0.9',
      home: 'package',
      files: { any: { name: '', sha256: 'ab7546b5bffe145cb57a9b55f1028c1c8edb4db08e55f7bb3dacac33865f4cad' } },
    },
    needs: [
      { program: 'java', hint: 'install a JDK, version 11 or 17 (Debian: openjdk-17-jdk-headless)' },
      { program: 'mvn', hint: 'install Maven (Debian: maven)' },
    ],
    sparePorts: 2,
    stopSignal: 'SIGTERM',
    files: configurationFiles,
    prepare: () => null,
    start: startCommand,
    administer: nodetoolCommand,
  },
  compile(model, operations, scenario, durability) {
    const typeOf = (column: StoreColumn) => cqlType(column, fieldOfColumn(scenario, column))
    const compiled = operations.map((operation): CompiledOperation | null => {
      if (model.excuses.some((excuse) => excuse.operation === operation.name)) return null
      const store = storeFor(model.stores, model.accesses, operation.name)
      const texts =
        operation.kind === 'get'
          ? [selectPartition(store)]
          : operation.kind === 'list'
            ? [selectPage(store, operation, false), selectPage(store, operation, true)]
            : operation.kind === 'search'
              ? [selectWords(store, operation)]
              : operation.kind === 'aggregate'
                ? [selectGroup(store, operation)]
                : writeTexts(model.stores, model.accesses.find((access) => access.operation === operation.name)?.steps ?? [], operation)
      return { operation: operation.name, statements: texts.map((text) => ({ text, binds: [] })) }
    })
    return {
      engine: 'cassandra',
      durability,
      scenario,
      operations,
      model,
      ddl: model.stores.map((store) => createTable(store, typeOf)),
      afterLoad: [],
      compiled,
      settings: {
        commitlog_sync: durability === 'fsync' ? 'batch' : 'periodic, 10 s',
        heap: `${heapMegabytes(scenario.bench.memoryBytes)} MiB, G1`,
        replication: 'SimpleStrategy, factor 1',
      },
    }
  },
  handbook: (compiled) => ({
    schema: compiled.ddl,
    backup: ['nodetool snapshot -t "$TAG" dbtrial, then copy the snapshot directories of every node'],
    restore: ['copy the snapshot back into the table directories and run nodetool refresh'],
    grants: ["CREATE ROLE application WITH LOGIN = true AND PASSWORD = '…'", `GRANT SELECT, MODIFY ON KEYSPACE ${keyspace} TO application`],
    alerts: [
      'pending compactions > 20',
      'dropped mutations > 0',
      'heap after GC > 75 %',
      'largest partition > 100 MB',
      'disk > 50 % (compaction reserve)',
    ],
  }),
  async ready(endpoint) {
    const driver = await import('cassandra-driver')
    const client = clientOf(driver, endpoint, undefined)
    try {
      await client.connect()
      const { rows } = await client.execute('SELECT release_version FROM system.local')
      return String(rows[0]?.release_version)
    } finally {
      await client.shutdown()
    }
  },
  async connect(endpoint, compiled, options) {
    const driver = await import('cassandra-driver')
    const admin = clientOf(driver, endpoint, undefined)
    await admin.connect()
    await admin.execute(`CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
    await admin.shutdown()
    const client = clientOf(driver, endpoint, keyspace)
    await client.connect()
    return new CassandraSession(driver, client, compiled, options)
  },
}

function clientOf(driver: Driver, { host, port }: Endpoint, name: string | undefined): Client {
  return new driver.Client({
    contactPoints: [`${host}:${port}`],
    localDataCenter: 'datacenter1',
    ...(name === undefined ? {} : { keyspace: name }),
    pooling: { coreConnectionsPerHost: { [driver.types.distance.local]: 1 }, maxRequestsPerConnection: 32768 },
    socketOptions: { connectTimeout: 5000, readTimeout: 30_000 },
    queryOptions: { prepare: true, consistency: driver.types.consistencies.quorum, fetchSize: 5000 },
    policies: {
      speculativeExecution: new driver.policies.speculativeExecution.NoSpeculativeExecutionPolicy(),
      retry: new driver.policies.retry.FallthroughRetryPolicy(),
    },
  })
}

function fieldOfColumn(scenario: Compiled['scenario'], column: StoreColumn): Field | undefined {
  return entityOf(scenario, column.entity).fields.find((field) => field.name === column.field)
}

function storeFor(stores: Store[], accesses: Compiled['model']['accesses'], operation: string): Store {
  const name = accesses.find((access) => access.operation === operation)?.steps[0]?.store
  return stores.find((store) => store.name === name) as Store
}

/** Writes as the report shows them; the session builds the same from the row at hand. */
function writeTexts(stores: Store[], steps: { action: string; store: string }[], operation: Operation): string[] {
  return steps.map((step) => {
    const store = stores.find((each) => each.name === step.store) as Store
    const columns = store.columns.map((column) => column.name)
    if (step.action === 'read first') return selectPartition(store)
    if (step.action === 'delete') return deleteRow(store, rowKeys(store))
    if (operation.kind !== 'update') return insertRow(store, columns)
    const changed = operation.set.map((each) => each.field)
    return updateRow(
      store,
      columns.filter((name) => changed.includes(name)),
      rowKeys(store),
    )
  })
}

class CassandraSession implements Session {
  readonly #driver: Driver
  readonly #client: Client
  readonly #compiled: Compiled
  readonly #options: ConnectOptions
  readonly #parameters: Map<string, number>[]

  constructor(driver: Driver, client: Client, compiled: Compiled, options: ConnectOptions) {
    this.#driver = driver
    this.#client = client
    this.#compiled = compiled
    this.#options = options
    this.#parameters = compiled.operations.map(
      (operation) => new Map(parametersOf(compiled.scenario, operation).map((parameter, at) => [parameter.name, at])),
    )
  }

  async facts(limits: Limits) {
    const settings = new Map(
      (await this.#client.execute('SELECT name, value FROM system_views.settings', [], { prepare: false })).rows.map((row) => [
        String(row.name),
        String(row.value),
      ]),
    )
    const properties = new Map(
      (await this.#client.execute('SELECT name, value FROM system_views.system_properties', [], { prepare: false })).rows.map((row) => [
        String(row.name),
        String(row.value),
      ]),
    )
    const [local] = (await this.#client.execute('SELECT release_version FROM system.local')).rows
    const [space] = (
      await this.#client.execute('SELECT replication, durable_writes FROM system_schema.keyspaces WHERE keyspace_name = ?', [keyspace])
    ).rows
    const replication = (space?.replication ?? {}) as Record<string, string>
    const sync = this.#compiled.durability === 'fsync' ? 'batch' : 'periodic'
    const effective = String(settings.get('commitlog_sync'))
    const heap =
      this.#options.administer === undefined
        ? 'not asked'
        : (/Heap Memory \(MB\)\s*:\s*[\d.,]+ \/ ([\d.,]+)/.exec(await this.#options.administer(['info']))?.[1] ?? 'unknown')
    const heapSet = heapMegabytes(limits.memoryBytes)
    const parity: Parity[] = [
      { what: 'commitlog_sync', asked: `durability ${this.#compiled.durability}`, set: sync, effective, ok: effective === sync },
      {
        what: 'replication',
        asked: 'one node',
        set: 'factor 1',
        effective: `${replication.class?.split('.').at(-1)}, factor ${replication.replication_factor}`,
        ok: replication.replication_factor === '1',
      },
      {
        what: 'heap',
        asked: 'half of the memory limit',
        set: `${heapSet} MB`,
        effective: `${heap} MB`,
        ok: heap === 'not asked' || Math.abs(Number(heap.replaceAll(',', '')) - heapSet) < heapSet * 0.1,
      },
      { what: 'java', asked: '11 or 17', set: 'the one on the PATH', effective: properties.get('java.version') ?? 'unknown', ok: true },
      { what: 'consistency', asked: 'strong', set: 'QUORUM reads and writes', effective: 'stated with every request', ok: true },
      { what: 'isolation', asked: 'atomic writes across tables', set: 'logged batch', effective: 'atomic, not isolated across partitions', ok: true },
      { what: 'uniqueness', asked: 'unique fields', set: 'none', effective: 'not enforced by this engine', ok: true },
      { what: 'referential integrity', asked: 'references point at rows', set: 'none', effective: 'not enforced by this engine', ok: true },
    ]
    return { version: String(local?.release_version), parity }
  }

  async create() {
    await this.#durableWrites(false) // The bulk load bypasses the commit log; the flush that ends it makes it durable.
    for (const store of this.#compiled.model.stores) await this.#client.execute(`DROP TABLE IF EXISTS ${id(store.name)}`, [], { prepare: false })
    for (const statement of this.#compiled.ddl) await this.#client.execute(statement, [], { prepare: false })
  }

  /** Rows of one partition travel together in an unlogged batch: one mutation for the server. */
  async load(rows: RowSource, last: boolean) {
    const inFlight = new Set<Promise<unknown>>()
    let failure: unknown
    const send = async (statements: Cql[]) => {
      const sent: Promise<unknown> = (
        statements.length === 1
          ? this.#client.execute((statements[0] as Cql).query, (statements[0] as Cql).params as [], { prepare: true })
          : this.#client.batch(statements as never, { prepare: true, logged: false })
      ).then(
        () => inFlight.delete(sent),
        (error: unknown) => (failure ??= error),
      )
      inFlight.add(sent)
      if (inFlight.size >= loadsInFlight) await Promise.race(inFlight)
      if (failure !== undefined) throw failure
    }
    for (const block of rows.blocks()) {
      for (const store of this.#compiled.model.stores) {
        const partitions = new Map<string, Cql[]>()
        for (const { partition, statement } of this.#loadStatements(store, block)) {
          const own = partitions.get(partition) ?? []
          own.push(statement)
          partitions.set(partition, own)
          if (own.length === rowsPerLoadBatch) {
            partitions.delete(partition)
            await send(own)
          }
        }
        for (const statements of partitions.values()) await send(statements)
      }
    }
    await Promise.all(inFlight)
    if (failure !== undefined) throw failure
    await this.#options.administer?.(['flush', keyspace])
    if (last) await this.#durableWrites(true)
  }

  async #durableWrites(on: boolean) {
    await this.#client.execute(`ALTER KEYSPACE ${keyspace} WITH durable_writes = ${on}`, [], { prepare: false })
  }

  *#loadStatements(store: Store, block: Block): Iterable<{ partition: string; statement: Cql }> {
    const { scenario } = this.#compiled
    const nowMs = scenario.epochMs
    const owner = entityOf(scenario, block.entity)
    const values = (columns: Block['columns'], row: number): Row => new Map(columns.map((column) => [column.field.name, cell(column, row)]))
    if (store.entity === block.entity) {
      for (let row = 0; row < block.rows; row++) {
        const own = values(block.columns, row)
        for (const statement of this.#inserts(store, owner, own, nowMs)) yield { partition: this.#partitionText(store, statement, row), statement }
        for (const owned of block.owned) {
          if (!store.embedded.includes(owned.entity)) continue
          for (let line = row === 0 ? 0 : (owned.ends[row - 1] as number); line < (owned.ends[row] as number); line++) {
            yield {
              partition: String(row),
              statement: this.#lineInsert(
                store,
                entityOf(scenario, owned.entity),
                own.get(owner.key[0] as string) as Value,
                values(owned.columns, line),
              ),
            }
          }
        }
      }
      return
    }
    for (const owned of block.owned) {
      if (store.entity !== owned.entity) continue
      const entity = entityOf(scenario, owned.entity)
      for (let line = 0; line < owned.rows; line++)
        for (const statement of this.#inserts(store, entity, values(owned.columns, line), nowMs))
          yield { partition: this.#partitionText(store, statement, line), statement }
    }
  }

  #partitionText(store: Store, statement: Cql, row: number): string {
    if (store.embedded.length > 0 || store.clustering.length === 0) return String(row)
    return store.partition.map((name) => String(statement.params[store.columns.findIndex((column) => column.name === name)])).join(' ')
  }

  /** The rows of a store that an entity's row makes: one, or one per distinct word of a token store. */
  #inserts(store: Store, entity: Entity, row: Row, nowMs: number): Cql[] {
    const own = store.columns.filter(
      (column) => column.entity === entity.name && column.role !== 'line' && !(store.embedded.length > 0 && column.role === 'value'),
    )
    const columns = store.embedded.length > 0 ? own : store.columns
    const query = insertRow(
      store,
      columns.map((column) => column.name),
    )
    const ttl = store.expiry === null ? [] : [Math.ceil((Number(row.get('expires_at')) - nowMs) / 1000) + nativeGraceSeconds]
    return this.#tokens(store, row).map((token) => ({
      query,
      params: [...columns.map((column) => this.#columnValue(store, column, row, token)), ...ttl],
    }))
  }

  #lineInsert(store: Store, owned: Entity, ownerKey: Value, line: Row): Cql {
    const key = store.columns.find((column) => column.name === store.partition[0]) as StoreColumn
    const columns = [key, ...store.columns.filter((column) => column.entity === owned.name && column !== key)]
    const query = insertRow(
      store,
      columns.map((column) => column.name),
    )
    return {
      query,
      params: columns.map((column) => (column === key ? this.#cql(key, ownerKey) : this.#cql(column, line.get(column.field) as Value))),
    }
  }

  #tokens(store: Store, row: Row): (string | null)[] {
    const token = store.columns.find((column) => column.role === 'token')
    return token === undefined ? [null] : [...new Set(token.field.split(' ').flatMap((field) => String(row.get(field)).split(' ')))]
  }

  #columnValue(store: Store, column: StoreColumn, row: Row, token: string | null): unknown {
    if (column.role === 'token') return token
    if (column.role === 'bucket') return bucketOf((store.bucket as NonNullable<Store['bucket']>).unit, Number(row.get(column.field)))
    return this.#cql(column, row.get(column.field) as Value)
  }

  async settle() {
    for (let waited = 0; waited < 30 && this.#options.administer !== undefined; waited++) {
      if (/pending tasks:?\s+0\b/.test(await this.#options.administer(['compactionstats']))) break
    }
  }

  async perform(operation: number, params: ParamSource): Promise<Reply> {
    const op = this.#compiled.operations[operation] as Operation
    const compiled = this.#compiled.compiled[operation] as CompiledOperation
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const bound = (name: string) => params.value(this.#parameters[operation]?.get(name) ?? -1)
    const store = storeFor(this.#compiled.model.stores, this.#compiled.model.accesses, op.name)
    const text = (at: number) => compiled.statements[at]?.text as string
    const consistency = this.#consistency(op)
    const nowMs = entity.ttlMs === null ? null : Number(bound('now'))
    switch (op.kind) {
      case 'get': {
        const keys = entity.key.map((key) => bound(`key.${key}`))
        const found = await this.#readKey(store, text(0), entity, keys, consistency)
        const alive = found.length > 0 && (nowMs === null || timeOf(found[0]) > nowMs)
        const lines = new Map<string, CassandraTypes.Row[]>()
        for (const name of alive ? op.with : []) {
          const own = baseStore(this.#compiled.model.stores, name)
          lines.set(
            name,
            own === store
              ? found
              : (await this.#client.execute(selectPartition(own), [this.#keyValue(own, keys[0] as Value)] as never, { prepare: true, consistency }))
                  .rows,
          )
        }
        return read(alive ? 1 : 0, () => ({ kind: 'rows', rows: alive ? [this.#assembled(op, entity, store, found, lines)] : [] }))
      }
      case 'list': {
        const deep = bound('deep') === true
        const equal = op.where.map((filter) => this.#cql(columnOf(store, filter.field), filter.constant ?? bound(`where.${filter.field}`)))
        const after = deep ? store.clustering.map((each) => this.#cql(columnOf(store, each.column), bound(`after.${each.column}`))) : []
        const rows: CassandraTypes.Row[] = []
        for (const wave of waves(this.#listBuckets(store, op, entity, deep ? Number(bound(`after.${store.bucket?.field}`)) : null, params))) {
          const parts = await Promise.all(
            wave.map((bucket) =>
              this.#client.execute(text(deep ? 1 : 0), [...equal, ...(bucket === null ? [] : [bucket]), ...after] as never, {
                prepare: true,
                consistency,
              }),
            ),
          )
          for (const part of parts) rows.push(...part.rows.filter((row) => nowMs === null || timeOf(row) > nowMs))
          if (rows.length >= op.limit) break
        }
        const page = rows.slice(0, op.limit)
        return read(page.length, () => ({
          kind: 'rows',
          rows: page.map((row) => op.fields.map((name) => this.#value(columnOf(store, name), row[name]))),
        }))
      }
      case 'search': {
        const { rows } = await this.#client.execute(text(0), [bound('word')], { prepare: true, consistency })
        const alive = rows.filter((row) => nowMs === null || timeOf(row) > nowMs).slice(0, op.limit)
        return read(alive.length, () => ({
          kind: 'rows',
          rows: alive.map((row) => op.fields.map((name) => this.#value(columnOf(store, name), row[name]))),
        }))
      }
      case 'aggregate':
        return await this.#aggregate(op, store, text(0), bound, nowMs, consistency)
      case 'transaction': {
        const batches = await Promise.all(op.steps.map((step, index) => this.#statements(step, (name) => bound(`${index}.${name}`), consistency)))
        await this.#send(
          batches.flatMap((each) => each ?? []),
          consistency,
        )
        return wrote(1)
      }
      default: {
        const statements = await this.#statements(op, bound, consistency)
        if (statements === null) return wrote(0)
        await this.#send(statements, consistency)
        return wrote(1)
      }
    }
  }

  /** Newest bucket first (oldest where the order ascends), from the cursor's bucket on. */
  #listBuckets(store: Store, op: Operation, entity: Entity, cursorMs: number | null, _params: ParamSource): (number | null)[] {
    if (store.bucket === null || op.kind !== 'list') return [null]
    const { unit, field } = store.bucket
    const { epochMs } = this.#compiled.scenario
    const descending = store.clustering.find((each) => each.column === field)?.descending === true
    const oldest = bucketOf(unit, epochMs - entity.ageMs)
    // Rows written during the run lie after the epoch: the next bucket is read too where the run may have crossed into it.
    const newest = bucketOf(unit, epochMs + bucketMs.hour)
    const from = cursorMs === null ? (descending ? newest : oldest) : bucketOf(unit, cursorMs)
    const length = Math.max(0, descending ? from - oldest + 1 : newest - from + 1)
    return Array.from({ length }, (_, index) => (descending ? from - index : from + index))
  }

  async #aggregate(
    op: Operation & { kind: 'aggregate' },
    store: Store,
    text: string,
    bound: (name: string) => Value,
    nowMs: number | null,
    consistency: number,
  ): Promise<Reply> {
    const { groupBy, over, sum } = op
    const from = over === null ? 0 : Number(bound('from'))
    const to = over === null ? 0 : Number(bound('to'))
    const equal = op.where.map((filter) => this.#cql(columnOf(store, filter.field), filter.constant ?? bound(`where.${filter.field}`)))
    const window = over === null ? [] : [new Date(from), new Date(to)]
    const unit = store.bucket?.unit
    const buckets =
      unit === undefined
        ? [null]
        : Array.from({ length: bucketOf(unit, to - 1) - bucketOf(unit, from) + 1 }, (_, index) => bucketOf(unit, from) + index)
    const server = groupedByServer(op, store)
    const scale = sum === null ? 0 : columnOf(store, sum).scale
    const groups = new Map<string, { key: Value; count: number; sum: bigint }>()
    const add = (key: Value, count: number, amount: bigint) => {
      if (count === 0) return
      const group = groups.get(canonical(key)) ?? { key, count: 0, sum: 0n }
      group.count += count
      group.sum += amount
      groups.set(canonical(key), group)
    }
    for (const wave of waves(buckets)) {
      const parts = await Promise.all(wave.map((bucket) => this.#all(text, [...equal, ...(bucket === null ? [] : [bucket]), ...window], consistency)))
      for (const [index, rows] of parts.entries()) {
        const bucket = wave[index] as number | null
        for (const row of rows) {
          if (server) {
            const startMs = (bucket as number) * bucketMs[unit ?? 'day']
            const key = groupBy?.unit ? Math.floor(startMs / bucketMs[groupBy.unit]) * bucketMs[groupBy.unit] : null
            add(key, Number(row.values()[0]), sum === null ? 0n : amountOf(row.values()[1], scale))
          } else if (nowMs === null || timeOf(row) > nowMs) {
            const own = groupBy === null ? null : this.#value(columnOf(store, groupBy.field), row[groupBy.field])
            const key = groupBy?.unit ? Math.floor(Number(own) / bucketMs[groupBy.unit]) * bucketMs[groupBy.unit] : own
            add(key, groupBy === null && sum === null && nowMs === null ? Number(row.values()[0]) : 1, sum === null ? 0n : amountOf(row[sum], scale))
          }
        }
      }
    }
    const sorted = [...groups.values()].sort((a, b) => compareValues(a.key, b.key))
    return read(sorted.length, () => ({
      kind: 'groups',
      groups: sorted.map((group) => [...(groupBy === null ? [] : [group.key]), group.count, ...(sum === null ? [] : [group.sum])]),
    }))
  }

  async #all(text: string, params: unknown[], consistency: number): Promise<CassandraTypes.Row[]> {
    let result = await this.#client.execute(text, params as never, { prepare: true, consistency })
    const rows = result.rows
    while (result.pageState) {
      result = await this.#client.execute(text, params as never, { prepare: true, consistency, pageState: result.pageState })
      rows.push(...result.rows)
    }
    return rows
  }

  /** null: nothing to write, the row is not there. */
  async #statements(write: Write & { entity: string }, bound: (name: string) => Value, consistency: number): Promise<Cql[] | null> {
    const { scenario, model } = this.#compiled
    const entity = entityOf(scenario, write.entity)
    const stores = storesOfEntity(model, entity).filter((store) => store.entity === entity.name)
    const base = baseStore(model.stores, entity.name)
    if (write.kind === 'insert' || write.kind === 'put') {
      const row: Row = new Map(entity.fields.map((field) => [field.name, bound(`row.${field.name}`)]))
      const nowMs = entity.ttlMs === null ? 0 : Number(row.get('expires_at')) - entity.ttlMs
      const before =
        write.kind === 'put' && stores.length > 1
          ? await this.#current(base, entity, [row.get(entity.key[0] as string) as Value], null, consistency)
          : null
      const removed =
        before === null
          ? []
          : stores.filter((store) => store !== base).flatMap((store) => this.#deletes(store, before, this.#inserts(store, entity, row, nowMs)))
      const lines =
        write.kind === 'insert'
          ? write.with.flatMap((owned) =>
              this.#insertedLines(entityOf(scenario, owned), row.get(entity.key[0] as string) as Value, bound(`lines.${owned}`) as Value[][]),
            )
          : []
      return [...removed, ...stores.flatMap((store) => this.#inserts(store, entity, row, nowMs)), ...lines]
    }
    const nowMs = entity.ttlMs === null ? null : Number(bound('now'))
    const keys = entity.key.map((key) => bound(`key.${key}`))
    const before = await this.#current(base, entity, keys, nowMs, consistency)
    if (before === null) return null
    if (write.kind === 'delete') {
      return [...stores.flatMap((store) => this.#deletes(store, before, [])), ...(await this.#deletesOfLines(entity, keys[0] as Value, consistency))]
    }
    return this.#changes(write, entity, storesOfEntity(model, entity), before, bound, nowMs)
  }

  /** An owner's lines: a table of their own loses its partition, query tables lose the rows that are there. */
  async #deletesOfLines(owner: Entity, ownerKey: Value, consistency: number): Promise<Cql[]> {
    const { scenario, model } = this.#compiled
    const deletes: Cql[] = []
    for (const owned of ownedBy(scenario, owner.name)) {
      const base = baseStore(model.stores, owned.name)
      if (base.entity === owned.name)
        deletes.push({ query: deleteRow(base, [base.partition[0] as string]), params: [this.#keyValue(base, ownerKey)] })
      const queries = model.stores.filter((store) => store.entity === owned.name && !store.base)
      if (queries.length === 0) continue
      const { rows } = await this.#client.execute(selectPartition(base), [this.#keyValue(base, ownerKey)] as never, { prepare: true, consistency })
      for (const row of rows)
        if (row.line !== null) deletes.push(...queries.flatMap((store) => this.#deletes(store, this.#rowOf(base, owned, row, ownerKey), [])))
    }
    return deletes
  }

  /** A row of the base table by field names; the key of an owner is not among its columns. */
  #rowOf(base: Store, entity: Entity, row: CassandraTypes.Row, firstKey: Value): Row {
    const values: Row = new Map(
      base.columns.filter((column) => column.entity === entity.name).map((column) => [column.field, this.#value(column, row[column.name])]),
    )
    return values.set(entity.key[0] as string, firstKey)
  }

  /** Changes columns in place; where a key column changes, the row moves: delete and insert. */
  #changes(write: Update, entity: Entity, stores: Store[], before: Row, bound: (name: string) => Value, nowMs: number | null): Cql[] {
    const after: Row = new Map(before)
    for (const each of write.set) after.set(each.field, each.to === 'constant' ? each.constant : bound(`set.${each.field}`))
    const changed = new Set(write.set.map((each) => each.field))
    return stores.flatMap((store) => {
      const hit = store.columns.filter((column) => column.entity === entity.name && column.field.split(' ').some((field) => changed.has(field)))
      if (hit.length === 0) return []
      const ttl = store.expiry === null ? [] : [Math.ceil((Number(after.get('expires_at')) - (nowMs ?? 0)) / 1000) + nativeGraceSeconds]
      const moved = hit.some((column) => column.role === 'key' || column.role === 'token' || column.role === 'bucket')
      if (moved) {
        const inserts = this.#inserts(store, entity, after, nowMs ?? 0)
        return [...this.#deletes(store, before, inserts), ...inserts]
      }
      const line = entity.owner !== null && store.embedded.includes(entity.name)
      const keys = line ? [...store.partition, ...store.clustering.map((each) => each.column)] : rowKeys(store)
      const query = updateRow(
        store,
        hit.map((column) => column.name),
        keys,
      )
      const keyValue = (name: string, token: string | null) => {
        const column = columnOf(store, name)
        return line && name === store.partition[0]
          ? this.#cql(column, before.get(entity.key[0] as string) as Value)
          : this.#columnValue(store, column, before, token)
      }
      return this.#tokens(store, before).map((token) => ({
        query,
        params: [...ttl, ...hit.map((column) => this.#cql(column, after.get(column.field) as Value)), ...keys.map((name) => keyValue(name, token))],
      }))
    })
  }

  /** Deletes of the rows that are not written again: within one batch a delete would win over an insert of the same row. */
  #deletes(store: Store, row: Row, kept: Cql[]): Cql[] {
    const keys = rowKeys(store)
    const query = deleteRow(store, keys)
    const names = store.columns.map((column) => column.name)
    const text = (params: unknown[]) => params.map(String).join(' ')
    const again = new Set(kept.map((insert) => text(keys.map((name) => insert.params[names.indexOf(name)]))))
    return this.#tokens(store, row)
      .map((token) => ({ query, params: keys.map((name) => this.#columnValue(store, columnOf(store, name), row, token)) }))
      .filter((statement) => !again.has(text(statement.params)))
  }

  #insertedLines(owned: Entity, ownerKey: Value, lines: Value[][]): Cql[] {
    const fields = lineFields(owned)
    return lines.flatMap((line) => {
      const row: Row = new Map([
        [owned.key[0] as string, ownerKey],
        ...fields.map((field, index): [string, Value] => [field.name, line[index] as Value]),
      ])
      return storesOfEntity(this.#compiled.model, owned).flatMap((store) =>
        store.embedded.includes(owned.name) ? [this.#lineInsert(store, owned, ownerKey, row)] : this.#inserts(store, owned, row, 0),
      )
    })
  }

  /** The row as it stands in the base table; null where it is absent or expired. */
  async #current(base: Store, entity: Entity, keys: Value[], nowMs: number | null, consistency: number): Promise<Row | null> {
    const rows = await this.#readKey(base, selectPartition(base), entity, keys, consistency)
    const [row] = rows
    if (row === undefined) return null
    const current = this.#rowOf(base, entity, row, keys[0] as Value)
    return nowMs !== null && Number(current.get('expires_at')) <= nowMs ? null : current
  }

  async #readKey(store: Store, text: string, entity: Entity, keys: Value[], consistency: number): Promise<CassandraTypes.Row[]> {
    const { rows } = await this.#client.execute(text, [this.#keyValue(store, keys[0] as Value)] as never, { prepare: true, consistency })
    return entity.owner === null ? rows : rows.filter((row) => row.line === Number(keys[1]))
  }

  async #send(statements: Cql[], consistency: number): Promise<void> {
    const [only] = statements
    if (only === undefined) return
    if (statements.length === 1) await this.#client.execute(only.query, only.params as never, { prepare: true, consistency })
    else await this.#client.batch(statements as never, { prepare: true, logged: true, consistency })
  }

  #consistency(op: Operation): number {
    const { consistencies } = this.#driver.types
    return op.consistency === 'eventual' ? consistencies.one : consistencies.quorum
  }

  async storage() {
    const text = (await this.#options.administer?.(['tablestats', '-F', 'json', keyspace])) ?? '{}'
    const found = JSON.parse(text.slice(text.indexOf('{'))) as Record<string, { tables?: Record<string, Record<string, unknown>> }>
    const tables = Object.entries(found[keyspace]?.tables ?? {}).map(([name, facts]) => ({ name, bytes: Number(facts.space_used_live ?? 0) }))
    return { tables, indexes: [] }
  }

  async explain(operation: number) {
    const op = this.#compiled.operations[operation] as Operation
    const access = this.#compiled.model.accesses.find((each) => each.operation === op.name)
    return (access?.steps ?? [])
      .map((step) => `${step.action} ${step.store} by ${step.index ?? 'its key'}, ${step.requests} request${step.requests > 1 ? 's' : ''} at most`)
      .join('\n')
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
    const counted = line ? 'line' : (store.partition[0] as string)
    const distinct = !line && store.embedded.length > 0
    let rows = 0n
    let sum = 0n
    const names = [...new Set([counted, ...(column === undefined ? [] : [column.name])])]
    const text = `SELECT ${distinct ? 'DISTINCT ' : ''}${names.map(id).join(', ')} FROM ${id(store.name)}`
    for (const row of await this.#all(text, [], this.#driver.types.consistencies.quorum)) {
      if (row[counted] === null) continue
      rows++
      if (column !== undefined) sum += amountOf(row[column.name], column.scale)
    }
    return { rows, sum }
  }

  async [Symbol.asyncDispose]() {
    await this.#client.shutdown()
  }

  #keyValue(store: Store, value: Value): unknown {
    return this.#cql(columnOf(store, store.partition[0] as string), value)
  }

  #cql(column: StoreColumn, value: Value): unknown {
    if (value === null || value === undefined) return null
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
        return cqlType(column, fieldOfColumn(this.#compiled.scenario, column)) === 'int' ? Number(value) : Long.fromNumber(Number(value))
      default:
        return value
    }
  }

  #value(column: StoreColumn, stored: unknown): Value {
    if (stored === null || stored === undefined) return null
    switch (column.type) {
      case 'uuid':
        return (stored as CassandraTypes.Uuid).getBuffer()
      case 'decimal':
        return amountOf(stored, column.scale)
      case 'timestamp':
        return (stored as Date).getTime()
      case 'json':
        return JSON.parse(stored as string) as Value
      case 'int':
        return Number(stored)
      default:
        return stored as Value
    }
  }

  #assembled(
    op: Operation & { kind: 'get' },
    entity: Entity,
    store: Store,
    found: CassandraTypes.Row[],
    lines: Map<string, CassandraTypes.Row[]>,
  ): Value[] {
    const [first] = found
    const own = op.fields.map((name) => {
      const column = store.columns.find((each) => each.entity === entity.name && each.field === name) ?? columnOf(store, store.partition[0] as string)
      return this.#value(column, first?.[column.name])
    })
    return [
      ...own,
      ...op.with.map((name): Value => {
        const owned = entityOf(this.#compiled.scenario, name)
        const from = baseStore(this.#compiled.model.stores, name)
        const columns = lineFields(owned).map(
          (field) => from.columns.find((column) => column.entity === name && column.field === field.name) as StoreColumn,
        )
        return (lines.get(name) ?? []).filter((row) => row.line !== null).map((row) => columns.map((column) => this.#value(column, row[column.name])))
      }),
    ]
  }
}

/** When a stored row expires, in replay time. */
function timeOf(row: CassandraTypes.Row | undefined): number {
  return (row?.expires_at as Date | undefined)?.getTime() ?? 0
}

function columnOf(store: Store, name: string): StoreColumn {
  return store.columns.find((column) => column.name === name) as StoreColumn
}

/** A decimal, int or bigint of the driver as an integer of the scale. */
function amountOf(stored: unknown, scale: number): bigint {
  if (stored === null || stored === undefined) return 0n
  const text = String(stored)
  return decimalValue(text.includes('E') ? Number(text).toFixed(scale) : text, scale)
}

function* waves<T>(items: T[]): Iterable<T[]> {
  for (let from = 0; from < items.length; from += bucketsInFlight) yield items.slice(from, from + bucketsInFlight)
}

function read(rows: number, answer: () => Answer): Reply {
  return { outcome: rows > 0 ? 'ok' : 'miss', rows, retries: 0, answer }
}

function wrote(rows: number): Reply {
  const outcome = rows > 0 ? 'ok' : 'miss'
  return { outcome, rows, retries: 0, answer: () => ({ kind: 'wrote', outcome, rows }) }
}
