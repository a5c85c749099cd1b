/** Histograms of several trials as one: percentiles come from all values together, and are never averaged. */
import { samplesNeeded } from './decide.ts'
import { Histogram } from './histogram.ts'

/** As results keep them; null: nothing was recorded. A saved result may have been freed of its histograms: it tells no percentile of several trials. */
type Kept = { count: number; encoded: string } | null | undefined

export function mergedHistogram(all: readonly Kept[]): Histogram {
  const merged = new Histogram()
  for (const each of all) if (each != null && each.count > 0 && each.encoded !== '') merged.merge(Histogram.decode(each.encoded))
  return merged
}

/** null: fewer values than the percentile needs. */
export const percentileUs = (merged: Histogram, quantile: number): number | null =>
  merged.count < samplesNeeded(quantile) ? null : merged.quantileNs(quantile) / 1000
