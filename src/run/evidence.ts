/** Turns a run, finished or not, into the result document. */
import { createHash } from 'node:crypto'
import { cpus, release, totalmem } from 'node:os'
import { capacityOf } from '../assess/capacity/capacity.ts'
import { assess } from '../assess/judge/assess.ts'
import type { Dataset } from '../data/dataset.ts'
import { rowSource } from '../data/rows.ts'
import { canonical, type Value } from '../data/value.ts'
import type { Excuse } from '../families/model.ts'
import type { Calibration } from '../measure/calibrate.ts'
import { thisProcess } from '../provision/owner.ts'
import type { Ceiling } from '../replay/ceiling.ts'
import { type CandidateResult, type Result, resultSchemaVersion } from '../result/result.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { redactFreeText } from '../secrets.ts'
import { version } from '../version.ts'
import type { CandidateRun } from './candidate.ts'
import type { TrialPlan } from './plan.ts'

/** What a run knows of itself, besides its candidates. */
export interface RunState {
  startedAt: Date
  calibration: (Calibration & { harness: Ceiling }) | null
  /** How far equals differ on this machine; null: nobody has measured it. */
  resolution: Result['resolution']
  /** Microseconds of the timed piece of code at the full speed of the cores; null: nobody timed it. */
  fullSpeedUs: number | null
  harnessCores: number[]
  harnessPinned: boolean
  /** Why pauses of the host are not seen; null: they are. */
  pausesUnseen: string | null
  /** Seconds by phase. */
  phases: Map<string, number>
  excuses: Excuse[]
  /** Of ours, which ended the run: its stack. */
  fault: string | null
}

export function makeResult(
  status: Result['status'],
  scenario: Scenario,
  plan: TrialPlan,
  hashes: Pick<Result, 'contentHash' | 'dataHash'>,
  runs: CandidateRun[],
  state: RunState,
): Result {
  const result: Result = {
    schema: resultSchemaVersion,
    dbtrial: version,
    status,
    fault: state.fault,
    startedAt: state.startedAt.toISOString(),
    seed: scenario.seed,
    host: describeHost(state),
    scenario,
    trialPlan: { ...plan, phases: plan.phases.map((each) => ({ ...each, actualSeconds: state.phases.get(each.name) ?? null })) },
    ...hashes,
    calibration: state.calibration,
    resolution: state.resolution,
    fullSpeedUs: state.fullSpeedUs,
    candidates: runs.map((run) => candidateResult(run, plan)),
    excuses: [...state.excuses, ...runs.flatMap((run) => run.compiled.model.excuses)],
    assessment: null,
  }
  return redactFreeText({ ...result, assessment: assess(result) })
}

function candidateResult(run: CandidateRun, plan: TrialPlan): CandidateResult {
  const { compiled, instance } = run
  const { memoryBytes } = compiled.scenario.bench
  const { cpus: limit } = run
  const { mix } = run
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
      image: instance.image,
      limits: { cpus: limit, memoryBytes },
      enforced: instance.enforced,
      cores: instance.cores,
    },
    restarts: run.restarts,
    restores: run.restores,
    grownShare: run.grownShare,
    otherFailures: run.otherFailures,
    parity: run.parity,
    model: compiled.model,
    compiled: compiled.programs.flatMap((each, index) =>
      each === null || compiled.operations[index]?.internal ? [] : [{ operation: each.operation, statements: each.shown }],
    ),
    ddl: [...compiled.ddl, ...compiled.afterLoad],
    handbook: run.engine.handbook(compiled),
    traits: { ...run.engine.traits, pinned: run.engine.server.major },
    mix,
    load: run.load,
    storage: { at: run.storage, bytesPerRow: bytesPerRow(run.storage) },
    verification: run.verification,
    invariants: run.invariants,
    kills: run.kills,
    explanations: run.explanations,
    indexUse: run.indexUse ?? [],
    indexUseOf: 'all starts',
    steady: run.steady,
    sizes: run.sizes,
    trials: run.trials,
    capacity: capacityOf(run.evidence(), mix, limit),
    commonCapacity: run.hasPartialRival && plan.budget.common ? capacityOf(run.evidence('common'), 'common', limit) : null,
  }
}

function bytesPerRow(at: CandidateResult['storage']['at']): number | null {
  const [half, whole] = at
  if (half === undefined || whole === undefined || whole.rows <= half.rows) return null
  const bytes = (each: typeof half) => [...each.tables, ...each.indexes].reduce((total, part) => total + part.bytes, 0)
  return (bytes(whole) - bytes(half)) / (whole.rows - half.rows)
}

/** Of what was planned and generated, never of what was measured. */
export function hashesOf(
  scenario: Scenario,
  plan: TrialPlan,
  dataset: Dataset,
  runs: Pick<CandidateRun, 'candidate' | 'compiled'>[],
): { contentHash: string; dataHash: string } {
  const data = createHash('sha256')
  for (const block of rowSource(dataset, 0, 1).blocks()) {
    for (const chunk of [block, ...block.owned]) {
      for (const column of chunk.columns) {
        if (column.nulls !== undefined) data.update(column.nulls)
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
    models: runs.map((run) => [run.candidate, run.compiled.model, run.compiled.programs, run.compiled.ddl]),
    dataHash,
  }
  return {
    contentHash: createHash('sha256')
      .update(canonical(JSON.parse(JSON.stringify(content)) as Value))
      .digest('hex'),
    dataHash,
  }
}

function describeHost({
  harnessCores,
  harnessPinned,
  pausesUnseen,
}: Pick<RunState, 'harnessCores' | 'harnessPinned' | 'pausesUnseen'>): Result['host'] {
  return {
    platform: `${process.platform}-${process.arch}`,
    kernel: release(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    harnessCores,
    harnessPinned,
    pausesUnseen,
    machine: thisProcess().machine,
  }
}
