/** The highest multiple that passed its confirmation, between what was sustained and the first rate that was not. */

import type { CandidateResult, TrialResult } from '../result.ts'
import { type AtMultiple, type Evidence, judgeAt } from './at-multiple.ts'

/** Phases whose rates are judged; a probe runs at another mix. */
const sustaining = new Set<TrialResult['phase']>(['search', 'capacity', 'confirmation'])

/** `low` was sustained over all rounds; `high` is the lowest rate that was missed with the harness out of the way; null: none was. */
export function capacityOf(evidence: Evidence, mix: 'full' | 'partial' | 'common'): CandidateResult['capacity'] {
  const own = evidence.trials
  const searched = own.filter((trial) => trial.phase === 'search')
  const none = (boundBy: string): CandidateResult['capacity'] => ({ multiple: null, bound: 'none', boundBy, mix, ratePerSecond: null, notTested: [] })
  if (searched.length === 0) return none('not searched at this effort')
  // What all rounds held at the average load or at peak was sustained as much as what they held at a multiple that the search chose.
  const confirmed = (['capacity', 'confirmation'] as const)
    .flatMap((phase) => {
      const multiples = new Set(own.filter((trial) => trial.phase === phase).map((trial) => trial.arrival.multiple as number))
      return [...multiples].map((multiple) => ({ phase, at: judgeAt(evidence, multiple, phase) }))
    })
    .sort((a, b) => b.at.multiple - a.at.multiple)
  const held = confirmed.find(({ at }) => at.outcome === 'met')
  const passed = held?.at
  const missed = own
    .filter((trial) => sustaining.has(trial.phase))
    .filter((trial) => trial.outcome === 'missed' && trial.validity.verdict === 'valid')
    .sort((a, b) => multipleOf(a) - multipleOf(b))
  const clientBound = searched.some((trial) => trial.validity.verdict === 'client-bound' && trial.outcome !== 'met')
  if (passed === undefined) {
    const [first] = missed
    if (first !== undefined) return none(boundOf(first))
    return none(clientBound ? 'client: the harness was late' : confirmed.length > 0 ? 'no rate was sustained' : 'no step was decided')
  }
  const above = missed.find((trial) => multipleOf(trial) > passed.multiple)
  return {
    multiple: {
      low: passed.multiple,
      mid: above === undefined ? passed.multiple : Math.sqrt(passed.multiple * multipleOf(above)),
      high: above === undefined ? null : multipleOf(above),
      confidence: null,
    },
    bound: above === undefined ? 'atLeast' : 'measured',
    boundBy: above !== undefined ? boundOf(above) : clientBound ? 'client: the harness was late' : 'the search ended',
    mix,
    ratePerSecond: own.find((trial) => trial.phase === held?.phase && trial.arrival.multiple === passed.multiple)?.arrival.ratePerSecond ?? null,
    notTested: passed.notTested,
  }
}

/** Whether a multiple is sustained so far: enough to go on, to step down, or to try again. */
export function isSustained(at: AtMultiple, rounds: number): 'yes' | 'no' | 'open' {
  if (at.outcome === 'missed') return 'no'
  if (at.rounds < rounds) return 'open'
  return at.outcome === 'met' ? 'yes' : 'no'
}

const multipleOf = (trial: TrialResult) => trial.arrival.multiple as number

/** Which operations failed, and whether the server had CPU left. */
function boundOf(trial: TrialResult): string {
  const saturated = (trial.resources.server?.cpuCores ?? 0) > 0.9 ? ', server CPU saturated' : ''
  return `${trial.missed.join(', ')}${saturated}`
}
