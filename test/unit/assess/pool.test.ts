/** Several runs as one: what they differ by is in the interval. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Decision } from '../../../src/assess/decision/decision.ts'
import { agreementOf } from '../../../src/assess/judge/agreement.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { cautionNotes } from '../../../src/assess/judge/cautions.ts'
import { pooledOf, poolResults } from '../../../src/assess/judge/pool.ts'
import { pooledEquals } from '../../../src/assess/judge/pooled-equals.ts'
import type { Resolution } from '../../../src/assess/judge/resolution.ts'
import { keyOf, Source } from '../../../src/data/random.ts'
import { type Result, readResult } from '../../../src/result/result.ts'

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

  test('client-bound closed loops say nothing beside others, and bound nothing', () => {
    const open = structuredClone(runs)
    const bound = (at: number) => Object.assign(open[at]?.candidates[0]?.capacity.saturation ?? {}, { low: 1, mid: 1, high: null })
    bound(1)
    const saturationOf = (of: Result[]) => poolResults(of).result.candidates[0]?.capacity.saturation
    expect(saturationOf(open)).toEqual(saturationOf([runs[0] as Result, runs[2] as Result]))
    bound(0)
    // One run without an interval is not made surer by those that say nothing.
    expect(saturationOf(open)).toEqual(open[2]?.candidates[0]?.capacity.saturation)
    bound(2)
    const { candidates } = poolResults(open).result
    expect(candidates[0]?.capacity).toMatchObject({ saturation: { mid: expect.closeTo(1, 6), high: null }, bound: 'measured' })
    expect(candidates[0]?.capacity.multiple).toEqual(candidates[0]?.capacity.cpu)
    expect(cautionNotes({ candidates })).toContainEqual(
      expect.stringMatching(/^postgres † was less busy than the harness in its closed loops \(client-bound\): its saturation is a lower bound/),
    )
  })

  test('a server that was not level in one run has lower bounds in all of them, and it is said why', () => {
    const open = structuredClone(runs)
    const { steady, capacity } = open[0]?.candidates[0] ?? {}
    Object.assign(steady ?? {}, { reached: false })
    Object.assign(capacity?.saturation ?? {}, { high: null })
    const { candidates } = poolResults(open).result
    expect(candidates[0]?.capacity.saturation?.high).toBeNull()
    expect(candidates[0]?.capacity.saturation?.mid).toBeCloseTo(poolResults(runs).result.candidates[0]?.capacity.saturation?.mid as number, 6)
    const notes = cautionNotes({ candidates }).filter((note) => note.startsWith('postgres'))
    expect(notes).toContainEqual(expect.stringContaining('never became level'))
    expect(notes).not.toContainEqual(expect.stringContaining('client-bound'))
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

describe('how far runs agree', () => {
  const runs = [again('2026-11-01T10:00:00.000Z', 1), again('2026-11-02T10:00:00.000Z', 1.2), again('2026-11-03T10:00:00.000Z', 0.9)]
  const name = golden.candidates[0]?.name as string
  const decided = (probability: number, places: [string, number][]) =>
    ({
      candidates: [
        {
          name,
          out: probability < 0.1,
          constraints: [
            { name: 'objectives at peak', probability },
            { name: 'runs', probability: 1 },
          ],
        },
      ],
      ranking: { standings: places.map(([each, rank]) => ({ name: each, rank })) },
    }) as unknown as Decision

  test('the spread is that of the farthest run, and each interval that holds the middle is counted', () => {
    const { numbers } = poolResults(runs)
    const { candidates, ranksAgree } = agreementOf(runs, [null, null, null], numbers)
    const [own] = candidates
    expect(own?.saturationSpreadPercent).toBeCloseTo(20, 6)
    expect(own?.cpuPerOperationSpreadPercent).toBeCloseTo(0, 6)
    const holds = (factor: number) => {
      const { low = 0, high = null } = golden.candidates[0]?.capacity.saturation ?? {}
      const mid = golden.candidates[0]?.capacity.saturation?.mid ?? 0
      return low * factor <= mid && mid <= (high ?? Number.POSITIVE_INFINITY) * factor
    }
    expect(own?.intervalsHold.saturation).toEqual({ held: [1, 1.2, 0.9].filter(holds).length, of: 3 })
    expect(own?.flips).toBe(false)
    expect(ranksAgree).toBe(true)
  })

  test('almost surely in, in one run, and almost surely out in another is a flip; likely is none', () => {
    const { numbers } = poolResults(runs)
    const of = (...shares: number[]) =>
      agreementOf(
        runs,
        shares.map((share) => decided(share, [[name, 1]])),
        numbers,
      ).candidates[0]
    expect(of(0.95, 0.5, 0.05)).toMatchObject({ flips: true, runs: [{ probabilityIn: 0.95, out: false }, { probabilityIn: 0.5 }, { out: true }] })
    expect(of(0.95, 0.5, 0.15)?.flips).toBe(false)
  })

  test('candidates that change places are said, those that share a rank in between do not', () => {
    const two = runs.map((run) => ({ ...run, candidates: [run.candidates[0], { ...run.candidates[0], name: 'other' }] })) as Result[]
    const of = (...places: [number, number][]) =>
      agreementOf(
        two,
        places.map(([own, other]) =>
          decided(1, [
            [name, own],
            ['other', other],
          ]),
        ),
        [],
      ).ranksAgree
    expect(of([1, 2], [1, 1], [1, 2])).toBe(true)
    expect(of([1, 2], [1, 1], [2, 1])).toBe(false)
  })
})

test('ten trials of equals: in how many was each number called different', () => {
  const trial = (verdict: 'tie' | 'different', ratio: number, eliminated: string[] = []): Resolution => ({
    engine: 'postgres',
    rows: [
      { number: 'capacity: saturation', a: 1, b: ratio, ratio, verdict },
      { number: 'p99 of read at 3×, µs', a: 1, b: 3, ratio: 3, verdict: 'different' },
      { number: 'CPU per operation, µs', a: null, b: null, ratio: null, verdict: 'tie' },
    ],
    eliminated,
  })
  const found = pooledEquals([...Array.from({ length: 8 }, () => trial('tie', 1.02)), trial('different', 0.8), trial('tie', 1, ['b'])])
  expect(found).toMatchObject({ engines: ['postgres'], trials: 10, trialsWithDifference: 1, eliminations: 1 })
  expect(found.rows).toEqual([
    { number: 'capacity: saturation', trials: 10, different: 1, largestRatio: expect.closeTo(1.25, 9) },
    { number: 'p99 of read at 3×, µs', trials: 10, different: 10, largestRatio: expect.closeTo(3, 9) },
    { number: 'CPU per operation, µs', trials: 0, different: 0, largestRatio: null },
  ])
})
