/**
 * One store with something beside it: replicas for reads that may be old, a cache in front, a search store. Each is priced with every number at
 * its middle, at the horizon and now, and none was measured: it stands outside the ranking.
 */

import { ownedBytes, rowBytes } from '../../families/sizes.ts'
import { entityOf, type Operation, type PickLaw, type Scenario } from '../../scenario/scenario.ts'
import { isReadOperation, mayBeOld } from '../capacity/calls.ts'
import type { CostPlan } from '../cost/cost.ts'
import { hoursPerMonth } from '../cost/fleet-cost.ts'
import type { Shape } from '../cost/prices.ts'
import { margin, secondSystemHours } from '../decision/polyglot.ts'
import type { Demand } from '../demand/demand.ts'
import { drawsOfTop } from '../demand/popularity.ts'
import { assumed, type Figure, given } from '../figures/figure.ts'
import { middleOf } from '../figures/simulate.ts'
import { type CapacityPlan, middleNeed } from './capacity-plan.ts'
import { cheapest } from './cheapest.ts'
import { minEffect } from './plan-assumptions.ts'
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
  /** Of what is assumed of the composite alone, what moves its price at the horizon by more than a twentieth, the most first; null: it cannot be had so. */
  movers: { path: string; low: number | null; high: number | null }[]
}
interface Ahead {
  now: number
  horizon: number
}

const label = 'planned, not measured'
/** A cache of one node is cold after it died, and all calls fall on the store at once. */
const cacheNodes = 2
const searchNodes = 3
const gib = 2 ** 30

/** What is taken for granted of what stands beside a store. */
const assumptionsOf = () => ({
  cacheFill: given(
    'plan.cacheFill',
    'share',
    assumed(0.5, 0.6, 0.75),
    'assumed',
    'of a cache server’s memory that holds values: AWS ElastiCache, Best practices, reserves a quarter; fragmentation and buffers take the rest',
  ),
  cacheEntryBytes: given(
    'plan.cacheEntryBytes',
    'bytes',
    assumed(60, 100, 180),
    'assumed',
    'of an entry of a cache beside its value: its key, a hash entry, an object header, an expiry; judged by the makers of dbtrial, 2026, from the layouts of memory caches',
  ),
  cacheCallsPerSecond: given(
    'plan.cacheCallsPerSecond',
    'operations/s',
    assumed(25_000, 50_000, 100_000),
    'assumed',
    'of one cache server, at which a call costs 10 to 40 µs of one thread: half of what the benchmark tools of memory caches reach on one thread of a small machine',
  ),
  searchMemory: given(
    'plan.searchMemory',
    'ratio',
    assumed(1.5, 3, 5),
    'assumed',
    'memory of a search server over the text that it holds: its index in the page cache, and as much again for its heap (Elasticsearch guide, Heap size settings: no more than half of the memory)',
  ),
  searchLeastGib: given(
    'plan.searchLeastGib',
    'ratio',
    assumed(4, 8, 16),
    'assumed',
    'GiB of the smallest search server that is run in production; judged by the makers of dbtrial, 2026',
  ),
  secondSystemHours: secondSystemHours(),
})
type AssumptionName = keyof ReturnType<typeof assumptionsOf>
type Assumed = Record<AssumptionName, number>

/** The cheapest first. */
export function compositesOf(plan: CapacityPlan, cost: CostPlan, demand: Demand, engineerUsdPerHour: number): Composite[] {
  const assumptions = assumptionsOf()
  const middle = Object.fromEntries(Object.entries(assumptions).map(([name, figure]) => [name, middleOf(figure)])) as Assumed
  const store = storeOf(plan, cost, demand)
  const made: { rests: AssumptionName[]; make: (values: Assumed) => Composite | null }[] = [
    { rests: [], make: () => readReplicas(store) },
    {
      rests: ['cacheFill', 'cacheEntryBytes', 'cacheCallsPerSecond', 'secondSystemHours'],
      make: (values) => cacheInFront(store, values, values.secondSystemHours * engineerUsdPerHour),
    },
    {
      rests: ['searchMemory', 'searchLeastGib', 'secondSystemHours'],
      make: (values) => searchBeside(store, values, values.secondSystemHours * engineerUsdPerHour),
    },
  ]
  return made
    .flatMap(({ rests, make }) => {
      const own = make(middle)
      if (own === null) return []
      const usdWith = (name: AssumptionName, value: number) => make({ ...middle, [name]: value })?.usdPerMonth.horizon ?? null
      const movers = rests.flatMap((name) => moverOf(name, assumptions[name], usdWith))
      return [{ ...own, movers: decisive(movers, own.usdPerMonth.horizon) }]
    })
    .sort((a, b) => a.usdPerMonth.horizon - b.usdPerMonth.horizon)
}

