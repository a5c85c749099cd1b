/** What an earlier dbtrial did not write has its default; what another one wrote and this one cannot read is told in one sentence with the next step. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Ajv2020 from 'ajv/dist/2020.js'
import { afterAll, describe, expect, test } from 'vitest'
import { assess } from '../../../src/assess/judge/assess.ts'
import { decideIfCompared } from '../../../src/commands/assess.ts'
import { TrialError } from '../../../src/errors.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { makeDocument } from '../../../src/report/report.ts'
import { type Result, readResult, resultJsonSchema, writeResult } from '../../../src/result/result.ts'
import { version } from '../../../src/version.ts'

const saved = fileURLToPath(new URL('../../golden/results/', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'dbtrial-versions-'))
const path = join(directory, 'result.json')
afterAll(() => rmSync(directory, { recursive: true, force: true }))

// biome-ignore lint/suspicious/noExplicitAny: what another version wrote has no type.
type Document = any
function written(change: (document: Document) => unknown): string {
  const document = JSON.parse(readFileSync(join(saved, 'small.json'), 'utf8'))
  change(document)
  writeFileSync(path, JSON.stringify(document))
  return path
}
function refused(change: (document: Document) => unknown): TrialError {
  try {
    readResult(written(change))
  } catch (error) {
    if (error instanceof TrialError) return error
    throw error
  }
  throw new Error('it was read')
}

describe('what an earlier dbtrial did not write', () => {
  test('of a scenario is what it meant then', () => {
    const { scenario } = readResult(
      written(({ scenario: { requirements, bench }, scenario: own }) => {
        for (const name of ['licences', 'engineerUsdPerHour']) delete requirements[name]
        delete bench.sizes
        delete own.criteria
      }),
    )
    expect(scenario.requirements).toMatchObject({ licences: null, engineerUsdPerHour: null })
    expect(scenario.bench).toMatchObject({ sizes: [] })
    expect(scenario.criteria).toEqual({ own: [], swing: {}, pairwise: [] })
  })

  test('as a list is a list of one: there was one range at most, and one list of constants', () => {
    const { scenario } = readResult(
      written(({ scenario: { operations } }) => {
        const list = operations.find(({ kind }: Document) => kind === 'list')
        const field = list.order[0].field
        Object.assign(list, { bounds: { field, from: 1, below: null }, among: { field, constants: [1, 2] } })
      }),
    )
    expect(scenario.operations.find(({ kind }) => kind === 'list')).toMatchObject({ bounds: [{ from: 1 }], among: [{ constants: [1, 2] }] })
  })

  test('of a product is not known: too little for a plan is none', () => {
    const facts = (change: (traits: Document) => unknown) =>
      readResult(written(({ candidates }) => change(candidates[0].traits))).candidates[0]?.traits
    expect(facts((traits) => delete traits.plan.cacheOfRest)?.plan).toBeNull()
    expect(facts((traits) => delete traits.plan)?.plan).toBeNull()
    expect(facts((traits) => delete traits.minimum)?.minimum).toBeNull()
    expect(facts((traits) => delete traits.pinned)?.pinned).toBeUndefined()
  })

  test('is no reason to tell nothing', () => {
    const result = readResult(
      written(({ candidates, trialPlan, scenario }) => {
        for (const candidate of candidates) candidate.traits = {}
        for (const name of ['data', 'client', 'shares']) delete trialPlan[name]
        delete scenario.criteria
      }),
    )
    const assessment = assess(result)
    const report = toMarkdown(makeDocument(result, assessment, decideIfCompared(result, assessment)?.decision ?? null, []))
    expect(report).not.toContain('Data to memory was')
  })

  test('and what only it wrote is kept', () => {
    const result = readResult(written(({ candidates }) => (candidates[0].traits.stars = 3)))
    expect(JSON.parse(readFileSync(writeResult(directory, result), 'utf8')).candidates[0].traits.stars).toBe(3)
  })
})

test('every saved result is read, and is written as it was read', () => {
  for (const name of readdirSync(saved)) {
    const result = readResult(join(saved, name))
    expect(readResult(writeResult(directory, result)), name).toEqual(result)
  }
})

describe('the assessment of a result', () => {
  const assessedIn = (name: string): Result => {
    const result = readResult(join(saved, name))
    const own = assess(result)
    return { ...result, assessment: { ...own, decision: decideIfCompared(result, own)?.decision ?? null } }
  }

  test.each(['small.json', 'small-ring.json'])('of %s is read as it was found', (name) => {
    const result = assessedIn(name)
    expect(readResult(writeResult(directory, result)).assessment).toEqual(JSON.parse(JSON.stringify(result.assessment)))
  }, 60_000)

  test('is none where another dbtrial wrote it in another form: it can be found anew', () => {
    expect(readResult(written((each) => (each.assessment = { candidates: 'postgres' }))).assessment).toBeNull()
  })
})

test('what is written fits the schema that is published, whose scenario, model and facts are no black boxes', () => {
  const fits = new Ajv2020.default({ strict: false }).compile(JSON.parse(resultJsonSchema()))
  const document = JSON.parse(readFileSync(writeResult(directory, readResult(join(saved, 'small.json'))), 'utf8'))
  expect(fits(document), JSON.stringify(fits.errors)).toBe(true)
  delete document.candidates[0].model.stores[0].entity
  expect(fits(document)).toBe(false)
})

describe('a result that cannot be read', () => {
  test('of an older format names its version, its writer and what to do', () => {
    const { message, hint, exitCode } = refused((each) => Object.assign(each, { schema: 1, dbtrial: '0.0.3' }))
    expect(message).toBe(`${path}: schema: it is version 1 of the result format, written by dbtrial 0.0.3; dbtrial ${version} reads version 2`)
    expect(hint).toBe('read it with dbtrial 0.0.3, or run the scenario again with this version')
    expect(exitCode).toBe(2)
  })

  test('of a newer format sends to a newer dbtrial', () => {
    expect(refused((each) => Object.assign(each, { schema: 3, dbtrial: '9.0.0' })).hint).toBe('read it with dbtrial 9.0.0 or a later one')
  })

  test('of the same format and another dbtrial names that one, and the place', () => {
    const { message, hint } = refused((each) => Object.assign(each, { dbtrial: '0.0.9', mood: 'good' }))
    expect(message).toBe(`${path}, written by dbtrial 0.0.9, is not what dbtrial ${version} reads: the document: this dbtrial knows no "mood" there`)
    expect(hint).toBe('read it with dbtrial 0.0.9, or run the scenario again with this version')
  })

  test.each<[string, string, RegExp]>([
    ['something else', '{"name":"x"}', /is no result of dbtrial: schema: it is missing$/],
    ['a list', '[]', /is no result of dbtrial: the document: expected object, received array$/],
    ['half of one', '{"schema":2,"dbt', /cannot be read as a result: .*JSON/],
  ])('because it is %s is told so', (_, text, said) => {
    writeFileSync(path, text)
    expect(() => readResult(path)).toThrow(said)
  })
})
