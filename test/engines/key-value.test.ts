/** What is particular to the key-value model, on a real Redis: hot rows without a retry, unique values, exact sums. */
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { fixedParameters } from '../../src/data/parameters.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Value } from '../../src/data/value.ts'
import type { Compiled, Endpoint, Session } from '../../src/engines/engine.ts'
import { redis } from '../../src/engines/redis/index.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { parseScenario } from '../../src/scenario/read.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)

/** Loads a scenario of a few lines, lets the test use it, and drops it. */
async function loaded(lines: string[], use: (session: Session, compiled: Compiled, endpoint: Endpoint) => Promise<void>): Promise<void> {
  const head = ['name: own', 'summary: "Own"', 'seed: 7', 'epoch: 2026-03-01T12:00:00Z']
  const tail = ['requirements: { peak: 2x, durability: fsync }', 'candidates: [redis]']
  const scenario = parseScenario([...head, ...lines, ...tail].join('\n'), 'own.yaml')
  const compiled = redis.compile(deriveModel(redis, scenario), allOperations(scenario), scenario, 'fsync')
  await bed.inNamespace(redis, async (own) => {
    await using session = await redis.connect(own, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(makeDataset(scenario, 1), 0, 1), true)
    await use(session, compiled, own)
  })
}

test('a server of our own is loaded without its log, which holds every row once the load has ended; sizes are told the same by every server', async () => {
  const lines = [
    'entities:',
    '  a: { count: 4000, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] }, m: { type: int, range: [0, 9] }, o: { type: int, range: [0, 9] }, p: { type: int, range: [0, 9] }, q: { type: int, range: [0, 9] }, t: { type: bytes, size: 600B } } }',
    'operations:',
    '  g: { get: a, rate: 10/s, p99: 1s }',
  ]
  await loaded(lines, async (_, compiled, endpoint) => {
    const client = new Redis({ host: endpoint.host, port: endpoint.port, password: endpoint.password as string, db: Number(endpoint.namespace) })
    const logging = async () => ((await client.config('GET', 'appendonly')) as string[])[1]
    try {
      await using session = await redis.connect(endpoint, compiled, { connections: 2, alone: true })
      const dataset = makeDataset(compiled.scenario, 1)
      await session.create()
      await session.load(rowSource(dataset, 0, 0.5), false)
      await session.settle()
      expect(await logging()).toBe('no')
      await session.load(rowSource(dataset, 0.5, 1), true)
      expect(await logging()).toBe('yes')
      expect(Number(/aof_base_size:(\d+)/.exec(await client.info('persistence'))?.[1])).toBeGreaterThan(1e6)
      // The widest of seven fields counts on every server, whichever five come first there.
      expect((await session.storage()).tables[0]?.bytes).toBeGreaterThan(4000 * (600 + 7 * 16))
      expect((await session.storage()).tables[0]?.bytes).toBeLessThan(4000 * 1600)
    } finally {
      client.disconnect()
    }
  })
}, 60_000)

test('hot rows are written by many at once without an error or a retry, and their sums are kept', async () => {
  const lines = [
    'entities:',
    '  a: { count: 20, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] }, b: { type: decimal, scale: 2, range: [0, 900] } } }',
    'operations:',
    '  l: { list: a, where: { n: any }, order_by: -b, limit: 50, rate: 10/s, p99: 1s }',
    '  u: { update: a, set: { n: any }, pick: { skew: zipfian(3) }, rate: 10/s, p99: 1s }',
    '  move: { transaction: [ { update: a, add: { b: -5 }, pick: { skew: zipfian(3) } }, { update: a, add: { b: 5 }, pick: { skew: zipfian(3) } } ], rate: 10/s, p99: 1s }',
  ]
  await loaded(lines, async (session, compiled, endpoint) => {
    const { scenario, operations } = compiled
    const before = await session.total('a', 'b')
    await using lane = await openLane(redis, endpoint, compiled, 16)
    const params = new DrawnParameters(makeDataset(scenario, 1), operations, 'hot', 1, scenario.epochMs)
    const failures: string[] = []
    let retried = 0
    await new Promise<void>((resolve) => {
      let sent = 0
      let done = 0
      const send = (slot: number) => {
        const operation = 1 + (sent++ % 2)
        params.next(operation)
        lane.send(slot, operation, params, false)
      }
      lane.onDone = (slot, outcome, _rows, retries, error) => {
        if (outcome !== 'ok') failures.push(`${outcome} ${error}`)
        retried += retries
        if (++done === 4000) resolve()
        else if (sent < 4000) send(slot)
      }
      for (let slot = 0; slot < 16; slot++) send(slot)
    })
    expect(failures).toEqual([])
    expect(retried).toBe(0)
    expect(await session.total('a', 'b')).toEqual(before)
    // Every row stands in one set, where its number says.
    const listed: Value[][] = []
    for (let n = 0; n <= 9; n++) {
      const answer = (await session.perform(0, fixedParameters([n, false, 0n, Buffer.alloc(16)]))).answer()
      if (answer.kind === 'rows') listed.push(...answer.rows)
    }
    expect(listed.length).toBe(20)
  })
}, 60_000)

