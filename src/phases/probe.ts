/** Probes: operations too rare for their objective are raised together in one longer trial per multiple, within a bound of extra server CPU. */
import type { CandidateRun, RunContext } from '../candidate.ts'
import { samplesNeeded } from '../measure/decide.ts'
import { probeSeconds } from '../scenario/plan.ts'
import { sum } from '../trial.ts'
import { openTrial } from './trials.ts'

const costSeconds = 0.5
/** A probe raises operations to this many samples, within this share of the server's CPU. */
const probeSamples = 400
const probeCpuShare = 0.05

export async function probe(run: CandidateRun, { plan }: RunContext): Promise<void> {
  const seconds = probeSeconds(plan.budget)
  if (seconds === 0) return
  await measureCosts(run, rareOperations(run, 1))
  for (const multiple of plan.multiples) {
    const ratesPerSecond = probeRates(run, multiple, seconds)
    if (ratesPerSecond !== null) await openTrial(run, { phase: 'probe', multiple, seconds, repeat: 0, ratesPerSecond })
  }
}

function pooledSamples(run: CandidateRun, operation: string, multiple: number): number {
  return sum(
    run.trials
      .filter((trial) => trial.phase === 'confirmation' && trial.mix !== 'common' && trial.arrival.multiple === multiple)
      .map((trial) => trial.operations[operation]?.intended ?? 0),
  )
}

/** Operations with too few pooled samples to meet their highest objective. */
function rareOperations(run: CandidateRun, multiple: number): number[] {
  return run.supported.filter((index) => {
    const operation = run.compiled.operations[index]
    const needed = Math.max(0, ...(operation?.objectives ?? []).map((objective) => samplesNeeded(objective.quantile)))
    return operation !== undefined && pooledSamples(run, operation.name, multiple) < Math.min(needed, 299)
  })
}

/** Server CPU of one call, from a short closed loop of that operation alone. */
async function measureCosts(run: CandidateRun, operations: number[]): Promise<void> {
  for (const index of operations) {
    const ratesPerSecond = run.compiled.operations.map((_, each) => (each === index ? 1 : 0))
    const trial = await run.runTrial({
      phase: 'probe',
      loop: 'closed',
      multiple: null,
      concurrency: 1,
      warmUpSeconds: 0.1,
      seconds: costSeconds,
      repeat: 0,
      ratesPerSecond,
    })
    const calls = trial.throughputPerSecond * trial.seconds
    if (calls > 0) run.cpuSecondsPerCall.set(index, ((trial.resources.server?.cpuCores ?? Number.POSITIVE_INFINITY) * trial.seconds) / calls)
  }
}

/** The mix at a multiple with the rare operations raised, cheapest first, while their extra CPU stays within its share; null where none fits. */
function probeRates(run: CandidateRun, multiple: number, seconds: number): number[] | null {
  const rates = run.ratesAt(multiple)
  let cpuLeft = probeCpuShare * run.compiled.scenario.bench.cpus
  const byCost = rareOperations(run, multiple).sort((a, b) => (run.cpuSecondsPerCall.get(a) ?? 1) - (run.cpuSecondsPerCall.get(b) ?? 1))
  let raised = false
  for (const index of byCost) {
    const extra = probeSamples / seconds
    const cpu = extra * (run.cpuSecondsPerCall.get(index) ?? Number.POSITIVE_INFINITY)
    if (cpu > cpuLeft) break
    cpuLeft -= cpu
    rates[index] = (rates[index] as number) + extra
    raised = true
  }
  return raised ? rates : null
}
