/** What a report writes into design/ is proved on real servers: steps go up, down and up again, and make what a run loads; rights are enough, and no more. */
import { runInNewContext } from 'node:vm'
import type { Db, Document } from 'mongodb'
import { afterAll, describe, expect, test } from 'vitest'
import { type Dataset, makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Compiled, Endpoint, Engine } from '../../src/engines/engine.ts'
import { engines } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { pathInLibrary } from '../../src/scenario/library.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { rightsOf } from '../../src/scenario/rights.ts'
import type { Durability } from '../../src/scenario/scenario.ts'
import { Reference } from '../../src/verify/reference.ts'
import { verify } from '../../src/verify/verify.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)
const { signal } = new AbortController()

/** As an operator would: with the product's own client, and what its catalogue says of what is there. */
interface Operator {
  run(statement: string): Promise<void>
  /** All definitions, sorted. */
  catalogue(): Promise<string[]>
  end(): Promise<void>
}

/** Of the application, by whoever runs the statements. */
const typedPassword = 'called'

const operators: Record<string, (endpoint: Endpoint) => Promise<Operator>> = {
  async postgres({ host, port, user, password, namespace }) {
    const { Client } = await import('pg')
    const client = new Client({ host, port, user, password, database: namespace })
    await client.connect()
    const texts = async (statement: string) => (await client.query({ text: statement, rowMode: 'array' })).rows.map((row: unknown[]) => row.join(' '))
    return {
      run: async (statement) => void (await client.query(statement)),
      catalogue: async () =>
        [
          ...(await texts(
            "SELECT table_name, column_name, ordinal_position, data_type, numeric_precision, numeric_scale, collation_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public'",
          )),
          ...(await texts("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")),
          ...(await texts(
            "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
          )),
        ].sort(),
      end: () => client.end(),
    }
  },
  async mariadb({ host, port, user, password, namespace }) {
    const { createConnection } = await import('mariadb')
    const client = await createConnection({ host, port, user: user ?? 'root', password: password ?? '', database: namespace })
    return {
      run: async (statement) => void (await client.query(statement)),
      async catalogue() {
        const tables: Record<string, string>[] = await client.query('SHOW TABLES')
        const shown = tables.flatMap((row) => Object.values(row)).map((name) => client.query(`SHOW CREATE TABLE \`${name}\``))
        return (await Promise.all(shown)).map(([row]) => String(row['Create Table'])).sort()
      },
      end: () => client.end(),
    }
  },
  async mongodb({ host, port, user, password, namespace }) {
    const { Decimal128, MongoClient } = await import('mongodb')
    const client = new MongoClient(`mongodb://${host}:${port}/`, {
      directConnection: true,
      ...(user === undefined ? {} : { auth: { username: user, password: password ?? '' } }),
    })
    await client.connect()
    const database = client.db(namespace)
    // What a shell calls these; a statement is one expression.
    const shellOf = (of: Db): object => ({
      getName: () => of.databaseName,
      getSiblingDB: (name: string) => shellOf(client.db(name)),
      createCollection: (name: string) => of.createCollection(name),
      getCollection: (name: string) => of.collection(name),
      createRole: ({ role, ...rest }: Document) => of.command({ createRole: role, ...rest }),
      createUser: ({ user, ...rest }: Document) => of.command({ createUser: user, ...rest }),
    })
    const shell = {
      db: shellOf(database),
      Decimal128: (text: string) => Decimal128.fromString(text),
      passwordPrompt: () => typedPassword,
    }
    return {
      run: async (statement) => void (await runInNewContext(statement, shell)),
      async catalogue() {
        const collections = await database.listCollections({}, { nameOnly: true }).toArray()
        const own = collections.map(async ({ name }) => `${name} ${JSON.stringify(await database.collection(name).indexes())}`)
        return (await Promise.all(own)).sort()
      },
      end: () => client.close(),
    }
  },
  async cassandra({ host, port, user, password, namespace }) {
    const { auth, Client } = await import('cassandra-driver')
    const client = new Client({
      contactPoints: [`${host}:${port}`],
      localDataCenter: 'datacenter1',
      keyspace: namespace,
      ...(user === undefined ? {} : { authProvider: new auth.PlainTextAuthProvider(user, password ?? '') }),
    })
    await client.connect()
    return {
      run: async (statement) => void (await client.execute(statement)),
      async catalogue() {
        const { rows } = await client.execute(`DESCRIBE KEYSPACE ${namespace}`)
        return rows
          .filter(({ type }) => type !== 'keyspace')
          .map((row) => `${row.type} ${row.create_statement.replaceAll(/\bid = \S+/g, '')}`)
          .sort()
      },
      end: () => client.shutdown(),
    }
  },
}

