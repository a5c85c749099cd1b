/**
 * What is read from few trials: of an overload nothing that holds for less (what a call takes, and leaves for disks), and of two points or one
 * start no interval (bytes of a row, a capacity).
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { serviceSecondsOf } from '../../../src/assess/capacity/calls.ts'
import { assumedBy, withAssumed } from '../../../src/assess/decision/assume.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { spareOf } from '../../../src/assess/demand/traffic.ts'
import { type Figure, reachable } from '../../../src/assess/figures/figure.ts'
import { middleOf } from '../../../src/assess/figures/simulate.ts'
import { isPlan, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { type CandidateResult, readResult } from '../../../src/result/result.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const scenario = result.scenario
const named = (name: string) => result.candidates.find((each) => each.name === name) as CandidateResult
const operation = (name: string) => scenario.operations.find((each) => each.name === name) as Operation
const [mongodb, cassandra] = [named('mongodb'), named('cassandra')]
/** MongoDB carries about .3×, and its lowest confirmed rate is 1×. */
const carried = mongodb.capacity.multiple?.mid as number

describe('the service time of a call', () => {
  const serviceOf = ({ trials }: CandidateResult, at: number) => serviceSecondsOf({ trials }, [operation('daily_revenue')], at).get('daily_revenue')

  test('is that of rates which are carried, confirmed or not, and else of the call alone', () => {
    expect(carried).toBeLessThan(0.5)
    expect(serviceOf(mongodb, carried)).toBeLessThan(0.02)
    // At 1× it waits for all that is late.
    expect(serviceOf(mongodb, 3)).toBeGreaterThan(0.04)
    // No rate that Cassandra carries had a call of it: alone it took 19 ms, overloaded 214 ms.
    expect(serviceOf(cassandra, cassandra.capacity.multiple?.mid as number)).toBeCloseTo(0.019, 3)
  })

  test('is not that of a trial whose server fell behind', () => {
    const trials = mongodb.trials.map((trial) => (trial.phase === 'curve' ? { ...trial, saturated: true } : trial))
    expect(serviceOf({ ...mongodb, trials }, carried)).toBeCloseTo(0.0061, 4)
  })
})

describe('what an objective leaves for disks', () => {
  const spare = (limitMs: number, at = carried) =>
    spareOf(mongodb, { ...operation('get_order'), objectives: [{ name: 'p99', quantile: 0.99, limitMs }] }, at)

  test('is its limit less what was measured at rates that the server carries', () => {
    const left = spare(20)
    expect(left?.share).toBeCloseTo(0.01, 12)
    // 2 to 9 ms there, more than 13 in every trial at 1×.
    expect(left?.ms).toBeGreaterThan(10)
    expect((spare(40)?.ms as number) - (left?.ms as number)).toBeCloseTo(20, 9)
  })

  test('is nothing that memory could mend where it is late without any disk, or no such rate was tried', () => {
    expect(spare(1)).toBeNull()
    expect(spare(20, 0.01)).toBeNull()
  })

  test('of several objectives the strictest that is met counts', () => {
    const objectives = [
      { name: 'p99' as const, quantile: 0.99, limitMs: 1 },
      { name: 'p50' as const, quantile: 0.5, limitMs: 20 },
    ]
    expect(spareOf(mongodb, { ...operation('get_order'), objectives }, carried)).toMatchObject({ share: 0.5 })
  })

  test('so that a server which does less than today’s load needs no more memory for it', () => {
    const plan = planCapacity({ candidate: mongodb, result, demand: new Demand(scenario) })
    if (!isPlan(plan)) throw new Error(plan.reason)
    for (const month of [0, 36]) expect(middleOf(plan.hot.mustCache(month))).toBeLessThanOrEqual(middleOf(plan.hot.workingSet(month)))
  })
})

describe('what too few points tell', () => {
  const planOf = (candidate: CandidateResult) => {
    const plan = planCapacity({ candidate, result, demand: new Demand(scenario) })
    if (!isPlan(plan)) throw new Error(plan.reason)
    return plan
  }
  const found = (figure: Figure, path: string) => reachable([figure]).find((each) => each.path === path)

  test('the bytes of a row are a slope through two points: derived, with a spread that is assumed', () => {
    const { storage } = planOf(mongodb)
    const bytes = storage.bytes(36)
    expect(found(bytes, 'storage.mongodb.order.perRow')).toMatchObject({ kind: 'product', provenance: 'derived' })
    expect(found(bytes, 'storage.mongodb.order.slope')).toMatchObject({ provenance: 'measured' })
    expect(found(bytes, 'plan.rowBytesSpread')).toMatchObject({ provenance: 'assumed', range: { low: 0.9, mid: 1, high: 1.15 } })
    const more = withAssumed(assumedBy('plan.rowBytesSpread=1.1'), () => middleOf(planOf(mongodb).storage.bytes(36)))
    expect(more / middleOf(bytes)).toBeCloseTo(1.1, 9)
  })

  test('a capacity of one start is no interval: derived, with a spread that is assumed', () => {
    const once = structuredClone(mongodb)
    once.capacity.multiple = { low: 0.3, mid: 0.3, high: 0.3, confidence: null }
    expect(found(planOf(once).carried, 'capacity.mongodb.sustained')).toMatchObject({ provenance: 'derived' })
    expect(found(planOf(once).carried, 'plan.startSpread')).toMatchObject({ provenance: 'assumed', range: { low: 0.8, mid: 1, high: 1.25 } })
    expect(found(planOf(mongodb).carried, 'capacity.mongodb.sustained')).toMatchObject({ provenance: 'measured' })
    expect(found(planOf(mongodb).carried, 'plan.startSpread')).toBeUndefined()
  })
})
