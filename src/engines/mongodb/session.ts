/** MongoDB through its driver: bulk inserts, commands with their concerns, transactions with their retries, facts and plans. */
import type {
  AggregationCursor,
  AnyBulkWriteOperation,
  ClientSession,
  Collection,
  Document,
  FindCursor,
  IndexSpecification,
  MongoClient,
} from 'mongodb'
import { openAll } from '../../clients/open-all.ts'
import { MongoConnection, type MongoLogin } from '../../clients/protocols/mongodb.ts'
import { readReply, wroteReply } from '../../clients/replies.ts'
import { retrying } from '../../clients/retry.ts'
import { knowing, type ParamSource, parametersOf } from '../../data/parameters.ts'
import type { RowSource } from '../../data/rows.ts'
import { decimalValue, type Value } from '../../data/value.ts'
import { concerns, type DocumentProgram, type DocumentRequest } from '../../families/document/compile.ts'
import { embeddedName } from '../../families/document/model.ts'
import { indexesOf, pathOf } from '../../families/document/queries.ts'
import type { Store } from '../../families/model.ts'
import { neededRows, variantOf } from '../../families/program.ts'
import { type Entity, entityOf, fieldOf, type Operation, writesOf } from '../../scenario/scenario.ts'
import { type Compiled, type Limits, planInWords, type Reply, type Session } from '../engine.ts'
import { type Driver, MongoDocuments } from './documents.ts'
import { MongoLoad } from './load.ts'
import { mongoFacts } from './parity.ts'
import { planOf } from './plan.ts'

const loadingConnections = 2
/** WiredTiger's own (its configuration reference); a load that writes everywhere in its indexes would write the same pages out again and again. */
const byDefault = { target: 5, trigger: 20 }
const whileLoading = { target: 50, trigger: 75 }

export class MongoSession implements Session {
  readonly #driver: Driver
  readonly #client: MongoClient
  readonly #compiled: Compiled<DocumentRequest>
  readonly #namespace: string
  readonly #alone: boolean
  readonly #documents: MongoDocuments
  readonly #programs: (DocumentProgram | null)[]
  readonly #openWire: (connections: number) => Promise<MongoConnection[]>

