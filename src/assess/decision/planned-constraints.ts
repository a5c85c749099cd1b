/** Hard constraints that are judged on the plan: that a fleet carries it to the horizon, and is up, and back, and loses as little as is required. */

import type { CostPlan } from '../cost/cost.ts'
import type { Demand } from '../demand/demand.ts'
import type { Drawn } from '../figures/drawn.ts'
import { type Figure, given } from '../figures/figure.ts'
import { availabilityFigure, availabilityText } from '../fleet/availability.ts'
import type { CapacityPlan } from '../fleet/capacity-plan.ts'
import { type Constraint, likelihood, uncertain } from './constraints.ts'

/** Made once for each candidate, so that what is drawn is what is judged. */
export interface PlannedFigures {
  availability: Figure<'share'>
  rowAvailability: Figure<'share'>
  failover: Figure<'seconds'>
  lost: Figure<'seconds'>
  /** Share of the draws that some fleet of the catalogue carries. */
  reach: { month: number; share: number }[]
}

export function plannedFigures(plan: CapacityPlan, cost: CostPlan, { months }: Demand): PlannedFigures {
  const { failoverSeconds, lostSeconds } = plan.facts
  const name = plan.candidate
  return {
    availability: availabilityFigure(plan, cost, 0, 'all'),
    rowAvailability: availabilityFigure(plan, cost, 0, 'one'),
    failover: given(`plan.${name}.failoverSeconds`, 'seconds', failoverSeconds.range, 'assumed', failoverSeconds.source),
    lost: given(`plan.${name}.lostSeconds`, 'seconds', lostSeconds.range, 'assumed', lostSeconds.source),
    reach: [0, months].map((month) => ({ month, share: cost.purchases.reach(month) })),
  }
}

/** Why no fleet of the catalogue carries it today, as likely as not; null: one does. */
export function beyondCatalogue(plan: CapacityPlan, cost: CostPlan): string | null {
  return cost.purchases.reach(0) >= 0.5 ? null : beyondText(plan)
}

export const beyondText = (plan: CapacityPlan) => `no fleet of the catalogue carries today's peak${whyWhole(plan)}`

function whyWhole({ torn, facts }: CapacityPlan): string {
  const threads = facts.commandThreads.count === null ? '' : `, ${facts.commandThreads.count} thread runs its commands`
  return `${threads}${torn.length === 0 ? '' : `, and shards would tear ${torn.map(({ name }) => name).join(', ')} (${facts.atomicity.source})`}`
}

export const figuresOfPlanned = ({ availability, rowAvailability, failover, lost }: PlannedFigures): Figure[] => [
  availability,
  rowAvailability,
  failover,
  lost,
]

export function plannedConstraints(plan: CapacityPlan, planned: PlannedFigures, { scenario }: Demand, drawn: Drawn): Constraint[] {
  const { availability, rpoMs, rtoMs } = scenario.requirements
  const { topology, failoverSeconds, lostSeconds } = plan.facts
  const found = [fleetConstraint(plan, planned)]
  if (availability !== null) {
    const holds = drawn.share([planned.availability], (share) => share >= availability)
    const text = availabilityText(drawn.spread(planned.availability))
    const ofOne = availabilityText(drawn.spread(planned.rowAvailability))
    const wanted = Number((availability * 100).toPrecision(6))
    found.push(
      uncertain(
        'availability',
        holds,
        `${topology.name}: all rows up ${text} of the time, of ${wanted} %${ofOne === text ? '' : `; any one row ${ofOne}`}`,
      ),
    )
  }
  if (rtoMs !== null)
    found.push(within('recovery time', planned.failover, rtoMs, 'until writes go on after a server died', failoverSeconds.source, drawn))
  if (rpoMs !== null) found.push(within('recovery point', planned.lost, rpoMs, 'of writes are lost with a server', lostSeconds.source, drawn))
  return found
}

function within(name: Constraint['name'], figure: Figure<'seconds'>, limitMs: number, what: string, source: string, drawn: Drawn): Constraint {
  const { p10, p50, p90 } = drawn.spread(figure)
  const text = (seconds: number) => String(Number(seconds.toPrecision(2)))
  const range = p10 === p90 ? '' : ` (${text(p10)}–${text(p90)})`
  const holds = drawn.share([figure], (seconds) => seconds * 1000 <= limitMs)
  return uncertain(name, holds, `${text(p50)} s${range} ${what}, of ${limitMs / 1000} s (${source})`)
}

/** What cannot be divided must fit into one server. */
function fleetConstraint(plan: CapacityPlan, { reach: shares }: PlannedFigures): Constraint {
  const least = Math.min(...shares.map(({ share }) => share))
  return uncertain(
    'fleet',
    least,
    least === 1
      ? 'fleets of the catalogue carry it to the horizon'
      : `a fleet of the catalogue carries it with a probability of ${shares.map(({ month, share }) => `${likelihood(share)} in month ${month}`).join(', ')}${whyWhole(plan)}`,
  )
}
