/** What is particular to the document model, on a real MongoDB: reads that their indexes serve. */
import { fileURLToPath } from 'node:url'
import { MongoClient } from 'mongodb'
import { afterAll, expect, test } from 'vitest'
import { makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { fixedParameters } from '../../src/data/parameters.ts'
import { rowSource } from '../../src/data/rows.ts'
import { mongodb } from '../../src/engines/mongodb/index.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { nativeExpiry } from '../../src/families/document/queries.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)

const awkward = fileURLToPath(new URL('./awkward/', import.meta.url))

test.each(['owned_apart', 'pages', 'twins'])('every list of %s is read in the order of an index, deep pages included', async (name) => {
  const { endpoint } = await bed.server(mongodb)
  const namespace = await mongodb.external.create(endpoint, `dbtrial_plans_${name}`)
  const scenario = readScenario(`${awkward}${name}.yaml`)
  const operations = allOperations(scenario)
  const compiled = mongodb.compile(deriveModel(mongodb, scenario), operations, scenario, 'fsync')
  try {
    await using session = await mongodb.connect({ ...endpoint, namespace }, compiled, { connections: 2 })
    const dataset = makeDataset(scenario, 1)
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
    const params = new DrawnParameters(dataset, operations, 'plans', 1, scenario.epochMs)
    for (const deep of [false, true]) {
      params.force = { miss: false, deep }
      for (const [index, operation] of operations.entries()) {
        if (operation.kind !== 'list') continue
        params.next(index)
        const { text, scans, sortedRows } = await session.explain(index, params)
        expect(text, operation.name).toContain('IXSCAN')
        expect({ scans, sortedRows }, operation.name).toEqual({ scans: [], sortedRows: 0 })
      }
    }
  } finally {
    await mongodb.external.drop(endpoint, namespace)
  }
}, 120_000)

test('a server of our own loads with a cache that keeps changed pages, and has the default limits once the load has ended', async () => {
  const { endpoint } = await bed.server(mongodb)
  const { host, port, user, password } = endpoint
  const namespace = await mongodb.external.create(endpoint, 'dbtrial_cache')
  const scenario = readScenario(`${awkward}twins.yaml`)
  const compiled = mongodb.compile(deriveModel(mongodb, scenario), allOperations(scenario), scenario, 'fsync')
  const client = new MongoClient(`mongodb://${host}:${port}`, { directConnection: true, auth: { username: user, password } })
  const limit = async () => {
    const { wiredTigerEngineRuntimeConfig } = await client.db('admin').command({ getParameter: 1, wiredTigerEngineRuntimeConfig: 1 })
    return /eviction_dirty_target=(\d+)/.exec(String(wiredTigerEngineRuntimeConfig))?.[1]
  }
  try {
    await using session = await mongodb.connect({ ...endpoint, namespace }, compiled, { connections: 2, alone: true })
    const dataset = makeDataset(scenario, 1)
    await session.create()
    await session.load(rowSource(dataset, 0, 0.5), false)
    expect(await limit()).toBe('50')
    await session.load(rowSource(dataset, 0.5, 1), true)
    expect(await limit()).toBe('5')
  } finally {
    await client.close()
    await mongodb.external.drop(endpoint, namespace)
  }
}, 60_000)

test('a touch gives a row, and what it owns apart, its whole life again by the time of the server', async () => {
  const { endpoint } = await bed.server(mongodb)
  const { host, port, user, password } = endpoint
  const namespace = await mongodb.external.create(endpoint, 'dbtrial_touch')
  const scenario = readScenario(`${awkward}touched.yaml`)
  const operations = allOperations(scenario)
  const compiled = mongodb.compile(deriveModel(mongodb, scenario), operations, scenario, 'fsync')
  const client = new MongoClient(`mongodb://${host}:${port}`, { directConnection: true, auth: { username: user, password } })
  try {
    await using session = await mongodb.connect({ ...endpoint, namespace }, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(makeDataset(scenario, 1), 0, 1), true)
    const of = (collection: string, filter: object) => client.db(namespace).collection(collection).find(filter).toArray()
    const hours = (rows: Record<string, unknown>[]) => rows.map((row) => ((row[nativeExpiry] as Date).getTime() - Date.now()) / 3_600_000)
    const [line] = await of('x', {})
    const key = (line?._id as unknown as { o_id: unknown }).o_id
    const read = async () => [...hours(await of('o', { _id: key })), ...hours(await of('x', { '_id.o_id': key }))]
    for (const before of await read()) expect(before).toBeLessThan(25)
    const index = operations.findIndex(({ name }) => name === 'renew_order')
    const touched = await session.perform(index, fixedParameters([Number(key), scenario.epochMs, scenario.epochMs + 3_600_000]))
    expect(touched.rows).toBe(1)
    const after = await read()
    expect(after.length).toBeGreaterThan(1)
    for (const each of after) expect(each).toBeGreaterThan(24.99)
  } finally {
    await client.close()
    await mongodb.external.drop(endpoint, namespace)
  }
}, 60_000)
