/** Policies on a real PostgreSQL: a transaction of the application sees and writes the rows of the tenant that it names, whatever it asks for. */
import { fileURLToPath } from 'node:url'
import type { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { makeDataset } from '../../src/data/dataset.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Endpoint } from '../../src/engines/engine.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { parseScenario, readScenario } from '../../src/scenario/read.ts'
import type { Scenario } from '../../src/scenario/scenario.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)
const engine = engineNamed('postgres')

async function withClient<T>({ host, port, user, password, namespace }: Endpoint, work: (client: Client) => Promise<T>): Promise<T> {
  const { Client } = await import('pg')
  const client = new Client({ host, port, user, password, database: namespace })
  await client.connect()
  return await work(client).finally(() => client.end())
}

/** Works as the application, whose rights and policies are those of the design; `owner` is bound by none. */
async function withPolicies(scenario: Scenario, work: (application: Client, owner: Client) => Promise<void>): Promise<void> {
  const operations = allOperations(scenario)
  const compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, 'fsync')
  const { grants, rowRights } = engine.handbook(compiled)
  await bed.inNamespace(engine, async (endpoint) => {
    await using session = await engine.connect(endpoint, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(makeDataset(scenario, 1), 0, 1), true)
    await withClient(endpoint, async (owner) => {
      for (const statement of ['DROP ROLE IF EXISTS application, purge', ...grants, ...rowRights.statements]) await owner.query(statement)
      await withClient(endpoint, async (application) => {
        await application.query('SET role = application')
        await work(application, owner)
      })
    })
  })
}

