/** The pipeline: plan → provision → load → settle → verify → warm-up → sweep → ladder → confirmation → invariants → result. */
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { assess } from './assess/assess.ts'
import { CandidateRun, type RunContext } from './candidate.ts'
import { type Dataset, makeDataset } from './data/dataset.ts'
import { rowSource } from './data/rows.ts'
import { canonical, type Value } from './data/value.ts'
import { engineNamed } from './engines/registry.ts'
import { messageOf } from './errors.ts'
import { type Calibration, calibrate } from './measure/calibrate.ts'
import { capacityOf } from './measure/capacity.ts'
import { allOperations, deriveModel } from './model/derive.ts'
import type { Excuse } from './model/model.ts'
import { confirm, ladder, sweep, warmUp } from './phases/measure.ts'
import { loadCandidate, settleCandidate, verifyCandidate } from './phases/prepare.ts'
import { makeRunDirectory } from './provision/directories.ts'
import { bindToCores } from './provision/processes.ts'
import { isUnobtainable, type Provisioner, provision } from './provision/provision.ts'
import { type Ceiling, measureCeiling } from './replay/ceiling.ts'
import { WorkerPool } from './replay/pool.ts'
import { type CandidateResult, type Result, resultSchemaVersion, writeResult } from './result.ts'
import { planTrials, type TrialPlan } from './scenario/plan.ts'
import type { Candidate, Effort, Scenario } from './scenario/scenario.ts'
import { checkInvariants } from './verify/invariants.ts'
import { judge } from './verify/judge.ts'
import { verificationBlock } from './verify/verify.ts'
import { version } from './version.ts'

export interface BenchOptions {
  effort: Effort
  provisioners: Provisioner[]
  /** Parent of `<scenario>/<UTC>-<seed>/`. */
  reports: string
  signal: AbortSignal
  progress: Progress
}
/** Told what happens; draws it or prints it. */
export interface Progress {
  begin(phase: string): void
  note(text: string): void
  end(phase: string): void
}
export interface Finished {
  result: Result
  directory: string
}

/** The trial plan of a scenario with its candidates. */
export function planFor(scenario: Scenario, effort: Effort): TrialPlan {
  return planTrials(
    scenario,
    effort,
    scenario.candidates.map((candidate) => engineNamed(candidate.engine).pace),
  )
}

