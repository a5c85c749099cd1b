/** Warming: the mix in a closed loop until its throughput has settled, or the effort's time for it is over. */
import type { CandidateRun, RunContext } from '../candidate.ts'
import { windowSeconds } from '../measure/recorder.ts'
import { steadySince } from '../measure/steady.ts'
import { closedTrial } from './trials.ts'

const concurrency = 16
/** The last level has to last that long to count as the steady one, and a whole piece: a compiler that warms up has plateaus on its way. */
const steadySeconds = 2

/** Caches, plans and compilers differ by engine: each warms in pieces of its own usual time. */
export async function warmUp(run: CandidateRun, { plan }: RunContext): Promise<void> {
  const pieceSeconds = Math.max(1, run.engine.pace.warmUpSeconds * plan.warmUpShare)
  const windows: number[] = []
  for (let piece = 0; windows.length * windowSeconds < plan.budget.warmUpSeconds; piece++) {
    const trial = await closedTrial(run, { phase: 'warm-up', concurrency, seconds: pieceSeconds, repeat: piece }, 0)
    if (trial.validity.verdict === 'broken') return
    // The last window of a piece is cut short by its end.
    windows.push(...trial.windows.slice(0, Math.floor(pieceSeconds / windowSeconds)).map((window) => window.completed))
    const since = steadySince(windows, Math.floor(Math.max(steadySeconds, pieceSeconds) / windowSeconds))
    run.steady = {
      reached: since !== null,
      afterSeconds: since === null ? null : since * windowSeconds,
      warmedSeconds: windows.length * windowSeconds,
    }
    if (since !== null) return
  }
}
