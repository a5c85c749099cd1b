/** What stands beside one store: hits of a cache, and prices that say that nothing was measured. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type CostPlan, costOf } from '../../../src/assess/cost/cost.ts'
import { type Catalogue, readPrices, serversOf } from '../../../src/assess/cost/prices.ts'
import { assumedBy, withAssumed } from '../../../src/assess/decision/assume.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { isPlan, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { compositesOf, hitShares, storeOf, without } from '../../../src/assess/fleet/composites.ts'
import { type Result, readResult } from '../../../src/result/result.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

const ecommerce = readResult(join(fileURLToPath(new URL('../../golden', import.meta.url)), 'results', 'ecommerce.json'))

test('a cache of equally popular values answers the share of them that it holds, and no more than their age allows', () => {
  const stream = { entries: [{ count: 1000, perSecond: 1, bytes: 100 }], staleSeconds: Number.POSITIVE_INFINITY }
  expect(hitShares([stream], 50_000)[0]).toBeCloseTo(0.5, 3)
  expect(hitShares([stream], 200_000)[0]).toBeCloseTo(1, 3)
  // A value that is asked for once a second and lives for nine answers nine calls of ten.
  expect(hitShares([{ ...stream, staleSeconds: 9 }], 200_000)[0]).toBeCloseTo(0.9, 3)
  const skewed = {
    entries: [
      { count: 10, perSecond: 90, bytes: 100 },
      { count: 990, perSecond: 0.1, bytes: 100 },
    ],
    staleSeconds: Number.POSITIVE_INFINITY,
  }
  expect(hitShares([skewed], 5000)[0]).toBeGreaterThan(0.85)
})

test('each is priced, beside the store alone, and labelled; what may not be old is said', () => {
  const of = (result: Result) => {
    const demand = new Demand(result.scenario)
    const candidate = result.candidates.find(({ name }) => name === 'postgres') as Result['candidates'][number]
    const plan = planCapacity({ candidate, result, demand })
    const catalogue = serversOf(readPrices(), []) as Catalogue
    const cost = isPlan(plan) ? costOf(plan, catalogue, demand, 1, 250) : null
    if (!isPlan(plan) || cost === null) throw new Error('no plan')
    return compositesOf(plan, cost, demand, 100)
  }
  const found = of(ecommerce)
  // What is assumed of it has a range, moves its price, and can be replaced.
  const memory = (asked: string) =>
    withAssumed(assumedBy(asked), () => of(ecommerce)).find(({ kind }) => kind === 'search store beside')?.usdPerMonth.horizon as number
  expect(found.find(({ kind }) => kind === 'search store beside')?.movers.map(({ path }) => path)).toContain('plan.secondSystemHours')
  expect(memory('plan.secondSystemHours=32') - memory('plan.secondSystemHours=8')).toBeCloseTo(24 * 100, 6)
  expect(memory('plan.searchLeastGib=64')).toBeGreaterThan(memory('plan.searchLeastGib=8'))
  const cached = (asked: string) => withAssumed(assumedBy(asked), () => of(ecommerce)).find(({ kind }) => kind === 'cache in front')
  const answered = (asked: string) => cached(asked)?.takes.reduce((sum, { share }) => sum + share, 0) as number
  expect(answered('plan.cacheEntryBytes=5000')).toBeLessThan(answered('plan.cacheEntryBytes=60'))
  expect(cached('plan.cacheCallsPerSecond=1000')).toBeUndefined()
  expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(['read replicas', 'cache in front', 'search store beside']))
  for (const each of found) {
    expect(each.label).toBe('planned, not measured')
    for (const usd of [each.usdPerMonth.now, each.usdPerMonth.horizon, each.aloneUsdPerMonth.horizon]) expect(usd).toBeGreaterThan(0)
    for (const { share } of each.takes) expect(share >= 0 && share <= 1).toBe(true)
  }
  const cache = found.find(({ kind }) => kind === 'cache in front')
  expect(cache?.needs).toMatch(/none of these may be old now: get_product/)
  const allowed = structuredClone(ecommerce)
  const operation = allowed.scenario.operations.find(({ name }) => name === 'get_product') as Operation
  operation.stalenessMs = 60_000
  const may = of(allowed).find(({ kind }) => kind === 'cache in front')
  expect(may?.needs).toBe('')
  expect(may?.takes.map((each) => each.operation)).toEqual(['get_product'])
})

test('a search store beside takes its share of what every shard must do, too', () => {
  const demand = new Demand(ecommerce.scenario)
  const candidate = ecommerce.candidates.find(({ name }) => name === 'mongodb') as Result['candidates'][number]
  const plan = planCapacity({ candidate, result: ecommerce, demand })
  if (!isPlan(plan)) throw new Error(plan.reason)
  expect(plan.crossing.map(({ name }) => name)).toEqual(['browse_category', 'search_products'])
  const store = storeOf(plan, costOf(plan, serversOf(readPrices(), []) as Catalogue, demand, 1, 250) as CostPlan, demand)
  const before = store.need(0)
  const left = (name: string) =>
    without(
      store,
      0,
      plan.operations.filter((operation) => operation.name === name),
      [1],
    )
  expect(before.crossing).toBeGreaterThan(0)
  const [search, browse] = [left('search_products'), left('browse_category')]
  expect(search.crossing).toBeLessThan(before.crossing)
  // What one takes is what the other leaves.
  expect(search.crossing + browse.crossing).toBeCloseTo(before.crossing, 9)
  expect(left('get_order').crossing).toBeCloseTo(before.crossing, 9)
})
