/** Cassandra through its driver: loads, performs the operations of a wide-column model, answers for facts and storage. */
import type { types as CassandraTypes, Client } from 'cassandra-driver'
import { type ParamSource, parametersOf } from '../data/parameters.ts'
import type { RowSource } from '../data/rows.ts'
import type { Value } from '../data/value.ts'
import { bucketMs, bucketOf } from '../model/buckets.ts'
import type { Store, StoreColumn } from '../model/model.ts'
import { baseStore, groupedByServer, storesOfEntity } from '../model/wide-column.ts'
import { type Entity, entityOf, lineFields, type Operation, ownedBy, type Write } from '../scenario/scenario.ts'
import { deleteRow, id, selectPartition } from './cassandra-cql.ts'
import { cassandraFacts } from './cassandra-facts.ts'
import { amountOf, CassandraRows, type Cql, columnOf, type Driver, type Row } from './cassandra-rows.ts'
import type { Compiled, CompiledOperation, ConnectOptions, Limits, Reply, Session } from './engine.ts'
import { Groups } from './groups.ts'
import { readReply, wroteReply } from './replies.ts'

const bucketsInFlight = 8
const loadsInFlight = 128
/** Rows of one load batch; all share a partition. */
const rowsPerLoadBatch = 40

export class CassandraSession implements Session {
  readonly #driver: Driver
  readonly #client: Client
  readonly #compiled: Compiled
  readonly #options: ConnectOptions
  readonly #keyspace: string
  readonly #rows: CassandraRows
  readonly #parameters: Map<string, number>[]

