/** One purchase path for all draws: enough for the year to come, monotone in what is asked and the same whatever the horizon, without hindsight and without steps that do not pay. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Chosen, enoughShare, type Market, planFleets, reviewsOf, sufficiencyOf } from '../../../src/assess/fleet/fleet-plan.ts'
import { migrationOf } from '../../../src/assess/fleet/migration.ts'
import { engineNamed } from '../../../src/engines/registry.ts'

describe('fleets', () => {
  const topology = engineNamed('postgres').traits.plan.topology
  /** Shapes of 1, 2, 4, … units of work and of memory, at a price that grows a little less. */
  const unitsOf = (fleet: Chosen) => 2 ** fleet.shape * fleet.parts
  interface Need {
    load: number
    memory: number
  }
  const askOf = ({ load, memory }: Need) => Math.max(load, memory)
  const market: Market<Need> = {
    topology,
    enough: (all, share) => {
      const most = Math.max(...all.map((needs) => needs.map(askOf).sort((a, b) => a - b)[Math.ceil(share * needs.length - 1e-9) - 1] as number))
      return [0, 1].map((more) => ({ shape: Math.max(0, Math.ceil(Math.log2(most) - 1e-12)) + more, parts: 1, members: topology.copies }))
    },
    reach: () => 1,
    carries: (fleet, need) => askOf(need) <= unitsOf(fleet),
    usd: (fleet) => 100 * unitsOf(fleet) ** 0.95,
    bound: (_, { load, memory }) => (load >= memory ? 'load' : 'memory'),
    use: (fleet, { load, memory }, resource) => (resource === 'load' ? load : resource === 'memory' ? memory : 0) / unitsOf(fleet),
  }
  const reviews = reviewsOf(36)
  /** `spread`: how far the draws differ; growth in a month. */
  const needsOf = (now: number, growth: number, spread: number, memory = 0, months = reviews) =>
    months.map((month) =>
      Array.from({ length: 400 }, (_, draw): Need => {
        const share = ((draw * 7919) % 400) / 400
        return { load: now * (1 + growth * (0.5 + share)) ** month * (1 + spread * (share - 0.5)), memory: memory * (1 + growth) ** month }
      }),
    )
  const planned = (needs: Need[][], target = 0.9, months = reviews) => planFleets(market, months, needs, target, 100)
  const usdOf = (needs: Need[][]) => planned(needs)?.stages.map(({ fleet }) => market.usd(fleet, [])) ?? []

  test('are looked at once a year', () => {
    expect(reviewsOf(36)).toEqual([0, 12, 24, 36])
    expect(reviewsOf(40)).toEqual([0, 12, 24, 36, 40])
    expect(reviewsOf(1)).toEqual([0, 1])
  })

  test.each([0.5, 0.8, 0.9, 0.99])('carry %s of the draws through the year, and no more than that takes', (target) => {
    const needs = needsOf(3, 0.015, 0.6)
    const found = planned(needs, target)
    expect(found?.stages).toHaveLength(3)
    for (const [at, { fleet, until }] of (found?.stages ?? []).entries()) {
      const of = (each: Chosen) => sufficiencyOf(market, each, until, needs[at + 1] as Need[])
      expect(of(fleet).probability).toBeGreaterThanOrEqual(target)
      expect(of(fleet).resource).toBe(of(fleet).probability === 1 ? null : 'load')
      // One half as large does not.
      expect(of({ ...fleet, shape: fleet.shape - 1 }).probability).toBeLessThan(target)
    }
  })

  test('are bought until the next larger costs more than what it spares: the critical ratio', () => {
    expect(enoughShare(9)).toBeCloseTo(0.9, 12)
    expect(enoughShare(1)).toBe(0.5)
  })

  test('are what carries most where nothing carries as many, and none where nothing carries any', () => {
    const limited: Market<Need> = {
      ...market,
      enough: (all, share, standing) => market.enough(all, share, standing).filter(({ shape }) => shape <= 2),
      reach: (needs) => needs.filter((need) => askOf(need) <= 4).length / needs.length,
    }
    const needs = needsOf(3.6, 0, 1)
    const reach = limited.reach(needs[0] as Need[])
    expect(reach).toBeLessThan(0.8)
    const found = planFleets(limited, reviews, needs, 0.9, 100)
    expect(found?.stages[0]?.fleet).toMatchObject({ shape: 2 })
    expect(sufficiencyOf(limited, found?.stages[0]?.fleet as Chosen, 0, needs[0] as Need[]).probability).toBeCloseTo(reach, 2)
    expect(planFleets(limited, reviews, needsOf(100, 0, 0.1), 0.9, 100)).toBeNull()
    // What nothing carries any more is left to what stood before.
    const late = planFleets(limited, reviews, needsOf(2, 0.05, 0), 0.9, 100)
    expect(late?.stages.at(-1)?.fleet).toMatchObject({ shape: 2 })
  })

  test('of the first years are the same whatever comes after', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 50, noNaN: true }),
        fc.double({ min: 0, max: 0.05, noNaN: true }),
        fc.integer({ min: 2, max: 10 }),
        (now, growth, years) => {
          const longer = reviewsOf(12 * years)
          const [short, long] = [
            planned(needsOf(now, growth, 0.3, 0, reviewsOf(12)), 0.9, reviewsOf(12)),
            planned(needsOf(now, growth, 0.3, 0, longer), 0.9, longer),
          ]
          expect(long?.stages[0]?.fleet).toEqual(short?.stages[0]?.fleet)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('stay where another saves less within the year than a change to it costs', () => {
    const needs = needsOf(3, 0, 0)
    /** The next larger is cheaper by so much from the second year on. */
    const cheaper = (usd: number): Market<Need> => ({
      ...market,
      usd: (fleet, own) =>
        market.usd(fleet, own) - (fleet.shape === 3 && own !== needs[0] ? market.usd(fleet, own) - market.usd({ ...fleet, shape: 2 }, own) + usd : 0),
    })
    const shapes = (usd: number) => planFleets(cheaper(usd), reviews, needs, 0.9, 100)?.stages.map(({ fleet }) => fleet.shape)
    expect(shapes(10)).toEqual([2, 2, 2])
    expect(shapes(300)).toEqual([2, 3, 3])
  })

  test('change with the resource that forces it, and never by the end of the catalogue', () => {
    const found = planned(needsOf(0.5, 0.01, 0, 3))
    expect(found?.changes.map(({ stage, shortage }) => ({ stage, resource: shortage?.resource }))).toEqual([{ stage: 'bigger', resource: 'memory' }])
    expect(found?.changes[0]?.shortage).toMatchObject({
      before: expect.closeTo((3 * 1.01 ** 36) / 4, 6),
      after: expect.closeTo((3 * 1.01 ** 36) / 8, 6),
    })
    expect(planned(needsOf(3, 0, 0))?.changes).toEqual([])
  })

  // A store that runs its commands in one thread was said to be changed for its CPU, which was as short after the change as before.
  test('change for what a larger fleet mends, not for what none can', () => {
    const fits = ({ shape }: Chosen, { load, memory }: Need) => load <= 1 && memory <= 2 ** shape
    const threaded: Market<Need> = {
      ...market,
      enough: (all, share) =>
        [0, 1, 2, 3]
          .map((shape) => ({ shape, parts: 1, members: topology.copies }))
          .filter((fleet) => all.every((needs) => needs.filter((need) => fits(fleet, need)).length >= share * needs.length)),
      reach: (needs) => needs.filter(({ load }) => load <= 1).length / needs.length,
      carries: fits,
      use: ({ shape }, { load, memory }, resource) => (resource === 'load' ? load : resource === 'memory' ? memory / 2 ** shape : 0),
    }
    // No server is fast enough in 45 % of the draws; from the second year on 15 % of the others have outgrown its memory.
    const needs = reviews.map((month) =>
      Array.from({ length: 400 }, (_, draw): Need => ({ load: draw < 180 ? 2 : 0.98, memory: month > 12 && draw % 20 < 3 ? 5 : 3 })),
    )
    expect(planFleets(threaded, reviews, needs, 0.9, 100)?.changes).toMatchObject([
      { from: { shape: 2 }, to: { shape: 3 }, shortage: { resource: 'memory', before: 1.25, after: 0.625 } },
    ])
  })

  test('are added to where that costs less than others with their change, however dear they are to run', () => {
    // Nine of ten times the load in the second year: one server more of those that stand, or a cheaper one of another kind, to which all must move.
    const standing: Chosen = { shape: 2, parts: 1, members: topology.copies }
    const [more, other] = [
      { ...standing, members: 3 },
      { ...standing, shape: 3 },
    ]
    const of = (usd: number): Market<Need> => ({
      ...market,
      enough: (all, _, stands) => (all[1]?.[0]?.load === 3 ? [standing] : [other, ...(stands === null ? [] : [more])]),
      carries: (fleet, { load }) => load <= (fleet.members === 3 || fleet.shape === 3 ? 8 : 4),
      usd: (fleet) => (fleet.members === 3 ? 100 + usd : 100),
    })
    const needs = [3, 3, 6, 6].map((load) => [{ load, memory: 0 }])
    const fleets = (usd: number) => planFleets(of(usd), reviews, needs, 0.9, 100)?.stages.map(({ fleet }) => fleet)
    expect(fleets(10)).toEqual([standing, more, more])
    expect(fleets(200)).toEqual([standing, other, other])
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

test('a change costs what it is: nothing for none, least for more servers of a ring; what dividing teaches the application is paid by the month', () => {
  const between = (name: string, from: Chosen, to: Chosen) => migrationOf(from, to, engineNamed(name).traits.plan.topology)
  const hours = (name: string, from: Chosen, to: Chosen) => between(name, from, to)?.hours ?? 0
  const one = { shape: 0, parts: 1, members: 2 }
  expect(hours('postgres', one, one)).toBe(0)
  const bigger = hours('postgres', one, { ...one, shape: 1 })
  expect(hours('cassandra', { ...one, parts: 5, members: 1 }, { ...one, parts: 6, members: 1 })).toBeLessThan(bigger)
  expect(hours('mongodb', one, { ...one, parts: 2 })).toBeGreaterThan(bigger)
  // To divide anew on other servers is both; more of the same are paid once, where the product moves the rows itself.
  const three = { ...one, parts: 3 }
  expect(hours('mongodb', three, { ...one, shape: 1, parts: 2 })).toBe(hours('mongodb', three, { ...one, parts: 2 }) + bigger)
  expect(between('mongodb', three, { ...one, parts: 5 })?.overlapMonths).toBe(0)
  expect(between('mongodb', three, { ...one, shape: 1, parts: 2 })?.overlapMonths).toBeGreaterThan(0)
  expect(between('postgres', three, { ...one, parts: 5 })?.overlapMonths).toBeGreaterThan(0)
  // Once: shards of what the product does not divide have a line of their own (divideHours).
  expect(hours('postgres', one, { ...one, parts: 2 })).toBe(hours('mongodb', one, { ...one, parts: 2 }))
  expect(between('postgres', one, { ...one, parts: 2 })?.leadWeeks).toBeGreaterThan(between('mongodb', one, { ...one, parts: 2 })?.leadWeeks ?? 0)
})
