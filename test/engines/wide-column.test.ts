/** What is particular to the wide-column model, on a real Cassandra: heavy partitions of few loaded rows, unique values, values beyond a type. */
import { Client } from 'cassandra-driver'
import { afterAll, expect, test } from 'vitest'
import { LaneAnswers } from '../../src/clients/lane-answers.ts'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { fixedParameters, positionsOf, type WireSource } from '../../src/data/parameters.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Value } from '../../src/data/value.ts'
import { cassandra } from '../../src/engines/cassandra/index.ts'
import type { Compiled, Endpoint, Session } from '../../src/engines/engine.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import type { Store } from '../../src/families/model.ts'
import { parseScenario } from '../../src/scenario/read.ts'
import type { Operation } from '../../src/scenario/scenario.ts'
import { Reference } from '../../src/verify/reference.ts'
import { verify } from '../../src/verify/verify.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)

const load = 'rate: 10/s, p99: 1s'
type Row = Record<string, unknown>

/** Loads a share of a scenario of a few lines, lets the test use it, and drops it. */
async function loaded(lines: string[], use: (session: Session, compiled: Compiled, endpoint: Endpoint) => Promise<void>, share = 1): Promise<void> {
  const head = ['name: own', 'summary: "Own"', 'seed: 7', 'epoch: 2026-03-01T12:00:00Z']
  const tail = ['requirements: { peak: 2x, durability: fsync }', 'candidates: [cassandra]']
  const scenario = parseScenario([...head, ...lines, ...tail].join('\n'), 'own.yaml')
  const compiled = cassandra.compile(deriveModel(cassandra, scenario), allOperations(scenario), scenario, 'fsync')
  await bed.inNamespace(cassandra, async (own) => {
    await using session = await cassandra.connect(own, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(makeDataset(scenario, share), 0, 1), true)
    await use(session, compiled, own)
  })
}

test('partitions that are heavy in production are read bucket by bucket, in both directions', async () => {
  const lines = [
    'entities:',
    '  r: { count: 600k, fields: { id: { type: int, key: true }, k: { type: enum, values: { x: 80, y: 20 } }, at: { type: timestamp, within: 2y }, v: { type: decimal, scale: 3, range: [-1, 1] }, body: { type: json, size: 400B } } }',
    'operations:',
    `  newest: { list: r, where: { k: any }, order_by: -at, limit: 25, page: { deep: 50% }, ${load} }`,
    `  oldest: { list: r, where: { k: any }, order_by: at, limit: 25, page: { deep: 50% }, ${load} }`,
    `  days: { aggregate: r, where: { k: any }, group_by: day(at), sum: v, over: 30d, ${load} }`,
    `  hours: { aggregate: r, where: { k: y }, group_by: hour(at), sum: id, over: 2d, ${load} }`,
    `  moved: { update: r, set: { k: any, v: -0.5, at: now }, ${load} }`,
  ]
  const share = 0.001
  await loaded(
    lines,
    async (session, compiled, endpoint) => {
      expect(compiled.model.stores.flatMap((store) => store.bucket?.unit ?? [])).toEqual(['month'])
      const dataset = makeDataset(compiled.scenario, share)
      const reference = new Reference(dataset, compiled.operations)
      const { signal } = new AbortController()
      expect((await verify(session, 'driver', compiled, dataset, reference, 24, signal)).differences).toEqual([])
      await using lane = await openLane(cassandra, endpoint, compiled, 2)
      expect((await verify(new LaneAnswers(lane), 'wire', compiled, dataset, reference, 24, signal)).differences).toEqual([])
    },
    share,
  )
}, 120_000)

