/** The decision as a record: what a repository keeps of a report. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { headline } from '../../../src/report/headline.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { makeDecisionRecord } from '../../../src/report/report.ts'
import { verdictLine } from '../../../src/report/verdict.ts'
import { readResult } from '../../../src/result/result.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const assessment = assess(result)
const { decision } = decide(result, assessment, { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
const chapters = (text: string) => text.match(/^## .*$/gm)

test('a record says what was decided, among whom, by what, and what follows', () => {
  const text = toMarkdown(makeDecisionRecord(result, assessment, decision)).replaceAll('\\', '')
  expect(chapters(text)).toEqual(['## Status', '## Context', '## Options', '## Decision', '## Consequences', '## What it does not rest on'])
  expect(text).toMatch(/^# ecommerce: (\w+ as its database|which database, undecided)\n/)
  for (const { name } of result.candidates) expect(text).toContain(name)
  expect(text).toContain(headline(result, assessment).text)
  expect(text).toContain(verdictLine(decision))
  expect(text).toContain('| servers now |')
  expect(text.split('\n').length).toBeLessThan(100)
})

test('where nothing was compared it proposes nothing', () => {
  const text = toMarkdown(makeDecisionRecord(result, assessment, null))
  expect(text).toMatch(/^# ecommerce: which database, undecided\n/)
  expect(text).toContain('Nothing was compared, so nothing is proposed.')
  expect(chapters(text)).not.toContain('## Consequences')
})
