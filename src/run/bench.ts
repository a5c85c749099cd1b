/** The pipeline: plan → provision → load → settle → verify → measurement in starts → narrowing → maintenance → invariants → result. */
import { rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeDataset } from '../data/dataset.ts'
import type { ClientKind } from '../engines/engine.ts'
import { engineNamed } from '../engines/registry.ts'
import { isOwnFault, messageOf, rethrowOwnFault, TrialError } from '../errors.ts'
import { allOperations, deriveModel } from '../families/derive.ts'
import type { Excuse } from '../families/model.ts'
import { busyText } from '../host/busy.ts'
import { deviceOf } from '../host/disk.ts'
import { PauseWatch } from '../host/pause-watch.ts'
import { bindToCores } from '../host/processes.ts'
import { HostSpeed } from '../host/speed.ts'
import { calibrate } from '../measure/calibrate.ts'
import { fullSpeedUs, isTimed, sensitivityOf, slowdownOf } from '../measure/slowdown.ts'
import { makeRunDirectory } from '../provision/directories.ts'
import { thisProcess } from '../provision/owner.ts'
import { dataParent, homeDirectory } from '../provision/places.ts'
import { type Instance, isUnobtainable, type Provisioner, provision } from '../provision/provision.ts'
import { measureCeiling } from '../replay/ceiling.ts'
import { WorkerPool } from '../replay/pool.ts'
import { checkFits, type Result, saveResult, type TrialResult, writeResult } from '../result/result.ts'
import type { Candidate, Effort, Scenario } from '../scenario/scenario.ts'
import { faultText } from '../stray-errors.ts'
import { checkInvariants } from '../verify/invariants.ts'
import { blocks as reserved } from '../verify/verify.ts'
import { abortable, CandidateRun, type RunContext } from './candidate.ts'
import { hashesOf, makeResult, type RunState } from './evidence.ts'
import { measureStart } from './phases/measurement.ts'
import { isCurveOpen, maintain, narrowCurve } from './phases/open-loops.ts'
import { loadCandidate, settleCandidate, verifyCandidate } from './phases/prepare.ts'
import { throughputOf } from './phases/sizes.ts'
import { planTrials, type TrialPlan } from './plan.ts'
import { checkResumable, nextStart, type Resumed, trialsBefore } from './resume.ts'

const abortWithinMs = 1500
const mostPatienceSeconds = 30

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
    scenario.candidates.map((candidate) => engineNamed(candidate.engine).pace),
    scenario.candidates.some((candidate) => deriveModel(engineNamed(candidate.engine), scenario).excuses.length > 0),
    client,
    cpus().length,
  )
}

