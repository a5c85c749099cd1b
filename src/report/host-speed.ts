/** What the host took of a run by giving the server's cores less, and what was done about it. */
import type { CandidateResult, Result, TrialResult } from '../result/result.ts'

const timed = ({ trials }: CandidateResult) => trials.filter(({ timeline }) => timeline.some(({ hostUs }) => hostUs !== null))
/** Of a trial that is slower than others of its kind. */
const tellsFrom = 1.15

/** One sentence; null: nobody timed the cores. */
export function speedLine({ candidates }: Pick<Result, 'candidates'>): string | null {
  const slow = candidates.map((candidate) => ({ name: candidate.name, slowdowns: timed(candidate).map(({ slowdown }) => slowdown) }))
  const all = slow.flatMap(({ slowdowns }) => slowdowns)
  if (all.length === 0) return null
  const means = slow
    .filter(({ slowdowns }) => slowdowns.length > 0)
    .map(({ name, slowdowns }) => `${name} ${(slowdowns.reduce((sum, each) => sum + each, 0) / slowdowns.length).toFixed(2)}`)
  return `the host slowed the servers’ cores: on average over the trials, everything took ${means.join(', ')} times as long as at their full speed, ${Math.max(...all).toFixed(2)} times in the slowest trial. Capacities and CPU per operation are told at the full speed, response and service times as they were measured`
}

/** Of one trial, beside its reasons. */
export const slowed = ({ slowdown }: Pick<TrialResult, 'slowdown'>): string[] =>
  slowdown < tellsFrom ? [] : [`the host gave the server’s cores less: everything took ${slowdown.toFixed(2)} times longer`]
