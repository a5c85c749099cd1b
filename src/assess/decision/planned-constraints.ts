/** Hard constraints that are judged on the plan: that a fleet carries it to the horizon, and is up, and back, and loses as little as is required. */

import type { CostPlan } from '../cost/cost.ts'
import type { Catalogue } from '../cost/prices.ts'
import type { Demand } from '../demand/demand.ts'
import { threeDigits } from '../figures/amount.ts'
import type { Drawn } from '../figures/drawn.ts'
import { type Figure, type Given, given, reachable } from '../figures/figure.ts'
import { availabilityFigure, availabilityText } from '../fleet/availability.ts'
import { type CapacityPlan, middleNeed } from '../fleet/capacity-plan.ts'
import { type Constraint, likelihood, uncertain } from './constraints.ts'

interface Up {
  month: number
  all: Figure<'share'>
  one: Figure<'share'>
}
/** Made once for each candidate, so that what is drawn is what is judged. */
export interface PlannedFigures {
  /** Of the fleet that stands from a month on, today's first: all its rows at once, and any one of them. */
  up: [Up, ...Up[]]
  failover: Figure<'seconds'>
  lost: Figure<'seconds'>
  /** Share of the draws that some fleet of the catalogue carries. */
  reach: { month: number; share: number }[]
}

export function plannedFigures(plan: CapacityPlan, cost: CostPlan, { months }: Demand): PlannedFigures {
  const { failoverSeconds, lostSeconds } = plan.facts
  const name = plan.candidate
  const upFrom = (month: number): Up => ({
    month,
    all: availabilityFigure(plan, cost, month, 'all'),
    one: availabilityFigure(plan, cost, month, 'one'),
  })
  return {
    up: [upFrom(0), ...cost.purchases.changes.map(({ month }) => upFrom(month))],
    failover: given(`plan.${name}.failoverSeconds`, 'seconds', failoverSeconds.range, 'assumed', failoverSeconds.source),
    lost: given(`plan.${name}.lostSeconds`, 'seconds', lostSeconds.range, 'assumed', lostSeconds.source),
    reach: [0, months].map((month) => ({ month, share: cost.purchases.reach(month) })),
  }
}

/** Why no fleet of the catalogue carries it today, as likely as not; null: one does. */
export function beyondCatalogue(plan: CapacityPlan, cost: CostPlan): string | null {
  return cost.purchases.reach(0) >= 0.5 ? null : beyondText(plan, cost)
}

/** `cost`: null where no draw of today is carried. */
export function beyondText(plan: CapacityPlan, cost: CostPlan | null): string {
  const share = cost === null ? '' : ` in all but ${likelihood(cost.purchases.reach(0))} of the draws`
  return `no fleet of the catalogue carries today's peak${share}${whyWhole(plan)}${shortText(plan)}`
}

function whyWhole({ torn, facts }: CapacityPlan): string {
  const threads = facts.commandThreads.count === null ? '' : `, ${facts.commandThreads.count} thread runs its commands`
  return `${threads}${torn.length === 0 ? '' : `, and shards would tear ${torn.map(({ name }) => name).join(', ')} (${facts.atomicity.source})`}`
}

/** What one server must do at peak and does, where cores beyond its threads add nothing. */
function shortText(plan: CapacityPlan): string {
  if (plan.facts.commandThreads.count === null || plan.torn.length === 0) return ''
  const { load, carried, host } = middleNeed(plan, 0)
  const inputs = reachable([plan.carried, ...plan.needFigures(0)])
  const of = (path: string) => inputs.find((figure): figure is Given => figure.kind === 'given' && figure.path === path)
  const range = (path: string, times = 1) => {
    const found = of(path)?.range
    return found === undefined || found.low === found.high ? '' : ` (${threeDigits(found.low * times)}–${threeDigits(found.high * times)})`
  }
  const [statedPeak, hosts] = [of('demand.statedPeak')?.range.mid ?? 1, of('plan.hostFactor')]
  return `: at peak the server must do ${threeDigits(load)}×${range('demand.peakSpread', statedPeak)} today's average load, and does ${threeDigits(carried * host)}×: ${threeDigits(carried)}×${range(`capacity.${plan.candidate}.sustained`)} as measured, times ${threeDigits(host)}${range('plan.hostFactor')} for a core of the cloud (${hosts?.provenance ?? 'assumed'})`
}

export const figuresOfPlanned = ({ up, failover, lost }: PlannedFigures): Figure[] => [...up.flatMap(({ all, one }) => [all, one]), failover, lost]

