/** The capacity and cost plan in words and tables: servers and dollars now and at the horizon, what changes when, what moves the cost. */

import type { ToldLine } from '../assess/cost/bill.ts'
import { likelihood } from '../assess/decision/constraints.ts'
import type { CandidateDecision, Decision } from '../assess/decision/decision.ts'
import { amount as valueText } from '../assess/figures/amount.ts'
import { drawsText, type Spread } from '../assess/figures/simulate.ts'
import { availabilityText } from '../assess/fleet/availability.ts'
import type { CandidatePlan, FleetPlan } from '../assess/fleet/candidate-plan.ts'
import { minEffect } from '../assess/fleet/plan-assumptions.ts'
import type { MissedUnloaded } from '../assess/judge/assess.ts'
import { inWords, toldOf } from './assumed-words.ts'
import { lineText, lineUsd, sourcesOf, totalText, withTotal } from './bill.ts'
import { forecastBlocks } from './forecasts.ts'
import { besidePrices } from './forks.ts'
import { latencyBlocks } from './latency.ts'
import { type Block, details, heading, list, paragraph, table } from './render/document.ts'
import { count, dollars, micros, percent, times, usd } from './render/format.ts'
import { scalabilityText } from './scalability.ts'
import { waterfallBlocks } from './waterfall.ts'

export function capacityPlan(decision: Decision): Block[] {
  const planned = plannedOf(decision)
  const unplanned = decision.candidates.filter((each) => each.plan === null).map((each) => `${each.marked} has no plan: ${each.noPlan}.`)
  if (planned.length === 0) return [list(unplanned)]
  const prices = besidePrices(decision, planned)
  return [
    heading(3, 'What carries it'),
    paragraph(
      `Servers of a public price list that carry the peak with one member lost, for ${decision.months} months: one path of fleets for all of ${drawsText} draws of the measured capacity, the stated growth and what is assumed. ${boughtText(planned[0]?.plan)} Once a year it is looked at: what is enough for the year to come and costs least until then is bought, the hours and double servers of a change included. ${sufficeText} USD a month is what exactly that fleet costs: the median of the draws, in parentheses what holds 80 % of them (p10–p90); a draw that outgrows it is told by suffices, not by a price. In budget is the share of the draws in which it costs no more than the budget. What is assumed of a cloud server, of replication and of growth was not measured.`,
    ),
    fleets(planned, decision.months),
    costs(planned, decision),
    ...(prices.length > 0 ? [list(prices)] : []),
    ...(unplanned.length > 0 ? [list(unplanned)] : []),
    ...waterfallBlocks(planned, decision.months),
    heading(3, 'What changes, and when'),
    changes(planned, decision.months),
    ...remarks(planned, decision.months),
    ...latencyBlocks(planned),
    ...bills(planned, decision.months),
    ...managed(planned, decision),
    heading(3, 'How far the model is off here'),
    ...forecastBlocks(decision, markedIn(decision.candidates)),
    ...assumedBlocks(decision),
    ...(decision.caveats.length > 0
      ? [heading(3, 'Prices'), details('what has no date, and what another place or family stands for', [list(decision.caveats)])]
      : []),
  ]
}

function fleets(planned: Planned, months: number): Block {
  return table(
    [
      'candidate',
      'topology',
      'one server of the bench carries',
      'servers now',
      'share of draws that they carry',
      `servers in month ${months}`,
      'share that these carry',
      'objectives hold at peak',
    ],
    planned.map(({ name, constraints, plan: { topology, carried, fleet: own } }) => [
      name,
      topology,
      spreadText(carried, times),
      fleet(own.now),
      sufficesText(own.now),
      fleet(own.horizon),
      sufficesText(own.horizon),
      objectivesText({ constraints }),
    ]),
  )
}

