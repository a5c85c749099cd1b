/** One candidate at one multiple: the outcome of every operation, from the response curve where there is one, else from the trials at that rate. */

import { errorsHold, holdsOf, type Outcome, outcomeOf, samplesNeeded } from '../../measure/decide.ts'
import { Histogram } from '../../measure/histogram.ts'
import type { OperationResult, TrialResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import type { Count } from '../../stats/beta-binomial.ts'
import { holm, type Interval } from '../../stats/intervals.ts'
import { median } from '../../stats/median.ts'
import { type AtScaleNow, isSlowNow, isSurelySlow } from '../capacity/at-scale.ts'
import { correlationsOf, countOf, curvesOf, isLate, isUsable, minCalls, type OperationCurve } from '../capacity/response-curve.ts'
import { percentileIntervals, type TrialHistogram } from './percentile-interval.ts'
/** One operation of one candidate at one multiple, pooled over the valid trials. */
export interface Cell {
  operation: string
  outcome: Outcome | 'excused' | 'not run'
  intended: number
  errors: number
  dropped: number
  /** More of them than the operation allows, whatever its times are. */
  missedByErrors: boolean
  /** Of the merged histograms, µs; null with fewer samples than a p99 needs, and of a saturated server, whose answers only tell how long it was loaded. */
  p50Us: number | null
  p99Us: number | null
  /** Seconds by which the backlog grows per second where a trial was saturated; null: none was. */
  backlog: number | null
  /** By how the starts differ, 95 %; null with fewer than three. */
  p50IntervalUs: Interval | null
  p99IntervalUs: Interval | null
  scaleLimited: boolean
  /**
   * Tested, and still neither met nor missed. `late`: with the harness's own delays missed, without them met; `few`: missed by what it was
   * called, which is less than a hundred times in every trial; `scale`: likely to be missed on the rows of production.
   */
  undecided: false | 'sample' | 'late' | 'few' | 'scale'
  /** More likely than not it takes longer than its limit on the rows of production, whatever was measured on fewer; null: not. */
  atScale: AtScaleNow | null
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
/** What is judged: the trials of one candidate, and what its mix holds. */
export interface Evidence {
  /** All of one mix. */
  trials: TrialResult[]
  operations: Operation[]
  /** Names of the operations in the mix. */
  mix: Set<string>
  scaleLimited: Set<string>
  /** Whether what the server does at most can be known; absent: it can, or nobody looked. See `own-evidence.ts`. */
  isEndKnown?: boolean
  /** What is known of calls on the rows of production; absent while it is measured. */
  atScale?: readonly AtScaleNow[]
}

/** `curves`: of the evidence, computed once for several multiples. */
export function judgeAt(evidence: Evidence, multiple: number, curves = curvesOf(evidence)): AtMultiple {
  const { operations, mix } = evidence
  const trials = evidence.trials.filter((trial) => trial.arrival.multiple === multiple)
  const rounds = trials.filter((trial) => trial.phase === 'confirmation')
  const valid = rounds.filter(isUsable)
  const probes = trials.filter((trial) => trial.phase === 'probe' && isUsable(trial))
  const judged: Judged = { evidence, multiple, rounds, valid, probes, curves }
  const asked = operations.map((operation) => askedOf(operation, judged))
  // Over all limits of the mix: that one of them is missed by chance is as unlikely as of one alone.
  const inMix = asked.filter(({ operation }) => mix.has(operation.name))
  const missing = missingOf(inMix, (each) => [each.errorsHold, ...each.enough])
  const missingByFew = missingOf(inMix, ({ few }) => few)
  const cells = asked.map((each) => cellOf(each, missing.has(each), missingByFew.has(each), judged))
  const missed = cells.filter((cell) => cell.outcome === 'missed').map((cell) => cell.operation)
  const notTested = cells.filter((cell) => cell.outcome === 'undetermined' && cell.undecided === false).map((cell) => cell.operation)
  const outcome = cells.every((cell) => cell.outcome === 'not run' || cell.outcome === 'excused')
    ? 'not run'
    : missed.length > 0
      ? 'missed'
      : cells.some((cell) => cell.undecided !== false)
        ? 'undetermined'
        : 'met'
  return { multiple, outcome, missed, notTested, rounds: rounds.length, validRounds: valid.length, cells }
}

interface Judged {
  evidence: Evidence
  multiple: number
  /** Trials at this multiple, and those in which neither the harness nor anybody else was in the way. */
  rounds: TrialResult[]
  valid: TrialResult[]
  probes: TrialResult[]
  curves: OperationCurve[] | null
}
/** What is asked of one operation, and how likely it holds. */
interface Asked {
  operation: Operation
  /** Trials that tell of it. */
  valid: TrialResult[]
  /** Of each of its limits on times; null: nothing tells, or the trials at this very rate show the contrary of what all rates say. */
  holds: (number | null)[]
  errorsHold: number
  /** Of these, those that were asked often enough to be missed, and those that were not. */
  enough: number[]
  few: number[]
}

function askedOf(operation: Operation, { multiple, rounds, valid: usable, probes, curves }: Judged): Asked {
  const { name } = operation
  const isRaised = raised(samplesOf(usable, name), probes, name)
  const valid = isRaised ? [...usable, ...probes] : usable
  const maxCalls = Math.max(0, ...samplesOf(valid, name).map((each) => each.intended))
  const limits = operation.objectives.flatMap(({ name: objective, quantile }): { holds: number | null; calls: number }[] => {
    const counts = valid.flatMap((trial) => countOf(trial, name, objective) ?? [])
    const own = isRaised ? undefined : curves?.find((each) => each.operation === name && each.objective.name === objective)
    if (own !== undefined) return [{ holds: byCurve(own, multiple, counts), calls: own.calls }]
    return rounds.length === 0 ? [] : [{ holds: holdsOf(counts, quantile, correlationsOf(curves)), calls: maxCalls }]
  })
  const failures = valid.flatMap((trial) => failuresOf(trial, name) ?? [])
  const { few = [], enough = [] } = Object.groupBy(limits, ({ calls }) => (calls < minCalls ? 'few' : 'enough'))
  const told = (of: typeof limits) => of.flatMap(({ holds }) => holds ?? [])
  return {
    operation,
    valid,
    holds: limits.map(({ holds }) => holds),
    errorsHold: errorsHold(failures, operation.errorShare),
    enough: told(enough),
    few: told(few),
  }
}

function missingOf(asked: readonly Asked[], of: (each: Asked) => number[]): Set<Asked> {
  const limits = asked.flatMap((each) => of(each).map((holds) => ({ each, holds })))
  const isMissed = holm(limits.map(({ holds }) => holds))
  return new Set(limits.filter((_, at) => isMissed[at]).map(({ each }) => each))
}

function cellOf({ operation, valid, holds, ...asked }: Asked, isMissed: boolean, isMissedByFew: boolean, judged: Judged): Cell {
  const { evidence } = judged
  const { name } = operation
  const samples = samplesOf(valid, name)
  const scaleLimited = evidence.scaleLimited.has(name)
  const cell: Cell = {
    operation: name,
    outcome: 'not run',
    intended: total(samples, (each) => each.intended),
    errors: total(samples, errorsOf),
    dropped: total(samples, (each) => each.dropped),
    missedByErrors: false,
    ...percentilesOf(valid, name),
    scaleLimited,
    undecided: false,
    atScale: null,
  }
  if (!evidence.mix.has(name)) return { ...cell, outcome: 'excused' }
  // Alone it would be missed, over all limits of the mix perhaps not: then it is not met, either.
  const hasErrors = outcomeOf(asked.errorsHold) === 'missed'
  cell.missedByErrors = isMissed && hasErrors
  if (holds.length === 0 && !isMissed && !hasErrors)
    return operation.objectives.length === 0 && samples.length > 0 ? { ...cell, outcome: 'met' } : cell
  const isMet = !hasErrors && holds.every((each) => each !== null && outcomeOf(each) === 'met')
  const outcome = isMissed ? 'missed' : isMet ? 'met' : 'undetermined'
  const slow = evidence.atScale?.find((each) => each.operation === name && isSlowNow(each))
  if (slow !== undefined && outcome !== 'missed')
    return { ...cell, atScale: slow, ...(isSurelySlow(slow) ? { outcome: 'missed' } : { outcome: 'undetermined', undecided: 'scale' }) }
  if (outcome === 'met' && scaleLimited) return { ...cell, outcome: 'undetermined' }
  if (isMissedByFew && outcome === 'undetermined') return { ...cell, outcome, undecided: 'few' }
  if (outcome !== 'undetermined' || scaleLimited) return { ...cell, outcome }
  return { ...cell, outcome, undecided: doubtOf(operation, cell.intended, judged) }
}

/** Why the trials of an operation do not tell; false: it was called too rarely to be tested. */
function doubtOf({ name, objectives }: Operation, intended: number, { rounds, curves }: Judged): Cell['undecided'] {
  const needed = Math.max(0, ...objectives.map(({ quantile }) => samplesNeeded(quantile)))
  if (rounds.length > 0 && rounds.every((trial) => !isUsable(trial) || trial.validity.clientBound.includes(name))) return 'late'
  return intended >= needed || curves?.some((each) => each.operation === name) === true ? 'sample' : false
}

/** What all rates say together; where the trials at this very rate show the contrary, nothing. */
function byCurve({ curve, objective }: OperationCurve, multiple: number, counts: Count[]): number | null {
  const holds = curve.holds(multiple)
  const intended = counts.reduce((sum, each) => sum + each.intended, 0)
  const isOver = counts.reduce((sum, each) => sum + each.exceeded, 0) > (1 - objective.quantile) * intended
  return intended > 0 && isOver === holds > 0.5 ? null : holds
}

const samplesOfP99 = samplesNeeded(0.99)

function percentilesOf(trials: TrialResult[], operation: string): Pick<Cell, 'p50Us' | 'p99Us' | 'p50IntervalUs' | 'p99IntervalUs' | 'backlog'> {
  const none = { p50Us: null, p99Us: null, p50IntervalUs: null, p99IntervalUs: null, backlog: null }
  const saturated = trials.filter((trial) => trial.saturated && trial.operations[operation] !== undefined)
  if (saturated.length > 0) return { ...none, backlog: median(saturated.flatMap((trial) => trial.backlog ?? [])) }
  const answered = trials.flatMap((trial): TrialHistogram[] => {
    const response = trial.operations[operation]?.responseUs
    return response == null || response.count === 0 ? [] : [{ start: trial.start, histogram: Histogram.decode(response.encoded) }]
  })
  if (answered.reduce((sum, { histogram }) => sum + histogram.count, 0) < samplesOfP99) return none
  const merged = new Histogram()
  for (const { histogram } of answered) merged.merge(histogram)
  const intervalOf = percentileIntervals(answered)
  const p50Us = merged.quantileNs(0.5) / 1000
  // A start with too few answers for a p99 of its own says nothing of how p99s differ.
  const ofP99 = answered.every(({ histogram }) => histogram.count >= samplesOfP99) ? inUs(intervalOf(0.99)) : null
  return {
    backlog: null,
    p50Us,
    p99Us: merged.quantileNs(0.99) / 1000,
    p50IntervalUs: inUs(intervalOf(0.5)),
    // No p99 lies below the half of all answers, however far three starts leave it open.
    p99IntervalUs: ofP99 === null ? null : { ...ofP99, low: Math.max(ofP99.low, p50Us) },
  }
}

const inUs = (interval: Interval | null): Interval | null =>
  interval === null ? null : { ...interval, low: interval.low / 1000, mid: interval.mid / 1000, high: interval.high / 1000 }

/** What was not answered. A harness that was late may have dropped what it never sent; the errors of a server are none of its doing. */
function failuresOf(trial: TrialResult, operation: string): Count | undefined {
  const own = trial.operations[operation]
  return own && { exceeded: errorsOf(own) + (isLate(trial, operation) ? 0 : own.dropped), intended: own.intended }
}

const errorsOf = (sample: OperationResult) => Object.values(sample.errors).reduce((sum, count) => sum + count, 0)

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