export function plannedConstraints(plan: CapacityPlan, planned: PlannedFigures, { scenario }: Demand, drawn: Drawn): Constraint[] {
  const { availability, rpoMs, rtoMs } = scenario.requirements
  const { failoverSeconds, lostSeconds } = plan.facts
  const found = [fleetConstraint(plan, planned, scenario.requirements.peak)]
  if (availability !== null) found.push(availabilityConstraint(plan, planned, availability, drawn))
  if (rtoMs !== null)
    found.push(within('recovery time', planned.failover, rtoMs, 'until writes go on after a server died', failoverSeconds.source, drawn))
  if (rpoMs !== null) found.push(within('recovery point', planned.lost, rpoMs, 'of writes are lost with a server', lostSeconds.source, drawn))
  return found
}

/** Of every fleet of the path: more shards are down more often, and the one that is up least is told. */
function availabilityConstraint({ facts: { topology } }: CapacityPlan, { up }: PlannedFigures, required: number, drawn: Drawn): Constraint {
  const holds = drawn.share(
    up.map(({ all }) => all),
    (share) => share >= required,
  )
  const worst = up.reduce((least, each) => (drawn.spread(each.all).p50 < drawn.spread(least.all).p50 ? each : least))
  const [text, ofOne] = [worst.all, worst.one].map((figure) => availabilityText(drawn.spread(figure))) as [string, string]
  const wanted = Number((required * 100).toPrecision(6))
  const when = worst.month === 0 ? 'now' : `from month ${worst.month} on`
  return uncertain(
    'availability',
    `${wanted} %`,
    text,
    holds,
    `${topology.name}: all rows up ${text} of the time ${when}, of ${wanted} %${ofOne === text ? '' : `; any one row ${ofOne}`}`,
  )
}

function within(name: Constraint['name'], figure: Figure<'seconds'>, limitMs: number, what: string, source: string, drawn: Drawn): Constraint {
  const { p10, p50, p90 } = drawn.spread(figure)
  const text = (seconds: number) => String(Number(seconds.toPrecision(2)))
  const range = p10 === p90 ? '' : ` (${text(p10)}–${text(p90)})`
  const holds = drawn.share([figure], (seconds) => seconds * 1000 <= limitMs)
  return uncertain(name, `${limitMs / 1000} s`, `${text(p50)} s${range}`, holds, `${text(p50)} s${range} ${what}, of ${limitMs / 1000} s (${source})`)
}

/** What cannot be divided must fit into one server. */
function fleetConstraint(plan: CapacityPlan, { reach: shares }: PlannedFigures, peak: number): Constraint {
  const least = Math.min(...shares.map(({ share }) => share))
  return uncertain(
    'fleet',
    fleetAsked(peak),
    least === 1 ? 'one for each draw' : `one for ${likelihood(least)} of the draws`,
    least,
    least === 1
      ? 'fleets of the catalogue carry it to the horizon'
      : `a fleet of the catalogue carries it with a probability of ${shares.map(({ month, share }) => `${likelihood(share)} in month ${month}`).join(', ')}${whyWhole(plan)}`,
  )
}

const fleetAsked = (peak: number) => `servers of the catalogue carry ${peak}× with one member lost, to the horizon`

/** Of a candidate that no fleet carries today, as likely as not: nothing else was planned for it. `cost`: null where no draw of today is carried. */
export function unplannedFleet(plan: CapacityPlan, cost: CostPlan | null, { months, scenario }: Demand): Constraint {
  const reach = (month: number) => cost?.purchases.reach(month) ?? 0
  const least = Math.min(reach(0), reach(months))
  const later = cost === null ? '' : `; in month ${months} in ${likelihood(reach(months))} of them`
  return uncertain(
    'fleet',
    fleetAsked(scenario.requirements.peak),
    `in ${likelihood(least)} of the draws`,
    least,
    `${beyondText(plan, cost)}${later}`,
  )
}

/** Prices are of the region that was asked for, or of another one times a range. */
export function regionConstraint(regions: readonly string[], catalogue: Catalogue | undefined): Constraint[] {
  if (regions.length === 0 || catalogue === undefined) return []
  const isOwn = regions.includes(catalogue.region)
  const asked = regions.join(', ')
  const name = `${catalogue.provider}, ${catalogue.region}`
  return [
    isOwn
      ? uncertain('region', asked, catalogue.region, 1, `servers and disks of ${name} are priced`)
      : uncertain(
          'region',
          asked,
          catalogue.region,
          null,
          `no list of ${asked} has prices: priced as ${name} times a range; what is to be had there was not looked up`,
        ),
  ]
}
