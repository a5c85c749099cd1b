/** The pipeline: plan → provision → load → settle → verify → measurement in starts → narrowing → maintenance → kills → invariants → result. */
import { cpus, tmpdir } from 'node:os'
import type { ClientKind } from '../engines/engine.ts'
import { engineOf } from '../engines/registry.ts'
import { isOwnFault, messageOf, TrialError } from '../errors.ts'
import { deriveModel } from '../families/derive.ts'
import { busyText } from '../host/busy.ts'
import { PauseWatch } from '../host/pause-watch.ts'
import { calibrate } from '../measure/calibrate.ts'
import { thisProcess } from '../provision/owner.ts'
import { homeDirectory } from '../provision/places.ts'
import { isUnobtainable, type Provisioner, type Unobtainable } from '../provision/provision.ts'
import { provisionWhole } from '../provision/with-cache.ts'
import { measureCeiling } from '../replay/ceiling.ts'
import { WorkerPool } from '../replay/pool.ts'
import { type Result, saveResult } from '../result/result.ts'
import type { Effort, Scenario } from '../scenario/scenario.ts'
import { faultText } from '../stray-errors.ts'
import { checkInvariants } from '../verify/invariants.ts'
import type { CandidateRun } from './candidate.ts'
import { divideCores } from './cores.ts'
import type { RunContext } from './orders.ts'
import { killAmidWrites, promiseKept } from './phases/kills.ts'
import { measureStart } from './phases/measurement.ts'
import { isCurveOpen, maintain, narrowCurve } from './phases/open-loops.ts'
import { loadCandidate, settleCandidate, verifyCandidate } from './phases/prepare.ts'
import { throughputOf } from './phases/sizes.ts'
import { planTrials, type TrialPlan } from './plan.ts'
import type { Resumed } from './resume.ts'
import { Stage } from './stage.ts'

const maxPatienceSeconds = 30

export interface BenchOptions {
  effort: Effort
  client: ClientKind
  /** In the order in which a candidate tries them. */
  provisionersOf: (candidate: string) => Provisioner[]
  /** Parent of `<scenario>/<UTC>-<seed>/`. */
  reports: string
  /** Parent of the servers' data directories; absent: the first of the usual places that is on a disk. */
  data?: string
  resume?: Resumed
  /** How far equals differ on this machine, where it was measured. */
  resolution?: Result['resolution']
  /** Of the timed piece of code at the full speed that earlier runs met on this machine. */
  knownSpeedUs?: number | null
  signal: AbortSignal
  progress: Progress
}
/** Told what happens; draws it or prints it. */
export interface Progress {
  begin(phase: string): void
  note(text: string): void
  /** Stays to be read when the phase is over. */
  warn(text: string): void
  end(phase: string): void
}
export interface Finished {
  result: Result
  directory: string
  /** Why the result is not there; it is here, and may be elsewhere. */
  unsaved?: unknown
  /** Of ours, which ended the run. */
  fault?: { thrown: unknown }
}

/** The trial plan of a scenario with its candidates. */
export function planFor(scenario: Scenario, effort: Effort, client: ClientKind = 'wire'): TrialPlan {
  return planTrials(
    scenario,
    effort,
    scenario.candidates.map((candidate) => engineOf(candidate).pace),
    scenario.candidates.some((candidate) => deriveModel(engineOf(candidate), scenario).excuses.length > 0),
    client,
    cpus().length,
  )
}

/** Runs the whole trial. Failures of a candidate are part of the result; an abort, or a fault of ours, writes what there is. */
export async function bench(scenario: Scenario, options: BenchOptions): Promise<Finished> {
  const plan = planFor(scenario, options.effort, options.client)
  const cores = divideCores(Math.max(scenario.bench.cpus, ...plan.sizes))
  // One core is this process's own, where it has more than one.
  await using pool = new WorkerPool(Math.max(1, cores.harness.length - 1), cores.separate)
  await using pauses = new PauseWatch(cores.separate ? cores.server : [])
  const stage = new Stage(scenario, options, { plan, cores, pool, pauses })
  let status: Result['status'] = 'complete'
  let fault: Finished['fault']
  try {
    await perform(stage)
  } catch (error) {
    if (!options.signal.aborted) {
      if (!isOwnFault(error)) throw error
      fault = { thrown: error }
      stage.state.fault = faultText(error)
    }
    status = 'interrupted'
  } finally {
    await stage.stop()
  }
  const { directory } = stage
  const finished = { result: stage.result(status), directory, ...(fault === undefined ? {} : { fault }) }
  try {
    saveResult(directory, finished.result, [tmpdir(), homeDirectory(), '/var/tmp'])
  } catch (unsaved) {
    return { ...finished, unsaved }
  }
  return finished
}

