/** The physical models on inputs whose answer is known: scalability, queues, least squares, availability. */
import { describe, expect, test } from 'vitest'
import { anyOf, availabilityOf, inSeries, quorumOf } from '../../../src/assess/availability.ts'
import type { Figure } from '../../../src/assess/figure.ts'
import { nonNegativeLeastSquares } from '../../../src/assess/linear.ts'
import { concurrencyFor, fitScalability, throughputAt } from '../../../src/assess/scaling.ts'
import { middleOf } from '../../../src/assess/simulate.ts'
import { costsOf } from '../../../src/assess/work.ts'
import { keyOf, Source } from '../../../src/data/random.ts'
import { designOf } from '../../../src/phases/work.ts'

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
    const topology = {
      kind: 'primary',
      name: '',
      copies: 3,
      consulted: { strong: 1, session: 1, eventual: 1 },
      sharded: true,
      localDisk: true,
      source: '',
    } as const
    expect(quorumOf(topology)).toBe(2)
    expect(quorumOf({ ...topology, copies: 2 })).toBe(1)
    expect(availabilityOf(topology, 4, 0.99)).toBeCloseTo(anyOf(3, 2, 0.99) ** 4, 12)
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
