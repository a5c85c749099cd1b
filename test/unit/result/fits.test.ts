/** Whatever a run would write of a scenario, its models and its engines fits the schema of results, and nothing of it is changed: a schema that knows less would lose a run. */
import { expect, test } from 'vitest'
import type { z } from 'zod'
import { engines } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import * as facts from '../../../src/result/facts.ts'
import * as models from '../../../src/result/model.ts'
import { trialPlan } from '../../../src/result/plan.ts'
import * as scenarios from '../../../src/result/scenario.ts'
import { planTrials } from '../../../src/run/plan.ts'
import { scenarioNames } from '../../../src/scenario/library.ts'
import { parseScenario, readScenario } from '../../../src/scenario/read.ts'
import { type Durability, efforts, type Scenario } from '../../../src/scenario/scenario.ts'
import { generateScenario } from '../../differential/generate.ts'

const randomScenarios = 60

function expectFits(schema: z.ZodType, value: unknown, what: string): void {
  const checked = schema.safeParse(value)
  expect(checked.error?.issues ?? [], what).toEqual([])
  expect(checked.data, what).toEqual(value)
}

function expectScenarioFits(scenario: Scenario): void {
  expectFits(scenarios.scenario, scenario, scenario.name)
  for (const engine of engines) expectFits(models.model, deriveModel(engine, scenario), `${scenario.name}, ${engine.name}`)
}

test('scenarios of the library, and their models', () => {
  for (const name of scenarioNames()) expectScenarioFits(readScenario(name))
})

test('random scenarios, and their models', () => {
  for (let seed = 1; seed <= randomScenarios; seed++) expectScenarioFits(parseScenario(generateScenario(seed), `${seed}.yaml`))
})

test('what every engine states, and what it tells of running it', () => {
  const scenario = readScenario('ecommerce')
  for (const engine of engines) {
    expectFits(facts.traits, engine.traits, engine.name)
    const compiled = engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, engine.capabilities.durability[0] as Durability)
    expectFits(facts.handbook, engine.handbook(compiled), engine.name)
  }
})

test('plans of every effort', () => {
  const paces = engines.map((engine) => engine.pace)
  for (const name of scenarioNames())
    for (const effort of efforts) expectFits(trialPlan, { ...planTrials(readScenario(name), effort, paces), phases: [] }, `${name}, ${effort}`)
})
