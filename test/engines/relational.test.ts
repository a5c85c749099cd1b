/** What is particular to the relational model: on every engine of it expiry with all that hangs on a row, on a real PostgreSQL numbers beyond a type and its log. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { driverLane } from '../../src/clients/driver-lane.ts'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { fixedParameters, type WireSource } from '../../src/data/parameters.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Compiled, Endpoint, Engine, Lane, Session } from '../../src/engines/engine.ts'
import { postgres } from '../../src/engines/postgres/index.ts'
import { engines } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { parseScenario } from '../../src/scenario/read.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)

type Use = (session: Session, compiled: Compiled, endpoint: Endpoint) => Promise<void>

/** Loads a scenario of a few lines, lets the test use it, and drops it. */
function loaded(lines: string[], use: Use, engine: Engine = postgres): Promise<void> {
  const load: Use = async (session, compiled, endpoint) => {
    await session.load(rowSource(makeDataset(compiled.scenario, 1), 0, 1), true)
    await use(session, compiled, endpoint)
  }
  return created(lines, load, engine)
}

/** The same before anything is loaded. */
async function created(lines: string[], use: Use, engine: Engine): Promise<void> {
  const head = ['name: own', 'summary: "Own"', 'seed: 7', 'epoch: 2026-03-01T12:00:00Z']
  const tail = ['requirements: { peak: 2x, durability: fsync }', 'candidates: [postgres]']
  const scenario = parseScenario([...head, ...lines, ...tail].join('\n'), 'own.yaml')
  const compiled = engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'fsync')
  await bed.inNamespace(engine, async (own) => {
    await using session = await engine.connect(own, compiled, { connections: 2 })
    await session.create()
    await use(session, compiled, own)
  })
}

const relational = engines.filter(({ family }) => family === 'relational').map((engine) => [engine.name, engine] as const)

test.each(relational)(
  '%s: expired rows are purged though they own rows and others refer to them; rows that live stay',
  async (_, engine) => {
    const lines = [
      'entities:',
      '  e: { count: 3000, ttl: 1h, fields: { id: { type: uuid, key: true } } }',
      '  l: { owned_by: e, per_owner: { range: [2, 2] }, fields: { e_ref: { ref: e } } }',
      '  f: { count: 50, fields: { id: { type: uuid, key: true }, e_id: { ref: e } } }',
      'operations:',
      '  g: { get: e, with: [l], rate: 10/s, p99: 1s }',
    ]
    await loaded(
      lines,
      async (session, { scenario }) => {
        const rows = async (entity: string) => Number((await session.total(entity)).rows)
        const half = (await session.purge?.(scenario.epochMs + 1_800_000)) as number
        expect(half).toBeGreaterThan(1000)
        expect([await rows('e'), await rows('l'), await rows('f')]).toEqual([3000 - half, 6000 - 2 * half, 50])
        expect(await session.purge?.(scenario.epochMs + 1_800_000)).toBe(0)
        expect(await session.purge?.(scenario.epochMs + 3_600_000)).toBe(3000 - half)
        expect([await rows('e'), await rows('l'), await rows('f')]).toEqual([0, 0, 50])
      },
      engine,
    )
  },
  60_000,
)

test.each(relational)(
  '%s: a put whose unique value another row has is refused, whichever of the fields has it, and changes nothing',
  async (_, engine) => {
    const lines = [
      'entities:',
      '  e: { count: 1, fields: { id: { type: int, key: true }, mail: { type: email, unique: true }, code: { type: uuid, unique: true }, n: { type: int, range: [0, 9] } } }',
      'operations:',
      '  of: { get: e, rate: 10/s, p99: 1s }',
      '  put: { put: e, rate: 10/s, p99: 1s }',
    ]
    await loaded(
      lines,
      async (session) => {
        const code = (last: number) => Buffer.alloc(16, last)
        const put = (id: number, mail: string, last: number, n: number) => session.perform(1, fixedParameters([id, mail, code(last), n]))
        const got = async (id: number) => (await session.perform(0, fixedParameters([id]))).answer()
        await put(101, 'ann@example.com', 1, 1)
        await put(102, 'bob@example.com', 2, 2)
        for (const [id, mail, last] of [
          [103, 'ann@example.com', 3],
          [103, 'eve@example.com', 1],
          [103, 'ann@example.com', 2],
          [102, 'ann@example.com', 2],
          [102, 'bob@example.com', 1],
        ] as const)
          await expect(put(id, mail, last, 3)).rejects.toMatchObject({ code: 'constraint' })
        expect(await got(101)).toEqual({ kind: 'rows', rows: [[101, 'ann@example.com', code(1), 1]] })
        expect(await got(102)).toEqual({ kind: 'rows', rows: [[102, 'bob@example.com', code(2), 2]] })
        expect((await session.total('e')).rows).toBe(3n)
        await put(101, 'eve@example.com', 3, 3)
        await put(102, 'ann@example.com', 2, 4)
        expect(await got(101)).toEqual({ kind: 'rows', rows: [[101, 'eve@example.com', code(3), 3]] })
        expect(await got(102)).toEqual({ kind: 'rows', rows: [[102, 'ann@example.com', code(2), 4]] })
      },
      engine,
    )
  },
  60_000,
)

