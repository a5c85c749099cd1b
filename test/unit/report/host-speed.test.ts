import { expect, test } from 'vitest'
import { slowed, speedLine } from '../../../src/report/host-speed.ts'
import type { Result, TrialResult } from '../../../src/result/result.ts'

const trial = (slowdown: number, hostUs: number | null = 8) => ({ slowdown, timeline: [{ hostUs }] }) as TrialResult
const resultOf = (...trials: TrialResult[][]) =>
  ({ candidates: trials.map((own, at) => ({ name: `c${at}`, trials: own })) }) as unknown as Pick<Result, 'candidates'>

test('how much slower each candidate ran is told, and what is told at the full speed', () => {
  expect(speedLine(resultOf([trial(1), trial(1.5)], [trial(1.2)], []))).toBe(
    'the host slowed the servers’ cores: on average over the trials, everything took c0 1.25, c1 1.20 times as long as at their full speed, 1.50 times in the slowest trial. Capacities and CPU per operation are told at the full speed, response and service times as they were measured',
  )
  expect(slowed(trial(1.41))).toEqual(['the host gave the server’s cores less: everything took 1.41 times longer'])
  expect(slowed(trial(1.1))).toEqual([])
})

test('where nobody timed the cores nothing is said of them', () => {
  expect(speedLine(resultOf([trial(1, null)]))).toBeNull()
})
