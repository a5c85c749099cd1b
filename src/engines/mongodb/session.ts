/** MongoDB through its driver: bulk inserts, commands with their concerns, transactions with their retries, facts and plans. */
import type { AnyBulkWriteOperation, ClientSession, Collection, Document, MongoClient } from 'mongodb'
import { openAll } from '../../clients/open-all.ts'
import { MongoConnection, type MongoLogin } from '../../clients/protocols/mongodb.ts'
import { readReply, wroteReply } from '../../clients/replies.ts'
import { retrying } from '../../clients/retry.ts'
import { type ParamSource, positionsOf } from '../../data/parameters.ts'
import type { RowSource } from '../../data/rows.ts'
import { decimalValue, type Value } from '../../data/value.ts'
import { embeddedName } from '../../families/document/model.ts'
import type { Store } from '../../families/model.ts'
import {
  type Entity,
  entityOf,
  fieldOf,
  type Insert,
  lineFields,
  type Operation,
  type OperationOf,
  type Update,
  type Write,
} from '../../scenario/scenario.ts'
import type { Compiled, Limits, Reply, Session } from '../engine.ts'
import { indexesOf, nativeExpiry, pathOf } from './commands.ts'
import { type Driver, MongoDocuments } from './documents.ts'
import { mongoFacts, planText } from './facts.ts'
import { MongoLoad } from './load.ts'
import { MongoQueries } from './queries.ts'

const loadingConnections = 2
/** WiredTiger's own (its configuration reference); a load that writes everywhere in its indexes would write the same pages out again and again. */
const byDefault = { target: 5, trigger: 20 }
const whileLoading = { target: 50, trigger: 75 }

export class MongoSession implements Session {
  readonly #driver: Driver
  readonly #client: MongoClient
  readonly #compiled: Compiled
  readonly #namespace: string
  readonly #alone: boolean
  readonly #parameters: Map<string, number>[]
  readonly #documents: MongoDocuments
  readonly #queries: MongoQueries
  readonly #openWire: (connections: number) => Promise<MongoConnection[]>

  constructor(driver: Driver, client: MongoClient, compiled: Compiled, namespace: string, login: MongoLogin, alone: boolean) {
    this.#alone = alone
    this.#openWire = (connections) => openAll(connections, () => MongoConnection.open(login, driver.BSON))
    this.#namespace = namespace
    this.#driver = driver
    this.#client = client
    this.#compiled = compiled
    this.#documents = new MongoDocuments(driver, compiled)
    this.#parameters = compiled.operations.map((operation) => positionsOf(compiled.scenario, operation))
    this.#queries = new MongoQueries(this.#documents, compiled.scenario)
  }

