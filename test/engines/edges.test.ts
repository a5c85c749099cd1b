/** Small valid scenarios, each written to be awkward in one way: every engine answers as the reference does, or says why it cannot, or the scenario is refused with its line. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { deriveModel } from '../../src/families/derive.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { TestBed } from '../differential/bed.ts'
import { contracted } from './contracted.ts'
import { runsAsProcess } from './obtainable.ts'

const folders = ['./edges/', './awkward/']
const files = folders.flatMap((folder) => {
  const directory = fileURLToPath(new URL(folder, import.meta.url))
  return readdirSync(directory).map((name) => [name.replace('.yaml', ''), `${directory}${name}`] as const)
})
/** What no engine could be asked: an entity that does not exist, a text that no database holds, sums beyond what is exact. */
const refused = new Set(['h10', 'h15b', 'h26'])

test.each(files.filter(([name]) => refused.has(name)))('%s is refused with its line', (_, file) => {
  expect(() => readScenario(file)).toThrow(/\.yaml:\d+:\d+: .+: /)
})

// Each engine has a server of its own: they work side by side, each through its scenarios one after the other. A busy machine makes all of them wait.
describe.concurrent.each(contracted.filter(runsAsProcess).map((engine) => [engine.name, engine] as const))('%s', (_, engine) => {
  const bed = new TestBed()
  afterAll(() => bed[Symbol.asyncDispose](), 60_000)

  test.each(files.filter(([name]) => !refused.has(name)))('%s', { concurrent: false, timeout: 300_000 }, async (_name, file) => {
    const scenario = readScenario(file)
    const { wrong, excuses, checked } = await bed.try(engine, scenario, 16)
    expect(wrong).toEqual([])
    const reasons = new Map(deriveModel(engine, scenario).excuses.map((excuse) => [excuse.operation, excuse.reason]))
    for (const operation of excuses) expect(reasons.get(operation), operation).toMatch(/.{10,}/)
    if (excuses.length < scenario.operations.length) expect(checked).toBeGreaterThan(0)
  })
})
