/** The operations of a wide-column model as conversations: reads by partition, bucket by bucket; writes as one statement or one logged batch. */

import { Groups } from '../../clients/groups.ts'
import { cqlError } from '../../clients/protocols/cql-errors.ts'
import { readReply, wroteReply } from '../../clients/replies.ts'
import { guardOfRead, holds } from '../../data/guard.ts'
import { isOfTenant } from '../../data/parameters.ts'
import { conditionsOn, isSelected } from '../../data/selected.ts'
import { canonical, compareValues, constantOf, type Value } from '../../data/value.ts'
import { type BucketUnit, bucketMs, bucketOf } from '../../families/buckets.ts'
import type { Store, StoreColumn } from '../../families/model.ts'
import { leftOver } from '../../families/selection.ts'
import { groupedByServer, timesOf } from '../../families/wide-column/queries.ts'
import { baseStore, storesOfEntity } from '../../families/wide-column/stores.ts'
import { versionOf } from '../../families/wide-column/versions.ts'
import {
  type Entity,
  entityOf,
  expiry,
  type Filter,
  lineFields,
  type Operation,
  type OperationOf,
  ownedBy,
  renewsLife,
  type Step,
  type Write,
} from '../../scenario/scenario.ts'
import type { Compiled, Reply } from '../engine.ts'
import { claimed, released } from './claims.ts'
import { deleteRow } from './cql.ts'
import { behindOf, isDescending, type PageStart, pageStart, pageStarts } from './pages.ts'
import { amountOf, CassandraRows, columnOf, isByKey, lineColumn, nextVersion, ownerOf, partitionOf, type Row, restored, storeFor } from './rows.ts'
import { endsOf, endValues, windowStart } from './slices.ts'
import { ask, askAll, askPages, type Cql, type CqlResult, consistencies, isAlive, type StoredRow, type Talk } from './talk.ts'
import { BucketWaves, bucketsInFlight } from './waves.ts'

/** Of all trials of a candidate together. */
const longestReplayMs = 2 * bucketMs.hour
/** Of those that change one row at once one is applied in every round: more rounds than an overload leaves in flight on one row. */
const maxRounds = 64

type Bound = (name: string) => Value
/** What a guard found when its row was read for the first time. */
interface FirstRead {
  value?: Value
}

export class CassandraOperations {
  readonly rows: CassandraRows
  readonly #compiled: Compiled<string>

  constructor(compiled: Compiled<string>) {
    this.#compiled = compiled
    this.rows = new CassandraRows(compiled)
  }

