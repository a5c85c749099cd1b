/** Fleets: more of anything never costs less, where disks bind as well as where servers do; and what a product cannot do is not planned. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CostPlan, costOf } from '../../../src/assess/cost/cost.ts'
import { hoursPerMonth, linesOf } from '../../../src/assess/cost/fleet-cost.ts'
import { type Catalogue, readPrices, type Shape } from '../../../src/assess/cost/prices.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { type Figure, reachable } from '../../../src/assess/figures/figure.ts'
import { middleOf } from '../../../src/assess/figures/simulate.ts'
import { isPlan, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { cheapest, suffices } from '../../../src/assess/fleet/cheapest.ts'
import { bounds, carries, fewest, maxMembers, type Need, nodesOf, type Terms, usesOf, wholeParts } from '../../../src/assess/fleet/supply.ts'
import { cassandra } from '../../../src/engines/cassandra/index.ts'
import type { Topology } from '../../../src/engines/engine.ts'
import { mongodb } from '../../../src/engines/mongodb/index.ts'
import { postgres } from '../../../src/engines/postgres/index.ts'
import { redis } from '../../../src/engines/redis/index.ts'
import { readResult } from '../../../src/result/result.ts'

const ecommerce = readResult(join(fileURLToPath(new URL('../../golden', import.meta.url)), 'results', 'ecommerce.json'))
const catalogue = readPrices().find((each) => each.instances.length > 0 && each.blockStorage !== undefined) as Catalogue
const shapes = catalogue.instances.filter((shape) => shape.usdPerHour !== null && shape.localDiskGib === undefined).sort((a, b) => a.vcpus - b.vcpus)
const draws = { numRuns: 300, seed: 12 }

const terms = (topology: Topology, more: Partial<Terms> = {}): Terms => ({
  topology,
  memoryBound: false,
  commandThreads: null,
  divisible: true,
  benchCpus: 1,
  missAt: (share) => (1 - share) ** 2,
  block: catalogue.blockStorage as Terms['block'],
  minUsdPerHour: 0.1,
  networkBytesPerSecond: ({ vcpus }) => vcpus * 40e6,
  ...more,
})
/** From little to what no single disk does. */
const size = (low: number, high: number) => fc.double({ min: Math.log(low), max: Math.log(high), noNaN: true }).map((value) => Math.exp(value))
const needs = fc
  .record({
    load: size(0.1, 300),
    crossing: fc.double({ min: 0, max: 0.05, noNaN: true }),
    carried: size(0.5, 20),
    dataBytes: size(1e8, 5e12),
    pagesPerSecond: size(1, 1e6),
    writesPerSecond: size(1, 1e5),
    writtenBytesPerSecond: size(1, 1e9),
    cacheOfRest: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
    hotSpread: fc.double({ min: 0.5, max: 1.5, noNaN: true }),
  })
  .map(
    (drawn): Need => ({
      ...drawn,
      crossing: drawn.crossing * drawn.load,
      offloadable: 0,
      writes: drawn.load / 10,
      replicaWork: 0.5,
      doubling: 0.8,
      host: 0.85,
      bytes: drawn.dataBytes * 1.4,
      hotBytes: drawn.dataBytes / 10,
      fixedMemoryBytes: 1e9,
      networkBytesPerSecond: 1e6,
      usdPerShard: 400,
      usdToDivide: 4000,
      month: 0,
      diskFill: 0.75,
      memoryFill: 0.75,
      ioHeadroom: 1.2,
    }),
  )
const topologies = fc.constantFrom(...[postgres, mongodb, cassandra].map((engine) => engine.traits.plan.topology))

describe('any need', () => {
  test('is carried by the cheapest fleet', () => {
    fc.assert(
      fc.property(needs, topologies, (need, topology) => {
        const by = terms(topology)
        const { shape, parts, members } = cheapest(shapes, need, by)
        // What crosses shards may be too much for the largest server.
        fc.pre(need.crossing * 2 < need.carried)
        expect(suffices(shapes[shape] as Shape, { parts, members }, need, by)).toBe(true)
      }),
      draws,
    )
  })

  test.each([
    'load',
    'dataBytes',
    'pagesPerSecond',
    'writesPerSecond',
    'writtenBytesPerSecond',
    'networkBytesPerSecond',
  ] as const)('with more %s never costs less', (what) => {
    let boundByDisks = 0
    fc.assert(
      fc.property(needs, topologies, size(1.01, 10), (need, topology, times) => {
        const more = { ...need, [what]: need[what] * times, bytes: what === 'dataBytes' ? need.bytes * times : need.bytes }
        const by = terms(topology)
        const [before, after] = [cheapest(shapes, need, by), cheapest(shapes, more, by)]
        if (linesOf(shapes[before.shape] as Shape, { ...before, nodes: nodesOf(before, topology) }, need, by, 1).provisionedIo > 0) boundByDisks++
        expect(after.usdPerMonth).toBeGreaterThanOrEqual(before.usdPerMonth * (1 - 1e-9))
      }),
      draws,
    )
    expect(boundByDisks).toBeGreaterThan(30)
  })

  test('is carried by more parts where it is carried by fewer, and each disk does less', () => {
    fc.assert(
      fc.property(needs, topologies, fc.integer({ min: 1, max: 200 }), fc.nat({ max: shapes.length - 1 }), (need, topology, parts, at) => {
        const by = terms(topology)
        const shape = shapes[at] as Shape
        const [fewer, more] = [parts, parts + 1].map((each) => usesOf(shape, { parts: each, members: topology.copies }, need, by)) as [
          number[],
          number[],
        ]
        for (const [resource, use] of fewer.entries()) expect(more[resource]).toBeLessThanOrEqual(use * (1 + 1e-9))
      }),
      draws,
    )
  })
})

