import fc from 'fast-check'
import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import { describe, expect, test } from 'vitest'
import { binomialCdf, decide, errorsMissed, samplesNeeded } from '../../../src/measure/decide.ts'
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

  test('is empty when nothing was recorded', () => {
    expect(new Histogram().quantileNs(0.99)).toBe(0)
    expect(decodeFromCompressedBase64(new Histogram().encode()).totalCount).toBe(0)
  })
})

describe('deciding an objective', () => {
  test('p99 takes 299 samples without one exceedance', () => {
    expect(decide(0, 298, 0.99)).toBe('undetermined')
    expect(decide(0, 299, 0.99)).toBe('met')
    expect(samplesNeeded(0.99)).toBe(299)
    expect(samplesNeeded(0.999)).toBe(2995)
  })

  test('agrees with the exact binomial', () => {
    // Reference values from the regularised incomplete beta function.
    expect(binomialCdf(0, 10, 0.1)).toBeCloseTo(0.3486784401, 9)
    expect(binomialCdf(3, 20, 0.2)).toBeCloseTo(0.4114488619, 9)
    expect(binomialCdf(100, 10_000, 0.01)).toBeCloseTo(0.5265645, 5)
  })

  test('misses when the lower bound is above the share', () => {
    expect(decide(30, 1000, 0.99)).toBe('missed')
    expect(decide(10, 1000, 0.99)).toBe('undetermined')
    expect(decide(2, 1000, 0.99)).toBe('met')
    expect(decide(1, 1000, 1)).toBe('missed')
    expect(decide(0, 0, 0.99)).toBe('undetermined')
  })

  test('errors can only refute', () => {
    expect(errorsMissed(0, 10, 0.001)).toBe(false)
    expect(errorsMissed(1, 10_000, 0.001)).toBe(false)
    expect(errorsMissed(5, 100, 0.001)).toBe(true)
    expect(errorsMissed(1, 1_000_000, 0)).toBe(true)
  })

  test('is monotone in the exceedances', () => {
    const rank = { met: 0, undetermined: 1, missed: 2 }
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.constantFrom(0.5, 0.9, 0.99, 0.999), (n, quantile) => {
        let before = 0
        for (let k = 0; k <= Math.min(n, 200); k++) {
          const now = rank[decide(k, n, quantile)]
          expect(now).toBeGreaterThanOrEqual(before)
          before = now
        }
      }),
      { numRuns: 50 },
    )
  })
})
