/** What the guides show is what runs: the first scenario of scenarios/README.md, and the commands of both. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { engineNamed } from '../../../src/engines/registry.ts'
import { deriveModel } from '../../../src/families/derive.ts'
import { planFor } from '../../../src/run/bench.ts'
import { parseScenario } from '../../../src/scenario/read.ts'

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')
const guide = read('scenarios/README.md')

test('the first scenario is valid, without a warning, and its excuse is the one that is explained', () => {
  const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(guide) ?? []
  const scenario = parseScenario(text, 'tickets.yaml')
  expect(planFor(scenario, 'smoke').warnings).toEqual([])
  const excuses = scenario.candidates.flatMap(({ name, engine }) =>
    deriveModel(engineNamed(engine), scenario).excuses.map((excuse) => `${name} is excused from ${excuse.operation}`),
  )
  expect(excuses).toEqual(['redis is excused from sold_per_day'])
  expect(guide).toContain(excuses[0])
})

test('every make target that is named exists', () => {
  const targets = new Set([...read('Makefile').matchAll(/^([a-z]+):/gm)].map((match) => match[1]))
  const named = [guide, read('README.md')].flatMap((text) => [...text.matchAll(/(?:`|^)make ([a-z]+)/gm)].map((match) => match[1]))
  expect(named.length).toBeGreaterThan(15)
  for (const name of named) expect(targets, name).toContain(name)
})
