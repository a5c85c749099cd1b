/** Two equals, and two that are none, by every number that a report compares. */

import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { assess } from '../../../src/assess/assess.ts'
import { factorOf, knownFrom, resolutionOf } from '../../../src/assess/resolution.ts'
import { readResult } from '../../../src/result.ts'

const golden = readResult(fileURLToPath(new URL('../../golden/results/small.json', import.meta.url)))

/** The first candidate twice; `factor`: how much more CPU and capacity the second has. */
function twice(factor: number) {
  const result = structuredClone(golden)
  const [first] = result.candidates
  if (first === undefined) throw new Error('the golden result has no candidate')
  const second = structuredClone({ ...first, name: 'b' })
  for (const trial of second.trials) if (trial.resources.server !== null) trial.resources.server.cpuCores *= factor
  for (const kind of ['saturation', 'cpu', 'objectives'] as const) {
    const own = second.capacity[kind]
    if (own !== null) Object.assign(own, { low: own.low * factor, mid: own.mid * factor, high: own.high === null ? null : own.high * factor })
  }
  result.candidates = [first, second]
  return resolutionOf(result, assess(result), null)
}

test('of one and the same nothing is different, and all ratios are 1', () => {
  const { engine, rows, eliminated } = twice(1)
  expect(engine).toBe('postgres')
  expect(rows.filter((row) => row.verdict === 'different')).toEqual([])
  expect(rows.filter((row) => row.ratio !== null).every((row) => Math.abs((row.ratio as number) - 1) < 1e-9)).toBe(true)
  expect(rows.filter((row) => row.ratio !== null).length).toBeGreaterThan(4)
  expect(eliminated).toEqual([])
})

test('three times the work is different, and is the resolution that is kept', () => {
  const found = twice(3)
  expect(found.rows.find((row) => row.number.startsWith('CPU per operation'))).toMatchObject({ verdict: 'different' })
  const known = knownFrom(found)
  expect(factorOf(known, ['postgres'], 'CPU per operation')).toBeCloseTo(3, 6)
  expect(factorOf(known, ['redis'], 'CPU per operation')).toBe(1)
  expect(factorOf(null, ['postgres'], 'capacity')).toBe(1)
})

test('pairs that differ less than equals do on this machine are a tie', () => {
  const result = structuredClone(golden)
  const [first] = result.candidates
  if (first === undefined) throw new Error('the golden result has no candidate')
  for (const trial of first.trials) Object.assign(trial, { saturated: false, validity: { verdict: 'valid', reasons: [], clientBound: [] } })
  for (const each of first.trials.flatMap((trial) => Object.values(trial.operations))) Object.assign(each.responseUs ?? {}, { count: 1000, p99: 100 })
  const slower = structuredClone({ ...first, name: 'b' })
  for (const each of slower.trials.flatMap((trial) => Object.values(trial.operations))) Object.assign(each.responseUs ?? {}, { p99: 150 })
  result.candidates = [first, slower]
  const verdicts = () => new Set(assess(result).comparisons.map(({ verdict }) => verdict))
  expect(verdicts()).toEqual(new Set(['slower']))
  result.resolution = [{ engine: 'postgres', number: 'p99', ratio: 1.6 }]
  expect(verdicts()).toEqual(new Set(['tie']))
})
