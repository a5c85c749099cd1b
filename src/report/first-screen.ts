/** The first screen of a report, and the last of a terminal: why this one, what it carries and costs, what breaks first, how sure, what would change it. */
import { likelihood } from '../assess/decision/constraints.ts'
import type { CandidateDecision, Decision } from '../assess/decision/decision.ts'
import { lateNow } from '../assess/fleet/latency-of-plan.ts'
import type { CandidateResult, Result } from '../result/result.ts'
import { lateAtScale, yearsText } from './fleet-in-short.ts'
import { changesText, changeText, costText, restsText } from './in-short.ts'
import { cost, sufficesText } from './plan.ts'
import { firstOf, recommended, unsureOf } from './recommendation.ts'
import { type Block, table } from './render/document.ts'
import { micros, times, usd } from './render/format.ts'
import { intervalText } from './rivals.ts'
import type { Told } from './told.ts'
import { rankedText } from './verdict.ts'

type Line = [what: string, text: string]

export function firstScreen(told: Pick<Told, 'result' | 'decision'>): Block[] {
  const lines = linesOf(told)
  return lines.length === 0 ? [] : [table(['', firstName(told)], lines)]
}

/** With the recommendation before it. */
export function firstScreenText({ result, decision }: Pick<Told, 'result' | 'decision'>): string {
  const first = decision === null ? undefined : firstOf(decision)
  if (decision === null || first === undefined) return ''
  return [recommended(first, result, decision), ...linesOf({ result, decision }).map(([what, text]) => `${what}: ${text}`)].join('\n')
}

const firstName = ({ decision }: Pick<Told, 'decision'>) => (decision === null ? '' : (firstOf(decision)?.marked ?? ''))

/** None where nobody ranks alone before the others. */
function linesOf({ result, decision }: Pick<Told, 'result' | 'decision'>): Line[] {
  const first = decision === null ? undefined : firstOf(decision)
  const own = result.candidates.find(({ name }) => name === first?.name)
  if (decision === null || first === undefined || own === undefined) return []
  const { plan } = first
  return [
    ['why', whyText(first, result, decision)],
    ['capacity', capacityText(own, first, result)],
    ...(plan === null
      ? []
      : ([
          [
            'cost',
            `USD a month: ${costText(plan, decision)}. USD a year: ${yearsText(plan)}. All ${decision.months} months: ${cost(plan.usdToHorizon)}`,
          ],
          ['what breaks first', breaksText(first, decision)],
        ] satisfies Line[])),
    ['how sure', sureText(first, own, result, decision)],
    ...(plan === null ? [] : ([['what would change it', changeText(first.name, plan, decision)]] satisfies Line[])),
  ]
}

function capacityText({ capacity }: CandidateResult, { plan }: CandidateDecision, { scenario }: Result): string {
  const carried = `one server of the bench (${scenario.bench.cpus === 1 ? '1 core' : `${scenario.bench.cpus} cores`}) carries ${intervalText(capacity.multiple)} the average load, bound by ${capacity.boundBy}; at peak ${times(scenario.requirements.peak)} is asked`
  if (plan === null) return carried
  const { now } = plan.fleet
  return `${carried}. In so many of the draws ${now.servers} × ${now.shape} carry that with one server lost, if they are never changed: ${sufficesText(now)}`
}

/** What is late on the planned servers today, then the changes ahead. */
function breaksText({ plan, atScale }: CandidateDecision, { months }: Decision): string {
  if (plan === null) return ''
  const late = [
    ...lateNow(plan.latency).map(
      ({ operation, objective, totalMs, limitMs }) => `${objective} of ${operation} (${micros(totalMs.p50 * 1000)} of ${micros(limitMs * 1000)})`,
    ),
    ...lateAtScale(atScale).map(
      ({ operation, now, limitMs }) => `${operation} (${micros(now.p50 * 1e6)} of ${micros(limitMs * 1000)}) on production’s rows`,
    ),
  ]
  return [...(late.length === 0 ? [] : [`now, late already: ${late.join(', ')}`]), changesText(plan, months)].join('; ')
}

/** The least sure of what is asked names it; nothing is more than fairly sure that ran without copies and network. */
function sureText(first: CandidateDecision, own: CandidateResult, result: Result, decision: Decision): string {
  const unsure = unsureOf(first)
  const how = unsure.some(({ share }) => share < 0.5) ? 'little' : 'fairly'
  const hasCondition = first.constraints.some(({ state }) => state === 'condition')
  const shares = unsure.map(({ name, share }) => `${name} ${likelihood(share)}`)
  const likely = shares.length === 0 ? [] : [`how likely what is asked holds${hasCondition ? ' on that condition' : ''}: ${shares.join(', ')}`]
  return `${how}: ${[...likely, restsText(own, result, decision)].join('; ')}`
}

/** What each of the others would cost, or cannot do. */
function whyText(first: CandidateDecision, result: Result, decision: Decision): string {
  const others = decision.candidates.filter((each) => each !== first)
  const ranked = others.filter((each) => !each.out).map((each) => dearerText(each, first, decision))
  const out = others.filter((each) => each.out).map((each) => `${each.marked} ${outText(each, result)}`)
  return [rankedText(decision), ...[...ranked, ...out].map((each) => `${each}.`)].join(' ')
}

function dearerText({ marked, plan, mix }: CandidateDecision, first: CandidateDecision, { months, budgetUsdPerMonth: budget }: Decision): string {
  const [own, firstUsd] = [plan?.fleet.horizon.total.p50, first.plan?.fleet.horizon.total.p50]
  const behind = `${marked} ranks behind (section 3)`
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
