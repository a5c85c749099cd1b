/**
 * Which fleets are bought, and when: one path through the months, for all draws. Of the fleets that are the cheapest in some draw, the path has
 * the least cost on average over the draws: a fleet that is too large costs what it costs; one that is too small costs what the draw would have
 * needed, and a multiple of that for the trouble. No draw buys with hindsight.
 */
import type { Topology } from '../engines/engine.ts'
import type { Choice } from './cheapest.ts'
import { type Migration, migrationOf } from './migration.ts'
import { cheapestPath } from './purchase-path.ts'
import type { Bound } from './supply.ts'

export type Chosen = Pick<Choice, 'shape' | 'parts' | 'members'>

/** What can be bought and what it does; `N` is what a month of one draw needs. */
export interface Market<N> {
  topology: Topology
  /** `shape` -1: nothing carries it. */
  cheapest(need: N): Chosen
  carries(fleet: Chosen, need: N): boolean
  /** USD a month, of servers, disks and what else the fleet decides. */
  usd(fleet: Chosen, need: N): number
  bound(fleet: Chosen, need: N): Bound
}

/** A change of the path. */
export interface Change extends Migration {
  /** From which on `to` stands. */
  month: number
  from: Chosen
  to: Chosen
  /** What `from` falls short of first in most draws; null: it would carry on, the other is cheaper. */
  resource: Bound | null
  usd: number
}
/** How likely a fleet carries what a month needs. */
export interface Sufficiency {
  month: number
  probability: number
  /** What fails first in most of the draws in which it does not; null: in none. */
  resource: Bound | null
}
export interface FleetPlan {
  /** Of each month that was given. */
  fleets: readonly Chosen[]
  changes: Change[]
  sufficiency(fleet: Chosen): Sufficiency[]
}

/**
 * A month in which servers are missing costs so many times those that were needed, beside them. `now`: nobody knew, and it means a night's work,
 * a move in a hurry, users who left. `later`: growth shows itself months before, and the next step of the path is only taken earlier than planned. Assumed.
 */
export const shortfall = { now: 1, later: 0.5, foreseenMonths: 6 }
/** A fleet that most draws fall out of is taken only where there is no other. */
const noPlan = 1000
/** The last fleet is bought to be used for a while. */
const monthsAfter = 12
/** Draws that choose; more of them judge. */
const choosing = 100
/** Fleets of a month that are weighed: those that most draws would buy, and those of the most demanding draws. */
const mostCommon = 6
const demanding = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99]

/** `needs[month][draw]`, of `months`; null where nothing carries the median of any month. */
export function planFleets<N>(market: Market<N>, months: readonly number[], needs: readonly (readonly N[])[], usdPerHour: number): FleetPlan | null {
  const chosen = needs.map((own) => own.slice(0, Math.min(choosing, Math.ceil(own.length / 4))))
  const best = chosen.map((own) => own.map((need) => priced(market, need)))
  const pool = poolOf(best)
  if (pool.length === 0) return null
  const month = chosen.map((own, at) =>
    pool.map((fleet) =>
      regretOf(market, fleet, own, best[at] as Priced[], (months[at] as number) < shortfall.foreseenMonths ? shortfall.now : shortfall.later),
    ),
  )
  // A fleet stands from its month to the next: half of the way costs what its end does.
  const steps = month.map((own, at) => {
    const span = (months[at + 1] ?? Number.NaN) - (months[at] as number)
    const next = month[at + 1]
    return next === undefined ? own.map((usd) => usd * monthsAfter) : own.map((usd, option) => ((usd + (next[option] as number)) / 2) * span)
  })
  const servers = pool.map((fleet) => market.usd(fleet, (chosen[0] as readonly N[])[0] as N))
  const prices = pool.map((from, at) =>
    pool.map((to, other) => {
      const migration = migrationOf(from, to, market.topology)
      return migration === null
        ? 0
        : migration.hours * usdPerHour + migration.overlapMonths * Math.min(servers[at] as number, servers[other] as number)
    }),
  )
  // Where the application divides, it must learn to from the first day on.
  const first = (steps[0] ?? []).map((usd, option) => {
    const start = migrationOf({ ...(pool[option] as Chosen), parts: 1 }, pool[option] as Chosen, market.topology)
    return usd + (start === null || market.topology.kind === 'ring' ? 0 : start.hours * usdPerHour)
  })
  const path = cheapestPath([first, ...steps.slice(1)], (from, to) => (prices[from] as number[])[to] as number)
  const fleets = path.map((option) => pool[option] as Chosen)
  const sufficiency = (fleet: Chosen) => months.map((own, at) => sufficiencyOf(market, fleet, own, needs[at] as readonly N[]))
  const changes = fleets.flatMap((to, at): Change[] => {
    const from = fleets[at - 1]
    const migration = from === undefined ? null : migrationOf(from, to, market.topology)
    if (from === undefined || migration === null) return []
    // It must carry until the next month.
    const until = Math.min(at + 1, months.length - 1)
    const short = sufficiencyOf(market, from, months[until] as number, needs[until] as readonly N[])
    const usd = (prices[path[at - 1] as number] as number[])[path[at] as number] as number
    return [{ ...migration, month: months[at] as number, from, to, resource: short.resource, usd }]
  })
  return { fleets, changes, sufficiency }
}

interface Priced {
  fleet: Chosen
  usd: number
}

function priced<N>(market: Market<N>, need: N): Priced {
  const { shape, parts, members } = market.cheapest(need)
  const fleet = { shape, parts, members }
  return { fleet, usd: shape < 0 ? Number.POSITIVE_INFINITY : market.usd(fleet, need) }
}

const keyOf = ({ shape, parts, members }: Chosen) => `${shape} ${parts} ${members}`

function poolOf(best: readonly Priced[][]): Chosen[] {
  const pool = new Map<string, Chosen>()
  const add = ({ fleet }: Priced) => pool.set(keyOf(fleet), fleet)
  for (const all of best) {
    const own = all.filter(({ usd }) => Number.isFinite(usd)).sort((a, b) => a.usd - b.usd)
    for (const share of demanding) if (own.length > 0) add(own[Math.min(own.length - 1, Math.floor(share * own.length))] as Priced)
    const common = [...Map.groupBy(own, ({ fleet }) => keyOf(fleet)).values()].sort((a, b) => b.length - a.length)
    for (const group of common.slice(0, mostCommon)) add(group[0] as Priced)
  }
  return [...pool.values()]
}

/** USD of a month on average over the draws. Where nothing carries a draw, nothing that is bought changes that. */
function regretOf<N>(market: Market<N>, fleet: Chosen, needs: readonly N[], best: readonly Priced[], trouble: number): number {
  let sum = 0
  let short = 0
  for (let draw = 0; draw < needs.length; draw++) {
    const need = needs[draw] as N
    const usd = market.usd(fleet, need)
    if (market.carries(fleet, need)) sum += usd
    else {
      short++
      const needed = (best[draw] as Priced).usd
      sum += Number.isFinite(needed) ? Math.max(usd, needed) * (1 + trouble) : usd * (1 + trouble)
    }
  }
  return (sum / Math.max(1, needs.length)) * (short > needs.length / 2 ? noPlan : 1)
}

function sufficiencyOf<N>(market: Market<N>, fleet: Chosen, month: number, needs: readonly N[]): Sufficiency {
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
