/** Tables in parts by time on real servers: answers, sizes, plans, and that a part goes when nothing in it lives. */
import { afterAll, describe, expect, test } from 'vitest'
import { makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Compiled, Endpoint, Session } from '../../src/engines/engine.ts'
import { engines } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { parseScenario } from '../../src/scenario/read.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)

const dayMs = 86_400_000
/** Of 20 million rows. */
const share = 0.0002

const scenario = parseScenario(
  `
name: parted
summary: "Rows that live a week, and rows that are kept two years"
seed: 7
epoch: 2026-03-01T12:00:00Z
entities:
  source: { count: 200k, fields: { id: { type: uuid, key: true } } }
  short:
    count: 20M
    ttl: 7d
    fields:
      id:        { type: uuid, key: true }
      source_id: { ref: source }
      n:         { type: int, range: [0, 9] }
      at:        { type: timestamp, within: 7d }
  long:
    count: 20M
    retention: 2y
    fields:
      id:        { type: uuid, key: true }
      source_id: { ref: source }
      n:         { type: int, range: [0, 9] }
      at:        { type: timestamp, within: 2y }
operations:
  add_short: { insert: short, rate: 30/s, p99: 1s }
  newest:    { list: short, where: { source_id: any }, order_by: -at, limit: 5, rate: 30/s, p99: 1s }
  lately:    { list: short, where: { source_id: any, at: { last: 1d } }, order_by: at, limit: 50, rate: 30/s, p99: 1s }
  by_hour:   { aggregate: short, group_by: hour(at), sum: n, over: 1d, rate: 1/s, p99: 1s }
  all:       { list: short, where: {}, order_by: -at, limit: 20, page: { deep: 50% }, rate: 30/s, p99: 1s }
  add_long:  { insert: long, rate: 10/s, p99: 1s }
  one:       { get: long, rate: 3/s, p99: 1s }
  change:    { update: long, set: { n: any }, rate: 3/s, p99: 1s }
  remove:    { delete: long, rate: 3/s, p99: 1s }
  by_n:      { aggregate: long, group_by: n, rate: 1/min, p99: 1s }
  both:      { transaction: [{ insert: short }, { insert: long }, { update: long, add: { n: 1 } }], rate: 3/s, p99: 1s }
requirements: { peak: 2x, durability: fsync }
candidates: [postgres]
`,
  'parted.yaml',
)
const operations = allOperations(scenario)
const dataset = makeDataset(scenario, share)
const relational = engines.filter(({ family }) => family === 'relational')

describe.each(relational.map((engine) => [engine.name, engine] as const))('%s', (_, engine) => {
  const compiled: Compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, 'fsync')
  const loaded = (use: (session: Session, endpoint: Endpoint) => Promise<void>) =>
    bed.inNamespace(engine, async (endpoint) => {
      await using session = await engine.connect(endpoint, compiled, { connections: 2 })
      await session.create()
      await session.load(rowSource(dataset, 0, 1), true)
      await session.settle()
      await use(session, endpoint)
    })

  test('both tables are in parts, the time in their keys', () => {
    const parts = compiled.model.stores.map(({ name, partition, division }) => [name, partition, division?.parts?.unit])
    expect(parts).toEqual([
      ['source', ['id'], undefined],
      ['short', ['id', 'at'], '6 hours'],
      ['long', ['id', 'at'], '1 month'],
    ])
  })

  test('every operation is answered as the reference does, before and after a replay', async () => {
    const { wrong, excuses, checked } = await bed.try(engine, scenario, 24, 2, share)
    expect(wrong).toEqual([])
    expect(excuses).toEqual([])
    expect(checked).toBeGreaterThan(100)
  }, 120_000)

  test(
    'sizes, uses of indexes and plans are told of the tables, whatever their parts',
    () =>
      loaded(async (session) => {
        const names = ['long', 'short', 'source']
        const { tables, indexes } = await session.storage()
        expect(tables.map(({ name }) => name).sort()).toEqual(names)
        const rowBytes = (name: string) => (tables.find((each) => each.name === name)?.bytes ?? 0) / (20e6 * share)
        for (const name of ['short', 'long']) expect(rowBytes(name), name).toBeGreaterThan(40)
        const shown = new Set(indexes.map(({ table, name }) => `${table} ${name}`))
        expect(shown.size).toBe(indexes.length)
        for (const { name, indexes: own } of compiled.model.stores) for (const index of own) expect([...shown]).toContain(`${name} ${index.name}`)
        for (const { table } of await session.indexUse()) expect(names).toContain(table)
        const params = new DrawnParameters(dataset, operations, 'parts', 1, scenario.epochMs)
        const plan = async (name: string) => {
          const index = operations.findIndex((each) => each.name === name)
          params.next(index)
          return await session.explain(index, params)
        }
        const scanned = await plan('by_n')
        expect(scanned.scans, scanned.text).toEqual([{ store: 'long', rows: 20e6 * share }])
        const { text } = await plan('lately')
        // The newest page comes from the newest part that has rows, and the others are not asked for theirs.
        const page = await plan('all')
        expect(page.text).not.toContain('Merge Append')
        expect(page.read?.rows, page.text).toBeLessThan(100)
        // A day and what it touches of two parts of six hours, not 30.
        expect(new Set(text.match(/(short_part|from)_\d{10}/g) ?? []).size, text).toBeLessThan(7)
      }),
    120_000,
  )

  test(
    'what the server does not see to is told',
    () =>
      loaded(async (session) => {
        const { parity } = await session.facts({ cpus: 1, memoryBytes: 2 ** 31 })
        expect(parity.find(({ what }) => what === 'unique keys')?.effective).toMatch(/^excused: short: id, at together, .*; long: id, at together/)
        expect(parity.find(({ what }) => what === 'referential integrity')).toMatchObject({ ok: true })
      }),
    120_000,
  )

  test(
    'a part goes when it is over and nothing in it lives, and rows come in after that',
    () =>
      loaded(async (session) => {
        const count = async (entity: string) => Number((await session.total(entity)).rows)
        const before = await count('short')
        expect(await session.purge?.(scenario.epochMs + dayMs)).toBe(0)
        expect(await count('short')).toBe(before)
        const removed = (await session.purge?.(scenario.epochMs + 7 * dayMs)) as number
        expect(removed).toBeGreaterThan(0.9 * before)
        expect(await count('short')).toBe(before - removed)
        expect(await count('long')).toBe(20e6 * share)
        expect(await session.purge?.(scenario.epochMs + 30 * dayMs)).toBe(before - removed)
        expect(await session.purge?.(scenario.epochMs + 30 * dayMs)).toBe(0)
        const add = operations.findIndex(({ name }) => name === 'add_short')
        const params = new DrawnParameters(dataset, operations, 'later', 2, scenario.epochMs + 30 * dayMs)
        params.next(add)
        await session.perform(add, params)
        expect(await count('short')).toBe(1)
      }),
    120_000,
  )

  if (engine.observe !== undefined)
    test(
      'a draft of a scenario has one table for all parts',
      () =>
        loaded(async (_session, endpoint) => {
          const { tables } = (await engine.observe?.(endpoint)) as Awaited<ReturnType<NonNullable<typeof engine.observe>>>
          expect(tables.map(({ name, key, rows }) => [name, key, rows])).toEqual([
            ['long', ['id', 'at'], 20e6 * share],
            ['short', ['id', 'at'], 20e6 * share],
            ['source', ['id'], 40],
          ])
        }),
      120_000,
    )
})
