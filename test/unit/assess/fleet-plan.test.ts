/** One purchase path for all draws: the cheapest of all paths, monotone in what is asked, without hindsight and without steps that do not pay. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Chosen, type Market, planFleets } from '../../../src/assess/fleet-plan.ts'
import { migrationOf } from '../../../src/assess/migration.ts'
import { cheapestPath } from '../../../src/assess/purchase-path.ts'
import { engineNamed } from '../../../src/engines/registry.ts'

describe('the cheapest path', () => {
  test('is the least of all paths', () => {
    const usd = fc.integer({ min: 0, max: 50 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(usd, usd, usd), { minLength: 1, maxLength: 5 }),
        fc.tuple(usd, usd, usd, usd, usd, usd, usd, usd, usd),
        (costs, prices) => {
          const price = (from: number, to: number) => (from === to ? 0 : (prices[from * 3 + to] as number))
          const total = (path: readonly number[]) =>
            path.reduce(
              (sum, option, step) => sum + (costs[step]?.[option] as number) + (step === 0 ? 0 : price(path[step - 1] as number, option)),
              0,
            )
          const every = costs.reduce<number[][]>((paths) => paths.flatMap((path) => [0, 1, 2].map((option) => [...path, option])), [[]])
          expect(total(cheapestPath(costs, price))).toBe(Math.min(...every.map(total)))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('keeps what it has where a change costs more than it saves', () => {
    const costs = [
      [10, 12],
      [12, 10],
      [10, 12],
    ]
    expect(cheapestPath(costs, (from, to) => (from === to ? 0 : 5))).toEqual([0, 0, 0])
    expect(cheapestPath(costs, () => 0)).toEqual([0, 1, 0])
  })
})

describe('fleets', () => {
  const topology = engineNamed('postgres').traits.plan.topology
  /** Shapes of 1, 2, 4, … units of work and of memory, at a price that grows a little less. */
  const unitsOf = (fleet: Chosen) => 2 ** fleet.shape * fleet.parts
  interface Need {
    load: number
    memory: number
  }
  const market: Market<Need> = {
    topology,
    cheapest: ({ load, memory }) => {
      const shape = Math.max(0, Math.ceil(Math.log2(Math.max(load, memory))))
      return { shape, parts: 1, members: topology.copies }
    },
    carries: (fleet, { load, memory }) => Math.max(load, memory) <= unitsOf(fleet),
    usd: (fleet) => 100 * unitsOf(fleet) ** 0.95,
    bound: (_, { load, memory }) => (load >= memory ? 'CPU' : 'memory'),
  }
  const months = Array.from({ length: 19 }, (_, step) => 2 * step)
  /** `spread`: how far the draws differ; growth in a month. */
  const needsOf = (now: number, growth: number, spread: number, memory = 0) =>
    months.map((month) =>
      Array.from({ length: 400 }, (_, draw): Need => {
        const share = ((draw * 7919) % 400) / 400
        return { load: now * (1 + growth * (0.5 + share)) ** month * (1 + spread * (share - 0.5)), memory: memory * (1 + growth) ** month }
      }),
    )
  const planned = (needs: Need[][]) => planFleets(market, months, needs, 100)
  const usdOf = (needs: Need[][]) => planned(needs)?.fleets.map((fleet) => market.usd(fleet, { load: 0, memory: 0 })) ?? []

  test('are chosen so that they suffice in most draws, and that is said by month', () => {
    const found = planned(needsOf(3, 0.015, 0.2))
    const [now] = found?.fleets ?? []
    expect(now).toMatchObject({ shape: 2, parts: 1 })
    const sufficiency = found?.sufficiency(now as Chosen) ?? []
    expect(sufficiency.map((each) => each.month)).toEqual(months)
    expect(sufficiency[0]).toMatchObject({ probability: 1, resource: null })
    expect(sufficiency.at(-1)?.probability).toBeLessThan(0.2)
    expect(sufficiency.at(-1)?.resource).toBe('CPU')
    for (const [at, fleet] of (found?.fleets ?? []).entries()) expect(found?.sufficiency(fleet)[at]?.probability).toBeGreaterThanOrEqual(0.5)
  })

  test('change with the resource that forces it, and never by the end of the catalogue', () => {
    const found = planned(needsOf(0.5, 0.01, 0, 3))
    expect(found?.changes.map(({ stage, resource }) => ({ stage, resource }))).toEqual([{ stage: 'bigger', resource: 'memory' }])
    expect(planned(needsOf(3, 0, 0))?.changes).toEqual([])
  })

  test('that cost more never come with less load', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 50, noNaN: true }),
        fc.double({ min: 1, max: 4, noNaN: true }),
        fc.double({ min: 0, max: 0.05, noNaN: true }),
        (now, more, growth) => {
          const [small, large] = [usdOf(needsOf(now, growth, 0.3)), usdOf(needsOf(now * more, growth, 0.3))]
          for (const [at, usd] of small.entries()) expect(large[at]).toBeGreaterThanOrEqual(usd * (1 - 1e-9))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('that cost more never come with less growth', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 50, noNaN: true }),
        fc.double({ min: 0, max: 0.05, noNaN: true }),
        fc.double({ min: 0, max: 0.05, noNaN: true }),
        (now, growth, more) => {
          const [slow, fast] = [usdOf(needsOf(now, growth, 0.3)), usdOf(needsOf(now, growth + more, 0.3))]
          for (const [at, usd] of slow.entries()) expect(fast[at]).toBeGreaterThanOrEqual(usd * (1 - 1e-9))
        },
      ),
      { numRuns: 300 },
    )
  })
})

test('a change costs what it is: nothing for none, least for more servers of a ring, most for dividing in the application', () => {
  const hours = (name: string, from: Chosen, to: Chosen) => migrationOf(from, to, engineNamed(name).traits.plan.topology)?.hours ?? 0
  const one = { shape: 0, parts: 1, members: 2 }
  expect(hours('postgres', one, one)).toBe(0)
  const bigger = hours('postgres', one, { ...one, shape: 1 })
  const divided = hours('postgres', one, { ...one, parts: 2 })
  expect(hours('cassandra', { ...one, parts: 5, members: 1 }, { ...one, parts: 6, members: 1 })).toBeLessThan(bigger)
  expect(hours('mongodb', one, { ...one, parts: 2 })).toBeGreaterThan(bigger)
  expect(divided).toBeGreaterThan(10 * hours('mongodb', one, { ...one, parts: 2 }))
})
