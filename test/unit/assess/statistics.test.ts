/** Intervals and verdicts on pairs, on data whose truth is known; seeds are fixed. */
import { describe, expect, test } from 'vitest'
import { keyOf, Source } from '../../../src/data/random.ts'
import { holm, pairedRatio, scatterOf } from '../../../src/stats/intervals.ts'

/** The rounds that `standard` has. */
const rounds = 5
const draws = new Source().restart(keyOf(11, 'pairs'), 1)
const normal = () => Math.sqrt(-2 * Math.log(1 - draws.next())) * Math.cos(2 * Math.PI * draws.next())

/** Rounds of two candidates: the machine moves both by the same factor, each moves a little by itself. */
function pairs(ratio: number): [number, number][] {
  return Array.from({ length: rounds }, () => {
    const machine = Math.exp(0.2 * normal())
    return [1000 * machine * Math.exp(0.02 * normal()), 1000 * ratio * machine * Math.exp(0.02 * normal())]
  })
}
const differs = (of: [number, number][]) => {
  const { low = 0, high = 2 } = pairedRatio(of)?.interval ?? {}
  return high < 1 || low > 1
}

describe('A/A', () => {
  test('of 200 equal pairs at most 18 are called different', () => {
    expect(Array.from({ length: 200 }, () => differs(pairs(1))).filter(Boolean).length).toBeLessThanOrEqual(18)
  })

  test('a real 10 % is found in at least 90 %', () => {
    expect(Array.from({ length: 200 }, () => differs(pairs(1.1))).filter(Boolean).length).toBeGreaterThanOrEqual(180)
  })

  test('the probability says which way', () => {
    expect(pairedRatio(pairs(0.8))?.belowOne).toBeGreaterThan(0.95)
    expect(pairedRatio(pairs(1.25))?.belowOne).toBeLessThan(0.05)
  })
})

/** The level of positive values. */
const levelOf = (values: number[]) => pairedRatio(values.map((value) => [1, value]))?.interval ?? null

describe('intervals', () => {
  test('hold the truth in about 95 of 100 cases', () => {
    const held = Array.from({ length: 400 }, () => {
      const { low = 0, high = 0 } = levelOf(Array.from({ length: rounds }, () => 50 * Math.exp(0.3 * normal()))) ?? {}
      return low <= 50 && high >= 50
    }).filter(Boolean).length
    expect(held / 400).toBeGreaterThan(0.92)
    expect(held / 400).toBeLessThan(0.98)
  })

  test('of three repeats it is Student’s t, of fewer there is none', () => {
    // t(0.975, 2) = 4.303, standard error ln 2 / √3.
    expect(Math.log(levelOf([1, 2, 4])?.high ?? 0) - Math.log(2)).toBeCloseTo((4.3027 * Math.LN2) / Math.sqrt(3), 3)
    expect(levelOf([1, 2])).toBeNull()
    const three = Array.from({ length: 400 }, () => {
      const { low = 0, high = 0 } = levelOf([1, 2, 3].map(() => 50 * Math.exp(0.3 * normal()))) ?? {}
      return low <= 50 && high >= 50
    }).filter(Boolean).length
    expect(three / 400).toBeGreaterThan(0.92)
  })

  test('three rounds that agree by luck are no evidence where others scatter', () => {
    const lucky: [number, number][] = [[100, 110], [100, 110.1], [100, 109.9]] // biome-ignore format: three pairs
    const scattered: [number, number][] = [[100, 150], [100, 70], [100, 100]] // biome-ignore format: three pairs
    expect(pairedRatio(lucky)?.interval.low).toBeGreaterThan(1)
    const scatter = scatterOf([lucky, scattered], 2)
    expect(pairedRatio(lucky, scatter)?.interval.low).toBeLessThan(1)
    expect(pairedRatio(scattered, scatter)).toEqual(pairedRatio(scattered))
  })

  test('Holm: the least by a share of the error, the others by what is left of it', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([true, false, false, true])
    expect(holm([0.01, 0.02, 0.03])).toEqual([true, true, true])
    expect(holm([0.004], 20)).toEqual([false])
    expect(holm([])).toEqual([])
  })
})