test('a unique value that another row has is refused by both clients, and what was claimed beside it is given back', async () => {
  const lines = [
    'entities:',
    '  e: { count: 20, fields: { id: { type: int, key: true }, mail: { type: email, unique: true }, code: { type: uuid, unique: true } } }',
    'operations:',
    `  add: { insert: e, ${load} }`,
    `  write: { put: e, keys: { existing: 0%, new: 100% }, ${load} }`,
    `  rename: { update: e, set: { mail: any }, ${load} }`,
    `  get: { get: e, ${load} }`,
  ]
  await loaded(lines, async (session, compiled, endpoint) => {
    await using lane = await openLane(cassandra, endpoint, compiled, 2)
    const answers = new LaneAnswers(lane)
    const params = new DrawnParameters(makeDataset(compiled.scenario, 1), compiled.operations, 'unique', 5, compiled.scenario.epochMs)
    const drawn = (operation: number) => {
      params.next(operation)
      return params.values()
    }
    const asWire = (values: Value[]) => fixedParameters(values) as WireSource
    const clients = [
      (operation: number, values: Value[]) => session.perform(operation, fixedParameters(values)),
      (operation: number, values: Value[]) => answers.perform(operation, asWire(values)),
    ]
    for (const perform of clients) {
      const [id, mail, code] = drawn(0) as [Value, Value, Value]
      await perform(0, [id, mail, code])
      await expect(perform(0, drawn(0).with(1, mail))).rejects.toThrow()
      await expect(perform(1, drawn(1).with(2, code))).rejects.toThrow()
      await expect(perform(2, drawn(2).with(1, mail))).rejects.toThrow()
      // The same row may have its own values again; a value that was refused its place is free.
      await perform(1, [id, mail, code])
      const [other, free, own] = drawn(0) as [Value, Value, Value]
      await expect(perform(0, [other, free, code])).rejects.toThrow()
      await perform(0, [other, free, own])
      // A renamed row leaves its old value to others.
      await perform(2, [id, `new.${String(mail)}`])
      await perform(0, drawn(0).with(1, mail))
    }
    expect((await session.total('e')).rows).toBe(26n)
    expect((await session.facts({ cpus: 1, memoryBytes: 2 ** 31 })).parity.find((each) => each.what === 'uniqueness')?.ok).toBe(true)
  })
}, 120_000)

test('a value that its column cannot hold is an error that leaves nothing of its request: the connection goes on', async () => {
  const lines = [
    'entities:',
    '  e: { count: 50, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] }, m: { type: int, range: [0, 9] } } }',
    'operations:',
    `  of_n: { list: e, where: { n: any }, order_by: id, limit: 50, ${load} }`,
    `  of_m: { aggregate: e, where: { m: any }, sum: n, ${load} }`,
  ]
  await loaded(lines, async (session, compiled, endpoint) => {
    await using lane = await openLane(cassandra, endpoint, compiled, 2)
    const answers = new LaneAnswers(lane)
    const source = (n: number): WireSource => {
      const values = [n, false, Buffer.alloc(16)]
      return {
        ...fixedParameters(values),
        isNull: () => false,
        number: (at) => Number(values[at]),
        write: (_at, to, offset) => offset + Buffer.alloc(16).copy(to, offset),
        maxBytes: () => 16,
        lines: () => {
          throw new Error('no lines')
        },
      }
    }
    for (const operation of [0, 1]) {
      for (const beyond of [2 ** 31, -(2 ** 31) - 1, 2 ** 40]) {
        await expect(session.perform(operation, source(beyond))).rejects.toThrow()
        await expect(answers.perform(operation, source(beyond))).rejects.toThrow()
        const expected = (await session.perform(operation, source(3))).answer()
        expect((await answers.perform(operation, source(3))).answer()).toEqual(expected)
      }
    }
  })
}, 120_000)

test('a table for a constant holds its rows alone, whoever wrote them', async () => {
  const lines = [
    'entities:',
    '  e: { count: 80, fields: { id: { type: uuid, key: true }, s: { type: enum, values: { rare: 20, common: 80 } }, at: { type: timestamp, within: 30d } } }',
    'operations:',
    `  rare: { list: e, where: { s: rare }, order_by: -at, limit: 9, page: { deep: 50% }, ${load} }`,
    `  add: { insert: e, ${load} }`,
    `  write: { put: e, keys: { existing: 60%, new: 40% }, ${load} }`,
    `  close: { update: e, set: { s: common }, ${load} }`,
    `  mix: { update: e, set: { s: any, at: now }, ${load} }`,
    `  drop: { delete: e, ${load} }`,
  ]
  await loaded(lines, async (session, compiled, endpoint) => {
    const dataset = makeDataset(compiled.scenario, 1)
    const reference = new Reference(dataset, compiled.operations)
    const { signal } = new AbortController()
    expect((await verify(session, 'driver', compiled, dataset, reference, 24, signal)).differences).toEqual([])
    await using lane = await openLane(cassandra, endpoint, compiled, 2)
    expect((await verify(new LaneAnswers(lane), 'wire', compiled, dataset, reference, 24, signal)).differences).toEqual([])
    const client = new Client({
      contactPoints: [`${endpoint.host}:${endpoint.port}`],
      localDataCenter: 'datacenter1',
      credentials: { username: endpoint.user as string, password: endpoint.password as string },
    })
    const rows = async (table: string) => (await client.execute(`SELECT s FROM ${endpoint.namespace}.${table}`)).rows.map((row) => String(row.s))
    try {
      const rare = (await rows('e')).filter((value) => value === 'rare')
      expect(rare.length).toBeGreaterThan(0)
      expect(await rows('e_by_s_at')).toEqual(rare)
    } finally {
      await client.shutdown()
    }
  })
}, 120_000)

