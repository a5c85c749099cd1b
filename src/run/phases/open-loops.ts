/** Open loops: the rates that compare candidates, those of the response curve and one that is held back, in an order that the seed shuffles. */
import { cpuFill } from '../../assess/capacity/capacity.ts'
import { bindingOf, countOf, curvesOf, isUsable } from '../../assess/capacity/response-curve.ts'
import { judgeAt } from '../../assess/judge/at-multiple.ts'
import { keyOf, Source } from '../../data/random.ts'
import { heldBackMultiple, ratesAround } from '../../replay/rates.ts'
import type { TrialResult } from '../../result/result.ts'
import { probabilityWithin } from '../../stats/beta-binomial.ts'
import type { CandidateRun } from '../candidate.ts'
import type { RunContext } from '../orders.ts'
import { maintenanceAfter } from '../plan.ts'
import { sum } from '../trial.ts'
import { openTrial } from './trials.ts'
import { warmAgain } from './warm-up.ts'

/** Further beyond what a closed loop reached nothing is learnt, and the queue takes long to drain. */
const farBeyond = 1.5

/** One start of one candidate. Place and rate are never one: the order is another in each start, and the same for every candidate. */
export async function measureCurve(run: CandidateRun, start: number, { plan, dataset }: RunContext): Promise<void> {
  const { openSeconds: seconds, curveRates, common } = plan.budget
  const saturated = saturatedMultiple(run)
  const asked = plan.multiples.filter((multiple) => multiple === 1 || !plan.budget.compares || multiple <= farBeyond * saturated)
  const orders = [
    ...asked.map((multiple) => ({ phase: 'confirmation' as const, multiple })),
    ...(plan.budget.compares
      ? [
          ...ratesAround(expectedOf(run), saturated, curveRates).map((multiple) => ({ phase: 'curve' as const, multiple })),
          { phase: 'held-back' as const, multiple: run.heldBack ?? heldBackMultiple(saturated) },
        ]
      : []),
    ...(common && run.hasPartialRival
      ? plan.multiples.map((multiple) => ({ phase: 'confirmation' as const, multiple, mix: 'common' as const }))
      : []),
  ]
  run.heldBack ??= heldBackMultiple(saturated)
  for (const order of shuffled(orders, dataset.scenario.seed, start)) await openTrial(run, { ...order, seconds, repeat: start })
}

/** Whether another trial would narrow the answer, or decide at a rate that compares candidates, and the effort has time for it. */
export const isCurveOpen = (run: CandidateRun, { plan }: Pick<RunContext, 'plan'>) => nextTrial(run, plan) !== null

/** One more trial where it tells most. The server has been paused, and warms first. */
export async function narrowCurve(run: CandidateRun, { plan }: Pick<RunContext, 'plan'>): Promise<void> {
  const next = nextTrial(run, plan)
  if (next === null) return
  await warmAgain(run, { plan })
  await openTrial(run, { ...next, seconds: plan.budget.openSeconds, repeat: plan.budget.starts + run.narrowed++ })
}

/** At a rate that is undecided, and in the middle of what is left, in turn where both would tell something; null: neither would, or there is no time. */
function nextTrial(run: CandidateRun, { budget, multiples }: RunContext['plan']): { phase: 'curve' | 'confirmation'; multiple: number } | null {
  if (run.failure !== null || !budget.compares || run.narrowed >= budget.narrowingTrials) return null
  const evidence = run.evidence()
  const curves = curvesOf(evidence)
  const expected = bindingOf(curves ?? [])?.curve ?? null
  const isWide = expected === null || expected.high / expected.low > budget.narrowEnough
  const isOpen = (multiple: number) =>
    judgeAt(evidence, multiple, curves).cells.some(({ undecided }) => undecided === 'sample' || undecided === 'late')
  const undecided = multiples.find(isOpen)
  if (undecided !== undefined && !(isWide && run.narrowed % 2 === 1)) return { phase: 'confirmation', multiple: undecided }
  if (!isWide) return null
  const [multiple] = ratesAround(expected, saturatedMultiple(run), 1)
  return { phase: 'curve', multiple: multiple as number }
}

