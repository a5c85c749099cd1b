/** Whether all objectives hold on a planned fleet: who is out for it, who stands on a condition, and who is only at risk. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { AtScale } from '../../../src/assess/capacity/at-scale.ts'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { objectiveConstraints } from '../../../src/assess/decision/objective-constraints.ts'
import { Drawn } from '../../../src/assess/figures/drawn.ts'
import { exactly, type Figure, given } from '../../../src/assess/figures/figure.ts'
import type { PlannedCall } from '../../../src/assess/fleet/latency-of-plan.ts'
import { assess, type CandidateAssessment } from '../../../src/assess/judge/assess.ts'
import { unloadedText } from '../../../src/report/plan.ts'
import { type CandidateResult, readResult } from '../../../src/result/result.ts'
import { readScenario } from '../../../src/scenario/read.ts'

const scenario = readScenario('ecommerce')
const seconds = (path: string, value: number): Figure<'seconds'> => given(path, 'seconds', exactly(value), 'measured', 'by this test')
const call = (operation: string, aloneMs: number, totalMs: number, unloaded = false): PlannedCall => ({
  operation,
  objective: 'p99',
  limitMs: 10,
  month: 0,
  load: 'peak',
  alone: seconds(`${operation}.alone`, aloneMs / 1000),
  total: seconds(`${operation}.total`, totalMs / 1000),
  added: [],
  unloaded,
  answers: 400,
})
const slow = (rollup: AtScale['rollup']) => ({ operation: 'sum', probability: 1, probabilityNow: 1, rollup }) as AtScale
const rollup = { by: 'hour', rows: 721, writers: [], writesPerSecond: 0, stalenessMs: null }
const atPeak = (calls: PlannedCall[], atScale: AtScale[] = [], holdsAtLowest = 0.97, isLight = true, shares: unknown = null) => {
  const scaled = atScale.map(({ operation }) => ({ operation, limitMs: 2000, now: seconds('sum.now', 3), horizon: seconds('sum.then', 9) }))
  const figures = [...calls.flatMap(({ alone, total }) => [alone, total]), ...scaled.flatMap(({ now, horizon }) => [now, horizon])]
  const planned = { latency: { loads: [], calls, untold: ['p99 of sum', 'p99 of rare'] }, scaled, drawn: new Drawn(figures, 1), months: 36 }
  const found = objectiveConstraints(
    {} as CandidateResult,
    { tried: { holdsAtLowest, isLight, shares } } as CandidateAssessment,
    scenario,
    atScale,
    planned,
  )
  return found.find(({ name }) => name === 'objectives at peak')
}

describe('every objective on the fleet', () => {
  test('holds where all do', () => {
    expect(atPeak([call('a', 4, 6)])).toMatchObject({ state: 'holds', probability: 1, asked: '10 limits at 3×' })
  })

  test('fails at the lightest rate that was tried: out; by what is planned and assumed alone: open, with its probability', () => {
    expect(atPeak([call('a', 4, 6), call('b', 12, 13)], [], 0.05)).toMatchObject({ state: 'out', probability: 0 })
    expect(atPeak([call('a', 4, 6), call('b', 8, 13)])).toMatchObject({ state: 'open', probability: 0 })
  })

  test('fails at the lightest rate that was tried, which was no light one: open, for lighter ones may hold', () => {
    expect(atPeak([call('a', 4, 6), call('b', 12, 13)], [], 0.05, false)).toMatchObject({ state: 'open', probability: 0 })
    const late = (lightest: number, heaviest: number) => [
      { multiple: 0.5, share: lightest },
      { multiple: 2, share: heaviest },
    ]
    expect(atPeak([call('a', 4, 6), call('b', 12, 13)], [], 0.05, false, late(0.03, 0.4))).toMatchObject({ state: 'open' })
    // Half of the answers are late under every load: less of it mends nothing.
    expect(atPeak([call('a', 4, 6), call('b', 12, 13)], [], 0.05, false, late(0.5, 0.5))).toMatchObject({ state: 'out' })
  })

  test('fails at any load: out, unless the planned volume is faster than the disk of the bench', () => {
    expect(atPeak([call('a', 4, 6), call('b', 12, 13, true)])).toMatchObject({ state: 'out', probability: 0 })
    expect(atPeak([call('a', 4, 6), call('b', 12, 9, true)])).toMatchObject({ state: 'holds', probability: 1 })
  })

  test('fails on the rows of production: on the condition of a summary table, and out where none would mend it', () => {
    const found = atPeak([call('a', 4, 6)], [slow(rollup)])
    expect(found).toMatchObject({ state: 'condition', probability: 0, condition: { operations: ['sum'], probability: 1 } })
    expect(found?.evidence).toBe(
      'sum on the rows of production decides: 3 s of 2 s now, which holds in 0 % of the draws; with sum rolled up p99 of a decides: 6 ms of 10 ms now, which holds in more than 99 % of the draws, by only 400 calls; called too rarely to tell: p99 of rare',
    )
    expect(atPeak([call('a', 4, 6)], [slow(null)])).toMatchObject({ state: 'out', condition: null })
    // With it another limit fails, which only what is planned says: nothing to stand on.
    const other = atPeak([call('b', 8, 13)], [slow(rollup)])
    expect(other).toMatchObject({ state: 'open', probability: 0, condition: { operations: ['sum'], probability: 0 } })
    expect(other?.evidence).toContain('all hold in 0 % of the draws then: that mends too little to stand on')
    // A summary table mends nothing else.
    expect(atPeak([call('b', 12, 13)], [slow(rollup)], 0.05)).toMatchObject({ state: 'out' })
  })
})

describe('a write that is late at any load', () => {
  const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
  const candidate = result.candidates.find(({ name }) => name === 'mongodb') as CandidateResult
  result.candidates = [candidate]
  for (const { operations, arrival, resources } of candidate.trials) {
    const own = operations.write_session
    // At its peak it uses its one core.
    if (arrival.multiple === 3 && resources.server !== null) resources.server.cpuCores = 1
    if (arrival.loop === 'open' && own !== undefined) own.exceeded.p99 = Math.round(0.03 * own.intended)
  }
  Object.assign(candidate.capacity, { boundBy: 'p99 of write_session', multiple: { low: 0.01, mid: 0.02, high: 0.03, confidence: 0.8 } })
  if (result.calibration !== null) result.calibration.fsyncUs.p50 = 4000
  const assessment = assess(result)
  const { decision } = decide(result, assessment, { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
  const [own] = decision.candidates

  test('is told by name with its share at the lightest load, and what would mend it', () => {
    expect(own?.unloaded).toMatchObject([{ operation: 'write_session', limitMs: 10, flushMs: 4 }])
    const [missed] = assessment.candidates[0]?.unloaded ?? []
    expect(missed?.share).toBeCloseTo(0.03, 2)
    expect(missed === undefined ? '' : unloadedText('mongodb', missed)).toMatch(
      /^mongodb: p99 of write_session is missed at any load that was measured: [\d.]+ % of the answers took longer than 10\.0 ms at 0\.26× already, .* No number of servers mends that, and none is bought for it: a volume that flushes faster \(the disk of the bench took 4\.00 ms/,
    )
  })

  test('buys no server: what load drives does', () => {
    expect(own?.plan?.carried.p50).toBeGreaterThan(0.2)
  })

  test('is as fast as the planned volume makes it, which may be faster than the disk of the bench', () => {
    const calls = own?.plan?.latency.calls.filter(({ operation }) => operation === 'write_session') ?? []
    expect(calls.length).toBeGreaterThan(0)
    for (const { added } of calls) expect(added.find(({ name }) => name === 'flush of a volume')?.ms).toBeCloseTo(1.5 - 4, 6)
    expect(new Set(calls.map(({ aloneMs }) => aloneMs.p50)).size).toBe(1)
  })
})
