/** What slides say, before they are drawn. */
import { expect, test } from 'vitest'
import { Histogram } from '../../../src/measure/histogram.ts'
import { storageSlide } from '../../../src/report/charts/charts.ts'
import { percentileSlide } from '../../../src/report/charts/percentiles.ts'
import type { CandidateResult, TrialResult } from '../../../src/result/result.ts'
import type { Scenario } from '../../../src/scenario/scenario.ts'

const operations = [
  { name: 'rare', ratePerSecond: 1 },
  { name: 'get', ratePerSecond: 100 },
] as Scenario['operations']

/** So many answers of so many µs. */
function round(answers: [count: number, us: number][], saturated = false): TrialResult {
  const histogram = new Histogram()
  for (const [count, us] of answers) for (let at = 0; at < count; at++) histogram.record(us * 1000)
  const responseUs = { count: histogram.count, p50: 1, p99: 1, encoded: histogram.encode() }
  return {
    phase: 'confirmation',
    mix: 'full',
    arrival: { multiple: 1 },
    saturated,
    validity: { verdict: 'valid', reasons: [], clientBound: [] },
    operations: { get: { responseUs } },
  } as unknown as TrialResult
}
const candidate = (trials: TrialResult[]) => ({ name: 'engine', provision: null, mix: 'full', trials }) as unknown as CandidateResult

test('percentiles are those of all rounds together, and none is drawn of too few answers', () => {
  const rounds = [round([[300, 1000]]), round([[300, 1000]]), round([[270, 1000], [30, 50_000]])] // biome-ignore format: a round each
  const slide = percentileSlide([candidate(rounds)], { operations })
  expect(slide?.labels).toEqual(['p50', 'p90', 'p95', 'p99', 'p99.9', 'max'])
  const [p50, p90, , p99, p999, max] = slide?.datasets[0]?.data as (number | null)[]
  // 30 of 900 answers took 50 ms: no round of the middle p99 shows them.
  expect([p50, p90].every((ms) => Math.abs((ms as number) - 1) < 0.01)).toBe(true)
  expect(p99).toBeCloseTo(50, 0)
  expect(max).toBeCloseTo(50, 0)
  expect(p999).toBeNull()
  expect(slide?.title).toMatch(/^get: p99 at average load is engine 50\.0 ms$/)
})

test('a p99 is in the title only where there is one, and of a saturated server there is nothing', () => {
  expect(percentileSlide([candidate([round([[200, 1000]])])], { operations })?.title).toBe('get: too few answers at average load for a p99')
  expect(percentileSlide([candidate([round([[900, 1000]]), round([[900, 1000]], true)])], { operations })).toBeUndefined()
})

test('the title of the space that data take has every size: who has the least is none by a hair', () => {
  const stored = (name: string, bytes: number) =>
    ({
      name,
      provision: null,
      storage: { at: [{ rows: 10, tables: [{ name: 't', bytes }], indexes: [{ name: 'i', table: 't', bytes: 1e6 }] }] },
    }) as unknown as CandidateResult
  expect(storageSlide([stored('a', 20.1e6), stored('b', 20e6)])?.title).toBe('Tables and indexes together: b 21.0 MB, a 21.1 MB')
})
