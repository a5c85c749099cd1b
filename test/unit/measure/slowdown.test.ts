import { expect, test } from 'vitest'
import { Source } from '../../../src/data/random.ts'
import { codeToTime } from '../../../src/host/speed-code.ts'
import {
  completedAtFullSpeed,
  fullSpeedUs,
  isTimed,
  ownSensitivityOf,
  sensitivityOf,
  slowdownOf,
  usualSensitivity,
} from '../../../src/measure/slowdown.ts'
import type { TrialResult } from '../../../src/result/result.ts'

const fullUs = 7
const windowsOfTrial = 8

/** A server whose operations take `cpuUs` at the full speed, on a host that has two speeds and stays in each for seconds. */
function trialsOn(sensitivity: number, count: number, seed = 1): TrialResult[] {
  const source = new Source().restart(seed, 1)
  const noise = () => (source.below(1000) / 1000 - 0.5) * 0.1
  let slow = 1
  return Array.from({ length: count }, (_, at) => {
    const concurrency = [4, 16, 64][at % 3] as number
    const cpuUs = 50 * (1 + concurrency / 100)
    const windows = Array.from({ length: windowsOfTrial }, () => {
      if (source.below(6) === 0) slow = slow === 1 ? 1.8 : 1
      return {
        completed: Math.round((0.25 * 1e6) / (cpuUs * slow ** sensitivity * Math.exp(noise()))),
        hostUs: fullUs * slow * Math.exp(noise() / 2),
      }
    })
    return {
      phase: 'sweep',
      client: 'wire',
      mix: 'full',
      connections: concurrency,
      arrival: { loop: 'closed', multiple: null, ratePerSecond: null, concurrency },
      validity: { verdict: 'valid', reasons: [], clientBound: [] },
      timeline: windows.map(({ hostUs }, window) => ({ atSeconds: window / 4 + 0.001, serverCores: 1, hostUs })),
      windows: windows.map(({ completed }, window) => ({ atSeconds: window / 4, completed })),
    } as unknown as TrialResult
  })
}

const throughputOf = ({ windows }: TrialResult) => windows.reduce((sum, { completed }) => sum + completed, 0) / windowsOfTrial
const spreadOf = (values: number[]) => {
  const logs = values.map(Math.log)
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length
  return Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length)
}

test('how a server follows its host is found, whatever its own load does', () => {
  for (const sensitivity of [0.5, 0.75, 1]) expect(ownSensitivityOf(trialsOn(sensitivity, 60))).toBeCloseTo(sensitivity, 1)
})

test('the error of a window’s few calls does not flatten it', () => {
  const source = new Source().restart(5, 1)
  const noisy = trialsOn(1.2, 90).map((trial) => ({
    ...trial,
    timeline: trial.timeline.map((sample) => ({ ...sample, hostUs: (sample.hostUs as number) * Math.exp((source.below(1000) / 1000 - 0.5) * 0.9) })),
  }))
  // Least squares would tell 0.7.
  expect(ownSensitivityOf(noisy)).toBeGreaterThan(1.05)
  expect(ownSensitivityOf(noisy)).toBeLessThan(1.35)
})

test('what one run tells counts as much as what is usual', () => {
  expect(sensitivityOf(trialsOn(0.8, 60))).toBeCloseTo((0.8 + usualSensitivity) / 2, 1)
  expect(sensitivityOf([])).toBe(usualSensitivity)
})

test('a speed that does not last tells nothing', () => {
  const source = new Source().restart(6, 1)
  const trials = trialsOn(0, 90).map((trial) => ({
    ...trial,
    timeline: trial.timeline.map((sample) => ({ ...sample, hostUs: fullUs * Math.exp((source.below(1000) / 1000 - 0.5) * 0.5) })),
  }))
  expect(ownSensitivityOf(trials)).toBeNull()
})

test('a machine that was faster in an earlier run is told at that speed, one that is faster now at its own', () => {
  const trials = trialsOn(1, 60)
  expect(fullSpeedUs(trials, 5)).toBe(5)
  expect(fullSpeedUs(trials, 50)).toBe(fullSpeedUs(trials, null))
})

test('before a full speed is known completions count as they were', () => {
  const [trial] = trialsOn(1, 1)
  if (trial !== undefined) expect(completedAtFullSpeed(trial, null, 1.2)).toEqual(trial.windows.map(({ completed }) => completed))
})

test('windows without a call, out of order, and trials of other work change nothing', () => {
  const trials = trialsOn(0.75, 60)
  const ragged = trials.map((trial, at) => ({ ...trial, windows: trial.windows.filter((_, window) => (at + window) % 5 !== 0).reverse() }))
  const others = trialsOn(0.75, 60, 2).map((trial, at) => ({
    ...trial,
    phase: 'work' as const,
    windows: trial.windows.map((window) => ({ ...window, completed: window.completed / (1 + (at % 7)) })),
  }))
  expect(ownSensitivityOf([...ragged, ...others])).toBeCloseTo(0.75, 1)
})

test('one speed of the host tells nothing, and changes nothing', () => {
  const trials = trialsOn(1, 60).map((trial) => ({ ...trial, timeline: trial.timeline.map((sample) => ({ ...sample, hostUs: fullUs })) }))
  expect(ownSensitivityOf(trials)).toBeNull()
  expect(slowdownOf(trials[0] as TrialResult, fullSpeedUs(trials, null), 0)).toBe(1)
})

test('at the full speed equal loads have equal throughputs', () => {
  const trials = trialsOn(0.8, 90)
  const full = fullSpeedUs(trials, null)
  const sensitivity = ownSensitivityOf(trials) as number
  expect(full).toBeGreaterThan(0.93 * fullUs)
  expect(full).toBeLessThan(1.03 * fullUs)
  const own = trials.filter(({ connections }) => connections === 16)
  const raw = own.map(throughputOf)
  const told = own.map((trial) => throughputOf(trial) * slowdownOf(trial, full, sensitivity))
  expect(spreadOf(raw)).toBeGreaterThan(0.15)
  expect(spreadOf(told)).toBeLessThan(0.05)
})

test('a result from before anything was timed stands as it was measured', () => {
  const trials = trialsOn(1, 60).map((trial) => ({ ...trial, timeline: trial.timeline.map((sample) => ({ ...sample, hostUs: null })) }))
  expect(fullSpeedUs(trials, null)).toBeNull()
  expect(trials.some(isTimed)).toBe(false)
  expect(slowdownOf(trials[0] as TrialResult, null, 1)).toBe(1)
})

test('the code that is timed does the same at every call, and something else for another input', () => {
  const run = codeToTime()
  expect(run(77)).toBe(run(77))
  expect(run(77)).not.toBe(run(78))
})
