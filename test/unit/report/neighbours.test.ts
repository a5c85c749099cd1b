/** A run that began beside others says so behind its finding, with their name: few of its trials will be valid. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { assess } from '../../../src/assess/judge/assess.ts'
import { headline } from '../../../src/report/headline.ts'
import { neighbourLine } from '../../../src/report/neighbours.ts'
import { type Result, readResult } from '../../../src/result/result.ts'

const saved = readResult(fileURLToPath(new URL('../../golden/results/small.json', import.meta.url)))
const beside = (busy: NonNullable<Result['calibration']>['busy']): Result => ({
  ...saved,
  calibration: { ...(saved.calibration as NonNullable<Result['calibration']>), busy },
})

test('others who used the machine before anything was measured are named behind the finding', () => {
  const result = beside({ cores: 1.97, chiefly: { command: 'make', pid: 7 } })
  expect(headline(result, assess(result)).text).toMatch(
    /\. Before anything was measured the machine was busy, 1\.97 cores used by others, chiefly by make \(pid 7\): what is slow here may be slow because of them\./,
  )
})

test('an idle machine, and one that nobody looked at, are passed over', () => {
  for (const result of [beside(null), { ...saved, calibration: null }]) expect(neighbourLine(result)).toBe('')
})
