/** The course of single trials: how a server warms up, what a forced checkpoint, flush or compaction does to it, what disturbed a round. */
import type { ChartDataset } from 'chart.js'
import { windowSeconds } from '../measure/recorder.ts'
import type { CandidateResult, TrialResult } from '../result.ts'
import { count, micros, times } from './format.ts'
import { colours, type Kind, type Slide } from './slide.ts'

/** At most three slides a candidate: its warm-up, its maintenance, and the first trial that others disturbed. */
export function courseSlides(candidate: CandidateResult): Slide[] {
  const warmUp = candidate.trials.filter((trial) => trial.phase === 'warm-up')
  const maintenance = candidate.trials.find((trial) => trial.phase === 'maintenance')
  const noisy = candidate.trials.find((trial) => trial.validity.verdict === 'noisy')
  const { steady } = candidate
  const settled =
    steady === null
      ? ''
      : steady.reached
        ? `steady after ${steady.afterSeconds} s`
        : `not steady after ${Math.round(steady.warmedSeconds)} s of warming`
  return [
    ...(warmUp.length === 0 ? [] : [slide(candidate, 'warm-up', `${candidate.name} warming: ${settled}`, warmUp)]),
    ...(maintenance === undefined
      ? []
      : [
          slide(candidate, 'maintenance', `${candidate.name} with maintenance forced after a third of the trial: ${worst(maintenance)}`, [
            maintenance,
          ]),
        ]),
    ...(noisy === undefined
      ? []
      : [slide(candidate, 'noisy', `${candidate.name}, ${loadOf(noisy)}, disturbed: ${noisy.validity.reasons.join('; ')}`, [noisy])]),
  ]
}

const loadOf = ({ arrival, phase }: TrialResult) => (arrival.multiple === null ? phase : `${phase} at ${times(arrival.multiple)}`)

function worst(trial: TrialResult): string {
  const slowest = trial.windows.reduce((most, window) => (window.maxResponseUs > most.maxResponseUs ? window : most))
  return `slowest answer ${micros(slowest.maxResponseUs)}, ${slowest.atSeconds} s in`
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
      if (window.atSeconds + windowSeconds > trial.seconds + 1e-9) continue
      throughput.push({ x: offset + window.atSeconds, y: window.completed / windowSeconds })
      slowest.push({ x: offset + window.atSeconds, y: window.maxResponseUs / 1000 })
    }
    for (const sample of trial.timeline) {
      const x = offset + sample.atSeconds
      if (sample.serverCores !== null) cores.server.push({ x, y: sample.serverCores })
      cores.harness.push({ x, y: sample.clientCores })
      if (sample.othersCores !== null) cores.others.push({ x, y: sample.othersCores })
    }
    offset += trial.seconds
  }
  const closed = trials[0]?.arrival.loop === 'closed'
  const line = (label: string, data: Point[], colour: number, dash: number[], yAxisID: 'y' | 'y2') => ({
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
  })
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
    x: { title: 'seconds', type: 'linear' },
    y: closed
      ? { title: 'operations per second', min: 0, ticks: (value) => count(value) }
      : { title: 'slowest answer of a window', min: 0, ticks: (value) => micros(value * 1000) },
    y2: { title: 'cores', min: 0 },
  }
}

interface Point {
  x: number
  y: number
}
