/** Scale-up: what the mix reaches on a server of one size, loaded and warmed like any other. */

import { slowdownOf } from '../../measure/slowdown.ts'
import type { CandidateRun } from '../candidate.ts'
import type { RunContext } from '../orders.ts'
import { loadCandidate, settleCandidate } from './prepare.ts'
import { sweep } from './sweep.ts'
import { warmUp } from './warm-up.ts'

/** Best of the closed-loop sweep; null where the server failed, or where the best was client-bound. */
export async function throughputOf(run: CandidateRun, context: RunContext): Promise<{ throughputPerSecond: number; connections: number } | null> {
  await run.visit(() => loadCandidate(run, context))
  await run.visit(async (instance) => {
    await settleCandidate(run, instance)
    await instance.confine()
  })
  await run.visit(() => warmUp(run, context))
  await run.visit(() => sweep(run, context, 0))
  const trials = run.trials.filter((trial) => trial.phase === 'sweep' && trial.validity.verdict !== 'noisy' && trial.validity.verdict !== 'broken')
  if (run.failure !== null || trials.length === 0) return null
  const atFullSpeed = trials.map((trial) => ({
    perSecond: trial.throughputPerSecond * slowdownOf(trial, context.fullSpeedUs(), run.sensitivity),
    connections: trial.connections,
    isOfServer: trial.validity.verdict === 'valid',
  }))
  const best = atFullSpeed.reduce((a, b) => (b.perSecond > a.perSecond ? b : a))
  return best.isOfServer ? { throughputPerSecond: best.perSecond, connections: best.connections } : null
}
