/** What a report says of the rows that were asked for. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { workload } from '../../../src/report/workload.ts'
import { type Result, readResult } from '../../../src/result/result.ts'

const saved = () => readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const textOf = (result: Result) => toMarkdown(workload(result)).replaceAll('\\', '')

/** Every trial as asked. */
function asAsked(): Result {
  const result = saved()
  for (const { trials } of result.candidates)
    for (const { realised } of trials) Object.assign(realised, { skew: { get_product: 0.081 }, askedSkew: { get_product: 0.08 } })
  return result
}

test('asked and realised stand side by side, and that all candidates were asked for the same is said', () => {
  const text = textOf(asAsked())
  expect(text).toMatch(/get_product +\| +8 % +\| +8\.1 % +\| +8\.1 %/)
  expect(text).toMatch(/their shares are equal: compared \d+ times/)
})

test('a candidate that was asked for other rows at the same rate is named, with the shares', () => {
  const result = asAsked()
  const [first] = result.candidates
  for (const trial of first?.trials ?? []) trial.realised.skew.get_product = 0.2
  expect(textOf(result)).toMatch(new RegExp(`were not asked for the same \\d+ of \\d+ times, first get_product at .*${first?.name} 20 %`))
})

test('a result without it says nothing', () => {
  expect(workload(saved())).toEqual([])
})