/** Runs the whole trial. Failures of a candidate are part of the result; an abort writes what there is. */
export async function bench(scenario: Scenario, options: BenchOptions): Promise<Finished> {
  const { signal, progress } = options
  const startedAt = new Date()
  const plan = planFor(scenario, options.effort)
  const cores = divideCores(scenario)
  const runDirectory = makeRunDirectory()
  const dataset = makeDataset(scenario, plan.share)
  const pool = new WorkerPool(Math.min(2, cores.harness.length))
  const blocks = new Map<string, number>()
  const state: { calibration: (Calibration & { harness: Ceiling }) | null; pinned: boolean; phases: Map<string, number>; excuses: Excuse[] } = {
    calibration: null,
    pinned: false,
    phases: new Map(),
    excuses: [],
  }
  const context: RunContext = {
    dataset,
    plan,
    pool,
    signal,
    idleBaselineCores: () => state.calibration?.idleBaselineCores ?? 0,
    blockOf: (label) => {
      const block = blocks.get(label) ?? verificationBlock + 2 + blocks.size
      blocks.set(label, block)
      return block
    },
  }
  const runs = scenario.candidates.map((candidate) => prepareRun(candidate, scenario, context))
  const phase = async (name: string, work: () => Promise<void>) => {
    const start = performance.now()
    progress.begin(name)
    try {
      await work()
    } finally {
      state.phases.set(name, (performance.now() - start) / 1000)
      progress.end(name)
    }
  }
  const each = async (work: (run: CandidateRun) => Promise<void>) => {
    for (const run of runs) {
      if (run.failure === null && run.instance !== null) progress.note(run.candidate.name)
      await run.visit(() => work(run))
    }
  }
  let status: Result['status'] = 'complete'
  try {
    await phase('calibrate', async () => {
      state.calibration = { ...(await calibrate(runDirectory)), harness: await measureCeiling(dataset, scenario.operations) }
    })
    await phase('start', async () => {
      for (const run of runs) await startCandidate(run, options, cores.server, runDirectory, state.excuses)
    })
    await phase('load', () => each((run) => loadCandidate(run, context)))
    await phase('settle', async () => {
      for (const run of runs) await run.visit((instance) => settleCandidate(run, instance))
      state.pinned = cores.separate && (await bindToCores(process.pid, cores.harness))
    })
    await phase('verify', () => each((run) => verifyCandidate(run, context)))
    await phase('warm-up', () => each((run) => warmUp(run, context)))
    await phase('sweep', () => each((run) => sweep(run, context)))
    await phase('ladder', () => each((run) => ladder(run, context)))
    await phase('confirmation', async () => {
      for (let round = 0; round < plan.budget.rounds; round++) {
        for (const run of rotated(runs, round)) {
          progress.note(`round ${round + 1} of ${plan.budget.rounds}: ${run.candidate.name}`)
          await run.visit(() => confirm(run, round, context))
        }
      }
    })
    await phase('invariants', () => each((run) => finishCandidate(run, context)))
  } catch (error) {
    if (!signal.aborted) throw error
    status = 'interrupted'
  } finally {
    await phase('stop', async () => {
      await pool[Symbol.asyncDispose]()
      await Promise.all(runs.map((run) => run.stop().catch((error: unknown) => progress.note(messageOf(error)))))
      rmSync(runDirectory, { recursive: true, force: true })
    })
  }
  const directory = join(options.reports, scenario.name, `${startedAt.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${scenario.seed}`)
  const result: Result = {
    schema: resultSchemaVersion,
    dbtrial: version,
    status,
    startedAt: startedAt.toISOString(),
    seed: scenario.seed,
    host: describeHost(cores, state.pinned),
    scenario: { ...scenario },
    trialPlan: { ...plan, phases: plan.phases.map((each) => ({ ...each, actualSeconds: state.phases.get(each.name) ?? null })) },
    ...hashes(scenario, plan, dataset, runs),
    calibration: state.calibration,
    candidates: runs.map(candidateResult),
    excuses: [...state.excuses, ...runs.flatMap((run) => run.compiled.model.excuses)],
    assessment: null,
  }
  result.assessment = { ...assess(result) }
  mkdirSync(directory, { recursive: true })
  writeResult(directory, result)
  return { result, directory }
}

function prepareRun(candidate: Candidate, scenario: Scenario, context: RunContext): CandidateRun {
  const engine = engineNamed(candidate.engine)
  const model = deriveModel(engine.family, scenario)
  for (const excuse of model.excuses) excuse.engine = candidate.name
  return new CandidateRun(candidate, engine, engine.compile(model, allOperations(scenario), scenario, candidate.durability), context)
}

/** A server that cannot be had is an excuse; one that does not start is a failure of its candidate. */
async function startCandidate(
  run: CandidateRun,
  { provisioners, signal, progress }: BenchOptions,
  cores: number[],
  directory: string,
  excuses: Excuse[],
): Promise<void> {
  const { candidate, engine } = run
  const { cpus: limit, memoryBytes } = run.compiled.scenario.bench
  progress.note(candidate.name)
  try {
    const order = {
      engine,
      candidate: candidate.name,
      limits: { cpus: limit, memoryBytes },
      durability: candidate.durability,
      cores,
      directory,
      signal,
      report: progress.note,
    }
    const instance = await provision(provisioners, order)
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
    if (signal.aborted) throw error
    run.failure = messageOf(error)
  }
}

