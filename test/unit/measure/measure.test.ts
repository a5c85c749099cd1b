import fc from 'fast-check'
import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import { describe, expect, test } from 'vitest'
import { decide, errorsMissed, samplesNeeded } from '../../../src/measure/decide.ts'
import { Histogram } from '../../../src/measure/histogram.ts'

describe('a histogram', () => {
  test('keeps three digits and the exact count, mean and maximum', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 41 }), { minLength: 1, maxLength: 300 }), (values) => {
        const histogram = new Histogram()
        for (const value of values) histogram.record(value)
        const sorted = [...values].sort((a, b) => a - b)
        expect(histogram.count).toBe(values.length)
        expect(histogram.maxNs).toBe(sorted.at(-1))
        for (const quantile of [0.5, 0.9, 0.99, 1]) {
          const exact = sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] as number
          expect(histogram.quantileNs(quantile)).toBeGreaterThanOrEqual(exact)
          expect(histogram.quantileNs(quantile)).toBeLessThanOrEqual(exact * 1.001 + 1)
        }
      }),
      { numRuns: 200 },
    )
  })

  test('is read by the HdrHistogram library as it was recorded', () => {
    const histogram = new Histogram()
    for (let i = 0; i < 20_000; i++) histogram.record((i * 7919) % 1_000_003)
    histogram.record(3_000_000_000_000)
    const decoded = decodeFromCompressedBase64(histogram.encode())
    expect(decoded.totalCount).toBe(20_001)
    for (const quantile of [0.1, 0.5, 0.99, 0.9999]) {
      const theirs = decoded.getValueAtPercentile(quantile * 100)
      expect(Math.abs(theirs - histogram.quantileNs(quantile)) / theirs).toBeLessThan(0.001)
    }
  })

  test('merging equals recording into one', () => {
    const [a, b, both] = [new Histogram(), new Histogram(), new Histogram()]
    for (let i = 0; i < 5000; i++) {
      ;(i % 3 === 0 ? a : b).record(i * i)
      both.record(i * i)
    }
    a.merge(b)
    expect(a.encode()).toBe(both.encode())
    expect(a.meanNs).toBe(both.meanNs)
  })

  test('what was encoded is read back, counts and percentiles', () => {
    const histogram = new Histogram()
    for (const value of [0, 1, 2047, 2048, 5000, 123_456, 3_000_000_000, 2 ** 40]) histogram.record(value)
    const read = Histogram.decode(histogram.encode())
    expect(read.counts).toEqual(histogram.counts)
    expect(read.count).toBe(8)
    expect(read.quantileNs(0.5)).toBe(histogram.quantileNs(0.5))
    expect(Math.abs(read.maxNs / histogram.maxNs - 1)).toBeLessThan(0.001)
    expect(Histogram.decode(new Histogram().encode()).count).toBe(0)
  })

  test('is empty when nothing was recorded', () => {
    expect(new Histogram().quantileNs(0.99)).toBe(0)
    expect(decodeFromCompressedBase64(new Histogram().encode()).totalCount).toBe(0)
  })
})

describe('deciding an objective', () => {
  const counts = (...pairs: [number, number][]) => pairs.map(([exceeded, intended]) => ({ exceeded, intended }))

  test('p99 takes 299 samples without one exceedance, and more than one trial', () => {
    expect(decide(counts([0, 298]), 0.99)).toBe('undetermined')
    expect(decide(counts([0, 2000]), 0.99)).toBe('undetermined')
    expect(decide(counts([2, 2000], [4, 2000], [1, 2000], [0, 2000], [5, 2000]), 0.99)).toBe('met')
    expect(samplesNeeded(0.99)).toBe(299)
    expect(samplesNeeded(0.999)).toBe(2995)
  })

  test('a burst counts about once: forty late answers of one second in one of five trials decide nothing, in all of them they do', () => {
    const calm = counts([2, 4800], [3, 4800], [1, 4800], [4, 4800])
    expect(decide([...calm, { exceeded: 240, intended: 4800 }], 0.99)).toBe('undetermined')
    expect(decide(counts([140, 4800], [160, 4800], [120, 4800], [240, 4800]), 0.99)).toBe('missed')
  })

  test('the maximum allows none, and nothing tried decides nothing', () => {
    expect(decide(counts([1, 1000]), 1)).toBe('missed')
    expect(decide(counts([0, 1000]), 1)).toBe('met')
    expect(decide([], 0.99)).toBe('undetermined')
  })

  test('errors can only refute', () => {
    expect(errorsMissed(counts([0, 10]), 0.001)).toBe(false)
    expect(errorsMissed(counts([1, 10_000]), 0.001)).toBe(false)
    expect(errorsMissed(counts([5, 100]), 0.001)).toBe(true)
    expect(errorsMissed(counts([1, 1_000_000]), 0)).toBe(true)
  })

  test('is monotone in the exceedances', () => {
    const rank = { met: 0, undetermined: 1, missed: 2 }
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 5000 }), fc.constantFrom(0.9, 0.99), (n, quantile) => {
        let before = 0
        for (let k = 0; k <= n / 2; k += Math.ceil(n / 40)) {
          const now = rank[decide(counts([k, n], [k, n]), quantile)]
          expect(now).toBeGreaterThanOrEqual(before)
          before = now
        }
      }),
      { numRuns: 10 },
    )
  })
})
