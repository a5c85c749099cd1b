/** How old rows are in the months of a plan, and what memory then holds of what is asked for by age. */
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agedIn } from '../../../src/assess/demand/ages.ts'
import { missCurveOf, missedAt } from '../../../src/assess/demand/che.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { pageBytes, pagesOfTable } from '../../../src/assess/demand/popularity.ts'
import { middleOf } from '../../../src/assess/figures/simulate.ts'
import { isPlan, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { newestShare } from '../../../src/families/sizes.ts'
import { type Result, readResult } from '../../../src/result/result.ts'
import { tiersOf } from '../../../src/scenario/ages.ts'
import { type Entity, entityOf, type Operation, type Scenario, type Tiers } from '../../../src/scenario/scenario.ts'
import { monthMs, yearMs } from '../../../src/scenario/units.ts'
import { scenarioByAge } from '../data/scenario-by-age.ts'

const aged = (growthPerMonth: number, years: number, retentionYears: number | null = null) =>
  ({
    growthPerMonth,
    ageMs: years * yearMs,
    count: 1e6,
    ttlMs: null,
    retentionMs: retentionYears === null ? null : retentionYears * yearMs,
  }) as Entity
const grown = ({ count, growthPerMonth }: Entity, month: number) => count * (1 + growthPerMonth) ** month

describe('the ages of rows', () => {
  test('are today what the scenario says', () => {
    for (const entity of [aged(0.03, 5), aged(0, 2), aged(-0.02, 1), aged(0.05, 7, 7)])
      expect(newestShare(agedIn(entity, 0, entity.count), monthMs)).toBeCloseTo(newestShare(entity, monthMs), 12)
  })

  test('stay as they are where as many go as come, or nothing grows', () => {
    for (const entity of [aged(0.03, 5, 5), aged(0, 2), aged(-0.02, 1)])
      expect(newestShare(agedIn(entity, 36, grown(entity, 36)), monthMs)).toBeCloseTo(newestShare(entity, monthMs), 12)
  })

  test('reach further back where nothing goes, up to what is kept', () => {
    const [open, kept] = [aged(0.02, 2), aged(0.02, 2, 3)]
    expect(agedIn(open, 36, grown(open, 36)).ageMs).toBe(2 * yearMs + 36 * monthMs)
    expect(agedIn(kept, 36, grown(kept, 36)).ageMs).toBe(3 * yearMs)
    // The rows of the last month are those that came in it: of so long a history, growth ÷ (1 + growth) of all.
    expect(newestShare(agedIn(aged(0.05, 8), 60, grown(aged(0.05, 8), 60)), monthMs)).toBeCloseTo(0.05 / 1.05, 3)
  })

  test('are newer where more rows came than the growth says', () => {
    const entity = aged(0.02, 5)
    const share = (rows: number) => newestShare(agedIn(entity, 24, rows), yearMs)
    expect(share(2 * grown(entity, 24))).toBeGreaterThan(share(grown(entity, 24)))
  })
})

test('a tier of 30 days has the rows of 30 days in every month, and the picks that it had', () => {
  const demand = new Demand(scenarioByAge)
  const order = entityOf(scenarioByAge, 'order')
  const read = scenarioByAge.operations.find(({ name }) => name === 'read') as Operation
  let before = 0
  for (const month of [0, 12, 36]) {
    const { tiers } = demand.pick(read, month) as Tiers
    const all = middleOf(demand.rows(order, month))
    const hot = (tiers[0]?.rowShare as number) * all
    const law = agedIn(order, month, all)
    expect(hot).toBeCloseTo(newestShare(law, 30 * 86_400_000) * all, 3)
    expect(tiers.map(({ pickShare }) => pickShare)).toEqual((read.pick.skew as Tiers).tiers.map(({ pickShare }) => pickShare))
    expect(tiers.reduce((sum, { rowShare }) => sum + rowShare, 0)).toBeCloseTo(1, 12)
    // More rows come in a month than came in it before.
    expect(hot).toBeGreaterThan(before)
    before = hot
  }
})

test('more memory never answers less of what is picked by age, of any ages', () => {
  const part = fc.integer({ min: 1, max: 1000 })
  const law = fc.array(fc.tuple(part, part), { minLength: 1, maxLength: 8 }).map((parts): Tiers => {
    const [rows, picks] = [0, 1].map((at) => parts.reduce((sum, each) => sum + (each[at] as number), 0)) as [number, number]
    return { kind: 'tiers', tiers: parts.map(([row, pick]) => ({ withinMs: null, rowShare: row / rows, pickShare: pick / picks })) }
  })
  fc.assert(
    fc.property(law, law, fc.double({ min: 0.01, max: 100, noNaN: true }), (one, other, rate) => {
      const askers = [one, other].map((skew, at) => ({
        operation: { name: `${at}`, kind: 'get', entity: 'e', pick: { skew, miss: 0 } } as unknown as Operation,
        pagesPerSecond: at === 0 ? 1 : rate,
        tableShare: 1,
      }))
      const { cached, missed } = missCurveOf(pagesOfTable({ rows: 1e6, bytes: 1e5 * pageBytes }, askers), 2, 1e5)
      for (const column of missed) {
        for (let share = 0; share < 1; share += 0.02)
          expect(missedAt(cached, column, share + 0.02)).toBeLessThanOrEqual(missedAt(cached, column, share) + 1e-9)
        expect(missedAt(cached, column, 1)).toBeLessThan(1e-6)
      }
    }),
    { numRuns: 100, seed: 6 },
  )
})

test('a plan keeps less in memory where the newest rows are asked for, and the less the fewer they are', () => {
  const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
  const workingSet = (days: number | null, month: number) => {
    const scenario: Scenario = structuredClone(result.scenario)
    const order = entityOf(scenario, 'order')
    const picks = days === null ? [] : [{ withinMs: days * 86_400_000, pickShare: 0.99 }]
    for (const each of scenario.operations)
      if (each.entity === 'order' && days !== null)
        each.pick = { ...each.pick, skew: tiersOf([...picks, { withinMs: null, pickShare: 0.01 }], (spanMs) => newestShare(order, spanMs)) }
    const plan = planCapacity({ candidate: result.candidates[0] as Result['candidates'][number], result, demand: new Demand(scenario) })
    if (!isPlan(plan)) throw new Error(plan.reason)
    return middleOf(plan.hot.workingSet(month))
  }
  for (const month of [0, 36]) {
    expect(workingSet(7, month)).toBeLessThan(workingSet(90, month))
    expect(workingSet(90, month)).toBeLessThan(workingSet(null, month))
  }
  // It grows with the rows of a month.
  expect(workingSet(30, 36)).toBeGreaterThan(workingSet(30, 0))
})