  constructor(driver: Driver, client: MongoClient, compiled: Compiled<DocumentRequest>, namespace: string, login: MongoLogin, alone: boolean) {
    this.#alone = alone
    this.#openWire = (connections) => openAll(connections, () => MongoConnection.open(login, driver.BSON))
    this.#namespace = namespace
    this.#driver = driver
    this.#client = client
    this.#compiled = compiled
    this.#documents = new MongoDocuments(driver, compiled)
    this.#programs = compiled.programs
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
      for (const { key, options } of indexesOf(this.#compiled.scenario, store))
        await database.collection(store.name).createIndex(key as IndexSpecification, this.#documents.prepared(options))
    }
  }

  /** Through the wire client: the driver's documents cost more than the server's work. */
  async load(rows: RowSource, last: boolean) {
    const connections = await this.#openWire(loadingConnections)
    try {
      const load = new MongoLoad(connections, this.#driver.BSON, this.#compiled, this.#namespace)
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
    const program = this.#programs[operation] as DocumentProgram
    const requests = program.variants[variantOf(program, params)] as DocumentRequest[]
    if (writesOf(op).length === 0) {
      const found = await this.#read(requests, program, params)
      const rows = found[program.counted]?.length ?? 0
      return readReply(rows, () => this.#documents.answer(op, requests, found))
    }
    const known = program.readsFirst ? await this.#readBefore(operation, requests[0] as DocumentRequest, params) : params
    if (known === null) return wroteReply(requests[0]?.guarded === undefined ? 0 : null, 0)
    if (!program.atomic) return wroteReply(await this.#write(requests, program, known), 0)
    const { result, retries } = await this.#transaction((session) => this.#write(requests, program, known, session))
    return wroteReply(result, retries)
  }

  /** With what was read in its place; null: there is no such row. */
  async #readBefore(operation: number, request: DocumentRequest, params: ParamSource): Promise<ParamSource | null> {
    const [found] = await this.#cursor(request, params).toArray()
    if (found === undefined) return null
    const parameters = parametersOf(this.#compiled.scenario, this.#compiled.operations[operation] as Operation)
    const at = parameters.findIndex(({ shape }) => shape === 'read')
    const field = parameters[at]?.field
    return field == null ? params : knowing(params, at, this.#documents.value(field, found[field.name]))
  }

  async #read(requests: DocumentRequest[], { counted, stopWhenEmpty }: DocumentProgram, params: ParamSource): Promise<Document[][]> {
    const found: Document[][] = []
    for (const request of requests) {
      const documents = await this.#cursor(request, params).toArray()
      found.push(documents)
      if (stopWhenEmpty && found[counted]?.length === 0) break
    }
    return found
  }

  #cursor({ collection, command }: DocumentRequest, params: ParamSource): FindCursor<Document> | AggregationCursor<Document> {
    const { find, filter, aggregate, pipeline, cursor, ...options } = this.#documents.filled(command, params)
    const from = this.#client.db(this.#namespace).collection(collection)
    return find === undefined ? from.aggregate(pipeline as Document[], options) : from.find(filter as Document, options)
  }

  /** Rows of the counted request; null: a guard did not hold. */
  async #write(
    requests: DocumentRequest[],
    { counted, readsFirst }: DocumentProgram,
    params: ParamSource,
    session?: ClientSession,
  ): Promise<number | null> {
    let rows = 0
    for (const [index, request] of requests.entries()) {
      if (readsFirst && index === 0) continue
      const { collection, command, unlessEmptyAt } = request
      if (unlessEmptyAt !== null && (params.value(unlessEmptyAt) as Value[]).length === 0) continue
      const to = this.#client.db(this.#namespace).collection(collection)
      const written = await writeThrough(to, this.#documents.filled(command, params), session)
      if (written < neededRows(request, params)) return null
      if (index === counted) rows = written
    }
    return rows
  }

  /** Retries as the driver's contract says: the whole transaction, or the commit alone where its outcome is unknown. null: a guard did not hold. */
  async #transaction(body: (session: ClientSession) => Promise<number | null>): Promise<{ result: number | null; retries: number }> {
    const labelled = (error: unknown, label: string) => error instanceof this.#driver.MongoError && error.hasErrorLabel(label)
    const session = this.#client.startSession()
    try {
      return await retrying(
        async () => {
          session.startTransaction({
            readConcern: concerns.transaction,
            writeConcern: concerns.write(this.#compiled.durability),
            readPreference: 'primary',
          })
          try {
            const result = await body(session)
            if (result === null) {
              await session.abortTransaction()
              return null
            }
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
    const program = this.#programs[operation] as DocumentProgram
    const first = program.variants[variantOf(program, params)]?.[0]
    const reads = writesOf(this.#compiled.operations[operation] as Operation).length === 0
    return reads && first !== undefined ? planOf(await this.#cursor(first, params).explain('executionStats'), first.collection) : planInWords('')
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
    const [found] = await this.#client
      .db(this.#namespace)
      .collection(host?.name ?? entityName, { readConcern: { level: 'majority' } })
      .aggregate([...(host === undefined ? [] : [{ $unwind: `$${rows}` }]), { $group: group }])
      .toArray()
    const sum = field === undefined || found === undefined ? 0n : decimalValue(String(found.sum), fieldOf(entity, field).scale)
    return { rows: BigInt(Number(found?.rows ?? 0)), sum }
  }

  async [Symbol.asyncDispose]() {
    await this.#client.close()
  }

  #entity(name: string): Entity {
    return entityOf(this.#compiled.scenario, name)
  }
}

/** One command of writes as the driver's calls for it; returns the rows that it found or made. */
async function writeThrough(to: Collection, command: Document, session?: ClientSession): Promise<number> {
  const { insert, documents, update, updates, delete: deletion, deletes, ordered, ...concern } = command
  const options = { ...concern, ...(session === undefined ? {} : { session }) }
  if (insert !== undefined) {
    if (ordered === undefined) await to.insertOne((documents as Document[])[0] as Document, options)
    else await to.insertMany(documents as Document[], { ordered, ...options })
    return (documents as Document[]).length
  }
  if (update === undefined) {
    const [{ q, limit }] = deletes as [{ q: Document; limit: number }]
    return (limit === 0 ? await to.deleteMany(q, options) : await to.deleteOne(q, options)).deletedCount
  }
  const each = updates as { q: Document; u: Document; upsert?: true; multi?: true }[]
  if (each.length > 1) {
    const operations = each.map(({ q, u }): AnyBulkWriteOperation<Document> => ({ updateOne: { filter: q as never, update: u } }))
    return (await to.bulkWrite(operations, options)).matchedCount
  }
  const [{ q, u, upsert, multi }] = each as [(typeof each)[number]]
  const result = await (multi === true
    ? to.updateMany(q, u, options)
    : to.updateOne(q, u, { ...(upsert === undefined ? {} : { upsert }), ...options }))
  return result.matchedCount + result.upsertedCount
}
