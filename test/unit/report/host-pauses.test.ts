/** What the report says of the host: the share left out for each candidate, or that nobody looked. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { leftOut, pausesLine } from '../../../src/report/host-pauses.ts'
import { type Result, readResult, type TrialResult } from '../../../src/result/result.ts'

const path = fileURLToPath(new URL('../../golden/results/small.json', import.meta.url))
const saved = JSON.parse(readFileSync(path, 'utf8')) as Result
const seen = (count: number, longestMs: number, windowsLeftOut: number, limitMs = 5) =>
  ({ hostPauses: { limitMs, count, longestMs, windows: 20, windowsLeftOut } }) as TrialResult
const resultWith = (pausesUnseen: string | null, ...trials: TrialResult[][]): Pick<Result, 'host' | 'candidates'> => ({
  host: { ...saved.host, pausesUnseen },
  candidates: trials.map((own, at) => ({ ...(saved.candidates[0] as Result['candidates'][0]), name: `c${at}`, trials: own })),
})

test('the share of windows left out stands beside each candidate', () => {
  expect(pausesLine(resultWith(null, [seen(3, 8.04, 4), seen(1, 5.2, 1, 2.5)], [seen(0, 0, 0)], []))).toBe(
    'pauses of the host on the server’s cores: c0 4 above 2.5 or 5 ms, the longest 8.0 ms, 12.5 % of its windows left out; c1 none above 5 ms, 0 % of its windows left out',
  )
  expect(leftOut(seen(3, 8.04, 4))).toEqual(['4 of 20 windows left out: the host paused the server’s cores for up to 8.0 ms'])
  expect(leftOut(seen(0, 0, 0))).toEqual([])
})

test('a machine that does not permit it, and a run of an earlier dbtrial, are said', () => {
  expect(pausesLine(resultWith('no permission for real-time priority', [{ ...seen(0, 0, 0), hostPauses: null }]))).toBe(
    'pauses of the host on the server’s cores were not seen: no permission for real-time priority',
  )
  expect(pausesLine(readResult(path))).toBe('pauses of the host on the server’s cores were not seen: an earlier dbtrial did not look for them')
})
