/** What a report says before all else where it decided something: what to take, at which price, on which condition. */
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
  return [{ kind: 'callout', tone: isSure(decision) ? 'good' : 'note', text: recommended(first, result, decision) }]
}

export const recommended = (first: CandidateDecision, result: Result, decision: Decision) =>
  [whatText(first, result, decision), ...conditionText(first)].join(' ')

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

/** What is asked and does not surely hold, each with how likely it does. */
export const unsureOf = ({ constraints }: CandidateDecision) =>
  constraints.flatMap(({ name, state, probability, condition }) => {
    const share = condition?.probability ?? probability
    return (state === 'open' || state === 'condition') && share !== null ? [{ name, share }] : []
  })