test('a touch gives a row its whole life again, by its own time and by that of the server', async () => {
  const lines = [
    'entities:',
    '  a: { count: 9, ttl: 100h, fields: { id: { type: int, key: true }, n: { type: int, range: [0, 9] } } }',
    'operations:',
    '  touch: { touch: a, rate: 10/s, p99: 1s }',
    '  get: { get: a, fields: [n, expires_at], rate: 10/s, p99: 1s }',
  ]
  await loaded(lines, async (session, { operations, scenario }, endpoint) => {
    const client = new Redis({ host: endpoint.host, port: endpoint.port, password: endpoint.password as string, db: Number(endpoint.namespace) })
    try {
      const [key] = (await client.keysBuffer('a:*')).sort(Buffer.compare) as [Buffer]
      const hours = async () => (await client.pttl(key)) / 3_600_000
      const indexOf = (name: string) => operations.findIndex((each) => each.name === name)
      const renewedMs = scenario.epochMs + 100 * 3_600_000
      const before = await hours()
      const touched = await session.perform(indexOf('touch'), fixedParameters([1, scenario.epochMs, renewedMs]))
      expect(touched.rows).toBe(1)
      expect(before).toBeLessThan(123)
      expect(await hours()).toBeGreaterThan(123.9)
      const found = (await session.perform(indexOf('get'), fixedParameters([1, scenario.epochMs]))).answer()
      expect(found.kind === 'rows' && found.rows[0]?.[1]).toBe(renewedMs)
    } finally {
      client.disconnect()
    }
  })
}, 60_000)

test('a value of a unique field that another row has is refused, and changes nothing', async () => {
  const lines = [
    'entities:',
    '  a: { count: 3, fields: { id: { type: int, key: true }, email: { type: email, unique: true }, n: { type: int, range: [0, 9] } } }',
    'operations:',
    '  by_email: { list: a, where: { email: any }, order_by: id, limit: 1, rate: 10/s, p99: 1s }',
    '  put: { put: a, rate: 10/s, p99: 1s }',
    '  insert: { insert: a, rate: 10/s, p99: 1s }',
    '  update: { update: a, set: { email: any, n: 5 }, rate: 10/s, p99: 1s }',
    '  drop: { delete: a, rate: 10/s, p99: 1s }',
  ]
  await loaded(lines, async (session, { operations }) => {
    const perform = (name: string, values: Value[]) =>
      session.perform(
        operations.findIndex((each) => each.name === name),
        fixedParameters(values),
      )
    const found = async (email: string) => (await perform('by_email', [email, false, 0])).answer()
    await perform('put', [1, 'own@example.com', 1])
    for (const refused of [
      perform('put', [2, 'own@example.com', 2]),
      perform('insert', [9, 'own@example.com', 2]),
      perform('update', [2, 'own@example.com']),
    ])
      await expect(refused).rejects.toMatchObject({ code: 'constraint', detail: 'UNIQUE' })
    expect(await found('own@example.com')).toEqual({ kind: 'rows', rows: [[1, 'own@example.com', 1]] })
    expect((await session.total('a')).rows).toBe(3n)
    await perform('update', [1, 'other@example.com'])
    await perform('put', [2, 'own@example.com', 2])
    await perform('drop', [2])
    await perform('insert', [9, 'own@example.com', 4])
    expect(await found('own@example.com')).toEqual({ kind: 'rows', rows: [[9, 'own@example.com', 4]] })
    expect(await found('other@example.com')).toEqual({ kind: 'rows', rows: [[1, 'other@example.com', 5]] })
  })
}, 60_000)
