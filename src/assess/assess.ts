/** What the evidence says: which candidates hold every objective at average load and at peak, and what each pooled answer rests on. */
import { decide, errorsMissed, type Outcome, samplesNeeded } from '../measure/decide.ts'
import type { CandidateResult, OperationResult, Result, TrialResult } from '../result.ts'
import type { Operation, Scenario } from '../scenario/scenario.ts'

/** One operation of one candidate at one multiple, pooled over the valid rounds. */
export interface Cell {
  operation: string
  outcome: Outcome | 'excused' | 'not run'
  intended: number
  errors: number
  dropped: number
  /** Medians of the rounds, µs; null without a sample. */
  p50Us: number | null
  p99Us: number | null
  /** Smallest and largest p99 of the rounds: a plain range. */
  p99RangeUs: [number, number] | null
  scaleLimited: boolean
  /** Enough samples, and still neither met nor missed; `late`: missed, but only while the harness itself was late. */
  undecided: false | 'sample' | 'late'
}
export interface AtMultiple {
  multiple: number
  outcome: Outcome | 'not run'
  missed: string[]
  notTested: string[]
  rounds: number
  validRounds: number
  cells: Cell[]
}
export interface CandidateAssessment {
  name: string
  mix: 'full' | 'partial'
  failure: string | null
  wrong: number
  brokenInvariants: string[]
  at: AtMultiple[]
}
export interface Assessment {
  candidates: CandidateAssessment[]
  /** Full mix, right answers, every tested objective met at every confirmed multiple. */
  holds: string[]
}

export function assess(result: Result): Assessment {
  const scenario = result.scenario as unknown as Scenario
  const scaleLimited = new Set(
    (result.trialPlan as unknown as { operations: { name: string; scaleLimited: boolean }[] }).operations
      .filter((each) => each.scaleLimited)
      .map((each) => each.name),
  )
  const candidates = result.candidates.map((candidate) => ({
    name: candidate.name,
    mix: candidate.mix,
    failure: candidate.failure,
    wrong:
      candidate.verification.wrong +
      candidate.trials.reduce((sum, trial) => sum + Object.values(trial.operations).reduce((own, each) => own + each.wrong, 0), 0),
    brokenInvariants: candidate.invariants.filter((invariant) => !invariant.ok).map((invariant) => invariant.name),
    at: result.trialPlan.multiples.map((multiple) => assessAt(candidate, multiple, scenario, scaleLimited)),
  }))
  const holds = candidates.filter(
    (each) =>
      each.failure === null &&
      each.mix === 'full' &&
      each.wrong === 0 &&
      each.brokenInvariants.length === 0 &&
      each.at.length > 0 &&
      each.at.every((at) => at.outcome === 'met'),
  )
  return { candidates, holds: holds.map((each) => each.name) }
}

function assessAt(candidate: CandidateResult, multiple: number, scenario: Scenario, scaleLimited: Set<string>): AtMultiple {
  const rounds = trialsAt(candidate, 'confirmation', multiple)
  // A harness that was late only adds to response times: what is met in spite of it is met, what is missed with it is not decided.
  const usable = rounds.filter(isUsable)
  const probes = trialsAt(candidate, 'probe', multiple).filter(isUsable)
  const supported = new Set(candidate.compiled.map((each) => each.operation))
  const cells = scenario.operations.map((operation): Cell => {
    const limited = scaleLimited.has(operation.name)
    const empty = {
      operation: operation.name,
      intended: 0,
      errors: 0,
      dropped: 0,
      p50Us: null,
      p99Us: null,
      p99RangeUs: null,
      scaleLimited: limited,
      undecided: false as const,
    }
    if (!supported.has(operation.name)) return { ...empty, outcome: 'excused' }
    const judged = raised(samplesOf(usable, operation.name), probes, operation.name) ? [...usable, ...probes] : usable
    const all = samplesOf(judged, operation.name)
    if (all.length === 0) return { ...empty, outcome: 'not run' }
    const proven = samplesOf(judged.filter(isValid), operation.name)
    const bounded = outcomeOf(operation, all)
    const needed = Math.max(0, ...operation.objectives.map((objective) => samplesNeeded(objective.quantile)))
    const outcome = bounded === 'missed' ? outcomeOf(operation, proven) : bounded
    const shown = proven.length > 0 ? proven : all
    const percentiles = shown.flatMap(({ responseUs }) => (responseUs === null || responseUs.count === 0 ? [] : [responseUs]))
    const p99s = percentiles.map((each) => each.p99)
    return {
      ...empty,
      outcome: outcome === 'met' && limited ? 'undetermined' : outcome,
      undecided:
        outcome !== 'undetermined' || limited
          ? false
          : bounded === 'missed'
            ? 'late'
            : total(all, (each) => each.intended) >= needed
              ? 'sample'
              : false,
      intended: total(shown, (each) => each.intended),
      errors: total(shown, errorsOf),
      dropped: total(shown, (each) => each.dropped),
      p50Us: median(percentiles.map((each) => each.p50)),
      p99Us: median(p99s),
      p99RangeUs: p99s.length === 0 ? null : [Math.min(...p99s), Math.max(...p99s)],
    }
  })
  const missed = cells.filter((cell) => cell.outcome === 'missed').map((cell) => cell.operation)
  const notTested = cells.filter((cell) => cell.outcome === 'undetermined' && cell.undecided === false).map((cell) => cell.operation)
  const outcome =
    rounds.length === 0
      ? 'not run'
      : missed.length > 0
        ? 'missed'
        : usable.length === 0 || cells.some((cell) => cell.undecided !== false)
          ? 'undetermined'
          : 'met'
  return { multiple, outcome, missed, notTested, rounds: rounds.length, validRounds: rounds.filter(isValid).length, cells }
}

function trialsAt(candidate: CandidateResult, phase: TrialResult['phase'], multiple: number): TrialResult[] {
  return candidate.trials.filter((trial) => trial.phase === phase && trial.arrival.multiple === multiple)
}

const isValid = (trial: TrialResult) => trial.validity.verdict === 'valid'
const isUsable = (trial: TrialResult) => isValid(trial) || trial.validity.verdict === 'client-bound'
const errorsOf = (sample: OperationResult) => Object.values(sample.errors).reduce((sum, count) => sum + count, 0)

function outcomeOf(operation: Operation, samples: OperationResult[]): Outcome {
  const intended = total(samples, (each) => each.intended)
  const failed = total(samples, (each) => each.dropped + errorsOf(each))
  if (errorsMissed(failed, intended, operation.errorShare)) return 'missed'
  const outcomes = operation.objectives.map((objective) =>
    decide(
      total(samples, (each) => each.exceeded[objective.name] ?? 0),
      intended,
      objective.quantile,
    ),
  )
  return outcomes.includes('missed') ? 'missed' : outcomes.includes('undetermined') ? 'undetermined' : 'met'
}

function samplesOf(trials: TrialResult[], operation: string): OperationResult[] {
  return trials.flatMap((trial) => trial.operations[operation] ?? [])
}

/** Only an operation that a probe raised is judged on the probe too: for the others it is a round at another mix. */
function raised(rounds: OperationResult[], probes: TrialResult[], operation: string): boolean {
  const most = Math.max(0, ...rounds.map((each) => each.intended))
  return samplesOf(probes, operation).some((each) => each.intended > 4 * Math.max(1, most))
}

function total(samples: OperationResult[], of: (sample: OperationResult) => number): number {
  return samples.reduce((sum, each) => sum + of(each), 0)
}

/** Of percentiles of whole rounds, the unit of repetition; samples themselves are pooled as counts. */
export function median(values: number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