test('a row that is deleted stays deleted, whoever changes it or its lines at the same time, and all tables say the same of a row', async () => {
  const lines = [
    'entities:',
    '  e: { count: 60, fields: { id: { type: int, key: true }, s: { type: enum, values: { rare: 20, common: 80 } }, n: { type: int, range: [0, 9] }, w: { type: words, count: [1, 2] }, mail: { type: email, unique: true }, at: { type: timestamp, within: 30d } } }',
    '  l: { owned_by: e, per_owner: { range: [1, 3] }, fields: { q: { type: int, range: [0, 9] } } }',
    '  m: { owned_by: e, per_owner: { range: [1, 3] }, fields: { q: { type: int, range: [0, 9] } } }',
    'operations:',
    `  drop: { delete: e, ${load} }`,
    `  move: { update: e, set: { n: any, w: any }, ${load} }`,
    `  close: { update: e, set: { s: rare }, ${load} }`,
    `  rename: { update: e, set: { mail: any }, ${load} }`,
    `  turn_l: { update: l, set: { q: any }, ${load} }`,
    `  turn_m: { update: m, set: { q: any }, ${load} }`,
    `  write: { put: e, ${load} }`,
    `  of_n: { list: e, where: { n: any }, order_by: -at, fields: [s, mail], limit: 9, ${load} }`,
    `  rare: { list: e, where: { s: rare }, order_by: -at, limit: 9, ${load} }`,
    `  find: { search: e, in: [w], fields: [s], limit: 9, ${load} }`,
    `  ls: { list: l, where: { q: any }, order_by: e_id, limit: 9, ${load} }`,
    `  ms: { list: m, where: { q: any }, order_by: e_id, limit: 9, ${load} }`,
  ]
  await loaded(lines, async (session, compiled, endpoint) => {
    await using lane = await openLane(cassandra, endpoint, compiled, 8)
    const answers = new LaneAnswers(lane)
    const params = new DrawnParameters(makeDataset(compiled.scenario, 1), compiled.operations, 'race', 5, compiled.scenario.epochMs)
    const at = (name: string) => compiled.operations.findIndex((operation) => operation.name === name)
    const reaches = (name: string, key: number) => {
      const operation = at(name)
      params.next(operation)
      const values = [...params.values()]
      const place = positionsOf(compiled.scenario, compiled.operations[operation] as Operation)
      for (const own of ['key.id', 'key.e_id', 'row.id']) if (place.has(own)) values[place.get(own) as number] = key
      if (place.has('key.line')) values[place.get('key.line') as number] = 1
      return { operation, values }
    }
    // The lane answers one at a time, beside all that the driver has under way.
    let asked: Promise<unknown> = Promise.resolve()
    const perform = (client: 'driver' | 'wire', { operation, values }: ReturnType<typeof reaches>) => {
      if (client === 'driver') return session.perform(operation, fixedParameters(values))
      const answer = asked.then(() => answers.perform(operation, fixedParameters(values) as WireSource))
      asked = answer.catch(() => {})
      return answer
    }
    const changes = ['move', 'close', 'rename', 'turn_l', 'turn_m']
    const keys = Array.from({ length: 40 }, (_, index) => index)
    const rounds = keys.map((key) => async () => {
      const [one, other] = key % 2 === 0 ? (['driver', 'wire'] as const) : (['wire', 'driver'] as const)
      await Promise.all([
        ...changes.flatMap((name) => [perform(one, reaches(name, key)), perform(other, reaches(name, key))]),
        perform(other, reaches('drop', key)),
        ...(key % 4 === 0 ? [perform(one, reaches('write', key))] : []),
      ])
    })
    for (const round of rounds) await round()
    // Nothing is there to be changed, or to be deleted: an outcome, and no error.
    for (const name of [...changes, 'drop'])
      for (const client of ['driver', 'wire'] as const)
        expect((await perform(client, reaches(name, 1))).answer()).toMatchObject({ outcome: 'miss', rows: 0 })
    const client = new Client({
      contactPoints: [`${endpoint.host}:${endpoint.port}`],
      localDataCenter: 'datacenter1',
      credentials: { username: endpoint.user as string, password: endpoint.password as string },
    })
    try {
      const read = async (table: string) =>
        (await client.execute(`SELECT * FROM ${endpoint.namespace}."${table}"`)).rows.map((row) => ({ ...row }) as Row)
      const base = await read('e')
      const rows = new Map(base.map((row) => [Number(row.id), row]))
      for (const row of base) for (const field of ['s', 'n', 'w', 'mail', 'at']) expect(row[field], `${field} of ${row.id}`).not.toBeNull()
      for (const key of keys) if (key % 4 !== 0) expect(rows.has(key), `row ${key}`).toBe(false)
      const said = (row: Row, fields: string[]) => fields.map((field) => String(row[field])).join(' ')
      for (const store of compiled.model.stores.filter((each) => !each.base)) {
        const owner = compiled.model.stores.find(
          (each) => each.base && (each.entity === store.entity || each.embedded.includes(store.entity)),
        ) as Store
        const fields = store.columns.filter((column) => column.role !== 'token')
        const names = (of: Store) =>
          fields.map(
            ({ field }) => of.columns.find((each) => each.field === field && each.entity === store.entity)?.name ?? (of.partition[0] as string),
          )
        const whole = (owner.entity === store.entity && owner.embedded.length > 0 ? [...rows.values()] : await read(owner.name)).filter((row) =>
          (store.where ?? []).every(({ field, constant }) => row[field] === constant),
        )
        const expected = whole.filter((row) => names(owner).every((name) => row[name] !== null)).map((row) => said(row, names(owner)))
        const got = (await read(store.name)).map((row) =>
          said(
            row,
            fields.map(({ name }) => name),
          ),
        )
        expect([...new Set(got)].sort(), store.name).toEqual([...new Set(expected)].sort())
      }
    } finally {
      await client.shutdown()
    }
  })
}, 120_000)

