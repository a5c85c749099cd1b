/** What a run gives reason to try of its indexes, and nothing else. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { fixesOf } from '../../../src/assess/judge/fixes.ts'
import { withFixes } from '../../../src/commands/advise.ts'
import { type CandidateResult, readResult } from '../../../src/result/result.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const { scenario } = result
const postgres = result.candidates.find(({ name }) => name === 'postgres') as CandidateResult
/** An index that no constraint needs, and that finds no rows that refer to others. */
const [free] = postgres.model.stores.flatMap(({ name, indexes, references }) =>
  indexes.flatMap(({ name: index, unique, kind, columns }) =>
    unique || kind === 'expiry' || references.some(({ field }) => columns[0]?.field === field) ? [] : [{ store: name, index }],
  ),
)
const { store, index } = free as { store: string; index: string }
type Explanation = CandidateResult['explanations'][number]
const told = (change: Partial<Explanation>): Partial<CandidateResult> => ({
  explanations: [{ operation: 'order_history', plan: '', read: null, scans: [], sortedRows: null, ...change }],
})
const used = (uses: number): Partial<CandidateResult> => ({ indexUse: [{ table: store, index, uses }], indexUseOf: 'all starts' })
const without = (): CandidateResult => ({
  ...postgres,
  indexUse: [],
  model: { ...postgres.model, stores: postgres.model.stores.map((each) => ({ ...each, indexes: [] })) },
})

test('an index that no call used is one that is dropped; a used one is not, nor one that was not counted in all starts', () => {
  expect(fixesOf({ ...postgres, ...used(0) }, scenario).map(({ change }) => change)).toEqual([{ kind: 'drop', store, index }])
  expect(fixesOf({ ...postgres, ...used(1) }, scenario)).toEqual([])
  expect(fixesOf({ ...postgres, ...used(0), indexUseOf: 'last start', restores: 1 } as CandidateResult, scenario)).toEqual([])
})

test.each([
  ['reads a store whole', { scans: [{ store: 'order', rows: 5000 }] }],
  ['throws away what it looks at', { read: { rows: 5000, returned: 20 } }],
  ['sorts many rows', { sortedRows: 5000 }],
])('a list that %s gets an index on what it asks for, in its order', (_, change) => {
  const [fix, ...more] = fixesOf({ ...without(), ...told(change) }, scenario)
  expect(more).toEqual([])
  expect(fix?.change).toMatchObject({ kind: 'add', store: 'order', serves: ['order_history'] })
  const operation = scenario.operations.find(({ name }) => name === 'order_history')
  const first = operation?.kind === 'list' ? operation.where[0]?.field : ''
  expect(fix?.change.kind === 'add' ? fix.change.columns[0]?.field : null).toBe(first)
  expect(fix?.what).toMatch(/^with an index of order on /)
})

test('a list that reads little needs none, and neither does one whose index is there', () => {
  expect(
    fixesOf({ ...without(), ...told({ scans: [{ store: 'order', rows: 10 }], read: { rows: 20, returned: 20 }, sortedRows: 0 }) }, scenario),
  ).toEqual([])
  expect(fixesOf({ ...postgres, indexUse: [], ...told({ sortedRows: 5000 }) }, scenario)).toEqual([])
})

test('where an index is a store of its own nothing is tried', () => {
  const cassandra = result.candidates.find(({ name }) => name === 'cassandra') as CandidateResult
  expect(fixesOf({ ...cassandra, ...told({ sortedRows: 5000 }) }, scenario)).toEqual([])
})

test('each fix is a candidate of its own beside the design as it is', () => {
  const fixes = fixesOf({ ...postgres, ...used(0) }, scenario)
  const { candidates } = withFixes(scenario, 'postgres', fixes)
  expect(candidates.map(({ name, indexChanges }) => [name, indexChanges])).toEqual([
    ['postgres', undefined],
    ['postgres-1', [{ kind: 'drop', store, index }]],
  ])
})
