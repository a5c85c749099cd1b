/** Runs that knew their machine at different speeds are told at one: a server that did not change is then the same in all of them. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { compare } from '../../../src/assess/judge/compare.ts'
import { atOneSpeed } from '../../../src/assess/judge/one-speed.ts'
import { poolResults } from '../../../src/assess/judge/pool.ts'
import { cpuUsPerOperation } from '../../../src/assess/judge/resolution.ts'
import { usualSensitivity } from '../../../src/measure/slowdown.ts'
import { comparisonMarkdown } from '../../../src/report/comparison.ts'
import { type Result, readResult } from '../../../src/result/result.ts'

const golden = readResult(fileURLToPath(new URL('../../golden/results/small.json', import.meta.url)))
const [fastUs, slowUs] = [8, 10]
/** No window of these tells a sensitivity of its own. */
const factor = (slowUs / fastUs) ** usualSensitivity

/** Hours of one day; all trials met a host on which the piece of code took `hostUs`, and the run knew of no faster one than `fullSpeedUs`. */
function run(hour: number, fullSpeedUs: number, hostUs = fullSpeedUs): Result {
  const made = structuredClone(golden)
  Object.assign(made, { startedAt: `2026-11-27T0${hour}:00:00.000Z`, fullSpeedUs })
  const slower = (hostUs / fastUs) ** usualSensitivity
  const told = (fullSpeedUs / fastUs) ** usualSensitivity
  for (const candidate of made.candidates) {
    candidate.sizes = [{ cpus: 2, throughputPerSecond: 9000 / told, connections: 4 }]
    for (const kind of ['multiple', 'saturation', 'cpu', 'objectives'] as const) {
      const own = candidate.capacity[kind]
      if (own !== null) Object.assign(own, { low: own.low / told, mid: own.mid / told, high: own.high === null ? null : own.high / told })
    }
    for (const trial of candidate.trials) {
      trial.timeline = [{ hostUs } as (typeof trial.timeline)[number]]
      trial.slowdown = slower / told
      if (trial.resources.server !== null) trial.resources.server.cpuCores *= slower
      for (const { serviceUs, responseUs } of Object.values(trial.operations)) {
        serviceUs.p50 *= slower
        if (responseUs !== null) responseUs.p99 *= slower
      }
    }
  }
  return made
}
const first = (result: Result | undefined) => result?.candidates[0] as Result['candidates'][number]

describe('runs of one machine', () => {
  test('are told at the fastest speed that one of them knew, by how each server follows its cores', () => {
    const [early, late] = atOneSpeed([run(1, slowUs), run(2, fastUs)]).results
    expect(early?.fullSpeedUs).toBe(fastUs)
    expect(late).toEqual(run(2, fastUs))
    for (const kind of ['multiple', 'saturation', 'cpu', 'objectives'] as const)
      expect(first(early).capacity[kind]?.mid).toBeCloseTo(first(golden).capacity[kind]?.mid as number, 6)
    expect(first(early).sizes[0]?.throughputPerSecond).toBeCloseTo(9000, 6)
    expect(first(early).trials[0]?.slowdown).toBeCloseTo(factor, 9)
    expect(cpuUsPerOperation(first(early))).toBeCloseTo(cpuUsPerOperation(first(golden)) as number, 6)
  })

  test('what does not scale with the load gets none of the speed: saved capacities and trials beside them agree', () => {
    const early = run(1, slowUs)
    const [fixed, scaling] = early.scenario.operations.map((operation, at) =>
      Object.assign(operation, { scales: at > 0, ratePerSecond: at > 0 ? 100 : 2000 }),
    )
    const more = (early.scenario.operations.length - 1) * (scaling?.ratePerSecond as number)
    const [told] = atOneSpeed([early, run(2, fastUs)]).results
    for (const kind of ['saturation', 'cpu'] as const) {
      const perSecond = (fixed?.ratePerSecond as number) + more * (first(early).capacity[kind]?.mid as number)
      expect(first(told).capacity[kind]?.mid).toBeCloseTo((perSecond * factor - (fixed?.ratePerSecond as number)) / more, 6)
    }
  })

  test('one sentence says that, and by how much', () => {
    expect(atOneSpeed([run(1, slowUs), run(2, fastUs)]).said).toBe(
      `Brought to the fastest full speed of the cores that these runs have met on their machine: capacities and throughput are told higher, CPU per operation lower, postgres ${factor.toFixed(2)}, mongodb ${factor.toFixed(2)} times in the run of 2026-11-27 01:00.`,
    )
    expect(atOneSpeed([run(1, fastUs), run(2, fastUs)]).said).toBe('')
  })

  test('a candidate that was not timed stands as it was measured', () => {
    const early = run(1, slowUs)
    for (const trial of first(early).trials) trial.timeline = [1, 2, 3].map(() => ({ hostUs: null }) as (typeof trial.timeline)[number])
    const { results, said, isOne } = atOneSpeed([early, run(2, fastUs)])
    expect(isOne).toBe(false)
    expect(first(results[0])).toEqual(first(early))
    expect(said).not.toContain('postgres')
    expect(said).toContain('mongodb')
  })
})

test('runs of different machines, and those that nobody timed, are not brought together, and that is said', () => {
  const elsewhere = run(1, slowUs)
  elsewhere.host.cpu = 'another'
  const apart = atOneSpeed([elsewhere, run(2, fastUs)])
  expect(apart.results[0]).toEqual(elsewhere)
  expect(apart).toMatchObject({ isOne: false, said: expect.stringContaining('different machines, CPUs or versions of Node') })
  const untimed = { ...run(1, slowUs), fullSpeedUs: null }
  expect(atOneSpeed([untimed, run(2, fastUs)])).toMatchObject({
    isOne: false,
    said: expect.stringContaining('is not known of the run of 2026-11-27 01:00'),
  })
  expect(atOneSpeed([golden, golden])).toMatchObject({ isOne: false, said: '' })
})

test('pooled, a machine that was met faster later is no difference between the runs', () => {
  const { numbers, result, runs, speed } = poolResults([run(2, fastUs), run(1, slowUs), run(3, slowUs)])
  expect(numbers.length).toBeGreaterThan(4)
  for (const each of numbers) expect(each.runsDiffer).toBeCloseTo(1, 6)
  expect(runs.map(({ fullSpeedUs }) => fullSpeedUs)).toEqual([fastUs, fastUs, fastUs])
  expect(first(result).capacity.cpu?.mid).toBeCloseTo(first(golden).capacity.cpu?.mid as number, 6)
  expect(speed).toContain('times in the run of 2026-11-27 01:00; ')
})

test('compared, neither what was known of the machine nor a slower host is a difference', () => {
  const comparison = compare(run(1, slowUs), run(2, fastUs, 1.5 * fastUs), 0)
  for (const { ratio } of [...comparison.numbers, ...comparison.rows]) if (ratio !== null) expect(ratio.mid).toBeCloseTo(1, 6)
  expect(comparison.rows.some(({ ratio }) => ratio !== null)).toBe(true)
  expect(comparison.regressions).toBe(0)
  expect(comparison.speed).toMatch(
    /^Brought to the fastest full speed.* Times are as they were measured, their ratios at the full speed of the cores\.$/,
  )
  expect(comparisonMarkdown(comparison)).toContain(comparison.speed)
  // On another machine a slower host may be a slower server.
  const elsewhere = run(2, fastUs, 1.5 * fastUs)
  elsewhere.host.machine = 'another'
  expect(compare(run(1, slowUs), elsewhere, 0).rows.some(({ ratio }) => ratio !== null && ratio.mid > 1.1)).toBe(true)
})
