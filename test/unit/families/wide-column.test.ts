/** Wide-column models at the edges: names, twins, buckets, excuses, pages that begin where the equality has the order already. */
import { expect, test } from 'vitest'
import { hasOneDeepStart, pageStart, pageStarts } from '../../../src/engines/cassandra/pages.ts'
import { nativeTtlSeconds } from '../../../src/engines/cassandra/rows.ts'
import { engineNamed } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import type { Store } from '../../../src/families/model.ts'
import { type CompactionWindow, compactionWindow } from '../../../src/families/wide-column/windows.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import type { OperationOf } from '../../../src/scenario/scenario.ts'

const scenarioOf = (entities: string, operations: string) =>
  parseScenario(
    `name: edge
summary: "an edge"
seed: 7
epoch: 2026-03-01T12:00:00Z
entities:
${entities}
operations:
${operations}
requirements: { peak: 2x, durability: fsync }
candidates: [cassandra]
`,
    'edge.yaml',
  )
const modelOf = (entities: string, operations: string) => deriveModel(engineNamed('cassandra'), scenarioOf(entities, operations))
const load = 'rate: 10/s, p99: 1s'

const reading = `  r: { count: 50M, fields: { id: { type: uuid, key: true }, q: { type: enum, values: { good: 99, bad: 1 } }, k: { type: int, range: [1, 1000000] }, at: { type: timestamp, within: 3y } } }`

test('a constant that few rows have is neither bucketed nor excused', () => {
  const model = modelOf(reading, `  l: { list: r, where: { q: bad }, order_by: -at, limit: 20, ${load} }`)
  expect(model.excuses).toEqual([])
  expect(model.stores.find((store) => store.serves.includes('l') && !store.base)?.bucket).toBeNull()
})

test('a list that stops at its limit is not excused by buckets that it never reads; one of rare rows is', () => {
  const frequent = modelOf(reading, `  l: { list: r, where: { q: good }, order_by: -at, limit: 20, ${load} }`)
  expect(frequent.excuses).toEqual([])
  expect(frequent.emulations.map((each) => each.how)).toEqual(['emulated: 2 bucket reads as a rule, up to 37 where rows are rare, up to 8 in flight'])
  const more = reading.replace('50M', '5G')
  for (const order of ['at', '-at']) {
    const days = modelOf(more, `  l: { list: r, where: {}, order_by: ${order}, limit: 20, ${load} }`)
    expect(days.excuses).toEqual([])
    expect(days.stores.find((store) => store.bucket !== null)?.bucket?.unit).toBe('hour')
  }
  const skewed = more.replace('range: [1, 1000000]', 'range: [1, 100000000], skew: zipfian(0.9)')
  const few = modelOf(skewed, `  l: { list: r, where: { k: any }, order_by: -at, limit: 1000, ${load} }`)
  expect(few.excuses.map((each) => each.reason)).toEqual([expect.stringMatching(/^l would read \d+ day buckets, more than 64$/)])
})

test('a list in the order of expiry is bucketed over the years that lie ahead', () => {
  const sessions = (ttl: string) => `  s: { count: 900, ttl: ${ttl}, retention: 30d, fields: { id: { type: uuid, key: true } } }`
  const soonest = `  l: { list: s, where: {}, order_by: expires_at, limit: 1000, ${load} }`
  expect(modelOf(sessions('4y'), soonest).emulations.map((each) => each.how)).toContain('emulated: 5 bucket reads at most, up to 8 in flight')
  expect(modelOf(sessions('90y'), soonest).excuses.map((each) => each.reason)).toEqual(['l would read 91 year buckets, more than 64'])
})

test('one table serves both directions, and the window of an aggregate', () => {
  const scenario = scenarioOf(
    reading,
    `  newest: { list: r, where: { k: any }, order_by: -at, limit: 20, ${load} }
  oldest: { list: r, where: { k: any }, order_by: at, limit: 20, ${load} }
  lately: { aggregate: r, where: { k: any }, over: 30d, ${load} }`,
  )
  const engine = engineNamed('cassandra')
  const compiled = engine.compile(deriveModel(engineNamed('cassandra'), scenario), allOperations(scenario), scenario, 'fsync')
  expect(compiled.model.stores.map((store) => store.name)).toEqual(['r_by_k_at'])
  const texts = compiled.programs.flatMap((each) => each?.shown ?? [])
  expect(texts[0]).not.toContain('ORDER BY')
  expect(texts[2]).toContain('ORDER BY "at" ASC, "id" ASC')
  expect(texts[3]).toContain('AND ("at", "id") > (?, ?) ORDER BY "at" ASC, "id" ASC')
})

