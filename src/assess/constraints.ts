/** Hard constraints: who fails one is out of the ranking, with the reason and the evidence; nobody is scored low for it. */
import type { EngineTraits } from '../engines/engine.ts'
import type { CandidateResult, Result } from '../result.ts'
import type { Scenario } from '../scenario/scenario.ts'
import type { CandidateAssessment } from './assess.ts'
import { complianceOf } from './compliance.ts'
import type { Spread } from './simulate.ts'

export interface Constraint {
  name: 'runs' | 'operations' | 'answers' | 'invariants' | 'promises' | 'objectives' | 'licence' | 'compliance' | 'budget'
  holds: boolean
  evidence: string
}

/** USD a month, now and at the end of the plan. */
export interface CostAhead {
  now: Spread
  horizon: Spread
  months: number
}

export function constraintsOf(result: Result, candidate: CandidateResult, assessment: CandidateAssessment, cost: CostAhead | null): Constraint[] {
  const scenario = result.scenario as unknown as Scenario
  const traits = candidate.traits as unknown as Partial<EngineTraits>
  const excuses = result.excuses.filter((excuse) => excuse.engine === candidate.name && excuse.operation !== null)
  const broken = candidate.parity.filter((each) => !each.ok && each.sizing !== true)
  const { budgetUsdPerMonth, licences } = scenario.requirements
  const kind = traits.licence?.kind
  const found: Constraint[] = [
    { name: 'runs', holds: candidate.failure === null, evidence: candidate.failure ?? 'measured to the end' },
    {
      name: 'operations',
      holds: excuses.length === 0,
      evidence: excuses.length === 0 ? `does all ${candidate.compiled.length} operations` : excuses.map((excuse) => excuse.reason).join('; '),
    },
    {
      name: 'answers',
      holds: assessment.wrong === 0 && candidate.verification.checked > 0,
      evidence: `${assessment.wrong} wrong of ${candidate.verification.checked} compared`,
    },
    {
      name: 'invariants',
      holds: assessment.brokenInvariants.length === 0,
      evidence:
        assessment.brokenInvariants.length === 0
          ? `${candidate.invariants.length} checked after the replay`
          : `broken: ${assessment.brokenInvariants.join(', ')}`,
    },
    {
      name: 'promises',
      holds: broken.length === 0,
      evidence:
        broken.length === 0
          ? `durability ${candidate.durability} and consistency as asked, by the server's own word`
          : broken.map((each) => `${each.what}: asked ${each.asked}, runs with ${each.effective}`).join('; '),
    },
    objectives(candidate),
  ]
  if (licences != null && kind !== undefined)
    found.push({ name: 'licence', holds: licences.includes(kind), evidence: `${traits.licence?.value}: ${kind}; accepted: ${licences.join(', ')}` })
  const compliance = complianceOf(scenario.requirements.compliance, traits.controls)
  if (compliance !== null) found.push({ name: 'compliance', ...compliance })
  if (budgetUsdPerMonth !== null && cost !== null) found.push(budgetConstraint(budgetUsdPerMonth, cost))
  return found
}

/** Today the median decides. Of the horizon, which is a forecast, only what is over the budget in nine draws of ten; the rest is at risk, and said. */
function budgetConstraint(budget: number, { now, horizon, months }: CostAhead): Constraint {
  const text = ({ low, p50, high }: Spread) => `${whole(p50)} (${whole(low)}–${whole(high)})`
  const broken = horizon.low > budget
  const ahead = broken ? ': over the budget at the horizon' : horizon.p50 > budget ? ': at risk at the horizon' : ''
  return {
    name: 'budget',
    holds: now.p50 <= budget && !broken,
    evidence: `${text(now)} USD a month now, ${text(horizon)} in month ${months}, of ${whole(budget)}${ahead}`,
  }
}

const whole = (value: number) => Math.round(value).toLocaleString('en')

/** One bench-sized server need not carry the peak: enough of them must. What no rate was tried for cannot be bought. */
function objectives(candidate: CandidateResult): Constraint {
  const { multiple, boundBy } = candidate.capacity
  if (multiple !== null)
    return {
      name: 'objectives',
      holds: true,
      evidence: `one server carries ${Number(multiple.mid.toPrecision(3))}×, and as many as that takes carry the peak`,
    }
  return {
    name: 'objectives',
    holds: false,
    evidence: `its capacity is not known (${boundBy})`,
  }
}
