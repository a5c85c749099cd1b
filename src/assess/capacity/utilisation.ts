/** The utilisation law over trials: U = U₀ + X·D (Denning and Buzen, "The operational analysis of queueing network models", 1978). */
import type { TrialResult } from '../../result/result.ts'
import { nonNegativeLeastSquares } from '../../stats/linear.ts'

export interface Utilisation {
  /** Cores busy at rest. */
  idle: number
  /** Core-seconds of one operation of the mix, at the full speed of the cores. */
  demand: number
  /** Standard error of the line at a rate, in cores; and of one trial around it, as a share. null: there are no more trials than unknowns. */
  errorAt(perSecond: number): number | null
  scatter: number | null
  /** Trials beyond the unknowns. */
  freedom: number
}

/** null where the trials do not tell. */
export function utilisationOf(trials: readonly TrialResult[]): Utilisation | null {
  const points = trials.flatMap(({ throughputPerSecond, slowdown, resources: { server } }) =>
    server === null || server.cpuCores <= 0 ? [] : [{ perSecond: throughputPerSecond * slowdown, cores: server.cpuCores }],
  )
  // Errors are shares of what is used.
  const fitted = nonNegativeLeastSquares(
    points.map(({ perSecond, cores }) => [1 / cores, perSecond / cores]),
    points.map(() => 1),
  )
  const [idle, demand] = fitted?.coefficients ?? []
  const [[ofIdle, together] = [], [, ofDemand] = []] = fitted?.covariance ?? []
  if (idle === undefined || demand === undefined || ofIdle === undefined || together === undefined || ofDemand === undefined) return null
  const freedom = points.length - (idle > 0 ? 1 : 0) - (demand > 0 ? 1 : 0)
  const residuals = points.map(({ perSecond, cores }) => (idle + demand * perSecond) / cores - 1)
  return {
    idle,
    demand,
    errorAt: (perSecond) => (freedom > 0 ? Math.sqrt(Math.max(0, ofIdle + 2 * perSecond * together + perSecond ** 2 * ofDemand)) : null),
    scatter: freedom > 0 ? Math.sqrt(residuals.reduce((sum, each) => sum + each ** 2, 0) / freedom) : null,
    freedom,
  }
}
