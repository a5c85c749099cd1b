/** Valid scenarios, mutated: each is either refused in sentences or planned and compiled for every engine; nothing else may happen. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { keyOf, Source } from '../../../src/data/random.ts'
import { engines } from '../../../src/engines/registry.ts'
import { TrialError } from '../../../src/errors.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { planFor } from '../../../src/run/bench.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import type { Durability } from '../../../src/scenario/scenario.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const bases = ['scenarios/ecommerce.yaml', 'test/engines/kinds.yaml', 'test/e2e/small.yaml'].map((path) => readFileSync(join(root, path), 'utf8'))
const runs = 500

/** What people and attackers put where something else belongs. */
const strange: unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  1e308,
  Number.NaN,
  '',
  ' ',
  'any',
  'now',
  '-1/s',
  '900/s',
  '10ms',
  '99999999999999999999',
  '3%/month',
  'zipfian(99)',
  '__proto__',
  'constructor',
  "'; drop table x; --",
  '$(id)',
  '`id`',
  '../../x',
  '<script>alert(1)</script>',
  '😀',
  'שלום',
  '\u0000',
  '\u202e',
  'x'.repeat(10_000),
  [],
  {},
  [[]],
  { __proto__: 1 },
  ['a', 'a'],
]

type Tree = Record<string, unknown> | unknown[]

/** Every place of a tree, as its container and key. */
function places(tree: Tree): { holder: Tree; key: string }[] {
  return Object.keys(tree).flatMap((key) => {
    const value = (tree as Record<string, unknown>)[key]
    return [{ holder: tree, key }, ...(typeof value === 'object' && value !== null ? places(value as Tree) : [])]
  })
}

function mutated(text: string, draws: Source): string {
  if (draws.below(4) === 0) {
    // As a typist would: a character lost, doubled or replaced.
    const at = draws.below(text.length)
    const insert = ['', text[at] ?? '', ':', '{', '"', '\t', '&a ', '*a', '!!js ', '\u0000'][draws.below(10)] as string
    return text.slice(0, at) + insert + text.slice(at + draws.below(2))
  }
  const tree = parse(text) as Tree
  for (let changes = 1 + draws.below(3); changes > 0; changes--) {
    const all = places(tree)
    const { holder, key } = all[draws.below(all.length)] as { holder: Tree; key: string }
    const own = holder as Record<string, unknown>
    const other = all[draws.below(all.length)] as { holder: Tree; key: string }
    switch (draws.below(5)) {
      case 0:
        delete own[key]
        break
      case 1:
        own[String(strange[9 + draws.below(strange.length - 9)]).slice(0, 200)] = own[key]
        break
      case 2:
        own[key] = structuredClone((other.holder as Record<string, unknown>)[other.key])
        break
      case 3:
        own[`${key}x`] = own[key]
        break
      default:
        own[key] = structuredClone(strange[draws.below(strange.length)])
    }
  }
  return stringify(tree)
}

const cases = Array.from({ length: runs }, (_, run) =>
  mutated(bases[run % bases.length] as string, new Source().restart(keyOf(20261121, `fuzz ${run}`), 1)),
)

test(`${runs} mutated scenarios: refused in sentences with their place, or planned and compiled`, () => {
  let valid = 0
  for (const [run, text] of cases.entries()) {
    let scenario: ReturnType<typeof parseScenario>
    try {
      scenario = parseScenario(text, 'x.yaml')
    } catch (error) {
      expect(error, `case ${run}: ${(error as Error).stack}`).toBeInstanceOf(TrialError)
      expect((error as TrialError).exitCode).toBe(2)
      for (const line of (error as TrialError).message.split('\n')) expect(line, `case ${run}`).toMatch(/^x\.yaml:\d+:\d+: /)
      continue
    }
    valid++
    try {
      planFor({ ...scenario, candidates: [] }, 'smoke')
      for (const engine of engines) {
        const compiled = engine.compile(
          deriveModel(engine, scenario),
          allOperations(scenario),
          scenario,
          engine.capabilities.durability[0] as Durability,
        )
        expect(structuredClone(compiled)).toEqual(compiled)
      }
    } catch (error) {
      expect(error, `case ${run}, valid: ${(error as Error).stack}`).toBeInstanceOf(TrialError)
    }
  }
  // Both halves must be exercised, or the test says nothing.
  expect(valid).toBeGreaterThan(20)
  expect(runs - valid).toBeGreaterThan(200)
}, 120_000)

test('an invalid scenario starts no server: run ends with exit code 2 before anything is made', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dbtrial-fuzz-'))
  let refused = 0
  for (const [run, text] of cases.entries()) {
    if (refused === 5) break
    try {
      parseScenario(text, 'x.yaml')
      continue
    } catch {
      refused++
    }
    const path = join(directory, `${run}.yaml`)
    writeFileSync(path, text)
    const ended = spawnSync(process.execPath, [join(root, 'bin/dbtrial.mjs'), 'run', path, '--out', join(directory, 'out')], { encoding: 'utf8' })
    expect(ended.status, ended.stderr).toBe(2)
    expect(ended.stderr).not.toMatch(/\n\s+at /)
    expect(existsSync(join(directory, 'out'))).toBe(false)
  }
  rmSync(directory, { recursive: true })
}, 60_000)
