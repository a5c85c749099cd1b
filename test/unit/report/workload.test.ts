/** What a report says of the rows that were asked for. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { workload } from '../../../src/report/workload.ts'
import { type Result, readResult } from '../../../src/result/result.ts'
import { tiersOf } from '../../../src/scenario/ages.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

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

test('picks by age stand beside what was asked, with what chance makes of it, and ! where it is more', () => {
  const result = asAsked()
  const operation = result.scenario.operations.find(({ name }) => name === 'get_order') as Operation
  operation.pick.skew = tiersOf(
    [
      { withinMs: 30 * 86_400_000, pickShare: 0.9 },
      { withinMs: 365.25 * 86_400_000, pickShare: 0.09 },
      { withinMs: null, pickShare: 0.01 },
    ],
    (spanMs) => spanMs / 1e12,
  )
  const picks = [
    [9000, 900, 100],
    [9100, 810, 90],
  ]
  for (const [at, { trials }] of result.candidates.entries())
    for (const [n, trial] of trials.entries()) trial.realised.tiers = n === 0 ? { get_order: picks[at] ?? [9000, 900, 100] } : {}
  const text = textOf(result)
  expect(text).toMatch(/get_order +\| the last 30 days +\| +90 % +\| +90 % \(89\.23 %–90\.77 %\) +\| +91 % \(89\.23 %–90\.77 %\) ! \|/)
  expect(text).toMatch(/get_order +\| 30 days to 1 year old +\| +9 % +\| +9 % \(8\.26 %–9\.74 %\) +\| +8\.1 % \(8\.26 %–9\.74 %\) ! \|/)
  expect(text).toMatch(/get_order +\| older than 1 year +\| +1 % +\| +1 % \(0\.74 %–1\.26 %\) +\| +0\.9 % \(0\.74 %–1\.26 %\) +\|/)
})
