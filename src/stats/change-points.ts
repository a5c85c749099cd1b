/** Whether a series of windows has settled: change points of its level by the CUSUM statistic, found again in each part. */
import { median } from './median.ts'

/** sup |Brownian bridge| exceeds this with probability 1 % (Kolmogorov's distribution). */
const critical = 1.63
/** Levels this close are the same for all that is decided here. */
const minShift = 0.05
const minWindows = 6
const sameLevel = 0.9
/** Starts of one server differ by a tenth of their own; a plateau on the way of a compiler lies further below. */
const asBefore = 0.8

/** Indices at which the level changes, ascending. The noise is estimated from neighbours' differences, which a change of level leaves alone. */
export function changePoints(values: number[]): number[] {
  const found: number[] = []
  const search = (from: number, to: number) => {
    const at = changePoint(values.slice(from, to))
    if (at === null) return
    search(from, from + at)
    found.push(from + at)
    search(from + at, to)
  }
  search(0, values.length)
  return found
}

function changePoint(values: number[]): number | null {
  const n = values.length
  if (n < minWindows) return null
  const mean = average(values)
  const differences = values.slice(1).map((value, index) => Math.abs(value - (values[index] as number)))
  // Median of |N(0, 2σ²)| is 0.954 σ.
  const sigma = Math.max((median(differences) as number) / 0.954, Math.abs(mean) * 1e-6, Number.MIN_VALUE)
  let sum = 0
  let most = 0
  let at = 0
  for (let k = 1; k < n; k++) {
    sum += (values[k - 1] as number) - mean
    if (Math.abs(sum) > most) {
      most = Math.abs(sum)
      at = k
    }
  }
  if (at === 0 || most / (sigma * Math.sqrt(n)) <= critical) return null
  const before = average(values.slice(0, at))
  const after = average(values.slice(at))
  return Math.abs(after - before) > minShift * Math.abs(after) ? at : null
}

/** The first window of the last level; null while that level has fewer than `long` windows. */
export function steadySince(values: number[], long: number): number | null {
  const since = changePoints(values).at(-1) ?? 0
  return values.length - since >= long ? since : null
}

/** The same for a server that has been warm before: its last level must be that of then, too. A compiler that begins anew has plateaus below. */
export function warmSince(values: number[], long: number, before: number | null): number | null {
  const since = steadySince(values, long)
  return since === null || (before !== null && (median(values.slice(since)) as number) < asBefore * before) ? null : since
}

/**
 * The same for a server that compiles, whose throughput never lies still for long: compactions and collections come and go. It is level once two
 * pieces of `long` windows in a row brought no tenth more than the best before them.
 */
export function gainsNoMore(values: number[], long: number, before: number | null): number | null {
  const pieces = Math.floor(values.length / long)
  const levels = Array.from({ length: pieces }, (_, piece) => median(values.slice(piece * long, (piece + 1) * long)) as number)
  const [older, newer] = [levels.slice(0, -2), levels.slice(-2)]
  const best = Math.max(...older)
  const isLevel = older.length > 0 && newer.every((level) => level * sameLevel <= best)
  return isLevel && (before === null || Math.max(...newer) >= asBefore * before) ? (pieces - 2) * long : null
}

const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
