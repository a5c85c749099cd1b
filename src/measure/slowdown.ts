/**
 * What a shared host takes from a server: every 250 ms a fixed piece of code was timed on the server's cores, and what the server's own
 * operations cost there follows it. How closely is each server's own, and fitted; the rest is reading it off at the full speed.
 */
import type { TrialResult } from '../result/result.ts'
import { windowAt } from './recorder.ts'

/** Of all windows so few were faster: the full speed of these cores. */
const fullQuantile = 0.05
/** Fewer windows, or a speed that hardly changed (standard deviation of its logarithm), tell nothing of how a server follows it. */
const minWindows = 40
const minSpread = 0.03
/** Share of the variance of a window's speed that the next one has, too. */
const minPersisting = 0.2
/** The middle of what servers of four families were seen to have in three runs each, .9 to 1.5; of a server whose own is not known. */
export const usualSensitivity = 1.2
/** What lies beyond is noise. The timed code is told by its faster calls, so that a server may lose more than it does. */
const mostSensitive = 1.6

type Trial = Pick<TrialResult, 'phase' | 'mix' | 'connections' | 'arrival' | 'validity' | 'timeline' | 'windows'>

/**
 * Microseconds of the piece of code at the full speed of the cores; null: nobody timed it. `known`: of earlier runs on the same machine, which may
 * have met a host that was never as fast while this one lasted.
 */
export function fullSpeedUs(trials: readonly Trial[], known: number | null): number | null {
  const timed = trials.flatMap(({ timeline }) => timeline.flatMap(({ hostUs }) => hostUs ?? [])).sort((a, b) => a - b)
  const own = timed[Math.floor(fullQuantile * timed.length)] ?? null
  return own === null || known === null ? own : Math.min(own, known)
}

/** A trial that broke, or is shorter than a window or two, may have no speed. */
export const isTimed = ({ timeline, validity }: Pick<Trial, 'timeline' | 'validity'>) =>
  validity.verdict === 'broken' || timeline.length < 3 || timeline.some(({ hostUs }) => hostUs !== null)

/**
 * ln(CPU of an operation) per ln(time of the piece of code), over windows of the same load: within groups, so that what a load does is in no slope.
 * The window beside each stands in for its own time (instrumental variable; Wooldridge, "Introductory Econometrics", chapter 15): a speed lasts for
 * seconds, the error of a window's few calls does not, and by least squares that error would make every slope too flat. null: they do not tell.
 */
export function ownSensitivityOf(trials: readonly Trial[]): number | null {
  const groups = Map.groupBy(
    trials.filter(({ phase, validity }) => phase !== 'tax' && validity.verdict !== 'broken' && validity.verdict !== 'noisy'),
    ({ phase, mix, connections, arrival }) => [phase, mix, connections, arrival.multiple].join(),
  )
  const series = [...groups].flatMap(([, own]) => centred(own.map(pointsOf)))
  const points = series.flat().flatMap((point) => point ?? [])
  const spread = points.reduce((total, { x }) => total + x * x, 0)
  if (points.length < minWindows || Math.sqrt(spread / points.length) < minSpread) return null
  let [both, own, whole] = [0, 0, 0]
  for (const trial of series) {
    for (const [at, a] of trial.entries()) {
      const b = trial[at + 1]
      if (a == null || b == null) continue
      both += a.x * b.y + b.x * a.y
      own += 2 * a.x * b.x
      whole += a.x * a.x + b.x * b.x
    }
  }
  // A speed that does not last from one window to the next cannot be told from noise.
  return own < minPersisting * whole ? null : Math.min(mostSensitive, Math.max(0, both / own))
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
  if (fullUs === null) return windows.map(({ completed }) => completed)
  const hostUs = new Map(timeline.map((sample) => [windowAt(sample.atSeconds), sample.hostUs]))
  return windows.map((window) => window.completed * ((hostUs.get(windowAt(window.atSeconds)) ?? fullUs) / fullUs) ** sensitivity)
}

interface Point {
  x: number
  y: number
}

/** Trials of the mix at one load are alike. A warming server gets cheaper by itself, and trials that raise operations cost what these do. */
const alike = new Set<TrialResult['phase']>(['sweep', 'connections', 'confirmation', 'curve', 'held-back'])

/**
 * What a run finds of one server differs by .15 from what the next one finds (standard deviation), as much as servers differ from one another:
 * the best guess lies halfway between them.
 */
export function sensitivityOf(trials: readonly Trial[]): number {
  const own = ownSensitivityOf(trials)
  return own === null ? usualSensitivity : (own + usualSensitivity) / 2
}

/** By window of the timeline; null where something is missing. */
function pointsOf({ phase, timeline, windows }: Trial): (Point | null)[] {
  if (!alike.has(phase)) return []
  const completed = new Map(windows.map((window) => [windowAt(window.atSeconds), window.completed]))
  return timeline.map(({ serverCores, hostUs, atSeconds }) => {
    const done = completed.get(windowAt(atSeconds)) ?? 0
    return serverCores === null || serverCores <= 0 || hostUs === null || done === 0 ? null : { x: Math.log(hostUs), y: Math.log(serverCores / done) }
  })
}

/** About the means of all trials of a group. */
function centred(trials: (Point | null)[][]): (Point | null)[][] {
  const points = trials.flat().flatMap((point) => point ?? [])
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)]
  return trials.map((trial) => trial.map((point) => (point === null ? null : { x: point.x - x, y: point.y - y })))
}
