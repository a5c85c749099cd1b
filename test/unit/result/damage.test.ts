/** Results that hands, disks or attackers damaged: each is read and used, or refused in a sentence; none ends in a stack trace or never. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { assess } from '../../../src/assess/judge/assess.ts'
import { compare } from '../../../src/assess/judge/compare.ts'
import { decideIfCompared } from '../../../src/commands/assess.ts'
import { TrialError } from '../../../src/errors.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { makeDocument } from '../../../src/report/report.ts'
import { readResult } from '../../../src/result/result.ts'
import { mutationsOf } from './mutate.ts'

const file = fileURLToPath(new URL('../../golden/results/small.json', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'dbtrial-damage-'))
const path = join(directory, 'result.json')
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A generator of the textbook: what counts is that a failure comes again. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return state / 2 ** 31
  }
}

function use(json: string): 'used' | string {
  writeFileSync(path, json)
  try {
    const result = readResult(path)
    const assessment = assess(result)
    toMarkdown(makeDocument(result, assessment, decideIfCompared(result, assessment)?.decision ?? null, []))
    compare(readResult(file), result, 0.25)
    return 'used'
  } catch (error) {
    if (error instanceof TrialError && error.exitCode === 2) return error.message
    throw error
  }
}

test('each of 80 damaged results is used or refused in a sentence', () => {
  const document = JSON.parse(readFileSync(file, 'utf8'))
  const weight = (place: string[]) => (place[0] === 'scenario' || ['model', 'traits', 'handbook'].includes(place[2] ?? '') ? 4 : 1)
  const said: string[] = []
  for (const { place, value, json } of mutationsOf(document, 80, seeded(7), weight)) {
    try {
      said.push(use(json))
    } catch (error) {
      throw new Error(`${place} = ${value}: ${(error as Error).stack}`)
    }
  }
  expect(said.filter((each) => each === 'used').length).toBeGreaterThan(5)
  expect(said.filter((each) => each !== 'used').length).toBeGreaterThan(30)
  for (const each of said) expect(each).not.toMatch(/undefined|is not a function|\n/)
}, 120_000)

// biome-ignore lint/suspicious/noExplicitAny: a damaged document has no type.
type Document = any
const damaged = (change: (document: Document) => void) => {
  const document = JSON.parse(readFileSync(file, 'utf8'))
  change(document)
  return JSON.stringify(document).replace('"infinite"', '-1e999')
}

test.each<[string, (document: Document) => void, RegExp]>([
  ['a name that leaves the directory', (each) => (each.candidates[0].name = 'x/../../../pwned'), /candidates\.0\.name/],
  ['copies without an end', (each) => (each.candidates[0].traits.plan.topology.copies = 'infinite'), /topology\.copies/],
  ['an operation on no entity', (each) => (each.scenario.operations[0].entity = 'nobody'), /there is no entity "nobody"/],
  ['a pick that is a word', (each) => (each.scenario.operations[1].pick = 'x'), /operations\.1\.pick/],
  ['requirements that are gone', (each) => delete each.scenario.requirements, /requirements/],
])('%s is refused with its place', (_, change, place) => {
  expect(use(damaged(change))).toMatch(place)
})
