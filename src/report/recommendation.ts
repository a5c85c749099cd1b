/** What a report says before all else where it decided something: what to take, at which price, on which condition, and why none of the others. */
import { likelihood } from '../assess/decision/constraints.ts'
import type { CandidateDecision, Decision } from '../assess/decision/decision.ts'
import type { Result } from '../result/result.ts'
import { topologyText } from './in-short.ts'
import type { Block } from './render/document.ts'
import { usd } from './render/format.ts'
import type { Told } from './told.ts'
import { conditionOf, isSure } from './verdict.ts'

/** Nothing where nobody ranks alone before the others. */
export function recommendation({ result, decision }: Pick<Told, 'result' | 'decision'>): Block[] {
  const first = decision === null ? undefined : firstOf(decision)
  if (decision === null || first === undefined) return []
  const text = `${whatText(first, result, decision)} ${[...conditionText(first), ...sureText(first), ...whyText(first, result, decision)].join(' ')}`
  return [{ kind: 'callout', tone: isSure(decision) ? 'good' : 'note', text: text.trimEnd() }]
}

/** Who ranks alone before the others; undefined: nobody does. */
export function firstOf({ ranking: { winner, standings }, candidates }: Decision): CandidateDecision | undefined {
  const name = winner ?? (standings.length === 1 ? standings[0]?.name : undefined)
  return candidates.find((each) => each.name === name)
}

function whatText(first: CandidateDecision, { candidates, scenario }: Result, { months, budgetUsdPerMonth }: Decision): string {
  const { name, marked, plan } = first
  const lead = leadText(first)
  const own = candidates.find((each) => each.name === name)
  const product = [marked, own?.provision?.version ?? ''].filter((each) => each !== '').join(' ')
  if (plan === null) return `${lead}: ${product}.`
  const { now, horizon } = plan.fleet
  const where = scenario.requirements.regions.length === 0 ? '' : ` in ${scenario.requirements.regions.join(', ')}`
  const allowed = budgetUsdPerMonth === null ? '' : `, of ${usd(budgetUsdPerMonth)} allowed`
  return `${lead}: ${product}, ${topologyText(own?.traits.plan?.topology, plan)}: ${now.servers} × ${now.shape}${where}, durability ${own?.durability}, ${usd(now.total.p50)} USD a month now and ${usd(horizon.total.p50)} in month ${months}${allowed}.`
}

function conditionText(candidate: CandidateDecision): string[] {
  const operations = conditionOf(candidate)
  return operations.length === 0
    ? []
    : [`On one condition: ${operations.join(' and ')} ${operations.length === 1 ? 'is' : 'are'} kept rolled up (section 14).`]
}

/** Who is likelier to break what is asked than to keep it is not recommended, however far before the others. */
const leadText = (first: CandidateDecision) =>
  unsureOf(first).some(({ share }) => share < 0.5) ? 'The best of these, though not likely to hold all that is asked' : 'Recommended'

/** What does not surely hold is said in the same breath. */
function sureText(first: CandidateDecision): string[] {
  const shares = unsureOf(first).map(({ name, share }) => `${name} ${likelihood(share)}`)
  const hasCondition = first.constraints.some(({ state }) => state === 'condition')
  return shares.length === 0 ? [] : [`How likely what is not sure holds${hasCondition ? ' then' : ''}: ${shares.join(', ')}.`]
}

const unsureOf = ({ constraints }: CandidateDecision) =>
  constraints.flatMap(({ name, state, probability, condition }) => {
    const share = condition?.probability ?? probability
    return (state === 'open' || state === 'condition') && share !== null ? [{ name, share }] : []
  })

/** What each of the others would cost, or cannot do. */
function whyText(first: CandidateDecision, result: Result, decision: Decision): string[] {
  const others = decision.candidates.filter((each) => each !== first)
  const ranked = others.filter((each) => !each.out).map((each) => dearerText(each, first, decision))
  const out = others.filter((each) => each.out).map((each) => `${each.marked} ${outText(each, result)}`)
  const why = [...ranked, ...out]
  return why.length === 0 ? [] : [`Why not the others: ${why.join('; ')}.`]
}

function dearerText({ marked, plan, mix }: CandidateDecision, first: CandidateDecision, { months, budgetUsdPerMonth: budget }: Decision): string {
  const [own, firstUsd] = [plan?.fleet.horizon.total.p50, first.plan?.fleet.horizon.total.p50]
  const behind = `${marked} ranks behind it (section 3)`
  if (own === undefined || firstUsd === undefined || mix !== first.mix || own <= firstUsd) return behind
  return `${behind}, at ${usd(own)} USD a month in month ${months}${budget !== null && own > budget ? ', over the budget' : ''}`
}

/** By what it cannot do; what else rules it out stands in the table of constraints. */
function outText({ name, constraints }: CandidateDecision, { excuses }: Result): string {
  const failed = constraints.flatMap(({ state, name: what }) => (state === 'out' ? [what] : []))
  const cannot = [...new Set(excuses.flatMap(({ engine, operation }) => (engine === name && operation !== null ? [operation] : [])))]
  const others = failed.filter((what) => what !== 'operations' || cannot.length === 0)
  return [
    ...(failed.includes('operations') && cannot.length > 0 ? [`cannot do ${cannot.join(', ')}`] : []),
    ...(others.length === 0 ? [] : [`is out by ${others.join(', ')} (section 3)`]),
  ].join(' and ')
}
