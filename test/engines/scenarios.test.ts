/** What architects write first: every scenario of test/scenarios on every engine, answers, a replay and its invariants. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { allOperations } from '../../src/families/derive.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { TestBed } from '../differential/bed.ts'
import { contracted } from './contracted.ts'
import { runsAsProcess } from './obtainable.ts'
import { permittedExcuses } from './permitted.ts'

const directory = fileURLToPath(new URL('../scenarios/', import.meta.url))
const files = readdirSync(directory).filter((name) => name.endsWith('.yaml'))

describe.concurrent.each(contracted.filter(runsAsProcess).map((engine) => [engine.name, engine] as const))('%s', (_name, engine) => {
  const bed = new TestBed()
  afterAll(() => bed[Symbol.asyncDispose](), 60_000)

  test.each(files)('%s', { concurrent: false, timeout: 300_000 }, async (file) => {
    const scenario = readScenario(directory + file)
    const { wrong, excuses, checked } = await bed.try(engine, scenario, 2, 1)
    expect(wrong).toEqual([])
    expect(excuses).toEqual(permittedExcuses(engine.capabilities, scenario, allOperations(scenario)))
    expect(checked).toBeGreaterThan(20)
  })
})
