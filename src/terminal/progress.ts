/** Live progress on stderr: a task list with the time left on a terminal, plain lines elsewhere. */
import { type DefaultRenderer, Listr, ListrLogger, type ListrTaskWrapper, ProcessOutput, type SimpleRenderer } from 'listr2'
import type { Progress } from '../run/bench.ts'
import type { TrialPlan } from '../run/plan.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { barText, duration } from './bar.ts'
import { narrowest } from './style.ts'

interface Phase {
  name: string
  predictedSeconds: number
  state: 'waiting' | 'running' | 'done' | 'stopped'
  startedMs: number
  warning: string
  begun: PromiseWithResolvers<void>
  over: PromiseWithResolvers<void>
  task?: Task
}
type Closeable = Progress & { close(): Promise<void> }
type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>

const drawnEveryMs = 1000

export function startProgress(plan: TrialPlan, scenario: Scenario, quiet: boolean): Closeable {
  if (quiet) return { begin: () => {}, note: () => {}, warn: () => {}, end: () => {}, close: async () => {} }
  const minutes = plan.phases.reduce((sum, phase) => sum + phase.predictedSeconds, 0) / 60
  process.stderr.write(
    `${scenario.name}: ${scenario.candidates.map((candidate) => candidate.name).join(', ')}; effort ${plan.effort}, about ${Math.max(1, Math.round(minutes))} min\n`,
  )
  // A terminal that does not know its size would be given a letter a line, or nothing.
  const drawable = process.stderr.isTTY && process.stderr.columns >= narrowest && process.stderr.rows > 0
  return drawable && process.env.CI === undefined ? liveProgress(plan) : plainProgress()
}

/** One line per phase and per note, for logs. */
function plainProgress(): Closeable {
  const start = performance.now()
  const line = (text: string) => process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${text}\n`)
  return { begin: line, note: (text) => line(`  ${text}`), warn: (text) => line(`  warning: ${text}`), end: () => {}, close: async () => {} }
}

function liveProgress(plan: TrialPlan): Closeable {
  const start = performance.now()
  const phases = phasesOf(plan)
  let note = ''
  const shown = listOf(phases)
    .run()
    .catch(() => {})
  const draw = () => {
    const current = phases.find((phase) => phase.state === 'running')
    if (current?.task === undefined) return
    const left = phases.reduce((sum, phase) => sum + (phase.state === 'waiting' ? phase.predictedSeconds : 0), 0)
    const own = Math.max(0, current.predictedSeconds - elapsed(current))
    current.task.output = `${note}\n${barText((performance.now() - start) / 1000, left + own)}`
  }
  const timer = setInterval(draw, drawnEveryMs)
  return {
    begin(name) {
      const at = phases.findIndex((phase) => phase.name === name)
      const phase = phases[at]
      if (phase === undefined) return
      for (const before of phases.slice(0, at)) leave(before)
      phase.state = 'running'
      phase.startedMs = performance.now()
      note = ''
      phase.begun.resolve()
    },
    note(text) {
      note = text
      draw()
    },
    warn(text) {
      for (const phase of phases) if (phase.state === 'running') phase.warning = text
    },
    end(name) {
      const phase = phases.find((each) => each.name === name)
      if (phase?.state !== 'running') return
      phase.state = 'done'
      phase.over.resolve()
    },
    async close() {
      clearInterval(timer)
      for (const phase of phases) leave(phase)
      await shown
    },
  }
}

const phasesOf = ({ phases }: TrialPlan): Phase[] =>
  phases.map(({ name, predictedSeconds }) => ({
    name,
    predictedSeconds,
    state: 'waiting',
    startedMs: 0,
    warning: '',
    begun: Promise.withResolvers(),
    over: Promise.withResolvers(),
  }))

/** What is over without having ended was stopped, or never began. */
function leave(phase: Phase): void {
  if (phase.state === 'running') phase.state = 'stopped'
  phase.begun.resolve()
  phase.over.resolve()
}

/** A task for each phase, which ends when the phase is over. */
function listOf(phases: Phase[]) {
  return new Listr(
    phases.map((phase) => ({
      title: phase.predictedSeconds < 1 ? phase.name : `${phase.name} (about ${duration(phase.predictedSeconds)})`,
      task: async (_: unknown, task: Task) => {
        phase.task = task
        await phase.begun.promise
        await phase.over.promise
        if (phase.state === 'waiting') task.skip()
        else if (phase.state === 'stopped') task.skip(`${phase.name}: stopped after ${duration(elapsed(phase))}`)
        else task.title = `${phase.name} (${duration(elapsed(phase))})${phase.warning === '' ? '' : `: ${phase.warning}`}`
      },
    })),
    {
      renderer: 'default',
      fallbackRenderer: 'simple',
      // Results own stdout. The spinner is slow on purpose: it shares the core with the harness.
      rendererOptions: {
        logger: new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) }),
        lazy: true,
        collapseSkips: true,
      },
      registerSignalListeners: false,
      exitOnError: false,
    },
  )
}

const elapsed = (phase: Phase) => (performance.now() - phase.startedMs) / 1000
