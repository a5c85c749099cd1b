/** The plan of the shop: more load never costs less, a longer horizon changes no year before it, a bigger budget rules nobody out. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pricedShapes } from '../../../src/assess/cost/cost.ts'
import { type BlockStorage, type Catalogue, readPrices } from '../../../src/assess/cost/prices.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { isPlan, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { isAffordable } from '../../../src/assess/fleet/cheapest.ts'
import { type Chosen, type FleetPlan, planFleets, reviewsOf } from '../../../src/assess/fleet/fleet-plan.ts'
import { migrationOf } from '../../../src/assess/fleet/migration.ts'
import { marketOf, needsOf } from '../../../src/assess/fleet/purchases.ts'
import type { Need } from '../../../src/assess/fleet/supply.ts'
import { type Result, readResult } from '../../../src/result/result.ts'

const ecommerce = readResult(join(fileURLToPath(new URL('../../golden', import.meta.url)), 'results', 'ecommerce.json'))
const catalogue = readPrices().find((each) => each.instances.length > 0 && each.blockStorage !== undefined) as Catalogue
const drawn = { numRuns: 300, seed: 12 }
/** Of 250: enough to make nine in ten of them a matter of several. */
const fewDraws = 40
const engineer = 100

/** A greater load is more of all that follows it; more rows are more bytes, too. */
const byLoad = [
  'load',
  'crossing',
  'offloadable',
  'writes',
  'pagesPerSecond',
  'writesPerSecond',
  'writtenBytesPerSecond',
  'networkBytesPerSecond',
] as const
const byRows = [...byLoad, 'dataBytes', 'bytes', 'hotBytes'] as const
const times = (need: Need, keys: readonly (keyof Need)[], factor: number): Need => ({
  ...need,
  ...Object.fromEntries(keys.map((key) => [key, need[key] * factor])),
})
const size = (low: number, high: number) => fc.double({ min: Math.log(low), max: Math.log(high), noNaN: true }).map((value) => Math.exp(value))