  perform(operation: number, bound: Bound): Talk<Reply> {
    const op = this.#compiled.operations[operation] as Operation
    const texts = this.#compiled.programs[operation]?.variants.flat() ?? []
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
    const found = yield* this.#found(op, entity, store, keys, bound)
    const alive =
      found.length > 0 && isAlive(found[0], nowMs) && isOfTenant(entity, op, bound, (field) => restored(columnOf(store, field), found[0]?.[field]))
    const lines = new Map<string, StoredRow[]>()
    for (const name of alive ? op.with : []) {
      const own = baseStore(this.#compiled.model.stores, name)
      lines.set(name, own === store ? found : yield* ask(partitionOf(own, keys[0] as Value), consistency))
    }
    return readReply(alive ? 1 : 0, () => ({ kind: 'rows', rows: alive ? [this.#assembled(op, entity, store, found, lines)] : [] }))
  }

  #found(op: OperationOf<'get'>, entity: Entity, store: Store, keys: Value[], bound: Bound): Talk<StoredRow[]> {
    const consistency = consistencyOf(op)
    if (entity.owner !== null || op.with.some((name) => store.embedded.includes(name))) return this.#lines(store, entity, keys, consistency)
    if (isByKey(store, entity)) return ask(ownerOf(store, keys[0] as Value), consistency)
    const known = (op.known ?? []).map((field): [string, Value] => [field, bound(`known.${field}`)])
    return ask(
      this.rows.found(store, new Map([...entity.key.map((field, at): [string, Value] => [field, keys[at] as Value]), ...known])),
      consistency,
    )
  }

  *#list(op: OperationOf<'list'>, texts: string[], bound: Bound): Talk<Reply> {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const nowMs = nowOf(entity, bound)
    const store = storeFor(this.#compiled.model, op.name)
    if (store.unique) return yield* this.#unique(op, entity, store, nowMs, bound)
    const start = bound('deep') === true ? pageStart(op, entity, (field) => bound(`after.${field}`)) : 0
    const begin = pageStarts(op)[start ?? 0] as PageStart
    const after = begin.columns
    const cursorMs = store.bucket !== null && after.includes(store.bucket.field) ? Number(bound(`after.${store.bucket.field}`)) : null
    const rows: StoredRow[] = []
    const waves = this.#listWaves(store, op, entity, cursorMs, bound)
    const ends = endsOf(op, behindOf(op, begin))
    const slice = endValues(this.#compiled.scenario, op, ends, bound)
    const fits = this.#fits(op, entity, store, nowMs, bound)
    for (let wave = waves(0); wave.length > 0; wave = waves(rows.length)) {
      const statements = wave.map((bucket) => ({
        query: texts[start ?? 0] as string,
        columns: [...store.partition, ...ends.map(({ field }) => field), ...after].map((name) => columnOf(store, name)),
        params: [...partitionValues(store, op, bound, bucket), ...slice, ...after.map((name) => bound(`after.${name}`))],
      }))
      for (const part of yield* askPages(statements, op.limit, fits, consistencyOf(op))) rows.push(...part)
    }
    return projected(op, store, start === null ? [] : rows)
  }

  /** The row that has a unique value: its key is asked for, then the row, which may have another value by now. A page behind a row has it where it comes after that row. */
  *#unique(op: OperationOf<'list'>, entity: Entity, claims: Store, nowMs: number | null, bound: Bound): Talk<Reply> {
    const consistency = consistencyOf(op)
    const [claim] = yield* ask(partitionOf(claims, bound(`where.${claims.partition[0]}`)), consistency)
    const base = baseStore(this.#compiled.model.stores, entity.name)
    const keys = claim === undefined ? null : entity.key.map((key) => restored(columnOf(claims, key), claim[key]))
    const row = keys === null ? null : yield* this.#current(base, entity, keys, nowMs, consistency)
    const asked = ({ field, constant }: Filter) => (constant === null ? bound(`where.${field}`) : constantOf(entity, field, constant))
    const fits =
      row !== null &&
      op.where.every((filter) => canonical(row.get(filter.field) as Value) === canonical(asked(filter))) &&
      isSelected(entity, op, bound, (field) => row.get(field) as Value)
    const found = fits && (bound('deep') !== true || isBehind(op, row, bound)) ? row : null
    return readReply(found === null ? 0 : 1, () => ({
      kind: 'rows',
      rows: found === null ? [] : [op.fields.map((name) => found.get(name) as Value)],
    }))
  }

  *#search(op: OperationOf<'search'>, texts: string[], bound: Bound): Talk<Reply> {
    const nowMs = nowOf(entityOf(this.#compiled.scenario, op.entity), bound)
    const store = storeFor(this.#compiled.model, op.name)
    const statement = { query: texts[0] as string, columns: [null], params: [bound('word')] }
    const [rows] = yield* askPages([statement], op.limit, nowMs === null ? null : (row) => isAlive(row, nowMs), consistencyOf(op))
    return projected(op, store, rows as StoredRow[])
  }

  /** The buckets to ask next, once so many rows were found. Latest first (earliest where the order ascends), from the cursor's bucket on. */
  #listWaves(store: Store, op: OperationOf<'list'>, entity: Entity, cursorMs: number | null, bound: Bound): (found: number) => (number | null)[] {
    if (store.bucket === null) {
      const once = [null]
      return () => once.splice(0)
    }
    const { unit, field } = store.bucket
    const { beforeMs, afterMs } = timesOf(entity, field)
    const descending = isDescending(op)
    const isWindow = op.over?.field === field
    const earliestMs = isWindow ? windowStart(this.#compiled.scenario, op, bound) : this.#compiled.scenario.epochMs - beforeMs
    const latestMs = isWindow ? Number(bound('to')) : this.#compiled.scenario.epochMs + afterMs
    const earliest = bucketOf(unit, earliestMs)
    // Times written during the run lie after the loaded ones: the buckets that the run may have crossed into are read, too.
    const latest = bucketOf(unit, isWindow ? latestMs - 1 : latestMs + longestReplayMs)
    const from = cursorMs === null ? (descending ? latest : earliest) : bucketOf(unit, cursorMs)
    const length = Math.max(0, descending ? from - earliest + 1 : latest - from + 1)
    const buckets = Array.from({ length }, (_, index) => (descending ? from - index : from + index))
    const waves = new BucketWaves(unit, buckets, cursorMs ?? (descending ? latestMs : earliestMs))
    return (found) => waves.next(found, op.limit)
  }

  /** What the client leaves out of the rows of a store; null: nothing. */
  #fits(
    op: OperationOf<'list'> | OperationOf<'aggregate'>,
    entity: Entity,
    store: Store,
    nowMs: number | null,
    bound: Bound,
  ): ((row: StoredRow) => boolean) | null {
    const left = leftOver(op)
    if (left.length === 0) return nowMs === null ? null : (row) => isAlive(row, nowMs)
    const rest = conditionsOn(op, (field) => left.includes(field))
    return (row) => isAlive(row, nowMs) && isSelected(entity, rest, bound, (field) => restored(columnOf(store, field), row[field]))
  }

  *#aggregate(op: OperationOf<'aggregate'>, text: string, bound: Bound): Talk<Reply> {
    const { groupBy, over, sum } = op
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const nowMs = nowOf(entity, bound)
    const store = storeFor(this.#compiled.model, op.name)
    const [from, to] = over === null ? [0, 0] : [windowStart(this.#compiled.scenario, op, bound), Number(bound('to'))]
    const ends = endsOf(op)
    const slice = endValues(this.#compiled.scenario, op, ends, bound)
    const fits = this.#fits(op, entity, store, nowMs, bound)
    const isOutside =
      over !== null &&
      op.where.some(({ field }) => field === over.field) &&
      (Number(bound(`where.${over.field}`)) < from || Number(bound(`where.${over.field}`)) >= to)
    const unit = store.bucket?.unit
    const server = groupedByServer(op, store)
    const scale = sum === null ? 0 : columnOf(store, sum).scale
    const groups = new Groups(op)
    for (const wave of unit === undefined ? [[null]] : inWaves(bucketsBetween(unit, from, to))) {
      const statements = wave.map((bucket) => ({
        query: text,
        columns: [...store.partition, ...ends.map(({ field }) => field)].map((name) => columnOf(store, name)),
        params: [...partitionValues(store, op, bound, bucket), ...slice],
      }))
      const parts = yield* askAll(statements, consistencyOf(op))
      for (const [index, rows] of isOutside ? [] : parts.entries()) {
        for (const row of rows) {
          if (server) {
            const [count, total] = Object.values(row)
            groups.add((wave[index] as number) * bucketMs[unit ?? 'day'], Number(count), sum === null ? 0n : amountOf(total, scale))
          } else if (fits === null || fits(row)) {
            const own = groupBy === null ? null : restored(columnOf(store, groupBy.field), row[groupBy.field])
            groups.add(own, 1, sum === null ? 0n : amountOf(row[sum], scale))
          }
        }
      }
    }
    const answer = groups.rows()
    return readReply(answer.length, () => ({ kind: 'groups', groups: answer }))
  }

  /** All statements of a batch have one time, and of two that write one row the greater values would win: only the last step that writes a row does. */
  *#transaction(op: OperationOf<'transaction'>, bound: Bound): Talk<Reply> {
    const consistency = consistencyOf(op)
    const own =
      (index: number): Bound =>
      (name) =>
        bound(`${index}.${name}`)
    const rowOf = ({ entity }: Step, index: number) => `${entity} ${canonical(own(index)(`row.${entityOf(this.#compiled.scenario, entity).key[0]}`))}`
    const last = new Map(op.steps.map((step, index) => [rowOf(step, index), index]))
    const statements: Cql[] = []
    for (const [index, step] of op.steps.entries()) {
      const isLast = last.get(rowOf(step, index)) === index
      if (isLast) statements.push(...((yield* this.#statements(step, own(index), consistency, false)) ?? []))
      else statements.push(...this.#insertedLines(step, own(index), nextVersion(0)))
    }
    yield* send(yield* claimed(statements, consistency, []), consistency)
    return wroteReply(1, 0)
  }

  *#write(op: Operation & Write, bound: Bound): Talk<Reply> {
    const consistency = consistencyOf(op)
    const first: FirstRead = {}
    const own = yield* this.#settled(() => this.#statements(op, bound, consistency, true, first), consistency)
    if (own.statements === null) return wroteReply(op.kind === 'update' && op.guard !== undefined ? null : 0, own.retries)
    const settled = [own]
    if (op.kind === 'delete') {
      const entity = entityOf(this.#compiled.scenario, op.entity)
      const key = bound(`key.${entity.key[0]}`)
      for (const owned of ownedBy(this.#compiled.scenario, entity.name))
        settled.push(yield* this.#settled(() => this.#deletesOfVersioned(owned, key, consistency), consistency))
    }
    yield* send(
      settled.flatMap(({ statements }) => statements ?? []),
      consistency,
    )
    return wroteReply(
      1,
      settled.reduce((sum, { retries }) => sum + retries, 0),
    )
  }

  /**
   * What is left to write once all that has a condition is applied, be it read again and again; null: there is nothing to write.
   * @throws ServerError where others change the row faster.
   */
  *#settled(read: () => Talk<Cql[] | null>, consistency: number): Talk<{ statements: Cql[] | null; retries: number }> {
    const claims: Cql[] = []
    for (let retries = 0; retries < maxRounds; retries++) {
      const found = yield* read()
      if (found === null) {
        yield* released(claims, consistency)
        return { statements: null, retries }
      }
      const statements = yield* claimed(found, consistency, claims)
      const conditional = statements.filter((each) => each.conditional === true)
      const rest = statements.filter((each) => each.conditional !== true)
      if (conditional.length === 0) return { statements: rest, retries }
      const [result] = yield [{ statements: conditional, consistency, pageState: null }]
      if ((result as CqlResult).rows[0]?.['[applied]'] === true) return { statements: rest, retries }
    }
    yield* released(claims, consistency)
    throw cqlError('Contended', `others changed the row before each of ${maxRounds} attempts`)
  }

  /** null: nothing to write, the row is not there or its guard does not hold. `alone`: in no batch with other rows, so that it may have a condition. */
  *#statements(write: Write & { entity: string }, bound: Bound, consistency: number, alone: boolean, first: FirstRead = {}): Talk<Cql[] | null> {
    const { scenario, model } = this.#compiled
    const entity = entityOf(scenario, write.entity)
    const stores = storesOfEntity(model, entity).filter((store) => store.entity === entity.name)
    const base = baseStore(model.stores, entity.name)
    if (write.kind === 'insert' || write.kind === 'put') {
      const row: Row = new Map(entity.fields.map((field) => [field.name, bound(`row.${field.name}`)]))
      const nowMs = entity.ttlMs === null ? 0 : Number(row.get('expires_at')) - entity.ttlMs
      const before =
        write.kind === 'put' && (stores.length > 1 || versionOf(base) !== undefined)
          ? yield* this.#current(base, entity, [row.get(entity.key[0] as string) as Value], null, consistency)
          : null
      const read = versionIn(base, before)
      const version = nextVersion(read ?? 0)
      const inserts = (store: Store) =>
        store === base && versionOf(base) !== undefined && write.kind === 'put' && alone
          ? [this.rows.put(base, entity, row, read, nowMs, version)]
          : this.rows.inserts(store, entity, row, nowMs, version, write.kind === 'insert')
      const removed = before === null ? [] : this.#moved(stores, before, inserts, version)
      return [...removed, ...stores.flatMap(inserts), ...this.#insertedLines(write, bound, version)]
    }
    const nowMs = nowOf(entity, bound)
    const keys = entity.key.map((key) => bound(`key.${key}`))
    const before = yield* this.#current(base, entity, keys, nowMs, consistency)
    if (before === null || !isOfTenant(entity, write, bound, (field) => before.get(field) as Value)) return null
    const read = versionIn(base, before)
    const version = nextVersion(read ?? 0)
    if (write.kind === 'delete') {
      const lines = yield* this.#deletesOfLines(entity, keys[0] as Value, consistency, version)
      const deletes = (store: Store) =>
        store === base && read !== null ? this.rows.deletesOfBase(base, keys[0] as Value, read) : this.rows.deletes(store, before, [], version)
      return [...stores.flatMap(deletes), ...lines]
    }
    if (renewsLife(entity, write)) {
      const row = new Map(before).set(expiry, bound(`set.${expiry}`))
      // Every cell has a time to live of its own, so that the whole row is written again.
      const inserts = (store: Store) =>
        store === base && read !== null
          ? [this.rows.put(base, entity, row, read, nowMs ?? 0, version)]
          : this.rows.inserts(store, entity, row, nowMs ?? 0, version)
      return [...this.#moved(stores, before, inserts, version), ...stores.flatMap(inserts)]
    }
    const { guard, ...change } = write
    const value = guard === undefined ? null : (before.get(guard.field) as Value)
    first.value ??= value
    const own = guard === undefined ? {} : { guard: guardOfRead(guard, first.value) }
    if (own.guard !== undefined && !holds(entity, own.guard, value)) return null
    return this.rows.changes({ ...change, ...own }, entity, storesOfEntity(model, entity), before, bound, nowMs, version)
  }

  /** The rows that are left where a row is written whole and now stands elsewhere. */
  #moved(stores: Store[], before: Row, inserts: (store: Store) => Cql[], version: number): Cql[] {
    return stores.filter((store) => !store.base).flatMap((store) => this.rows.deletes(store, before, inserts(store), version))
  }

  #insertedLines(write: Write & { entity: string }, bound: Bound, version: number): Cql[] {
    if (write.kind !== 'insert') return []
    const { scenario } = this.#compiled
    const ownerKey = bound(`row.${entityOf(scenario, write.entity).key[0]}`)
    return write.with.flatMap((owned) => this.rows.insertedLines(entityOf(scenario, owned), ownerKey, bound(`lines.${owned}`) as Value[][], version))
  }

  /** An owner's lines: a table of their own loses its partition, query tables lose the rows that are there. */
  *#deletesOfLines(owner: Entity, ownerKey: Value, consistency: number, version: number): Talk<Cql[]> {
    const { scenario, model } = this.#compiled
    const deletes: Cql[] = []
    for (const owned of ownedBy(scenario, owner.name)) {
      const base = baseStore(model.stores, owned.name)
      if (isVersionedApart(base, owned)) continue
      const partition = base.partition[0] as string
      if (base.entity === owned.name) deletes.push({ query: deleteRow(base, [partition]), columns: [columnOf(base, partition)], params: [ownerKey] })
      const queries = model.stores.filter((store) => store.entity === owned.name && !store.base)
      if (queries.length === 0) continue
      for (const row of yield* ask(partitionOf(base, ownerKey), consistency))
        if (row[lineColumn(base)] !== null)
          deletes.push(...queries.flatMap((store) => this.rows.deletes(store, this.rows.rowOf(base, owned, row, ownerKey), [], version)))
    }
    return deletes
  }

  /** Lines that have a version of their own go by themselves; null: there are none. */
  *#deletesOfVersioned(owned: Entity, ownerKey: Value, consistency: number): Talk<Cql[] | null> {
    const { stores } = this.#compiled.model
    const base = baseStore(stores, owned.name)
    if (!isVersionedApart(base, owned)) return null
    const lines = (yield* ask(partitionOf(base, ownerKey), consistency)).map((row) => this.rows.rowOf(base, owned, row, ownerKey))
    if (lines.length === 0) return null
    const read = versionIn(base, lines[0] as Row) as number
    const queries = stores.filter((store) => store.entity === owned.name && !store.base)
    return [
      ...this.rows.deletesOfBase(base, ownerKey, read),
      ...lines.flatMap((line) => queries.flatMap((store) => this.rows.deletes(store, line, [], nextVersion(read)))),
    ]
  }

  /** The row as it stands in the base table; null where it is absent or expired. */
  *#current(base: Store, entity: Entity, keys: Value[], nowMs: number | null, consistency: number): Talk<Row | null> {
    const [row] =
      entity.owner === null ? yield* ask(ownerOf(base, keys[0] as Value), consistency) : yield* this.#lines(base, entity, keys, consistency)
    if (row === undefined) return null
    const current = this.rows.rowOf(base, entity, row, keys[0] as Value)
    const version = versionOf(base)
    if (version !== undefined) current.set(version.name, restored(version, row[version.name]))
    return nowMs !== null && Number(current.get('expires_at')) <= nowMs ? null : current
  }

  /** The rows of an owner's partition, or of it the one line. */
  *#lines(store: Store, entity: Entity, keys: Value[], consistency: number): Talk<StoredRow[]> {
    const rows = yield* ask(partitionOf(store, keys[0] as Value), consistency)
    return entity.owner === null ? rows : rows.filter((row) => row[lineColumn(store)] === Number(keys[1]))
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
        return (lines.get(name) ?? [])
          .filter((row) => row[lineColumn(from)] !== null)
          .map((row) => columns.map((column) => restored(column, row[column.name])))
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

/** Whether a row comes after the cursor in the order of a list. */
function isBehind({ order }: OperationOf<'list'>, row: Row, bound: Bound): boolean {
  const by = order.map(({ field, descending }) => compareValues(row.get(field) as Value, bound(`after.${field}`)) * (descending ? -1 : 1))
  return (by.find((each) => each !== 0) ?? 0) > 0
}

function* send(statements: Cql[], consistency: number): Talk<void> {
  if (statements.length > 0) yield [{ statements, consistency, pageState: null }]
}

/** `eventual` asks one replica, every other level a quorum. */
export function consistencyOf(op: Operation): number {
  return op.consistency === 'eventual' ? consistencies.one : consistencies.quorum
}

/** The version of a row that was read; null where its table keeps none, or there is no row. */
function versionIn(base: Store, row: Row | null): number | null {
  const version = versionOf(base)
  return version === undefined ? null : ((row?.get(version.name) ?? null) as number | null)
}

/** Whether lines have a version that is not their owner's. */
const isVersionedApart = (base: Store, owned: Entity) => base.entity === owned.name && versionOf(base) !== undefined

const nowOf = (entity: Entity, bound: Bound) => (entity.ttlMs === null ? null : Number(bound('now')))

/** As many as may be in flight. */
function* inWaves<T>(items: T[]): Iterable<T[]> {
  for (let from = 0; from < items.length; from += bucketsInFlight) yield items.slice(from, from + bucketsInFlight)
}

function bucketsBetween(unit: BucketUnit, from: number, to: number): number[] {
  const first = bucketOf(unit, from)
  return Array.from({ length: Math.max(0, bucketOf(unit, to - 1) - first + 1) }, (_, index) => first + index)
}

/** What chooses the partition of a list or an aggregate, in the order of its columns. */
function partitionValues(store: Store, { where }: { where: Filter[] }, bound: Bound, bucket: number | null): Value[] {
  return store.partition.map((name) => {
    if (name === store.bucket?.column) return bucket
    return where.find((filter) => filter.field === name)?.constant ?? bound(`where.${name}`)
  })
}
