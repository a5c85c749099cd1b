/** Held-back numbers of candidates whose truth is known. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { forecastsOf } from '../../../src/assess/capacity/forecast.ts'
import { type CandidateResult, readResult, type TrialResult } from '../../../src/result/result.ts'
import { readScenario } from '../../../src/scenario/read.ts'

const { operations } = readScenario('ecommerce')
const averageRate = 1000

/** Idle 0.05 cores and 0.2 ms of CPU a call; the busiest operation's percentiles grow with the square root of the load. */
function trial(phase: TrialResult['phase'], multiple: number): TrialResult {
  const us = 100 * Math.sqrt(multiple)
  const histogram = { count: 1000, mean: us, p50: us, p90: 2 * us, p95: 2 * us, p99: 3 * us, p999: 3 * us, max: 3 * us, encoded: '' }
  return {
    phase,
    mix: 'full',
    client: 'wire',
    arrival: { loop: 'open', multiple, ratePerSecond: multiple * averageRate, concurrency: null },
    throughputPerSecond: multiple * averageRate,
    slowdown: 1,
    validity: { verdict: 'valid', reasons: [] },
    resources: { server: { cpuCores: 0.05 + 0.0002 * multiple * averageRate, residentBytes: 1 } },
    operations: { read_session: { responseUs: histogram } },
  } as unknown as TrialResult
}
const candidate = (trials: TrialResult[]) => ({ name: 'x', mix: 'full', trials, sizes: [], provision: null }) as unknown as CandidateResult

test('server CPU follows the utilisation law, above and below the rates that were shown; percentiles lie between their neighbours', () => {
  for (const held of [0.5, 1.4, 2.8]) {
    const shown = [trial('curve', 1), trial('confirmation', 2), trial('curve', 4)]
    const found = forecastsOf(candidate([...shown, trial('held-back', held)]), operations)
    const of = (what: RegExp) => found.find((each) => what.test(each.what))
    expect(of(/^server CPU/)?.error).toBeLessThan(1e-6)
    if (held > 1) expect(of(/^p99 of read_session/)?.error).toBeLessThan(1e-6)
    else expect(of(/^p99 of read_session/)?.predicted).toBeCloseTo(300, 6)
  }
})

test('a saturated trial tells neither what is used nor how long an answer takes', () => {
  const off = { ...trial('curve', 4), throughputPerSecond: 9000, saturated: true }
  const found = forecastsOf(candidate([trial('curve', 1), trial('confirmation', 2), off, trial('held-back', 1.4)]), operations)
  expect(found.find((each) => /^server CPU/.test(each.what))?.error).toBeLessThan(1e-6)
})

test('nothing is predicted where nothing was held back, or too little shown', () => {
  expect(forecastsOf(candidate([trial('curve', 1), trial('curve', 2)]), operations)).toEqual([])
  expect(forecastsOf(candidate([trial('curve', 1), trial('held-back', 0.7)]), operations)).toEqual([])
})

test('a mean grows with the queue: s + k·ρ/(1 − ρ) is found again from other rates', () => {
  const queued = (phase: TrialResult['phase'], multiple: number) => {
    const made = trial(phase, multiple)
    const busy = 0.05 + 0.0002 * multiple * averageRate
    const mean = 150 + (80 * busy) / (1 - busy)
    return { ...made, operations: { read_session: { responseUs: { ...made.operations.read_session?.responseUs, mean } } } } as unknown as TrialResult
  }
  const shown = [0.5, 1, 2, 4].map((multiple) => queued('curve', multiple))
  const found = forecastsOf(candidate([...shown, queued('held-back', 3)]), operations).find((each) => /^mean of read_session/.test(each.what))
  expect(found?.error).toBeLessThan(1e-6)
  expect(found?.by).toMatch(/fitted to other rates/)
})

test('what the plan takes is graded: costs on a mix that they were not fitted to, bytes of a row on the rest of the load', () => {
  const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
  const asked = result.scenario.operations
  const found = result.candidates.flatMap((each) => forecastsOf(each, asked))
  const mixes = found.filter((each) => /CPU of the common mix/.test(each.what))
  expect(new Set(mixes.map((each) => each.candidate)).size).toBeGreaterThan(1)
  for (const each of mixes) expect(each.error).toBeLessThan(0.6)
  expect(found.filter((each) => each.what === 'bytes of the whole load').map((each) => each.candidate)).toEqual(
    result.candidates.map(({ name }) => name),
  )
})
