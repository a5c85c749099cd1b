/** Comparisons on a real result: with itself, with a slower one, with another model, with what cannot be compared. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { compare } from '../../../src/assess/judge/compare.ts'
import { p99Of } from '../../../src/assess/judge/machine-resolution.ts'
import { mergedHistogram } from '../../../src/measure/merged.ts'
import { comparisonJunit, comparisonMarkdown, verdictLine } from '../../../src/report/comparison.ts'
import { type OperationResult, type Result, readResult } from '../../../src/result/result.ts'
import { ratioOf } from '../../../src/stats/intervals.ts'
import { median } from '../../../src/stats/median.ts'

const sample = readResult(fileURLToPath(new URL('../../../reports/sample/result.json', import.meta.url)))

/** The sample with its confirmed service times of one operation multiplied. */
function slower(operation: string, factor: number): Result {
  const copy = structuredClone(sample)
  for (const candidate of copy.candidates)
    for (const trial of candidate.trials) {
      const own = trial.operations[operation]
      if (own !== undefined) own.serviceUs.p50 *= factor
    }
  return copy
}

test('a result compared with itself is a tie everywhere, and nothing differs', () => {
  const comparison = compare(sample, sample, 0)
  expect(comparison.differences).toEqual([])
  expect(comparison.regressions).toBe(0)
  const verdicts = new Set(comparison.rows.map((row) => row.verdict))
  expect([...verdicts].sort()).toEqual(['tie', 'undetermined'])
  for (const row of comparison.rows) if (row.ratio !== null) expect(row.ratio.mid).toBeCloseTo(1, 12)
  expect(verdictLine(comparison)).toMatch(/^No regression/)
})

test('three times slower is found, and only there; within the tolerance it is none', () => {
  const comparison = compare(sample, slower('get_product', 3), 0.25)
  const found = comparison.rows.filter((row) => row.verdict === 'slower')
  // Where the rounds of the sample lie so far apart that a factor of three drowns in them, nothing can be found.
  const equal = compare(sample, sample, 0.25).rows.filter((row) => row.operation === 'get_product' && row.metric === 'service p50')
  expect(found.length).toBeLessThanOrEqual(equal.filter((row) => row.ratio !== null && row.ratio.low * 3 > 1.25).length)
  expect(found.length).toBeGreaterThan(0)
  expect(found.every((row) => row.operation === 'get_product' && row.metric === 'service p50' && row.regression)).toBe(true)
  expect(compare(slower('get_product', 3), sample, 0.25).rows.some((row) => row.verdict === 'faster')).toBe(true)
  expect(compare(sample, slower('get_product', 3), 9).regressions).toBe(0)
  expect(comparisonMarkdown(comparison)).toContain('| slower |')
  expect(comparisonJunit(comparison).match(/<failure /g)?.length).toBe(found.length)
})

test('an index that is gone is named, with what it serves', () => {
  const copy = structuredClone(sample)
  const store = copy.candidates[0]?.model.stores.find((each) => each.name === 'order')
  const [gone] = (store?.indexes ?? []).splice(0, 1)
  expect(compare(sample, copy, 0.25).differences).toEqual([
    expect.stringMatching(new RegExp(`postgres: index on order \\(.*\\) is gone; it serves ${gone?.serves[0]}`)),
  ])
})