type Mover = Composite['movers'][number]

/** From its low to its high end; nothing where somebody knows it. */
function moverOf(name: AssumptionName, figure: Figure, usdWith: (name: AssumptionName, value: number) => number | null): Mover[] {
  if (figure.kind !== 'given' || figure.range.low === figure.range.high) return []
  return [{ path: figure.path, low: usdWith(name, figure.range.low), high: usdWith(name, figure.range.high) }]
}

function decisive(movers: readonly Mover[], usd: number): Mover[] {
  const width = ({ low, high }: Mover) => (low === null || high === null ? Number.POSITIVE_INFINITY : Math.abs(high - low))
  return movers.filter((each) => width(each) > minEffect * usd).sort((a, b) => width(b) - width(a))
}

/** The store alone, month by month; each month is asked for many times. */
interface Store {
  plan: CapacityPlan
  cost: CostPlan
  demand: Demand
  need(month: number): Need
  /** What all calls of an operation ask for at peak. */
  asks(month: number): Map<string, Asks>
}
interface Asks {
  cores: number
  reads: number
  network: number
  /** Cores of calls that may be answered with old rows, and of those that every shard must do. */
  old: number
  crossing: number
}

export function storeOf(plan: CapacityPlan, cost: CostPlan, demand: Demand): Store {
  const once = <T>(of: (month: number) => T) => {
    const known = new Map<number, T>()
    return (month: number): T => {
      if (!known.has(month)) known.set(month, of(month))
      return known.get(month) as T
    }
  }
  return {
    plan,
    cost,
    demand,
    need: once((month) => middleNeed(plan, month)),
    asks: once((month) => new Map(plan.operations.map((operation) => [operation.name, asksOf(plan, demand, operation, month)]))),
  }
}

function asksOf(plan: CapacityPlan, demand: Demand, operation: Operation, month: number): Asks {
  const more = plan.rows.cost(operation, month)
  const perSecond = middleOf(demand.peakRate(operation, month))
  const cores = perSecond * middleOf(plan.work.perOperation.get(operation.name) as never) * (more === null ? 1 : middleOf(more))
  return {
    cores,
    reads: isReadOperation(operation) ? perSecond * middleOf(plan.pagesOfCall(operation, month)) : 0,
    network: perSecond * middleOf(plan.payload(operation)),
    old: mayBeOld(operation) ? cores : 0,
    crossing: plan.crossing.includes(operation) ? cores : 0,
  }
}

const ahead = (of: (month: number) => number, { months }: Demand): Ahead => ({ now: of(0), horizon: of(months) })

function storeUsd(plan: CapacityPlan, { shapes, block }: CostPlan, need: Need): number {
  return cheapest(shapes, need, plan.terms(block, shapes)).usdPerMonth
}

function told(
  { plan, cost, demand, need }: Store,
  own: Pick<Composite, 'kind' | 'takes' | 'what' | 'needs'>,
  usd: (month: number) => number,
): Composite {
  const usdPerMonth = ahead(usd, demand)
  // Replicas are part of every plan that may have them: beside them alone is without, beside all else it is with what the plan has.
  const alone = (month: number) => (own.kind === 'read replicas' ? { ...need(month), offloadable: 0 } : need(month))
  const aloneUsdPerMonth = ahead((month) => storeUsd(plan, cost, alone(month)), demand)
  const worthTrying = Number.isFinite(usdPerMonth.horizon) && usdPerMonth.horizon <= aloneUsdPerMonth.horizon * (1 - margin)
  return { ...own, candidate: plan.candidate, label, usdPerMonth, aloneUsdPerMonth, worthTrying, movers: [] }
}

