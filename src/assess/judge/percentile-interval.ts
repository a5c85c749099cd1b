/**
 * How far percentiles of merged histograms may be off: a bootstrap over the starts of the server, and over the trials within each (Davison and
 * Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8). Answers of one trial are no independent samples, and windows within
 * a start share its luck: a result keeps no histograms of windows, and with several starts they would add nothing to what starts differ by. Of
 * one start alone nothing is known of the next.
 */
import { keyOf, Source } from '../../data/random.ts'
import { Histogram } from '../../measure/histogram.ts'
import { type Interval, minRepeats, moments, reachOf } from '../../stats/intervals.ts'

export interface TrialHistogram {
  start: number
  histogram: Histogram
}

const resamples = 200

/** Of the merged histograms, in ns; null with fewer than three starts. A p99 of few starts is a guess by few, so that Student's t gives the reach. */
export function percentileIntervals(trials: readonly TrialHistogram[]): (quantile: number) => Interval | null {
  const starts = [...Map.groupBy(trials.keys(), (at) => trials[at]?.start).values()]
  if (starts.length < minRepeats) return () => null
  const merged = new Merged(trials.map(({ histogram }) => histogram))
  return (quantile) => {
    const times = new Float64Array(trials.length)
    const source = new Source().restart(keyOf(1, `percentiles ${quantile}`), 1)
    const pick = <T>(some: readonly T[]) => some[Math.min(some.length - 1, Math.floor(source.next() * some.length))] as T
    const logs = Array.from({ length: resamples }, () => {
      times.fill(0)
      for (let drawn = 0; drawn < starts.length; drawn++) {
        const own = pick(starts)
        for (let within = 0; within < own.length; within++) {
          const at = pick(own)
          times[at] = (times[at] as number) + 1
        }
      }
      return Math.log(Math.max(1, merged.quantileNs(quantile, times)))
    })
    const mid = merged.quantileNs(quantile, times.fill(1))
    // Resamples of n starts vary by (n − 1) ÷ n of what n starts do.
    const error = Math.sqrt((moments(logs).variance * starts.length) / (starts.length - 1))
    const reach = reachOf(starts.length - 1) * error
    return { low: mid * Math.exp(-reach), mid, high: mid * Math.exp(reach), confidence: 0.95 }
  }
}

/** Several histograms, each counted so many times, without adding them up: bounds of all, and how many values of each lie within. */
class Merged {
  readonly #bounds: number[]
  readonly #below: Float64Array[]
  readonly #counts: number[]

  constructor(histograms: readonly Histogram[]) {
    const used = [...new Set(histograms.flatMap((histogram) => histogram.used()))].sort((a, b) => a - b)
    this.#bounds = used.map(Histogram.highestNs)
    this.#counts = histograms.map(({ count }) => count)
    this.#below = histograms.map(({ counts }) => {
      let sum = 0
      return Float64Array.from(used, (at) => {
        sum += counts[at] as number
        return sum
      })
    })
  }

  quantileNs(quantile: number, times: Float64Array): number {
    const total = this.#counts.reduce((sum, count, at) => sum + count * (times[at] as number), 0)
    const wanted = Math.max(1, Math.ceil(quantile * total))
    let [low, high] = [0, this.#bounds.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      let seen = 0
      for (let at = 0; at < this.#below.length; at++) seen += (times[at] as number) * ((this.#below[at] as Float64Array)[middle] as number)
      if (seen >= wanted) high = middle
      else low = middle + 1
    }
    return this.#bounds[low] ?? 0
  }
}
