/** The operations of a wide-column model as conversations: reads by partition, bucket by bucket; writes as one statement or one logged batch. */
import type { Value } from '../data/value.ts'
import { bucketMs, bucketOf } from '../model/buckets.ts'
import type { Store, StoreColumn } from '../model/model.ts'
import { baseStore, groupedByServer, storesOfEntity } from '../model/wide-column.ts'
import { type Entity, entityOf, lineFields, type Operation, type OperationOf, ownedBy, type Write } from '../scenario/scenario.ts'
import { deleteRow } from './cassandra-cql.ts'
import { amountOf, CassandraRows, columnOf, partitionOf, type Row, restored, storeFor } from './cassandra-rows.ts'
import { ask, askAll, type Cql, consistencies, type StoredRow, type Talk } from './cassandra-talk.ts'
import type { Compiled, CompiledOperation, Reply } from './engine.ts'
import { Groups } from './groups.ts'
import { readReply, wroteReply } from './replies.ts'

const bucketsInFlight = 8

type Bound = (name: string) => Value

export class CassandraOperations {
  readonly rows: CassandraRows
  readonly #compiled: Compiled

  constructor(compiled: Compiled) {
    this.#compiled = compiled
    this.rows = new CassandraRows(compiled)
  }

  perform(operation: number, bound: Bound): Talk<Reply> {
    const op = this.#compiled.operations[operation] as Operation
    const { statements } = this.#compiled.compiled[operation] as CompiledOperation
    const texts = statements.map((statement) => statement.text)
    switch (op.kind) {
      case 'get':
        return this.#get(op, bound)
      case 'list':
        return this.#list(op, texts, bound)
      case 'search':
        return this.#search(op, texts, bound)
      case 'aggregate':
        return this.#aggregate(op, texts[0] as string, bound)
      case 'transaction':
        return this.#transaction(op, bound)
      default:
        return this.#write(op, bound)
    }
  }