test.each(relational)(
  '%s: a load that leaves a reference to nobody is refused, and is no longer once that is gone',
  async (_, engine) => {
    const lines = [
      'entities:',
      '  a: { count: 50, fields: { id: { type: int, key: true } } }',
      '  b: { count: 50, fields: { id: { type: int, key: true }, a_id: { ref: a } } }',
      'operations:',
      '  new_b: { insert: b, rate: 10/s, p99: 1s }',
      '  drop_b: { delete: b, rate: 10/s, p99: 1s }',
    ]
    await created(
      lines,
      async (session, { scenario }) => {
        const dataset = makeDataset(scenario, 1)
        await session.load(rowSource(dataset, 0, 0.5), false)
        await session.perform(0, fixedParameters([1000, 1000]))
        await expect(session.load(rowSource(dataset, 0.5, 1), true)).rejects.toMatchObject({ code: 'constraint' })
        await session.perform(1, fixedParameters([1000]))
        await session.load(rowSource(dataset, 1, 1), true)
        expect((await session.total('b')).rows).toBe(50n)
        await expect(session.perform(0, fixedParameters([1000, 1000]))).rejects.toMatchObject({ code: 'constraint' })
      },
      engine,
    )
  },
  60_000,
)

test('a number that its type does not hold is an error of the same code on both clients, and the next operation is answered', async () => {
  const lines = [
    'entities:',
    '  e: { count: 50, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] } } }',
    'operations:',
    '  of_n: { list: e, where: { n: any }, order_by: id, limit: 50, rate: 10/s, p99: 1s }',
  ]
  await loaded(lines, async (session, compiled, endpoint) => {
    const values = (n: number) => [n, false, Buffer.alloc(16)]
    const source = (n: number): WireSource => ({
      ...fixedParameters(values(n)),
      isNull: () => false,
      number: (at) => Number(values(n)[at]),
      write: (_at, to, offset) => offset + Buffer.alloc(16).copy(to, offset),
      maxBytes: () => 16,
      lines: () => {
        throw new Error('no lines')
      },
    })
    const ask = (lane: Lane, n: number) =>
      new Promise((resolve) => {
        lane.onDone = (_slot, outcome, rows, _retries, error) => resolve([outcome, rows > 0, error])
        lane.send(0, 0, source(n), false)
        lane.flush()
      })
    await using wire = await openLane(postgres, endpoint, compiled, 1)
    for (const lane of [wire, driverLane(session, 1)]) {
      expect(await ask(lane, 2 ** 32 + 5)).toEqual(['error', false, 'invalid 22003'])
      expect(await ask(lane, 5)).toEqual(['ok', true, ''])
    }
  })
}, 60_000)

test('once settled it has the log of a server that has run for a day: a load of writes makes no new segment', async () => {
  const lines = ['entities:', '  e: { count: 500, fields: { id: { type: uuid, key: true } } }', 'operations:', '  g: { get: e, rate: 10/s, p99: 1s }']
  await loaded(lines, async (session, _, endpoint) => {
    await session.settle()
    const { default: pg } = await import('pg')
    const client = new pg.Client({ ...login(endpoint), database: endpoint.namespace })
    await client.connect()
    try {
      const [{ data_directory: data }] = (await client.query('SHOW data_directory')).rows
      const log = join(data as string, 'pg_wal')
      const segments = () =>
        new Set(readdirSync(log, { withFileTypes: true }).flatMap((each) => (each.isFile() ? [statSync(join(log, each.name)).ino] : [])))
      const before = segments()
      // 64 are kept, counted from where recovery would begin, which may lie in the one before that which is written.
      expect(before.size).toBeGreaterThanOrEqual(63)
      // More than four segments, and on the way a checkpoint, which recycles those that are behind.
      for (let each = 0; each < 80; each++) {
        await client.query("SELECT pg_logical_emit_message(false, '', repeat('-', 1024 * 1024))")
        if (each === 40) await client.query('CHECKPOINT')
      }
      expect([...segments()].filter((inode) => !before.has(inode))).toEqual([])
    } finally {
      await client.end()
    }
  })
}, 120_000)

const login = ({ host, port, user, password }: Endpoint) => ({ host, port, user: user ?? '', password: password ?? '' })
