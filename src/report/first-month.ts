/** What is to be done first, in its order: each item follows from something that this document says elsewhere. */
import { isKept } from '../assess/cost/kept.ts'
import { lateNow } from '../assess/fleet/latency-of-plan.ts'
import type { CandidateResult, Result } from '../result/result.ts'
import { firstOf } from './recommendation.ts'
import { type Block, heading, list } from './render/document.ts'
import { micros } from './render/format.ts'
import { planOf, type Told } from './told.ts'
import { conditionOf } from './verdict.ts'

/** Nothing where nobody ranks alone before the others. */
export function firstMonth(told: Told): Block[] {
  const { result, decision } = told
  const first = decision === null ? undefined : firstOf(decision)
  const own = result.candidates.find(({ name }) => name === first?.name)
  if (first === undefined || own === undefined) return []
  const { name } = own
  return [
    heading(3, `The first month with ${name}`),
    list([
      ...storesText(own),
      ...conditionOf(first).map((operation) => `Keep ${operation} rolled up, and measure what that costs: nobody has (section 14).`),
      ...lateText(told, name),
      ...backupText(own),
      ...lossText(told, name),
      `Load design/${name}/alerts.yml, and have the application export how long its operations take (section 11).`,
      ...measureText(own, result),
    ]),
  ]
}

/** By the files that its design has. */
function storesText({ name, ddl, handbook: { schema = ddl, migrations = [], grants = [], rowRights } }: CandidateResult): string[] {
  const steps = migrations.length > 0 ? `the steps in design/${name}/migrations` : `design/${name}/schema.*`
  const files = [
    ...(schema.length + migrations.length === 0 ? [] : [`the stores by ${steps}`]),
    ...(grants.length === 0 ? [] : [`the role of the application by design/${name}/grants.*`]),
    ...((rowRights?.statements ?? []).length === 0 ? [] : [`the policies of tenants by design/${name}/row-level-security.*`]),
  ]
  return files.length === 0 ? [] : [`Make ${files.join(', and ')} (sections 12 and 13).`]
}

/** What is late at the average load already; only a p99 has an alert, which then fires at once. */
function lateText(told: Told, name: string): string[] {
  const plan = planOf(told, name)
  const late = plan === null ? [] : lateNow(plan.latency)
  return late.map(({ operation, objective, totalMs, limitMs }) => {
    const alert = objective === 'p99' ? ', so its alert fires at once' : ''
    return `Settle ${operation}: its ${objective} is planned at ${micros(totalMs.p50 * 1000)} of ${micros(limitMs * 1000)} at the average load${alert} (sections 10 and 11). Measure it on the servers of production, then mend it or agree on another limit.`
  })
}

const backupText = (own: CandidateResult) =>
  isKept(own) ? ['Set up copies and the log, and restore them once on a spare server: no restore was measured (section 9).'] : []

/** Alone there is nobody to take over. */
function lossText(told: Told, name: string): string[] {
  const now = planOf(told, name)?.fleet.now
  return now === undefined || now.servers < 2 ? [] : ['Take a server away under load: how long writes stand still is assumed (section 8).']
}

function measureText({ capacity: { notTested } }: CandidateResult, { scenario, trialPlan }: Result): string[] {
  if (trialPlan.effort === 'thorough') return []
  const next = trialPlan.effort === 'standard' ? 'thorough' : 'standard'
  const open = notTested.length === 0 ? '' : `, for ${notTested.join(', ')} with more calls and more rows`
  return [`Run the bench longer and on a machine of its own (make bench scenario=${scenario.name} effort=${next})${open}.`]
}
