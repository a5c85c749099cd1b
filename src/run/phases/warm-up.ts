/** Warming: the mix in a closed loop until its throughput is level, or the effort's time for it is over. */

import { Threads } from '../../host/threads.ts'
import { windowSeconds } from '../../measure/recorder.ts'
import { completedAtFullSpeed, usualSensitivity } from '../../measure/slowdown.ts'
import { gainsNoMore, warmSince } from '../../stats/change-points.ts'
import { median } from '../../stats/median.ts'
import type { CandidateRun } from '../candidate.ts'
import type { RunContext, TrialOrder } from '../orders.ts'
import type { Budget } from '../plan.ts'
import { closedTrial, otherClientOf } from './trials.ts'

const concurrency = 16
/** The last level has to last that long to count as one, and a whole piece: a compiler that warms up has plateaus on its way. */
const steadySeconds = 2

/** Where nobody may let the compiler go first it gets most of the cores by few that are in flight: with 16 it takes four times as long. */
const compilingConcurrency = 2

/** A compiler that takes less of a core than that has hardly anything left to do. */
const idleCores = 0.1

/** Caches, plans and compilers differ by engine: each warms in pieces of its own usual time. */
export async function warmUp(run: CandidateRun, { plan }: Pick<RunContext, 'plan'>): Promise<void> {
  const { pace } = run.engine
  const pieceSeconds = pieceSecondsOf(run, plan)
  const long = Math.floor(Math.max(steadySeconds, pieceSeconds) / windowSeconds)
  const compilers = pace.compilers === undefined ? null : new Threads((await run.instance?.processes()) ?? [], pace.compilers)
  const windows: number[] = []
  let since: number | null = null
  try {
    const compiling = compilers === null ? 0 : await compile(run, compilers, pieceSeconds, plan.budget)
    for (let piece = compiling; since === null && windows.length * windowSeconds < plan.budget.warmUpSeconds; piece++) {
      const trial = await closedTrial(run, { phase: 'warm-up', concurrency, seconds: pieceSeconds, repeat: piece }, 0)
      if (trial.validity.verdict === 'broken') return
      // The last window of a piece is cut short by its end.
      // All starts by one measure: what is known of the host and of how the server follows it still changes with every trial.
      run.warmSpeedUs ??= median(trial.timeline.flatMap(({ hostUs }) => hostUs ?? [])) ?? null
      const completed = completedAtFullSpeed(trial, run.warmSpeedUs, usualSensitivity)
      windows.push(...completed.slice(0, Math.floor(pieceSeconds / windowSeconds)))
      since = compilers !== null ? gainsNoMore(windows, long, run.warmLevel) : warmSince(windows, long, run.warmLevel)
    }
  } finally {
    // What is measured runs as the server was started.
    compilers?.goFirst(false)
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

/** After a pause in which others ran: what a thawed server catches up with, and what left its caches, lies in one piece of which nothing counts. */
export async function warmAgain(run: CandidateRun, { plan }: Pick<RunContext, 'plan'>): Promise<void> {
  await closedTrial(run, { phase: 'warm-up', concurrency, seconds: pieceSecondsOf(run, plan), repeat: 0 }, 0)
}

const pieceSecondsOf = ({ engine }: CandidateRun, { warmUpShare }: RunContext['plan']) => Math.max(1, engine.pace.warmUpSeconds * warmUpShare)

/**
 * With all cores of the machine, until the compiler is idle or the time for it is over. It runs before what it compiles, among which it would work
 * for minutes: in production it did so long ago. Nothing of these pieces counts; how many there were.
 */
async function compile(run: CandidateRun, compilers: Threads, pieceSeconds: number, budget: Budget): Promise<number> {
  const shapes = shapesOf(run, budget, compilers.goFirst(true))
  await run.instance?.release()
  try {
    for (let piece = 1, idle = 0; ; piece++) {
      const [beforeSeconds, beforeMs] = [compilers.cpuSeconds(), performance.now()]
      const shape = shapes[(piece - 1) % shapes.length] as Shape
      const trial = await closedTrial(run, { phase: 'warm-up', ...shape, seconds: pieceSeconds, repeat: piece - 1 }, 0)
      const cores = (compilers.cpuSeconds() - beforeSeconds) / ((performance.now() - beforeMs) / 1000)
      idle = compilers.count > 0 && cores < idleCores ? idle + 1 : 0
      if (idle === shapes.length || trial.validity.verdict === 'broken' || piece * pieceSeconds >= budget.compileSeconds) return piece
    }
  } finally {
    await run.instance?.confine()
  }
}

type Shape = Pick<TrialOrder, 'concurrency' | 'client'>

/**
 * What closed loops will ask with: many in flight and few, and the other client, in turn. Code that was compiled for one of them alone is thrown away
 * as soon as another comes, and is compiled again in the middle of what is timed.
 */
function shapesOf(run: CandidateRun, { concurrencies, compares }: Budget, doCompilersGoFirst: boolean): Shape[] {
  if (!doCompilersGoFirst) return [{ concurrency: compilingConcurrency }]
  const few = Math.min(...concurrencies)
  const other = otherClientOf(run)
  return [
    { concurrency: Math.max(...concurrencies) },
    ...(compares && other !== null ? [{ concurrency: few, client: other }] : []),
    { concurrency: few },
  ]
}
