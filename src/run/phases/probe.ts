/** Probes: operations too rare for their objective are raised together in one trial per multiple and start, within a bound of extra server CPU. */

import { samplesNeeded } from '../../measure/decide.ts'
import type { CandidateRun } from '../candidate.ts'
import type { RunContext } from '../orders.ts'
import type { Budget } from '../plan.ts'
import { openTrial } from './trials.ts'

const costSeconds = 0.5
/** The probes of all starts raise operations to this many samples, within this share of the server's CPU. */
const probeSamples = 600
const probeCpuShare = 0.05

/** `start` counts from 0. */
export async function probe(run: CandidateRun, start: number, { plan }: RunContext): Promise<void> {
  if (!plan.budget.compares) return
  const seconds = plan.budget.openSeconds
  if (start === 0) await measureCosts(run, rareOperations(run, 1, plan.budget))
  for (const multiple of plan.multiples) {
    const ratesPerSecond = probeRates(run, multiple, plan.budget)
    if (ratesPerSecond !== null) await openTrial(run, { phase: 'probe', multiple, seconds, repeat: start, ratesPerSecond })
  }
}

/** Operations that all starts together call too seldom to meet their highest objective. */
function rareOperations(run: CandidateRun, multiple: number, { starts, openSeconds }: Budget): number[] {
  const rates = run.ratesAt(multiple)
  return run.supported.filter((index) => {
    const needed = Math.max(0, ...(run.compiled.operations[index]?.objectives ?? []).map((objective) => samplesNeeded(objective.quantile)))
    return (rates[index] as number) * openSeconds * starts < Math.min(needed, probeSamples)
  })
}

/** Server CPU of one call, from a short closed loop of that operation alone. */
async function measureCosts(run: CandidateRun, operations: number[]): Promise<void> {
  for (const index of operations) {
    const ratesPerSecond = run.compiled.operations.map((_, each) => (each === index ? 1 : 0))
    const attempt = () =>
      run.runTrial({
        phase: 'probe',
        loop: 'closed',
        multiple: null,
        concurrency: 1,
        warmUpSeconds: 0.1,
        seconds: costSeconds,
        repeat: 0,
        ratesPerSecond,
      })
    const first = await attempt()
    const trial = first.validity.verdict === 'noisy' && run.failure === null ? await attempt() : first
    const calls = trial.throughputPerSecond * trial.seconds
    if (calls > 0) run.cpuSecondsPerCall.set(index, ((trial.resources.server?.cpuCores ?? Number.POSITIVE_INFINITY) * trial.seconds) / calls)
  }
}

/** The mix at a multiple with the rare operations raised, cheapest first, while their extra CPU stays within its share; null where none fits. */
function probeRates(run: CandidateRun, multiple: number, budget: Budget): number[] | null {
  const rates = run.ratesAt(multiple)
  let cpuLeft = probeCpuShare * run.compiled.scenario.bench.cpus
  const byCost = rareOperations(run, multiple, budget).sort((a, b) => (run.cpuSecondsPerCall.get(a) ?? 1) - (run.cpuSecondsPerCall.get(b) ?? 1))
  let raised = false
  for (const index of byCost) {
    const extra = probeSamples / budget.starts / budget.openSeconds
    const cpu = extra * (run.cpuSecondsPerCall.get(index) ?? Number.POSITIVE_INFINITY)
    if (cpu > cpuLeft) break
    cpuLeft -= cpu
    rates[index] = (rates[index] as number) + extra
    raised = true
  }
  return raised ? rates : null
}
