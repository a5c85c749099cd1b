/** The utilisation law over trials: U = U₀ + X·D (Denning and Buzen, "The operational analysis of queueing network models", 1978). */
import type { TrialResult } from '../../result/result.ts'
import { nonNegativeLeastSquares } from '../../stats/linear.ts'

/** Cores busy at rest, and core-seconds of one operation of the mix, at the full speed of the cores; null where the trials do not tell. */
export function utilisationOf(trials: readonly TrialResult[]): { idle: number; demand: number } | null {
  const points = trials.flatMap(({ throughputPerSecond, slowdown, resources: { server } }) =>
    server === null || server.cpuCores <= 0 ? [] : [{ perSecond: throughputPerSecond * slowdown, cores: server.cpuCores }],
  )
  // Errors are shares of what is used.
  const fitted = nonNegativeLeastSquares(
    points.map(({ perSecond, cores }) => [1 / cores, perSecond / cores]),
    points.map(() => 1),
  )
  const [idle, demand] = fitted?.coefficients ?? []
  return idle === undefined || demand === undefined ? null : { idle, demand }
}
