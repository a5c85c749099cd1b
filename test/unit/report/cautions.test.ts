import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { cautionNotes, markedName } from '../../../src/assess/judge/cautions.ts'
import { compare } from '../../../src/assess/judge/compare.ts'
import { engines } from '../../../src/engines/registry.ts'
import { majorOf } from '../../../src/provision/local.ts'
import { comparedCells, comparedNumberCells } from '../../../src/report/comparison.ts'
import { headline } from '../../../src/report/headline.ts'
import { capacityPlan } from '../../../src/report/plan.ts'
import type { Document, Table } from '../../../src/report/render/document.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { makeDocument } from '../../../src/report/report.ts'
import { comparisons } from '../../../src/report/rivals.ts'
import { driverTax } from '../../../src/report/tax.ts'
import { decided, selection } from '../../../src/report/verdict.ts'
import { readResult } from '../../../src/result/result.ts'
import { decisionText } from '../../../src/terminal/decision.ts'
import { summaryText } from '../../../src/terminal/tables.ts'

const path = fileURLToPath(new URL('../../golden/results/small-ring.json', import.meta.url))
const saved = readResult(path)

/** The saved run, as if it had been measured by this version on servers like these. */
function measured(versions: Record<string, string>, limits: { cpus: number; memoryBytes: number }) {
  const result = structuredClone(saved)
  for (const candidate of result.candidates) {
    const engine = engines.find((each) => each.name === candidate.engine)
    candidate.traits = { ...engine?.traits, pinned: engine?.server.major } as never
    if (candidate.provision !== null) Object.assign(candidate.provision, { limits, version: versions[candidate.name] ?? `${engine?.server.major}.1` })
  }
  return result
}

const large = { cpus: 4, memoryBytes: 16 * 2 ** 30 }

test('the pinned version above the makers’ minimum needs no word', () => {
  const result = measured({}, large)
  expect(cautionNotes(result)).toEqual([])
  expect(headline(result, assess(result)).text).not.toContain('†')
})

test('another major version stands on the first screen and beside every number', () => {
  const result = measured({ postgres: '15.18 (Debian 15.18-0)' }, large)
  expect(result.candidates.map(markedName)).toEqual(['postgres †', 'cassandra', 'redis'])
  expect(headline(result, assess(result)).text).toMatch(/Beside every number: postgres † ran as version 15\.18 .*, not 18\.$/)
  expect(summaryText(result, assess(result))).toContain('postgres †')
  const report = toMarkdown(makeDocument(result, assess(result), null, []))
  expect(report.match(/postgres †/g)?.length).toBeGreaterThan(5)
})

test('a server below the minimum of its maker says what that is, and who says it', () => {
  const [note, ...others] = cautionNotes(measured({}, { cpus: 1, memoryBytes: 2 * 2 ** 30 }))
  expect(others).toEqual([])
  expect(note).toMatch(
    /^cassandra † ran with 1 core and 2\.\d+ GB, below its maker's minimum of 2 cores and 8\.\d+ GB \(Cassandra documentation, Hardware Choices\)/,
  )
})

test('a server that never became level stands on the first screen, and its numbers are marked', () => {
  const result = measured({}, large)
  const [first] = result.candidates
  if (first !== undefined) first.steady = { reached: false, afterSeconds: null, warmedSeconds: 48 }
  expect(headline(result, assess(result)).text).toContain(`${first?.name} † was still becoming faster when it was measured`)
  expect(cautionNotes(result).join()).toContain('after 48 s of warming')
})

test('what a saved result of an older version does not know, nobody holds against it', () => {
  expect(JSON.parse(readFileSync(path, 'utf8')).candidates[0].traits.pinned).toBeUndefined()
  expect(cautionNotes(saved)).toEqual([])
})

test('every engine has one major version: of its image, and of its package or a note where there is none of it', () => {
  const other = engines.flatMap(({ name, server }) => (server.package !== null && majorOf(server.package.server) !== server.major ? [name] : []))
  expect(other).toEqual(['mongodb', 'redis'])
  for (const { name, server } of engines) if (server.image.image !== null) expect(server.image.image, name).toMatch(new RegExp(`:${server.major}\\b`))
})

test('beside every number: in the verdict, the plan, pairs, the driver’s cost and a comparison', () => {
  const result = measured({ cassandra: '4.1.9' }, large)
  const assessment = assess(result)
  const { decision } = decide(result, assessment, { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
  // Sentences that say why, and lists of answers, models and trials, are no comparison of numbers.
  const compared = [decided(decision), ...selection(decision), ...capacityPlan(decision), ...comparisons(assessment, result), ...driverTax(result)]
  const bare = tablesIn(compared).flatMap(({ head, rows }) => [head, ...rows].flat().filter((cell) => /^\(?cassandra(?! †)/.test(cell)))
  expect(bare).toEqual([])
  expect(toMarkdown(compared)).toContain('cassandra †')
  expect(decisionText(decision, result.startedAt)).not.toMatch(/^cassandra(?! †)/m)
  const comparison = compare(saved, result, 0.25)
  expect(comparison.cautions).toEqual([expect.stringMatching(/^in the result cassandra † ran as version 4\.1\.9/)])
  expect(comparedCells(comparison).some(([name]) => name === 'cassandra †')).toBe(true)
  expect(comparedNumberCells(comparison).some(([name]) => name === 'cassandra')).toBe(false)
})

function tablesIn(blocks: Document): Table[] {
  return blocks.flatMap((block) => (block.kind === 'table' ? [block.table] : block.kind === 'details' ? tablesIn(block.blocks) : []))
}
