/** The largest multiple that held, from the steps of the ladder; plain ranges between the last that held and the first that did not. */
import type { CandidateResult, TrialResult } from '../result.ts'

export function capacityOf(trials: TrialResult[], mix: 'full' | 'partial'): CandidateResult['capacity'] {
  const steps = trials.filter(
    (trial) => trial.arrival.loop === 'open' && trial.phase === 'ladder' && trial.arrival.multiple !== null && usable(trial),
  )
  const multipleOf = (trial: TrialResult) => trial.arrival.multiple as number
  steps.sort((a, b) => multipleOf(a) - multipleOf(b))
  const firstMissed = steps.find((trial) => trial.outcome === 'missed')
  const held = steps.filter((trial) => trial.outcome === 'met' && (firstMissed === undefined || multipleOf(trial) < multipleOf(firstMissed)))
  const last = held.at(-1)
  if (last === undefined) {
    const boundBy = steps.length === 0 ? 'not searched at this effort' : firstMissed === undefined ? 'no step was decided' : boundOf(firstMissed)
    return { multiple: null, bound: 'none', boundBy, mix, ratePerSecond: null, notTested: [] }
  }
  const censored = firstMissed === undefined || firstMissed.validity.verdict === 'client-bound'
  const low = multipleOf(last)
  const high = censored ? null : multipleOf(firstMissed)
  return {
    multiple: { low, mid: high === null ? low : Math.sqrt(low * high), high, confidence: null },
    bound: censored ? 'atLeast' : 'measured',
    boundBy: firstMissed === undefined ? 'the ladder ended' : boundOf(firstMissed),
    mix,
    ratePerSecond: last.arrival.ratePerSecond,
    notTested: last.undetermined,
  }
}

const usable = (trial: TrialResult) => trial.validity.verdict === 'valid' || trial.validity.verdict === 'client-bound'

/** Which operations failed the step, and whether the server had CPU left; the client where the harness itself was late. */
function boundOf(trial: TrialResult): string {
  if (trial.validity.verdict === 'client-bound') return 'client: the harness was late'
  const saturated = (trial.resources.server?.cpuCores ?? 0) > 0.9 ? ', server CPU saturated' : ''
  return `${trial.missed.join(', ')}${saturated}`
}
