/** What each candidate's server used while it was measured at one load: what alerts are set against. */
import { isUsable } from '../assess/capacity/response-curve.ts'
import type { CandidateResult, TrialResult } from '../result/result.ts'
import { median } from '../stats/median.ts'

/** The median of some trials, the lowest and the highest of them. */
export interface Used {
  low: number
  mid: number
  high: number
}
export interface Baseline {
  /** Of the server's cores. */
  cpu: Used | null
  /** Of the memory that it may have. */
  memory: Used | null
}

/** Medians over the usable trials of the whole mix at a multiple of the average load; null: none, or a server that does not tell. */
export function baselineAt({ trials, provision }: Pick<CandidateResult, 'trials' | 'provision'>, multiple: number): Baseline {
  const own = trials.filter((each) => isBaseline(each) && each.arrival.multiple === multiple)
  const share = (of: (trial: TrialResult) => number | undefined, limit: number | undefined) => {
    const all = own.flatMap((trial) => of(trial) ?? [])
    const mid = median(all)
    return mid === null || limit === undefined ? null : { low: Math.min(...all) / limit, mid: mid / limit, high: Math.max(...all) / limit }
  }
  return {
    cpu: share((trial) => trial.resources.server?.cpuCores, provision?.limits.cpus),
    memory: share((trial) => trial.resources.server?.residentBytes, provision?.limits.memoryBytes),
  }
}

/** A trial of the candidate's own mix at an offered rate that its server kept up with. */
export const isBaseline = (trial: TrialResult) => isUsable(trial) && trial.arrival.loop === 'open' && trial.mix !== 'common' && !trial.saturated
