/** How often a fleet is up: servers that fail independently, which a shared zone or a bad release breaks, and the time until another one takes over. */
import type { Topology } from '../engines/engine.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import { choiceOf } from './choice.ts'
import type { CostPlan } from './cost.ts'
import { assumed, derived, type Figure, given } from './figure.ts'
import type { Spread } from './simulate.ts'
import { besideOf, type Fleet, nodesOf } from './supply.ts'

/** One server with its zone. */
export const nodeAvailability = assumed(0.99, 0.995, 0.999)
/** Of one server, restarts for upgrades included. */
const failuresPerYear = assumed(1, 4, 12)
const secondsPerYear = 365.25 * 86_400

/** Availability of parts that are all needed. */
export const inSeries = (...availabilities: number[]) => availabilities.reduce((product, each) => product * each, 1)

/** Availability of n equal parts of which k must be up, failing independently: the binomial tail. */
export function anyOf(n: number, k: number, availability: number): number {
  let sum = 0
  let ways = 1
  for (let up = n; up >= k; up--) {
    sum += ways * availability ** up * (1 - availability) ** (n - up)
    ways = (ways * up) / (n - up + 1)
  }
  return Math.min(1, sum)
}

/** Who votes for the primary of a part of so many members, and how many must be up: more than half, or the one of two that knows no better. */
export function votersOf({ parts, members }: Pick<Fleet, 'parts' | 'members'>, topology: Topology): { voters: number; quorum: number } {
  const voters = members + besideOf(parts, topology).reduce((sum, { nodes, votes }) => sum + (votes ? nodes : 0), 0)
  return { voters, quorum: voters > 2 ? Math.floor(voters / 2) + 1 : 1 }
}

/**
 * Share of the time that all rows can be written. Of a ring any two servers in different racks hold a range together: what counts is how
 * many racks have a server down. Of shards all are needed.
 */
export function upShare(fleet: Pick<Fleet, 'parts' | 'members'>, topology: Topology, node: number): number {
  const { kind, copies, consulted } = topology
  if (kind === 'ring') return anyOf(copies, consulted.strong, node ** (nodesOf(fleet, topology) / copies))
  const { voters, quorum } = votersOf(fleet, topology)
  return anyOf(voters, quorum, node) ** fleet.parts
}

/** Less the time in which a part waits for its next primary. */
export function availabilityOf(fleet: Pick<Fleet, 'parts' | 'members'>, topology: Topology, node: number, failures: number, failoverSeconds: number) {
  const waits = topology.kind === 'ring' ? 0 : (fleet.parts * failures * failoverSeconds) / secondsPerYear
  return Math.max(0, upShare(fleet, topology, node) - waits)
}

/** Of the fleet that stands in a month. */
export function availabilityFigure({ candidate, facts }: CapacityPlan, cost: CostPlan, month: number): Figure<'share'> {
  const { topology, failoverSeconds } = facts
  return derived(
    `plan.${candidate}.availability@${month}`,
    'share',
    topology.kind === 'ring'
      ? `${topology.consulted.strong} of ${topology.copies} racks with all their servers up`
      : 'a majority of the voters of every part up, less failovers × failoverSeconds of every part',
    [
      given('plan.nodeAvailability', 'share', nodeAvailability, 'assumed', 'of one server with its zone'),
      given('plan.failuresPerYear', 'ratio', failuresPerYear, 'assumed', 'of one server, restarts for upgrades included'),
      given(`plan.${candidate}.failoverSeconds`, 'seconds', failoverSeconds.range, 'assumed', failoverSeconds.source),
      cost.choice(month),
    ],
    (node, failures, seconds, choice) => availabilityOf(choiceOf(choice), topology, node, failures, seconds),
  )
}

/** With no more digits than the interval has. */
export function availabilityText({ p10, p50, p90 }: Spread): string {
  const digits = Math.min(4, Math.max(0, Math.ceil(-Math.log10(Math.max(1e-6, (p90 - p10) * 100)))))
  // A share of less than all is never shown as all.
  const text = (share: number) => (Math.floor(share * 100 * 10 ** digits) / 10 ** digits).toFixed(digits)
  return `${text(p50)} % (${text(p10)}–${text(p90)})`
}
