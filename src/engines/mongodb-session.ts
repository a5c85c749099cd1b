/** MongoDB through its driver: bulk inserts, commands with their concerns, transactions with their retries, facts and plans. */
import type { AnyBulkWriteOperation, ClientSession, Collection, Document, MongoClient, Filter as Query } from 'mongodb'
import { type ParamSource, positionsOf } from '../data/parameters.ts'
import type { RowSource } from '../data/rows.ts'
import { decimalValue, type Value } from '../data/value.ts'
import type { Store } from '../model/model.ts'
import { entityOf, fieldOf, lineFields, type Operation, type Write } from '../scenario/scenario.ts'
import type { Compiled, Limits, Reply, Session } from './engine.ts'
import { groupPipeline, indexesOf, pathOf, sortOf } from './mongodb-commands.ts'
import { type Driver, MongoDocuments } from './mongodb-documents.ts'
import { mongoFacts, planText } from './mongodb-facts.ts'
import { readReply, wroteReply } from './replies.ts'
import { retrying } from './retry.ts'

export class MongoSession implements Session {
  readonly #driver: Driver
  readonly #client: MongoClient
  readonly #compiled: Compiled
  readonly #namespace: string
  readonly #parameters: Map<string, number>[]
  readonly #projections: Document[]
  readonly #documents: MongoDocuments

