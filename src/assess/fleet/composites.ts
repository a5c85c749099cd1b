/**
 * One store with something beside it: replicas for reads that may be old, a cache in front, a search store. Each is priced with every number at
 * its middle, at the horizon and now, and none was measured: it stands outside the ranking.
 */
import { ownedBytes, rowBytes } from '../../families/sizes.ts'
import { entityOf, type Operation, type Scenario } from '../../scenario/scenario.ts'
import { isReadOperation, mayBeOld } from '../capacity/calls.ts'
import type { CostPlan } from '../cost/cost.ts'
import { hoursPerMonth } from '../cost/fleet-cost.ts'
import type { Shape } from '../cost/prices.ts'
import { margin, secondSystemHours } from '../decision/polyglot.ts'
import type { Demand } from '../demand/demand.ts'
import { drawsOfTop } from '../demand/popularity.ts'
import { middleOf } from '../figures/simulate.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import { cheapest } from './cheapest.ts'
import type { Need } from './supply.ts'

export interface Composite {
  kind: 'read replicas' | 'cache in front' | 'search store beside'
  candidate: string
  label: 'planned, not measured'
  /** Calls that it takes from the store, with the share of them that it answers. */
  takes: { operation: string; share: number }[]
  /** What stands beside the store. */
  what: string
  /** What the scenario would have to allow first; '': nothing. */
  needs: string
  /** Servers and disks of store and composite, and the hours of one system more; beside it the store alone. */
  usdPerMonth: Ahead
  aloneUsdPerMonth: Ahead
  /** It saves enough at the horizon to be worth measuring. */
  worthTrying: boolean
}
interface Ahead {
  now: number
  horizon: number
}

const label = 'planned, not measured'
/** A cache of one node is cold after it died, and all calls fall on the store at once. */
const cacheNodes = 2
const searchNodes = 3
/** Of a cache server's memory for values, and bytes of an entry beside its value: its key, pointers, expiry. Assumed. */
const cacheFill = 0.6
const entryBytes = 100
/** Calls a second of one cache server: half of what redis-benchmark reaches on one thread of a small machine. Assumed. */
const cacheCallsPerSecond = 50_000
/** Memory of a search server over the text that it holds: its index, and as much again for its heap. Assumed. */
const searchMemory = 3
const smallestSearchGib = 8
const gib = 2 ** 30

/** The cheapest first. */
export function compositesOf(plan: CapacityPlan, cost: CostPlan, demand: Demand, engineerUsdPerHour: number): Composite[] {
  const system = secondSystemHours * engineerUsdPerHour
  return [readReplicas(plan, cost, demand), cacheInFront(plan, cost, demand, system), searchBeside(plan, cost, demand, system)]
    .flatMap((each) => each ?? [])
    .sort((a, b) => a.usdPerMonth.horizon - b.usdPerMonth.horizon)
}

const ahead = (of: (month: number) => number, { months }: Demand): Ahead => ({ now: of(0), horizon: of(months) })

function needAt(plan: CapacityPlan, month: number): Need {
  return plan.needOf(plan.needFigures(month).map((figure) => middleOf(figure)))
}

function storeUsd(plan: CapacityPlan, { shapes, block }: CostPlan, need: Need): number {
  return cheapest(shapes, need, plan.terms(block, shapes)).usdPerMonth
}

function told(
  plan: CapacityPlan,
  demand: Demand,
  cost: CostPlan,
  own: Pick<Composite, 'kind' | 'takes' | 'what' | 'needs'>,
  usd: (month: number) => number,
): Composite {
  const usdPerMonth = ahead(usd, demand)
  // Replicas are part of every plan that may have them: beside them alone is without, beside all else it is with what the plan has.
  const alone = (month: number) => (own.kind === 'read replicas' ? { ...needAt(plan, month), offloadable: 0 } : needAt(plan, month))
  const aloneUsdPerMonth = ahead((month) => storeUsd(plan, cost, alone(month)), demand)
  const worthTrying = Number.isFinite(usdPerMonth.horizon) && usdPerMonth.horizon <= aloneUsdPerMonth.horizon * (1 - margin)
  return { ...own, candidate: plan.candidate, label, usdPerMonth, aloneUsdPerMonth, worthTrying }
}