function expectedOf(run: CandidateRun) {
  return bindingOf(curvesOf(run.evidence()) ?? [])?.curve ?? null
}

/** The multiple whose rate the closed loops reached. */
function saturatedMultiple(run: CandidateRun): number {
  const best = Math.max(0, ...run.trials.filter((trial) => trial.phase === 'sweep').map((trial) => trial.throughputPerSecond))
  const fixed = sum(run.ratesAt(0))
  return Math.max(0.01, best - fixed) / Math.max(1e-9, sum(run.ratesAt(1)) - fixed)
}

/** As many connections for everybody, unless the answers at peak, or at 70 % of saturation, clearly come in time with another number only. */
export async function chooseConnections(run: CandidateRun, { plan }: RunContext): Promise<void> {
  const { connections, connectionSeconds: seconds } = plan.budget
  if (seconds === 0) return
  const multiple = Math.min(Math.max(...plan.multiples), cpuFill * saturatedMultiple(run))
  const worst = new Map<number, number>()
  for (const concurrency of connections) {
    run.connections = concurrency
    const trial = await openTrial(run, { phase: 'connections', multiple, seconds, repeat: 0 })
    // What others or the harness spoiled says nothing of a number of connections.
    if (isUsable(trial)) worst.set(concurrency, worstHold(run, trial))
    if (!isDoubtful(connections, worst)) break
  }
  run.connections = preferred(connections, worst)
}

/** The first, unless it is likely to miss: then the most likely to hold, where one is likely to. */
export function preferred(connections: readonly number[], worst: ReadonlyMap<number, number>): number {
  const [usual] = connections as [number]
  if (!isDoubtful(connections, worst)) return usual
  const best = connections.reduce((a, b) => ((worst.get(b) ?? 0) > (worst.get(a) ?? 0) ? b : a))
  return (worst.get(best) ?? 0) > likely ? best : usual
}
/** Whether the usual number is likely to miss: else no other is tried. */
const isDoubtful = ([usual]: readonly number[], worst: ReadonlyMap<number, number>) => (worst.get(usual as number) ?? 1) <= doubtful
const doubtful = 0.1
const likely = 0.5

/** The least probability that an operation holds its objective, of those that were called often. */
function worstHold(run: CandidateRun, trial: TrialResult): number {
  const holds = run.compiled.scenario.operations.flatMap((operation) => {
    const own = trial.operations[operation.name]
    if (own === undefined || own.intended < minCalls) return []
    return operation.objectives
      .filter((objective) => objective.quantile < 1)
      .flatMap((objective) => {
        const count = countOf(trial, operation.name, objective.name)
        return count === null ? [] : [probabilityWithin([count], 1 - objective.quantile)]
      })
  })
  return Math.min(1, ...holds)
}
const minCalls = 299

/** A trial at average load with a checkpoint, flush or compaction forced in its first third; only where the effort has time for it. */
export async function maintain(run: CandidateRun, context: RunContext): Promise<void> {
  const { plan } = context
  const seconds = plan.budget.openSeconds
  await warmAgain(run, context)
  await run.withSession(1, async (session) => {
    const forced = new Promise((resolve) => setTimeout(resolve, seconds * 1000 * maintenanceAfter)).then(() => session.maintain())
    // A failure of the forced work is the run's to tell, once the trial has ended.
    forced.catch(() => {})
    await openTrial(run, { phase: 'maintenance', multiple: 1, seconds, repeat: 0 })
    await forced
  })
}

/** Fisher and Yates. */
export function shuffled<T>(items: readonly T[], seed: number, start: number): T[] {
  const source = new Source().restart(keyOf(seed, 'order of trials'), start + 1)
  const order = [...items]
  for (let at = order.length - 1; at > 0; at--) {
    const other = source.below(at + 1)
    ;[order[at], order[other]] = [order[other] as T, order[at] as T]
  }
  return order
}