  constructor(driver: Driver, client: MongoClient, compiled: Compiled, namespace: string) {
    this.#namespace = namespace
    this.#driver = driver
    this.#client = client
    this.#compiled = compiled
    this.#documents = new MongoDocuments(driver, compiled)
    this.#parameters = compiled.operations.map((operation) => positionsOf(compiled.scenario, operation))
    this.#projections = compiled.operations.map((operation) => this.#documents.projection(operation))
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
    const database = this.#client.db(this.#namespace)
    await database.dropDatabase()
    for (const store of this.#compiled.model.stores) {
      await database.createCollection(store.name)
      for (const { key, options } of indexesOf(this.#compiled.scenario, store))
        await database.collection(store.name).createIndex(key, { ...options, ...this.#typedPartial(store, options) })
    }
  }

  #typedPartial(store: Store, options: Document): Document {
    if (options.partialFilterExpression === undefined) return {}
    const entity = entityOf(this.#compiled.scenario, store.entity)
    return {
      partialFilterExpression: Object.fromEntries(
        Object.entries(options.partialFilterExpression as Document).map(([name, value]) => [
          name,
          this.#documents.bson(fieldOf(entity, name), value as Value),
        ]),
      ),
    }
  }

  async load(rows: RowSource) {
    const database = this.#client.db(this.#namespace)
    const inFlight = new Set<Promise<unknown>>()
    const send = async (collection: string, documents: Document[]) => {
      if (documents.length === 0) return
      const sent: Promise<unknown> = database.collection(collection).insertMany(documents, { ordered: false, writeConcern: { w: 1 } })
      inFlight.add(sent)
      sent.then(
        () => inFlight.delete(sent),
        () => {},
      )
      if (inFlight.size >= 2) await Promise.race(inFlight)
    }
    for (const block of rows.blocks()) {
      const { documents, apart } = this.#documents.documents(block)
      for (let from = 0; from < documents.length; from += 1000) await send(block.entity, documents.slice(from, from + 1000))
      for (const [name, lines] of apart) for (let from = 0; from < lines.length; from += 1000) await send(name, lines.slice(from, from + 1000))
    }
    await Promise.all(inFlight)
  }

  /** On disk, and seen by a reader of what a majority has: a checkpoint alone leaves the majority commit point where it was. */
  async settle() {
    await this.#client.db('admin').command({ fsync: 1 })
    // A write that changes nothing waits until all that was written before it is majority-committed.
    const store = this.#compiled.model.stores[0] as Store
    await this.#client
      .db(this.#namespace)
      .collection(store.name)
      .deleteOne({ _id: { $in: [] } }, { writeConcern: { w: 'majority' } })
  }

  async maintain() {
    await this.settle()
  }

  async perform(operation: number, params: ParamSource): Promise<Reply> {
    const op = this.#compiled.operations[operation] as Operation
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const bound = (name: string) => params.value(this.#parameters[operation]?.get(name) ?? -1)
    const alive: Query<Document> = this.#parameters[operation]?.has('now') ? { expires_at: { $gt: new Date(Number(bound('now'))) } } : {}
    const collection = this.#collection(op.entity, op.consistency)
    switch (op.kind) {
      case 'get': {
        const key = this.#documents.key(entity, bound, '')
        const found = await collection.findOne({ _id: key as never, ...alive }, { projection: this.#projections[operation] as Document })
        const apart = found === null ? [] : op.with.filter((name) => this.#documents.store(op.entity).embedded.every((each) => each !== name))
        const lines = new Map<string, Document[]>()
        for (const name of apart) lines.set(name, await this.#apartLines(name, key))
        return readReply(found === null ? 0 : 1, () => this.#documents.answer(op, found === null ? [] : [found], lines))
      }
      case 'list': {
        const where = this.#documents.where(op.where, entity, bound)
        const deep = bound('deep') === true ? this.#documents.after(op.order, entity, bound) : {}
        const found = await collection
          .find(
            { ...where, ...alive, ...deep },
            { projection: this.#projections[operation] as Document, sort: sortOf(entity, op.order), limit: op.limit, batchSize: op.limit + 1 },
          )
          .toArray()
        return readReply(found.length, () => this.#documents.answer(op, found))
      }
      case 'search': {
        const found = await collection
          .find(
            { $text: { $search: String(bound('word')) }, ...alive },
            { projection: this.#projections[operation] as Document, limit: op.limit, batchSize: op.limit + 1 },
          )
          .toArray()
        return readReply(found.length, () => this.#documents.answer(op, found))
      }
      case 'aggregate': {
        const window =
          op.over === null ? {} : { [pathOf(entity, op.over.field)]: { $gte: new Date(Number(bound('from'))), $lt: new Date(Number(bound('to'))) } }
        const match = { ...this.#documents.where(op.where, entity, bound), ...alive, ...window }
        const found = await collection.aggregate(groupPipeline(entity, op, match)).toArray()
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
        const several = op.kind === 'insert' && op.with.some((name) => !this.#documents.store(op.entity).embedded.includes(name))
        const owned =
          op.kind === 'delete' &&
          this.#compiled.model.stores.some((store) => entityOf(this.#compiled.scenario, store.entity).owner?.entity === op.entity)
        if (!several && !owned) return wroteReply(await this.#write(op, bound), 0)
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
    const entity = entityOf(this.#compiled.scenario, write.entity)
    const collection = session === undefined ? this.#collection(write.entity) : this.#client.db(this.#namespace).collection(write.entity)
    const options = session === undefined ? {} : { session }
    const alive: Query<Document> =
      entity.ttlMs === null || write.kind === 'insert' || write.kind === 'put' ? {} : { expires_at: { $gt: new Date(Number(bound('now'))) } }
    if (write.kind === 'insert' || write.kind === 'put') {
      const values = new Map(entity.fields.map((field) => [field.name, bound(`row.${field.name}`)]))
      const document = this.#documents.document(
        entity,
        values,
        this.#documents.expiresNatively(entity, values, Number(values.get('expires_at')) - (entity.ttlMs ?? 0)),
      )
      if (write.kind === 'put') {
        const { _id, ...rest } = document
        const result = await collection.replaceOne({ _id: _id as never }, rest, { upsert: true, ...options })
        return result.matchedCount + result.upsertedCount
      }
      const inside = this.#documents.store(write.entity).embedded
      for (const owned of inside) document[owned] = []
      for (const owned of write.with) {
        const ownedEntity = entityOf(this.#compiled.scenario, owned)
        const fields = lineFields(ownedEntity)
        const lines = (bound(`lines.${owned}`) as Value[][]).map((line) => new Map(fields.map((field, index) => [field.name, line[index] as Value])))
        if (inside.includes(owned)) document[owned] = lines.map((line) => this.#documents.plain(fields, line))
        else if (lines.length > 0) {
          const key = values.get(entity.key[0] as string) as Value
          const documents = lines.map((line) => this.#documents.document(ownedEntity, line.set(ownedEntity.key[0] as string, key), undefined))
          await this.#client
            .db(this.#namespace)
            .collection(owned)
            .insertMany(documents, { ordered: false, ...options })
        }
      }
      await collection.insertOne(document, options)
      return 1
    }
    if (write.kind === 'delete') {
      for (const store of this.#compiled.model.stores) {
        const owned = entityOf(this.#compiled.scenario, store.entity)
        if (owned.owner?.entity === write.entity)
          await this.#client
            .db(this.#namespace)
            .collection(store.name)
            .deleteMany({ [pathOf(owned, owned.key[0] as string)]: this.#documents.key(entity, bound, '') }, options)
      }
      return (await collection.deleteOne({ _id: this.#documents.key(entity, bound, '') as never, ...alive }, options)).deletedCount
    }
    const set = Object.fromEntries(
      write.set.map((each) => [
        each.field,
        this.#documents.bson(fieldOf(entity, each.field), each.to === 'constant' ? each.constant : bound(`set.${each.field}`)),
      ]),
    )
    const change = (amounts: (number | bigint)[]): Document => ({
      ...(write.set.length > 0 ? { $set: set } : {}),
      ...(write.add.length > 0
        ? {
            $inc: Object.fromEntries(
              write.add.map((each, index) => [each.field, this.#documents.bson(fieldOf(entity, each.field), amounts[index] as number)]),
            ),
          }
        : {}),
    })
    if (write.via !== null) {
      const targets = bound('targets') as Value[][]
      const updates = targets.map(
        ([key, ...amounts]): AnyBulkWriteOperation<Document> => ({
          updateOne: {
            filter: { _id: this.#documents.bson(fieldOf(entity, entity.key[0] as string), key as Value) as never },
            update: change(amounts as number[]),
          },
        }),
      )
      return updates.length === 0 ? 0 : (await collection.bulkWrite(updates, { ordered: true, ...options })).matchedCount
    }
    return (
      await collection.updateOne(
        { _id: this.#documents.key(entity, bound, '') as never, ...alive },
        change(write.add.map((each) => each.amount)),
        options,
      )
    ).matchedCount
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
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const bound = (name: string) => params.value(this.#parameters[operation]?.get(name) ?? -1)
    const collection = this.#collection(op.entity)
    const plan = async (): Promise<Document> => {
      if (op.kind === 'get') return collection.find({ _id: this.#documents.key(entity, bound, '') as never }).explain('executionStats')
      if (op.kind === 'list')
        return collection
          .find(this.#documents.where(op.where, entity, bound), {
            projection: this.#projections[operation] as Document,
            sort: sortOf(entity, op.order),
            limit: op.limit,
          })
          .explain('executionStats')
      if (op.kind === 'search') return collection.find({ $text: { $search: String(bound('word')) } }, { limit: op.limit }).explain('executionStats')
      if (op.kind === 'aggregate') {
        const window =
          op.over === null ? {} : { [pathOf(entity, op.over.field)]: { $gte: new Date(Number(bound('from'))), $lt: new Date(Number(bound('to'))) } }
        return collection
          .aggregate(groupPipeline(entity, op, { ...this.#documents.where(op.where, entity, bound), ...window }))
          .explain('executionStats')
      }
      return {}
    }
    return planText(await plan())
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
    const { scenario, model } = this.#compiled
    const host = model.stores.find((store) => store.embedded.includes(entityName))
    const path = host === undefined ? (field ?? '') : `${entityName}.${field ?? ''}`
    const unwind = host === undefined ? [] : [{ $unwind: `$${entityName}` }]
    const group = { _id: null, rows: { $sum: 1 }, ...(field === undefined ? {} : { sum: { $sum: `$${path}` } }) }
    const [found] = await this.#collection(host?.name ?? entityName)
      .aggregate([...unwind, { $group: group }])
      .toArray()
    const scale = field === undefined ? 0 : fieldOf(entityOf(scenario, entityName), field).scale
    return { rows: BigInt(Number(found?.rows ?? 0)), sum: field === undefined || found === undefined ? 0n : decimalValue(String(found.sum), scale) }
  }

  async [Symbol.asyncDispose]() {
    await this.#client.close()
  }

  async #apartLines(owned: string, ownerKey: unknown): Promise<Document[]> {
    const entity = entityOf(this.#compiled.scenario, owned)
    const path = pathOf(entity, entity.key[0] as string)
    return this.#collection(owned)
      .find({ [path]: ownerKey }, { sort: { [path]: 1, [pathOf(entity, 'line')]: 1 } })
      .toArray()
  }
}
