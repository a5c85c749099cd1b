import { expect, test } from 'vitest'
import { isResumed } from '../../../src/report/environment.ts'
import type { CandidateResult } from '../../../src/result/result.ts'

const ran = (starts: number[], restores: number, restarts = 0) =>
  ({
    trials: starts.map((start) => ({ start })),
    restores,
    restarts: Array.from({ length: restarts }, () => ({ reason: 'it ended' })),
  }) as unknown as CandidateResult

test('several starts of one run are no interruption', () => {
  expect(isResumed(ran([1, 1, 2, 2, 3], 2))).toBe(false)
  expect(isResumed(ran([1, 2, 2, 3], 1, 1))).toBe(false)
  expect(isResumed(ran([], 0))).toBe(false)
})

test('starts that this process did not make are an earlier one’s', () => {
  expect(isResumed(ran([1, 1, 2, 3], 1))).toBe(true)
  expect(isResumed(ran([1, 2], 0))).toBe(true)
})
