/** `init --from-postgres`: a scenario drafted from a server that an application has used, with the statements that it counted. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { engineNamed } from '../../src/engines/registry.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { dbtrialWith, startLocally } from './commands.ts'

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
