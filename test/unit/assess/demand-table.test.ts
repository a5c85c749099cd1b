/** What production asks is told first, with a question where the fastest table grows and most calls do not. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { rowsOf } from '../../../src/assess/capacity/rows.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { demandTable } from '../../../src/assess/demand/demand-table.ts'
import { demandRows } from '../../../src/report/demand.ts'
import { readResult } from '../../../src/result/result.ts'
import type { Scenario } from '../../../src/scenario/scenario.ts'
import { monthMs } from '../../../src/scenario/units.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const tableOf = (change: (scenario: Scenario) => void = () => {}) => {
  const scenario = structuredClone(result.scenario)
  change(scenario)
  const demand = new Demand(scenario)
  return demandTable(demand, rowsOf(result, demand), [])
}

test('rates, rows and bytes stand for every sampled month', () => {
  const { months } = tableOf()
  expect(months.map(({ month }) => month)).toEqual([0, 4, 8, 12, 16, 20, 24, 28, 32, 36])
  expect(months[0]?.perSecond).toBeCloseTo(3052.9, 6)
  expect(months[0]?.peakPerSecond).toBeCloseTo(3 * 3052.8 + 0.1, 6)
  expect((months[9]?.entities.find(({ name }) => name === 'order')?.rows ?? 0) / 60e6).toBeCloseTo(1.05 ** 36, 1)
  expect(demandRows({ months, still: null, warning: null }, (name) => name)[0]).toEqual(['what production asks', 'now', 'month 12', 'month 36'])
})

test('a table that grows beside calls that do not is a question to ask', () => {
  expect(tableOf().warning).toMatch(/^order grows 5\.8-fold in 36 months, and 91 % of the calls do not grow \(read_session, get_product, /)
  expect(
    tableOf(({ operations }) => {
      for (const operation of operations) if (operation.scales) operation.loadGrowthPerMonth = 0.05
    }).warning,
  ).toBeNull()
  expect(
    tableOf(({ entities, operations }) => {
      for (const entity of entities) entity.growthPerMonth = 0
      for (const operation of operations) operation.loadGrowthPerMonth = 0
    }).warning,
  ).toBeNull()
})

test('a year from now is told of every horizon that reaches it', () => {
  const monthsOf = (horizonMonths: number) => {
    const scenario = structuredClone(result.scenario)
    scenario.requirements.horizonMs = horizonMonths * monthMs
    return new Demand(scenario).sampledMonths
  }
  expect(monthsOf(60)).toEqual([0, 7, 12, 14, 21, 28, 35, 42, 49, 56, 60])
  expect(monthsOf(120)).toContain(12)
  expect(monthsOf(6)).toEqual([0, 1, 2, 3, 4, 5, 6])
})
