/** The physical models on inputs whose answer is known: scalability, queues, least squares, availability. */

import { describe, expect, test } from 'vitest'
import { concurrencyFor, fitScalability, throughputAt } from '../../../src/assess/capacity/scaling.ts'
import { costsOf } from '../../../src/assess/capacity/work.ts'
import type { Figure } from '../../../src/assess/figures/figure.ts'
import { middleOf } from '../../../src/assess/figures/simulate.ts'
import {
  anyOf,
  availabilityOf,
  availabilityText,
  inSeries,
  rowUpShare,
  sharedShare,
  upShare,
  votersOf,
} from '../../../src/assess/fleet/availability.ts'
import { keyOf, Source } from '../../../src/data/random.ts'
import { cassandra } from '../../../src/engines/cassandra/index.ts'
import type { Topology } from '../../../src/engines/engine.ts'
import { postgres } from '../../../src/engines/postgres/index.ts'
import { designOf } from '../../../src/run/phases/work.ts'
import { nonNegativeLeastSquares } from '../../../src/stats/linear.ts'

const concurrencies = [1, 2, 4, 8, 16, 32, 64]

describe('Universal Scalability Law', () => {
  const laws = [
    { single: 1000, contention: 0.05, coherency: 0.001 },
    { single: 9000, contention: 0.3, coherency: 0.0001 },
    { single: 200, contention: 0, coherency: 0.002 },
    { single: 500, contention: 0.12, coherency: 0 },
    { single: 50, contention: 0, coherency: 0 },
  ]

  test.each(laws)('recovers %o exactly from data without noise', (law) => {
    const found = fitScalability(concurrencies.map((concurrency) => ({ concurrency, perSecond: throughputAt(law, concurrency) })))
    expect(found?.single).toBeCloseTo(law.single, 3)
    expect(found?.contention).toBeCloseTo(law.contention, 6)
    expect(found?.coherency).toBeCloseTo(law.coherency, 8)
    expect(found?.warning).toBeNull()
    if (law.coherency > 0) expect(found?.bestConcurrency).toBeCloseTo(Math.sqrt((1 - law.contention) / law.coherency), 2)
  })

  test('with 5 % noise the truth lies within two of the stated errors nearly always, and never far outside', () => {
    const law = laws[0] as (typeof laws)[number]
    const source = new Source().restart(keyOf(7, 'noise'), 1)
    const normal = () => Math.sqrt(-2 * Math.log(1 - source.next())) * Math.cos(2 * Math.PI * source.next())
    let inside = 0
    let judged = 0
    for (let run = 0; run < 200; run++) {
      const found = fitScalability(
        concurrencies.map((concurrency) => ({ concurrency, perSecond: throughputAt(law, concurrency) * Math.exp(0.05 * normal()) })),
      )
      if (found === null) throw new Error('no fit')
      for (const [at, name] of (['single', 'contention', 'coherency'] as const).entries()) {
        const error = found.standardErrors[at]
        if (error == null) continue
        judged++
        const off = Math.abs(found[name] - law[name]) / error
        expect(off).toBeLessThan(20)
        // Student's t with 4 degrees of freedom: 2.78 holds 95 %.
        if (off <= 2.78) inside++
      }
    }
    expect(judged).toBeGreaterThan(400)
    expect(inside / judged).toBeGreaterThan(0.88)
  })

  test('a fit to the throughputs themselves stands beside that to their logarithms: the same without noise, and true to the highest with it', () => {
    const law = laws[0] as (typeof laws)[number]
    const exact = concurrencies.map((concurrency) => ({ concurrency, perSecond: throughputAt(law, concurrency) }))
    const same = fitScalability(exact)
    expect(same?.byThroughput.contention).toBeCloseTo(law.contention, 5)
    expect(same?.byThroughput.mostPerSecond).toBeCloseTo(same?.mostPerSecond as number, 0)
    // One in flight was measured a third too slow: on logarithms that weighs as much as any other, in throughput little.
    const off = fitScalability(exact.map((point) => (point.concurrency === 1 ? { ...point, perSecond: point.perSecond / 1.5 } : point)))
    const error = (most: number | null | undefined) => Math.abs((most as number) / (same?.mostPerSecond as number) - 1)
    expect(error(off?.byThroughput.mostPerSecond)).toBeLessThan(error(off?.mostPerSecond))
  })

  test('concurrency of a throughput is the smaller root', () => {
    for (const law of laws.slice(0, 4))
      for (const concurrency of [1, 3, 7]) expect(concurrencyFor(law, throughputAt(law, concurrency))).toBeCloseTo(concurrency, 6)
    expect(concurrencyFor(laws[0] as (typeof laws)[number], 1e9)).toBeNull()
  })

  test('says what it cannot know', () => {
    expect(fitScalability([])).toBeNull()
    expect(
      fitScalability([
        { concurrency: 1, perSecond: 10 },
        { concurrency: 4, perSecond: 30 },
      ]),
    ).toBeNull()
    expect(fitScalability([4, 16, 64].map((concurrency) => ({ concurrency, perSecond: concurrency * 10 })))?.warning).toMatch(
      /3 concurrencies.*fewer than 6/,
    )
  })
})

