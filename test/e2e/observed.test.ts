/** `init --from-postgres`: a scenario drafted from a server that an application has used, with the statements that it counted. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { rowSource } from '../../src/data/rows.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { parseScenario, readScenario } from '../../src/scenario/read.ts'
import { Reference } from '../../src/verify/reference.ts'
import { Replay } from '../differential/replay.ts'
import { dbtrialWith, root, startLocally } from './commands.ts'

const directory = makeRunDirectory()
const out = mkdtempSync(join(tmpdir(), 'dbtrial-e2e-'))
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
  rmSync(out, { recursive: true, force: true })
})

const postgres = engineNamed('postgres')
const counting = {
  ...postgres,
  server: {
    ...postgres.server,
    start: (context: Parameters<typeof postgres.server.start>[0]) => {
      const command = postgres.server.start(context)
      return { ...command, arguments: [...command.arguments, '-c', 'shared_preload_libraries=pg_stat_statements'] }
    },
  },
}

/** Of the library, with other numbers of rows, as of today. */
function ecommerceOf(counts: Record<string, string>) {
  let text = readFileSync(join(root, 'scenarios/ecommerce.yaml'), 'utf8').replace(/^epoch: .*$/m, `epoch: ${new Date().toISOString().slice(0, 19)}Z`)
  for (const [entity, count] of Object.entries(counts)) text = text.replace(new RegExp(`(\\n  ${entity}:\\n    count: )\\w+`), `$1${count}`)
  return parseScenario(text, 'ecommerce.yaml')
}