const rowsIn = ({ entities }: Dataset, name: string) => entities.get(name)?.rows ?? 0

const withSteps = engines.filter(({ name }) => Object.hasOwn(operators, name))
const scenario = readScenario(pathInLibrary('ecommerce'))
const operations = allOperations(scenario)

async function asOperator<T>(engine: Engine, endpoint: Endpoint, work: (operator: Operator) => Promise<T>): Promise<T> {
  const operator = await (operators[engine.name] as (of: Endpoint) => Promise<Operator>)(endpoint)
  try {
    return await work(operator)
  } finally {
    await operator.end()
  }
}

const compiledFor = (engine: Engine, of = scenario): Compiled =>
  engine.compile(deriveModel(engine, of), allOperations(of), of, engine.capabilities.durability[0] as Durability)

/** The second has tables in parts by time where its engine has such. */
const stepped = ['ecommerce', 'iot-telemetry'].map((name) => readScenario(pathInLibrary(name)))

describe.each(withSteps.flatMap((engine) => stepped.map((own) => [engine.name, own.name, engine, own] as const)))('%s, %s', (_, __, engine, own) => {
  const compiled = compiledFor(engine, own)
  const { migrations, upkeep = [] } = engine.handbook(compiled)

  test('steps go up, down and up again, and make what a run loads', async () => {
    let loaded: string[] = []
    await bed.inNamespace(engine, async (endpoint) => {
      await using session = await engine.connect(endpoint, compiled, { connections: 2 })
      await session.create()
      await session.load(rowSource(makeDataset(own, 0.0001), 0, 1), true)
      loaded = (await asOperator(engine, endpoint, (operator) => operator.catalogue())).map((text) => text.replaceAll(endpoint.namespace, ''))
    })
    expect(loaded.length).toBeGreaterThan(3)
    await bed.inNamespace(engine, (endpoint) =>
      asOperator(engine, endpoint, async (operator) => {
        const stands = async () => (await operator.catalogue()).map((text) => text.replaceAll(endpoint.namespace, ''))
        for (const { up } of migrations) await operator.run(up)
        expect(await stands()).toEqual(loaded)
        for (const { down } of migrations.toReversed()) await operator.run(down)
        expect(await stands()).toEqual([])
        for (const { up } of migrations) await operator.run(up)
        expect(await stands()).toEqual(loaded)
        for (const { name, up } of upkeep) {
          const before = await stands()
          await operator.run(up)
          expect(await stands(), name).not.toEqual(before)
        }
        for (const { down } of upkeep.toReversed()) await operator.run(down)
        expect(await stands()).toEqual(loaded)
      }),
    )
  }, 120_000)
})

const explained = withSteps.filter(({ family }) => family === 'relational' || family === 'document')

test.each(explained.map((engine) => [engine.name, engine] as const))(
  '%s: a plan tells in numbers that an index is missing',
  async (_, engine) => {
    const compiled = compiledFor(engine)
    const dataset = makeDataset(scenario, 0.0001)
    const index = operations.findIndex(({ name }) => name === 'order_history')
    const params = new DrawnParameters(dataset, operations, 'plans', 1, scenario.epochMs)
    params.next(index)
    await bed.inNamespace(engine, async (endpoint) => {
      await using session = await engine.connect(endpoint, compiled, { connections: 2 })
      await session.create()
      await session.load(rowSource(dataset, 0, 1), true)
      await session.settle()
      const rows = rowsIn(dataset, 'order')
      const served = await session.explain(index, params)
      expect(served, served.text).toMatchObject({ scans: [], sortedRows: 0 })
      expect(served.read?.rows).toBe(served.read?.returned)
      // References first: they may need the index.
      const steps = engine.handbook(compiled).migrations.filter(({ name }) => /^(references_|index_order_)/.test(name))
      await asOperator(engine, endpoint, async (operator) => {
        for (const { down } of steps.toReversed()) await operator.run(down)
      })
      const scanned = await session.explain(index, params)
      expect(scanned, scanned.text).toMatchObject({ scans: [{ store: 'order', rows }], read: { rows, returned: served.read?.returned } })
      expect(scanned.sortedRows).toBeGreaterThan(0)
    })
  },
  120_000,
)

const relational = withSteps.filter(({ family }) => family === 'relational')

