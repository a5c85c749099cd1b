/**
 * What a shared host takes from a server: every 250 ms a fixed piece of code was timed on the server's cores, and what the server's own
 * operations cost there follows it. How closely is each server's own, and fitted; the rest is reading it off at the full speed.
 */
import type { TrialResult } from '../result/result.ts'
import { windowAt } from './recorder.ts'

/** Of all windows so few were faster: the full speed of these cores. */
const fullQuantile = 0.05
/** Fewer windows, or a speed that hardly changed (standard deviation of its logarithm), tell nothing of how a server follows it. */
const fewestWindows = 40
const smallestSpread = 0.03
/** Of a server whose own is not known yet: PostgreSQL, MongoDB and Redis were seen to have .6 to .9. */
export const usualSensitivity = 0.75
/** A server follows the speed of its cores, not more than so much: what lies beyond is noise. */
const mostSensitive = 1.5

type Trial = Pick<TrialResult, 'phase' | 'client' | 'mix' | 'connections' | 'arrival' | 'validity' | 'timeline' | 'windows'>

/** Microseconds of the piece of code at the full speed of the cores; null: nobody timed it. */
export function fullSpeedUs(trials: readonly Trial[]): number | null {
  const timed = trials.flatMap(({ timeline }) => timeline.flatMap(({ hostUs }) => hostUs ?? [])).sort((a, b) => a - b)
  return timed[Math.floor(fullQuantile * timed.length)] ?? null
}

/** A trial that broke, or is shorter than a window or two, may have no speed. */
export const isTimed = ({ timeline, validity }: Pick<Trial, 'timeline' | 'validity'>) =>
  validity.verdict === 'broken' || timeline.length < 3 || timeline.some(({ hostUs }) => hostUs !== null)

/** ln(CPU of an operation) per ln(time of the piece of code), over windows of the same load: within groups, so that what a load does is in no slope. null: they do not tell. */
export function sensitivityOf(trials: readonly Trial[]): number | null {
  const groups = Map.groupBy(
    trials.filter(({ client, validity }) => client === 'wire' && validity.verdict !== 'broken' && validity.verdict !== 'noisy'),
    ({ phase, mix, connections, arrival }) => [phase, mix, connections, arrival.multiple].join(),
  )
  const points = [...groups].flatMap(([, own]) => centred(own.flatMap(pointsOf)))
  const sum = (of: (point: Point) => number) => points.reduce((total, point) => total + of(point), 0)
  const spread = sum(({ x }) => x * x)
  if (points.length < fewestWindows || Math.sqrt(spread / points.length) < smallestSpread) return null
  return Math.min(mostSensitive, Math.max(0, sum(({ x, y }) => x * y) / spread))
}

/** How many times longer the server took over everything in this trial than it would have at the full speed; 1 where nobody timed it. */
export function slowdownOf({ timeline }: Pick<TrialResult, 'timeline'>, fullUs: number | null, sensitivity: number): number {
  const logs = timeline.flatMap(({ hostUs }) => (hostUs === null || fullUs === null ? [] : Math.log(hostUs / fullUs)))
  return logs.length === 0 ? 1 : Math.exp((sensitivity * logs.reduce((sum, log) => sum + log, 0)) / logs.length)
}

/** Completions of each window as they would have been at the full speed. */
export function completedAtFullSpeed(
  { timeline, windows }: Pick<TrialResult, 'timeline' | 'windows'>,
  fullUs: number | null,
  sensitivity: number,
): number[] {
  const hostUs = new Map(timeline.map((sample) => [windowAt(sample.atSeconds), sample.hostUs]))
  return windows.map((window) => window.completed * ((hostUs.get(windowAt(window.atSeconds)) ?? fullUs ?? 1) / (fullUs ?? 1)) ** sensitivity)
}

interface Point {
  x: number
  y: number
}

/** Trials of the mix at one load are alike. A warming server gets cheaper by itself, and trials that raise operations cost what these do. */
const alike = new Set<TrialResult['phase']>(['sweep', 'connections', 'confirmation', 'curve', 'held-back'])

function pointsOf({ phase, timeline, windows }: Trial): Point[] {
  if (!alike.has(phase)) return []
  const completed = new Map(windows.map((window) => [windowAt(window.atSeconds), window.completed]))
  return timeline.flatMap((sample) => {
    const { serverCores, hostUs } = sample
    const done = completed.get(windowAt(sample.atSeconds)) ?? 0
    return serverCores === null || serverCores <= 0 || hostUs === null || done === 0 ? [] : [{ x: Math.log(hostUs), y: Math.log(serverCores / done) }]
  })
}

function centred(points: Point[]): Point[] {
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)]
  return points.map((point) => ({ x: point.x - x, y: point.y - y }))
}
