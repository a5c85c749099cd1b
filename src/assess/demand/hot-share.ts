/** How much of the data is hot: what a cache of any size leaves to the disks, month by month, from the laws of the picks. */
import { entityOf, type Operation, rootOf } from '../../scenario/scenario.ts'
import { derived, type Figure, given } from '../figures/figure.ts'
import { FigureMemo } from '../figures/figure-memo.ts'
import { middleOf } from '../figures/simulate.ts'
import { assumptions } from '../fleet/plan-assumptions.ts'
import { cachedAsIf } from '../fleet/supply.ts'
import { cachedFor, type MissCurve, missCurveOf, missedAt, tableOf } from './che.ts'
import type { Demand } from './demand.ts'
import { pageBytes, pagesOfTable } from './popularity.ts'
import type { Storage } from './storage.ts'

interface Curve {
  curve: MissCurve
  /** Of all readers together. */
  all: Float64Array
  table: (cachedShare: number) => number
}
/** What a plan knows of an operation that reads. */
export interface Reader {
  operation: Operation
  /** Pages of one call. */
  pages: number
  /** Share of the table that a call reads. */
  tableShare: number
  /** Milliseconds that its objective leaves for disks: limit less what was measured, and the share of calls that may take longer. */
  spare: { ms: number; share: number } | null
}

