/** The verdict on one screen: ranking and its stability, servers, the first changes with dates, cost against the budget. */

import type { Decision } from '../assess/decision/decision.ts'
import { drawsText, type Spread } from '../assess/figures/simulate.ts'
import { whenOf } from '../assess/fleet/candidate-plan.ts'
import { resolutionText } from '../assess/judge/machine-resolution.ts'
import { billRows, sourcesOf } from '../report/bill.ts'
import { demandRows } from '../report/demand.ts'
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
import { median } from '../stats/median.ts'
import { columns } from './tables.ts'

const firstTriggers = 3

export function decisionText(decision: Decision, startedAt: string): string {
  const { candidates, ranking, resolution, polyglot, forecasts, budgetUsdPerMonth: budget, months } = decision
  const shown = markedIn(candidates)
  const parts = [verdictLine(decision)]
  if (ranking.standings.length > 1)
    parts.push(
      columns(
        [
          ['rank', 'candidate', 'score', 'TOPSIS', 'P(first)'],
          ...ranking.standings.map((each) => [
            rankText(each, ranking.standings),
            shown(each.name),
            each.score.toFixed(2),
            each.topsis.toFixed(2),
            (each.rankShares[0] ?? 0).toFixed(2),
          ]),
        ],
        2,
      ),
      ...[resolutionText(resolution)].filter((each) => each !== ''),
    )
  const { smallestChange } = ranking
  if (smallestChange !== null)
    parts.push(
      `${shown(smallestChange.winner)} would be first with a weight of ${smallestChange.to.toFixed(2)} for ${smallestChange.criterion} in place of ${smallestChange.from.toFixed(2)}.`,
    )
  parts.push(`Hard constraints: ${constraintLegend}\n${candidates.map(constraintLine).join('\n')}`)
  const out = candidates.filter((each) => each.out)
  if (out.length > 0) parts.push(out.map((each) => `${each.marked} ${reasonOut(each)}`).join('\n'))
  const planned = candidates.flatMap((each) => (each.plan === null ? [] : [{ key: each.name, name: titled(each), plan: each.plan, own: each }]))
  if (decision.demand.months.length > 0) parts.push(`${columns(demandRows(decision.demand, shown))}\n${calendarText(startedAt, months)}`)
  if (decision.demand.warning !== null) parts.push(decision.demand.warning)
  if (planned.length > 0) {
    const against = budget === null ? '' : ` (budget ${usd(budget)})`
    parts.push(
      columns([
        [
          'candidate',
          'one server carries',
          'servers now',
          'suffice',
          `servers in month ${months}`,
          'suffice',
          'objectives hold at peak',
          `USD a month now → month ${months}${against}`,
        ],
        ...planned.map(({ name, plan, own }) => [
          name,
          spreadText(plan.carried, times),
          fleet(plan.fleet.now),
          sufficesText(plan.fleet.now),
          fleet(plan.fleet.horizon),
          sufficesText(plan.fleet.horizon),
          objectivesText(own),
          `${cost(plan.usdPerMonth.now)} → ${cost(plan.usdPerMonth.horizon)}`,
        ]),
      ]),
      `One path of fleets for all of ${drawsText} draws, looked at once a year. ${boughtText(planned[0]?.plan)} ${sufficeText} USD a month: of that fleet, the median of the draws, in parentheses p10–p90.`,
    )
    const prices = besidePrices(
      decision,
      planned.filter(({ own }) => !own.out),
    )
    if (prices.length > 0) parts.push(prices.join('\n'))
    parts.push(columns(billRows(planned, months)), sourcesOf(planned.map(({ plan }) => plan)).texts.join('\n'))
    const triggers = planned.flatMap(({ name, plan }) =>
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
    parts.push(
      triggers.length === 0
        ? `No threshold is crossed within ${months} months.`
        : columns([['candidate', 'stage', 'when', 'needed', 'because', 'do'], ...triggers]),
    )
  }
  const worst = planned.flatMap(({ name, plan }) => {
    const said = worstText(plan.latency)
    return said === null ? [] : [`${name}: ${said}`]
  })
  if (worst.length > 0) parts.push(`Calls on these fleets, with hops between zones, volumes and reads from disk:\n${worst.join('\n')}`)
  const risks = planned.flatMap(({ name, plan }) => atRiskText(plan.latency).map((said) => `${name}: at risk: ${said}`))
  if (risks.length > 0) parts.push(`${atRiskLegend}\n${risks.join('\n')}`)
  for (const { name, own } of planned) for (const said of slowAtScale(own, months)) parts.push(`${name}: ${said}`)
  parts.push(...rollupAdvice(decision), ...candidates.flatMap((each) => each.unloaded.map((missed) => unloadedText(each.marked, missed))))
  const deciding = planned.flatMap(({ name, plan }) => {
    const said = decidingText(plan)
    return said === null ? [] : [`${name}: ${said}`]
  })
  if (deciding.length > 0) parts.push(deciding.join('\n'))
  for (const each of candidates) if (each.plan === null) parts.push(`${each.marked} has no plan: ${each.noPlan}`)
  if (polyglot !== null)
    parts.push(
      `${polyglot.worthIt ? `More than one store: ${polyglot.groups.map((group) => `${group.entities.join(', ')} on ${shown(group.candidate)}`).join('; ')}. ` : ''}${polyglot.why}`,
    )
  if (forecasts.length > 0) {
    const errors = forecasts.map((each) => each.error)
    const noise = noiseText(forecasts)
    parts.push(
      `Forecast error here: median ${Math.round((median(errors) as number) * 100)} %, worst ${Math.round(Math.max(...errors) * 100)} %, of ${errors.length} held-back numbers.${noise === null ? '' : ` ${noise}`}`,
    )
  }
  return parts.join('\n\n')
}

/** The median of the draws, and p10–p90. */
function datesText(startedAt: string, month: Spread, horizon: number): string {
  return spreadText(month, (value) => (value > horizon ? 'later' : dateOf(startedAt, value)))
}
