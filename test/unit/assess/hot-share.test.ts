/** Che's approximation against a cache that is simulated, and what it makes of memory in a plan. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { volumeGb } from '../../../src/assess/cost/fleet-cost.ts'
import { type BlockStorage, type Catalogue, readPrices, serversOf } from '../../../src/assess/cost/prices.ts'
import { assumedBy, withAssumed } from '../../../src/assess/decision/assume.ts'
import { cachedFor, type MissCurve, missCurveOf, missedAt } from '../../../src/assess/demand/che.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { drawsOfTop, pageBytes, pagesOfTable } from '../../../src/assess/demand/popularity.ts'
import { spareOf } from '../../../src/assess/demand/traffic.ts'
import { reachable } from '../../../src/assess/figures/figure.ts'
import { middleOf } from '../../../src/assess/figures/simulate.ts'
import { isPlan, middleNeed, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { missesOf } from '../../../src/assess/fleet/supply.ts'
import { picker } from '../../../src/data/distributions.ts'
import { keyOf, Source } from '../../../src/data/random.ts'
import { type Result, readResult } from '../../../src/result/result.ts'
import type { Operation, PickLaw, Scenario, Tiers } from '../../../src/scenario/scenario.ts'

const catalogue = serversOf(readPrices(), []) as Catalogue
const rowsPerPage = 16
const rows = 40_000
const byAge: Tiers = {
  kind: 'tiers',
  tiers: [
    { withinMs: 1, rowShare: 0.02, pickShare: 0.9 },
    { withinMs: 2, rowShare: 0.2, pickShare: 0.09 },
    { withinMs: null, rowShare: 0.78, pickShare: 0.01 },
  ],
}
const pages = rows / rowsPerPage
const asks = (skew: PickLaw, pagesPerSecond: number) => ({
  operation: { name: 'get', kind: 'get', entity: 'product', pick: { skew, miss: 0 } } as unknown as Operation,
  pagesPerSecond,
  tableShare: 1,
})

/** Share of the reads that an LRU of so many pages misses, of each stream of keys, once it is warm. */
function simulated(streams: { skew: PickLaw; share: number }[], cached: number): number[] {
  const source = new Source().restart(keyOf(1, 'lru'), cached)
  const draw = streams.map(({ skew }, at) => picker(skew, rows, keyOf(2, `stream${at}`)))
  const lru = new Map<number, true>()
  const [asked, missed] = [streams.map(() => 0), streams.map(() => 0)]
  for (let n = 0; n < 300_000; n++) {
    let at = 0
    for (let u = source.next(); at < streams.length - 1 && u >= (streams[at] as { share: number }).share; at++)
      u -= (streams[at] as { share: number }).share
    const page = Math.floor((draw[at] as ReturnType<typeof picker>)(source) / rowsPerPage)
    const isCounted = n >= 100_000
    if (isCounted) asked[at] = (asked[at] as number) + 1
    if (lru.delete(page)) lru.set(page, true)
    else {
      if (isCounted) missed[at] = (missed[at] as number) + 1
      lru.set(page, true)
      if (lru.size > cached) lru.delete(lru.keys().next().value as number)
    }
  }
  return missed.map((each, at) => each / Math.max(1, asked[at] as number))
}

function curveOf(streams: { skew: PickLaw; share: number }[]): MissCurve {
  const table = { rows, bytes: pages * pageBytes }
  return missCurveOf(
    pagesOfTable(
      table,
      streams.map(({ skew, share }) => asks(skew, share)),
    ),
    streams.length,
    pages,
  )
}

