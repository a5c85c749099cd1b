/** The verdict on one screen: ranking and its stability, servers, the first changes with dates, cost against the budget. */

import type { CandidateDecision, Decision } from '../assess/decision/decision.ts'
import type { PolyglotProposal } from '../assess/decision/polyglot.ts'
import { drawsText, type Spread } from '../assess/figures/simulate.ts'
import { type CandidatePlan, whenOf } from '../assess/fleet/candidate-plan.ts'
import { resolutionText } from '../assess/judge/machine-resolution.ts'
import { billRows, sourcesOf } from '../report/bill.ts'
import { demandRows } from '../report/demand.ts'
import { firstScreenText } from '../report/first-screen.ts'
import { noiseText } from '../report/forecasts.ts'
import { besidePrices } from '../report/forks.ts'
import { atRiskLegend, atRiskText, worstText } from '../report/latency.ts'
import {
  boughtText,
  calendarText,
  cost,
  dateOf,
  decidingText,
  fleet,
  markedIn,
  objectivesText,
  spreadText,
  sufficesText,
  sufficeText,
  titled,
  unloadedText,
} from '../report/plan.ts'
import { times, usd } from '../report/render/format.ts'
import { rollupAdvice, slowAtScale } from '../report/scale.ts'
import { constraintLegend, constraintLine, rankText, reasonOut, verdictLine } from '../report/verdict.ts'
import type { Result } from '../result/result.ts'
import { median } from '../stats/median.ts'
import { columns } from './tables.ts'

const firstTriggers = 3

export function decisionText(decision: Decision, startedAt: string): string {
  const { candidates, polyglot } = decision
  const shown = markedIn(candidates)
  const planned = candidates.flatMap((each) => (each.plan === null ? [] : [{ key: each.name, name: titled(each), plan: each.plan, own: each }]))
  const out = candidates.filter((each) => each.out)
  const parts = [
    verdictLine(decision),
    ...rankingParts(decision, shown),
    `Hard constraints: ${constraintLegend}\n${candidates.map(constraintLine).join('\n')}`,
    out.map((each) => `${each.marked} ${reasonOut(each)}`).join('\n'),
    ...demandParts(decision, startedAt, shown),
    ...(planned.length === 0 ? [] : [...fleetParts(decision, planned), triggerPart(planned, startedAt, decision.months)]),
    ...callParts(decision, planned),
    planned.flatMap(({ name, plan }) => named(name, decidingText(plan))).join('\n'),
    ...candidates.filter(({ plan }) => plan === null).map((each) => `${each.marked} has no plan: ${each.noPlan}`),
    ...(polyglot === null ? [] : [polyglotText(polyglot, shown)]),
    forecastText(decision),
  ]
  return parts.filter((each) => each !== '').join('\n\n')
}

/** What the report shows first stands last, where a terminal stays. */
export const decisionScreen = (decision: Decision, result: Result) =>
  [decisionText(decision, result.startedAt), firstScreenText({ result, decision })].filter((each) => each !== '').join('\n\n')

type Shown = (name: string) => string
interface Planned {
  key: string
  /** As it stands beside its numbers. */
  name: string
  plan: CandidatePlan
  own: CandidateDecision
}

/** None where nothing is said. */
const named = (name: string, said: string | null) => (said === null ? [] : [`${name}: ${said}`])

function rankingParts({ ranking, resolution }: Decision, shown: Shown): string[] {
  const { standings, smallestChange: change } = ranking
  const rows = standings.map((each) => [
    rankText(each, standings),
    shown(each.name),
    each.score.toFixed(2),
    each.topsis.toFixed(2),
    (each.rankShares[0] ?? 0).toFixed(2),
  ])
  return [
    ...(standings.length > 1 ? [columns([['rank', 'candidate', 'score', 'TOPSIS', 'P(first)'], ...rows], 2), resolutionText(resolution)] : []),
    change === null
      ? ''
      : `${shown(change.winner)} would be first with a weight of ${change.to.toFixed(2)} for ${change.criterion} in place of ${change.from.toFixed(2)}.`,
  ]
}