function costs(planned: Planned, { budgetUsdPerMonth: budget, months }: Pick<Decision, 'budgetUsdPerMonth' | 'months'>): Block {
  const inBudget = budget === null ? [] : ['in budget']
  return table(
    ['candidate', 'USD a month now', ...inBudget, `in month ${months}`, ...inBudget, `all ${months} months`, 'per million operations'],
    planned.map(({ name, plan }) => [
      name,
      ...[plan.fleet.now, plan.fleet.horizon].flatMap(({ total, withinBudget }) => [
        cost(total),
        ...(withinBudget === null ? [] : [percent(withinBudget)]),
      ]),
      cost(plan.usdToHorizon),
      spreadText(plan.usdPerMillionOperations, (value) => value.toPrecision(2)),
    ]),
    budget === null ? [1, 2, 3, 4] : [1, 2, 3, 4, 5, 6],
  )
}

function changes(planned: Planned, months: number): Block {
  return table(
    [
      'candidate',
      'stage',
      'planned for month',
      'needed by: median (p10–p90)',
      'within the horizon',
      'because',
      'what to do',
      'lead time',
      'one-off USD',
    ],
    planned.flatMap(({ name, plan }) =>
      plan.triggers.map((trigger) => [
        name,
        trigger.stage,
        trigger.planned === null ? '—' : String(trigger.planned),
        monthText(trigger.month, months),
        percent(trigger.probability),
        trigger.threshold,
        trigger.action,
        trigger.leadWeeks === 1 ? 'a week' : `${trigger.leadWeeks} weeks`,
        trigger.usd === 0 ? '—' : usd(trigger.usd),
      ]),
    ),
  )
}

function bills(planned: Planned, months: number): Block[] {
  const sources = sourcesOf(planned.map(({ plan }) => plan))
  return [
    heading(3, 'Cost by line'),
    paragraph(billLegend),
    list(sources.texts),
    monthly(planned),
    ...planned.map(({ name, plan }) =>
      details(
        `${name}, of the servers above: ${usd(plan.usdPerMonth.now.p50)} USD a month now, ${usd(plan.usdPerMonth.horizon.p50)} in month ${months}`,
        lines(plan, months, sources),
      ),
    ),
  ]
}

/** How much headroom is bought, and at which price of too little. */
export function boughtText(plan: Pick<CandidatePlan, 'boughtFor'> | undefined): string {
  if (plan === undefined) return ''
  const { boughtFor } = plan
  const shortfall = Number((boughtFor / (1 - boughtFor)).toPrecision(3))
  return `Each fleet is bought with headroom, for at least ${percent(boughtFor)} of the draws: a month short of servers is taken to cost ${shortfall} times the extra price of the next larger fleet (an emergency purchase, objectives missed; assumed), so the larger one pays until it is short in one draw of ${Number((shortfall + 1).toPrecision(3))}.`
}

/** A plan of a smaller job says so wherever it stands beside others. */
export const titled = ({ marked, mix }: Pick<CandidateDecision, 'marked' | 'mix'>) => (mix === 'partial' ? `${marked} (partial mix)` : marked)

/** Of a table or a sentence that knows a name alone. */
export const markedIn =
  (candidates: readonly Pick<CandidateDecision, 'name' | 'marked'>[]) =>
  (name: string): string =>
    candidates.find((each) => each.name === name)?.marked ?? name

export type Planned = (CandidateDecision & { key: string; plan: CandidatePlan })[]

/** Those that have a plan, named as they stand beside numbers; `key`: the name alone. */
export function plannedOf({ candidates }: Pick<Decision, 'candidates'>): Planned {
  return candidates.flatMap((each) => (each.plan === null ? [] : [{ ...each, key: each.name, name: titled(each), plan: each.plan }]))
}

/** The median, and what holds 80 % of the draws. */
export function spreadText({ p10, p50, p90 }: Spread, text: (value: number) => string): string {
  return text(p10) === text(p90) ? text(p50) : `${text(p50)} (${text(p10)}–${text(p90)})`
}