describe('an LRU cache', () => {
  const laws: [string, { skew: PickLaw; share: number }[]][] = [
    ['uniform', [{ skew: { kind: 'uniform' }, share: 1 }]],
    ['zipfian', [{ skew: { kind: 'zipfian', theta: 0.99 }, share: 1 }]],
    ['latest', [{ skew: { kind: 'latest', theta: 0.99 }, share: 1 }]],
    ['hotspot', [{ skew: { kind: 'hotspot', hotShare: 0.01, hotProbability: 0.8 }, share: 1 }]],
    ['aged', [{ skew: byAge, share: 1 }]],
    [
      'aged and uniform together',
      [
        { skew: byAge, share: 0.6 },
        { skew: { kind: 'uniform' }, share: 0.4 },
      ],
    ],
    [
      'uniform and latest together',
      [
        { skew: { kind: 'uniform' }, share: 0.3 },
        { skew: { kind: 'latest', theta: 0.99 }, share: 0.7 },
      ],
    ],
  ]
  test.each(laws)('of %s keys misses what the approximation says, for any size', (_, streams) => {
    const { cached, missed } = curveOf(streams)
    for (const share of [0.02, 0.1, 0.3, 0.7]) {
      const real = simulated(streams, Math.round(pages * share))
      for (const [at, column] of missed.entries())
        expect(Math.abs(missedAt(cached, column, share) - (real[at] as number)), `${share} of ${at}`).toBeLessThan(0.04)
    }
  })

  test('misses less the larger it is, nothing where it holds all that is asked for, and all where it holds nothing', () => {
    for (const [, streams] of laws) {
      const { cached, missed } = curveOf(streams)
      const column = missed[0] as Float64Array
      expect(missedAt(cached, column, 0)).toBe(1)
      expect(missedAt(cached, column, 1)).toBeLessThan(1e-6)
      for (let share = 0.01; share <= 1; share += 0.01)
        expect(missedAt(cached, column, share)).toBeLessThanOrEqual(missedAt(cached, column, share - 0.01) + 1e-12)
      for (const most of [0.5, 0.1, 0.01]) expect(missedAt(cached, column, cachedFor(cached, column, most))).toBeCloseTo(most, 6)
    }
  })

  test('need not hold what nobody asks for', () => {
    const { cached, missed } = missCurveOf([{ count: 10, perSecond: [1] }], 1, 1000)
    expect(missedAt(cached, missed[0] as Float64Array, 0.01)).toBe(0)
    expect(missedAt(missCurveOf([], 1, 1000).cached, missCurveOf([], 1, 1000).missed[0] as Float64Array, 0)).toBe(0)
  })
})

test('draws of the most drawn rows', () => {
  expect(drawsOfTop({ kind: 'uniform' }, 1000, 250)).toBe(0.25)
  expect(drawsOfTop({ kind: 'hotspot', hotShare: 0.1, hotProbability: 0.9 }, 1000, 100)).toBeCloseTo(0.9, 12)
  for (const [share, draws] of [
    [0.01, 0.45],
    [0.02, 0.9],
    [0.12, 0.945],
    [0.22, 0.99],
    [0.61, 0.995],
  ] as const)
    expect(drawsOfTop(byAge, 1e6, share * 1e6)).toBeCloseTo(draws, 9)
  // Whatever is asked for most comes first, be it the oldest.
  expect(drawsOfTop({ ...byAge, tiers: byAge.tiers.toReversed() }, 1e6, 0.02e6)).toBeCloseTo(0.9, 9)
  const harmonic = (n: number) => Array.from({ length: n }, (_, at) => 1 / (at + 1)).reduce((sum, each) => sum + each, 0)
  expect(drawsOfTop({ kind: 'zipfian', theta: 1 }, 1000, 10)).toBeCloseTo(harmonic(10) / harmonic(1000), 9)
})

