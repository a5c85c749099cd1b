/** What the evidence says: which candidates hold every objective at average load and at peak, and how they compare at the same rates. */

import { samplesNeeded } from '../measure/decide.ts'
import type { CandidateResult, Result } from '../result.ts'
import type { Operation, Scenario } from '../scenario/scenario.ts'
import { type AtMultiple, type Evidence, judgeAt } from './at-multiple.ts'
import { type PairedRatio, pairedRatio } from './intervals.ts'
import { factorOf } from './resolution.ts'
import { curvesOf, offeredRates } from './response-curve.ts'

export interface CandidateAssessment {
  name: string
  mix: 'full' | 'partial'
  failure: string | null
  wrong: number
  brokenInvariants: string[]
  at: AtMultiple[]
  /** What its capacity rests on; null: no response curve. */
  tried: Tried | null
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
  /** The objective that is likeliest to be missed there. */
  binding: string
}
/** Two candidates at the same rate: how many times the p99 response of the second is that of the first. */
export interface Comparison {
  multiple: number
  operation: string
  mix: 'full' | 'common'
  first: string
  second: string
  ratio: PairedRatio
  /** Of the second. */
  verdict: 'faster' | 'slower' | 'tie'
}
export interface Assessment {
  candidates: CandidateAssessment[]
  /** Full mix, right answers, every tested objective met at every confirmed multiple. */
  holds: string[]
  comparisons: Comparison[]
}

export function assess(result: Result): Assessment {
  const scenario = result.scenario as unknown as Scenario
  const scaleLimited = new Set(
    (result.trialPlan as unknown as { operations: { name: string; scaleLimited: boolean }[] }).operations
      .filter((each) => each.scaleLimited)
      .map((each) => each.name),
  )
  const operations = scenario.operations
  const mixes = result.candidates.map((candidate) => new Set(candidate.compiled.map((each) => each.operation)))
  const common = new Set(operations.map((operation) => operation.name).filter((name) => mixes.every((mix) => mix.has(name))))
  const { multiples } = result.trialPlan
  const candidates = result.candidates.map((candidate, index): CandidateAssessment => {
    const { common: shared = [], own = [] } = Object.groupBy(candidate.trials, (trial) => (trial.mix === 'common' ? 'common' : 'own'))
    const evidence: Evidence = { trials: own, operations, mix: mixes[index] as Set<string>, scaleLimited }
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
      tried: triedBy(evidence, curves),
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
  return { candidates, holds: holds.map((each) => each.name), comparisons: compareAll(result, operations) }
}

function triedBy({ trials }: Evidence, curves: ReturnType<typeof curvesOf>): Tried | null {
  const offered = offeredRates(trials)
  const [lowest, highest] = [Math.min(...offered), Math.max(...offered)]
  const [least] = (curves ?? [])
    .map(({ operation, objective, curve }) => ({ binding: `${objective.name} of ${operation}`, holds: curve.holds(lowest) }))
    .sort((a, b) => a.holds - b.holds)
  if (least === undefined) return null
  return { lowest, highest, rates: new Set(offered).size, rounds: offered.length, holdsAtLowest: least.holds, binding: least.binding }
}

/** Every pair that was measured with the same mix at the same rates, round by round. */
function compareAll({ candidates, resolution, trialPlan: { multiples } }: Result, operations: Operation[]): Comparison[] {
  const comparisons: Comparison[] = []
  for (const mix of ['full', 'common'] as const) {
    const own = candidates.filter((candidate) => candidate.trials.some((trial) => trial.mix === mix && trial.phase === 'confirmation'))
    for (const multiple of multiples)
      for (const { name: operation } of operations)
        for (const [index, first] of own.entries())
          for (const second of own.slice(index + 1)) {
            const [a, b] = [first, second].map((candidate) => p99ByRound(candidate, mix, multiple, operation)) as [
              Map<number, number>,
              Map<number, number>,
            ]
            const ratio = pairedRatio([...a].flatMap(([round, value]) => (b.has(round) ? [[value, b.get(round) as number] as [number, number]] : [])))
            if (ratio === null) continue
            const { low, high } = ratio.interval
            // What equals differ by on this machine is no difference.
            const factor = factorOf(resolution, [first.engine, second.engine], 'p99')
            const verdict = high < 1 / factor ? 'faster' : low > factor ? 'slower' : 'tie'
            comparisons.push({ multiple, operation, mix, first: first.name, second: second.name, ratio, verdict })
          }
  }
  return comparisons
}

/** Only valid rounds compare candidates, and only with samples enough for a p99. */
function p99ByRound(candidate: CandidateResult, mix: 'full' | 'common', multiple: number, operation: string): Map<number, number> {
  const rounds = new Map<number, number>()
  for (const trial of candidate.trials) {
    if (
      trial.phase !== 'confirmation' ||
      trial.mix !== mix ||
      trial.arrival.multiple !== multiple ||
      trial.validity.verdict !== 'valid' ||
      trial.saturated
    )
      continue
    const response = trial.operations[operation]?.responseUs
    if (response != null && response.count >= samplesNeeded(0.99)) rounds.set(trial.repeat, response.p99)
  }
  return rounds
}
