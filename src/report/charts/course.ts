/** The course of single trials: how a server warms up, what a forced checkpoint, flush or compaction does to it, what disturbed a round. */
import type { ChartDataset } from 'chart.js'
import { bytes } from '../../assess/figures/amount.ts'
import { windowSeconds } from '../../measure/recorder.ts'
import type { CandidateResult, TrialResult } from '../../result/result.ts'
import { maintenanceAfter } from '../../run/plan.ts'
import { count, micros, times } from '../render/format.ts'
import { colours, type Kind, type Slide } from './slide.ts'

/** A trial's start and its own warm-up, at most: time runs for the maintenance, and for no window yet. */
const leadSeconds = 1
/** A trial of less than a second has no course. */
const minWindows = 4

/** At most three courses a candidate, two slides each: its warm-up, its maintenance, and the longest trial that others disturbed. */
export function courseSlides(candidate: CandidateResult): Slide[] {
  const { steady } = candidate
  const settled =
    steady === null
      ? ''
      : steady.reached
        ? `steady after ${steady.afterSeconds} s`
        : `not steady after ${Math.round(steady.warmedSeconds)} s of warming`
  const warming = candidate.trials.filter((trial) => trial.phase === 'warm-up')
  // A server that was started again on its snapshot has warmed again: what is drawn is its first start.
  const warmUp = warming.filter((trial) => trial.start === warming[0]?.start)
  const maintenance = candidate.trials.find((trial) => trial.phase === 'maintenance')
  const [noisy] = candidate.trials
    .filter((trial) => trial.validity.verdict === 'noisy' && trial.windows.length >= minWindows)
    .sort((a, b) => b.windows.length - a.windows.length)
  const courses = [
    { kind: 'warm-up', title: `${candidate.name} warming: ${settled}`, trials: warmUp },
    {
      kind: 'maintenance',
      title: maintenance === undefined ? '' : `${candidate.name} with maintenance forced after a third of the trial: ${worst(maintenance)}`,
      trials: maintenance === undefined ? [] : [maintenance],
    },
    {
      kind: 'noisy',
      title: noisy === undefined ? '' : `${candidate.name}, ${loadOf(noisy)}, disturbed: ${noisy.validity.reasons.join('; ')}`,
      trials: noisy === undefined ? [] : [noisy],
    },
  ]
  return courses.flatMap(({ kind, title, trials }) =>
    trials.length === 0 ? [] : [slide(candidate, kind, title, trials), resourceSlide(candidate, kind, trials)],
  )
}

/** With the windows that do not count. */
const lengthOf = ({ seconds, hostPauses }: TrialResult) => seconds + (hostPauses?.windowsLeftOut ?? 0) * windowSeconds

const loadOf = ({ arrival, phase }: TrialResult) => (arrival.multiple === null ? phase : `${phase} at ${times(arrival.multiple)}`)

/** Before the maintenance, and from then on: what was slow before it is none of its doing. */
function worst(trial: TrialResult): string {
  const { windows } = trial
  const most = (some: TrialResult['windows']) => micros(Math.max(0, ...some.map((window) => window.maxResponseUs)))
  const began = (window: TrialResult['windows'][number]) => window.atSeconds + windowSeconds > lengthOf(trial) * maintenanceAfter - leadSeconds
  return `slowest answer ${most(windows.filter((window) => !began(window)))} before, ${most(windows.filter(began))} from then on`
}