describe('a plan', () => {
  const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
  const planOf = (change: (scenario: Scenario) => void = () => {}) => {
    const scenario = structuredClone(result.scenario)
    change(scenario)
    const plan = planCapacity({ candidate: result.candidates[0] as Result['candidates'][number], result, demand: new Demand(scenario) })
    if (!isPlan(plan)) throw new Error(plan.reason)
    return plan
  }
  const latest = ({ operations }: Scenario) => {
    for (const each of operations) if (each.entity === 'order') each.pick = { ...each.pick, skew: { kind: 'latest', theta: 0.99 } }
  }

  test('needs less memory where recent rows are asked for than where all are, and says by an assumption with a range how much is hot', () => {
    const working = planOf().hot.workingSet(0)
    expect(middleOf(planOf(latest).hot.workingSet(0))).toBeLessThan(0.8 * middleOf(working))
    expect(reachable([working]).find((each) => each.path === 'plan.hotDraws')).toMatchObject({
      provenance: 'assumed',
      range: { low: 0.8, mid: 0.9, high: 0.99 },
    })
  })

  test('forbids no read from disk that its objective can wait for', () => {
    expect(middleOf(planOf().hot.mustCache(0))).toBe(0)
    const within = (limitMs: number) =>
      planOf(({ operations }) => {
        for (const each of operations) if (each.name === 'get_order') each.objectives = [{ name: 'p99', quantile: 0.99, limitMs }]
      })
    const candidate = result.candidates[0] as Result['candidates'][number]
    const getOrder = planOf().operations.find(({ name }) => name === 'get_order') as Operation
    const measuredMs = 1000 - (spareOf(candidate, { ...getOrder, objectives: [{ name: 'p99', quantile: 0.99, limitMs: 1000 }] }, 1.8)?.ms as number)
    // A tenth of a millisecond is left for a disk that takes .8.
    const tight = within(measuredMs + 0.1)
    expect(middleOf(tight.hot.mustCache(0))).toBeGreaterThan(0.9 * middleOf(tight.storage.entityBytes('order', 0)))
    // What is late already no memory mends.
    expect(middleOf(within(measuredMs - 0.1).hot.mustCache(0))).toBe(0)
  })

  test('is drawn with how far the laws of the picks may be off: more that is hot is read from disk more, and all that is cached never', () => {
    const plan = planOf()
    const [shapes, block] = [catalogue.instances, catalogue.blockStorage as BlockStorage]
    const terms = plan.terms(block, shapes)
    const need = middleNeed(plan, 36)
    expect(need.hotSpread).toBe(1)
    const misses = (hotSpread: number, share: number) => missesOf({ ...need, hotSpread }, terms, share * need.dataBytes, 1)
    for (const share of [0.1, 0.3, 0.6]) {
      expect(misses(1.5, share)).toBeGreaterThan(misses(1, share))
      expect(misses(1, share)).toBeGreaterThan(misses(0.5, share))
    }
    expect(misses(1.5, 1)).toBeCloseTo(misses(0.5, 1), 6)
    const drawn = reachable([plan.hot.workingSet(0), plan.hot.mustCache(0), ...plan.needFigures(0)])
    for (const [path, range] of [
      ['plan.hotSpread', { low: 0.5, mid: 1, high: 1.5 }],
      ['plan.diskFill', { low: 0.65, mid: 0.75, high: 0.85 }],
      ['plan.memoryFill', { low: 0.65, mid: 0.75, high: 0.85 }],
      ['plan.ioHeadroom', { low: 1.1, mid: 1.2, high: 1.4 }],
    ] as const)
      expect(
        drawn.find((each) => each.path === path),
        path,
      ).toMatchObject({ provenance: 'assumed', range })
    const doubled = withAssumed(assumedBy('plan.hotSpread=1.5'), planOf)
    expect(middleOf(doubled.hot.workingSet(0))).toBeGreaterThan(middleOf(plan.hot.workingSet(0)))
    expect(middleOf(doubled.hot.workingSet(0))).toBeLessThan(middleOf(plan.storage.bytes(0)))
  })

  test('is asked for as much disk as data may fill of it', () => {
    const sizeOf = (asked: string) => {
      const plan = withAssumed(assumedBy(asked), planOf)
      return volumeGb({ parts: 1 }, middleNeed(plan, 36), plan.terms(catalogue.blockStorage as BlockStorage, catalogue.instances))
    }
    expect(sizeOf('plan.diskFill=0.5') / sizeOf('plan.diskFill=0.75')).toBeCloseTo(1.5, 9)
  })

  test('reads more from disk the less it caches, and more of what is asked for uniformly', () => {
    const { hot } = planOf()
    for (let share = 0.05; share <= 1; share += 0.05) expect(hot.missAt(share, 0)).toBeLessThanOrEqual(hot.missAt(share - 0.05, 0) + 1e-9)
    for (const share of [0.1, 0.3]) expect(planOf(latest).hot.missAt(share, 0)).toBeLessThan(hot.missAt(share, 0))
  })
})
