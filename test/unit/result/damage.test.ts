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

test.each<[string, (document: Document) => void, string]>([
  [
    'a name that leaves the directory',
    (each) => (each.candidates[0].name = 'x/../../../pwned'),
    'candidates.0.name: must match pattern /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,79}$/',
  ],
  [
    'copies without an end',
    (each) => (each.candidates[0].traits.plan.topology.copies = 'infinite'),
    'candidates.0.traits.plan.topology.copies: expected number, received -Infinity',
  ],
  [
    'a store that is nowhere',
    (each) => (each.candidates[0].model.stores[0].entity = 'nobody'),
    'candidates.0.model.stores.account: there is no entity "nobody"',
  ],
  ['an operation on no entity', (each) => (each.scenario.operations[0].entity = 'nobody'), 'there is no entity "nobody"'],
  [
    'an operation of no kind',
    (each) => (each.scenario.operations[1].kind = 'guess'),
    'scenario.operations.1.kind: it is nothing that this dbtrial knows',
  ],
  ['a pick that is a word', (each) => (each.scenario.operations[1].pick = 'x'), 'scenario.operations.1.pick: expected object, received string'],
  ['requirements that are gone', (each) => delete each.scenario.requirements, 'scenario.requirements: it is missing'],
  ['a field that nobody knows', (each) => (each.candidates[0].mood = 1), 'candidates.0: this dbtrial knows no "mood" there'],
  [
    'service times that are no histogram',
    (each) => ((Object.values(each.candidates[0].trials[0].operations)[0] as Document).serviceUs.encoded = 'AAAA'),
    'serviceUs.encoded: it is no histogram of',
  ],
  ['a histogram that is none', (each) => (firstHistogram(each).encoded = 'x'), 'responseUs.encoded: it is no histogram of'],
])('%s is refused with its place and its cause', (_, change, said) => {
  const sentence = use(damaged(change))
  expect(sentence).toContain(`${path} is damaged: `)
  expect(sentence).toContain(said)
})

const firstHistogram = ({ candidates }: Document) =>
  candidates[0].trials.flatMap(({ operations }: Document) => Object.values(operations)).find(({ responseUs }: Document) => responseUs !== null)
    .responseUs