test('tables, rows, values, rates and what could not be said', async () => {
  await using server = await startLocally(counting, directory)
  const { host, port, user, password } = server.endpoint
  const client = new pg.Client({ host, port, user, password, database: 'postgres' } as pg.ClientConfig)
  await client.connect()
  try {
    await client.query(`
      CREATE EXTENSION pg_stat_statements;
      CREATE TABLE customer (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text UNIQUE);
      CREATE TABLE "order" (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer_id uuid REFERENCES customer, status text, total numeric(10, 2), created_at timestamptz);
      CREATE TABLE order_item (order_id uuid REFERENCES "order", line int, quantity int, PRIMARY KEY (order_id, line));
      INSERT INTO customer (email) SELECT 'c' || n || '@example.com' FROM generate_series(1, 500) n;
      INSERT INTO "order" (customer_id, status, total, created_at)
        SELECT c.id, CASE WHEN n < 9 THEN 'shipped' ELSE 'open' END, n * 10, now() - n * interval '3 days' FROM customer c, generate_series(0, 9) n;
      INSERT INTO order_item SELECT o.id, n, n FROM "order" o, generate_series(1, 3) n;
      ANALYZE;
      SELECT pg_stat_statements_reset();`)
    const { rows } = await client.query<{ id: string; customer_id: string }>('SELECT id, customer_id FROM "order" LIMIT 40')
    for (const { id, customer_id } of rows) {
      await client.query('SELECT * FROM "order" o LEFT JOIN order_item i ON i.order_id = o.id WHERE o.id = $1', [id])
      await client.query('SELECT * FROM "order" WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 10', [customer_id])
      await client.query('UPDATE "order" SET status = $2 WHERE id = $1', [id, 'shipped'])
      await client.query('SELECT c.email FROM customer c JOIN "order" o ON o.customer_id = c.id WHERE o.status = $1 LIMIT 1', ['open'])
    }
  } finally {
    await client.end()
  }
  const url = `postgres://${user}:${encodeURIComponent(password ?? '')}@${host}:${port}/postgres`
  const ended = await dbtrialWith({}, 'init', 'shop', '--from-postgres', url, '--dir', out)
  expect(ended.code, ended.stderr).toBe(0)
  expect(ended.stdout + ended.stderr).not.toContain(password)
  const path = join(out, 'shop.yaml')
  const text = readFileSync(path, 'utf8')
  expect(text).not.toContain(password)
  const { entities, operations } = readScenario(path)
  expect(entities.map(({ name, count, owner }) => [name, count, owner?.entity ?? null])).toEqual([
    ['customer', 500, null],
    ['order', 5000, null],
    ['order_item', 15_000, 'order'],
  ])
  const status = entities[1]?.fields.find(({ name }) => name === 'status')
  expect(status?.generator).toMatchObject({ kind: 'enum', values: ['shipped', 'open'], weights: [expect.closeTo(90, 0), expect.closeTo(10, 0)] })
  expect(operations.map(({ name, kind }) => `${name}: ${kind}`).sort()).toEqual([
    'change_order_by_status: update',
    'get_order: get',
    'list_order_by_customer_id: list',
  ])
  expect(operations.find(({ name }) => name === 'list_order_by_customer_id')).toMatchObject({ limit: 10 })
  expect(text).toMatch(/# left out: [\d.]+\/(s|min), a join of more than a row and those that it owns: SELECT c\.email/)
}, 60_000)

test('a scenario drafted from a server that ran ecommerce is ecommerce again, but for what no server counts', async () => {
  const scenario = ecommerceOf({ customer: '2k', product: '2k', order: '20k', session: '2k' })
  const operations = allOperations(scenario)
  await using server = await startLocally(counting, directory)
  const endpoint = { ...server.endpoint, namespace: await postgres.external.create(server.endpoint, 'shop') }
  const compiled = postgres.compile(deriveModel(postgres, scenario), operations, scenario, 'fsync')
  const dataset = makeDataset(scenario, 1)
  {
    const client = new pg.Client({ ...endpoint, database: endpoint.namespace } as pg.ClientConfig)
    await client.connect()
    await client.query('CREATE EXTENSION pg_stat_statements').finally(() => client.end())
    await using session = await postgres.connect(endpoint, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
    await session.settle()
    const replay = await Replay.of(session, compiled, dataset, new Reference(dataset, operations))
    await using lane = await openLane(postgres, endpoint, compiled, 4)
    expect(await replay.send(lane, 4)).toEqual([])
    for (let times = 0; times < 3; times++) await session.purge?.(scenario.epochMs)
  }
  const { host, port, user, password } = endpoint
  const ended = await dbtrialWith(
    { DBTRIAL_PASSWORD_POSTGRES: password ?? '' },
    ...['init', 'again', '--from-postgres', `postgres://${user}@${host}:${port}/shop`, '--dir', out],
  )
  expect(ended.code, ended.stderr).toBe(0)
  const text = readFileSync(join(out, 'again.yaml'), 'utf8')
  for (const line of [
    /customer:\n {4}count: 2000\n {4}growth: 3%\/month #/,
    /order:\n {4}count: 2\d{4}\n {4}growth: \d(\.\d)?%\/month #/,
    /ttl: 24h #/,
    /email: +\{ type: email, unique: true \}/,
    /quantity: +\{ type: int, range: \[1, 5\] \}/,
    /per_owner: \{ range: \[1, 8\], mean: (3|3\.0\d|2\.9\d) \}/,
  ])
    expect(text).toMatch(line)
  for (const [field, exponent] of [
    ['customer_id: { ref: customer', 0.9],
    ['product_id: { ref: product', 0.99],
    ['category_id: { type: int, range: [1, 500]', 0.9],
  ] as const)
    expect(Number(text.split(`${field}, skew: zipfian(`)[1]?.split(')')[0])).toBeCloseTo(exponent, 1)
  // dbtrial's own statements are none of the application's, and the purge is the life of a session.
  expect(text).not.toContain('left out')
  const definitions = readScenario(join(out, 'again.yaml')).operations.map(({ name }) => name)
  expect(definitions.sort()).toEqual([
    ...['add_order', 'change_order_by_status', 'get_order', 'get_product', 'get_session', 'list_order_by_customer_id'],
    ...['list_product_by_category_id', 'put_session', 'search_product_by_name', 'total_order_by_created_at'],
  ])
  expect(text).toMatch(
    /transaction: \[\{ insert: order, with: \[order_item\] \}, \{ update: product, via: order_item\.product_id, add: \{ stock: order_item\.quantity \} \}\]/,
  )
  expect(text).toMatch(/list: product, where: \{ category_id: any \}, order_by: price, limit: \d+, fields: \[id, name, price\]/)
}, 60_000)

test('two schemas that have a table of one name: the statement says which, or the search path of its account, or nobody', async () => {
  await using server = await startLocally(counting, directory)
  const { host, port, user, password } = server.endpoint
  const run = async (as: string | undefined, ...statements: string[]) => {
    const client = new pg.Client({ host, port, user: as ?? user, password: as ?? password, database: 'postgres' } as pg.ClientConfig)
    await client.connect()
    for (const statement of statements) await client.query(statement)
    await client.end()
  }
  const accounts = ['b_app', 'wanderer'].map((name) => `CREATE ROLE ${name} LOGIN SUPERUSER PASSWORD '${name}'`)
  await run(
    undefined,
    ...['CREATE EXTENSION pg_stat_statements', 'CREATE SCHEMA a', 'CREATE SCHEMA b', ...accounts, 'ALTER ROLE b_app SET search_path = b, public'],
    ...['a', 'b'].map((schema) => `CREATE TABLE ${schema}.note (id int PRIMARY KEY, text text)`),
    'SELECT pg_stat_statements_reset()',
  )
  const twice = (statement: string) => [statement, statement]
  await run(undefined, ...twice('SELECT * FROM a.note WHERE id = 1'))
  await run('b_app', ...twice('DELETE FROM note WHERE id = 2'))
  await run('wanderer', 'SET search_path = a', ...twice('UPDATE note SET text = null WHERE id = 3'))
  const ended = await dbtrialWith(
    { DBTRIAL_PASSWORD_POSTGRES: password ?? '' },
    ...['init', 'schemas', '--from-postgres', `postgres://${user}@${host}:${port}/postgres`, '--dir', out],
  )
  expect(ended.code, ended.stderr).toBe(0)
  const text = readFileSync(join(out, 'schemas.yaml'), 'utf8')
  expect(text).toContain('  get_note: { get: note,')
  expect(text).toContain('  delete_b_note: { delete: b_note,')
  expect(text).toMatch(/# left out: .*, note is a table of several schemas, and nothing tells of which here: UPDATE note/)
}, 60_000)

test('a server that is not there, and a database without tables: one sentence each', async () => {
  const nowhere = await dbtrialWith({}, 'init', 'none', '--from-postgres', 'postgres://a:b@127.0.0.1:1/x', '--dir', out)
  expect(nowhere.code).toBe(3)
  expect(nowhere.stderr).toMatch(/--from-postgres: .*ECONNREFUSED/)
  await using server = await startLocally(postgres, directory)
  const { host, port, user, password } = server.endpoint
  const empty = await dbtrialWith(
    { DBTRIAL_PASSWORD_POSTGRES: password ?? '' },
    'init',
    'none',
    '--from-postgres',
    `postgres://${user}@${host}:${port}/postgres`,
    '--dir',
    out,
  )
  expect(empty.code).toBe(2)
  expect(empty.stderr).toMatch(/there is no table in this database/)
}, 60_000)
