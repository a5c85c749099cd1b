/** Confirmation in rounds: the same absolute rates for all, each candidate's own capacity with its steps down, 70 % of that, probes, maintenance. */
import { judgeAt } from '../assess/at-multiple.ts'
import { isSustained } from '../assess/capacity.ts'
import type { CandidateRun, RunContext } from '../candidate.ts'
import { rounded } from '../replay/search.ts'
import { maintenanceAfter } from '../scenario/plan.ts'
import { openTrial } from './trials.ts'
import { warmUp } from './warm-up.ts'

/** A capacity that was not sustained is tried again this much lower, so many times at most. */
const stepDown = 0.95
const mostStepsDown = 4
const belowCapacity = 0.7

/** One round of one candidate at the rates that compare candidates, and at its own capacity. */
export async function confirmRound(run: CandidateRun, round: number, context: RunContext): Promise<void> {
  const { plan, commonMix } = context
  // Started again on what was loaded it is cold: it warms as at first.
  if (await run.restore(plan.budget.restarts && round > 0)) await warmUp(run, context)
  const { roundSeconds: seconds } = plan.budget
  for (const multiple of plan.multiples) {
    // What the search has missed at a lower rate needs no confirmation.
    if (multiple > 1 && (run.capacities.own.missedAt ?? Number.POSITIVE_INFINITY) <= multiple) continue
    await openTrial(run, { phase: 'confirmation', multiple, seconds, repeat: round })
  }
  if (plan.budget.compares && run.hasPartialRival && commonMix().size > 0)
    for (const multiple of plan.multiples) await openTrial(run, { phase: 'confirmation', multiple, seconds, repeat: round, mix: 'common' })
  await sustain(run, round, { plan })
}

/** Whether a capacity of a candidate still has to be confirmed. */
export function isCapacityOpen(run: CandidateRun, context: Pick<RunContext, 'plan'>): boolean {
  return run.failure === null && kinds.some((kind) => isOpen(run, kind, context))
}

/** One round at each of the candidate's capacities that is still open; a rate that is not sustained is lowered. */
export async function sustain(run: CandidateRun, round: number, { plan }: Pick<RunContext, 'plan'>): Promise<void> {
  const { roundSeconds: seconds, rounds } = plan.budget
  for (const kind of kinds) {
    const capacity = run.capacities[kind]
    if (capacity.at === null || !isOpen(run, kind, { plan })) continue
    await openTrial(run, { phase: 'capacity', multiple: capacity.at, seconds, repeat: round, ...(kind === 'common' ? { mix: kind } : {}) })
    if (isSustained(judgeAt(run.evidence(kind), capacity.at, 'capacity'), rounds) !== 'no') continue
    capacity.stepsDown++
    capacity.at = capacity.stepsDown > mostStepsDown ? null : rounded(capacity.at * stepDown)
  }
}

const kinds = ['own', 'common'] as const

function isOpen(run: CandidateRun, kind: 'own' | 'common', { plan }: Pick<RunContext, 'plan'>): boolean {
  const { at } = run.capacities[kind]
  return at !== null && isSustained(judgeAt(run.evidence(kind), at, 'capacity'), plan.budget.rounds) !== 'yes'
}

/** One round at 70 % of its own capacity: it describes the candidate, it compares none. */
export async function confirmBelowCapacity(run: CandidateRun, round: number, { plan }: RunContext): Promise<void> {
  const { at } = run.capacities.own
  if (at === null) return
  const multiple = rounded(at * belowCapacity)
  await openTrial(run, { phase: 'below-capacity', multiple, seconds: plan.budget.roundSeconds, repeat: round })
}

/** A trial at average load with a checkpoint, flush or compaction forced in its first third; only where the effort has time for it. */
export async function maintain(run: CandidateRun, { plan }: RunContext): Promise<void> {
  if (!plan.budget.maintenance) return
  const seconds = plan.budget.roundSeconds
  await run.withSession(1, async (session) => {
    const forced = new Promise((resolve) => setTimeout(resolve, seconds * 1000 * maintenanceAfter)).then(() => session.maintain())
    // A failure of the forced work is the run's to tell, once the trial has ended.
    forced.catch(() => {})
    await openTrial(run, { phase: 'maintenance', multiple: 1, seconds, repeat: 0 })
    await forced
  })
}