test('a touch gives every cell of a row its whole life again', async () => {
  const lines = [
    'entities:',
    '  e: { count: 9, ttl: 100h, fields: { id: { type: int, key: true }, n: { type: int, range: [0, 9] } } }',
    'operations:',
    `  touch: { touch: e, ${load} }`,
    `  of: { list: e, where: { n: any }, order_by: id, limit: 9, ${load} }`,
  ]
  await loaded(lines, async (session, { scenario, model }, endpoint) => {
    const client = new Client({
      contactPoints: [`${endpoint.host}:${endpoint.port}`],
      localDataCenter: 'datacenter1',
      credentials: { username: endpoint.user as string, password: endpoint.password as string },
    })
    const table = model.stores.find((store) => !store.base)?.name
    const hours = async () => {
      const query = `SELECT TTL("n") AS n, TTL("expires_at") AS e FROM "${endpoint.namespace}"."e" WHERE "id" = 1`
      const listed = `SELECT TTL("expires_at") AS e FROM "${endpoint.namespace}"."${table}" WHERE "id" = 1 ALLOW FILTERING`
      const [[base], [other]] = [(await client.execute(query)).rows, (await client.execute(listed)).rows]
      return [base?.n, base?.e, other?.e].map((seconds) => Number(seconds) / 3600)
    }
    try {
      for (const before of await hours()) expect(before).toBeLessThan(123)
      const touched = await session.perform(0, fixedParameters([1, scenario.epochMs, scenario.epochMs + 100 * 3_600_000]))
      expect(touched.rows).toBe(1)
      for (const after of await hours()) expect(after).toBeGreaterThan(123.9)
    } finally {
      await client.shutdown()
    }
  })
}, 120_000)
