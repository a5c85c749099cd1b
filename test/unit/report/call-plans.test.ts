/** What a server tells of one call is a row of a table, and a finding only where rows were many and found by nobody. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { antiPatterns } from '../../../src/report/anti-patterns.ts'
import { arePlansTold, planRows, sortsWithoutIndex, thrownAway, wholeReads } from '../../../src/report/call-plans.ts'
import { type CandidateResult, readResult } from '../../../src/result/result.ts'

const { scenario, candidates } = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
type Told = Partial<CandidateResult['explanations'][number]>
const explained = (operation: string, told: Told) => ({
  explanations: [{ operation, plan: 'words', read: { rows: 20, returned: 20 }, scans: [], sortedRows: 0, ...told }],
})
const findings = (operation: string, told: Told) =>
  [wholeReads, thrownAway, sortsWithoutIndex].flatMap((of) => of(explained(operation, told), scenario))

test('a call that finds what it looks at is no finding', () => {
  expect(findings('order_history', {})).toEqual([])
  expect(planRows(explained('order_history', {}))).toEqual([['order_history', '20', '20', '1', '—', '0']])
})

test('a store that is read whole, rows that are thrown away and long sorts are, each with its numbers', () => {
  expect(findings('order_history', { read: { rows: 6000, returned: 20 }, scans: [{ store: 'order', rows: 6000 }] })).toEqual([
    'one order_history reads all 6000 rows of order, and more as it grows: no index serves it',
  ])
  expect(findings('order_history', { read: { rows: 6000, returned: 20 } })).toEqual([
    'one order_history looks at 6000 rows for 20 that it finds: an index with more of its conditions would look at fewer',
  ])
  expect(findings('browse_category', { sortedRows: 4000 })).toEqual([
    'one browse_category sorts 4000 rows: an index in its order would find the first ones at once',
  ])
  expect(planRows(explained('order_history', { read: { rows: 6000, returned: 0 }, scans: [{ store: 'order', rows: 6000 }] }))).toEqual([
    ['order_history', '0', '6000', '—', 'order (6000 rows)', '0'],
  ])
})

test('few rows are read in any way, and what adds rows up must look at them', () => {
  expect(findings('order_history', { read: { rows: 900, returned: 1 }, scans: [{ store: 'order', rows: 900 }], sortedRows: 900 })).toEqual([])
  expect(findings('daily_revenue', { read: { rows: 90_000, returned: 30 }, scans: [{ store: 'order', rows: 90_000 }], sortedRows: 90_000 })).toEqual(
    [],
  )
})

test('where the server tells words alone nothing was looked for', () => {
  const candidate = candidates.find(({ name }) => name === 'postgres') as CandidateResult
  expect(arePlansTold(candidate)).toBe(false)
  expect(planRows(candidate)).toEqual([])
  const looked = (own: CandidateResult) => antiPatterns(own, scenario).map(({ what }) => what)
  expect(looked(candidate)).not.toContain('calls that sort many rows')
  expect(looked({ ...candidate, ...explained('get_order', {}) })).toContain('calls that sort many rows')
})