  constructor(driver: Driver, client: Client, compiled: Compiled, options: ConnectOptions, keyspace: string) {
    this.#keyspace = keyspace
    this.#driver = driver
    this.#client = client
    this.#compiled = compiled
    this.#options = options
    this.#rows = new CassandraRows(driver, compiled)
    this.#parameters = compiled.operations.map(
      (operation) => new Map(parametersOf(compiled.scenario, operation).map((parameter, at) => [parameter.name, at])),
    )
  }

  facts(limits: Limits) {
    return cassandraFacts(this.#client, this.#keyspace, this.#compiled, this.#options, limits)
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
        for (const { partition, statement } of this.#rows.loadStatements(store, block)) {
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
              : (
                  await this.#client.execute(selectPartition(own), [this.#rows.keyValue(own, keys[0] as Value)] as never, {
                    prepare: true,
                    consistency,
                  })
                ).rows,
          )
        }
        return readReply(alive ? 1 : 0, () => ({ kind: 'rows', rows: alive ? [this.#assembled(op, entity, store, found, lines)] : [] }))
      }
      case 'list': {
        const deep = bound('deep') === true
        const equal = op.where.map((filter) => this.#rows.cql(columnOf(store, filter.field), filter.constant ?? bound(`where.${filter.field}`)))
        const after = deep ? store.clustering.map((each) => this.#rows.cql(columnOf(store, each.column), bound(`after.${each.column}`))) : []
        const rows: CassandraTypes.Row[] = []
        for (const wave of waves(this.#listBuckets(store, op, entity, deep ? Number(bound(`after.${store.bucket?.field}`)) : null))) {
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
        return readReply(page.length, () => ({
          kind: 'rows',
          rows: page.map((row) => op.fields.map((name) => this.#rows.value(columnOf(store, name), row[name]))),
        }))
      }
      case 'search': {
        const { rows } = await this.#client.execute(text(0), [bound('word')], { prepare: true, consistency })
        const alive = rows.filter((row) => nowMs === null || timeOf(row) > nowMs).slice(0, op.limit)
        return readReply(alive.length, () => ({
          kind: 'rows',
          rows: alive.map((row) => op.fields.map((name) => this.#rows.value(columnOf(store, name), row[name]))),
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
        return wroteReply(1, 0)
      }
      default: {
        const statements = await this.#statements(op, bound, consistency)
        if (statements === null) return wroteReply(0, 0)
        await this.#send(statements, consistency)
        return wroteReply(1, 0)
      }
    }
  }

  /** Newest bucket first (oldest where the order ascends), from the cursor's bucket on. */
  #listBuckets(store: Store, op: Operation, entity: Entity, cursorMs: number | null): (number | null)[] {
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
    const equal = op.where.map((filter) => this.#rows.cql(columnOf(store, filter.field), filter.constant ?? bound(`where.${filter.field}`)))
    const window = over === null ? [] : [new Date(from), new Date(to)]
    const unit = store.bucket?.unit
    const buckets =
      unit === undefined
        ? [null]
        : Array.from({ length: bucketOf(unit, to - 1) - bucketOf(unit, from) + 1 }, (_, index) => bucketOf(unit, from) + index)
    const server = groupedByServer(op, store)
    const scale = sum === null ? 0 : columnOf(store, sum).scale
    const groups = new Groups(op)
    for (const wave of waves(buckets)) {
      const parts = await Promise.all(wave.map((bucket) => this.#all(text, [...equal, ...(bucket === null ? [] : [bucket]), ...window], consistency)))
      for (const [index, rows] of parts.entries()) {
        const bucket = wave[index] as number | null
        for (const row of rows) {
          if (server) {
            groups.add((bucket as number) * bucketMs[unit ?? 'day'], Number(row.values()[0]), sum === null ? 0n : amountOf(row.values()[1], scale))
          } else if (nowMs === null || timeOf(row) > nowMs) {
            const own = groupBy === null ? null : this.#rows.value(columnOf(store, groupBy.field), row[groupBy.field])
            groups.add(
              own,
              groupBy === null && sum === null && nowMs === null ? Number(row.values()[0]) : 1,
              sum === null ? 0n : amountOf(row[sum], scale),
            )
          }
        }
      }
    }
    const answer = groups.rows()
    return readReply(answer.length, () => ({ kind: 'groups', groups: answer }))
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
          : stores
              .filter((store) => store !== base)
              .flatMap((store) => this.#rows.deletes(store, before, this.#rows.inserts(store, entity, row, nowMs)))
      const lines =
        write.kind === 'insert'
          ? write.with.flatMap((owned) =>
              this.#rows.insertedLines(entityOf(scenario, owned), row.get(entity.key[0] as string) as Value, bound(`lines.${owned}`) as Value[][]),
            )
          : []
      return [...removed, ...stores.flatMap((store) => this.#rows.inserts(store, entity, row, nowMs)), ...lines]
    }
    const nowMs = entity.ttlMs === null ? null : Number(bound('now'))
    const keys = entity.key.map((key) => bound(`key.${key}`))
    const before = await this.#current(base, entity, keys, nowMs, consistency)
    if (before === null) return null
    if (write.kind === 'delete') {
      return [
        ...stores.flatMap((store) => this.#rows.deletes(store, before, [])),
        ...(await this.#deletesOfLines(entity, keys[0] as Value, consistency)),
      ]
    }
    return this.#rows.changes(write, entity, storesOfEntity(model, entity), before, bound, nowMs)
  }

  /** An owner's lines: a table of their own loses its partition, query tables lose the rows that are there. */
  async #deletesOfLines(owner: Entity, ownerKey: Value, consistency: number): Promise<Cql[]> {
    const { scenario, model } = this.#compiled
    const deletes: Cql[] = []
    for (const owned of ownedBy(scenario, owner.name)) {
      const base = baseStore(model.stores, owned.name)
      if (base.entity === owned.name)
        deletes.push({ query: deleteRow(base, [base.partition[0] as string]), params: [this.#rows.keyValue(base, ownerKey)] })
      const queries = model.stores.filter((store) => store.entity === owned.name && !store.base)
      if (queries.length === 0) continue
      const { rows } = await this.#client.execute(selectPartition(base), [this.#rows.keyValue(base, ownerKey)] as never, {
        prepare: true,
        consistency,
      })
      for (const row of rows)
        if (row.line !== null)
          deletes.push(...queries.flatMap((store) => this.#rows.deletes(store, this.#rows.rowOf(base, owned, row, ownerKey), [])))
    }
    return deletes
  }

  /** The row as it stands in the base table; null where it is absent or expired. */
  async #current(base: Store, entity: Entity, keys: Value[], nowMs: number | null, consistency: number): Promise<Row | null> {
    const rows = await this.#readKey(base, selectPartition(base), entity, keys, consistency)
    const [row] = rows
    if (row === undefined) return null
    const current = this.#rows.rowOf(base, entity, row, keys[0] as Value)
    return nowMs !== null && Number(current.get('expires_at')) <= nowMs ? null : current
  }

  async #readKey(store: Store, text: string, entity: Entity, keys: Value[], consistency: number): Promise<CassandraTypes.Row[]> {
    const { rows } = await this.#client.execute(text, [this.#rows.keyValue(store, keys[0] as Value)] as never, { prepare: true, consistency })
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
    const text = (await this.#options.administer?.(['tablestats', '-F', 'json', this.#keyspace])) ?? '{}'
    const found = JSON.parse(text.slice(text.indexOf('{'))) as Record<string, { tables?: Record<string, Record<string, unknown>> }>
    const tables = Object.entries(found[this.#keyspace]?.tables ?? {}).map(([name, facts]) => ({ name, bytes: Number(facts.space_used_live ?? 0) }))
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
      return this.#rows.value(column, first?.[column.name])
    })
    return [
      ...own,
      ...op.with.map((name): Value => {
        const owned = entityOf(this.#compiled.scenario, name)
        const from = baseStore(this.#compiled.model.stores, name)
        const columns = lineFields(owned).map(
          (field) => from.columns.find((column) => column.entity === name && column.field === field.name) as StoreColumn,
        )
        return (lines.get(name) ?? [])
          .filter((row) => row.line !== null)
          .map((row) => columns.map((column) => this.#rows.value(column, row[column.name])))
      }),
    ]
  }
}

/** When a stored row expires, in replay time. */
function timeOf(row: CassandraTypes.Row | undefined): number {
  return (row?.expires_at as Date | undefined)?.getTime() ?? 0
}

function* waves<T>(items: T[]): Iterable<T[]> {
  for (let from = 0; from < items.length; from += bucketsInFlight) yield items.slice(from, from + bucketsInFlight)
}

export function storeFor(stores: Store[], accesses: Compiled['model']['accesses'], operation: string): Store {
  const name = accesses.find((access) => access.operation === operation)?.steps[0]?.store
  return stores.find((store) => store.name === name) as Store
}
