/** Rows that leave the tables: the plan has less to hold, and pays for them as object storage. */
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CostPlan, costOf } from '../../../src/assess/cost/cost.ts'
import { archivedBytes } from '../../../src/assess/cost/kept.ts'
import { type Catalogue, readPrices, serversOf } from '../../../src/assess/cost/prices.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { middleOf, simulate } from '../../../src/assess/figures/simulate.ts'
import { type CapacityPlan, isPlan, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { ownedBytes, rowBytes } from '../../../src/families/sizes.ts'
import { type Result, readResult } from '../../../src/result/result.ts'
import { tiersOf } from '../../../src/scenario/ages.ts'
import { entityOf, type Operation, type Scenario, type Tiers } from '../../../src/scenario/scenario.ts'
import { yearMs } from '../../../src/scenario/units.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const catalogue = serversOf(readPrices(), ['us-east-1']) as Catalogue
const days = (many: number) => many * 86_400_000

interface Planned {
  plan: CapacityPlan
  demand: Demand
  scenario: Scenario
  cost: CostPlan
}
function planned(afterMs: number | null, change: (scenario: Scenario) => void = () => {}, prices = catalogue, name = 'postgres'): Planned {
  const changed = structuredClone(result)
  changed.scenario.requirements.regions = ['us-east-1']
  if (afterMs !== null) entityOf(changed.scenario, 'order').archiveAfterMs = afterMs
  change(changed.scenario)
  const demand = new Demand(changed.scenario)
  const candidate = changed.candidates.find((each) => each.name === name) as Result['candidates'][number]
  const plan = planCapacity({ candidate, result: changed, demand })
  if (!isPlan(plan)) throw new Error(plan.reason)
  return { plan, demand, scenario: changed.scenario, cost: costOf(plan, prices, demand, 1, 250) as CostPlan }
}

test('the tables have what is no older, with the rows that it owns, the archive has the rest, in every month and every draw', () => {
  const [whole, parted] = [planned(null), planned(2 * yearMs)]
  const [order, same] = [entityOf(parted.scenario, 'order'), entityOf(whole.scenario, 'order')]
  for (const month of [0, 12, 36]) {
    const [all, inTables, archived] = [whole.demand.rows(same, month), parted.demand.rows(order, month), parted.demand.archived(order, month)]
    expect(middleOf(inTables) + middleOf(archived as NonNullable<typeof archived>)).toBeCloseTo(middleOf(all), 0)
    expect(middleOf(parted.demand.rows(entityOf(parted.scenario, 'order_item'), month))).toBeCloseTo(3 * middleOf(inTables), 0)
    const drawn = simulate([all, inTables], 7, 250)
    const [every, some] = [drawn.get(all), drawn.get(inTables)] as [Float64Array, Float64Array]
    expect(some).toHaveLength(250)
    for (const [at, rows] of some.entries()) expect(rows).toBeLessThanOrEqual((every[at] as number) + 1e-6)
    expect(middleOf(parted.plan.storage.bytes(month))).toBeLessThan(middleOf(whole.plan.storage.bytes(month)))
    expect(middleOf(parted.plan.hot.workingSet(month))).toBeLessThanOrEqual(middleOf(whole.plan.hot.workingSet(month)))
  }
  // Others stay where they are.
  const product = entityOf(parted.scenario, 'product')
  expect(parted.demand.archived(product, 36)).toBeNull()
  expect(middleOf(parted.demand.rows(product, 36))).toBe(middleOf(whole.demand.rows(product, 36)))
})

test('what was archived is on the bill at the price of object storage, and in the total', () => {
  const { cost, demand, scenario } = planned(2 * yearMs)
  const order = entityOf(scenario, 'order')
  const bytes = rowBytes(order) + ownedBytes(scenario, order, ['order_item'])
  const archived = middleOf(demand.archived(order, 36) as NonNullable<ReturnType<Demand['archived']>>)
  expect(middleOf(archivedBytes(demand, order, 36) as NonNullable<ReturnType<typeof archivedBytes>>)).toBeCloseTo(0.5 * archived * bytes, 0)
  const rows = middleOf(cost.archivedRows(36) as NonNullable<ReturnType<CostPlan['archivedRows']>>)
  expect(rows).toBeCloseTo((0.5 * archived * bytes * 0.023) / 2 ** 30, 6)
  const lines = Object.values(cost.lines(36)).reduce((sum, line) => sum + middleOf(line), 0)
  expect(middleOf(cost.total(36))).toBeCloseTo(lines + rows, 6)
  expect(cost.bill(36).map(({ name }) => name)).toContain('archivedRows')
  expect(
    planned(null)
      .cost.bill(36)
      .map(({ name }) => name),
  ).not.toContain('archivedRows')
})

test('a catalogue without a price of object storage counts nothing, and says so', () => {
  const { objectStorageUsdPerGbMonth: _, ...prices } = catalogue
  const figure = planned(2 * yearMs, () => {}, prices as Catalogue).cost.archivedRows(36)
  expect(figure).toMatchObject({ formula: 'no price of object storage is known: not counted' })
  expect(middleOf(figure as NonNullable<typeof figure>)).toBe(0)
})

test('an archive never costs more than rows that stay, whenever they leave, and the less the sooner they do', () => {
  const usd = new Map<string, number>()
  const total = (afterMs: number | null, month: number) => {
    const key = `${afterMs} ${month}`
    const known = usd.get(key) ?? middleOf(planned(afterMs).cost.needed(month))
    usd.set(key, known)
    return known
  }
  fc.assert(
    fc.property(fc.constantFrom(1, 3, 5, 6.5), fc.constantFrom(0.2, 2, 4), fc.constantFrom(0, 36), (later, sooner, month) => {
      expect(total(later * yearMs, month)).toBeLessThanOrEqual(total(null, month) * (1 + 1e-9))
      const [first, second] = [Math.min(later, sooner), Math.max(later, sooner)]
      expect(total(first * yearMs, month)).toBeLessThanOrEqual(total(second * yearMs, month) * (1 + 1e-9))
    }),
    { numRuns: 12, seed: 5 },
  )
})

test('picks by age ask the tables for what is in them', () => {
  const pick = (scenario: Scenario) => {
    for (const each of scenario.operations)
      if (each.name === 'get_order')
        each.pick.skew = tiersOf(
          [
            { withinMs: days(30), pickShare: 0.8 },
            { withinMs: 3 * yearMs, pickShare: 0.1 },
            { withinMs: null, pickShare: 0.1 },
          ],
          (spanMs) => spanMs / (7 * yearMs),
        )
  }
  const { demand, scenario } = planned(2 * yearMs, pick)
  const getOrder = scenario.operations.find(({ name }) => name === 'get_order') as Operation
  for (const month of [0, 36]) {
    const { tiers } = demand.pick(getOrder, month) as Tiers
    const order = entityOf(scenario, 'order')
    expect((tiers[0]?.rowShare as number) * middleOf(demand.rows(order, month))).toBeCloseTo(
      middleOf(demand.newest(order, days(30), month)) * middleOf(demand.all(order, month)),
      0,
    )
    expect(tiers[2]).toMatchObject({ rowShare: 0, pickShare: 0 })
    expect(tiers[0]?.pickShare).toBeCloseTo(8 / 9, 9)
  }
})
