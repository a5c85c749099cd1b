/** Which operations are said to ask for rows that were archived. */
import { expect, test } from 'vitest'
import { archivedReads, archivedShare } from '../../../src/scenario/archived.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import { entityOf, type Operation } from '../../../src/scenario/scenario.ts'
import { yearMs } from '../../../src/scenario/units.ts'
import { warningsOf } from '../../../src/scenario/warnings.ts'

const scenarioOf = (archive: string) =>
  parseScenario(
    `name: log
summary: "a log of ten years"
seed: 7
entities:
  e:
    count: 1M
    ${archive}
    fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] }, t: { type: words, count: [1, 2] }, at: { type: timestamp, within: 10y } }
  l: { owned_by: e, per_owner: { range: [1, 3] }, fields: { q: { type: int, range: [0, 9] } } }
operations:
  any_row:   { get: e, rate: 1/s, p99: 1s }
  hot_row:   { get: e, pick: { last: { 1y: 100% } }, rate: 1/s, p99: 1s }
  mixed_row: { update: e, set: { n: any }, pick: { last: { 1y: 80%, 4y: 15% } }, rate: 1/s, p99: 1s }
  new_row:   { get: e, pick: { skew: latest(1.2) }, rate: 1/s, p99: 1s }
  newest:    { list: e, where: { n: any }, order_by: -at, limit: 5, rate: 1/s, p99: 1s }
  pages:     { list: e, where: { n: any }, order_by: -at, limit: 5, page: { deep: 50% }, rate: 1/s, p99: 1s }
  oldest:    { list: e, where: { n: any }, order_by: at, limit: 5, rate: 1/s, p99: 1s }
  window:    { list: e, where: { n: any, at: { last: 1y } }, order_by: n, limit: 5, rate: 1/s, p99: 1s }
  lines:     { list: l, where: { q: 3 }, order_by: q, limit: 5, rate: 1/s, p99: 1s }
  word:      { search: e, in: [t], limit: 5, rate: 1/s, p99: 1s }
  month:     { aggregate: e, group_by: day(at), over: 30d, rate: 1/s, p99: 1s }
  all:       { aggregate: e, group_by: n, rate: 1/s, p99: 1s }
  both:      { transaction: [{ insert: e, with: [l] }, { update: e, set: { n: any } }], rate: 1/h, p99: 1s }
  add:       { insert: e, with: [l], rate: 1/h, p99: 1s }
requirements: { peak: 2x, durability: fsync }
candidates: [none]
`,
    'log.yaml',
  )

test('each operation tells whether it would ask for archived rows, and how often', () => {
  const scenario = scenarioOf('archive: { after: 2y, to: object-storage }')
  const told = Object.fromEntries(scenario.operations.map((operation) => [operation.name, archivedReads(scenario, operation)?.what ?? null]))
  expect(told).toEqual({
    any_row: 'asks for archived rows of e in 80 % of its calls',
    hot_row: null,
    mixed_row: 'asks for archived rows of e in 15 % of its calls',
    new_row: 'asks for archived rows of e in 2.3 % of its calls',
    newest: 'comes to archived rows of e where there are too few newer ones for a page',
    pages: 'begins at archived rows of e in 40 % of its calls',
    oldest: 'reads rows of e of any age',
    window: null,
    lines: 'reads rows of e of any age',
    word: 'finds rows of e of any age',
    month: null,
    all: 'adds up rows of e of any age',
    both: 'asks for archived rows of e in 80 % of its calls',
    add: null,
  })
  const warned = warningsOf(scenario).flatMap(({ path, message }) => (path[0] === 'operations' && /archived/.test(message) ? [path[1]] : []))
  expect(warned).toEqual(['any_row', 'mixed_row', 'new_row', 'pages', 'oldest', 'lines', 'word', 'all', 'both'])
})

test('the share of picks by age that go to older rows is that of the tiers behind, and a part of the one between', () => {
  const scenario = scenarioOf('archive: { after: 2y, to: object-storage }')
  const [mixed, e] = [scenario.operations.find(({ name }) => name === 'mixed_row') as Operation, entityOf(scenario, 'e')]
  // Of three years from the first to the fourth two lie behind the second.
  expect(archivedShare(mixed.pick, e, 2 * yearMs)).toBeCloseTo(0.15 * (2 / 3) + 0.05, 9)
  expect(archivedShare({ ...mixed.pick, miss: 0.5 }, e, 2 * yearMs)).toBeCloseTo(0.5 * (0.1 + 0.05), 9)
  expect(archivedShare(mixed.pick, e, 10 * yearMs)).toBeCloseTo(0, 9)
})

test('nothing is said where nothing is archived, or nothing is old enough', () => {
  for (const archive of ['', 'archive: { after: 11y, to: object-storage }']) {
    const scenario = scenarioOf(archive)
    for (const operation of scenario.operations) expect(archivedReads(scenario, operation), operation.name).toBeNull()
  }
})