export function fleet({ servers, shape, parts: shards, coordinators, coordinatorsUsd, volumeGb, bound, total }: FleetPlan): string {
  return `${servers} × ${shape}${shards > 1 ? ` in ${shards} shards` : ''}${coordinators === '' ? '' : ` and ${coordinators} (${usd(coordinatorsUsd)} USD)`}${volumeGb > 0 ? `, ${count(volumeGb)} GB each` : ''}: ${usd(total.p50)} USD; bound by ${boundText(bound)}`
}

/** Load is no resource of a server: it is what the measured one carries within the limits, whatever binds it. */
const boundText = (bound: FleetPlan['bound']) => (bound === 'load' ? 'the load that one server carries' : bound)

/** In its own month, a year on, and at the end: the share of the draws that it carries, and what fails first. */
export function sufficesText({ suffices, month }: FleetPlan): string {
  const last = suffices.at(-1)
  const told = suffices.filter((each) => each.month >= month && (each.month === month || each.month === 12 || each === last))
  const text = told.map((each) => `${percent(each.probability)}${told.length === 1 ? '' : each.month === month ? ' now' : ` in month ${each.month}`}`)
  const resource = told.findLast((each) => each.resource !== null)?.resource
  return `${text.join(', ')}${resource == null ? '' : `; ${resource} first`}`
}

/** Resources and objectives are two questions: an answer to one is none to the other. */
export const sufficeText =
  'Suffice is about resources: the share of the draws in which CPU, memory, disks and network of a fleet carry the load, with what falls short first in the others. Whether calls on it are fast enough is judged apart: "objectives hold at peak" is the share of the draws in which all of them do, from now to the horizon.'

export function objectivesText({ constraints }: Pick<CandidateDecision, 'constraints'>): string {
  const found = constraints.find(({ name }) => name === 'objectives at peak')
  if (found?.probability == null) return 'not told'
  return `${likelihood(found.probability)}${found.condition === null ? '' : `, ${likelihood(found.condition.probability)} with ${found.condition.operations.join(', ')} rolled up`}`
}

const yearMonths = 12

/** Which months are meant; prices and rates of "now" are those of month 0. */
export function calendarText(startedAt: string, months: number): string {
  const later = [...new Set([...(months > yearMonths ? [yearMonths] : []), months])].map((month) => `month ${month} is ${dateOf(startedAt, month)}`)
  return `Month 0, "now", is ${dateOf(startedAt, 0)}, when the run began; ${later.join(', ')}.`
}

/** Month 0 is when the run began. */
export function dateOf(startedAt: string, month: number): string {
  const date = new Date(startedAt)
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + Math.round(month))
  return date.toISOString().slice(0, 7)
}

export const cost = (spread: Spread): string => spreadText(spread, usd)

const amount = (spread: Spread): string => spreadText(spread, dollars)
const lineAmount = (line: ToldLine): string => amount({ ...line.usdPerMonth, p50: lineUsd(line) })

export function monthText(month: Spread, horizon: number): string {
  return spreadText(month, (value) => (value > horizon ? `after ${horizon}` : value <= 0 ? 'now' : `${Math.round(value)}`))
}

/** What is cheapest need not be what everybody wants. */
function remarks(planned: Planned, months: number): Block[] {
  const said = planned.flatMap(({ name, plan }) => {
    const inside = [plan.fleet.now, plan.fleet.horizon].find((month) => month.volumeGb === 0)
    return [
      ...volumesText(plan, months).map((text) => `${name}: ${text}`),
      ...(inside === undefined
        ? []
        : [
            `${name} on ${inside.shape}: its disks stand in the server. What they do in a second is in no price list and taken as enough; what is on them goes with the server, and comes back from the other copies.`,
          ]),
    ]
  })
  return said.length === 0 ? [] : [list(said)]
}