/** null: no read may be old, or all members answer reads anyhow. */
export function readReplicas(plan: CapacityPlan, cost: CostPlan, demand: Demand): Composite | null {
  const old = plan.operations.filter(mayBeOld)
  if (old.length === 0 || plan.facts.topology.kind === 'ring') return null
  const { shapes, block } = cost
  const fleet = cheapest(shapes, needAt(plan, demand.months), plan.terms(block, shapes))
  const more = fleet.members - plan.facts.topology.copies
  return told(
    plan,
    demand,
    cost,
    {
      kind: 'read replicas',
      takes: old.map(({ name }) => ({ operation: name, share: more > 0 ? 1 : 0 })),
      what:
        more > 0
          ? `${more} ${more === 1 ? 'replica' : 'replicas'} more of each part, ${shapes[fleet.shape]?.name}`
          : 'none: more of them would cost more',
      needs: '',
    },
    (month) => storeUsd(plan, cost, needAt(plan, month)),
  )
}

/** Values that one operation asks for equally often. */
export interface Entries {
  count: number
  /** Of one value. */
  perSecond: number
  bytes: number
}

/**
 * Share of the calls that a cache of so many bytes answers, of each stream, by Che's approximation with one time for all; no value lives longer
 * than `staleSeconds` of its stream.
 */
export function hitShares(streams: readonly { entries: readonly Entries[]; staleSeconds: number }[], cacheBytes: number): number[] {
  const filled = (time: number) =>
    streams.reduce(
      (sum, { entries }) => sum + entries.reduce((own, { count, perSecond, bytes }) => own - count * bytes * Math.expm1(-perSecond * time), 0),
      0,
    )
  let [low, high] = [1e-9, 1e12]
  if (filled(high) > cacheBytes)
    for (let step = 0; step < 100; step++) {
      const middle = Math.sqrt(low * high)
      if (filled(middle) > cacheBytes) high = middle
      else low = middle
    }
  return streams.map(({ entries, staleSeconds }) => {
    const all = entries.reduce((sum, { count, perSecond }) => sum + count * perSecond, 0)
    const hits = entries.reduce((sum, { count, perSecond }) => {
      const kept = -Math.expm1(-perSecond * high)
      // Of the calls between two loads one in 1 + rate × lifetime finds nothing.
      const fresh = Number.isFinite(staleSeconds) ? (perSecond * staleSeconds) / (1 + perSecond * staleSeconds) : 1
      return sum + count * perSecond * Math.min(kept, fresh)
    }, 0)
    return all === 0 ? 0 : hits / all
  })
}

const classRatio = 1.25

/** By the law of its picks. */
function entriesOf(operation: Operation, scenario: Scenario, rows: number, perSecond: number): Entries[] {
  const entity = entityOf(scenario, operation.entity)
  const fields = 'fields' in operation ? operation.fields : undefined
  const bytes = rowBytes(entity, fields) + ('with' in operation ? ownedBytes(scenario, entity, operation.with) : 0) + entryBytes
  const entries: Entries[] = []
  for (let from = 0, to = 1; from < rows; from = to, to = Math.min(rows, Math.max(to + 1, to * classRatio))) {
    const share = drawsOfTop(operation.pick.skew, rows, to) - drawsOfTop(operation.pick.skew, rows, from)
    entries.push({ count: to - from, perSecond: (perSecond * share) / (to - from), bytes })
  }
  return entries
}

/** Of calls by key; where none of them may be old, with what the scenario would have to allow. null: there are none. */
export function cacheInFront(plan: CapacityPlan, cost: CostPlan, demand: Demand, systemUsd: number): Composite | null {
  const { scenario } = demand
  const gets = plan.operations.filter((operation) => operation.kind === 'get' && isReadOperation(operation))
  if (gets.length === 0 || plan.facts.memoryBound) return null
  const allowed = gets.filter(mayBeOld)
  const taken = allowed.length > 0 ? allowed : gets
  const hitsAt = (shape: Shape, month: number) =>
    hitShares(
      taken.map((operation) => ({
        entries: entriesOf(
          operation,
          scenario,
          middleOf(demand.rows(entityOf(scenario, operation.entity), month)),
          middleOf(demand.rate(operation, month)),
        ),
        staleSeconds: operation.stalenessMs === null ? Number.POSITIVE_INFINITY : operation.stalenessMs / 1000,
      })),
      shape.memoryGib * gib * cacheFill,
    )
  const usdWith = (shape: Shape, month: number) => {
    const hits = hitsAt(shape, month)
    return cacheNodes * (shape.usdPerHour as number) * hoursPerMonth + systemUsd + storeUsd(plan, cost, without(plan, demand, month, taken, hits))
  }
  const peak = taken.reduce((sum, operation) => sum + middleOf(demand.peakRate(operation, demand.months)), 0)
  if (peak > cacheCallsPerSecond) return null
  const sizes = cheapestByMemory(cost.shapes)
  const best = sizes.reduce<{ shape: Shape; usd: number } | null>((least, shape) => {
    const usd = usdWith(shape, demand.months)
    return least === null || usd < least.usd ? { shape, usd } : least
  }, null)
  if (best === null) return null
  const hits = hitsAt(best.shape, demand.months)
  return told(
    plan,
    demand,
    cost,
    {
      kind: 'cache in front',
      takes: taken.map(({ name }, at) => ({ operation: name, share: hits[at] as number })),
      what: `${cacheNodes} × ${best.shape.name}, each with all that is cached`,
      needs:
        allowed.length > 0
          ? ''
          : `none of these may be old now: ${taken.map(({ name }) => name).join(', ')} would have to, or each write must also remove the cached value`,
    },
    (month) => usdWith(best.shape, month),
  )
}

