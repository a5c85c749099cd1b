/** Each number that a plan tells is found by its path, in every month that it is told of; those of a candidate are the same ones. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { assumedBy, withAssumed } from '../../../src/assess/decision/assume.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { amount } from '../../../src/assess/figures/amount.ts'
import { explain } from '../../../src/assess/figures/explain.ts'
import type { Unit } from '../../../src/assess/figures/figure.ts'
import type { FleetPlan } from '../../../src/assess/fleet/candidate-plan.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { readResult } from '../../../src/result/result.ts'

const golden = fileURLToPath(new URL('../../golden/results', import.meta.url))
const result = readResult(join(golden, 'ecommerce.json'))
const { decision, explainable } = decide(result, assess(result), { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
const planned = decision.candidates.flatMap(({ name, plan }) => (plan === null ? [] : [{ name, plan }]))

/** What is told, its path and its unit. */
type Told = [value: number, path: string, unit: Unit]

const linesTold = (name: string, { lines, month }: FleetPlan): Told[] =>
  lines.flatMap(({ name: line, usdPerMonth }) =>
    // What the draws add is what lies between two numbers that have a path.
    line === 'draws' ? [] : [[usdPerMonth.p50, `cost.${name}.${line === 'region' ? 'regionExtra' : line}@${month}`, 'USD/month'] as Told],
  )

describe.each(planned)('of $name', ({ name, plan }) => {
  const { now, horizon } = plan.fleet
  const told: Told[] = [
    ...linesTold(name, now),
    ...linesTold(name, horizon),
    ...plan.usdPerMonth.months.map(({ p50, month }): Told => [p50, `cost.${name}.total@${month}`, 'USD/month']),
    [plan.usdToHorizon.p50, `cost.${name}.horizon`, 'USD'],
    [plan.carried.p50, `capacity.${name}.carried`, 'multiple'],
    [plan.availability.p50, `plan.${name}.availability@0`, 'share'],
    [plan.rowAvailability.p50, `plan.${name}.rowAvailability@0`, 'share'],
    ...plan.latency.calls
      .slice(0, 4)
      .map((call): Told => [call.totalMs.p50 / 1000, `latency.${name}.${call.operation}.${call.objective}.${call.load}@${call.month}`, 'seconds']),
  ]

  test.each(told.map(([value, path, unit]) => [path, amount(value, unit)]))('%s is %s', (path, text) => {
    const line = explain(explainable, path)
      .split('\n')
      .find((each) => each.startsWith(`${path} = `))
    expect(line?.slice(`${path} = `.length).replace(/ \(.*| {2}.*/, '')).toBe(text)
  })
})

describe('of the demand', () => {
  // The table has each number at its middle; taken apart it is told by its draws.
  const told = decision.demand.months.flatMap(({ month, operations, entities }): Told[] => [
    ...operations.slice(0, 2).map(({ name, perSecond }): Told => [perSecond, `demand.${name}.rate@${month}`, 'operations/s']),
    ...operations.slice(0, 2).map(({ name, peakPerSecond }): Told => [peakPerSecond, `demand.${name}.peakRate@${month}`, 'operations/s']),
    ...entities.map(({ name, rows }): Told => [rows, `demand.${name}.rows@${month}`, 'rows']),
  ])

  test.each(told.map(([, path]) => path))('%s', (path) => {
    expect(explain(explainable, path)).toContain(`${path} = `)
  })
})

describe('what is assumed', () => {
  const names = decision.assumed.map(({ path }) => path)

  test('is told once each, with its range and what it is', () => {
    expect(names).toEqual([...new Set(names)].sort())
    expect(names).toEqual(expect.arrayContaining(['plan.hostFactor', 'plan.rowsExponent', 'demand.peakSpread']))
    for (const { path, range, source } of decision.assumed) {
      expect(range.low, path).toBeLessThanOrEqual(range.mid)
      expect(range.mid, path).toBeLessThanOrEqual(range.high)
      expect(source, path).toMatch(/./)
    }
  })

  test('is what a wish may replace', () => {
    const known = withAssumed(assumedBy('plan.hostFactor=0.9'), () =>
      decide(result, assess(result), { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') }),
    )
    expect(known.decision.assumed.find(({ path }) => path === 'plan.hostFactor')?.range).toMatchObject({ low: 0.9, mid: 0.9, high: 0.9 })
    expect(known.decision.assumed.map(({ path }) => path)).toEqual(names)
  })
})