/** What the line of block storage pays for. */
function volumesText({ volumes }: CandidatePlan, months: number): string[] {
  if (volumes === null) return []
  const { enlarged, largestGb } = volumes
  const times = enlarged === 0 ? 'never enlarged' : enlarged === 1 ? 'enlarged once' : `enlarged ${enlarged} times`
  return [
    `volumes are ${times} through month ${months}, the largest of a server has ${count(largestGb)} GB; at each look they are bought for what will lie on them at the next one, as full as plan.diskFill then, and cloud volumes are enlarged while they are in use.`,
  ]
}

/** The assumption that moves the plan most; null: nothing in it is assumed, or none of it matters. */
export function decidingText({ tornado }: Pick<CandidatePlan, 'tornado'>): string | null {
  const most = tornado.find(({ provenance }) => provenance === 'assumed')
  if (most === undefined || Math.abs(most.high - most.low) < minEffect * Math.min(most.low, most.high)) return null
  return `of what is assumed, ${inWords(most.path)} decides most: from its low to its high end ${usd(most.low)} to ${usd(most.high)} USD a month are needed at the horizon (--assume ${most.path}=… puts in what you know)`
}

/** No server is bought for it. */
export function unloadedText(name: string, { operation, objective, limitMs, multiple, share, flushMs }: MissedUnloaded): string {
  const mend =
    flushMs === null
      ? 'what the server does beside, or a looser limit'
      : `a volume that flushes faster (the disk of the bench took ${micros(flushMs * 1000)} at its median; what is planned is in the latencies above), or a looser limit`
  return `${name}: ${objective} of ${operation} is missed at any load that was measured: ${percent(share)} of the answers took longer than ${micros(limitMs * 1000)} at ${times(multiple)} already, and more load hardly adds to it. No number of servers mends that, and none is bought for it: ${mend} does.`
}

function monthly(planned: Planned): Block {
  return details('USD a month, month by month', [
    table(
      ['month', ...planned.map(({ name }) => name)],
      (planned[0]?.plan.usdPerMonth.months ?? []).map(({ month }, at) => [
        `${month}`,
        ...planned.map(({ plan }) => cost(plan.usdPerMonth.months[at] as Spread)),
      ]),
      planned.map((_, at) => at + 1),
    ),
  ])
}

const billLegend =
  'Lines are those of one fleet with every number at its middle; with what the draws add they come to the total, which is the median of the draws. Ranges are those of each line over the draws, and do not add up. The last table of each bill names what moves most what is needed at the horizon, one at a time from its low to its high end: the cheapest fleet that then carries it.'

function lines(plan: CandidatePlan, horizon: number, sources: ReturnType<typeof sourcesOf>): Block[] {
  return [
    table(
      ['line', 'now', `month ${horizon}`, 'price from'],
      withTotal(
        plan.fleet.now.lines,
        plan.fleet.now.lines.map((line, at) => {
          const later = plan.fleet.horizon.lines[at] as (typeof plan.fleet.now.lines)[number]
          return [lineText(line), lineAmount(line), lineAmount(later), sources.of(line)]
        }),
        [totalText, amount(plan.fleet.now.total), amount(plan.fleet.horizon.total), ''],
      ),
      [1, 2],
    ),
    paragraph(`${plan.how}. ${scalabilityText(plan.scalability, plan.inFlight)}`),
    paragraph(
      `In use at peak: ${connectionsText(plan.fleet.now)} connections on all servers now, ${connectionsText(plan.fleet.horizon)} in month ${horizon}, by Little's law from the mean service times and the hop to the caller; a pool holds more, for bursts.`,
    ),
    paragraph(
      `All rows are up ${availabilityText(plan.availability)} of the time, any one row ${availabilityText(plan.rowAvailability)}, by independent failures of servers and the time until others take over (assumed).`,
    ),
    table(
      ['what moves most', 'USD a month at its low end', 'at its high end', 'where it comes from'],
      plan.tornado.map((each) => [toldOf(each.path), usd(each.low), usd(each.high), each.provenance]),
      [1, 2],
    ),
  ]
}

const connectionsText = ({ connections }: FleetPlan) => spreadText(connections, (value) => count(Math.max(1, Math.ceil(value))))