describe.each(['postgres', 'mongodb', 'cassandra'])('%s in the shop', (name) => {
  const demand = new Demand(ecommerce.scenario)
  const candidate = ecommerce.candidates.find((each) => each.name === name) as Result['candidates'][number]
  const plan = planCapacity({ candidate, result: ecommerce, demand })
  if (!isPlan(plan)) throw new Error(plan.reason)
  const shapes = pricedShapes(plan, catalogue)
  const block = catalogue.blockStorage as BlockStorage
  const market = marketOf(plan, shapes, block)
  const now = (needsOf(plan, [0], 1, 250).get(0) as Need[]).filter((_, at) => at % 6 === 0).slice(0, fewDraws)
  const needsAt = (reviews: readonly number[], peak: number, growth: number) =>
    reviews.map((month) => now.map((need) => times(times(need, byLoad, peak), byRows, (1 + growth) ** month)))
  const planned = (reviews: readonly number[], peak: number, growth: number, target = 0.9) =>
    planFleets(market, reviews, needsAt(reviews, peak, growth), target, engineer)
  /**
   * What no fleet carries in nine draws of ten is bought for fewer of them, and a fleet for fewer draws costs less: it is compared with what the
   * smaller load costs for as few. Never are there more draws of a greater load that some fleet carries.
   */
  const expectNoDearerThan = (more: FleetPlan | null, reviews_: readonly number[], peak: number, growth: number) => {
    const shares = (more?.stages ?? []).map(({ share }) => share)
    const least = Math.min(0.9, ...shares)
    const less = planned(reviews_, peak, growth)
    for (const [at, share] of shares.entries()) expect(less?.stages[at]?.share).toBeGreaterThanOrEqual(share - 1e-9)
    expectNoDearer(least < 0.9 ? planned(reviews_, peak, growth, least) : less, more, needsAt(reviews_, peak, growth))
  }
  const reviews = reviewsOf(36)

  /** No year of the smaller costs more than with the fleet of the greater one, what it takes to come to it included. */
  const expectNoDearer = (less: FleetPlan | null, more: FleetPlan | null, needs: readonly Need[][]) => {
    if (more === null) return
    expect(less).not.toBeNull()
    for (const [at, stage] of (less as FleetPlan).stages.entries()) {
      const usdOf = (fleet: Chosen) => (market.usd(fleet, needs[at] as Need[]) + market.usd(fleet, needs[at + 1] as Need[])) / 2
      const change = (to: Chosen) => {
        const before = less?.stages[at - 1]?.fleet
        const migration = before === undefined ? null : migrationOf(before, to, plan.facts.topology)
        return migration === null ? 0 : migration.hours * engineer + migration.overlapMonths * Math.min(usdOf(before as Chosen), usdOf(to))
      }
      const usdOfYear = (fleet: Chosen) => 12 * usdOf(fleet) + change(fleet)
      expect(usdOfYear(stage.fleet)).toBeLessThanOrEqual(usdOfYear(more.stages[at]?.fleet as Chosen) * (1 + 1e-9))
    }
  }

  test('a higher peak never costs less, and never suffices where a lower one does not', () => {
    fc.assert(
      fc.property(size(0.3, 20), size(1, 5), fc.double({ min: 0, max: 0.08, noNaN: true }), (peak, more, growth) => {
        expectNoDearerThan(planned(reviews, peak * more, growth), reviews, peak, growth)
      }),
      drawn,
    )
  }, 300_000)

  test('faster growth never costs less', () => {
    fc.assert(
      fc.property(
        size(0.3, 10),
        fc.double({ min: 0, max: 0.08, noNaN: true }),
        fc.double({ min: 0, max: 0.08, noNaN: true }),
        (peak, growth, more) => {
          expectNoDearerThan(planned(reviews, peak, growth + more), reviews, peak, growth)
        },
      ),
      drawn,
    )
  }, 300_000)

  test('a longer horizon changes no whole year before it, and month 0 never becomes cheaper', () => {
    fc.assert(
      fc.property(
        size(0.3, 10),
        fc.double({ min: 0, max: 0.08, noNaN: true }),
        fc.integer({ min: 1, max: 48 }),
        fc.integer({ min: 1, max: 48 }),
        (peak, growth, months, more) => {
          const [short, long] = [reviewsOf(months), reviewsOf(months + more)]
          const [before, after] = [planned(short, peak, growth), planned(long, peak, growth)]
          if (after === null || before === null) return
          const whole = Math.floor(months / 12)
          expect(after.stages.slice(0, whole).map(({ fleet }) => fleet)).toEqual(before.stages.slice(0, whole).map(({ fleet }) => fleet))
          const usd = ({ stages }: FleetPlan) => market.usd((stages[0] as FleetPlan['stages'][number]).fleet, needsAt([0], peak, growth)[0] as Need[])
          // Where no fleet carries nine draws of ten to the later end, it is compared with what as few cost until the earlier one.
          const share = after.stages[0]?.share as number
          const asFew = share < 0.9 ? planned(short, peak, growth, share) : before
          expect(usd(after)).toBeGreaterThanOrEqual(usd(asFew as FleetPlan) * (1 - 0.02))
        },
      ),
      drawn,
    )
  }, 300_000)

  test('a change leaves what forced it better off, and is otherwise paid by what it saves until the next look', () => {
    fc.assert(
      fc.property(size(0.3, 20), fc.double({ min: 0, max: 0.08, noNaN: true }), (peak, growth) => {
        const path = planned(reviews, peak, growth)
        const needs = needsAt(reviews, peak, growth)
        for (const { month, from, to, shortage, usd } of path?.changes ?? []) {
          const at = reviews.indexOf(month)
          const usdOf = (fleet: Chosen) => 6 * (market.usd(fleet, needs[at] as Need[]) + market.usd(fleet, needs[at + 1] as Need[]))
          if (shortage === null) expect(usdOf(to) + usd).toBeLessThan(usdOf(from))
          else {
            expect(shortage.after).toBeLessThan(shortage.before)
            expect(shortage.after).toBeLessThanOrEqual(1 + 1e-6)
          }
        }
      }),
      drawn,
    )
  }, 300_000)

  test('a bigger budget never rules out, more load never comes back in', () => {
    const terms = plan.terms(block, shapes)
    fc.assert(
      fc.property(
        fc.constantFrom(...now),
        size(0.1, 30),
        size(1, 10),
        size(100, 1e6),
        size(1, 10),
        fc.nat(shapes.length - 1),
        (need, peak, more, budget, larger, likely) => {
          const within = (load: number, usd: number) => isAffordable(shapes, times(need, byLoad, load), terms, usd, likely).within
          if (within(peak, budget)) expect(within(peak, budget * larger)).toBe(true)
          if (within(peak * more, budget)) expect(within(peak, budget)).toBe(true)
        },
      ),
      drawn,
    )
  }, 300_000)
})
