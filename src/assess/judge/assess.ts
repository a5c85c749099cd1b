/** What the evidence says: which candidates hold every objective at average load and at peak, and how they compare at the same rates. */

import type { Result } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { type AtScaleNow, atScaleOf, nowOf } from '../capacity/at-scale.ts'
import { isReadOperation } from '../capacity/calls.ts'
import { curvesOf, minCalls, type OperationCurve, offeredLoads, sharesByLoad, type Unloaded } from '../capacity/response-curve.ts'
import { type AtMultiple, type Evidence, judgeAt } from './at-multiple.ts'
import { type KnownResolution, resolutionIn } from './machine-resolution.ts'
import { type Comparison, comparePairs } from './pairs.ts'
export interface CandidateAssessment {
  name: string
  mix: 'full' | 'partial'
  failure: string | null
  wrong: number
  brokenInvariants: string[]
  at: AtMultiple[]
  /** What its capacity rests on; null: no response curve. */
  tried: Tried | null
  /** Objectives that are missed at any load that was measured. */
  unloaded: MissedUnloaded[]
  /** Calls that were measured on fewer rows than they touch in production. */
  atScale: AtScaleNow[]
  /** With the operations that all candidates can do; empty where all can do all. */
  common: AtMultiple[]
}
/** The rates that were offered, and how likely every limit holds at the lightest of them. */
export interface Tried {
  lowest: number
  highest: number
  rates: number
  rounds: number
  holdsAtLowest: number
  /** Whether that is so little that a call hardly waits: what is late there is late under any load. */
  isLight: boolean
  /** The objective that is likeliest to be missed there. */
  binding: string
  /** Of its answers, those over the limit at the lightest and the heaviest load that the server kept up with; null: at one load at most. */
  shares: ReturnType<typeof sharesByLoad>
}
/** No number of servers mends it. */
export interface MissedUnloaded extends Unloaded {
  operation: string
  objective: string
  limitMs: number
  /** Median of a flush of the bench's disk, where the operation waits for one; null: it does not. */
  flushMs: number | null
}
export interface Assessment {
  candidates: CandidateAssessment[]
  /** Full mix, right answers, every tested objective met at every confirmed multiple. */
  holds: string[]
  comparisons: Comparison[]
  /** By how much equals differ on this machine: what differs less is a tie. */
  resolution: KnownResolution[]
}

export function assess(result: Result): Assessment {
  const { scenario } = result
  const scaleLimited = new Set(result.trialPlan.operations.filter((each) => each.scaleLimited).map((each) => each.name))
  const operations = scenario.operations
  const mixes = result.candidates.map((candidate) => new Set(candidate.compiled.map((each) => each.operation)))
  const common = new Set(operations.map((operation) => operation.name).filter((name) => mixes.every((mix) => mix.has(name))))
  const { multiples } = result.trialPlan
  // What a few seconds took decides nothing, on many rows or few.
  const scaled = result.trialPlan.effort === 'smoke' ? [] : atScaleOf(result)
  const candidates = result.candidates.map((candidate, index): CandidateAssessment => {
    const { common: shared = [], own = [] } = Object.groupBy(candidate.trials, (trial) => (trial.mix === 'common' ? 'common' : 'own'))
    const atScale = (scaled[index] ?? []).map(nowOf)
    const evidence: Evidence = { trials: own, operations, mix: mixes[index] as Set<string>, scaleLimited, atScale }
    const curves = curvesOf(evidence)
    return {
      name: candidate.name,
      mix: candidate.mix,
      failure: candidate.failure,
      wrong:
        candidate.verification.wrong +
        candidate.trials.reduce((sum, trial) => sum + Object.values(trial.operations).reduce((own, each) => own + each.wrong, 0), 0),
      brokenInvariants: candidate.invariants.filter((invariant) => !invariant.ok).map((invariant) => invariant.name),
      at: multiples.map((multiple) => judgeAt(evidence, multiple, curves)),
      tried: triedBy(evidence, curves, candidate.capacity.saturation?.low ?? null),
      unloaded: unloadedIn(curves, operations, candidate.durability === 'fsync' ? (result.calibration?.fsyncUs.p50 ?? null) : null),
      atScale,
      common: shared.length === 0 ? [] : multiples.map((multiple) => judgeAt({ ...evidence, trials: shared, mix: common }, multiple)),
    }
  })
  const holds = candidates.filter(
    (each) =>
      result.status === 'complete' && // Invariants are checked at the end.
      each.failure === null &&
      each.mix === 'full' &&
      each.wrong === 0 &&
      each.brokenInvariants.length === 0 &&
      each.at.length > 0 &&
      each.at.every((at) => at.outcome === 'met'),
  )
  const resolution = resolutionIn(result)
  return { candidates, holds: holds.map((each) => each.name), comparisons: comparePairs(result, operations, resolution), resolution }
}

/** Of what saturates a server: under so little load a call hardly waits, and what is late then is late under any. */
const lightShare = 0.1

/** Of the objectives that load drives; one that was called too rarely decides where no other does. `saturation`: multiple of the average load. */
function triedBy({ trials }: Evidence, curves: OperationCurve[] | null, saturation: number | null): Tried | null {
  const offered = offeredLoads(trials)
  const [lowest, highest] = [Math.min(...offered), Math.max(...offered)]
  const driven = (curves ?? []).filter(({ unloaded }) => unloaded === null)
  const told = driven.filter(({ calls }) => calls >= minCalls)
  const [least] = (told.length > 0 ? told : driven)
    .map(({ operation, objective, curve }) => ({ operation, objective: objective.name, holds: curve.holds(lowest) }))
    .sort((a, b) => a.holds - b.holds)
  if (least === undefined) return null
  return {
    lowest,
    highest,
    rates: new Set(offered).size,
    rounds: offered.length,
    holdsAtLowest: least.holds,
    isLight: saturation !== null && lowest <= lightShare * saturation,
    binding: `${least.objective} of ${least.operation}`,
    shares: sharesByLoad(trials, least.operation, least.objective),
  }
}

function unloadedIn(curves: OperationCurve[] | null, operations: Operation[], fsyncUs: number | null): MissedUnloaded[] {
  return (curves ?? []).flatMap(({ operation: name, objective, unloaded }) => {
    const waits = operations.some((operation) => operation.name === name && !isReadOperation(operation))
    const flushMs = waits && fsyncUs !== null ? fsyncUs / 1000 : null
    return unloaded === null ? [] : [{ operation: name, objective: objective.name, limitMs: objective.limitMs, flushMs, ...unloaded }]
  })
}