// No fleet of the catalogue carries any draw of Redis: it has no price.
describe.each(ecommerce.candidates.flatMap(({ name }) => (name === 'redis' ? [] : [name])))('%s in the shop', (name) => {
  const candidate = ecommerce.candidates.find((each) => each.name === name) as (typeof ecommerce.candidates)[number]
  const demand = new Demand(ecommerce.scenario)
  const plan = planCapacity({ candidate, result: ecommerce, demand })
  if (!isPlan(plan)) throw new Error(plan.reason)
  const cost = costOf(plan, catalogue, demand, 1) as CostPlan
  const usdAt = (month: number, path: string, value: number) => {
    const total = cost.needed(month)
    const figure = reachable([total]).find((each) => each.path === path) as Figure
    return middleOf(total, { figure, value })
  }
  const ordered = (low: number, high: number) =>
    fc.tuple(size(low, high), size(low, high)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as [number, number])

  test('a higher peak never costs less', () => {
    fc.assert(
      fc.property(ordered(1, 60), fc.constantFrom(0, 12, 36), ([less, more], month) => {
        const [small, large] = [less, more].map((peak) => usdAt(month, 'demand.peak', peak)) as [number, number]
        expect(large).toBeGreaterThanOrEqual(small * (1 - 1e-9))
      }),
      draws,
    )
  })

  test('faster growth never costs less', () => {
    fc.assert(
      fc.property(ordered(0.001, 0.12), fc.constantFrom(12, 36), ([less, more], month) => {
        const [small, large] = [less, more].map((growth) => usdAt(month, 'demand.order.growth', growth)) as [number, number]
        expect(large).toBeGreaterThanOrEqual(small * (1 - 1e-9))
      }),
      draws,
    )
  })

  test('a later month never costs less', () => {
    const usd = Array.from({ length: 37 }, (_, month) => usdAt(month, 'demand.peak', 10))
    for (const [month, each] of usd.entries()) expect(each).toBeGreaterThanOrEqual((usd[month - 1] ?? 0) * (1 - 1e-9))
  })
})

