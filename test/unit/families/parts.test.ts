/** Which tables are divided by the time of their rows, which are not, and why; and where parts begin. */
import { describe, expect, test } from 'vitest'
import { engineNamed } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { type PartUnit, partStamp, partStampMs, partStart, partStarts } from '../../../src/families/parts.ts'
import { parseScenario } from '../../../src/scenario/read.ts'

interface Change {
  count?: string
  kept?: string
  fields?: string
  entities?: string
  operations?: string
}

const load = 'rate: 20/s, p99: 1s'

function readings({ count = '40M', kept = 'ttl: 7d', fields = '', entities = '', operations = '' }: Change = {}) {
  return parseScenario(
    `name: parts
summary: "Rows that go by their age"
seed: 7
epoch: 2026-03-01T12:00:00Z
entities:
  source: { count: 1000, fields: { id: { type: uuid, key: true } } }
  r: { count: ${count}, ${kept}, fields: { id: { type: uuid, key: true }, source_id: { ref: source }, n: { type: int, range: [0, 9] }, at: { type: timestamp }${fields} } }
${entities}
operations:
  add: { insert: r, ${load} }
  newest: { list: r, where: { source_id: any }, order_by: -at, limit: 9, ${load} }
  lately: { list: r, where: { source_id: any, at: { last: 1h } }, order_by: at, limit: 9, rate: 5000/s, p99: 1s }
${operations}
requirements: { peak: 2x, durability: fsync }
candidates: [postgres]
`,
    'parts.yaml',
  )
}

function storeOf(change: Change, engine = 'postgres') {
  const store = deriveModel(engineNamed(engine), readings(change)).stores.find(({ name }) => name === 'r')
  if (store === undefined) throw new Error('no r')
  return store
}

const kept: [string, PartUnit][] = [
  ['ttl: 12h', '1 hour'],
  ['ttl: 3d', '6 hours'],
  ['ttl: 7d', '6 hours'],
  ['retention: 30d', '1 day'],
  ['retention: 6months', '7 days'],
  ['retention: 7y', '1 month'],
  ['retention: 15y', '1 year'],
]

test.each(kept)('rows with %s lie in parts of %s', (text, unit) => {
  const { division, partition, expiry, indexes } = storeOf({ kept: text, count: '400M' })
  expect(division?.parts).toMatchObject({ field: 'at', unit })
  expect(partition).toEqual(['id', 'at'])
  expect(indexes.map(({ kind }) => kind)).not.toContain('expiry')
  expect(expiry === null).toBe(text.startsWith('retention'))
})

const whole: [string, Change, RegExp | undefined][] = [
  ['few rows that are kept', { count: '11M', kept: 'retention: 2y' }, /11,000,000 rows are few/],
  ['few rows that expire', { count: '11M' }, undefined],
  ['rows that never go', { kept: 'growth: 1%/month' }, undefined],
  ['a large table that keeps all', { kept: 'growth: 1%/month', count: '4G' }, /large as it is, nothing of it is ever dropped/],
  [
    'what owns rows',
    { entities: '  l: { owned_by: r, per_owner: { range: [1, 2] }, fields: { q: { type: int, range: [0, 9] } } }' },
    /rows of l hang on its key/,
  ],
  [
    'what is referred to',
    { entities: '  o: { count: 9, fields: { id: { type: uuid, key: true }, r_id: { ref: r } } }' },
    /rows of o refer to its key/,
  ],
  ['a unique field', { fields: ', code: { type: email, unique: true }' }, /code is unique/],
  ['rows that are put', { operations: `  put: { put: r, keys: { existing: 50%, new: 50% }, ${load} }` }, /replaced by their key \(put\)/],
  ['a time that changes', { operations: `  move: { update: r, set: { at: now }, rate: 1/min, p99: 1s }` }, /no field says when/],
  ['rows that are touched', { operations: `  seen: { touch: r, rate: 1/min, p99: 1s }` }, /seen renews the life of its rows/],
  ['a short life', { kept: 'ttl: 4h' }, /less than 12 parts of an hour/],
  [
    'gets by key, all the time',
    { operations: '  one: { get: r, rate: 100/s, p99: 1s }' },
    /one would look into several of 28 parts each time, 2,800 times a second/,
  ],
  [
    'pages that few rows fill',
    { operations: '  all: { list: r, where: { n: any }, order_by: n, limit: 9, rate: 100/s, p99: 1s }' },
    /all would look into several/,
  ],
]