  get #fsync(): boolean {
    return this.#compiled.durability === 'fsync'
  }

  #collection(name: string, consistency: Operation['consistency'] = 'strong'): Collection {
    return this.#client.db(this.#namespace).collection(name, {
      writeConcern: { w: 'majority', j: this.#fsync },
      readConcern: { level: consistency === 'eventual' ? 'local' : 'majority' },
      readPreference: 'primary',
    })
  }

  facts(limits: Limits) {
    return mongoFacts(this.#client, this.#namespace, this.#compiled, limits)
  }

  async create() {
    await this.#evict(whileLoading)
    const database = this.#client.db(this.#namespace)
    await database.dropDatabase()
    for (const store of this.#compiled.model.stores) {
      await database.createCollection(store.name)
      const indexes = indexesOf(this.#compiled.scenario, store, (field, constant) => this.#documents.bson(field, constant))
      for (const { key, options } of indexes) await database.collection(store.name).createIndex(key, options)
    }
  }

  /** Through the wire client: the driver's documents cost more than the server's work. */
  async load(rows: RowSource, last: boolean) {
    const connections = await this.#openWire(loadingConnections)
    try {
      const load = new MongoLoad(connections, this.#driver.BSON, this.#compiled, this.#documents, this.#namespace)
      for (const block of rows.blocks()) await load.block(block)
      await load.finish()
    } finally {
      for (const connection of connections) connection.end()
    }
    await this.#journaled()
    if (last) await this.#evict(byDefault)
  }

  /** Of a server of our own: shares of its cache, in percent, from which on changed pages are written out. */
  async #evict({ target, trigger }: typeof byDefault) {
    if (!this.#alone) return
    // The limits of updates follow those of pages at zero.
    const wiredTigerEngineRuntimeConfig = `eviction_dirty_target=${target},eviction_dirty_trigger=${trigger},eviction_updates_target=0,eviction_updates_trigger=0`
    await this.#client.db('admin').command({ setParameter: 1, wiredTigerEngineRuntimeConfig })
  }

  /** On disk, and seen by a reader of what a majority has: a checkpoint alone leaves the majority commit point where it was. */
  async settle() {
    await this.#client.db('admin').command({ fsync: 1 })
    await this.#journaled()
  }

  /** A write that changes nothing waits until all that was written before it is in the journal, and majority-committed. */
  async #journaled() {
    const store = this.#compiled.model.stores[0] as Store
    await this.#client
      .db(this.#namespace)
      .collection(store.name)
      .deleteOne({ _id: { $in: [] } }, { writeConcern: { w: 'majority', j: true } })
  }

  async maintain() {
    await this.settle()
  }

  async perform(operation: number, params: ParamSource): Promise<Reply> {
    const op = this.#compiled.operations[operation] as Operation
    const bound = this.#bound(operation, params)
    const collection = this.#collection(op.entity, op.consistency)
    switch (op.kind) {
      case 'get': {
        const found = await collection.findOne(this.#queries.matching(op, bound), this.#queries.page(op))
        const apart = found === null ? [] : op.with.filter((name) => !this.#documents.store(op.entity).embedded.includes(name))
        const lines = new Map<string, Document[]>()
        for (const name of apart) lines.set(name, await this.#apartLines(name, this.#queries.key(this.#entity(op.entity), bound)))
        return readReply(found === null ? 0 : 1, () => this.#documents.answer(op, found === null ? [] : [found], lines))
      }
      case 'list':
      case 'search': {
        const found = await this.#find(op, collection, bound).toArray()
        return readReply(found.length, () => this.#documents.answer(op, found))
      }
      case 'aggregate': {
        const found = await collection.aggregate(this.#queries.pipeline(op, bound)).toArray()
        return readReply(found.length, () => this.#documents.answer(op, found))
      }
      case 'transaction': {
        const { result, retries } = await this.#transaction(async (session) => {
          const counts: number[] = []
          for (const [index, step] of op.steps.entries()) counts.push(await this.#write(step, (name) => bound(`${index}.${name}`), session))
          return counts[0] as number
        })
        return wroteReply(result, retries)
      }
      default: {
        if (!this.#queries.touchesLines(op)) return wroteReply(await this.#write(op, bound), 0)
        const { result, retries } = await this.#transaction((session) => this.#write(op, bound, session))
        return wroteReply(result, retries)
      }
    }
  }

  /** Retries as the driver's contract says: the whole transaction, or the commit alone where its outcome is unknown. */
  async #transaction(body: (session: ClientSession) => Promise<number>): Promise<{ result: number; retries: number }> {
    const labelled = (error: unknown, label: string) => error instanceof this.#driver.MongoError && error.hasErrorLabel(label)
    const session = this.#client.startSession()
    try {
      return await retrying(
        async () => {
          session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', j: this.#fsync }, readPreference: 'primary' })
          try {
            const result = await body(session)
            await retrying(
              () => session.commitTransaction(),
              (error) => labelled(error, 'UnknownTransactionCommitResult'),
            )
            return result
          } catch (error) {
            if (session.inTransaction()) await session.abortTransaction().catch(() => {})
            throw error
          }
        },
        (error) => labelled(error, 'TransientTransactionError'),
      )
    } finally {
      await session.endSession()
    }
  }

  async #write(write: Write & { entity: string }, bound: (name: string) => Value, session?: ClientSession): Promise<number> {
    const entity = this.#entity(write.entity)
    const collection = session === undefined ? this.#collection(write.entity) : this.#client.db(this.#namespace).collection(write.entity)
    const options = session === undefined ? {} : { session }
    switch (write.kind) {
      case 'insert': {
        const document = this.#rowDocument(entity, bound)
        await this.#insertLines(write, document, bound, options)
        await collection.insertOne(document, options)
        return 1
      }
      case 'put': {
        const { _id, ...values } = this.#rowDocument(entity, bound)
        for (const owned of this.#queries.expiringLines(entity))
          await this.#lines(owned).updateMany(this.#queries.linesOf(owned, _id), { $set: { [nativeExpiry]: values[nativeExpiry] } }, options)
        const result = await collection.updateOne({ _id }, this.#queries.put(entity, values), { upsert: true, ...options })
        return result.matchedCount + result.upsertedCount
      }
      case 'delete': {
        const key = this.#queries.key(entity, bound)
        for (const owned of this.#documents.apart(write.entity)) await this.#lines(owned).deleteMany(this.#queries.linesOf(owned, key), options)
        return (await collection.deleteOne(this.#queries.row(entity, bound), options)).deletedCount
      }
      default: {
        if (write.via !== null) return this.#updateTargets(write, bound, collection, options)
        const amounts = write.add.map((each) => each.amount)
        return (await collection.updateOne(this.#queries.row(entity, bound), this.#queries.change(entity, write, bound, amounts), options))
          .matchedCount
      }
    }
  }

  #rowDocument(entity: Entity, bound: (name: string) => Value): Document {
    const values = new Map(entity.fields.map((field) => [field.name, bound(`row.${field.name}`)]))
    const insertedAtMs = Number(values.get('expires_at')) - (entity.ttlMs ?? 0)
    return this.#documents.document(entity, values, this.#documents.expiresNatively(entity, values, insertedAtMs))
  }

  /** Inside the owner's document, or before it in collections of their own. */
  async #insertLines(write: Insert & { entity: string }, document: Document, bound: (name: string) => Value, options: { session?: ClientSession }) {
    const entity = this.#entity(write.entity)
    const { embedded } = this.#documents.store(write.entity)
    for (const owned of embedded) document[embeddedName(entity, owned)] = []
    for (const name of write.with) {
      const owned = this.#entity(name)
      const fields = lineFields(owned)
      const lines = (bound(`lines.${name}`) as Value[][]).map((line) => new Map(fields.map((field, index) => [field.name, line[index] as Value])))
      if (embedded.includes(name)) document[embeddedName(entity, name)] = lines.map((line) => this.#documents.plain(fields, line))
      else if (lines.length > 0) {
        const key = bound(`row.${entity.key[0]}`)
        const documents = lines.map((line) => this.#documents.document(owned, line.set(owned.key[0] as string, key), document[nativeExpiry]))
        await this.#lines(owned).insertMany(documents, { ordered: false, ...options })
      }
    }
  }

  async #updateTargets(
    write: Update & { entity: string },
    bound: (name: string) => Value,
    collection: Collection,
    options: Document,
  ): Promise<number> {
    const entity = this.#entity(write.entity)
    const keyField = fieldOf(entity, entity.key[0] as string)
    const updates = (bound('targets') as Value[][]).map(
      ([key, ...amounts]): AnyBulkWriteOperation<Document> => ({
        updateOne: {
          filter: { _id: this.#documents.bson(keyField, key as Value) as never },
          update: this.#queries.change(entity, write, bound, amounts),
        },
      }),
    )
    return updates.length === 0 ? 0 : (await collection.bulkWrite(updates, { ordered: true, ...options })).matchedCount
  }

  async storage() {
    const database = this.#client.db(this.#namespace)
    const tables: { name: string; bytes: number }[] = []
    const indexes: { name: string; table: string; bytes: number }[] = []
    for (const store of this.#compiled.model.stores) {
      const [stats] = await database
        .collection(store.name)
        .aggregate([{ $collStats: { storageStats: {} } }])
        .toArray()
      tables.push({ name: store.name, bytes: Number(stats?.storageStats?.storageSize ?? 0) })
      for (const [name, bytes] of Object.entries((stats?.storageStats?.indexSizes ?? {}) as Record<string, number>))
        indexes.push({ name, table: store.name, bytes: Number(bytes) })
    }
    return { tables, indexes }
  }

  async explain(operation: number, params: ParamSource) {
    const op = this.#compiled.operations[operation] as Operation
    const bound = this.#bound(operation, params)
    const collection = this.#collection(op.entity)
    switch (op.kind) {
      case 'get':
      case 'list':
      case 'search':
        return planText(await this.#find(op, collection, bound).explain('executionStats'))
      case 'aggregate':
        return planText(await collection.aggregate(this.#queries.pipeline(op, bound)).explain('executionStats'))
      default:
        return ''
    }
  }

  async indexUse() {
    const used: { table: string; index: string; uses: number }[] = []
    for (const store of this.#compiled.model.stores) {
      const found = await this.#client
        .db(this.#namespace)
        .collection(store.name)
        .aggregate([{ $indexStats: {} }])
        .toArray()
      for (const each of found) used.push({ table: store.name, index: String(each.name), uses: Number(each.accesses?.ops ?? 0) })
    }
    return used
  }

  async total(entityName: string, field?: string) {
    const entity = this.#entity(entityName)
    const host = this.#compiled.model.stores.find((store) => store.embedded.includes(entityName))
    const rows = host === undefined ? '' : embeddedName(this.#entity(host.entity), entityName)
    const path = host === undefined ? pathOf(entity, field ?? '') : field === entity.key[0] ? '_id' : `${rows}.${field}`
    const group = { _id: null, rows: { $sum: 1 }, ...(field === undefined ? {} : { sum: { $sum: `$${path}` } }) }
    const [found] = await this.#collection(host?.name ?? entityName)
      .aggregate([...(host === undefined ? [] : [{ $unwind: `$${rows}` }]), { $group: group }])
      .toArray()
    const sum = field === undefined || found === undefined ? 0n : decimalValue(String(found.sum), fieldOf(entity, field).scale)
    return { rows: BigInt(Number(found?.rows ?? 0)), sum }
  }

  async [Symbol.asyncDispose]() {
    await this.#client.close()
  }

  #find(op: OperationOf<'get' | 'list' | 'search'>, collection: Collection, bound: (name: string) => Value) {
    const deep = op.kind === 'list' && bound('deep') === true
    return collection.find(this.#queries.matching(op, bound, deep), this.#queries.page(op))
  }

  #lines(owned: Entity): Collection {
    return this.#client.db(this.#namespace).collection(owned.name)
  }

  #entity(name: string): Entity {
    return entityOf(this.#compiled.scenario, name)
  }

  #bound(operation: number, params: ParamSource): (name: string) => Value {
    return (name) => params.value(this.#parameters[operation]?.get(name) as number)
  }

  async #apartLines(owned: string, ownerKey: unknown): Promise<Document[]> {
    const { filter, sort } = this.#queries.linesInOrder(this.#entity(owned), ownerKey)
    return this.#collection(owned).find(filter, { sort }).toArray()
  }
}
