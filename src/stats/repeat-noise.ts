/** How far repeats of one trial differ from each other: what nothing that is predicted of one of them can be much closer than. */
import { median } from './median.ts'

/** The median of |ratio − 1| over all pairs of repeats, each taken both ways; null: there are none. */
export function noiseOf(repeats: readonly number[]): number | null {
  const values = repeats.filter((value) => value > 0)
  return median(values.flatMap((a, at) => values.flatMap((b, other) => (other === at ? [] : [Math.abs(a / b - 1)]))))
}