describe('availability', () => {
  test('availability in series and of k of n', () => {
    expect(inSeries(0.99, 0.99)).toBeCloseTo(0.9801, 12)
    expect(anyOf(2, 1, 0.99)).toBeCloseTo(0.9999, 12)
    expect(anyOf(3, 2, 0.99)).toBeCloseTo(3 * 0.99 ** 2 * 0.01 + 0.99 ** 3, 12)
    expect(anyOf(3, 3, 0.99)).toBeCloseTo(0.99 ** 3, 12)
    const topology: Topology = {
      kind: 'primary',
      name: '',
      copies: 3,
      consulted: { strong: 1, session: 1, eventual: 1 },
      sharded: true,
      fewestShards: 2,
      beside: [],
      localDisk: true,
      source: '',
    }
    const three = { parts: 1, members: 3 }
    expect(votersOf(three, topology)).toEqual({ voters: 3, quorum: 2 })
    expect(votersOf({ parts: 1, members: 2 }, topology).quorum).toBe(1)
    const witness = { ...topology, beside: [{ nodes: 1, what: 'witness', when: 'always' as const, votes: true }] }
    expect(votersOf({ parts: 1, members: 2 }, witness)).toEqual({ voters: 3, quorum: 2 })
    // Three are a majority without it, and four are not.
    expect(votersOf(three, witness)).toEqual({ voters: 3, quorum: 2 })
    expect(votersOf({ parts: 1, members: 4 }, witness)).toEqual({ voters: 5, quorum: 3 })
    // Of four shards all are needed, and each waits for its next primary: 2 failures of 30 s a year.
    expect(availabilityOf({ parts: 4, members: 3 }, topology)(0.99, 0, 30)).toBeCloseTo(anyOf(3, 2, 0.99) ** 4, 12)
    expect(availabilityOf(three, topology)(1, 2, 30)).toBeCloseTo(1 - 60 / (365.25 * 86_400), 12)
    expect(availabilityOf({ parts: 4, members: 3 }, topology)(1, 2, 30)).toBeCloseTo(1 - 240 / (365.25 * 86_400), 12)
  })

  test('a ring is down where two racks have a server down: the larger, the more often', () => {
    const ring: Topology = { ...cassandra.traits.plan.topology }
    const up = (nodes: number) => upShare({ parts: nodes - 1, members: 1 }, ring, 0.99)
    expect(up(3)).toBeCloseTo(anyOf(3, 2, 0.99), 12)
    // No rack with one down, or one rack: z³ + 3z²(1 − z) of z = .99³.
    const z = 0.99 ** 3
    expect(up(9)).toBeCloseTo(z ** 3 + 3 * z ** 2 * (1 - z), 12)
    expect(up(9)).toBeLessThan(up(3))
    // By simulation, each server down by itself.
    const source = new Source().restart(keyOf(1, 'ring'), 1)
    let ups = 0
    const trials = 50_000
    for (let trial = 0; trial < trials; trial++) {
      const racks = [0, 1, 2].filter(() => [0, 1, 2].some(() => source.next() > 0.99))
      if (racks.length < 2) ups++
    }
    expect(ups / trials).toBeCloseTo(up(9), 2)
  })

  test('two servers of a large ring need not share rows: as many neighbours as the paper on virtual nodes counts', () => {
    const ring: Topology = { ...cassandra.traits.plan.topology }
    // 16 ranges: 32.0867 of 40 servers in other racks of 60, 54.8867 of 200 of 300.
    expect(sharedShare(60, 3) * 40).toBeCloseTo(32.0867, 3)
    expect(sharedShare(300, 3) * 200).toBeCloseTo(54.8867, 3)
    const racks = (nodes: number, node: number) => anyOf(3, 2, node ** (nodes / 3))
    const up = (nodes: number, node: number) => upShare({ parts: nodes - 1, members: 1 }, ring, node)
    expect(up(300, 0.999)).toBeGreaterThan(racks(300, 0.999))
    // Pairs of which one in so many matters: by simulation.
    const source = new Source().restart(keyOf(1, 'vnodes'), 1)
    let ups = 0
    const trials = 20_000
    for (let trial = 0; trial < trials; trial++) {
      const down = [0, 1, 2].map(() => Array.from({ length: 20 }, () => source.next()).filter((each) => each > 0.99).length)
      const [a, b, c] = down as [number, number, number]
      const isLost = Array.from({ length: a * b + a * c + b * c }, () => source.next()).some((each) => each < sharedShare(60, 3))
      if (!isLost) ups++
    }
    expect(ups / trials).toBeCloseTo(up(60, 0.99), 2)
    // One row sees two of its own three copies.
    expect(rowUpShare({ parts: 59, members: 1 }, ring, 0.99)).toBeCloseTo(anyOf(3, 2, 0.99), 12)
    const primary = postgres.traits.plan.topology
    expect(rowUpShare({ parts: 4, members: 2 }, primary, 0.99)).toBeCloseTo(upShare({ parts: 1, members: 2 }, primary, 0.99), 12)
  })

  test('an availability has no more digits than its interval', () => {
    expect(availabilityText({ p10: 0.9993, p50: 0.99985, p90: 0.99997 })).toBe('99.98 % (99.93–99.99)')
    expect(availabilityText({ p10: 0.96, p50: 0.98, p90: 0.99 })).toBe('98 % (96–99)')
  })
})

