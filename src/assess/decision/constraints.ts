/** Hard constraints: how likely each holds. What almost surely does not is out of the ranking, with the reason and the evidence; nobody is scored low for it. */
import type { EngineTraits } from '../../engines/engine.ts'
import type { CandidateResult, Result } from '../../result/result.ts'
import type { Scenario } from '../../scenario/scenario.ts'
import type { Spread } from '../figures/simulate.ts'
import type { CandidateAssessment } from '../judge/assess.ts'
import { complianceOf } from '../judge/compliance.ts'

export interface Constraint {
  name:
    | 'runs'
    | 'operations'
    | 'answers'
    | 'invariants'
    | 'promises'
    | 'objectives'
    | 'licence'
    | 'compliance'
    | 'budget'
    | 'fleet'
    | 'availability'
    | 'recovery time'
    | 'recovery point'
  /** That it holds, from the draws; 0 or 1 where nothing is left open; null: nothing was tried that tells. */
  probability: number | null
  /** `open`: neither is sure enough to decide, and it stays in the ranking. */
  state: 'holds' | 'open' | 'out'
  evidence: string
}

/** USD a month, now and at the end of the plan. */
export interface CostAhead {
  now: Spread
  horizon: Spread
  months: number
  /** Share of the draws that fleets within the budget carry in every month; null where none is stated. */
  withinBudget: number | null
}

/** Less likely than this: out. As likely as the rest of it: it holds. */
export const outBelow = 0.1

export function constraintsOf(result: Result, candidate: CandidateResult, assessment: CandidateAssessment, cost: CostAhead | null): Constraint[] {
  const scenario = result.scenario as unknown as Scenario
  const traits = candidate.traits as unknown as Partial<EngineTraits>
  const excuses = result.excuses.filter((excuse) => excuse.engine === candidate.name && excuse.operation !== null)
  const broken = candidate.parity.filter((each) => !each.ok && each.sizing !== true)
  const { budgetUsdPerMonth, licences } = scenario.requirements
  const kind = traits.licence?.kind
  const found: Constraint[] = [
    fact('runs', candidate.failure === null, candidate.failure ?? 'measured to the end'),
    fact(
      'operations',
      excuses.length === 0,
      excuses.length === 0 ? `does all ${candidate.compiled.length} operations` : excuses.map((excuse) => excuse.reason).join('; '),
    ),
    fact(
      'answers',
      assessment.wrong === 0 && candidate.verification.checked > 0,
      `${assessment.wrong} wrong of ${candidate.verification.checked} compared`,
    ),
    fact(
      'invariants',
      assessment.brokenInvariants.length === 0,
      assessment.brokenInvariants.length === 0
        ? `${candidate.invariants.length} checked after the replay`
        : `broken: ${assessment.brokenInvariants.join(', ')}`,
    ),
    fact(
      'promises',
      broken.length === 0,
      broken.length === 0
        ? `durability ${candidate.durability} and consistency as asked, by the server's own word`
        : broken.map((each) => `${each.what}: asked ${each.asked}, runs with ${each.effective}`).join('; '),
    ),
    objectives(candidate, assessment),
  ]
  if (licences != null && kind !== undefined)
    found.push(fact('licence', licences.includes(kind), `${traits.licence?.value}: ${kind}; accepted: ${licences.join(', ')}`))
  const compliance = complianceOf(scenario.requirements.compliance, traits.controls, candidate.parity)
  if (compliance !== null) found.push(fact('compliance', compliance.holds, compliance.evidence))
  if (budgetUsdPerMonth !== null && cost?.withinBudget != null) found.push(budgetConstraint(budgetUsdPerMonth, cost, cost.withinBudget))
  return found
}

/** One that is known, one way or the other. */
const fact = (name: Constraint['name'], holds: boolean, evidence: string): Constraint => uncertain(name, holds ? 1 : 0, evidence)

export function uncertain(name: Constraint['name'], probability: number | null, evidence: string): Constraint {
  const state = probability === null ? 'open' : probability < outBelow ? 'out' : probability < 1 - outBelow ? 'open' : 'holds'
  return { name, probability, state, evidence }
}

/** In the words of people, never a certainty that so many draws do not have. */
export const likelihood = (share: number) =>
  share > 0.99 ? 'more than 99 %' : share > 0 && share < 0.01 ? 'less than 1 %' : `${Math.round(share * 100)} %`

function budgetConstraint(budget: number, { now, horizon, months }: CostAhead, withinBudget: number): Constraint {
  const text = ({ p10, p50, p90 }: Spread) => `${whole(p50)} (${whole(p10)}–${whole(p90)})`
  return uncertain(
    'budget',
    withinBudget,
    `${text(now)} USD a month now, ${text(horizon)} in month ${months}, of ${whole(budget)}: fleets within it carry every month with a probability of ${likelihood(withinBudget)}`,
  )
}

const whole = (value: number) => Math.round(value).toLocaleString('en')
const times = (multiple: number) => `${Number(multiple.toPrecision(2))}×`

/** One bench-sized server need not carry the peak: enough of them must. What holds at the lightest rate that was tried can be bought, at some price. */
function objectives({ capacity }: CandidateResult, { tried }: CandidateAssessment): Constraint {
  const { multiple, boundBy } = capacity
  if (tried === null) return uncertain('objectives', null, `no rate was tried that tells which load it holds (${boundBy})`)
  const { lowest, highest, rates, rounds, holdsAtLowest } = tried
  const range = `${rates} rates from ${times(lowest)} to ${times(highest)} were tried in ${rounds} rounds`
  const sure = `at the lightest of them every limit holds with a probability of ${likelihood(holdsAtLowest)}`
  return uncertain(
    'objectives',
    holdsAtLowest,
    holdsAtLowest >= 1 - outBelow && multiple !== null
      ? `one server carries ${times(multiple.mid)}, and as many as that takes carry the peak; ${range}`
      : `${range}, and nothing lighter: ${sure}${tried.binding === '' ? '' : `, bound by ${tried.binding}`}`,
  )
}
