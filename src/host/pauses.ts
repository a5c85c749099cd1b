/**
 * Which windows of a trial a pause of the host spoils. The rule knows when the host took the server's cores away, for how long, and how many
 * starts had no answer at the edges of the windows; never how long an answer took: what is left out does not hang on what came out.
 */

import { slopeOf } from '../measure/backlog.ts'
import { type Recording, windowSeconds, windowsOf } from '../measure/recorder.ts'
import type { Operation } from '../scenario/scenario.ts'

/** A moment at which a thread of real-time priority should have run on a core, and none did. */
export interface Pause {
  core: number
  /** When it ran again, on the monotonic clock. */
  endNs: number
  lateNs: number
}

/** Of the tightest objective. */
const shareOfObjective = 0.1
/** A thread wakes by itself up to so much late. */
const shortestNs = 0.25e6
/** What a closed loop shows, throughput, a pause of a hundredth of a window changes by a hundredth. */
const shareOfWindow = 0.01
const windowNs = windowSeconds * 1e9

/** From which length on a pause counts; infinite where nothing has an objective. */
export function pauseLimitNs(operations: readonly Operation[], loop: 'open' | 'closed'): number {
  const limit = Math.max(shortestNs, shareOfObjective * tightestNs(operations))
  return loop === 'closed' ? Math.max(limit, shareOfWindow * windowNs) : limit
}

/** Infinite: nothing has an objective. */
function tightestNs(operations: readonly Operation[]): number {
  return Math.min(...operations.flatMap(({ objectives }) => objectives.map(({ limitMs }) => limitMs * 1e6)), Number.POSITIVE_INFINITY)
}

/** What a trial says of them. */
export interface HostPauses {
  /** null: nothing has an objective, and no pause counts. */
  limitMs: number | null
  /** Longer ones, inside the window. */
  count: number
  longestMs: number
  windowsLeftOut: number
  /** By window. */
  isKept: boolean[]
}

/** `pauses` of all cores that are watched; `cores` are those of the server. */
export function hostPausesOf(
  pauses: readonly Pause[],
  cores: readonly number[],
  operations: readonly Operation[],
  { seconds, unanswered }: Pick<Recording, 'seconds' | 'unanswered'>,
  loop: 'open' | 'closed',
  measureNs: number,
): HostPauses {
  const limitNs = pauseLimitNs(operations, loop)
  const counted = pauses.filter(({ core, lateNs }) => lateNs > limitNs && cores.includes(core))
  const inside = counted.filter(({ endNs, lateNs }) => endNs >= measureNs && endNs - lateNs < measureNs + seconds * 1e9)
  const isKept = keptWindows({
    pauses: counted,
    measureNs,
    windows: windowsOf(seconds),
    aheadNs: loop === 'closed' ? 0 : tightestNs(operations),
    unanswered,
  })
  return {
    limitMs: Number.isFinite(limitNs) ? limitNs / 1e6 : null,
    count: inside.length,
    longestMs: Math.max(0, ...inside.map(({ lateNs }) => lateNs)) / 1e6,
    windowsLeftOut: isKept.filter((kept) => !kept).length,
    isKept,
  }
}

/** The last window may be cut short by the end of the trial. */
export function keptSeconds(seconds: number, isKept: readonly boolean[]): number {
  return isKept.reduce((sum, kept, window) => sum + (kept ? Math.min(windowSeconds, seconds - window * windowSeconds) : 0), 0)
}

export interface Course {
  /** Of those that count. */
  pauses: readonly Pick<Pause, 'endNs' | 'lateNs'>[]
  measureNs: number
  windows: number
  /** What began so long before a pause may have been on its way when it came. */
  aheadNs: number
  /** Starts without an answer, at the edges of the windows; empty in a closed loop, which has no backlog. */
  unanswered: readonly number[]
}

/** By window, whether it counts: not those that a pause touches, nor those after them until there is no more without an answer than before. */
export function keptWindows({ pauses, measureNs, windows, aheadNs, unanswered }: Course): boolean[] {
  const isKept = Array.from({ length: windows }, () => true)
  const waiting = withoutTrend(unanswered)
  const usual = upperQuartile(waiting)
  const at = (ns: number) => Math.floor((ns - measureNs) / windowNs)
  for (const { endNs, lateNs } of pauses) {
    // One that began in the drain, or ended well before the window, touches none.
    const [first, last] = [at(endNs - lateNs - aheadNs), at(endNs)]
    if (first >= windows || last < -1) continue
    for (let window = Math.max(0, first); window <= Math.min(last, windows - 1); window++) isKept[window] = false
    const level = Math.max(usual, waiting[first] ?? usual)
    for (let window = Math.max(0, last + 1); window < windows && (waiting[window] ?? 0) > level; window++) isKept[window] = false
  }
  return isKept
}

/** What grows all the time, as the backlog of a saturated loop does, is no pause's. */
function withoutTrend(unanswered: readonly number[]): number[] {
  const slope = Math.max(0, slopeOf(unanswered))
  return unanswered.map((waiting, edge) => waiting - slope * edge)
}

function upperQuartile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(0.75 * (values.length - 1))] ?? 0
}
