/** What was measured on few rows is planned on those of production; a scheduled job reads more as its table grows, and runs no more often. */

import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { rowsOf } from '../../../src/assess/capacity/rows.ts'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { applyWhatIf } from '../../../src/assess/decision/what-if.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { type Figure, reachable } from '../../../src/assess/figures/figure.ts'
import { middleOf } from '../../../src/assess/figures/simulate.ts'
import { type CapacityPlan, isPlan, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { headline } from '../../../src/report/headline.ts'
import { verdictLine } from '../../../src/report/verdict.ts'
import { type Result, readResult } from '../../../src/result/result.ts'
import type { Operation, Scenario } from '../../../src/scenario/scenario.ts'
import { decisionText } from '../../../src/terminal/decision.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const { scenario } = result
const demand = new Demand(scenario)
const rows = rowsOf(result, demand)
const operation = (name: string) => scenario.operations.find((each) => each.name === name) as Operation
const { rowsLoaded, rowsProduction } = result.trialPlan.operations.find((each) => each.name === 'daily_revenue') as {
  rowsLoaded: number
  rowsProduction: number
}

describe('rows of a call', () => {
  test('a cost measured on few rows grows with them, by an exponent that is assumed with its range', () => {
    const cost = rows.cost(operation('daily_revenue'), 0) as Figure
    expect(middleOf(cost)).toBeCloseTo((rowsProduction / rowsLoaded) ** 0.95, 6)
    const exponent = reachable([cost]).find((each) => each.path === 'plan.rowsExponent')
    expect(exponent).toMatchObject({ kind: 'given', provenance: 'assumed', range: { low: 0.8, high: 1.1 } })
    expect(rows.cost(operation('get_order'), 0)).toBeNull()
    expect(rows.cost(operation('get_order'), 36)).toBeNull()
  })

  test('grow with the table, up to a limit', () => {
    const orders = scenario.entities.find((each) => each.name === 'order') as Scenario['entities'][number]
    const grown = middleOf(demand.rows(orders, 36)) / middleOf(demand.rows(orders, 0))
    expect(grown).toBeGreaterThan(5)
    expect(middleOf(rows.perCall(operation('daily_revenue'), 36)) / rowsProduction).toBeCloseTo(grown, 6)
    expect(middleOf(rows.perCall(operation('order_history'), 36))).toBe(20)
  })

  test('a list by a reference has as many rows as each of its referred has, and never more than its limit', () => {
    const own = structuredClone(result)
    const plan = own.trialPlan.operations
    Object.assign(plan.find((each) => each.name === 'order_history') as object, { rowsLoaded: 15, rowsProduction: 15 })
    // 5 % more orders a month, 3 % more customers: 1.05 ÷ 1.03 a month for each customer.
    const scaled = rowsOf(own, demand)
    expect(middleOf(scaled.perCall(operation('order_history'), 12))).toBeCloseTo(15 * (1.05 / 1.03) ** 12, 6)
    expect(middleOf(scaled.perCall(operation('order_history'), 36))).toBe(20)
  })

  test('a scheduled job does not run more often as its table grows', () => {
    expect(middleOf(demand.rate(operation('daily_revenue'), 36))).toBeCloseTo(0.1, 9)
    expect(middleOf(demand.rate(operation('get_order'), 36)) / 150).toBeCloseTo(1.05 ** 36, 6)
  })
})

describe('a plan', () => {
  const planOf = (name: string) => {
    const plan = planCapacity({ candidate: result.candidates.find((each) => each.name === name) as Result['candidates'][number], result, demand })
    if (!isPlan(plan)) throw new Error(plan.reason)
    return plan
  }
  const loadAt = (plan: CapacityPlan, month: number) => plan.needOf(plan.needFigures(month).map((figure) => middleOf(figure))).load

  test('of a scale-limited operation carries what it costs on the rows of production', () => {
    const plan = planOf('postgres')
    const cost = middleOf(plan.work.perOperation.get('daily_revenue') as Figure)
    const cores = middleOf(reachable([plan.needFigures(0)[0] as Figure]).find((each) => each.path === 'capacity.postgres.coresAtAverage') as Figure)
    const extra = (month: number) => (0.1 * cost * middleOf(rows.cost(operation('daily_revenue'), month) as Figure)) / cores
    const others = (month: number) => loadAt(plan, month) - extra(month)
    // Average load is a multiple of 1, at a peak of 3 everything but the job is three times that.
    expect(others(0)).toBeCloseTo(3 * (1 - (0.1 * cost) / cores), 6)
    expect(loadAt(plan, 36) / loadAt(plan, 0)).toBeGreaterThan(extra(36) / loadAt(plan, 0))
  })

  test('says by name which call passes its limit on the rows of production', () => {
    // More may be spent than what is bought costs: the budget decides nothing here.
    const asked = applyWhatIf(result, { budget: '20000 USD/month' })
    const assessment = assess(asked)
    const { decision } = decide(asked, assessment, { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
    const { atScale, constraints } = decision.candidates.find((each) => each.name === 'postgres') as (typeof decision.candidates)[number]
    expect(atScale.map((each) => each.operation)).toEqual(['daily_revenue'])
    expect(atScale[0]?.limitMs).toBe(2000)
    expect(atScale[0]?.horizon.p50).toBeGreaterThan(4 * (atScale[0]?.now.p50 as number))
    const told = decisionText(decision, result.startedAt)
    expect(told).toMatch(/postgres: daily_revenue is at risk: on the rows of production a call takes about [\d.]+ s/)
    // It counts in the constraint, in the first sentence and in the verdict, with what every architect would do about it.
    for (const name of ['objectives on average', 'objectives at peak']) {
      const found = constraints.find((each) => each.name === name)
      expect(found).toMatchObject({ probability: 0, condition: { operations: ['daily_revenue'] } })
      expect(found?.evidence).toMatch(/^daily_revenue on the rows of production decides: [\d.]+ s of 2 s/)
    }
    expect(headline(result, assessment).text).toMatch(
      /postgres misses none of those that were measured on as many rows as production has, but daily_revenue would take [\d.]+ s on the rows of production, of 2\.00 s allowed/,
    )
    expect(verdictLine(decision)).toMatch(
      /postgres stands on one condition: daily_revenue is kept rolled up; else daily_revenue would take [\d.]+ s /,
    )
    expect(told).toMatch(
      /^Keep daily_revenue rolled up by the hour: a summary table that place_order updates \(1\.4 a second\); then a call reads 721 rows in place of 2,864,606, or 16,591,272 in month 36/m,
    )
  }, 60_000)

  test('a server keeps for calls what it does not use at any rate', () => {
    const plan = planOf('postgres')
    const all = reachable([plan.carried])
    const at = (path: string) => middleOf(all.find((each) => each.path === `capacity.postgres.${path}`) as Figure)
    expect(at('cpuBound')).toBeCloseTo((0.7 * at('cpus') - middleOf(plan.work.fixed)) / at('coresAtAverage'), 9)
    expect(middleOf(plan.carried)).toBeCloseTo(Math.min(at('cpuBound'), at('sustained'), at('throughputBound')), 9)
  })
})
