/** The timed phases: warm-up, closed-loop sweep, ladder of open-loop rates, interleaved confirmation with probes. */
import type { CandidateRun, RunContext } from '../candidate.ts'
import { samplesNeeded } from '../measure/decide.ts'
import type { TrialResult } from '../result.ts'
import { probeSeconds } from '../scenario/plan.ts'
import { sum } from '../trial.ts'

const warmUpOfTrial = 0.5
const warmUpConcurrency = 16
/** Throughputs this close are equal; more connections then keep a slow write from holding up the others. */
const withinNoise = 0.95
const costSeconds = 0.5
/** A probe raises operations to this many samples, within this share of the server's CPU. */
const probeSamples = 400
const probeCpuShare = 0.05

export async function warmUp(run: CandidateRun, { plan }: RunContext): Promise<void> {
  await run.runTrial({
    phase: 'warm-up',
    loop: 'closed',
    multiple: null,
    concurrency: warmUpConcurrency,
    warmUpSeconds: 0,
    seconds: run.engine.pace.warmUpSeconds * plan.warmUpShare,
    repeat: 0,
  })
}

/** Closed loop at each concurrency; the best throughput decides the connections of the open loops: the most within its noise. */
export async function sweep(run: CandidateRun, { plan }: RunContext): Promise<void> {
  const throughputs: number[] = []
  for (const concurrency of plan.budget.concurrencies) {
    const trial = await run.runTrial({
      phase: 'sweep',
      loop: 'closed',
      multiple: null,
      concurrency,
      warmUpSeconds: warmUpOfTrial,
      seconds: plan.budget.sweepSeconds,
      repeat: 0,
    })
    throughputs.push(trial.throughputPerSecond)
  }
  const enough = Math.max(...throughputs) * withinNoise
  run.connections = plan.budget.concurrencies.filter((_, index) => (throughputs[index] as number) >= enough).at(-1) as number
}

/** Rising open-loop rates up to the throughput of the sweep; two missed steps in a row end it. */
export async function ladder(run: CandidateRun, { plan }: RunContext): Promise<void> {
  const best = Math.max(...run.trials.filter((trial) => trial.phase === 'sweep').map((trial) => trial.throughputPerSecond))
  const fixed = sum(run.ratesAt(0))
  const saturated = Math.max(0, best - fixed) / Math.max(1e-9, sum(run.ratesAt(1)) - fixed)
  let missedInARow = 0
  for (const share of plan.ladder) {
    const multiple = Math.round(saturated * share * 1000) / 1000
    const trial = await validTrial(run, () =>
      run.runTrial({
        phase: 'ladder',
        loop: 'open',
        multiple,
        concurrency: run.connections,
        warmUpSeconds: warmUpOfTrial,
        seconds: plan.budget.ladderSeconds,
        repeat: 0,
      }),
    )
    missedInARow = trial.outcome === 'missed' ? missedInARow + 1 : 0
    if (missedInARow === 2) return
  }
}

/** One round of one candidate: each multiple once; in the last round the probes. */
export async function confirm(run: CandidateRun, round: number, { plan }: RunContext): Promise<void> {
  const { budget } = plan
  for (const multiple of plan.multiples) {
    await validTrial(run, () =>
      run.runTrial({
        phase: 'confirmation',
        loop: 'open',
        multiple,
        concurrency: run.connections,
        warmUpSeconds: warmUpOfTrial,
        seconds: budget.roundSeconds,
        repeat: round,
      }),
    )
  }
  const seconds = probeSeconds(budget)
  if (round < budget.rounds - 1 || seconds === 0) return
  await measureCosts(run, rareOperations(run, 1))
  for (const multiple of plan.multiples) {
    const ratesPerSecond = probeRates(run, multiple, seconds)
    if (ratesPerSecond === null) continue
    await run.runTrial({
      phase: 'probe',
      loop: 'open',
      multiple,
      concurrency: run.connections,
      warmUpSeconds: warmUpOfTrial,
      seconds,
      repeat: 0,
      ratesPerSecond,
    })
  }
}

/** A noisy trial is repeated once; both are kept, the report shows the first as noisy. */
async function validTrial(run: CandidateRun, attempt: () => Promise<TrialResult>): Promise<TrialResult> {
  const trial = await attempt()
  return trial.validity.verdict === 'noisy' && run.failure === null ? await attempt() : trial
}

function pooledSamples(run: CandidateRun, operation: string, multiple: number): number {
  return sum(
    run.trials
      .filter((trial) => trial.phase === 'confirmation' && trial.arrival.multiple === multiple)
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
      phase: 'warm-up',
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