describe('work per operation', () => {
  const names = ['a', 'b', 'c', 'd']
  const observe = (costs: number[], calls: number[][], noise = 0) => {
    const source = new Source().restart(keyOf(3, 'work'), 1)
    return calls.map((each) => ({
      calls: each,
      used: (0.1 + each.reduce((sum, n, at) => sum + n * (costs[at] as number), 0)) * (1 + noise * (2 * source.next() - 1)),
    }))
  }
  const design = [...designOf(4), ...designOf(4)].map((raised) => raised.map((each) => (each ? 400 : 100)))
  const mids = (observed: Parameters<typeof costsOf>[4]) => {
    const { figures, groups } = costsOf('work.x', 'cpu', 'core-s/operation', names, observed)
    return { groups, mids: names.map((name) => middleOf(figures.get(name) as Figure)) }
  }

  test('is told apart where the mixes differ', () => {
    const found = mids(observe([1e-4, 2e-4, 5e-5, 3e-3], design, 0.02))
    expect(found.groups.length).toBe(4)
    for (const [at, cost] of [1e-4, 2e-4, 5e-5, 3e-3].entries()) expect(Math.abs((found.mids[at] as number) / cost - 1)).toBeLessThan(0.9)
    expect((found.mids[3] as number) / 3e-3).toBeCloseTo(1, 1)
  })

  test('is taken together where calls go up and down together, and right on average', () => {
    const found = mids(
      observe(
        [1e-4, 3e-4, 2e-4, 1e-3],
        design.map(([a, , c, d]) => [a, a, c, d] as number[]),
      ),
    )
    expect(found.groups).toContainEqual(['a', 'b'])
    expect(found.groups).toContainEqual(['d'])
    expect(found.mids[0]).toBe(found.mids[1])
    expect(found.mids[0]).toBeCloseTo(2e-4, 8)
    expect(found.mids[3]).toBeCloseTo(1e-3, 8)
  })

  test('is taken together where it is lost in the noise, or never called', () => {
    const rare = design.map(([a, b, c]) => [a, b, (c as number) / 1e5, 0] as number[])
    const found = mids(observe([1e-3, 2e-3, 1e-3, 1], rare, 0.03))
    const group = found.groups.find((names) => names.includes('c')) as string[]
    expect(group).toContain('d')
    expect(found.groups.flat().sort()).toEqual(names)
  })

  test("is the mix's own where one mix is all there is", () => {
    const found = mids(
      observe(
        [1e-3, 2e-3, 3e-3, 4e-3],
        [0, 1, 2, 3, 4, 5, 6].map(() => [100, 100, 100, 100]),
      ),
    )
    expect(found.groups).toEqual([names])
    expect(found.mids[0]).toBeCloseTo((0.1 + 1) / 400, 9)
  })
})

describe('least squares', () => {
  test('recovers costs from a design that raises operations in turn', () => {
    const costs = [3, 0.5, 20, 1, 0, 7]
    const rows = designOf(costs.length).map((raised) => [...raised.map((each) => (each ? 4 : 1)), 1])
    const found = nonNegativeLeastSquares(
      rows,
      rows.map((row) => row.slice(0, -1).reduce((sum, calls, at) => sum + calls * (costs[at] as number), 0.25)),
    )
    expect(found?.coefficients.slice(0, -1).map((value) => Number(value.toFixed(6)))).toEqual(costs)
    expect(found?.coefficients.at(-1)).toBeCloseTo(0.25, 6)
  })

  test('never finds a negative cost, and none at all where the data do not tell', () => {
    const found = nonNegativeLeastSquares(
      [
        [1, 1],
        [1, 2],
        [1, 3],
      ],
      [3, 2, 1],
    )
    expect(found?.coefficients[1]).toBe(0)
    expect(found?.standardErrors[1]).toBeNull()
    expect(
      nonNegativeLeastSquares(
        [
          [1, 2],
          [2, 4],
          [3, 6],
        ],
        [1, 2, 3],
      ),
    ).toBeNull()
    expect(nonNegativeLeastSquares([[1, 2]], [1])).toBeNull()
  })

  test('the design raises every pair of operations independently', () => {
    for (const operations of [1, 3, 9, 10, 15]) {
      const rows = designOf(operations)
      for (let a = 0; a < operations; a++) for (let b = 0; b < a; b++) expect(rows.filter((row) => row[a] === row[b]).length).toBe(rows.length / 2)
    }
  })
})
