/** How often a fleet is up: servers that fail independently, which a shared zone or a bad release breaks, and the time until another one takes over. */
import type { Topology } from '../../engines/engine.ts'
import type { CostPlan } from '../cost/cost.ts'
import { assumed, derived, type Figure, given } from '../figures/figure.ts'
import type { Spread } from '../figures/simulate.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import { besideOf, type Fleet, nodesOf } from './supply.ts'

/** From what a provider promises of a single server to what it promises of several zones. */
const nodeAvailability = assumed(0.995, 0.999, 0.9999)
export const nodeAvailabilityFigure = () =>
  given(
    'plan.nodeAvailability',
    'share',
    nodeAvailability,
    'assumed',
    'of one server with its zone: AWS Compute Service Level Agreement promises 99.5 % of a single server, 99.99 % across zones',
  )
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
  const voters = members + besideOf({ parts, members }, topology).reduce((sum, { nodes, votes }) => sum + (votes ? nodes : 0), 0)
  return { voters, quorum: voters > 2 ? Math.floor(voters / 2) + 1 : 1 }
}

/** Ranges of a server of a ring: `num_tokens` since 4.0 ("cassandra.yaml"). */
const rangesPerServer = 16
/** More servers of a rack are not down at once. */
const mostDown = 12

/**
 * Share of the time that all rows can be written. Of shards all are needed. A ring has as many racks as copies, and rows are lost where too
 * many of its servers are down in different racks that hold a range together: in a small ring any two do, in a large one fewer.
 */
export const upShare = (fleet: Pick<Fleet, 'parts' | 'members'>, topology: Topology, node: number): number => upShareOf(fleet, topology)(node)

/** The same of one fleet, for many availabilities of its servers. */
function upShareOf(fleet: Pick<Fleet, 'parts' | 'members'>, topology: Topology): (node: number) => number {
  const { kind, copies, consulted } = topology
  if (kind !== 'ring') {
    const { voters, quorum } = votersOf(fleet, topology)
    return (node) => anyOf(voters, quorum, node) ** fleet.parts
  }
  const perRack = nodesOf(fleet, topology) / copies
  const shared = sharedShare(nodesOf(fleet, topology), copies)
  // Any two share rows, or more than two must be down: then racks with a server down are what counts.
  if (shared > 0.999 || copies !== 3 || consulted.strong !== 2) return (node) => anyOf(copies, consulted.strong, node ** perRack)
  const counts = Math.min(mostDown, perRack) + 1
  /** Of so many pairs of servers in different racks, none holds a range together. */
  const apart = Array.from({ length: 3 * (counts - 1) ** 2 + 1 }, (_, pairs) => (1 - shared) ** pairs)
  const down = new Float64Array(counts)
  // Asked of every draw: nothing is made for it.
  return (node) => {
    for (let count = 0; count < counts; count++) down[count] = exactly(perRack, count, 1 - node)
    let up = 0
    for (let a = 0; a < counts; a++)
      for (let b = 0; b < counts; b++) {
        const both = (down[a] as number) * (down[b] as number)
        if (both < negligible) continue
        for (let c = 0; c < counts; c++) up += both * (down[c] as number) * (apart[a * b + a * c + b * c] as number)
      }
    return Math.min(1, up)
  }
}
/** What happens less often moves no digit that is told. */
const negligible = 1e-15

/** Of two servers in different racks, how likely they hold a range together (Lynch and Snyder, "Cassandra Availability with Virtual Nodes", 2018). */
export function sharedShare(nodes: number, copies: number): number {
  const others = (nodes * (copies - 1)) / copies
  return 1 - (1 - 1 / others) ** (rangesPerServer * 2 * (copies - 1))
}

function exactly(n: number, k: number, share: number): number {
  let ways = 1
  for (let at = 0; at < k; at++) ways = (ways * (n - at)) / (at + 1)
  return ways * share ** k * (1 - share) ** (n - k)
}

/** The same of one row, which is what one call asks for: its copies, or its part. */
export function rowUpShare(fleet: Pick<Fleet, 'parts' | 'members'>, topology: Topology, node: number): number {
  const { kind, copies, consulted } = topology
  return kind === 'ring'
    ? anyOf(copies, consulted.strong, node)
    : upShare({ parts: 1, members: fleet.members }, { ...topology, beside: besideAsIn(fleet, topology) }, node)
}

/** What votes in a part of several does so beside one alone. */
const besideAsIn = (fleet: Pick<Fleet, 'parts' | 'members'>, topology: Topology) =>
  besideOf(fleet, topology).map((each) => ({ ...each, when: 'always' as const }))

/** Less the time in which a part waits for its next primary. */
export function availabilityOf(
  fleet: Pick<Fleet, 'parts' | 'members'>,
  topology: Topology,
): (node: number, failures: number, failoverSeconds: number) => number {
  const up = upShareOf(fleet, topology)
  return (node, failures, failoverSeconds) => Math.max(0, up(node) - waitsOf(fleet.parts, topology, failures, failoverSeconds))
}

const waitsOf = (parts: number, { kind }: Topology, failures: number, failoverSeconds: number) =>
  kind === 'ring' ? 0 : (parts * failures * failoverSeconds) / secondsPerYear

/** Of the fleet that the path has in a month: of all its rows at once, or of any one of them. */
export function availabilityFigure({ candidate, facts }: CapacityPlan, { purchases }: CostPlan, month: number, rows: 'all' | 'one'): Figure<'share'> {
  const { topology, failoverSeconds } = facts
  const fleet = purchases.fleet(month)
  const all = availabilityOf(fleet, topology)
  return derived(
    `plan.${candidate}.${rows === 'all' ? 'availability' : 'rowAvailability'}@${month}`,
    'share',
    topology.kind === 'ring'
      ? rows === 'all'
        ? `no two of ${nodesOf(fleet, topology)} servers down in different racks that hold a range together`
        : `${topology.consulted.strong} of the ${topology.copies} copies of a row up`
      : `a majority of the voters of ${rows === 'all' ? 'every' : 'its'} part up, less failovers × failoverSeconds${rows === 'all' ? ' of every part' : ''}`,
    [
      nodeAvailabilityFigure(),
      given('plan.failuresPerYear', 'ratio', failuresPerYear, 'assumed', 'of one server, restarts for upgrades included'),
      given(`plan.${candidate}.failoverSeconds`, 'seconds', failoverSeconds.range, 'assumed', failoverSeconds.source),
    ],
    (node, failures, seconds) =>
      rows === 'all' ? all(node, failures, seconds) : Math.max(0, rowUpShare(fleet, topology, node) - waitsOf(1, topology, failures, seconds)),
  )
}

/** With no more digits than the interval has. */
export function availabilityText({ p10, p50, p90 }: Spread): string {
  const digits = Math.min(4, Math.max(0, Math.ceil(-Math.log10(Math.max(1e-6, (p90 - p10) * 100)))))
  // A share of less than all is never shown as all.
  const text = (share: number) => (Math.floor(share * 100 * 10 ** digits) / 10 ** digits).toFixed(digits)
  return `${text(p50)} % (${text(p10)}–${text(p90)})`
}
