import { describe, expect, test } from 'vitest'
import { bracketOf, nextMultiple, type SearchStep } from '../../../src/replay/search.ts'

/** Searches a candidate that holds up to `limit`. */
function searched(
  limit: number,
  saturated: number,
  most: number,
  verdict: (multiple: number) => SearchStep['verdict'] = () => 'valid',
): SearchStep[] {
  const steps: SearchStep[] = []
  for (;;) {
    const multiple = nextMultiple(steps, saturated, most)
    if (multiple === null) return steps
    steps.push({ multiple, outcome: multiple <= limit ? 'met' : 'missed', verdict: verdict(multiple) })
  }
}

describe('the search', () => {
  test.each([0.05, 0.3, 1, 2.7, 9.9, 40, 300])('brackets a limit of %d within 5 %%, wherever the closed loop saw it', (limit) => {
    for (const saturated of [limit * 0.5, limit, limit * 3]) {
      const { low, high } = bracketOf(searched(limit, saturated, 20))
      expect(low).toBeLessThanOrEqual(limit)
      expect(high).toBeGreaterThan(limit)
      expect((high as number) / (low as number)).toBeLessThan(1.06)
    }
  })

  test('stays within its steps, and its bracket always holds the limit', () => {
    for (const most of [1, 3, 5, 8]) {
      const steps = searched(3.3, 6, most)
      expect(steps.length).toBeLessThanOrEqual(most)
      const { low, high } = bracketOf(steps)
      if (low !== null) expect(low).toBeLessThanOrEqual(3.3)
      if (high !== null) expect(high).toBeGreaterThan(3.3)
    }
  })

  test('ends, censored, where the harness is the limit', () => {
    const steps = searched(Number.POSITIVE_INFINITY, 10, 20, (multiple) => (multiple > 8 ? 'client-bound' : 'valid'))
    const late = steps.map((step) => (step.verdict === 'client-bound' ? { ...step, outcome: 'undetermined' as const } : step))
    expect(bracketOf(late)).toMatchObject({ high: null, clientBound: true })
    expect(nextMultiple(late, 10, 20)).toBeNull()
  })

  test('a broken step ends it; what was not shown to be met bounds it without being called missed', () => {
    expect(nextMultiple([{ multiple: 1, outcome: 'met', verdict: 'broken' }], 2, 9)).toBeNull()
    const steps: SearchStep[] = [
      { multiple: 1, outcome: 'met', verdict: 'valid' },
      { multiple: 2, outcome: 'undetermined', verdict: 'valid' },
    ]
    expect(bracketOf(steps)).toEqual({ low: 1, high: null, clientBound: false })
    expect(nextMultiple(steps, 2, 9)).toBeCloseTo(1.41, 2)
  })
})