/** null: no read may be old, or all members answer reads anyhow. */
function readReplicas(store: Store): Composite | null {
  const { plan, cost, demand, need } = store
  const old = plan.operations.filter(mayBeOld)
  if (old.length === 0 || plan.facts.topology.kind === 'ring') return null
  const { shapes, block } = cost
  const fleet = cheapest(shapes, need(demand.months), plan.terms(block, shapes))
  const more = fleet.members - plan.facts.topology.copies
  return told(
    store,
    {
      kind: 'read replicas',
      takes: old.map(({ name }) => ({ operation: name, share: more > 0 ? 1 : 0 })),
      what:
        more > 0
          ? `${more} ${more === 1 ? 'replica' : 'replicas'} more of each part, ${shapes[fleet.shape]?.name}`
          : 'none: more of them would cost more',
      needs: '',
    },
    (month) => storeUsd(plan, cost, need(month)),
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
function entriesOf(operation: Operation, law: PickLaw, scenario: Scenario, rows: number, perSecond: number, entryBytes: number): Entries[] {
  const entity = entityOf(scenario, operation.entity)
  const fields = 'fields' in operation ? operation.fields : undefined
  const bytes = rowBytes(entity, fields) + ('with' in operation ? ownedBytes(scenario, entity, operation.with) : 0) + entryBytes
  const entries: Entries[] = []
  for (let from = 0, to = 1; from < rows; from = to, to = Math.min(rows, Math.max(to + 1, to * classRatio))) {
    const share = drawsOfTop(law, rows, to) - drawsOfTop(law, rows, from)
    entries.push({ count: to - from, perSecond: (perSecond * share) / (to - from), bytes })
  }
  return entries
}

/** Of calls by key; where none of them may be old, with what the scenario would have to allow. null: there are none. */
function cacheInFront(store: Store, { cacheFill, cacheEntryBytes, cacheCallsPerSecond }: Assumed, systemUsd: number): Composite | null {
  const { plan, cost, demand } = store
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
          demand.pick(operation, month),
          scenario,
          middleOf(demand.rows(entityOf(scenario, operation.entity), month)),
          middleOf(demand.rate(operation, month)),
          cacheEntryBytes,
        ),
        staleSeconds: operation.stalenessMs === null ? Number.POSITIVE_INFINITY : operation.stalenessMs / 1000,
      })),
      shape.memoryGib * gib * cacheFill,
    )
  const usdWith = (shape: Shape, month: number) => {
    const hits = hitsAt(shape, month)
    return cacheNodes * (shape.usdPerHour as number) * hoursPerMonth + systemUsd + storeUsd(plan, cost, without(store, month, taken, hits))
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
    store,
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
function searchBeside(store: Store, { searchMemory, searchLeastGib }: Assumed, systemUsd: number): Composite | null {
  const { plan, cost, demand } = store
  const { scenario } = demand
  const searches = plan.operations.filter((operation) => operation.kind === 'search')
  if (searches.length === 0) return null
  const indexed = [...new Set(searches.map(({ entity }) => entity))].map((name) => entityOf(scenario, name))
  const bytes = indexed.reduce((sum, entity) => sum + middleOf(demand.rows(entity, demand.months)) * rowBytes(entity), 0)
  const minGib = Math.max(searchLeastGib, (bytes * searchMemory) / gib)
  const shape = [...cost.shapes]
    .filter(({ memoryGib, localDiskGib }) => memoryGib >= minGib && localDiskGib === undefined)
    .sort((a, b) => (a.usdPerHour as number) - (b.usdPerHour as number))[0]
  if (shape === undefined) return null
  const all = searches.map(() => 1)
  return told(
    store,
    {
      kind: 'search store beside',
      takes: searches.map(({ name }) => ({ operation: name, share: 1 })),
      what: `${searchNodes} × ${shape.name} by the memory of its index; the CPU of a search in it was not measured`,
      needs: searches.every(mayBeOld) ? '' : 'what is found may be older than what was written: the index follows the store',
    },
    (month) => searchNodes * (shape.usdPerHour as number) * hoursPerMonth + systemUsd + storeUsd(plan, cost, without(store, month, searches, all)),
  )
}

/** What is left for the store where something else answers these shares of the calls. */
export function without(store: Pick<Store, 'need' | 'asks'>, month: number, taken: readonly Operation[], shares: readonly number[]): Need {
  const need = store.need(month)
  const asks = store.asks(month)
  const leftOf = (what: keyof Asks) => {
    const all = [...asks.values()].reduce((sum, each) => sum + each[what], 0)
    const gone = taken.reduce((sum, { name }, at) => sum + (asks.get(name)?.[what] ?? 0) * (shares[at] as number), 0)
    return all === 0 ? 1 : Math.max(0, 1 - gone / all)
  }
  const load = need.load * leftOf('cores')
  return {
    ...need,
    load,
    offloadable: Math.min(load, need.offloadable * leftOf('old')),
    crossing: Math.min(load, need.crossing * leftOf('crossing')),
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
