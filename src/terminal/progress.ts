/** Live progress on stderr: a task list on a terminal, plain lines elsewhere. */
import { type DefaultRenderer, Listr, ListrLogger, type ListrTaskWrapper, ProcessOutput, type SimpleRenderer } from 'listr2'
import type { Progress } from '../bench.ts'
import type { TrialPlan } from '../scenario/plan.ts'
import type { Scenario } from '../scenario/scenario.ts'

interface Running {
  started: Promise<void>
  start: () => void
  finished: Promise<void>
  finish: () => void
  note: (text: string) => void
}

export function startProgress(plan: TrialPlan, scenario: Scenario, quiet: boolean): Progress & { close(): Promise<void> } {
  if (quiet) return { begin: () => {}, note: () => {}, end: () => {}, close: async () => {} }
  const minutes = plan.phases.reduce((sum, phase) => sum + phase.predictedSeconds, 0) / 60
  process.stderr.write(
    `${scenario.name}: ${scenario.candidates.map((candidate) => candidate.name).join(', ')}; effort ${plan.effort}, about ${Math.max(1, Math.round(minutes))} min\n`,
  )
  return process.stderr.isTTY && process.env.CI === undefined && process.env.NO_COLOR === undefined ? liveProgress(plan) : plainProgress()
}

/** One line per phase and per note, for logs. */
function plainProgress(): Progress & { close(): Promise<void> } {
  const start = performance.now()
  const line = (text: string) => process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${text}\n`)
  return { begin: line, note: (text) => line(`  ${text}`), end: () => {}, close: async () => {} }
}

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>

function liveProgress(plan: TrialPlan): Progress & { close(): Promise<void> } {
  const phases = new Map(plan.phases.map((phase) => [phase.name, makeRunning()]))
  let current: Running | undefined
  let closed = false
  const list = new Listr(
    plan.phases.map((phase) => ({
      title: `${phase.name} (about ${Math.round(phase.predictedSeconds)} s)`,
      task: async (_: unknown, task: Task) => {
        const running = phases.get(phase.name) as Running
        running.note = (text) => void (task.output = text)
        await running.started
        if (closed) task.skip()
        await running.finished
      },
    })),
    {
      renderer: 'default',
      fallbackRenderer: 'simple',
      // Results own stdout. The spinner is slow on purpose: it shares the core with the harness.
      rendererOptions: {
        logger: new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) }),
        lazy: true,
        showSkipMessage: false,
      },
      registerSignalListeners: false,
      exitOnError: false,
    },
  )
  const shown = list.run().catch(() => {})
  return {
    begin(phase) {
      current = phases.get(phase)
      current?.start()
    },
    note: (text) => current?.note(text),
    end: (phase) => phases.get(phase)?.finish(),
    async close() {
      closed = true
      for (const running of phases.values()) {
        running.start()
        running.finish()
      }
      await shown
    },
  }
}

function makeRunning(): Running {
  const started = Promise.withResolvers<void>()
  const finished = Promise.withResolvers<void>()
  return { started: started.promise, start: started.resolve, finished: finished.promise, finish: finished.resolve, note: () => {} }
}