/** All of it in one place: who knows better puts his number in. */
function assumedBlocks({ assumed }: Pick<Decision, 'assumed'>): Block[] {
  if (assumed.length === 0) return []
  return [
    details(`What is assumed: ${assumed.length} numbers, each of which --assume NAME=VALUE replaces`, [
      table(
        ['name', 'low', 'middle', 'high', 'what it is'],
        assumed.map(({ path, unit, range: { low, mid, high }, source }) => [
          path,
          ...[low, mid, high].map((value) => valueText(value, unit)),
          source,
        ]),
        [1, 2, 3],
      ),
    ]),
  ]
}

/** Whether an offer saves more hours than it costs, by the hours that running it oneself is planned with. */
function managedText(name: string, { managed: offers, fleet: { now } }: CandidatePlan, usdPerHour: number): string[] {
  const own = (now.lines.find((line) => line.name === 'labour')?.usdPerMonth.p50 ?? 0) / usdPerHour
  const [best] = offers
    .flatMap(({ service, breakEvenHours }) => (breakEvenHours === null ? [] : [{ service, breakEvenHours }]))
    .sort((a, b) => a.breakEvenHours - b.breakEvenHours)
  if (best === undefined || own === 0) return []
  const hours = (value: number) => `${count(Math.round(10 * value) / 10)} ${value === 1 ? 'hour' : 'hours'}`
  const asked = best.breakEvenHours <= 0 ? 'costs no more than its servers alone' : `must save ${hours(best.breakEvenHours)} a month`
  const verdict =
    best.breakEvenHours <= own ? 'so by its own price it is worth asking for; its latency was not measured' : 'more than there are to save'
  return [`${name}: ${best.service} ${asked}; running it oneself is planned with ${hours(own)} (assumed), ${verdict}.`]
}

function managed(planned: Planned, { pricedNotMeasured, engineerHour }: Decision): Block[] {
  const rows = planned.flatMap(({ name, plan }) =>
    plan.managed.map((offer) => [
      name,
      `${offer.service} (${offer.provider})`,
      offer.usdPerMonth === null ? 'no price' : offer.what,
      offer.usdPerMonth === null ? 'no price' : usd(offer.usdPerMonth),
      offer.selfRunUsdPerMonth === null ? '—' : usd(offer.selfRunUsdPerMonth),
      offer.breakEvenHours === null ? '—' : offer.breakEvenHours <= 0 ? 'cheaper anyway' : `${count(Math.round(offer.breakEvenHours))} hours`,
      offer.missing.join('; ') || '—',
    ]),
  )
  const price = (usdPerMonth: number | null) => (usdPerMonth === null ? 'no price' : usd(usdPerMonth))
  return [
    ...(rows.length === 0
      ? []
      : [
          heading(3, 'Managed instead'),
          paragraph(
            `The same need, now, on demand, beside the same lines run by yourself: what an offer has no price of is on neither side. Break-even: engineer hours a month, at ${usd(engineerHour.usd)} USD (${engineerHour.provenance}), that it must save.`,
          ),
          table(['candidate', 'offer', 'what', 'USD a month', 'run by yourself', 'break-even', 'no price of'], rows, [3, 4]),
          list(planned.flatMap(({ name, plan }) => managedText(name, plan, engineerHour.usd))),
        ]),
    ...(pricedNotMeasured.length === 0
      ? []
      : [
          details('Priced, not measured: outside the ranking', [
            table(
              ['service', 'USD a month for the requests of today', 'for one copy of the values', 'servers'],
              pricedNotMeasured.map((each) => [
                `${each.service} (${each.provider})`,
                price(each.requestsUsdPerMonth),
                price(each.storageUsdPerMonth),
                each.needsServers ? 'beside it; what one carries was not measured' : 'none',
              ]),
              [1, 2],
            ),
            paragraph(
              'At least: requests rounded up to their units, without secondary indexes; a search reads its rows, an aggregate all that it adds up.',
            ),
          ]),
        ]),
  ]
}