test.each([
  ['seed', (copy: Result) => void (copy.seed = 1), /the seed \(\d+, 1\)/],
  ['data', (copy: Result) => void (copy.dataHash = 'x'), /the generated data/],
  ['multiples', (copy: Result) => void (copy.trialPlan.multiples = [1, 4]), /the multiples \(1,3, 1,4\)/],
  ['effort', (copy: Result) => void (copy.trialPlan.effort = 'smoke'), /the effort \(quick, smoke\)/],
  ['scenario', (copy: Result) => void (copy.scenario.operations = []), /the scenario's operations/],
])('another %s cannot be compared, and is named', (_, change, message) => {
  const copy = structuredClone(sample)
  change(copy)
  expect(() => compare(sample, copy, 0.25)).toThrow(message)
})

test('intervals: none of two, Welch from three on', () => {
  expect(ratioOf([1, 1], [2, 2, 2])).toBeNull()
  // t(0.975, 4) = 2.776; equal variances of logs (ln 2)², n = 3.
  expect(Math.log((ratioOf([1, 2, 4], [2, 4, 8])?.high ?? 0) / 2)).toBeCloseTo(2.7764 * Math.LN2 * Math.sqrt(2 / 3), 3)
  // t(0.975, 8) = 2.306; equal variances of logs s² = 0.025, n = 5: half width 2.306·√(0.025·2/5) = 0.23060.
  const logs = [-0.2, -0.1, 0, 0.1, 0.2].map((log) => Math.exp(log))
  const interval = ratioOf(
    logs,
    logs.map((value) => value * 1.5),
  )
  expect(interval?.confidence).toBe(0.95)
  expect(Math.log((interval?.high ?? 0) / 1.5)).toBeCloseTo(0.2306, 4)
  expect(Math.log(1.5 / (interval?.low ?? 1))).toBeCloseTo(0.2306, 4)
})

/** The sample with capacities and CPU of a candidate multiplied. */
function changed(name: string, capacity: number, cpu: number): Result {
  const copy = structuredClone(sample)
  for (const candidate of copy.candidates.filter((each) => each.name === name)) {
    for (const kind of ['saturation', 'cpu', 'objectives'] as const) {
      const own = candidate.capacity[kind]
      if (own !== null) Object.assign(own, { low: own.low * capacity, mid: own.mid * capacity, high: own.high === null ? null : own.high * capacity })
    }
    for (const trial of candidate.trials) if (trial.resources.server !== null) trial.resources.server.cpuCores *= cpu
  }
  return copy
}

test('capacities and CPU per operation are compared, too: a third of the capacity and four times the work are a regression', () => {
  const of = (comparison: ReturnType<typeof compare>) =>
    comparison.numbers
      .filter((each) => each.verdict !== 'tie' && each.verdict !== 'undetermined')
      .map(({ candidate, number, verdict }) => [candidate, number, verdict])
  expect(of(compare(sample, sample, 0))).toEqual([])
  const worse = compare(sample, changed('postgres', 0.3, 4), 0.25)
  expect(of(worse)).toEqual([
    ['postgres', 'CPU per operation', 'slower'],
    ['postgres', 'capacity: saturation', 'slower'],
    ['postgres', 'capacity: cpu', 'slower'],
    ['postgres', 'capacity: objectives', 'slower'],
  ])
  expect(worse.regressions).toBe(4)
  expect(verdictLine(worse)).toMatch(/^Regression: 4 slower/)
  expect(comparisonMarkdown(worse)).toContain('CPU per operation, µs')
  expect(of(compare(changed('postgres', 0.3, 4), sample, 0.25)).map(([, , verdict]) => verdict)).toEqual(['faster', 'faster', 'faster', 'faster'])
})

test('a lower bound is compared with nothing, and that is said', () => {
  const copy = changed('postgres', 0.3, 1)
  Object.assign(copy.candidates.find(({ name }) => name === 'postgres')?.capacity.saturation ?? {}, { high: null })
  const found = compare(sample, copy, 0.25).numbers.find((each) => each.candidate === 'postgres' && each.number === 'capacity: saturation')
  expect(found).toMatchObject({ verdict: 'undetermined', undetermined: 'capacity: saturation is a lower bound in one of the two' })
})

test('less than two equals differ on this machine is a tie, whatever the intervals say', () => {
  const worse = changed('postgres', 0.3, 4)
  worse.resolution = [
    { engine: 'postgres', number: 'CPU per operation', ratio: 5 },
    { engine: 'postgres', number: 'capacity', ratio: 5 },
  ]
  const comparison = compare(sample, worse, 0.25)
  expect(comparison.regressions).toBe(0)
  expect(comparison.resolution).toContain('measured with postgres')
})

test('times are percentiles of all rounds together, not the middle of those of the rounds', () => {
  const rows = compare(sample, sample, 0.25).rows.filter((row) => row.metric === 'response p99' && row.ratio !== null)
  const told = rows.map(({ candidate, operation, multiple, baselineUs }) => {
    const rounds = (sample.candidates.find(({ name }) => name === candidate)?.trials ?? []).filter(
      (trial) => trial.phase === 'confirmation' && trial.mix !== 'common' && trial.arrival.multiple === multiple && p99Of(trial, operation) !== null,
    )
    const responses = rounds.map((trial) => trial.operations[operation]?.responseUs)
    return { baselineUs, merged: mergedHistogram(responses).quantileNs(0.99) / 1000, middle: median(responses.flatMap((each) => each?.p99 ?? [])) }
  })
  for (const { baselineUs, merged } of told) expect(baselineUs).toBe(merged)
  expect(told.some(({ merged, middle }) => Math.abs(merged / (middle as number) - 1) > 0.01)).toBe(true)
})

describe('an objective that was met and is missed', () => {
  /** The sample, with every open loop of one operation of the only candidate that meets all at the average load changed. */
  function missing(change: (own: OperationResult) => void): Result {
    const copy = structuredClone(sample)
    for (const trial of copy.candidates.find(({ name }) => name === 'redis')?.trials ?? []) {
      const own = trial.operations.get_product
      if (own === undefined || trial.arrival.loop !== 'open') continue
      change(own)
    }
    return copy
  }
  const over = (own: OperationResult) => void (own.exceeded.p99 = Math.round(0.6 * own.intended))
  const broken = (change: (own: OperationResult) => void) => compare(sample, missing(change), 0.25).broken

  test('breaks nothing where its p99 is no slower than that of an equal', () => {
    expect(broken(over)).toEqual([])
  })

  test('is broken where its p99 is slower, or where it lies in errors', () => {
    const found = ['redis: objectives missed at 1×, met before: get_product']
    const slower = (own: OperationResult) => {
      over(own)
      if (own.responseUs !== null) own.responseUs.p99 *= 50
    }
    expect(broken(slower)).toEqual(found)
    expect(broken((own) => void (own.errors = { refused: Math.round(0.05 * own.intended) }))).toEqual(found)
  })
})
