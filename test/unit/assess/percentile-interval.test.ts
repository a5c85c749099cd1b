/** Intervals of percentiles on data whose truth is known: answers in bursts that outlast windows, with heavy tails, from starts that differ. */
import { expect, test } from 'vitest'
import { percentileIntervals, type TrialHistogram } from '../../../src/assess/judge/percentile-interval.ts'
import { keyOf, Source } from '../../../src/data/random.ts'
import { Histogram } from '../../../src/measure/histogram.ts'

const draws = new Source().restart(keyOf(11, 'bursts'), 1)
const normal = () => Math.sqrt(-2 * Math.log(1 - draws.next())) * Math.cos(2 * Math.PI * draws.next())

/** What a start adds to all of its answers, and how much of a window's load the next one keeps. */
const startScatter = 0.2
const kept = 0.8
const burst = 0.4

/** One trial of 5 s: windows of 250 ms whose level is an autoregression, answers with a Pareto tail about it. */
function trialOf(start: number, effect: number, perWindow: number): TrialHistogram {
  const histogram = new Histogram()
  let level = burst * normal()
  for (let window = 0; window < 20; window++) {
    level = kept * level + burst * Math.sqrt(1 - kept * kept) * normal()
    for (let answer = 0; answer < perWindow; answer++) histogram.record(1e6 * Math.exp(effect + level) * (1 - draws.next()) ** (-1 / 3))
  }
  return { start, histogram }
}
const startsOf = (count: number, trials: number, perWindow: number) =>
  Array.from({ length: count }, (_, start) => {
    const effect = startScatter * normal()
    return Array.from({ length: trials }, () => trialOf(start, effect, perWindow))
  }).flat()

const truths = (() => {
  const all = new Histogram()
  for (const { histogram } of startsOf(2000, 1, 30)) all.merge(histogram)
  return new Map([0.5, 0.99].map((quantile) => [quantile, all.quantileNs(quantile)]))
})()

test.each([
  [0.99, 3, 1],
  [0.99, 5, 2],
  [0.5, 3, 1],
])('quantile %s of %s starts with %s trials each: the interval of 95 in 100 holds the truth in at least 180 of 200 repeats', (quantile, starts, trials) => {
  const truth = truths.get(quantile) as number
  const held = Array.from({ length: 200 }, () => {
    const { low = 0, high = 0 } = percentileIntervals(startsOf(starts, trials, 50))(quantile) ?? {}
    return low <= truth && truth <= high
  }).filter(Boolean).length
  expect(held).toBeGreaterThanOrEqual(180)
})

test('of one start alone nothing is known, however many trials it has', () => {
  expect(percentileIntervals(startsOf(1, 9, 50))(0.99)).toBeNull()
  expect(percentileIntervals(startsOf(2, 3, 50))(0.99)).toBeNull()
})

test('the middle is the percentile of the merged histograms', () => {
  const trials = startsOf(4, 1, 50)
  const merged = new Histogram()
  for (const { histogram } of trials) merged.merge(histogram)
  expect(percentileIntervals(trials)(0.99)?.mid).toBeCloseTo(merged.quantileNs(0.99), -4)
})
