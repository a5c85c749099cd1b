/** A run beside others says so first: they are in every number, and in no verdict of a trial. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { assess } from '../../../src/assess/assess.ts'
import { headline } from '../../../src/report/headline.ts'
import { neighbourLine } from '../../../src/report/neighbours.ts'
import type { Result } from '../../../src/result.ts'

const saved = JSON.parse(readFileSync(fileURLToPath(new URL('../../golden/results/small.json', import.meta.url)), 'utf8')) as Result
const beside = (idleBaselineCores: number): Result => ({
  ...saved,
  calibration: { ...(saved.calibration as NonNullable<Result['calibration']>), idleBaselineCores },
})

test('others who used the machine before anything was measured are named behind the finding', () => {
  const result = beside(1.97)
  expect(headline(result, assess(result)).text).toMatch(
    /\. Others used 2\.0 of this machine's \d+ cores before anything was measured: what is slow here may be slow because of them\./,
  )
})

test('an idle machine, and one that nobody looked at, are passed over', () => {
  for (const result of [beside(0.2), { ...saved, calibration: null }]) expect(neighbourLine(result)).toBe('')
})