test('searches over other fields have another token store, whatever the order of the fields', () => {
  const entity =
    '  e: { count: 100, fields: { id: { type: uuid, key: true }, p: { type: words, count: [1, 3] }, q: { type: words, count: [1, 3] } } }'
  const model = modelOf(
    entity,
    `  both: { search: e, in: [p, q], limit: 9, ${load} }
  turned: { search: e, in: [q, p], limit: 9, ${load} }
  one: { search: e, in: [p], limit: 9, fields: [q], ${load} }`,
  )
  // The text that is searched is not repeated with each of its words, unless it is asked for.
  expect(model.stores.at(-1)?.columns.map((each) => each.name)).toEqual(['words.p', 'id', 'q'])
  expect(model.stores.slice(1).map((store) => [store.name, store.partition, store.serves])).toEqual([
    ['e_words_p_q', ['words.p.q'], ['both', 'turned']],
    ['e_words_p', ['words.p'], ['one']],
  ])
})

test('no column and no table has the name of another, whatever fields and entities are called', () => {
  const model = modelOf(
    `  e: { count: 100, fields: { id: { type: uuid, key: true }, line: { type: int, range: [0, 9] }, l_q: { type: int, range: [0, 9] }, token: { type: words, count: [1, 2] }, bucket: { type: int, range: [1, 3] }, at: { type: timestamp, within: 30d } } }
  l: { owned_by: e, per_owner: { range: [1, 4] }, fields: { q: { type: int, range: [1, 5] } } }
  e_by_bucket_l_q: { count: 10, fields: { id: { type: uuid, key: true } } }`,
    `  g: { get: e, with: [l], ${load} }
  s: { search: e, in: [token], limit: 5, ${load} }
  t: { list: e, where: {}, order_by: -at, limit: 5, ${load} }
  b: { list: e, where: { bucket: any }, order_by: l_q, limit: 5, ${load} }
  c: { list: e, where: { bucket: any }, order_by: line, limit: 5, ${load} }`,
  )
  const unique = (names: string[]) => expect(new Set(names).size, names.join(' ')).toBe(names.length)
  unique(model.stores.map((store) => store.name))
  for (const store of model.stores) unique(store.columns.map((column) => column.name))
})

test('a page begins where the equality has left the order: a constant before the cursor decides alone', () => {
  const entities =
    '  e: { count: 100, fields: { id: { type: uuid, key: true }, n: { type: decimal, scale: 1, range: [-2, 2] }, m: { type: int, range: [0, 9] } } }'
  const scenario = scenarioOf(
    entities,
    `  up: { list: e, where: { n: -0.5 }, order_by: n, limit: 5, ${load} }
  down: { list: e, where: { n: -0.5 }, order_by: -n, limit: 5, ${load} }
  whole: { list: e, where: { id: any }, order_by: id, limit: 5, ${load} }
  plain: { list: e, where: { m: any }, order_by: n, limit: 5, ${load} }`,
  )
  const [up, down, whole, plain] = scenario.operations as OperationOf<'list'>[] as [
    OperationOf<'list'>,
    OperationOf<'list'>,
    OperationOf<'list'>,
    OperationOf<'list'>,
  ]
  const [entity] = scenario.entities as [(typeof scenario.entities)[number]]
  const start = (op: OperationOf<'list'>, n: bigint) => pageStart(op, entity, (field) => (field === 'n' ? n : Buffer.alloc(16)))
  expect([start(up, -6n), start(up, -5n), start(up, -4n)]).toEqual([0, 1, null])
  expect([start(down, -6n), start(down, -5n), start(down, -4n)]).toEqual([null, 1, 0])
  expect(pageStarts(whole)).toEqual([{ columns: [], inclusive: false }])
  expect(start(whole, 0n)).toBeNull()
  expect([up, down, whole, plain].map(hasOneDeepStart)).toEqual([false, false, false, true])
})