test.each(whole)('%s: one table', (_, change, why) => {
  const { division, partition, reason } = storeOf(change)
  expect(division?.parts ?? null).toBeNull()
  expect(partition).toEqual(['id'])
  if (why === undefined) expect(division).toBeUndefined()
  else {
    expect(division?.why).toMatch(why)
    expect(reason).toContain(division?.why)
  }
})

test('rows that are far older than they are kept would need too many parts', () => {
  expect(storeOf({ fields: ', seen_at: { type: timestamp, within: 5y }' }).division?.why).toMatch(
    /from the oldest row on there would be [\d,]+ parts/,
  )
})

test('gets by key that are rare look into all parts, and the model says so', () => {
  const { division } = storeOf({ operations: '  one: { get: r, rate: 6/min, p99: 1s }' })
  expect(division?.parts).not.toBeNull()
  expect(division?.why).toContain('one look into several parts each time, 3 times a second')
})

test('a table in parts has foreign keys on PostgreSQL, and none on MariaDB, which says so', () => {
  expect(storeOf({}).references).toEqual([{ field: 'source_id', entity: 'source' }])
  const own = storeOf({}, 'mariadb')
  expect(own.references).toEqual([])
  expect(own.reason).toContain('source_id is no foreign key: a table in parts holds none')
})

test('names of parts begin as no other table and no index does', () => {
  const prefix = (change: Change) => storeOf(change).division?.parts?.prefix
  expect(prefix({})).toBe('r_part_')
  expect(prefix({ fields: ', part_rest: { type: int, range: [0, 9] }' })).toBe('r_part__')
  expect(prefix({ entities: '  r_part_rest: { count: 9, fields: { id: { type: uuid, key: true } } }' })).toBe('r_part__')
})

test('what is compiled can be cloned, and has no purge in batches to grant', () => {
  const engine = engineNamed('postgres')
  const scenario = readings()
  const compiled = engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'fsync')
  expect(structuredClone(compiled)).toEqual(compiled)
  expect(engine.handbook(compiled).grants.find((each) => each.includes('"r"'))).toBe('GRANT SELECT, INSERT ON "r" TO application')
})

describe('parts begin', () => {
  test('on Mondays, on the first of a month, of a year, in UTC', () => {
    const at = Date.parse('2026-03-01T12:34:56.789Z')
    const iso = (unit: PartUnit, after = 0) => new Date(partStart(unit, at, after)).toISOString()
    expect(iso('1 hour')).toBe('2026-03-01T12:00:00.000Z')
    expect(iso('6 hours', 1)).toBe('2026-03-01T18:00:00.000Z')
    expect(iso('7 days')).toBe('2026-02-23T00:00:00.000Z')
    expect(iso('1 month', 1)).toBe('2026-04-01T00:00:00.000Z')
    expect(iso('1 month', -3)).toBe('2025-12-01T00:00:00.000Z')
    expect(iso('1 year', 1)).toBe('2027-01-01T00:00:00.000Z')
  })

  test('where the oldest row needs one, and end two ahead of today', () => {
    const epochMs = Date.parse('2026-03-01T12:00:00Z')
    const starts = partStarts({ field: 'at', unit: '1 month', keptMs: 1, prefix: '' }, epochMs, 100 * 86_400_000).map(partStamp)
    expect(starts).toEqual(['2025110100', '2025120100', '2026010100', '2026020100', '2026030100', '2026040100', '2026050100', '2026060100'])
    expect(partStamp(partStampMs('2025110106'))).toBe('2025110106')
  })
})
