/** Warming: the mix in a closed loop until its throughput has settled, or the effort's time for it is over. */
import type { CandidateRun, RunContext } from '../candidate.ts'
import { median } from '../measure/median.ts'
import { windowSeconds } from '../measure/recorder.ts'
import { completedAtFullSpeed } from '../measure/slowdown.ts'
import { gainsNoMore, warmSince } from '../measure/steady.ts'
import { closedTrial } from './trials.ts'

const concurrency = 16
/** The last level has to last that long to count as the steady one, and a whole piece: a compiler that warms up has plateaus on its way. */
const steadySeconds = 2

/** Few, so that the compiler's threads get most of the cores: with 16 in flight it takes four times as long to the same throughput. */
const compilingConcurrency = 2

/** Caches, plans and compilers differ by engine: each warms in pieces of its own usual time. */
export async function warmUp(run: CandidateRun, { plan, fullSpeedUs }: RunContext): Promise<void> {
  const { pace } = run.engine
  const pieceSeconds = Math.max(1, pace.warmUpSeconds * plan.warmUpShare)
  const long = Math.floor(Math.max(steadySeconds, pieceSeconds) / windowSeconds)
  if (pace.compiles) await compile(run, plan.budget.compileSeconds)
  const windows: number[] = []
  let since: number | null = null
  for (let piece = pace.compiles ? 1 : 0; since === null && windows.length * windowSeconds < plan.budget.warmUpSeconds; piece++) {
    const trial = await closedTrial(run, { phase: 'warm-up', concurrency, seconds: pieceSeconds, repeat: piece }, 0)
    if (trial.validity.verdict === 'broken') return
    // The last window of a piece is cut short by its end.
    const completed = completedAtFullSpeed(trial, fullSpeedUs(), run.sensitivity)
    windows.push(...completed.slice(0, Math.floor(pieceSeconds / windowSeconds)))
    since = pace.compiles ? gainsNoMore(windows, long, run.warmLevel) : warmSince(windows, long, run.warmLevel)
  }
  run.warmLevel ??= median(windows.slice(-long))
  // Of several starts the worst is told.
  if (run.steady === null || since === null)
    run.steady = {
      reached: since !== null,
      afterSeconds: since === null ? null : since * windowSeconds,
      warmedSeconds: windows.length * windowSeconds,
    }
}

/** On its own cores alone a compiler works for minutes beside what it compiles; in production it did so long ago. Nothing of this piece counts. */
async function compile(run: CandidateRun, seconds: number): Promise<void> {
  await run.instance?.release()
  try {
    await closedTrial(run, { phase: 'warm-up', concurrency: compilingConcurrency, seconds, repeat: 0 }, 0)
  } finally {
    await run.instance?.confine()
  }
}
