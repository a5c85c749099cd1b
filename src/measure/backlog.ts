/** Whether an open loop asked for more than was answered: how fast the work that nobody has answered grows. */
import { median } from '../stats/median.ts'
import { windowSeconds } from './recorder.ts'

/** Seconds of backlog per second from which a rate is not sustained. */
const saturatedFrom = 0.02
/** Fewer operations come and go by chance. */
const minOperations = 20

export interface Backlog {
  /** Seconds of work at the offered rate that were added per second; 0 where what came was answered. */
  secondsPerSecond: number
  saturated: boolean
}

/**
 * `unanswered`: operations that were to start and had no answer, at the edges of the windows. The slope is the median of all pairwise ones
 * (Theil and Sen): a stall, at whose end everything is answered, has none.
 */
export function backlogOf(unanswered: number[], ratePerSecond: number): Backlog {
  const secondsPerSecond = Math.max(0, slopeOf(unanswered) / windowSeconds / ratePerSecond)
  const grown = (unanswered.at(-1) ?? 0) - (unanswered[0] ?? 0)
  return { secondsPerSecond, saturated: secondsPerSecond > saturatedFrom && grown > minOperations }
}

/** How much there is more at each edge than at the one before. */
export function slopeOf(unanswered: readonly number[]): number {
  return median(unanswered.flatMap((late, at) => unanswered.slice(0, at).map((early, before) => (late - early) / (at - before)))) ?? 0
}