/** In a transaction that names the tenant. */
async function as<T>(client: Client, tenant: string, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN')
  await client.query("SELECT set_config('app.tenant', $1, true)", [tenant])
  try {
    const found = await work()
    await client.query('COMMIT')
    return found
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

const texts = async (client: Client, statement: string) =>
  (await client.query({ text: statement, rowMode: 'array' })).rows.map((row) => row.join(' '))
const refused = /row-level security/
const new1 = '00000000-0000-4000-8000-000000000001'

/** Of a few tenants, called `org`, whose rows refer to them by `t`. */
const scenarioOf = (entities: string, operations: string) =>
  parseScenario(
    `name: s
summary: x
seed: 7
tenant: t
entities:
  org: { count: 3, fields: { id: { type: int, key: true } } }${entities}operations:${operations}requirements: { peak: 2x, durability: fsync }
candidates: [postgres]
`,
    's.yaml',
  )

test('a tenant sees its rows and nobody else’s, writes no row of another, and without a tenant there is nothing', async () => {
  await withPolicies(readScenario(fileURLToPath(new URL('./awkward/tenants.yaml', import.meta.url))), async (application, owner) => {
    const tables = ['org', 'doc', 'line', 'file', 'part', 'lock', 'bare']
    const own: Record<string, string> = { org: 'id', line: '(SELECT t FROM doc WHERE id = doc_id)', part: '(SELECT t FROM file WHERE id = file_id)' }
    const all = (table: string) => `SELECT * FROM "${table}" ORDER BY 1, 2`
    const loaded: string[][] = []
    for (const table of tables) loaded.push(await texts(owner, all(table)))
    expect(Math.min(...loaded.map((rows) => rows.length))).toBeGreaterThan(5)
    const seesNothing = async () => {
      for (const table of tables) expect(await texts(application, all(table)), table).toEqual([])
    }
    await seesNothing()

    const orgs = await texts(owner, 'SELECT t FROM doc GROUP BY t ORDER BY count(*) DESC')
    expect(orgs.length).toBeGreaterThan(2)
    for (const org of orgs)
      for (const table of tables) {
        const expected = await texts(owner, `SELECT * FROM "${table}" WHERE ${own[table] ?? 't'} = '${org}' ORDER BY 1, 2`)
        expect(await as(application, org, () => texts(application, all(table))), table).toEqual(expected)
      }
    // What a transaction named has gone with it.
    await seesNothing()

    const [mine, theirs] = orgs as [string, string]
    const [foreign] = await texts(owner, `SELECT id FROM doc WHERE t = '${theirs}'`)
    const [held] = await texts(owner, `SELECT id FROM doc WHERE t = '${mine}'`)
    const changed = (statement: string) => as(application, mine, async () => (await application.query(statement)).rowCount)
    expect(await changed(`UPDATE doc SET n = 1 WHERE id = '${foreign}'`)).toBe(0)
    expect(await changed(`DELETE FROM doc WHERE id = '${foreign}'`)).toBe(0)
    const doc = (tenant: string) => `INSERT INTO doc VALUES ('${new1}', '${tenant}', 1, 'new@example.com', now())`
    await expect(changed(doc(theirs))).rejects.toThrow(refused)
    await expect(changed(`UPDATE doc SET t = '${theirs}' WHERE id = '${held}'`)).rejects.toThrow(refused)
    await expect(changed(`INSERT INTO line VALUES ('${foreign}', 99, 1)`)).rejects.toThrow(refused)
    await expect(application.query(doc(mine)), 'no tenant is named').rejects.toThrow(refused)
    for (const [at, table] of tables.entries()) expect(await texts(owner, all(table)), table).toEqual(loaded[at])

    expect(await changed(doc(mine))).toBe(1)
    expect(await changed(`INSERT INTO line VALUES ('${new1}', 1, 1)`)).toBe(1)
    expect(await changed(`UPDATE doc SET n = 2 WHERE id = '${new1}'`)).toBe(1)
    // Owned rows go with their row, past the policies and without a right of the role.
    expect(await changed(`DELETE FROM doc WHERE id = '${new1}'`)).toBe(1)
    expect(await texts(owner, `SELECT 1 FROM line WHERE doc_id = '${new1}'`)).toEqual([])
  })
}, 120_000)

test('who may only insert owned rows reads as much of their owner as tells whose they are', async () => {
  const scenario = scenarioOf(
    `
  e: { count: 20, fields: { id: { type: uuid, key: true }, t: { ref: org }, n: { type: int, range: [0, 9] } } }
  l: { owned_by: e, per_owner: { range: [1, 3] }, fields: { q: { type: int, range: [0, 9] } } }
  o: { owned_by: e, per_owner: { range: [1, 3] }, fields: { q: { type: int, range: [0, 9] } } }
`,
    `
  g: { get: o, rate: 1/s, p99: 1s }
  i: { insert: e, with: [l], rate: 1/s, p99: 1s }
`,
  )
  await withPolicies(scenario, async (application, owner) => {
    const [foreign] = await texts(owner, 'SELECT id FROM e WHERE t = 2')
    await as(application, '1', async () => {
      await application.query(`INSERT INTO e VALUES ('${new1}', 1, 1)`)
      await application.query(`INSERT INTO l VALUES ('${new1}', 1, 1)`)
    })
    await expect(as(application, '1', () => application.query(`INSERT INTO l VALUES ('${foreign}', 9, 1)`))).rejects.toThrow(refused)
    expect(await as(application, '1', () => texts(application, 'SELECT e_id, line FROM o ORDER BY 1, 2'))).toEqual(
      await texts(owner, 'SELECT e_id, line FROM o JOIN e ON id = e_id WHERE t = 1 ORDER BY 1, 2'),
    )
    await expect(as(application, '1', () => application.query('SELECT n FROM e'))).rejects.toThrow(/denied/)
  })
}, 60_000)

test('expired rows are purged by a role of its own: the application may no longer delete any', async () => {
  const scenario = scenarioOf(
    `
  e: { count: 20, ttl: 1h, fields: { id: { type: uuid, key: true }, t: { ref: org }, w: { type: words, count: [1, 2] } } }
`,
    `
  g: { get: e, rate: 1/s, p99: 1s }
  find: { search: e, in: [w], limit: 3, rate: 1/s, p99: 1s }
`,
  )
  const { how } = engine.handbook(engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'fsync')).rowRights
  expect(how.join(' ')).toContain('may not be used: here the search for words (@@) of find.')
  await withPolicies(scenario, async (application, owner) => {
    const batch = 'SELECT id FROM e WHERE expires_at <= now() LIMIT 1000 FOR UPDATE SKIP LOCKED'
    const purge = `WITH expired AS MATERIALIZED (${batch}) DELETE FROM e WHERE id IN (SELECT id FROM expired)`
    await owner.query("UPDATE e SET expires_at = now() + interval '1h'")
    await owner.query("UPDATE e SET expires_at = now() - interval '1h' WHERE id IN (SELECT id FROM e ORDER BY id LIMIT 7)")
    await expect(as(application, '1', () => application.query('DELETE FROM e'))).rejects.toThrow(/denied/)
    await application.query('RESET role')
    await application.query('SET role = purge')
    expect((await application.query(purge)).rowCount).toBe(7)
    expect(await texts(owner, 'SELECT count(*) FROM e')).toEqual(['13'])
  })
}, 60_000)