/** Runs the whole trial. Failures of a candidate are part of the result; an abort, or a fault of ours, writes what there is. */
export async function bench(scenario: Scenario, options: BenchOptions): Promise<Finished> {
  const { signal, progress, resume } = options
  const plan = planFor(scenario, options.effort, options.client)
  const cores = divideCores(Math.max(scenario.bench.cpus, ...plan.sizes))
  const state: RunState = {
    startedAt: resume === undefined ? new Date() : new Date(resume.result.startedAt),
    calibration: null,
    resolution: options.resolution ?? null,
    fullSpeedUs: null,
    harnessCores: cores.harness,
    harnessPinned: false,
    pausesUnseen: 'nothing was measured',
    phases: new Map(),
    excuses: [],
    fault: null,
  }
  const dataset = makeDataset(scenario, plan.shares)
  const blocks = new Map<string, number>()
  let hostSpeed: HostSpeed | null = null
  // One core is this process's own, where it has more than one.
  await using pool = new WorkerPool(Math.max(1, cores.harness.length - 1), cores.separate)
  await using pauses = new PauseWatch(cores.separate ? cores.server : [])
  const context: RunContext = {
    dataset,
    plan,
    pool,
    signal,
    start: nextStart(resume),
    harnessCores: () => (state.harnessPinned ? cores.harness : null),
    pauses: () => (state.pausesUnseen === null ? pauses : null),
    device: deviceOf(dataParent(options.data)),
    hostSpeed: () => hostSpeed,
    fullSpeedUs: () =>
      fullSpeedUs(
        runs.flatMap(({ trials }) => trials),
        options.knownSpeedUs ?? null,
      ),
    laws: new Map(),
    commonMix: () => commonMixOf(runs),
    blockOf: (label) => {
      const block = blocks.get(label) ?? reserved.firstTrial + blocks.size
      blocks.set(label, block)
      return block
    },
  }
  const runs = scenario.candidates.map((candidate) => prepareRun(candidate, scenario, context, trialsBefore(resume, candidate.name)))
  const hashes = hashesOf(scenario, plan, dataset, runs)
  const result = (status: Result['status']) => makeResult(status, scenario, plan, hashes, runs, state)
  // What could not be written in the end is not measured.
  checkFits(result('interrupted'))
  if (resume !== undefined) checkResumable(resume, result('interrupted'))
  const directory =
    resume?.directory ?? join(options.reports, scenario.name, `${state.startedAt.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${scenario.seed}`)
  const runDirectory = makeRunDirectory(options.data)
  const phase = async (name: string, work: () => Promise<void>) => {
    const start = performance.now()
    progress.begin(name)
    await work()
    state.phases.set(name, (performance.now() - start) / 1000)
    progress.end(name)
  }
  /** Work goes on that nobody waits for any more. */
  let abandoned = false
  /** What waits for a server ends with it: at an abort nobody waits for either. */
  const stoppable = async (name: string, work: () => Promise<void>) => {
    signal.throwIfAborted()
    await phase(name, async () => {
      const done = work()
      await abortable(done, signal).catch(async (error: unknown) => {
        if (signal.aborted) abandoned = !(await endsSoon(done))
        throw error
      })
    })
  }
  const visit = async (run: CandidateRun, work: () => Promise<void>) => {
    await run.visit(work)
    state.fullSpeedUs = context.fullSpeedUs()
    tellSlowdowns(runs, state.fullSpeedUs)
    // Written after every visit, so that a killed run can be continued; while a server works nothing is written.
    if (run.trials.length > 0) writeQuietly(directory, result('interrupted'), progress)
  }
  const each = async (work: (run: CandidateRun) => Promise<void>) => {
    for (const run of runs) {
      if (run.failure === null && run.instance !== null) progress.note(run.candidate.name)
      await visit(run, () => work(run))
    }
  }
  /** Where nothing is timed: side by side, on all cores; afterwards each server has its own alone. Nobody is left behind where one gives up: what ends the run waits for all. */
  const together = async (work: (run: CandidateRun, instance: Instance) => Promise<void>) => {
    const visits = runs.map((run) => {
      if (run.failure === null && run.instance !== null) progress.note(run.candidate.name)
      return run.visit(async (instance) => {
        await instance.release()
        await work(run, instance)
        await instance.confine()
      })
    })
    const failed = (await Promise.allSettled(visits)).find((each) => each.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    if (runs.some(({ trials }) => trials.length > 0)) writeQuietly(directory, result('interrupted'), progress)
  }
  /** Rounds in rotated order: whatever the machine does to a round, it does to all. */
  const eachInTurn = async (round: number, name: string, work: (run: CandidateRun) => Promise<void>, concerned = (_: CandidateRun) => true) => {
    for (const run of rotated(runs, round).filter(concerned)) {
      progress.note(`${name}: ${run.candidate.name}`)
      await visit(run, () => work(run))
    }
  }
  /** On a server of another size, which is gone afterwards. */
  const measureAt = async (run: CandidateRun, size: number) => {
    if (run.failure !== null || run.instance === null) return
    const name = `${run.candidate.name}-${size}`
    progress.note(`${name} cores`)
    const sized = prepareRun({ ...run.candidate, name }, { ...scenario, bench: { ...scenario.bench, cpus: size } }, context, [])
    try {
      await startCandidate(sized, run.candidate.name, options, cores.server.slice(0, size), runDirectory, [])
      const best = await throughputOf(sized, context)
      if (best !== null) run.sizes.push({ cpus: size, ...best })
    } finally {
      await sized.stop()
    }
  }
  let status: Result['status'] = 'complete'
  let fault: Finished['fault']
  try {
    await stoppable('calibrate', async () => {
      // Where nothing is claimed of a capacity nothing is gained by waiting.
      const patienceSeconds = options.effort === 'smoke' ? 0 : mostPatienceSeconds
      const found = await calibrate(runDirectory, { patienceSeconds, workers: [...pool.pids, ...pauses.pids], report: progress.note })
      if (found.busy !== null) progress.warn(`the machine is busy: ${busyText(found.busy)}`)
      state.calibration = { ...found, harness: await measureCeiling(dataset, scenario.operations, 0.4, [2000, 20_000]) }
    })
    await stoppable('start', async () => {
      for (const run of runs)
        await startCandidate(run, run.candidate.name, options, cores.server.slice(0, scenario.bench.cpus), runDirectory, state.excuses)
    })
    await stoppable('load', () => each((run) => loadCandidate(run, context)))
    await stoppable('settle', async () => {
      await together((run, instance) => settleCandidate(run, instance))
      // Where there are cores enough, none of those that replay is this process's.
      state.harnessPinned = cores.separate && (await bindToCores(process.pid, cores.harness.slice(0, 1))) && (await pool.bind(cores.harness))
      state.pausesUnseen = state.harnessPinned ? await pauses.settle() : 'the server has no cores of its own'
      if (state.pausesUnseen !== null) progress.warn(`pauses of the host are not seen: ${state.pausesUnseen}`)
      if (cores.separate) hostSpeed = await HostSpeed.start(cores.server.slice(0, scenario.bench.cpus))
    })
    await stoppable('verify', () => together((run) => verifyCandidate(run, context)))
    await stoppable('measurement', async () => {
      const { starts } = plan.budget
      for (let start = 0; start < starts; start++)
        await eachInTurn(start, `start ${start + 1} of ${starts}`, (run) => measureStart(run, start, context, progress))
    })
    await stoppable('narrowing', async () => {
      for (let round = 0; runs.some((run) => isCurveOpen(run, context)); round++)
        await eachInTurn(
          round,
          'its capacity',
          (run) => narrowCurve(run, context),
          (run) => isCurveOpen(run, context),
        )
    })
    if (plan.budget.maintenance) await stoppable('maintenance', () => each((run) => maintain(run, context)))
    await stoppable('invariants', () => together((run) => finishCandidate(run, context)))
    if (plan.sizes.length > 0)
      await stoppable('sizes', async () => {
        for (const run of runs) for (const size of plan.sizes) await measureAt(run, size)
      })
  } catch (error) {
    if (!signal.aborted) {
      if (!isOwnFault(error)) throw error
      fault = { thrown: error }
      state.fault = faultText(error)
    }
    status = 'interrupted'
  } finally {
    await phase('stop', async () => {
      await Promise.all([pool[Symbol.asyncDispose](), pauses[Symbol.asyncDispose](), hostSpeed?.[Symbol.asyncDispose]()])
      await Promise.all(runs.map((run) => run.stop().catch((error: unknown) => progress.note(messageOf(error)))))
      // What still works in it would make it anew, without its owner's name: the guard removes it, once we are gone.
      if (!abandoned) rmSync(runDirectory, { recursive: true, force: true })
    })
  }
  const finished = result(status)
  try {
    saveResult(directory, finished, [tmpdir(), homeDirectory(), '/var/tmp'])
  } catch (unsaved) {
    return { result: finished, directory, unsaved, ...(fault === undefined ? {} : { fault }) }
  }
  return { result: finished, directory, ...(fault === undefined ? {} : { fault }) }
}

/** By all that is known so far of the host, and of how each server follows it. */
function tellSlowdowns(runs: readonly CandidateRun[], fullUs: number | null): void {
  for (const run of runs) {
    run.sensitivity = sensitivityOf(run.trials)
    // Trials of before that nobody timed stay as they were measured, and so do then the others beside them.
    const own = run.trials.every(isTimed) ? fullUs : null
    for (const trial of run.trials) trial.slowdown = slowdownOf(trial, own, run.sensitivity)
  }
}

/** After an abort work has a moment to end by itself; whether it did. */
function endsSoon(work: Promise<void>): Promise<boolean> {
  const ended = work.then(
    () => true,
    () => true,
  )
  return Promise.race([ended, sleep(abortWithinMs, false, { ref: false })])
}

/** A disk that is full is no reason to lose the measurements that memory holds: the end tries again, and says so. */
function writeQuietly(directory: string, result: Result, progress: Progress): void {
  try {
    writeResult(directory, result)
  } catch (error) {
    rethrowOwnFault(error)
    progress.note(`the result so far could not be written: ${messageOf(error)}`)
  }
}

function prepareRun(candidate: Candidate, scenario: Scenario, context: RunContext, before: TrialResult[]): CandidateRun {
  const engine = engineNamed(candidate.engine)
  const model = deriveModel(engine, scenario)
  for (const excuse of model.excuses) excuse.engine = candidate.name
  return new CandidateRun(candidate, engine, engine.compile(model, allOperations(scenario), scenario, candidate.durability), context, before)
}

/** A server that cannot be had is an excuse; one that does not start is a failure of its candidate. */
async function startCandidate(
  run: CandidateRun,
  /** Of the candidate that the user named. */
  named: string,
  { provisionersOf, signal, progress }: BenchOptions,
  cores: number[],
  directory: string,
  excuses: Excuse[],
): Promise<void> {
  const { candidate, engine } = run
  const { cpus: limit, memoryBytes, security } = run.compiled.scenario.bench
  progress.note(candidate.name)
  try {
    const order = {
      engine,
      candidate: candidate.name,
      owner: thisProcess(),
      limits: { cpus: limit, memoryBytes },
      durability: candidate.durability,
      cores,
      secured: security === 'on',
      directory,
      signal,
      report: progress.note,
    }
    const instance = await provision(provisionersOf(named), order)
    if (isUnobtainable(instance)) {
      run.failure = `no server: ${instance.tried.join('; ')}`
      excuses.push({
        engine: candidate.name,
        operation: null,
        reason: `no server to be had: ${instance.tried.join('; ')}`,
        bottleneck: `what would fix it: ${instance.mend}`,
      })
      return
    }
    run.attach(instance)
    await instance.pause()
  } catch (error) {
    if (signal.aborted || isOwnFault(error)) throw error
    run.failure = `${messageOf(error)}${error instanceof TrialError && error.hint !== undefined ? ` → ${error.hint}` : ''}`
  }
}

async function finishCandidate(run: CandidateRun, { dataset, signal }: RunContext): Promise<void> {
  await run.withSession(16, async (session) => {
    run.indexUse = await session.indexUse()
    if (run.writesUnknown || run.reference === null) return
    const { reference, totals: before, writes: log, deathsNs, nowMs } = run
    run.invariants = await run.unlessItEnds(checkInvariants(session, run.compiled, dataset, { reference, before, log, deathsNs, nowMs }, signal))
  })
}

/** Whole cores: the server gets the last ones, the harness keeps at least one. */
function divideCores(asked: number): { server: number[]; harness: number[]; separate: boolean } {
  const all = Array.from({ length: cpus().length }, (_, core) => core)
  if (all.length === 1) return { server: all, harness: all, separate: false }
  const wanted = Math.min(asked, all.length - 1)
  return { server: all.slice(all.length - wanted), harness: all.slice(0, all.length - wanted), separate: true }
}

/** Operations that every candidate can do. */
function commonMixOf(runs: CandidateRun[]): Set<number> {
  const [first, ...others] = runs.map((run) => run.supported)
  return new Set((first ?? []).filter((index) => others.every((other) => other.includes(index))))
}

function rotated<T>(items: T[], by: number): T[] {
  return items.map((_, index) => items[(index + by) % items.length] as T)
}
