/** Latency of the plan: what was measured at the load of a planned server, and what the bench had not. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { latenciesByLoad, latencyAt } from '../../../src/assess/capacity/latency-by-load.ts'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { withAssumed } from '../../../src/assess/decision/assume.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { explain } from '../../../src/assess/figures/explain.ts'
import { reachable } from '../../../src/assess/figures/figure.ts'
import { binomialQuantile } from '../../../src/assess/fleet/added-latency.ts'
import type { LatencyCall } from '../../../src/assess/fleet/latency-of-plan.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { makeDocument } from '../../../src/report/report.ts'
import { type Result, readResult } from '../../../src/result/result.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'
import { decisionText } from '../../../src/terminal/decision.ts'

const ecommerce = readResult(join(fileURLToPath(new URL('../../golden', import.meta.url)), 'results', 'ecommerce.json'))
/** One candidate is drawn in a quarter of the time. */
const alone: Result = { ...ecommerce, candidates: ecommerce.candidates.filter(({ name }) => name === 'postgres') }
const decideOn = (result: Result, assumed: Record<string, number> = {}) =>
  withAssumed(new Map(Object.entries(assumed)), () =>
    decide(result, assess(result), { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') }),
  )
const { decision, explainable } = decideOn(ecommerce)
const callsOf = (name: string, of = decision) => of.candidates.find((each) => each.name === name)?.plan?.latency.calls ?? []
const at = (calls: LatencyCall[], operation: string, load: string, month = 0) =>
  calls.find((each) => each.operation === operation && each.load === load && each.month === month) as LatencyCall

describe('a percentile against the load', () => {
  const law = {
    limitMs: 5,
    lowest: { multiple: 1, ms: 0.6, calls: 400, error: { low: 1, mid: 1, high: 1, confidence: null } },
    bound: { low: 1.5, mid: 2, high: 3, confidence: 0.8 },
    unloaded: false,
  }

  test('is what was measured at the lowest rate, and the limit where the response curve passes it', () => {
    expect(latencyAt(law, 1, 1, 2, 1)).toBeCloseTo(0.6, 9)
    expect(latencyAt(law, 2, 1, 2, 1)).toBeCloseTo(5, 9)
    expect(latencyAt(law, 0.1, 1, 2, 1)).toBeCloseTo(0.6, 9)
    expect(latencyAt({ ...law, lowest: null }, 2, 1, 2, 1)).toBeCloseTo(5, 9)
  })

  test('that load does not drive is what was measured at the lowest rate, at any load', () => {
    for (const load of [0.1, 1, 30]) expect(latencyAt({ ...law, bound: null, unloaded: true }, load, 1, 1, 2)).toBeCloseTo(0.6, 9)
  })

  test('never falls as the load grows, whatever was drawn', () => {
    const positive = fc.double({ min: 0.05, max: 20, noNaN: true })
    fc.assert(
      fc.property(positive, positive, positive, positive, (load, more, error, bound) => {
        const [less, greater] = [load, load + more].map((each) => latencyAt(law, each, error, bound, 1)) as [number, number]
        expect(greater).toBeGreaterThanOrEqual(less * (1 - 1e-9))
      }),
      { numRuns: 300, seed: 1 },
    )
  })

  test('of a run says the same as its capacity', () => {
    const [postgres] = ecommerce.candidates as [Result['candidates'][number]]
    const laws = latenciesByLoad(postgres, ecommerce.scenario.operations)
    const binding = laws.find(({ operation }) => postgres.capacity.boundBy === `p99 of ${operation.name}`) ?? laws.find(({ law: own }) => own?.bound)
    const own = binding?.law as NonNullable<typeof binding>['law']
    if (own?.bound == null) throw new Error('no curve')
    expect(own.bound.mid).toBeGreaterThanOrEqual((postgres.capacity.objectives?.mid as number) * 0.999)
    expect(latencyAt(own, own.bound.mid, 1, own.bound.mid, 1)).toBeCloseTo(own.limitMs, 6)
  })
})

test('reads from disk in one call at most are a quantile of the binomial distribution', () => {
  expect(binomialQuantile(1, 0.005, 0.99)).toBe(0)
  expect(binomialQuantile(1, 0.02, 0.99)).toBe(1)
  expect(binomialQuantile(7, 0, 0.99)).toBe(0)
  expect(binomialQuantile(7, 1, 0.99)).toBe(7)
  // Of scipy.stats.binom.ppf(.99, 20, .3) and (.99, 5000, .2).
  expect(binomialQuantile(20, 0.3, 0.99)).toBe(11)
  expect(Math.abs(binomialQuantile(5000, 0.2, 0.99) - 1066)).toBeLessThanOrEqual(1)
})

describe('on the fleet', () => {
  test('every objective is told at average load and at peak, now, after a year and at the horizon', () => {
    const calls = callsOf('postgres')
    expect(new Set(calls.map(({ month }) => month))).toEqual(new Set([0, 12, decision.months]))
    for (const call of calls) {
      expect(call.totalMs.p50).toBeGreaterThan(call.aloneMs.p50)
      expect(call.holds).toBeLessThanOrEqual(call.holdsAlone)
      const average = at(calls, call.operation, 'average', call.month)
      if (call.load === 'peak') expect(call.totalMs.p50).toBeGreaterThanOrEqual(average.totalMs.p50 - 1e-9)
    }
  })

  test('who waits for a copy in another zone waits for one hop more; writes wait for the flush of a volume', () => {
    const hop = (candidate: string, operation: string) => at(callsOf(candidate), operation, 'peak').added.find(({ name }) => name.startsWith('hops'))
    expect(hop('postgres', 'write_session')?.ms).toBeCloseTo(1, 6)
    expect(hop('mongodb', 'write_session')?.ms).toBeCloseTo(2, 6)
    expect(hop('mongodb', 'read_session')?.ms).toBeCloseTo(1, 6)
    expect(hop('cassandra', 'read_session')?.ms).toBeCloseTo(2, 6)
    const flush = (operation: string) => at(callsOf('postgres'), operation, 'peak').added.some(({ name }) => name.startsWith('flush'))
    expect(flush('write_session')).toBe(true)
    expect(flush('read_session')).toBe(false)
  })

  test('what holds only without what is added is named, also where that is so at peak alone', () => {
    const now = at(callsOf('postgres'), 'get_product', 'peak')
    const average = at(callsOf('postgres'), 'get_product', 'average')
    const result = structuredClone(alone)
    const operation = result.scenario.operations.find((each) => each.name === 'get_product') as Operation
    expect(now.totalMs.p50).toBeGreaterThan(average.totalMs.p50)
    // A limit between them makes it late at peak alone; where between, the fleet says that is bought for that limit.
    const found = [0.2, 0.4, 0.6, 0.8].map((share) => {
      for (const objective of operation.objectives) objective.limitMs = average.totalMs.p50 + share * (now.totalMs.p50 - average.totalMs.p50)
      const { decision: strict } = decideOn(result)
      const plan = strict.candidates.find((each) => each.name === 'postgres')?.plan
      const risk = (load: 'average' | 'peak') => at(plan?.latency.calls ?? [], 'get_product', load).atRisk
      // In some month: another fleet stands later.
      const isAtRisk = plan?.latency.calls.some((call) => call.operation === 'get_product' && call.atRisk)
      expect(plan?.atRisk.includes('get_product')).toBe(isAtRisk)
      return { isAtPeakAlone: risk('peak') && !risk('average'), text: decisionText(strict, ecommerce.startedAt) }
    })
    const alonePeak = found.filter(({ isAtPeakAlone }) => isAtPeakAlone)
    expect(alonePeak.length).toBeGreaterThan(0)
    for (const { text } of alonePeak) expect(text).toMatch(/postgres: at risk: p99 of get_product at peak/)
  })

  test('the latency criterion judges it: farther zones are worse', () => {
    const utility = (of: typeof decision) => of.candidates[0]?.criteria.find(({ criterion }) => criterion === 'latency')?.utility?.p50 as number
    const far = decideOn(alone, { 'plan.zoneHop': 0.05 }).decision
    expect(utility(far)).toBeLessThan(utility(decision))
  })

  test('every number in it has a source and can be explained', () => {
    const path = 'latency.postgres.read_session.p99.peak@12'
    const text = explain(explainable, path)
    expect(text).toContain(path)
    expect(text).toContain('plan.zoneHop')
    const figure = explainable.figures.find((each) => each.path === path)
    const givens = reachable(figure === undefined ? [] : [figure]).filter((each) => each.kind === 'given')
    expect(givens.length).toBeGreaterThan(5)
    for (const given of givens) expect(given.kind === 'given' && given.source).not.toBe('')
  })

  test('the report and the terminal tell it', () => {
    const report = toMarkdown(makeDocument(ecommerce, assess(ecommerce), decision, []))
    expect(report.includes('How long calls take on it')).toBe(true)
    expect(/p99 of read\\?_session/.test(report)).toBe(true)
    expect(decisionText(decision, ecommerce.startedAt)).toMatch(/closest to its limit at peak is p99 of/)
  })
})