async function finishCandidate(run: CandidateRun, { dataset, signal }: RunContext): Promise<void> {
  await run.withSession(16, async (session) => {
    run.indexUse = await session.indexUse()
    run.invariants = await checkInvariants(session, run.compiled, dataset, run.totals, run.writes, run.nowMs, signal)
  })
  if (run.reference === null) return
  for (const { trial, answers } of run.kept) {
    for (const [operation, wrong] of Object.entries(judge(answers, run.compiled.operations, dataset, run.reference))) {
      const own = trial.operations[operation]
      if (own !== undefined) own.wrong = wrong
    }
  }
}

/** Whole cores: the server gets the last ones, the harness keeps at least one. */
function divideCores(scenario: Scenario): { server: number[]; harness: number[]; separate: boolean } {
  const all = Array.from({ length: cpus().length }, (_, core) => core)
  if (all.length === 1) return { server: all, harness: all, separate: false }
  const wanted = Math.min(scenario.bench.cpus, all.length - 1)
  return { server: all.slice(all.length - wanted), harness: all.slice(0, all.length - wanted), separate: true }
}

function rotated<T>(items: T[], by: number): T[] {
  return items.map((_, index) => items[(index + by) % items.length] as T)
}

function candidateResult(run: CandidateRun): CandidateResult {
  const { compiled, instance } = run
  const { cpus: limit, memoryBytes } = compiled.scenario.bench
  const mix = run.partial ? 'partial' : 'full'
  return {
    name: run.candidate.name,
    engine: run.engine.name,
    family: run.engine.family,
    durability: run.candidate.durability,
    failure: run.failure,
    provision: instance && {
      kind: instance.kind,
      version: instance.version,
      origin: instance.origin,
      limits: { cpus: limit, memoryBytes },
      enforced: instance.enforced,
      cores: instance.cores,
    },
    parity: run.parity,
    model: { ...compiled.model },
    compiled: compiled.compiled.flatMap((each, index) =>
      each === null || compiled.operations[index]?.internal
        ? []
        : [{ operation: each.operation, statements: each.statements.map((statement) => statement.text) }],
    ),
    ddl: [...compiled.ddl, ...compiled.afterLoad],
    handbook: { ...run.engine.handbook(compiled) },
    traits: { ...run.engine.traits },
    mix,
    load: run.load,
    storage: { at: run.storage, bytesPerRow: bytesPerRow(run.storage) },
    verification: run.verification,
    invariants: run.invariants,
    explanations: run.explanations,
    indexUse: run.indexUse,
    trials: run.trials,
    capacity: capacityOf(run.trials, mix),
  }
}

function bytesPerRow(at: CandidateResult['storage']['at']): number | null {
  const [half, whole] = at
  if (half === undefined || whole === undefined || whole.rows <= half.rows) return null
  const bytes = (each: typeof half) => [...each.tables, ...each.indexes].reduce((total, part) => total + part.bytes, 0)
  return (bytes(whole) - bytes(half)) / (whole.rows - half.rows)
}

/** Of what was planned and generated, never of what was measured. */
function hashes(scenario: Scenario, plan: TrialPlan, dataset: Dataset, runs: CandidateRun[]): { contentHash: string; dataHash: string } {
  const data = createHash('sha256')
  for (const block of rowSource(dataset, 0, 1).blocks()) {
    for (const chunk of [block, ...block.owned]) {
      for (const column of chunk.columns) {
        if (column.kind === 'numbers') data.update(column.numbers)
        else data.update(column.ends).update(column.bytes.subarray(0, column.ends[chunk.rows - 1] ?? 0))
      }
    }
  }
  const dataHash = data.digest('hex')
  const { phases: _seconds, ...planned } = plan
  const content = {
    scenario,
    planned,
    models: runs.map((run) => [run.candidate, run.compiled.model, run.compiled.compiled, run.compiled.ddl]),
    dataHash,
  }
  return {
    contentHash: createHash('sha256')
      .update(canonical(JSON.parse(JSON.stringify(content)) as Value))
      .digest('hex'),
    dataHash,
  }
}

function describeHost(cores: { harness: number[] }, pinned: boolean): Result['host'] {
  return {
    platform: `${process.platform}-${process.arch}`,
    kernel: release(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    harnessCores: cores.harness,
    harnessPinned: pinned,
  }
}
