/** Rows with or without a value are found by the index that is meant for them, in its order, on the servers whose models have one. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { rowSource } from '../../src/data/rows.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { parseScenario } from '../../src/scenario/read.ts'
import { TestBed } from '../differential/bed.ts'
import { runsAsProcess } from './obtainable.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)

const file = fileURLToPath(new URL('./awkward/absence.yaml', import.meta.url))
const scenario = parseScenario(readFileSync(file, 'utf8').replace('count: 900', 'count: 20k'), file)
/** Pages that would have to be sorted otherwise. */
const asked = ['solved', 'nobodys', 'by_due', 'by_due_last']

test.each(['postgres', 'mariadb', 'mongodb'].map(engineNamed).filter(runsAsProcess))('$name', { timeout: 120_000 }, async (engine) => {
  const operations = allOperations(scenario)
  const model = deriveModel(engine, scenario)
  const compiled = engine.compile(model, operations, scenario, 'relaxed')
  const dataset = makeDataset(scenario, 1)
  await bed.inNamespace(engine, async (endpoint) => {
    await using session = await engine.connect(endpoint, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
    await session.settle()
    const params = new DrawnParameters(dataset, operations, 'plans', 9, scenario.epochMs)
    params.force = { miss: false, deep: false }
    for (const name of asked) {
      const at = operations.findIndex((each) => each.name === name)
      params.next(at)
      const { text, sortedRows } = await session.explain(at, params)
      const index = model.accesses.find(({ operation }) => operation === name)?.steps[0]?.index
      expect(text, name).toContain(index)
      expect(sortedRows, name).toBe(0)
    }
  })
})