test('native expiry stays within what the server can hold; only expires_at decides', () => {
  const now = Date.UTC(2026, 2, 1)
  expect(nativeTtlSeconds(10_000, now)).toBe(10 + 86_400)
  expect(nativeTtlSeconds(25 * 365.25 * 86_400_000, now)).toBe((Date.UTC(2038, 0, 18) - now) / 1000)
  expect(nativeTtlSeconds(10_000, Date.UTC(2039, 0, 1))).toBe(0)
})

test('a unique field has a table of its own, and every write of it claims its value first', () => {
  const model = modelOf(
    '  e: { count: 100, fields: { id: { type: uuid, key: true }, mail: { type: email, unique: true }, n: { type: int, range: [0, 9] } } }',
    `  add: { insert: e, ${load} }
  rename: { update: e, set: { mail: any }, ${load} }
  change: { update: e, set: { n: any }, ${load} }
  of: { list: e, where: { mail: any }, order_by: id, limit: 1, ${load} }`,
  )
  expect(model.stores.map((store) => [store.name, store.unique === true])).toEqual([
    ['e', false],
    ['e_unique_mail', true],
  ])
  expect(model.accesses.find((each) => each.operation === 'of')?.steps.map((step) => step.store)).toEqual(['e_unique_mail', 'e'])
  const claiming = model.emulations.filter((each) => each.how.includes('lightweight')).map((each) => each.operation)
  expect(claiming).toEqual(['add', 'rename'])
})

const alarm = `  a: { count: 50M, growth: 2%/month, fields: { id: { type: uuid, key: true }, k: { type: int, range: [1, 5000] }, state: { type: enum, values: { open: 1, closed: 97, lost: 2 } }, at: { type: timestamp, within: 2y }, n: { type: int, range: [0, 9] } } }`

test('a table for a constant has its rows alone, so that its size is theirs; one of all rows serves any constant', () => {
  const scenario = scenarioOf(
    alarm,
    `  open: { list: a, where: { state: open }, order_by: -at, limit: 20, ${load} }
  closed: { list: a, where: { state: closed }, order_by: at, limit: 20, ${load} }
  raise: { insert: a, ${load} }
  close: { update: a, set: { state: closed }, ${load} }
  count: { update: a, set: { n: any }, ${load} }`,
  )
  const model = deriveModel(engineNamed('cassandra'), scenario)
  const tables = model.stores.filter((store) => !store.base)
  expect(tables.map((store) => [store.name, store.where, store.bucket?.unit])).toEqual([
    ['a_by_state_at', [{ field: 'state', constant: 'open' }], undefined],
    ['a_by_state_day_at', [{ field: 'state', constant: 'closed' }], 'day'],
  ])
  expect(tables[0]?.reason).toContain('rows with state = open alone')
  expect(model.accesses.find((each) => each.operation === 'close')?.steps.map((step) => [step.action, step.store])).toEqual([
    ['read first', 'a'],
    ['write', 'a'],
    ['delete', 'a_by_state_at'],
    ['write', 'a_by_state_day_at'],
  ])
  const compiled = engineNamed('cassandra').compile(model, allOperations(scenario), scenario, 'fsync')
  const close = (compiled.programs[3]?.shown ?? []).join('\n')
  expect(close).toContain('DELETE FROM "a_by_state_at"')
  expect(close).not.toContain('INSERT INTO "a_by_state_at"')
  expect(close).toContain('INSERT INTO "a_by_state_day_at"')
  const shared = modelOf(
    alarm,
    `  open: { list: a, where: { k: any, state: open }, order_by: -at, limit: 20, ${load} }
  some: { list: a, where: { k: any, state: any }, order_by: -at, limit: 20, ${load} }`,
  )
  expect(shared.stores.map((store) => [store.name, store.where, store.serves])).toEqual([['a_by_k_state_at', undefined, ['some', 'open']]])
})