/** Takes the application's rights for its own in this database, or is an account that has no others. */
const asApplication: Record<string, (operator: Operator, endpoint: Endpoint) => Promise<Endpoint>> = {
  async postgres(operator, endpoint) {
    await operator.run(`ALTER ROLE ${endpoint.user} IN DATABASE ${endpoint.namespace} SET role = 'application'`)
    return endpoint
  },
  async mariadb(operator, endpoint) {
    await operator.run(`CREATE USER 'caller'@'%' IDENTIFIED BY '${typedPassword}'`)
    await operator.run("GRANT application TO 'caller'@'%'")
    await operator.run("SET DEFAULT ROLE application FOR 'caller'@'%'")
    return { ...endpoint, user: 'caller', password: typedPassword }
  },
  mongodb: async (_, endpoint) => ({ ...endpoint, user: 'application', password: typedPassword }),
}

/** Works as the application, once its operations have worked. */
async function withRights(engine: Engine, work: (application: Operator, compiled: Compiled, grants: string[]) => Promise<void>): Promise<void> {
  const compiled = compiledFor(engine)
  const { grants } = engine.handbook(compiled)
  const dataset = makeDataset(scenario, 0.0001)
  await bed.inNamespace(engine, async (endpoint) => {
    await using session = await engine.connect(endpoint, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
    const application = await asOperator(engine, endpoint, async (operator) => {
      for (const grant of grants) await operator.run(grant)
      return await (asApplication[engine.name] as (typeof asApplication)[string])(operator, endpoint)
    })
    await using own = await engine.connect(application, compiled, { connections: 2 })
    const { differences } = await verify(own, 'driver', compiled, dataset, new Reference(dataset, operations), 6, signal)
    const named = new Set(scenario.operations.map(({ name }) => name))
    expect(differences.filter(({ operation }) => named.has(operation))).toEqual([])
    await asOperator(engine, application, (operator) => work(operator, compiled, grants))
  })
}

test.each(relational.map((engine) => [engine.name, engine] as const))(
  '%s: with its rights the operations work, and nothing else does',
  async (_, engine) => {
    await withRights(engine, async (operator, compiled, grants) => {
      let refused = 0
      for (const { name, entity, columns } of compiled.model.stores) {
        const { inserts, changes, ...rights } = rightsOf(entity, operations)
        // The purge finds and removes what has expired.
        const purges = scenario.entities.some((each) => each.name === entity && each.ttlMs !== null) ? ['purge'] : []
        const [reads, deletes] = [rights.reads, rights.deletes].map((names) => [...names, ...purges]) as [string[], string[]]
        const table = engine
          .handbook(compiled)
          .migrations.find((each) => each.name === `table_${name}`)
          ?.down.replace('DROP TABLE ', '')
        const [first] = columns
        const isGranted = (right: string) => grants.some((grant) => grant.includes(right) && grant.includes(` ON ${table} `))
        expect([isGranted('SELECT'), isGranted('INSERT'), isGranted('UPDATE'), isGranted('DELETE')]).toEqual(
          [reads, inserts, changes, deletes].map((names) => names.length > 0),
        )
        const tried = [
          [reads, `SELECT 1 FROM ${table}`],
          [inserts, `INSERT INTO ${table} SELECT * FROM ${table}`],
          [changes, `UPDATE ${table} SET ${first?.name} = ${first?.name}`],
          [deletes, `DELETE FROM ${table}`],
        ] as const
        for (const [names, statement] of tried) {
          if (names.length > 0) continue
          await expect(operator.run(statement), statement).rejects.toThrow(/denied/)
          refused++
        }
        await expect(operator.run(`DROP TABLE ${table}`)).rejects.toThrow(/denied|must be owner/)
      }
      expect(refused).toBeGreaterThan(3)
    })
  },
  120_000,
)

test('mongodb: with its rights the operations work, and nothing else does', async () => {
  const engine = engines.find(({ name }) => name === 'mongodb') as Engine
  await withRights(engine, async (operator, compiled, [role = '']) => {
    let refused = 0
    for (const { name } of compiled.model.stores) {
      const granted = new RegExp(`collection: "${name}" }, actions: (\\[.*?\\])`).exec(role)?.[1] ?? '[]'
      const of = `db.getCollection("${name}")`
      const tried = {
        find: `${of}.findOne({})`,
        insert: `${of}.insertOne({})`,
        update: `${of}.updateOne({}, { $set: { a: 1 } })`,
        remove: `${of}.deleteOne({})`,
      }
      for (const [action, statement] of Object.entries(tried)) {
        if (granted.includes(`"${action}"`)) continue
        await expect(operator.run(statement), statement).rejects.toThrow(/not authorized/)
        refused++
      }
      await expect(operator.run(`${of}.drop()`)).rejects.toThrow(/not authorized/)
    }
    expect(refused).toBeGreaterThan(3)
  })
}, 120_000)
