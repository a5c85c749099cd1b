/** What is learnt of an operation's cost from which trials. */
import { expect, test } from 'vitest'
import { workOf } from '../../../src/assess/work.ts'
import type { CandidateResult, TrialResult } from '../../../src/result.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

const operation = { name: 'get', kind: 'get' } as unknown as Operation
const trial = (over: Partial<TrialResult>, completed: number, cores: number) =>
  ({
    phase: 'curve',
    client: 'wire',
    seconds: 2,
    saturated: false,
    validity: { verdict: 'valid', reasons: [] },
    resources: { server: { cpuCores: cores }, disk: null },
    // Of a saturated loop half of the answers came after the window.
    operations: { get: { ok: 2 * completed, miss: 0, conflict: 0, completed } },
    ...over,
  }) as unknown as TrialResult
const costOf = (trials: TrialResult[]) => {
  const work = workOf({ name: 'x', compiled: [{ operation: 'get' }], trials } as unknown as CandidateResult, [operation])
  const figure = work?.perOperation.get('get')
  return figure?.kind === 'given' ? figure.range.mid : undefined
}

test('an operation costs what its answers inside the window cost', () => {
  expect(costOf([trial({}, 2000, 0.1)])).toBeCloseTo(1e-4, 9)
})

test('a saturated trial tells no cost', () => {
  expect(costOf([trial({}, 2000, 0.1), trial({}, 2000, 0.1), trial({ saturated: true }, 2000, 0.9)])).toBeCloseTo(1e-4, 9)
  expect(costOf([trial({ saturated: true }, 2000, 0.9)])).toBeUndefined()
})
