/** Which rate is tried next: bracketing, then bisection on the logarithm, until the bracket is narrow or the steps are used up. */
import type { Outcome } from '../measure/decide.ts'
import type { Validity } from '../measure/validity.ts'

export interface SearchStep {
  multiple: number
  outcome: Outcome
  verdict: Validity['verdict']
}
export interface Bracket {
  /** Highest step that was met below the first that was not; null: none. */
  low: number | null
  /** Lowest step that was missed with the harness out of the way; null: none was. */
  high: number | null
  /** The search ended because the harness itself was the limit. */
  clientBound: boolean
}

/** Where the first step lies: open loops saturate below the throughput of a closed one. */
const firstShare = 0.6
const stride = 1.5
/** A bracket this narrow is what confirmation can tell apart. */
const narrow = 1.05

/** A harness that was late only adds to response times: what is met in spite of it is met. What is not shown to be met bounds the search. */
export function bracketOf(steps: SearchStep[]): Bracket {
  const ceiling = Math.min(Number.POSITIVE_INFINITY, ...steps.filter((step) => step.outcome !== 'met').map((step) => step.multiple))
  const met = steps.filter((step) => step.outcome === 'met' && step.multiple < ceiling).map((step) => step.multiple)
  const missed = steps.filter((step) => step.outcome === 'missed' && step.verdict === 'valid').map((step) => step.multiple)
  return {
    low: met.length === 0 ? null : Math.max(...met),
    high: missed.length === 0 ? null : Math.min(...missed),
    clientBound: steps.some((step) => step.multiple === ceiling && step.verdict === 'client-bound'),
  }
}

/** `saturated`: the multiple whose rate a closed loop reached. null: the search is over. */
export function nextMultiple(steps: SearchStep[], saturated: number, mostSteps: number): number | null {
  if (steps.length >= mostSteps || steps.at(-1)?.verdict === 'broken') return null
  const { low, clientBound } = bracketOf(steps)
  const ceiling = Math.min(Number.POSITIVE_INFINITY, ...steps.filter((step) => step.outcome !== 'met').map((step) => step.multiple))
  if (clientBound && low !== null) return null
  if (steps.length === 0) return rounded(saturated * firstShare)
  if (ceiling === Number.POSITIVE_INFINITY) return rounded((low as number) * stride)
  if (low === null) return rounded(ceiling / 2)
  return ceiling / low <= narrow ? null : rounded(Math.sqrt(low * ceiling))
}

/** Multiples that people can read and a label can hold. */
export const rounded = (multiple: number) => Number(multiple.toPrecision(3))