/** What searches would ask of servers of its own nobody measured here: only their memory is planned. null: nothing is searched. */
export function searchBeside(plan: CapacityPlan, cost: CostPlan, demand: Demand, systemUsd: number): Composite | null {
  const { scenario } = demand
  const searches = plan.operations.filter((operation) => operation.kind === 'search')
  if (searches.length === 0) return null
  const indexed = [...new Set(searches.map(({ entity }) => entity))].map((name) => entityOf(scenario, name))
  const bytes = indexed.reduce((sum, entity) => sum + middleOf(demand.rows(entity, demand.months)) * rowBytes(entity), 0)
  const leastGib = Math.max(smallestSearchGib, (bytes * searchMemory) / gib)
  const shape = [...cost.shapes]
    .filter(({ memoryGib, localDiskGib }) => memoryGib >= leastGib && localDiskGib === undefined)
    .sort((a, b) => (a.usdPerHour as number) - (b.usdPerHour as number))[0]
  if (shape === undefined) return null
  const all = searches.map(() => 1)
  return told(
    plan,
    demand,
    cost,
    {
      kind: 'search store beside',
      takes: searches.map(({ name }) => ({ operation: name, share: 1 })),
      what: `${searchNodes} × ${shape.name} by the memory of its index; the CPU of a search in it was not measured`,
      needs: searches.every(mayBeOld) ? '' : 'what is found may be older than what was written: the index follows the store',
    },
    (month) =>
      searchNodes * (shape.usdPerHour as number) * hoursPerMonth + systemUsd + storeUsd(plan, cost, without(plan, demand, month, searches, all)),
  )
}

/** What is left for the store where something else answers these shares of the calls. */
function without(plan: CapacityPlan, demand: Demand, month: number, taken: readonly Operation[], shares: readonly number[]): Need {
  const need = needAt(plan, month)
  const costs = new Map(
    plan.operations.map((operation) => {
      const more = plan.rows.cost(operation, month)
      const cores =
        middleOf(demand.peakRate(operation, month)) *
        middleOf(plan.work.perOperation.get(operation.name) as never) *
        (more === null ? 1 : middleOf(more))
      const reads = isReadOperation(operation) ? middleOf(demand.peakRate(operation, month)) * middleOf(plan.pagesOfCall(operation, month)) : 0
      const network = middleOf(demand.peakRate(operation, month)) * middleOf(plan.payload(operation))
      return [operation.name, { cores, reads, network, old: mayBeOld(operation) ? cores : 0 }] as const
    }),
  )
  const leftOf = (what: 'cores' | 'reads' | 'network' | 'old') => {
    const all = [...costs.values()].reduce((sum, each) => sum + each[what], 0)
    const gone = taken.reduce((sum, { name }, at) => sum + (costs.get(name)?.[what] ?? 0) * (shares[at] as number), 0)
    return all === 0 ? 1 : Math.max(0, 1 - gone / all)
  }
  const load = need.load * leftOf('cores')
  return {
    ...need,
    load,
    offloadable: Math.min(load, need.offloadable * leftOf('old')),
    crossing: Math.min(load, need.crossing),
    pagesPerSecond: need.pagesPerSecond * leftOf('reads'),
    networkBytesPerSecond: need.networkBytesPerSecond * leftOf('network'),
  }
}

/** Of each size of memory the cheapest without a disk of its own. */
function cheapestByMemory(shapes: readonly Shape[]): Shape[] {
  const plain = shapes.filter(({ localDiskGib }) => localDiskGib === undefined)
  return [...Map.groupBy(plain, ({ memoryGib }) => memoryGib).values()].map((same) =>
    same.reduce((least, each) => ((each.usdPerHour as number) < (least.usdPerHour as number) ? each : least)),
  )
}
