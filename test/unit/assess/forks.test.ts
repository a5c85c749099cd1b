/** What a plan would cost if production went another way: the same planner, asked again. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { rowsOf } from '../../../src/assess/capacity/rows.ts'
import { costOf } from '../../../src/assess/cost/cost.ts'
import { type Catalogue, readPrices, serversOf } from '../../../src/assess/cost/prices.ts'
import { assumedBy, withAssumed } from '../../../src/assess/decision/assume.ts'
import { forksOf } from '../../../src/assess/decision/forks.ts'
import { applyWhatIf } from '../../../src/assess/decision/what-if.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { demandTable } from '../../../src/assess/demand/demand-table.ts'
import { middleOf } from '../../../src/assess/figures/simulate.ts'
import { isPlan, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { type Result, readResult } from '../../../src/result/result.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const catalogue = serversOf(readPrices(), result.scenario.requirements.regions) as Catalogue
const candidate = result.candidates.find(({ name }) => name === 'postgres') as Result['candidates'][number]
const stillOf = (of: Result) => {
  const demand = new Demand(of.scenario)
  return demandTable(demand, rowsOf(of, demand), []).still
}
const usdOf = (of: Result) => {
  const demand = new Demand(of.scenario)
  const plan = planCapacity({ candidate, result: of, demand })
  if (!isPlan(plan)) throw new Error(plan.reason)
  const cost = costOf(plan, catalogue, demand, of.seed)
  return cost === null ? null : { now: middleOf(cost.total(0)), horizon: middleOf(cost.total(demand.months)) }
}

test('calls that stay as they are grow as the fastest rows do, and cost what a plan with that growth costs', () => {
  const still = stillOf(result)
  expect(still).toMatchObject({ entity: 'order', growthPerMonth: expect.closeTo(0.05, 9) })
  const { growingCalls } = forksOf(candidate, result, catalogue, still)
  const asked = applyWhatIf(result, { growth: (still?.operations ?? []).map((name) => `${name}=5%/month`).join(',') })
  const [before, after] = [usdOf(result), usdOf(asked)]
  expect(growingCalls?.usdPerMonth).toEqual(after)
  if (after !== null) expect(after.horizon).toBeGreaterThan(before?.horizon as number)
  expect(forksOf(candidate, result, catalogue, null).growingCalls).toBeNull()
  expect(stillOf(asked)).toBeNull()
}, 120_000)

test('with what reads many rows rolled up a plan costs no more, and what is not asked for is no fork', () => {
  const { rolledUp } = forksOf(candidate, result, catalogue, null, ['daily_revenue'])
  const plain = usdOf(result)
  expect(rolledUp?.operations).toEqual(['daily_revenue'])
  expect(rolledUp?.usdPerMonth?.now).toBeLessThanOrEqual((plain?.now ?? 0) * (1 + 1e-9))
  expect(rolledUp?.usdPerMonth?.horizon).toBeLessThan(plain?.horizon ?? 0)
  expect(forksOf(candidate, result, catalogue, null).rolledUp).toBeNull()
}, 120_000)

test('demand at its upper end is growth and peak as one draw in ten has them, bought for, and what was put in stays', () => {
  const { highDemand } = forksOf(candidate, result, catalogue, null)
  // Of the triangles 0.5, 1, 1.5 and 0.8, 1, 1.25.
  expect(highDemand.growth).toBeCloseTo(1.5 - Math.sqrt(0.1 * 0.5), 9)
  expect(highDemand.peak).toBeCloseTo(1.25 - Math.sqrt(0.1 * 0.45 * 0.25), 9)
  expect(highDemand.usdPerMonth?.horizon ?? Number.POSITIVE_INFINITY).toBeGreaterThan(usdOf(result)?.horizon as number)
  const known = withAssumed(assumedBy('demand.peakSpread=1.1'), () => forksOf(candidate, result, catalogue, null))
  expect(known.highDemand.peak).toBe(1.1)
}, 120_000)
