/** `init --from-mysql-slow-log`: ecommerce, drafted from the slow query log and the tables of a MariaDB that ran it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createConnection } from 'mariadb'
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
import { dbtrial, root, startLocally, temporaryDirectory } from './commands.ts'

const directory = makeRunDirectory()
const out = temporaryDirectory()
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
  rmSync(out, { recursive: true, force: true })
})

let log = ''
const mariadb = engineNamed('mariadb')
const logging = {
  ...mariadb,
  server: {
    ...mariadb.server,
    start: (context: Parameters<typeof mariadb.server.start>[0]) => {
      const command = mariadb.server.start(context)
      log = join(context.dataDirectory, 'slow.log')
      return { ...command, arguments: [...command.arguments, '--slow-query-log=1', `--slow-query-log-file=${log}`] }
    },
  },
}

test('tables from their definitions, operations and rates from the log', async () => {
  const text = readFileSync(join(root, 'scenarios/ecommerce.yaml'), 'utf8')
  const scenario = parseScenario(text.replaceAll(/^( {4}count: )\S+/gm, '$12k'), 'ecommerce.yaml')
  const operations = allOperations(scenario)
  const compiled = mariadb.compile(deriveModel(mariadb, scenario), operations, scenario, 'fsync')
  const dataset = makeDataset(scenario, 1)
  await using server = await startLocally(logging, directory)
  const { host, port, user, password, namespace } = server.endpoint
  const client = await createConnection({ host, port, user: user ?? 'root', password: password ?? '', database: namespace })
  const ddl: string[] = []
  try {
    await using session = await mariadb.connect(server.endpoint, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
    for (const { name } of scenario.entities) ddl.push(Object.values((await client.query(`SHOW CREATE TABLE \`${name}\``))[0])[1] as string)
    const replay = await Replay.of(session, compiled, dataset, new Reference(dataset, operations))
    // Of connections that begin from now on.
    await client.query('SET GLOBAL long_query_time = 0')
    await using lane = await openLane(mariadb, server.endpoint, compiled, 4)
    expect(await replay.send(lane, 3)).toEqual([])
  } finally {
    await client.end()
  }
  const schema = join(out, 'schema.sql')
  writeFileSync(schema, ddl.join(';\n'))
  const alone = await dbtrial('init', 'shop', '--from-mysql-slow-log', log, '--dir', out)
  expect(alone.code).toBe(2)
  expect(alone.stderr).toMatch(/a log does not tell the keys of tables: give their CREATE TABLE statements/)
  const ended = await dbtrial('init', 'shop', '--from-mysql-slow-log', log, '--from-ddl', schema, '--dir', out)
  expect(ended.code, ended.stderr).toBe(0)
  const path = join(out, 'shop.yaml')
  const drafted = readScenario(path)
  expect(drafted.entities.map(({ name, owner }) => [name, owner?.entity])).toEqual([
    ['customer', undefined],
    ['product', undefined],
    ['order', undefined],
    ['order_item', 'order'],
    ['session', undefined],
  ])
  expect(drafted.operations.map(({ name }) => name).sort()).toEqual([
    ...['add_order', 'change_order_by_status', 'get_order', 'get_product', 'get_session', 'list_order_by_customer_id'],
    ...['list_product_by_category_id', 'put_session', 'search_product_by_name', 'total_order_by_created_at'],
  ])
  const draft = readFileSync(path, 'utf8')
  expect(draft).toMatch(/list: product, where: \{ category_id: any \}, order_by: price, limit: 24, fields: \[id, name, price\]/)
  // What MariaDB makes a list of rows of is beyond the parser.
  expect(draft.match(/# left out: .*/g)?.every((line) => /could not be parsed: (UPDATE|INSERT .*order_item)/.test(line))).toBe(true)
}, 60_000)

test('a file that is no log, and one that is not there: one sentence each', async () => {
  const schema = join(out, 'tables.sql')
  writeFileSync(schema, 'CREATE TABLE t (id int unsigned PRIMARY KEY)')
  const none = await dbtrial('init', 'none', '--from-mysql-slow-log', schema, '--from-ddl', schema, '--dir', out)
  expect(none.code).toBe(2)
  expect(none.stderr).toMatch(/there is no statement of a slow query log in .*tables\.sql/)
  const nowhere = await dbtrial('init', 'none', '--from-mysql-slow-log', join(out, 'nowhere'), '--from-ddl', schema, '--dir', out)
  expect(nowhere.code).toBe(2)
  expect(nowhere.stderr).toMatch(/nowhere cannot be read: ENOENT/)
})
