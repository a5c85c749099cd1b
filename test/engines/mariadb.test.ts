/** What is particular to MariaDB: a session that cannot be opened as a whole leaves no connection behind, and rows wider than a table holds beside each other. */
import { createConnection } from 'mariadb'
import { afterAll, expect, test } from 'vitest'
import type { Endpoint } from '../../src/engines/engine.ts'
import { mariadb } from '../../src/engines/mariadb/index.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { parseScenario } from '../../src/scenario/read.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)

/** Of an entity with these fields beside its key, and its owned rows with them, too. */
function scenarioOf(fields: string) {
  const lines = [
    'name: own',
    'summary: "Own"',
    'seed: 7',
    'epoch: 2026-03-01T12:00:00Z',
    'entities:',
    `  e: { count: 30, fields: { id: { type: int, key: true }, ${fields} } }`,
    `  l: { owned_by: e, per_owner: { range: [1, 2] }, fields: { ${fields} } }`,
    'operations:',
    '  g: { get: e, with: [l], rate: 10/s, p99: 1s }',
    '  i: { insert: e, with: [l], rate: 10/s, p99: 1s }',
    '  by_w: { list: e, where: { w: any }, order_by: id, limit: 5, rate: 10/s, p99: 1s }',
    'requirements: { peak: 2x, durability: fsync }',
    'candidates: [mariadb]',
  ]
  return parseScenario(lines.join('\n'), 'own.yaml')
}

function administrator({ host, port, user, password }: Endpoint) {
  return createConnection({ host, port, user: user ?? 'root', ...(password === undefined ? {} : { password }) })
}

test('where one connection more is wanted than the server permits, the others are closed', async () => {
  const { endpoint } = await bed.server(mariadb)
  const scenario = scenarioOf('w: { type: email }')
  const compiled = mariadb.compile(deriveModel(mariadb, scenario), allOperations(scenario), scenario, 'fsync')
  const admin = await administrator(endpoint)
  try {
    await admin.query("CREATE USER few@'%' IDENTIFIED BY 'few' WITH MAX_USER_CONNECTIONS 3")
    const opening = mariadb.connect({ ...endpoint, namespace: '', user: 'few', password: 'few' }, compiled, { connections: 4 })
    await expect(opening).rejects.toThrow(/max_user_connections|resource/)
    const open = async () => Number((await admin.query("SELECT count(*) AS n FROM information_schema.processlist WHERE user = 'few'"))[0].n)
    // The server notices an end a moment later.
    await expect.poll(open, { timeout: 3000 }).toBe(0)
  } finally {
    await admin.query("DROP USER IF EXISTS few@'%'")
    await admin.end()
  }
}, 60_000)

test('texts that a row does not hold beside each other are kept without a bound, the longest first, and those of an index with theirs', async () => {
  const texts = (name: string, count: number, words: number) =>
    Array.from({ length: count }, (_, at) => `${name}${at}: { type: words, count: [1, ${words}] }`)
  const scenario = scenarioOf([...texts('short', 2, 90), ...texts('long', 12, 100), 'w: { type: words, count: [1, 50] }'].join(', '))
  const { ddl } = mariadb.compile(deriveModel(mariadb, scenario), allOperations(scenario), scenario, 'fsync')
  const created = ddl.filter((statement) => statement.startsWith('CREATE TABLE'))
  expect(created).toHaveLength(2)
  for (const create of created) {
    expect(create.match(/`long\d+` MEDIUMTEXT/g)).toHaveLength(2)
    expect(create.match(/`long\d+` VARCHAR\(1300\)/g)).toHaveLength(10)
    expect(create.match(/`short\d+` VARCHAR\(1170\)/g)).toHaveLength(2)
    expect(create).toContain('`w` VARCHAR(650)')
  }
  expect((await bed.try(mariadb, scenario, 8)).wrong).toEqual([])
}, 60_000)