/** Trials one after the other on one axis of time. */
function slide(candidate: CandidateResult, kind: string, title: string, trials: TrialResult[]): Slide {
  let offset = 0
  const throughput: Point[] = []
  const slowest: Point[] = []
  const cores: Record<'server' | 'harness' | 'others', Point[]> = { server: [], harness: [], others: [] }
  for (const trial of trials) {
    for (const window of trial.windows) {
      // The last window of a trial may be cut short by its end.
      if (window.atSeconds + windowSeconds > lengthOf(trial) + 1e-9) continue
      throughput.push({ x: offset + window.atSeconds, y: window.completed / windowSeconds })
      slowest.push({ x: offset + window.atSeconds, y: window.maxResponseUs / 1000 })
    }
    for (const sample of trial.timeline) {
      const x = offset + sample.atSeconds
      if (sample.serverCores !== null) cores.server.push({ x, y: sample.serverCores })
      cores.harness.push({ x, y: sample.clientCores })
      if (sample.othersCores !== null) cores.others.push({ x, y: sample.othersCores })
    }
    offset += lengthOf(trial)
  }
  const closed = trials[0]?.arrival.loop === 'closed'
  const main = closed ? line('operations per second', throughput, 0, [], 'y') : line('slowest answer, ms', slowest, 0, [], 'y')
  return {
    file: `course-${kind}-${candidate.name}.png`,
    title,
    subtitle: `${closed ? 'Closed loop' : 'Open loop'}, windows of 250 ms; CPU in cores on the right`,
    alternative: title,
    type: 'line',
    datasets: [
      main,
      line('server cores', cores.server, 1, [8, 4], 'y2'),
      line('harness cores', cores.harness, 2, [3, 3], 'y2'),
      line('others cores', cores.others, 3, [10, 3, 3, 3], 'y2'),
    ] as ChartDataset<Kind>[],
    x: { title: 'seconds', type: 'linear', min: 0 },
    y: closed
      ? { title: 'operations per second', min: 0, ticks: (value) => count(value) }
      : { title: 'slowest answer of a window', min: 0, ticks: (value) => micros(value * 1000) },
    y2: { title: 'cores', min: 0 },
  }
}

/** What the same seconds did to memory, disk and network. */
function resourceSlide(candidate: CandidateResult, kind: string, trials: TrialResult[]): Slide {
  const series: Record<'written' | 'read' | 'network' | 'flushes', Point[]> = { written: [], read: [], network: [], flushes: [] }
  const resident: number[] = []
  let offset = 0
  for (const trial of trials) {
    for (const { atSeconds, residentBytes, disk, networkBytesPerSecond } of trial.timeline) {
      const x = offset + atSeconds
      if (residentBytes !== null) resident.push(residentBytes)
      series.network.push({ x, y: networkBytesPerSecond / 1e6 })
      if (disk === null) continue
      series.written.push({ x, y: disk.writtenBytesPerSecond / 1e6 })
      series.read.push({ x, y: disk.readBytesPerSecond / 1e6 })
      series.flushes.push({ x, y: disk.syncsPerSecond })
    }
    offset += lengthOf(trial)
  }
  const memory = resident.length === 0 ? 'memory unknown' : `server memory ${bytes(Math.min(...resident))} to ${bytes(Math.max(...resident))}`
  const most = series.written.reduce((highest, point) => Math.max(highest, point.y), 0)
  const title = `The same seconds: at most ${count(most)} MB/s written, ${memory}`
  return {
    file: `course-${kind}-${candidate.name}-resources.png`,
    title,
    subtitle: "Bytes per second of the data's disk and of all network interfaces, whoever caused them; flushes on the right",
    alternative: `${candidate.name}, ${kind}: ${title}`,
    type: 'line',
    datasets: [
      line('written, MB/s', series.written, 0, [], 'y'),
      line('read, MB/s', series.read, 1, [8, 4], 'y'),
      line('network, MB/s', series.network, 2, [3, 3], 'y'),
      line('flushes per second', series.flushes, 3, [10, 3, 3, 3], 'y2'),
    ] as ChartDataset<Kind>[],
    x: { title: 'seconds', type: 'linear', min: 0 },
    y: { title: 'MB per second', min: 0, ticks: (value) => count(value) },
    y2: { title: 'flushes per second', min: 0, ticks: (value) => count(value) },
  }
}

function line(label: string, data: Point[], colour: number, dash: number[], yAxisID: 'y' | 'y2') {
  return {
    type: 'line' as const,
    label,
    data,
    yAxisID,
    borderColor: colours[colour],
    backgroundColor: colours[colour],
    borderWidth: 2,
    borderDash: dash,
    pointRadius: 0,
    pointStyle: 'line' as const,
    tension: 0,
  }
}

interface Point {
  x: number
  y: number
}
