/** What the evidence says: which candidates hold every objective at average load and at peak, and what each pooled answer rests on. */
import { decide, errorsMissed, type Outcome } from '../measure/decide.ts'
import type { CandidateResult, OperationResult, Result, TrialResult } from '../result.ts'
import type { Scenario } from '../scenario/scenario.ts'

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
  const rounds = candidate.trials.filter((trial) => trial.phase === 'confirmation' && trial.arrival.multiple === multiple)
  const valid = rounds.filter((trial) => trial.validity.verdict === 'valid')
  const probes = candidate.trials.filter(
    (trial) => trial.phase === 'probe' && trial.arrival.multiple === multiple && trial.validity.verdict === 'valid',
  )
  const supported = new Set(candidate.compiled.map((each) => each.operation))
  const cells = scenario.operations.map((operation): Cell => {
    const empty = {
      operation: operation.name,
      intended: 0,
      errors: 0,
      dropped: 0,
      p50Us: null,
      p99Us: null,
      p99RangeUs: null,
      scaleLimited: scaleLimited.has(operation.name),
    }
    if (!supported.has(operation.name)) return { ...empty, outcome: 'excused' }
    const own = samplesOf(valid, operation.name)
    if (own.length === 0) return { ...empty, outcome: 'not run' }
    const pooled = [...own, ...(raised(own, probes, operation.name) ? samplesOf(probes, operation.name) : [])]
    const intended = total(pooled, (each) => each.intended)
    const errors = total(pooled, (each) => Object.values(each.errors).reduce((sum, count) => sum + count, 0))
    const dropped = total(pooled, (each) => each.dropped)
    const outcomes = operation.objectives.map((objective) =>
      decide(
        total(pooled, (each) => each.exceeded[objective.name] ?? 0),
        intended,
        objective.quantile,
      ),
    )
    const missed = outcomes.includes('missed') || errorsMissed(errors + dropped, intended, operation.errorShare)
    const p99s = pooled.flatMap((each) => (each.responseUs === null || each.responseUs.count === 0 ? [] : [each.responseUs.p99]))
    const p50s = pooled.flatMap((each) => (each.responseUs === null || each.responseUs.count === 0 ? [] : [each.responseUs.p50]))
    return {
      ...empty,
      outcome: missed ? 'missed' : scaleLimited.has(operation.name) || outcomes.includes('undetermined') ? 'undetermined' : 'met',
      intended,
      errors,
      dropped,
      p50Us: median(p50s),
      p99Us: median(p99s),
      p99RangeUs: p99s.length === 0 ? null : [Math.min(...p99s), Math.max(...p99s)],
    }
  })
  const missed = cells.filter((cell) => cell.outcome === 'missed').map((cell) => cell.operation)
  const notTested = cells.filter((cell) => cell.outcome === 'undetermined').map((cell) => cell.operation)
  const outcome = valid.length === 0 ? (rounds.length === 0 ? 'not run' : 'undetermined') : missed.length > 0 ? 'missed' : 'met'
  return { multiple, outcome, missed, notTested, rounds: rounds.length, validRounds: valid.length, cells }
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
