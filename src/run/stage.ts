/** The candidates of a run on this machine, and how they are visited: one after the other, side by side or in turn; every phase is timed, and ends at an abort. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Dataset, makeDataset } from '../data/dataset.ts'
import { engineOf } from '../engines/registry.ts'
import { messageOf, rethrowOwnFault } from '../errors.ts'
import { allOperations, deriveModel } from '../families/derive.ts'
import { withIndexChanges } from '../families/index-changes.ts'
import { deviceOf } from '../host/disk.ts'
import type { PauseWatch } from '../host/pause-watch.ts'
import { bindToCores } from '../host/processes.ts'
import { HostSpeed } from '../host/speed.ts'
import { fullSpeedUs, isTimed, sensitivityOf, slowdownOf } from '../measure/slowdown.ts'
import { makeRunDirectory } from '../provision/directories.ts'
import { dataParent } from '../provision/places.ts'
import type { Instance } from '../provision/provision.ts'
import type { WorkerPool } from '../replay/pool.ts'
import { checkFits, type Result, type TrialResult, writeResult } from '../result/result.ts'
import type { Candidate, Scenario } from '../scenario/scenario.ts'
import { blocks as reserved } from '../verify/verify.ts'
import type { BenchOptions } from './bench.ts'
import { CandidateRun } from './candidate.ts'
import type { Cores } from './cores.ts'
import { hashesOf, makeResult, type RunState } from './evidence.ts'
import type { RunContext } from './orders.ts'
import type { TrialPlan } from './plan.ts'
import { checkResumable, nextStart, trialsBefore } from './resume.ts'
import { abortable } from './taking.ts'

const abortWithinMs = 1500

/** What a stage stands on. */
interface Ground {
  plan: TrialPlan
  cores: Cores
  pool: WorkerPool
  pauses: PauseWatch
}

export class Stage {
  readonly scenario: Scenario
  readonly options: BenchOptions
  readonly plan: TrialPlan
  readonly cores: Cores
  readonly pool: WorkerPool
  readonly pauses: PauseWatch
  readonly dataset: Dataset
  readonly state: RunState
  readonly context: RunContext
  readonly runs: CandidateRun[]
  /** Of the result. */
  readonly directory: string
  /** Of the servers. */
  readonly runDirectory: string
  readonly #hashes: ReturnType<typeof hashesOf>
  readonly #blocks = new Map<string, number>()
  #hostSpeed: HostSpeed | null = null
  /** Work goes on that nobody waits for any more. */
  #abandoned = false

  /** @throws TrialError where the result would not fit on the disk, or what is to be continued was another run. */
  constructor(scenario: Scenario, options: BenchOptions, { plan, cores, pool, pauses }: Ground) {
    const { resume } = options
    this.scenario = scenario
    this.options = options
    this.plan = plan
    this.cores = cores
    this.pool = pool
    this.pauses = pauses
    this.dataset = makeDataset(scenario, plan.shares)
    this.state = {
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
    this.context = this.#makeContext()
    this.runs = scenario.candidates.map((candidate) => this.prepare(candidate, scenario, trialsBefore(resume, candidate.name)))
    this.#hashes = hashesOf(scenario, plan, this.dataset, this.runs)
    // What could not be written in the end is not measured.
    checkFits(this.result('interrupted'))
    if (resume !== undefined) checkResumable(resume, this.result('interrupted'))
    const name = `${this.state.startedAt.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${scenario.seed}`
    this.directory = resume?.directory ?? join(options.reports, scenario.name, name)
    this.runDirectory = makeRunDirectory(options.data)
  }

  #makeContext(): RunContext {
    const { dataset, plan, pool, state, cores, options } = this
    return {
      dataset,
      plan,
      pool,
      signal: options.signal,
      start: nextStart(options.resume),
      harnessCores: () => (state.harnessPinned ? cores.harness : null),
      pauses: () => (state.pausesUnseen === null ? this.pauses : null),
      device: deviceOf(dataParent(options.data)),
      hostSpeed: () => this.#hostSpeed,
      fullSpeedUs: () => this.#fullSpeedUs(),
      laws: new Map(),
      commonMix: () => commonMixOf(this.runs),
      blockOf: (label) => {
        const block = this.#blocks.get(label) ?? reserved.firstTrial + this.#blocks.size
        this.#blocks.set(label, block)
        return block
      },
    }
  }

  prepare(candidate: Candidate, scenario: Scenario, before: TrialResult[]): CandidateRun {
    const engine = engineOf(candidate)
    const model = withIndexChanges(deriveModel(engine, scenario), candidate.indexChanges)
    for (const excuse of model.excuses) excuse.engine = candidate.name
    return new CandidateRun(candidate, engine, engine.compile(model, allOperations(scenario), scenario, candidate.durability), this.context, before)
  }

