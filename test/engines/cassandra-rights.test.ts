/** The rights that a report writes down for Cassandra, on a server that looks at them: the operations work with them, and nothing else does. */
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeDataset } from '../../src/data/dataset.ts'
import { rowSource } from '../../src/data/rows.ts'
import { asking } from '../../src/engines/cassandra/index.ts'
import type { Endpoint, Engine } from '../../src/engines/engine.ts'
import { engines } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { rightsByTable } from '../../src/families/wide-column/grants.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { local } from '../../src/provision/local.ts'
import { thisProcess } from '../../src/provision/owner.ts'
import { type Instance, isUnobtainable } from '../../src/provision/provision.ts'
import { pathInLibrary } from '../../src/scenario/library.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { Reference } from '../../src/verify/reference.ts'
import { verify } from '../../src/verify/verify.ts'
import { shortLived } from '../differential/short-lived.ts'

const engine = shortLived(engines.find(({ name }) => name === 'cassandra') as Engine)
const directory = makeRunDirectory()
const { signal } = new AbortController()
const password = 'called'
let instance: Instance

beforeAll(async () => {
  const limits = { cpus: 1, memoryBytes: 2 ** 31 }
  const who = { engine, candidate: 'cassandra', owner: thisProcess(), directory, signal, report: () => {} }
  const started = await local.start({ ...who, limits, durability: 'fsync', cores: [0, 1], secured: true })
  if (isUnobtainable(started)) throw new Error(`no cassandra: ${started.tried.join('; ')}; ${started.mend}`)
  instance = started
}, 300_000)
afterAll(async () => {
  await instance?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
}, 60_000)

/** By whoever stands in the keyspace. */
const run = (endpoint: Endpoint, statements: string[]) =>
  asking(endpoint, async (query) => {
    await query(`USE ${endpoint.namespace}`)
    for (const statement of statements) await query(statement)
  })

const scenarios = [
  ['ecommerce', pathInLibrary('ecommerce'), 0.0001],
  ['kinds', fileURLToPath(new URL('./kinds.yaml', import.meta.url)), 1],
] as const

test.each(scenarios)(
  '%s: with its rights the operations work, and nothing else does',
  async (name, path, share) => {
    const scenario = readScenario(path)
    const operations = allOperations(scenario)
    const model = deriveModel(engine, scenario)
    const compiled = engine.compile(model, operations, scenario, 'fsync')
    const dataset = makeDataset(scenario, share)
    const { role: _, ...administrator } = instance.endpoint
    const owner: Endpoint = { ...administrator, namespace: await engine.external.create(administrator, `dbtrial_rights_${name}`) }
    await using session = await engine.connect(owner, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
    await run(owner, [
      'DROP ROLE IF EXISTS application',
      ...engine.handbook(compiled).grants,
      // Who a role is, and what it may do, is looked up once a day: each test has a caller of its own.
      `CREATE ROLE ${name} WITH LOGIN = true AND PASSWORD = '${password}'`,
      `GRANT application TO ${name}`,
    ])
    const caller: Endpoint = { ...owner, user: name, password }
    await using own = await engine.connect(caller, compiled, { connections: 2 })
    const { differences } = await verify(own, 'driver', compiled, dataset, new Reference(dataset, operations), 6, signal)
    const named = new Set(scenario.operations.map((operation) => operation.name))
    expect(differences.filter(({ operation }) => named.has(operation))).toEqual([])
    const rights = rightsByTable(model, operations)
    let refused = 0
    for (const { name: store } of model.stores) {
      const tried = { SELECT: `SELECT * FROM "${store}" LIMIT 1`, MODIFY: `TRUNCATE "${store}"` } as const
      for (const [right, statement] of Object.entries(tried)) {
        if (rights.get(store)?.includes(right as keyof typeof tried)) continue
        await expect(run(caller, [statement]), statement).rejects.toThrow(new RegExp(`no ${right} permission`))
        refused++
      }
      await expect(run(caller, [`DROP TABLE "${store}"`])).rejects.toThrow(/no DROP permission/)
    }
    expect(refused).toBeGreaterThan(1)
  },
  240_000,
)
