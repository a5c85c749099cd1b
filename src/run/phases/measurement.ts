/** One start of one candidate: warming, closed loops, what each operation costs, open loops, rare operations. */
import type { CandidateRun } from '../candidate.ts'
import type { RunContext } from '../orders.ts'
import { chooseConnections, measureCurve } from './open-loops.ts'
import { probe } from './probe.ts'
import { sweep } from './sweep.ts'
import { warmUp } from './warm-up.ts'
import { measureWork } from './work.ts'

/** `start` counts from 0: the first goes on with the server that was verified, the others begin on its snapshot. */
export async function measureStart(run: CandidateRun, start: number, context: RunContext, progress: { note(text: string): void }): Promise<void> {
  const note = (what: string) => progress.note(`start ${start + 1} of ${context.plan.budget.starts}: ${run.candidate.name}, ${what}`)
  if (start > 0) await run.restore(true)
  note('warm-up')
  await warmUp(run, context)
  note('sweep')
  await sweep(run, context, start)
  await measureWork(run, context, start)
  // What the closed loops have written is more than a server's day: open loops begin with what was loaded.
  if (await run.restore()) await warmUp(run, context)
  note('open loops')
  if (start === 0) await chooseConnections(run, context)
  await measureCurve(run, start, context)
  note('rare operations')
  await probe(run, start, context)
}