/** Month by month, of the plan of one candidate. */
export class HotShare {
  /** Bytes as hot as the laws say, over what they say. */
  readonly hotSpread = given(
    'plan.hotSpread',
    'ratio',
    assumptions.hotSpread,
    'assumed',
    'bytes that are as hot as the law of the picks says, over what it says',
  )
  /** Milliseconds of a page from block storage. */
  readonly diskRead = given('plan.diskRead', 'ratio', assumptions.diskReadMs, 'assumed', 'milliseconds of a read from block storage')
  readonly #hotDraws = given(
    'plan.hotDraws',
    'share',
    assumptions.hotDraws,
    'assumed',
    'of the reads, those that the working set answers from memory',
  )
  readonly #name: string
  readonly #demand: Demand
  readonly #storage: Storage
  readonly #readers: readonly Reader[]
  readonly #others: readonly Operation[]
  readonly #positionOf: Map<string, number>
  /** Those that wait for each page: what reads its pages one after the other is read ahead, and waits for the disk's throughput. */
  readonly #waiting: [at: number, reader: Reader][]
  readonly #memo = new FigureMemo()
  readonly #curves: Curve[] = []
  /** Bytes in each of the months that are drawn, every number at its middle. */
  #middles: number[] | undefined

  /** `readers`: those whose pages are read from disk where they are not cached; `others` keep pages in the cache, too. */
  constructor(name: string, demand: Demand, storage: Storage, readers: readonly Reader[], others: readonly Operation[]) {
    this.#name = name
    this.#demand = demand
    this.#storage = storage
    this.#readers = readers
    this.#others = others
    this.#positionOf = new Map(readers.map(({ operation }, at) => [operation.name, at]))
    this.#waiting = [...readers.entries()].filter(([, { operation, spare }]) => operation.kind !== 'aggregate' && spare !== null)
  }

  /** Share of the pages read that is read from disk, where this share of the bytes is cached. */
  readonly missAt = (cachedShare: number, month: number): number => {
    const sampled = this.#demand.sampledMonths
    const before = positionOf(month, sampled)
    const [from, to] = [sampled[before] as number, sampled[before + 1] as number]
    const low = this.#curveAt(from).table(cachedShare)
    return month <= from ? low : low + ((this.#curveAt(to).table(cachedShare) - low) * (month - from)) / (to - from)
  }

  /** The month of the middle path that has as many bytes: a draw that grows less is as hot as an earlier one. */
  likeMonth(month: number): Figure<'months'> {
    return this.#memo.once(`storage.${this.#name}.likeMonth@${month}`, (path) =>
      derived(path, 'months', 'the month in which there are as many bytes, every number at its middle', [this.#storage.bytes(month)], (bytes) =>
        this.#monthWith(bytes),
      ),
    )
  }

  /** Of one operation, for a cache of so many bytes, of one copy. */
  missShare(operation: Operation, cacheBytes: Figure<'bytes'>, month: number): Figure<'share'> {
    return derived(
      `capacity.${this.#name}.${operation.name}.missShare@${month}`,
      'share',
      'by the law of its picks, as if so much less were cached as more is hot (hotSpread)',
      [cacheBytes, this.#storage.bytes(month), this.hotSpread],
      (cache, all, spread) => this.#missOf(operation, cachedAsIf(Math.min(1, cache / Math.max(1, all)), spread), month),
    )
  }

  /** Bytes that answer a share of the reads from memory: `plan.hotDraws`. */
  workingSet(month: number): Figure<'bytes'> {
    return this.#memo.once(`storage.${this.#name}.workingSet@${month}`, (path) =>
      derived(
        path,
        'bytes',
        'bytes × what answers hotDraws of the reads from memory, × hotSpread',
        [this.#storage.bytes(month), this.#hotDraws, this.hotSpread],
        (bytes, share, spread) => {
          const { curve, all } = this.#curveAt(month)
          return bytes * toCache(cachedFor(curve.cached, all, 1 - share), spread)
        },
      ),
    )
  }

  /** Bytes without which more calls wait for a disk than their objectives can bear. */
  mustCache(month: number): Figure<'bytes'> {
    return this.#memo.once(`storage.${this.#name}.mustCache@${month}`, (path) =>
      derived(
        path,
        'bytes',
        'bytes × what keeps reads that cannot wait for a disk from it, × hotSpread',
        [this.#storage.bytes(month), this.diskRead, this.hotSpread],
        (bytes, ms, spread) => {
          const { curve } = this.#curveAt(month)
          let most = 0
          for (const [at, reader] of this.#waiting) most = Math.max(most, mustShare(reader, curve, at, ms))
          return bytes * toCache(most, spread)
        },
      ),
    )
  }

  #missOf(operation: Operation, cachedShare: number, month: number): number {
    const at = this.#positionOf.get(operation.name)
    const { curve } = this.#curveAt(month)
    return at === undefined ? 0 : missedAt(curve.cached, curve.missed[at] as Float64Array, cachedShare)
  }

  #curveAt(month: number): Curve {
    this.#curves[month] ??= curveOf(this.#demand, this.#storage, this.#readers, this.#others, month)
    return this.#curves[month]
  }

  #monthWith(bytes: number): number {
    const sampled = this.#demand.sampledMonths
    this.#middles ??= sampled.map((month) => middleOf(this.#storage.bytes(month)))
    const before = positionOf(bytes, this.#middles)
    const [from, to] = [this.#middles[before] as number, this.#middles[before + 1] as number]
    const [first, last] = [sampled[before] as number, sampled[before + 1] as number]
    return to > from ? first + (last - first) * Math.min(1, Math.max(0, (bytes - from) / (to - from))) : first
  }
}

/** The share that must be cached where so many times as much is hot as the law says, which asks for `share`. */
const toCache = (share: number, hotSpread: number) => cachedAsIf(share, 1 / hotSpread)

/** Of sorted values, the last but one at most that is not above. */
function positionOf(value: number, sorted: readonly number[]): number {
  let at = 0
  while (at < sorted.length - 2 && (sorted[at + 1] as number) <= value) at++
  return at
}

/** None where a call that reads all its pages from disk stays within its limit. */
function mustShare({ pages, spare }: Reader, { cached, missed }: MissCurve, at: number, diskReadMs: number): number {
  if (spare === null || pages * diskReadMs <= spare.ms) return 0
  return cachedFor(cached, missed[at] as Float64Array, spare.share / Math.max(1, pages))
}

function curveOf(demand: Demand, storage: Storage, readers: readonly Reader[], others: readonly Operation[], month: number): Curve {
  const { scenario } = demand
  const rateOf = (operation: Operation) => middleOf(demand.rate(operation, month))
  const asPicked = (operation: Operation): Operation => ({ ...operation, pick: { ...operation.pick, skew: demand.pick(operation, month) } })
  const asking = [
    ...readers.map(({ operation, pages, tableShare }) => ({ operation: asPicked(operation), tableShare, pagesPerSecond: rateOf(operation) * pages })),
    ...others.map((operation) => ({ operation: asPicked(operation), tableShare: 1, pagesPerSecond: rateOf(operation) })),
  ]
  const roots = Map.groupBy(storage.entities, (name) => rootOf(scenario, entityOf(scenario, name)).name)
  const pages = [...roots].flatMap(([root, names]) => {
    const entity = entityOf(scenario, root)
    const bytes = names.reduce((sum, name) => sum + middleOf(storage.entityBytes(name, month)), 0)
    const askers = asking.map((each) => (rootOf(scenario, entityOf(scenario, each.operation.entity)).name === root ? each : null))
    return pagesOfTable({ rows: middleOf(demand.rows(entity, month)), bytes }, askers)
  })
  const curve = missCurveOf(pages, readers.length, Math.max(1, middleOf(storage.bytes(month)) / pageBytes))
  const weights = readers.map((_, at) => (asking[at] as (typeof asking)[number]).pagesPerSecond)
  const total = weights.reduce((sum, each) => sum + each, 0)
  const all = Float64Array.from(curve.cached, (_, point) =>
    total === 0 ? 0 : weights.reduce((sum, weight, at) => sum + (weight / total) * (curve.missed[at]?.[point] as number), 0),
  )
  return { curve, all, table: tableOf(curve.cached, all) }
}
