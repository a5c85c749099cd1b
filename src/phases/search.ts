/** The search for capacity: the highest multiple at which every objective holds, by open-loop steps that end as soon as they are missed. */
import type { CandidateRun, RunContext } from '../candidate.ts'
import { bracketOf, nextMultiple, type SearchStep } from '../replay/search.ts'
import { sum } from '../trial.ts'
import { openTrial } from './trials.ts'
import { warmUp } from './warm-up.ts'

/** Its own mix, and where some candidate cannot do everything also the one that all can do. */
export async function search(run: CandidateRun, context: RunContext): Promise<void> {
  if (await run.restore()) await warmUp(run, context)
  await searchMix(run, context, 'own')
  if (run.hasPartialRival && context.plan.budget.commonSearch) await searchMix(run, context, 'common')
}

async function searchMix(run: CandidateRun, { plan }: RunContext, kind: 'own' | 'common'): Promise<void> {
  const { searchSteps, searchSeconds: seconds } = plan.budget
  const mix = kind === 'common' ? ({ mix: 'common' } as const) : {}
  const best = Math.max(0, ...run.trials.filter((trial) => trial.phase === 'sweep').map((trial) => trial.throughputPerSecond))
  const fixed = sum(run.ratesAt(0, mix.mix))
  const saturated = Math.max(0, best - fixed) / Math.max(1e-9, sum(run.ratesAt(1, mix.mix)) - fixed)
  const steps: SearchStep[] = []
  for (;;) {
    const multiple = nextMultiple(steps, saturated, searchSteps)
    if (multiple === null || !(multiple > 0)) break
    const trial = await openTrial(run, { phase: 'search', multiple, seconds, repeat: 0, stopWhenMissed: true, ...mix })
    steps.push({ multiple, outcome: trial.outcome, verdict: trial.validity.verdict })
  }
  const { low, high } = bracketOf(steps)
  Object.assign(run.capacities[kind], { at: low, missedAt: high })
}
