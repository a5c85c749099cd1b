/** Several runs as one: what they differ by is in the interval. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { assess } from '../../../src/assess/assess.ts'
import { pooledOf, poolResults } from '../../../src/assess/pool.ts'
import { keyOf, Source } from '../../../src/data/random.ts'
import { type Result, readResult } from '../../../src/result.ts'

const golden = readResult(fileURLToPath(new URL('../../golden/results/small.json', import.meta.url)))

/** The golden run again, at another time, with capacities that many times its own. */
function again(startedAt: string, factor: number): Result {
  const run = structuredClone(golden)
  run.startedAt = startedAt
  for (const { capacity } of run.candidates)
    for (const kind of ['saturation', 'cpu', 'objectives', 'multiple'] as const) {
      const own = capacity[kind]
      if (own !== null) Object.assign(own, { low: own.low * factor, mid: own.mid * factor, high: own.high === null ? null : own.high * factor })
    }
  return run
}

describe('random effects', () => {
  const interval = (mid: number, reach: number) => ({ low: mid / reach, mid, high: mid * reach, confidence: 0.8 })

  test('runs that agree are surer than one, runs that differ are not', () => {
    const one = pooledOf([interval(2, 1.1)]).pooled
    const agreeing = pooledOf([interval(2, 1.1), interval(2.02, 1.1), interval(1.98, 1.1), interval(2, 1.1)]).pooled
    const differing = pooledOf([interval(1, 1.02), interval(2, 1.02), interval(4, 1.02)])
    expect((agreeing.high ?? 0) / agreeing.low).toBeLessThan((one.high ?? 0) / one.low)
    expect(differing.pooled.mid).toBeCloseTo(2, 2)
    expect((differing.pooled.high ?? 0) / differing.pooled.low).toBeGreaterThan(2)
    expect(differing.runsDiffer).toBeGreaterThan(2)
  })

  test('the interval holds the truth as often as it says, though runs differ by more than each of them knows', () => {
    const draws = new Source().restart(keyOf(11, 'runs'), 1)
    const normal = () => Array.from({ length: 12 }, () => draws.next()).reduce((sum, each) => sum + each, 0) - 6
    const held = Array.from({ length: 400 }, () => {
      const runs = Array.from({ length: 5 }, () => interval(3 * Math.exp(0.1 * normal() + 0.04 * normal()), Math.exp(1.2816 * 0.04)))
      const { low, high } = pooledOf(runs).pooled
      return low <= 3 && 3 <= (high ?? 0)
    }).filter(Boolean).length
    expect(held / 400).toBeGreaterThan(0.74)
    expect(held / 400).toBeLessThan(0.9)
  })

  test('what was reached from below only has no upper end', () => {
    expect(pooledOf([interval(2, 1.1), { low: 2, mid: 2.5, high: null, confidence: 0.8 }]).pooled.high).toBeNull()
  })
})

describe('pooled results', () => {
  const runs = [again('2026-11-01T10:00:00.000Z', 1), again('2026-11-02T10:00:00.000Z', 1.2), again('2026-11-03T10:00:00.000Z', 0.9)]

  test('are one result, with every trial of all runs and their capacities pooled', () => {
    const { result, numbers } = poolResults(runs)
    const [candidate] = result.candidates
    const own = golden.candidates[0]
    expect(candidate?.trials.length).toBe(3 * (own?.trials.length ?? 0))
    expect(new Set(candidate?.trials.map((trial) => trial.start)).size).toBe(3 * new Set(own?.trials.map((trial) => trial.start)).size)
    const saturation = numbers.find((each) => each.number === 'saturation')
    expect(saturation?.runs.map((each) => (each ?? 0) / (own?.capacity.saturation?.mid ?? 1))).toEqual([
      1,
      expect.closeTo(1.2, 6),
      expect.closeTo(0.9, 6),
    ])
    expect(candidate?.capacity.saturation).toEqual(saturation?.pooled)
    expect(assess(result).candidates[0]?.wrong).toBe(3 * assess(golden).candidates[0]!.wrong)
  })

  test('one that failed once has failed', () => {
    const failed = structuredClone(runs)
    Object.assign(failed[1]?.candidates[0] ?? {}, { failure: 'the server ended' })
    expect(poolResults(failed).result.candidates[0]?.failure).toBe('in run 2 of 3: the server ended')
  })

  test('the same run twice, another seed and an interrupted run are refused', () => {
    expect(() => poolResults([golden, golden])).toThrow('given twice')
    expect(() => poolResults([golden, { ...again('2026-11-04T10:00:00.000Z', 1), seed: 99 }])).toThrow('different things')
    expect(() => poolResults([golden, { ...again('2026-11-04T10:00:00.000Z', 1), status: 'interrupted' }])).toThrow('interrupted')
  })
})
