/** The response curve against servers whose truth is known, whose slow answers come in bursts, and whose starts differ. */
import { describe, expect, test } from 'vitest'
import { keyOf, Source } from '../../../src/data/random.ts'
import { ratesAround } from '../../../src/replay/rates.ts'
import { probabilityWithin } from '../../../src/stats/beta-binomial.ts'
import { type CurvePoint, fitCurve } from '../../../src/stats/exceedance-curve.ts'

const bound = 2
const saturated = 2.6
const callsPerSecond = 600
const trialSeconds = 5
/** Share of a trial that one burst takes: 50 ms. */
const burstShare = 0.01

const normal = (source: Source) => Math.sqrt(-2 * Math.log(1 - source.next())) * Math.cos(2 * Math.PI * source.next())
function poisson(source: Source, mean: number): number {
  let events = 0
  for (let product = source.next(); product > Math.exp(-mean); product *= source.next()) events++
  return events
}

/** True shares over the limit at a multiple; each is 1 % at `bound`. */
const shapes = {
  'a queue that fills within a few per cent': (multiple: number) => 0.0015 + 0.0085 * Math.exp(18 * Math.log(multiple / bound)),
  'a p99 that creeps up': (multiple: number) => 0.01 * Math.exp(3 * Math.log(multiple / bound)),
  'a knee before saturation': (multiple: number) => {
    const odds = (used: number) => used / (1 - used)
    return multiple >= saturated ? 0.9 : 0.0005 + 0.0095 * (odds(multiple / saturated) / odds(bound / saturated)) ** 3
  },
}

/** Four parts of ten of the slow answers come in bursts. */
function measured(share: number, calls: number, source: Source): number {
  const over = Math.min(0.9, share)
  const bursts = poisson(source, Math.min(30, (0.4 * over) / burstShare))
  const rest = 0.6 * over * calls
  return Math.round(Math.min(calls, Math.max(0, calls * burstShare * bursts + rest + Math.sqrt(rest) * normal(source))))
}

/** As a quick run does it: three starts of four trials, 1× and 3× among them. */
function quickRun(shape: (multiple: number) => number, startSpread: number, seed: number) {
  const source = new Source().restart(keyOf(seed, 'curve'), 1)
  const points: CurvePoint[] = []
  for (let start = 1; start <= 3; start++) {
    const shift = Math.exp(startSpread * normal(source))
    const expected = start === 1 ? null : fitCurve(points, 0.01)
    for (const multiple of [1, 3, ...ratesAround(expected, saturated, 2)]) {
      const intended = Math.round(callsPerSecond * multiple * trialSeconds)
      points.push({ multiple, start, intended, exceeded: measured(shape(multiple / shift), intended, source) })
    }
  }
  return fitCurve(points, 0.01)
}

const runs = 25

describe.each(Object.entries(shapes))('%s', (_, shape) => {
  test.each([0, 0.08])('between starts that differ by %d of the logarithm, the interval of 80 per cent holds the truth', (startSpread) => {
    const curves = Array.from({ length: runs }, (__, seed) => quickRun(shape, startSpread, seed))
    const held = curves.filter(({ low, high }) => low <= bound && bound <= high).length
    // Of 25 runs 20 are expected; fewer than 14 would come by chance once in 500.
    expect(held).toBeGreaterThanOrEqual(14)
    const middle = curves.map(({ mid }) => mid).sort((a, b) => a - b)[runs >> 1] as number
    expect(Math.abs(middle / bound - 1)).toBeLessThan(0.05)
    const wrong = curves.filter((curve) => curve.holds(bound * 1.25) > 0.95 || curve.holds(bound / 1.25) < 0.05)
    expect(wrong.length).toBeLessThanOrEqual(1)
  }, 60_000)
})

describe('what few trials leave open', () => {
  const at = (multiple: number, exceeded: number, start = 1): CurvePoint => ({ multiple, start, exceeded, intended: 3000 })

  test('one burst at a low rate moves nothing far', () => {
    const calm = [at(1, 2), at(1.5, 4), at(2, 20, 2), at(2.4, 300, 2), at(1, 1, 2), at(3, 2500, 3), at(1.5, 3, 3)]
    const before = fitCurve(calm, 0.01)
    const after = fitCurve([...calm, at(1, 60, 3)], 0.01)
    expect(after.mid / before.mid).toBeGreaterThan(0.85)
    expect(after.high / after.low).toBeGreaterThan(before.high / before.low)
  })

  test('where nothing was over the limit the bound may lie anywhere above, where all was, anywhere below', () => {
    const good = fitCurve([at(1, 0), at(2, 1), at(3, 2)], 0.01)
    expect(good.holds(3)).toBeGreaterThan(0.7)
    expect(good.holds(1)).toBeGreaterThan(0.95)
    const bad = fitCurve([at(1, 900), at(2, 1500), at(3, 2500)], 0.01)
    expect(bad.holds(1)).toBeLessThan(0.05)
  })

  test('the probability falls with the rate, and quantiles are its inverse', () => {
    const curve = fitCurve([at(1, 5), at(2, 30), at(3, 800)], 0.01)
    for (let multiple = 0.5; multiple < 6; multiple *= 1.07) expect(curve.holds(multiple * 1.07)).toBeLessThanOrEqual(curve.holds(multiple))
    for (const share of [0.1, 0.5, 0.9]) expect(1 - curve.holds(curve.quantile(share))).toBeCloseTo(share, 6)
  })

  test('a share by itself: counts of several trials agree with the beta-binomial in the limit of no bursts', () => {
    // Ten trials of 0.5 % each: the share is at most 1 % for certain, at most 0.3 % hardly.
    const counts = Array.from({ length: 10 }, () => ({ exceeded: 10, intended: 2000 }))
    expect(probabilityWithin(counts, 0.01)).toBeGreaterThan(0.999)
    expect(probabilityWithin(counts, 0.003)).toBeLessThan(0.01)
  })
})

describe('the rates of a curve', () => {
  test('lie on both sides of what is expected, below what only fills a queue', () => {
    const [low, high] = ratesAround(null, 4, 2) as [number, number]
    expect(low).toBeLessThan(0.65 * 4)
    expect(high).toBeGreaterThan(0.65 * 4)
    const sharp = { quantile: (share: number) => 2 * (1 + 0.01 * (share - 0.5)) }
    const near = ratesAround(sharp, 4, 3)
    expect(near[1]).toBeCloseTo(2, 2)
    expect((near[2] as number) / (near[0] as number)).toBeGreaterThan(1.15)
    expect(Math.max(...ratesAround({ quantile: () => 9 }, 4, 3))).toBeLessThanOrEqual(4.4)
  })
})
