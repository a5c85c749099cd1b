/** Hard constraints: how likely each holds. What almost surely does not is out of the ranking, with the reason and the evidence; nobody is scored low for it. */
import type { CandidateResult, Result } from '../../result/result.ts'
import { digits } from '../figures/amount.ts'
import type { Spread } from '../figures/simulate.ts'
import type { CandidateAssessment } from '../judge/assess.ts'
import { complianceOf } from '../judge/compliance.ts'
import { keepsPromise, killedText } from '../judge/kills.ts'

export interface Constraint {
  name:
    | 'runs'
    | 'operations'
    | 'answers'
    | 'invariants'
    | 'promises'
    | 'objectives on average'
    | 'objectives at peak'
    | 'licence'
    | 'compliance'
    | 'region'
    | 'budget'
    | 'fleet'
    | 'availability'
    | 'recovery time'
    | 'recovery point'
  /** By the scenario. */
  asked: string
  /** What stands against it, in a few words. */
  planned: string
  /** That it holds, from the draws; 0 or 1 where nothing is left open; null: nothing was tried that tells. */
  probability: number | null
  /** `condition`: it fails as modelled, and holds with a change that is told, on which it is ranked; `open`: neither is sure enough to decide, and it stays in the ranking. */
  state: 'holds' | 'condition' | 'open' | 'out'
  /** What decides. */
  evidence: string
  condition: Condition | null
}
/** What the application or its model must change. */
interface Condition {
  /** To be kept rolled up. */
  operations: string[]
  /** That it then holds. */
  probability: number
}

/** USD a month, now and at the end of the plan. */
export interface CostAhead {
  now: Spread
  horizon: Spread
  months: number
  /** Share of the draws in which what is bought costs no more than the budget in every month; null where none is stated. */
  withinBudget: number | null
  /** The same of the fleets that would be bought if each draw were known beforehand. */
  withHindsight: number | null
}

/** Less likely than this: out. As likely as the rest of it: it holds. */
export const outBelow = 0.1

export function constraintsOf(result: Result, candidate: CandidateResult, assessment: CandidateAssessment, cost: CostAhead | null): Constraint[] {
  const { scenario } = result
  const { traits } = candidate
  const { budgetUsdPerMonth, licences, compliance: regimes } = scenario.requirements
  const kind = traits.licence?.kind
  const found: Constraint[] = factsOf(result, candidate, assessment)
  if (licences !== null && kind !== undefined)
    found.push(
      fact('licence', licences.join(', '), kind, licences.includes(kind), `${traits.licence?.value}: ${kind}; accepted: ${licences.join(', ')}`),
    )
  const compliance = complianceOf(regimes, traits.controls, candidate.parity)
  if (compliance !== null)
    found.push(
      fact(
        'compliance',
        regimes.join(', '),
        compliance.holds ? 'has what is asked, not audited' : 'lacks some',
        compliance.holds,
        compliance.evidence,
      ),
    )
  if (budgetUsdPerMonth !== null && cost?.withinBudget != null) found.push(budgetConstraint(budgetUsdPerMonth, cost, cost.withinBudget))
  return found
}

/** What is asked of every candidate, whatever else is. */
function factsOf(result: Result, candidate: CandidateResult, { wrong, brokenInvariants }: CandidateAssessment): Constraint[] {
  const { requirements, operations } = result.scenario
  const excuses = result.excuses.filter((excuse) => excuse.engine === candidate.name && excuse.operation !== null)
  const broken = candidate.parity.filter((each) => !each.ok && each.sizing !== true)
  const { checked } = candidate.verification
  return [
    fact(
      'runs',
      'to the end',
      candidate.failure === null ? 'did' : 'did not',
      candidate.failure === null,
      candidate.failure ?? 'measured to the end',
    ),
    fact(
      'operations',
      `all ${operations.length}`,
      `${candidate.compiled.length}`,
      excuses.length === 0,
      excuses.length === 0 ? `does all ${candidate.compiled.length} operations` : excuses.map((excuse) => excuse.reason).join('; '),
    ),
    fact('answers', 'none wrong', `${wrong} wrong`, wrong === 0 && checked > 0, `${wrong} wrong of ${checked} compared`),
    fact(
      'invariants',
      'none broken',
      `${brokenInvariants.length} broken`,
      brokenInvariants.length === 0,
      brokenInvariants.length === 0 ? `${candidate.invariants.length} checked after the replay` : `broken: ${brokenInvariants.join(', ')}`,
    ),
    fact(
      'promises',
      `durability ${requirements.durability}, and consistency by operation`,
      `durability ${candidate.durability}`,
      broken.length === 0 && (candidate.kills === null || keepsPromise(candidate.kills, candidate.durability)),
      broken.length === 0
        ? `durability ${candidate.durability} and consistency as asked, by the server's own word${triedText(candidate)}`
        : broken.map((each) => `${each.what}: asked ${each.asked}, runs with ${each.effective}`).join('; '),
    ),
  ]
}

/** A word that was tried is worth more. */
function triedText({ kills }: CandidateResult): string {
  if (kills === null) return ''
  const { lost, lostWithinSeconds } = kills
  const found =
    lost === 0
      ? 'lost nothing that it had acknowledged'
      : `lost ${lost} ${lost === 1 ? 'row' : 'rows'} that it had acknowledged${lostWithinSeconds === null ? '' : ` in the last ${lostWithinSeconds} s`}`
  return `; ${killedText(kills)}, it ${found}`
}

/** One that is known, one way or the other. */
const fact = (name: Constraint['name'], asked: string, planned: string, holds: boolean, evidence: string): Constraint =>
  uncertain(name, asked, planned, holds ? 1 : 0, evidence)

export function uncertain(name: Constraint['name'], asked: string, planned: string, probability: number | null, evidence: string): Constraint {
  return { name, asked, planned, probability, state: stateOf(probability), evidence, condition: null }
}

export function stateOf(probability: number | null): 'holds' | 'open' | 'out' {
  return probability === null ? 'open' : probability < outBelow ? 'out' : probability < 1 - outBelow ? 'open' : 'holds'
}

/** In the words of people, never a certainty that so many draws do not have. */
export const likelihood = (share: number) =>
  share > 0.99 ? 'more than 99 %' : share > 0 && share < 0.01 ? 'less than 1 %' : `${Math.round(share * 100)} %`

function budgetConstraint(budget: number, { now, horizon, months, withHindsight }: CostAhead, withinBudget: number): Constraint {
  const text = ({ p10, p50, p90 }: Spread) => `${digits(p50)} (${digits(p10)}–${digits(p90)})`
  const hindsight =
    withHindsight === null || withHindsight <= withinBudget
      ? ''
      : `; bought with hindsight, without headroom for what may come, fleets within it carry every month in ${likelihood(withHindsight)} of the draws`
  const found = uncertain(
    'budget',
    `${budget.toLocaleString('en')} USD a month`,
    `${digits(now.p50)} now, ${digits(horizon.p50)} in month ${months}`,
    withinBudget,
    `${text(now)} USD a month now, ${text(horizon)} in month ${months}, of ${budget.toLocaleString('en')}: within it in every month with a probability of ${likelihood(withinBudget)}${hindsight}`,
  )
  // Servers come in steps and are bought with headroom: where leaner fleets would do, that alone throws nobody out.
  return found.state === 'out' && withHindsight !== null && withHindsight >= outBelow ? { ...found, state: 'open' } : found
}