  result(status: Result['status']): Result {
    return makeResult(status, this.scenario, this.plan, this.#hashes, this.runs, this.state)
  }

  /** What waits for a server ends with it: at an abort nobody waits for either. */
  async phase(name: string, work: () => Promise<void>): Promise<void> {
    const { signal } = this.options
    signal.throwIfAborted()
    await this.#timed(name, async () => {
      const done = work()
      await abortable(done, signal).catch(async (error: unknown) => {
        if (signal.aborted) this.#abandoned = !(await endsSoon(done))
        throw error
      })
    })
  }

  async #timed(name: string, work: () => Promise<void>): Promise<void> {
    const { progress } = this.options
    const start = performance.now()
    progress.begin(name)
    await work()
    this.state.phases.set(name, (performance.now() - start) / 1000)
    progress.end(name)
  }

  async each(work: (run: CandidateRun) => Promise<void>): Promise<void> {
    for (const run of this.runs) {
      if (run.failure === null && run.instance !== null) this.options.progress.note(run.candidate.name)
      await this.#visit(run, () => work(run))
    }
  }

  /** Rounds in rotated order: whatever the machine does to a round, it does to all. */
  async inTurn(
    round: number,
    name: string,
    work: (run: CandidateRun) => Promise<void>,
    concerned: (run: CandidateRun) => boolean = () => true,
  ): Promise<void> {
    for (const run of rotated(this.runs, round).filter(concerned)) {
      this.options.progress.note(`${name}: ${run.candidate.name}`)
      await this.#visit(run, () => work(run))
    }
  }

  async #visit(run: CandidateRun, work: () => Promise<void>): Promise<void> {
    await run.visit(work)
    this.state.fullSpeedUs = this.#fullSpeedUs()
    tellSlowdowns(this.runs, this.state.fullSpeedUs)
    // Written after every visit, so that a killed run can be continued; while a server works nothing is written.
    if (run.trials.length > 0) this.#writeQuietly()
  }

  /** Where nothing is timed: side by side, on all cores; afterwards each server has its own alone. Nobody is left behind where one gives up: what ends the run waits for all. */
  async together(work: (run: CandidateRun, instance: Instance) => Promise<void>): Promise<void> {
    const visits = this.runs.map((run) => {
      if (run.failure === null && run.instance !== null) this.options.progress.note(run.candidate.name)
      return run.visit(async (instance) => {
        await instance.release()
        await work(run, instance)
        await instance.confine()
      })
    })
    const failed = (await Promise.allSettled(visits)).find((each) => each.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    if (this.runs.some(({ trials }) => trials.length > 0)) this.#writeQuietly()
  }

  /** From here on the harness keeps off the servers' cores, where there are cores enough: none of those that replay is this process's. */
  async separate(): Promise<void> {
    const { cores, state, pauses } = this
    state.harnessPinned = cores.separate && (await bindToCores(process.pid, cores.harness.slice(0, 1))) && (await this.pool.bind(cores.harness))
    state.pausesUnseen = state.harnessPinned ? await pauses.settle() : 'the server has no cores of its own'
    if (state.pausesUnseen !== null) this.options.progress.warn(`pauses of the host are not seen: ${state.pausesUnseen}`)
    if (cores.separate) this.#hostSpeed = await HostSpeed.start(cores.server.slice(0, this.scenario.bench.cpus))
  }

  /** Ends everything that was started, whatever has happened. */
  async stop(): Promise<void> {
    const { pool, pauses, runs, options, runDirectory } = this
    await this.#timed('stop', async () => {
      await Promise.all([pool[Symbol.asyncDispose](), pauses[Symbol.asyncDispose](), this.#hostSpeed?.[Symbol.asyncDispose]()])
      await Promise.all(runs.map((run) => run.stop().catch((error: unknown) => options.progress.note(messageOf(error)))))
      // What still works in it would make it anew, without its owner's name: the guard removes it, once we are gone.
      if (!this.#abandoned) rmSync(runDirectory, { recursive: true, force: true })
    })
  }

  #fullSpeedUs(): number | null {
    return fullSpeedUs(
      this.runs.flatMap(({ trials }) => trials),
      this.options.knownSpeedUs ?? null,
    )
  }

  /** A disk that is full is no reason to lose the measurements that memory holds: the end tries again, and says so. */
  #writeQuietly(): void {
    try {
      writeResult(this.directory, this.result('interrupted'))
    } catch (error) {
      rethrowOwnFault(error)
      this.options.progress.note(`the result so far could not be written: ${messageOf(error)}`)
    }
  }
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

/** Operations that every candidate can do. */
function commonMixOf(runs: CandidateRun[]): Set<number> {
  const [first, ...others] = runs.map((run) => run.supported)
  return new Set((first ?? []).filter((index) => others.every((other) => other.includes(index))))
}

function rotated<T>(items: T[], by: number): T[] {
  return items.map((_, index) => items[(index + by) % items.length] as T)
}