/** All phases, in their order. */
async function perform(stage: Stage): Promise<void> {
  const { context, plan, runs, options } = stage
  await stage.phase('calibrate', () => calibrateMachine(stage))
  await stage.phase('start', () => startCandidates(stage))
  await stage.phase('load', () => stage.each((run) => loadCandidate(run, context)))
  await stage.phase('settle', async () => {
    await stage.together((run, instance) => settleCandidate(run, instance))
    await stage.separate()
  })
  await stage.phase('verify', () => stage.together((run) => verifyCandidate(run, context)))
  await stage.phase('measurement', async () => {
    const { starts } = plan.budget
    for (let start = 0; start < starts; start++)
      await stage.inTurn(start, `start ${start + 1} of ${starts}`, (run) => measureStart(run, start, context, options.progress))
  })
  await stage.phase('narrowing', async () => {
    const isOpen = (run: CandidateRun) => isCurveOpen(run, context)
    for (let round = 0; runs.some(isOpen); round++) await stage.inTurn(round, 'its capacity', (run) => narrowCurve(run, context), isOpen)
  })
  if (plan.budget.maintenance) await stage.phase('maintenance', () => stage.each((run) => maintain(run, context)))
  if (plan.budget.kills > 0) await stage.phase('kills', () => stage.each((run) => killAmidWrites(run, context)))
  await stage.phase('invariants', () => stage.together((run) => finishCandidate(run, context)))
  if (plan.sizes.length > 0)
    await stage.phase('sizes', async () => {
      for (const run of runs) for (const size of plan.sizes) await measureAt(stage, run, size)
    })
}

async function calibrateMachine({ runDirectory, options, pool, pauses, state, dataset, scenario }: Stage): Promise<void> {
  const { progress, effort } = options
  // Where nothing is claimed of a capacity nothing is gained by waiting.
  const patienceSeconds = effort === 'smoke' ? 0 : maxPatienceSeconds
  const found = await calibrate(runDirectory, { patienceSeconds, workers: [...pool.pids, ...pauses.pids], report: progress.note })
  if (found.busy !== null) progress.warn(`the machine is busy: ${busyText(found.busy)}`)
  state.calibration = { ...found, harness: await measureCeiling(dataset, scenario.operations, 0.4, [2000, 20_000]) }
}

/** On a server of another size, which is gone afterwards. */
async function measureAt(stage: Stage, run: CandidateRun, size: number): Promise<void> {
  if (run.failure !== null || run.instance === null) return
  const { scenario, context, options } = stage
  const name = `${run.candidate.name}-${size}`
  options.progress.note(`${name} cores`)
  const sized = stage.prepare({ ...run.candidate, name }, { ...scenario, bench: { ...scenario.bench, cpus: size } }, [])
  try {
    await startCandidate(stage, sized, size, run.candidate.name)
    const best = await throughputOf(sized, context)
    if (best !== null) run.sizes.push({ cpus: size, ...best })
  } finally {
    await sized.stop()
  }
}

/** A server that cannot be had is an excuse; one that does not start is a failure of its candidate. */
async function startCandidates(stage: Stage): Promise<void> {
  for (const run of stage.runs) {
    const { name } = run.candidate
    const missing = await startCandidate(stage, run, stage.scenario.bench.cpus, name)
    if (missing === null) continue
    stage.state.excuses.push({
      engine: name,
      operation: null,
      reason: `no server to be had: ${missing.tried.join('; ')}`,
      bottleneck: `what would fix it: ${missing.mend}`,
    })
  }
}

/** `named`: the candidate that the user named. Returns why there is no server to be had; null where there is one, or where one failed. */
async function startCandidate({ options, cores, runDirectory }: Stage, run: CandidateRun, size: number, named: string): Promise<Unobtainable | null> {
  const { provisionersOf, signal, progress } = options
  const { candidate, engine } = run
  const { memoryBytes, security } = run.compiled.scenario.bench
  progress.note(candidate.name)
  try {
    const order = {
      engine,
      candidate: candidate.name,
      owner: thisProcess(),
      limits: { cpus: size, memoryBytes },
      durability: candidate.durability,
      cores: cores.server.slice(0, size),
      secured: security === 'on',
      directory: runDirectory,
      signal,
      report: progress.note,
    }
    const instance = await provisionWhole(provisionersOf(named), order)
    if (isUnobtainable(instance)) {
      run.failure = `no server: ${instance.tried.join('; ')}`
      return instance
    }
    run.attach(instance)
    await instance.pause()
  } catch (error) {
    if (signal.aborted || isOwnFault(error)) throw error
    run.failure = `${messageOf(error)}${error instanceof TrialError && error.hint !== undefined ? ` → ${error.hint}` : ''}`
  }
  return null
}

async function finishCandidate(run: CandidateRun, { dataset, signal }: RunContext): Promise<void> {
  await run.withSession(16, async (session) => {
    await run.countIndexUse(session)
    run.invariants = promiseKept(run)
    if (run.writesUnknown || run.reference === null) return
    const { reference, totals: before, writes: log, deathsNs, nowMs } = run
    const checked = await run.unlessItEnds(checkInvariants(session, run.compiled, dataset, { reference, before, log, deathsNs, nowMs }, signal))
    run.invariants = [...checked, ...run.invariants]
  })
}
