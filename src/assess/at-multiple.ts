/** One candidate at one multiple: the outcome of every operation, pooled over the rounds. */
import { decide, errorsMissed, type Outcome, samplesNeeded } from '../measure/decide.ts'
import { median } from '../measure/median.ts'
import type { OperationResult, TrialResult } from '../result.ts'
import type { Operation } from '../scenario/scenario.ts'
import { type Interval, levelOf } from './intervals.ts'

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
  /** Seconds by which the backlog grows per second where the rounds are saturated, which have no percentiles; null: they are not. */
  backlog: number | null
  /** From three rounds on. */
  p99IntervalUs: Interval | null
  scaleLimited: boolean
  /** Enough samples, and still neither met nor missed; `late`: missed, but only while the harness itself was late. */
  undecided: false | 'sample' | 'late'
}
export interface AtMultiple {
  multiple: number
  outcome: Outcome | 'not run'
  missed: string[]
  notTested: string[]
  /** Not confirmed because a step of the search at this multiple, not above the asked one, was missed already. */
  fromSearch: number | null
  rounds: number
  validRounds: number
  cells: Cell[]
}
/** What is judged: the trials of one candidate, and what its mix holds. */
export interface Evidence {
  /** All of one mix. */
  trials: TrialResult[]
  operations: Operation[]
  /** Names of the operations in the mix. */
  mix: Set<string>
  scaleLimited: Set<string>
}

export function judgeAt(evidence: Evidence, multiple: number, phase: TrialResult['phase']): AtMultiple {
  const { operations, mix, scaleLimited } = evidence
  const trials = evidence.trials.filter((trial) => trial.arrival.multiple === multiple)
  const rounds = trials.filter((trial) => trial.phase === phase)
  // A harness that was late only adds to response times: what is met in spite of it is met, what is missed with it is not decided.
  const usable = rounds.filter(isUsable)
  const probes = phase === 'confirmation' ? trials.filter((trial) => trial.phase === 'probe' && isUsable(trial)) : []
  const cells = operations.map((operation): Cell => {
    const limited = scaleLimited.has(operation.name)
    const empty = {
      operation: operation.name,
      intended: 0,
      errors: 0,
      dropped: 0,
      p50Us: null,
      p99Us: null,
      backlog: null,
      p99IntervalUs: null,
      scaleLimited: limited,
      undecided: false as const,
    }
    if (!mix.has(operation.name)) return { ...empty, outcome: 'excused' }
    const judged = raised(samplesOf(usable, operation.name), probes, operation.name) ? [...usable, ...probes] : usable
    const all = samplesOf(judged, operation.name)
    if (all.length === 0) return { ...empty, outcome: 'not run' }
    const proven = samplesOf(judged.filter(isValid), operation.name)
    const bounded = outcomeOf(operation, all)
    const needed = Math.max(0, ...operation.objectives.map((objective) => samplesNeeded(objective.quantile)))
    const outcome = bounded === 'missed' ? outcomeOf(operation, proven) : bounded
    const shown = proven.length > 0 ? proven : all
    const unsaturated = new Set(
      samplesOf(
        judged.filter((trial) => !trial.saturated),
        operation.name,
      ),
    )
    const percentiles = shown
      .filter((sample) => unsaturated.has(sample))
      .flatMap(({ responseUs }) => (responseUs === null || responseUs.count === 0 ? [] : [responseUs]))
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
      backlog: percentiles.length > 0 ? null : median(judged.filter((trial) => trial.saturated).flatMap((trial) => trial.backlog ?? [])),
      p50Us: median(percentiles.map((each) => each.p50)),
      p99Us: median(p99s),
      p99IntervalUs: levelOf(p99s),
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
  return { multiple, outcome, missed, notTested, fromSearch: null, rounds: rounds.length, validRounds: rounds.filter(isValid).length, cells }
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