  *#get(op: OperationOf<'get'>, bound: Bound): Talk<Reply> {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const nowMs = nowOf(entity, bound)
    const store = storeFor(this.#compiled.model, op.name)
    const keys = entity.key.map((key) => bound(`key.${key}`))
    const consistency = consistencyOf(op)
    const found = yield* this.#readKey(store, entity, keys, consistency)
    const alive = found.length > 0 && isAlive(found[0], nowMs)
    const lines = new Map<string, StoredRow[]>()
    for (const name of alive ? op.with : []) {
      const own = baseStore(this.#compiled.model.stores, name)
      lines.set(name, own === store ? found : yield* ask(partitionOf(own, keys[0] as Value), consistency))
    }
    return readReply(alive ? 1 : 0, () => ({ kind: 'rows', rows: alive ? [this.#assembled(op, entity, store, found, lines)] : [] }))
  }

  *#list(op: OperationOf<'list'>, texts: string[], bound: Bound): Talk<Reply> {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const nowMs = nowOf(entity, bound)
    const store = storeFor(this.#compiled.model, op.name)
    const deep = bound('deep') === true
    const equal = op.where.map((filter) => filter.constant ?? bound(`where.${filter.field}`))
    const after = deep ? store.clustering.map((each) => bound(`after.${each.column}`)) : []
    const columns = (bucket: number | null) => [
      ...op.where.map((filter) => columnOf(store, filter.field)),
      ...(bucket === null ? [] : [null]),
      ...(deep ? store.clustering.map((each) => columnOf(store, each.column)) : []),
    ]
    const rows: StoredRow[] = []
    for (const wave of waves(
      this.#listBuckets(store, op, entity, deep && store.bucket !== null ? Number(bound(`after.${store.bucket.field}`)) : null),
    )) {
      const statements = wave.map((bucket) => ({
        query: texts[deep ? 1 : 0] as string,
        columns: columns(bucket),
        params: [...equal, ...(bucket === null ? [] : [bucket]), ...after],
      }))
      for (const part of yield* askOnce(statements, consistencyOf(op))) rows.push(...part.filter((row) => isAlive(row, nowMs)))
      if (rows.length >= op.limit) break
    }
    return projected(op, store, rows)
  }

  *#search(op: OperationOf<'search'>, texts: string[], bound: Bound): Talk<Reply> {
    const nowMs = nowOf(entityOf(this.#compiled.scenario, op.entity), bound)
    const store = storeFor(this.#compiled.model, op.name)
    const rows = yield* ask({ query: texts[0] as string, columns: [null], params: [bound('word')] }, consistencyOf(op))
    return projected(
      op,
      store,
      rows.filter((row) => isAlive(row, nowMs)),
    )
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

  *#aggregate(op: OperationOf<'aggregate'>, text: string, bound: Bound): Talk<Reply> {
    const { groupBy, over, sum } = op
    const nowMs = nowOf(entityOf(this.#compiled.scenario, op.entity), bound)
    const store = storeFor(this.#compiled.model, op.name)
    const from = over === null ? 0 : Number(bound('from'))
    const to = over === null ? 0 : Number(bound('to'))
    const equal = op.where.map((filter) => filter.constant ?? bound(`where.${filter.field}`))
    const window = over === null ? [] : [from, to]
    const timeColumn = over === null ? null : columnOf(store, over.field)
    const columns = (bucket: number | null) => [
      ...op.where.map((filter) => columnOf(store, filter.field)),
      ...(bucket === null ? [] : [null]),
      ...window.map(() => timeColumn),
    ]
    const unit = store.bucket?.unit
    const buckets =
      unit === undefined
        ? [null]
        : Array.from({ length: bucketOf(unit, to - 1) - bucketOf(unit, from) + 1 }, (_, index) => bucketOf(unit, from) + index)
    const server = groupedByServer(op, store)
    const counted = groupBy === null && sum === null && nowMs === null
    const scale = sum === null ? 0 : columnOf(store, sum).scale
    const groups = new Groups(op)
    for (const wave of waves(buckets)) {
      const statements = wave.map((bucket) => ({
        query: text,
        columns: columns(bucket),
        params: [...equal, ...(bucket === null ? [] : [bucket]), ...window],
      }))
      const parts = yield* askAll(statements, consistencyOf(op))
      for (const [index, rows] of parts.entries()) {
        for (const row of rows) {
          const [first, second] = Object.values(row)
          if (server) {
            const startMs = (wave[index] as number) * bucketMs[unit ?? 'day']
            groups.add(startMs, Number(first), sum === null ? 0n : amountOf(second, scale))
          } else if (isAlive(row, nowMs)) {
            const own = groupBy === null ? null : restored(columnOf(store, groupBy.field), row[groupBy.field])
            groups.add(own, counted ? Number(first) : 1, sum === null ? 0n : amountOf(row[sum], scale))
          }
        }
      }
    }
    const answer = groups.rows()
    return readReply(answer.length, () => ({ kind: 'groups', groups: answer }))
  }

  *#transaction(op: OperationOf<'transaction'>, bound: Bound): Talk<Reply> {
    const consistency = consistencyOf(op)
    const statements: Cql[] = []
    for (const [index, step] of op.steps.entries())
      statements.push(...((yield* this.#statements(step, (name) => bound(`${index}.${name}`), consistency)) ?? []))
    yield* send(statements, consistency)
    return wroteReply(1, 0)
  }

  *#write(op: Operation & Write, bound: Bound): Talk<Reply> {
    const consistency = consistencyOf(op)
    const statements = yield* this.#statements(op, bound, consistency)
    if (statements === null) return wroteReply(0, 0)
    yield* send(statements, consistency)
    return wroteReply(1, 0)
  }

  /** null: nothing to write, the row is not there. */
  *#statements(write: Write & { entity: string }, bound: Bound, consistency: number): Talk<Cql[] | null> {
    const { scenario, model } = this.#compiled
    const entity = entityOf(scenario, write.entity)
    const stores = storesOfEntity(model, entity).filter((store) => store.entity === entity.name)
    const base = baseStore(model.stores, entity.name)
    if (write.kind === 'insert' || write.kind === 'put') {
      const row: Row = new Map(entity.fields.map((field) => [field.name, bound(`row.${field.name}`)]))
      const nowMs = entity.ttlMs === null ? 0 : Number(row.get('expires_at')) - entity.ttlMs
      const before =
        write.kind === 'put' && stores.length > 1
          ? yield* this.#current(base, entity, [row.get(entity.key[0] as string) as Value], null, consistency)
          : null
      const removed =
        before === null
          ? []
          : stores
              .filter((store) => store !== base)
              .flatMap((store) => this.rows.deletes(store, before, this.rows.inserts(store, entity, row, nowMs)))
      const lines =
        write.kind === 'insert'
          ? write.with.flatMap((owned) =>
              this.rows.insertedLines(entityOf(scenario, owned), row.get(entity.key[0] as string) as Value, bound(`lines.${owned}`) as Value[][]),
            )
          : []
      return [...removed, ...stores.flatMap((store) => this.rows.inserts(store, entity, row, nowMs)), ...lines]
    }
    const nowMs = nowOf(entity, bound)
    const keys = entity.key.map((key) => bound(`key.${key}`))
    const before = yield* this.#current(base, entity, keys, nowMs, consistency)
    if (before === null) return null
    if (write.kind === 'delete') {
      const lines = yield* this.#deletesOfLines(entity, keys[0] as Value, consistency)
      return [...stores.flatMap((store) => this.rows.deletes(store, before, [])), ...lines]
    }
    return this.rows.changes(write, entity, storesOfEntity(model, entity), before, bound, nowMs)
  }

  /** An owner's lines: a table of their own loses its partition, query tables lose the rows that are there. */
  *#deletesOfLines(owner: Entity, ownerKey: Value, consistency: number): Talk<Cql[]> {
    const { scenario, model } = this.#compiled
    const deletes: Cql[] = []
    for (const owned of ownedBy(scenario, owner.name)) {
      const base = baseStore(model.stores, owned.name)
      const partition = base.partition[0] as string
      if (base.entity === owned.name) deletes.push({ query: deleteRow(base, [partition]), columns: [columnOf(base, partition)], params: [ownerKey] })
      const queries = model.stores.filter((store) => store.entity === owned.name && !store.base)
      if (queries.length === 0) continue
      for (const row of yield* ask(partitionOf(base, ownerKey), consistency))
        if (row.line !== null) deletes.push(...queries.flatMap((store) => this.rows.deletes(store, this.rows.rowOf(base, owned, row, ownerKey), [])))
    }
    return deletes
  }

  /** The row as it stands in the base table; null where it is absent or expired. */
  *#current(base: Store, entity: Entity, keys: Value[], nowMs: number | null, consistency: number): Talk<Row | null> {
    const [row] = yield* this.#readKey(base, entity, keys, consistency)
    if (row === undefined) return null
    const current = this.rows.rowOf(base, entity, row, keys[0] as Value)
    return nowMs !== null && Number(current.get('expires_at')) <= nowMs ? null : current
  }

  *#readKey(store: Store, entity: Entity, keys: Value[], consistency: number): Talk<StoredRow[]> {
    const rows = yield* ask(partitionOf(store, keys[0] as Value), consistency)
    return entity.owner === null ? rows : rows.filter((row) => row.line === Number(keys[1]))
  }

  #assembled(op: OperationOf<'get'>, entity: Entity, store: Store, found: StoredRow[], lines: Map<string, StoredRow[]>): Value[] {
    const [first] = found
    const own = op.fields.map((name) => {
      const column = store.columns.find((each) => each.entity === entity.name && each.field === name) ?? columnOf(store, store.partition[0] as string)
      return restored(column, first?.[column.name])
    })
    return [
      ...own,
      ...op.with.map((name): Value => {
        const owned = entityOf(this.#compiled.scenario, name)
        const from = baseStore(this.#compiled.model.stores, name)
        const columns = lineFields(owned).map(
          (field) => from.columns.find((column) => column.entity === name && column.field === field.name) as StoreColumn,
        )
        return (lines.get(name) ?? []).filter((row) => row.line !== null).map((row) => columns.map((column) => restored(column, row[column.name])))
      }),
    ]
  }
}

function projected(op: OperationOf<'list'> | OperationOf<'search'>, store: Store, rows: StoredRow[]): Reply {
  const page = rows.slice(0, op.limit)
  return readReply(page.length, () => ({
    kind: 'rows',
    rows: page.map((row) => op.fields.map((name) => restored(columnOf(store, name), row[name]))),
  }))
}

/** The first page of each statement, side by side. */
function* askOnce(statements: Cql[], consistency: number): Talk<StoredRow[][]> {
  const results = yield statements.map((statement) => ({ statements: [statement], consistency, pageState: null }))
  return results.map((result) => result.rows)
}

function* send(statements: Cql[], consistency: number): Talk<void> {
  if (statements.length > 0) yield [{ statements, consistency, pageState: null }]
}

/** `eventual` asks one replica, every other level a quorum. */
export function consistencyOf(op: Operation): number {
  return op.consistency === 'eventual' ? consistencies.one : consistencies.quorum
}

const nowOf = (entity: Entity, bound: Bound) => (entity.ttlMs === null ? null : Number(bound('now')))

/** Whether a stored row still lives in replay time. */
const isAlive = (row: StoredRow | undefined, nowMs: number | null) => nowMs === null || Number(row?.expires_at ?? 0) > nowMs

function* waves<T>(items: T[]): Iterable<T[]> {
  for (let from = 0; from < items.length; from += bucketsInFlight) yield items.slice(from, from + bucketsInFlight)
}
