/** Two equals, and two that are none, by every number that a report compares. */

import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { assess } from '../../../src/assess/judge/assess.ts'
import { factorOf, resolutionIn, resolutionText } from '../../../src/assess/judge/machine-resolution.ts'
import { comparePairs } from '../../../src/assess/judge/pairs.ts'
import { knownFrom, resolutionOf } from '../../../src/assess/judge/resolution.ts'
import { keyOf, Source } from '../../../src/data/random.ts'
import { readResult } from '../../../src/result/result.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

const golden = readResult(fileURLToPath(new URL('../../golden/results/small.json', import.meta.url)))

/** The first candidate twice; `factor`: how much more CPU and capacity the second has. */
function twiceResult(factor: number) {
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
  return result
}

function twice(factor: number) {
  const result = twiceResult(factor)
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
  const known = knownFrom(found, [])
  expect(factorOf(known, ['postgres'], 'CPU per operation')).toBeCloseTo(3, 6)
  expect(factorOf(known, ['redis'], 'CPU per operation')).toBe(1)
  expect(factorOf([], ['postgres'], 'capacity')).toBe(1)
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

/** Two equals with this many rounds: every operation scatters by itself, all of a round a little together. */
function equals(seed: number, rounds: number, apart = 1) {
  const draws = new Source().restart(keyOf(seed, 'equals'), 1)
  const normal = () => Math.sqrt(-2 * Math.log(1 - draws.next())) * Math.cos(2 * Math.PI * draws.next())
  const result = structuredClone(golden)
  const [first] = result.candidates
  const model = first?.trials.find((trial) => trial.phase === 'confirmation')
  if (first === undefined || model === undefined) throw new Error('the golden result has no candidate')
  const [operation, own] = Object.entries(model.operations).find(([, each]) => each.responseUs !== null) ?? []
  if (operation === undefined || own === undefined || own.responseUs === null) throw new Error('the golden result has no open loop')
  const [some] = result.scenario.operations as { name: string }[]
  const names = Array.from({ length: 10 }, (_, at) => `operation${at}`)
  Object.assign(result.scenario, { operations: names.map((name) => ({ ...some, name })) })
  const valid = { verdict: 'valid' as const, reasons: [], clientBound: [] }
  const scatters = names.map((_, at) => 0.1 + 0.02 * at)
  const candidateOf = (name: string, factor: number) => ({
    ...first,
    name,
    mix: 'full' as const,
    compiled: names.map((each) => ({ operation: each, statements: [] })),
    trials: result.trialPlan.multiples.flatMap((multiple) =>
      Array.from({ length: rounds }, (_, repeat) => {
        const round = 0.1 * normal()
        const times = names.map((each, at) => {
          const p99 = 1000 * factor * Math.exp(round + (scatters[at] as number) * normal())
          return [each, { ...own, responseUs: { ...own.responseUs, count: 1000, p99 } }] as const
        })
        return {
          ...model,
          repeat,
          start: repeat + 1,
          mix: 'full' as const,
          saturated: false,
          validity: valid,
          arrival: { ...model.arrival, multiple },
          resources: { ...model.resources, server: { cpuCores: 0.5 * factor * Math.exp(0.04 * normal()), residentBytes: 1 } },
          operations: Object.fromEntries(times),
        }
      }),
    ),
  })
  return { ...result, candidates: [candidateOf('a', 1), candidateOf('b', apart)] } as typeof result
}

test('of two equals with three rounds and ten operations hardly ever is anything called different, and what is three times as slow is', () => {
  const differing = (seed: number, apart: number) => {
    const result = equals(seed, 3, apart)
    const comparisons = comparePairs(result, result.scenario.operations as Operation[], [])
    return resolutionOf(result, { candidates: [], holds: [], comparisons, resolution: [] }, null).rows.filter(
      ({ verdict }) => verdict === 'different',
    ).length
  }
  const seeds = Array.from({ length: 60 }, (_, at) => at)
  // With intervals that are the plain range of three ratios every second operation and more of a pair of equals was "different".
  expect(seeds.filter((seed) => differing(seed, 1) > 0).length).toBeLessThanOrEqual(6)
  const found = seeds.map((seed) => differing(seed, 3))
  expect(found.reduce((sum, each) => sum + each, 0) / seeds.length).toBeGreaterThan(8)
})

test('candidates that lack the same operations did the same job, and are a pair; those that lack others are none', () => {
  const result = equals(3, 5, 3)
  for (const candidate of result.candidates)
    Object.assign(candidate, { mix: 'partial', trials: candidate.trials.map((trial) => ({ ...trial, mix: 'partial' })) })
  const pairs = () => comparePairs(result, result.scenario.operations as Operation[], [])
  expect(new Set(pairs().map(({ mix, verdict }) => `${mix} ${verdict}`))).toEqual(new Set(['partial slower']))
  result.candidates[1]?.compiled.pop()
  expect(pairs()).toEqual([])
})

test('what server and driver take is compared between equals, too, and has a resolution of its own', () => {
  const result = twiceResult(1)
  const [, second] = result.candidates
  for (const trial of second?.trials ?? []) for (const own of Object.values(trial.operations)) own.serviceUs.p50 *= 2
  const found = resolutionOf(result, assess(result), null)
  const rows = found.rows.filter(({ number }) => number.startsWith('service p50 of '))
  expect(rows.length).toBeGreaterThan(0)
  expect(rows.some(({ ratio, verdict }) => verdict === 'different' && Math.abs((ratio as number) - 2) < 1e-9)).toBe(true)
  const known = knownFrom(found, [])
  expect(factorOf(known, ['postgres'], 'service p50')).toBeCloseTo(2, 6)
  expect(factorOf(known, ['postgres'], 'p99')).toBeCloseTo(1, 6)
})

test('where no equals were measured, what differs less than the starts of the run let expect is a tie, and that is said', () => {
  const result = equals(7, 5, 1.02)
  const known = resolutionIn(result)
  expect(known.every(({ from }) => from === 'starts')).toBe(true)
  expect(factorOf(known, ['postgres'], 'p99')).toBeGreaterThan(1.05)
  expect(factorOf(known, ['postgres'], 'CPU per operation')).toBeGreaterThan(1.01)
  expect(resolutionText(known)).toContain('was not measured (dbtrial resolution does)')
  const verdicts = new Set(comparePairs(result, result.scenario.operations as Operation[], known).map(({ verdict }) => verdict))
  expect(verdicts).toEqual(new Set(['tie']))
  result.resolution = [{ engine: 'postgres', number: 'p99', ratio: 1.3 }]
  const both = resolutionIn(result)
  expect(factorOf(both, ['postgres'], 'p99')).toBe(1.3)
  expect(both.filter(({ from }) => from === 'equals').length).toBe(1)
  expect(resolutionText(both)).toContain('measured with postgres: p99 1.30 times')
})

test('ranges of factors run from the least to the most', () => {
  const known = [125.86, 9.5, 96.58].map((ratio, at) => ({ engine: `e${at}`, number: 'p99' as const, ratio, from: 'equals' as const }))
  expect(resolutionText(known)).toContain('p99 9.50 to 125.86 times')
})