function demandParts({ demand, months }: Decision, startedAt: string, shown: Shown): string[] {
  return [demand.months.length === 0 ? '' : `${columns(demandRows(demand, shown))}\n${calendarText(startedAt, months)}`, demand.warning ?? '']
}

function fleetParts(decision: Decision, planned: Planned[]): string[] {
  const { budgetUsdPerMonth: budget, months } = decision
  const against = budget === null ? '' : ` (budget ${usd(budget)})`
  const head = [
    'candidate',
    'one server carries',
    'servers now',
    'suffice',
    `servers in month ${months}`,
    'suffice',
    'objectives hold at peak',
    `USD a month now → month ${months}${against}`,
  ]
  const rows = planned.map(({ name, plan, own }) => [
    name,
    spreadText(plan.carried, times),
    fleet(plan.fleet.now),
    sufficesText(plan.fleet.now),
    fleet(plan.fleet.horizon),
    sufficesText(plan.fleet.horizon),
    objectivesText(own),
    `${cost(plan.usdPerMonth.now)} → ${cost(plan.usdPerMonth.horizon)}`,
  ])
  const inside = planned.filter(({ own }) => !own.out)
  return [
    columns([head, ...rows]),
    `One path of fleets for all of ${drawsText} draws, looked at once a year. ${boughtText(planned[0]?.plan)} ${sufficeText} USD a month: of that fleet, the median of the draws, in parentheses p10–p90.`,
    besidePrices(decision, inside).join('\n'),
    columns(billRows(planned, months)),
    sourcesOf(planned.map(({ plan }) => plan)).texts.join('\n'),
  ]
}

function triggerPart(planned: Planned[], startedAt: string, months: number): string {
  const rows = planned.flatMap(({ name, plan }) =>
    plan.triggers
      .filter((trigger) => whenOf(trigger) <= months)
      .slice(0, firstTriggers)
      .map((trigger) => [
        name,
        trigger.stage,
        dateOf(startedAt, whenOf(trigger)),
        datesText(startedAt, trigger.month, months),
        trigger.threshold,
        trigger.action,
      ]),
  )
  return rows.length === 0
    ? `No threshold is crossed within ${months} months.`
    : columns([['candidate', 'stage', 'when', 'needed', 'because', 'do'], ...rows])
}

/** How long calls take on the fleets, and which are at risk. */
function callParts(decision: Decision, planned: Planned[]): string[] {
  const { candidates, months } = decision
  const worst = planned.flatMap(({ name, plan }) => named(name, worstText(plan.latency)))
  const risks = planned.flatMap(({ name, plan }) => atRiskText(plan.latency).map((said) => `${name}: at risk: ${said}`))
  return [
    worst.length === 0 ? '' : `Calls on these fleets, with hops between zones, volumes and reads from disk:\n${worst.join('\n')}`,
    risks.length === 0 ? '' : `${atRiskLegend}\n${risks.join('\n')}`,
    ...planned.flatMap(({ name, own }) => slowAtScale(own, months).map((said) => `${name}: ${said}`)),
    ...rollupAdvice(decision),
    ...candidates.flatMap((each) => each.unloaded.map((missed) => unloadedText(each.marked, missed))),
  ]
}

function polyglotText({ worthIt, groups, why }: PolyglotProposal, shown: Shown): string {
  const stores = groups.map((group) => `${group.entities.join(', ')} on ${shown(group.candidate)}`).join('; ')
  return `${worthIt ? `More than one store: ${stores}. ` : ''}${why}`
}

function forecastText({ forecasts }: Decision): string {
  if (forecasts.length === 0) return ''
  const errors = forecasts.map((each) => each.error)
  const noise = noiseText(forecasts)
  return `Forecast error here: median ${Math.round((median(errors) as number) * 100)} %, worst ${Math.round(Math.max(...errors) * 100)} %, of ${errors.length} held-back numbers.${noise === null ? '' : ` ${noise}`}`
}

/** The median of the draws, and p10–p90. */
function datesText(startedAt: string, month: Spread, horizon: number): string {
  return spreadText(month, (value) => (value > horizon ? 'later' : dateOf(startedAt, value)))
}
