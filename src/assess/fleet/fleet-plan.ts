/**
 * Which fleets are bought, and when: one path through the months, for all draws. Once a year it is looked at: a fleet stands that is enough for
 * the year to come, the one that costs least until then, the change included. No draw buys with hindsight, and what lies beyond a year changes nothing.
 */
import type { Topology } from '../../engines/engine.ts'
import type { Choice } from './cheapest.ts'
import { isEnoughIn, valueBoughtFor } from './enough.ts'
import { type Migration, migrationOf } from './migration.ts'
import { type Bound, bounds } from './supply.ts'

export type Chosen = Pick<Choice, 'shape' | 'parts' | 'members'>

/** What can be bought and what it does; `N` is what a month of one draw needs. */
export interface Market<N> {
  topology: Topology
  /**
   * The cheapest fleets that carry this share of the draws in each of the months, each of other servers or copies, and those of the servers that
   * stand, whatever they cost: to add to these is the least change. None where no fleet does.
   */
  enough(months: readonly (readonly N[])[], share: number, standing: Chosen | null): Chosen[]
  /** Share of the needs that some fleet carries. */
  reach(needs: readonly N[]): number
  carries(fleet: Chosen, need: N): boolean
  /** USD a month on average over the draws, of servers, disks and what else the fleet decides. */
  usd(fleet: Chosen, needs: readonly N[]): number
  bound(fleet: Chosen, need: N): Bound
  /** What a resource of it is asked over what it has. */
  use(fleet: Chosen, need: N, resource: Bound): number
}

/** What a fleet falls short of in the draw that is bought for: what is asked of it over what it has, and the same of the fleet that follows. */
export interface Shortage {
  resource: Bound
  before: number
  after: number
}

/** A change of the path. */
export interface Change extends Migration {
  /** From which on `to` stands. */
  month: number
  from: Chosen
  to: Chosen
  /** null: `from` would carry on, the other is cheaper. */
  shortage: Shortage | null
  usd: number
}
/** How likely a fleet carries what a month needs. */
export interface Sufficiency {
  month: number
  probability: number
  /** What fails first in most of the draws in which it does not; null: in none. */
  resource: Bound | null
}
/** A year of the path. */
export interface Stage {
  /** From which on, and in which it is looked at again. */
  from: number
  until: number
  fleet: Chosen
  /** Of the draws, what it was bought to carry: the target, or less where no fleet carries as many. */
  share: number
}
export interface FleetPlan {
  stages: readonly Stage[]
  changes: Change[]
}

/**
 * The share of the draws that a fleet must carry: the critical ratio of under- and over-buying. Where a month short of servers costs so many
 * times what a month of the next larger fleet costs more, the larger one pays until it is short in one draw of so many and one.
 */
export const enoughShare = (shortfall: number) => shortfall / (shortfall + 1)

/** Months from one look at the fleet to the next. */
export const reviewMonths = 12

/** Of the horizon, the months in which the fleet is looked at, and the last. */
export const reviewsOf = (horizon: number): number[] => [
  ...Array.from({ length: Math.ceil(horizon / reviewMonths) }, (_, review) => review * reviewMonths),
  horizon,
]

/** `needs[review][draw]`, of `reviews`; `target`: the share of the draws that fleets carry. null where nothing carries any draw of the first year. */
export function planFleets<N>(
  market: Market<N>,
  reviews: readonly number[],
  needs: readonly (readonly N[])[],
  target: number,
  usdPerHour: number,
): FleetPlan | null {
  const stages: Stage[] = []
  const changes: Change[] = []
  for (let at = 0; at < reviews.length - 1; at++) {
    const [from, until] = [reviews[at] as number, reviews[at + 1] as number]
    const [here, there] = [needs[at] as readonly N[], needs[at + 1] as readonly N[]]
    const before = stages.at(-1)?.fleet
    const { share, fleets } = wantedOf(market, [here, there], target, before ?? null)
    const isShort = before !== undefined && fleets.length > 0 && !isEnoughIn([here, there], share, (need) => market.carries(before, need))
    const kept = before === undefined || isShort ? [] : [before]
    const usdOf = (fleet: Chosen) => (market.usd(fleet, here) + market.usd(fleet, there)) / 2
    const all = [...kept, ...fleets].map((fleet) => {
      const usd = usdOf(fleet)
      const migration = before === undefined ? null : migrationOf(before, fleet, market.topology)
      const once = migration === null ? 0 : migration.hours * usdPerHour + migration.overlapMonths * Math.min(usd, usdOf(before as Chosen))
      return { fleet, migration, once, usd, untilNext: usd * (until - from) + once }
    })
    if (all.length === 0) return null
    const best = all.reduce((least, each) => (each.untilNext < least.untilNext ? each : least))
    stages.push({ from, until, fleet: best.fleet, share })
    if (best.migration !== null && before !== undefined)
      changes.push({
        ...best.migration,
        month: from,
        from: before,
        to: best.fleet,
        shortage: isShort ? shortageOf(market, before, best.fleet, share, [here, there]) : null,
        usd: best.once,
      })
  }
  return { stages, changes }
}

interface Wanted {
  share: number
  fleets: Chosen[]
}

/** Where no fleet carries as many draws: as many of those that any carries. */
function wantedOf<N>(market: Market<N>, months: readonly (readonly N[])[], target: number, standing: Chosen | null): Wanted {
  const fleets = market.enough(months, target, standing)
  if (fleets.length > 0) return { share: target, fleets }
  const share = target * Math.min(...months.map((needs) => market.reach(needs)))
  return { share, fleets: share > 0 ? market.enough(months, share, standing) : [] }
}

function shortageOf<N>(market: Market<N>, from: Chosen, to: Chosen, share: number, months: readonly (readonly N[])[]): Shortage {
  const scarcest = scarcestOf(market, from, to, share, months)
  if (scarcest.before > 1) return scarcest
  // Nothing alone is short in so many draws: what is short with both in some of them is no reason to change from the one to the other.
  const all = Math.max(...months.map((needs) => needs.length))
  const carried = months.map((needs) => needs.filter((need) => market.carries(to, need))).filter((needs) => needs.length > 0)
  const minCarried = Math.min(...carried.map((needs) => needs.length))
  return scarcestOf(market, from, to, Math.min(1, (share * all) / minCarried), carried)
}

function scarcestOf<N>(market: Market<N>, from: Chosen, to: Chosen, share: number, months: readonly (readonly N[])[]): Shortage {
  const useOf = (fleet: Chosen, resource: Bound) =>
    Math.max(
      ...months.map((needs) =>
        valueBoughtFor(
          needs.map((need) => market.use(fleet, need, resource)),
          share,
        ),
      ),
    )
  const scarcest = bounds
    .map((resource) => ({ resource, before: useOf(from, resource) }))
    .reduce((most, each) => (each.before > most.before ? each : most))
  return { ...scarcest, after: useOf(to, scarcest.resource) }
}

export function sufficiencyOf<N>(market: Market<N>, fleet: Chosen, month: number, needs: readonly N[]): Sufficiency {
  const failing = new Map<Bound, number>()
  let held = 0
  for (const need of needs) {
    if (market.carries(fleet, need)) held++
    else {
      const bound = market.bound(fleet, need)
      failing.set(bound, (failing.get(bound) ?? 0) + 1)
    }
  }
  const [worst] = [...failing].sort((a, b) => b[1] - a[1])
  return { month, probability: held / Math.max(1, needs.length), resource: worst?.[0] ?? null }
}