describe('what a product does not do is not planned', () => {
  const need: Need = {
    load: 8,
    crossing: 0,
    offloadable: 0,
    writes: 1,
    replicaWork: 1,
    carried: 1,
    doubling: 1,
    host: 1,
    dataBytes: 1e9,
    bytes: 1e9,
    hotBytes: 1e9,
    fixedMemoryBytes: 0,
    cacheOfRest: 1,
    pagesPerSecond: 0,
    writesPerSecond: 0,
    writtenBytesPerSecond: 0,
    networkBytesPerSecond: 0,
    usdPerShard: 400,
    usdToDivide: 4000,
    month: 0,
    hotSpread: 1,
    diskFill: 0.75,
    memoryFill: 0.75,
    ioHeadroom: 1.2,
  }
  const eight: Shape = { name: 'eight', vcpus: 8, memoryGib: 32, usdPerHour: 1 }
  const { topology: replicated } = mongodb.traits.plan

  test('one thread runs commands: more cores carry no more', () => {
    const fleet = { parts: 1, members: 3 }
    expect(carries(eight, fleet, need, terms(replicated))).toBe(true)
    expect(carries(eight, fleet, need, terms(replicated, { commandThreads: redis.traits.plan.commandThreads.count }))).toBe(false)
  })

  test('where rows have one copy no part has replicas, however old an answer may be', () => {
    const offloadable = { ...need, offloadable: 1 }
    expect(maxMembers(offloadable, replicated)).toBe(5)
    expect(maxMembers(offloadable, { ...replicated, copies: 1 })).toBe(1)
  })

  test('what asks every shard is done on each of them', () => {
    const crossing = { ...need, load: 24, crossing: 6 }
    // 8 a server: (24 − 6) ÷ 9 + 6.
    expect(carries(eight, { parts: 9, members: 3 }, crossing, terms(replicated))).toBe(true)
    expect(carries(eight, { parts: 8, members: 3 }, crossing, terms(replicated))).toBe(false)
    expect(cheapest([eight], crossing, terms(replicated)).parts).toBe(9)
    const most = { ...need, load: 24, crossing: 8 }
    const { shape, ...fleet } = cheapest([eight], most, terms(replicated))
    expect(suffices(eight, fleet, most, terms(replicated))).toBe(false)
  })

  test('what cannot be divided has no second part that suffices', () => {
    const large = { ...need, load: 24 }
    const whole = terms(postgres.traits.plan.topology, { divisible: false })
    const { shape, ...fleet } = cheapest([eight], large, whole)
    expect(suffices(eight, fleet, large, whole)).toBe(false)
    expect(suffices(eight, cheapest([eight], need, whole), need, whole)).toBe(true)
  })

  test('a ring has as many servers in each zone, a cluster at least so many shards', () => {
    const { topology: ring } = cassandra.traits.plan
    expect([1, 2, 3, 6, 11].map((parts) => nodesOf({ parts: wholeParts(parts, ring), members: 1 }, ring))).toEqual([3, 3, 6, 9, 12])
    expect([1, 2, 4].map((parts) => wholeParts(parts, redis.traits.plan.topology))).toEqual([1, 3, 4])
  })

  test('shards cost hours for every product alike; dividing in the application costs more', () => {
    const of = (topology: Topology) => linesOf(eight, { parts: 3, members: 2, nodes: 6 }, need, terms(topology), 1).shards
    expect(of(replicated)).toBe(2 * 400)
    expect(of(redis.traits.plan.topology)).toBe(2 * 400)
    expect(of(postgres.traits.plan.topology)).toBe(2 * 400 + 4000)
    expect(of(cassandra.traits.plan.topology)).toBe(0)
  })

  test('who votes is paid: a witness beside two or four, none beside three, config servers beside shards', () => {
    const servers = (topology: Topology, parts: number, nodes: number) =>
      linesOf(eight, { parts, members: nodes / parts, nodes }, need, terms(topology), 1).servers
    expect(servers(postgres.traits.plan.topology, 1, 2)).toBeCloseTo((2 + 0.1) * hoursPerMonth, 9)
    expect(servers(postgres.traits.plan.topology, 1, 3)).toBeCloseTo(3 * hoursPerMonth, 9)
    expect(servers(postgres.traits.plan.topology, 1, 4)).toBeCloseTo((4 + 0.1) * hoursPerMonth, 9)
    expect(servers(redis.traits.plan.topology, 1, 2)).toBeCloseTo((2 + 0.1) * hoursPerMonth, 9)
    expect(servers(redis.traits.plan.topology, 3, 6)).toBeCloseTo(6 * hoursPerMonth, 9)
    expect(servers(replicated, 2, 6)).toBeCloseTo((6 + 3 * 0.1) * hoursPerMonth, 9)
  })

  test('the fewest is found by halves', () => {
    for (const least of [1, 3, 100]) for (const from of [1, 2, 50]) expect(fewest(from, (n) => n >= least)).toBe(Math.max(from, least))
  })

  test('volumes do no more than servers of their size sustain, however much a volume can', () => {
    const asked = { ...need, load: 1, pagesPerSecond: 20_000 }
    const by = terms(replicated, { missAt: () => 1 })
    const small = { ...eight, volumeIops: 12_000 }
    const fleet = { parts: 1, members: 2 }
    expect(carries(eight, fleet, asked, by)).toBe(true)
    expect(carries(small, fleet, asked, by)).toBe(false)
    const use = (shape: typeof eight) => usesOf(shape, fleet, asked, by)[bounds.indexOf('I/O')] as number
    expect(use(small) / use(eight)).toBeCloseTo(by.block.mostIops / 12_000, 9)
    expect(cheapest([small], asked, by).parts).toBeGreaterThan(cheapest([eight], asked, by).parts)
  })

  test('disks ask for the fewest parts that do it, not for those that the first would need', () => {
    // A cache of 32 GiB on each part: at 10 parts nothing is read from disk.
    const many = { ...need, load: 1, dataBytes: 10 * 32 * 2 ** 30, bytes: 10 * 32 * 2 ** 30, pagesPerSecond: 1e6 }
    const by = terms(replicated, {
      missAt: (share) => 1 - share,
      block: { ...(catalogue.blockStorage as Terms['block']), usdPerIopsMonth: 0, mostIops: 16_000 },
    })
    expect(cheapest([eight], many, by).parts).toBeLessThanOrEqual(10)
  })
})