test('a key column that changes is said, with the tombstones of ten days; of a table for a constant not more rows go than come', () => {
  const model = modelOf(
    alarm,
    `  open: { list: a, where: { state: open }, order_by: -at, limit: 20, ${load} }
  of: { list: a, where: { k: any }, order_by: -n, limit: 20, ${load} }
  raise: { insert: a, ${load} }
  close: { update: a, set: { state: closed }, ${load} }
  count: { update: a, set: { n: any }, ${load} }`,
  )
  const said = model.emulations.filter((each) => each.how.includes('tombstones')).map(({ operation, how }) => `${operation}: ${how}`)
  const moved = 'a row is deleted where it stood and written where it stands, which leaves up to'
  expect(said).toEqual([
    `close: emulated: state in the key of a_by_state_at: ${moved} 86,400 tombstones in 10 days`,
    `count: emulated: n in the key of a_by_k_n: ${moved} 8,640,000 tombstones in 10 days`,
  ])
})

test('one partition for all new rows is said, and excused where one set of replicas could not write them', () => {
  const list = `  all: { list: a, where: {}, order_by: at, limit: 20, ${load} }\n`
  const few = modelOf(alarm, `${list}  raise: { insert: a, rate: 15/s, p99: 1s }`)
  expect(few.stores.at(-1)?.reason).toMatch(/; all new rows go into one partition, 30 a second at peak/)
  const many = modelOf(alarm, `${list}  raise: { insert: a, rate: 5000/s, p99: 1s }`)
  expect(many.excuses.map((each) => each.reason)).toEqual([
    'all would have all new rows written into one partition: 10,000 a second at peak, more than 1,000',
  ])
  expect(many.stores.map((store) => store.name)).toEqual(['a'])
})

test('nobody reads a table by key whose rows nobody finds by their key: another one has all their columns', () => {
  const list = `  of: { list: a, where: { k: any }, order_by: -at, limit: 20, fields: [at, n], ${load} }
  raise: { insert: a, ${load} }`
  const without = modelOf(alarm, list)
  expect(without.stores.map((store) => [store.name, store.base, store.columns.map((each) => each.name)])).toEqual([
    ['a_by_k_at', true, ['k', 'at', 'id', 'n', 'state']],
  ])
  expect(without.accesses.map((access) => access.steps.map((step) => step.store))).toEqual([['a_by_k_at'], ['a_by_k_at'], ['a_by_k_at']])
  for (const more of ['get: a', 'delete: a', 'put: a, keys: { existing: 50%, new: 50% }', 'update: a, set: { n: any }']) {
    const by = modelOf(alarm, `${list}\n  more: { ${more}, ${load} }`)
    expect(by.stores[0]?.name, more).toBe('a')
  }
  // A table for a constant has not all rows.
  const open = modelOf(alarm, `  open: { list: a, where: { state: open }, order_by: -at, limit: 20, ${load} }`)
  expect(open.stores.map((store) => store.name)).toEqual(['a', 'a_by_state_at'])
})

test('rows that live equally long and are never changed are compacted by windows of a thirtieth of their life', () => {
  const ddl = (operation: string) => {
    const scenario = scenarioOf(
      '  s: { count: 900, ttl: 3d, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] }, at: { type: timestamp, within: 3d } } }',
      `  l: { list: s, where: { n: any }, order_by: -at, limit: 9, ${load} }\n  w: { ${operation}, ${load} }`,
    )
    return engineNamed('cassandra')
      .compile(deriveModel(engineNamed('cassandra'), scenario), allOperations(scenario), scenario, 'fsync')
      .ddl.join()
  }
  const window = `{'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS', 'compaction_window_size': 2}`
  expect(ddl('insert: s')).toContain(` WITH CLUSTERING ORDER BY ("at" DESC, "id" DESC) AND compaction = ${window}`)
  expect(ddl('update: s, set: { n: any }')).not.toContain('compaction')
})

test.each(['20min', '4h', '20h', '44h', '3d', '7d', '90d', '2y'])('a life of %s has 20 to 50 windows', (ttl) => {
  const scenario = scenarioOf(`  s: { count: 900, ttl: ${ttl}, fields: { id: { type: uuid, key: true } } }`, `  w: { insert: s, ${load} }`)
  const [store] = deriveModel(engineNamed('cassandra'), scenario).stores as [Store]
  const { unit, size } = compactionWindow(store, scenario) as CompactionWindow
  const windows = (store.expiry?.ttlMs as number) / (size * (unit === 'HOURS' ? 3_600_000 : 60_000))
  expect(windows).toBeGreaterThanOrEqual(20)
  expect(windows).toBeLessThanOrEqual(50)
})
