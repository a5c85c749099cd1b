/** `dbtrial validate`, `plan`, `models`: what a scenario says and what follows from it; nothing starts. */
import { planFor } from '../bench.ts'
import { engineNamed } from '../engines/registry.ts'
import { TrialError } from '../errors.ts'
import { allOperations, deriveModel } from '../model/derive.ts'
import { effortOf } from '../scenario/plan.ts'
import { readScenario } from '../scenario/read.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { modelText, planText } from '../terminal/tables.ts'
import { note, print } from './output.ts'
import type { RunOptions } from './run.ts'

/** The scenario with the candidates and the seed that were asked for. */
export function prepareScenario(name: string, options: Pick<RunOptions, 'candidates' | 'seed'>): Scenario {
  const scenario = readScenario(name)
  if (options.seed !== undefined) {
    if (!/^\d{1,14}$/.test(options.seed))
      throw new TrialError('bad-seed', `--seed ${options.seed}: expected a whole number below 10^14`, { exitCode: 2 })
    scenario.seed = Number(options.seed)
  }
  if (options.candidates !== undefined) {
    const names = options.candidates.split(',').map((each) => each.trim())
    const known = new Map(scenario.candidates.map((candidate) => [candidate.name, candidate]))
    scenario.candidates = names.map(
      (each) => known.get(each) ?? { name: each, engine: engineNamed(each).name, durability: scenario.requirements.durability },
    )
  }
  checkCandidates(scenario)
  return scenario
}

function checkCandidates(scenario: Scenario): void {
  for (const candidate of scenario.candidates) engineNamed(candidate.engine)
}

export function validate(names: string[]): void {
  const problems: string[] = []
  for (const name of names) {
    try {
      const scenario = readScenario(name)
      checkCandidates(scenario)
      for (const warning of planFor(scenario, scenario.bench.effort).warnings) note(`${name}: warning: ${warning}`)
      print(`${name}: valid, ${scenario.entities.length} entities, ${scenario.operations.length} operations`)
    } catch (error) {
      if (!(error instanceof TrialError)) throw error
      problems.push(error.message)
    }
  }
  if (problems.length > 0) throw new TrialError('scenario-invalid', problems.join('\n'), { exitCode: 2 })
}

export function plan(name: string, options: RunOptions): void {
  const scenario = prepareScenario(name, options)
  const trialPlan = planFor(scenario, effortOf(scenario.bench, options.effort))
  const derived = scenario.candidates.map((candidate) => ({
    candidate: candidate.name,
    model: deriveModel(engineNamed(candidate.engine).family, scenario),
  }))
  const excuses = derived.flatMap((each) => each.model.excuses.map((excuse) => ({ ...excuse, engine: each.candidate })))
  print(options.json ? JSON.stringify({ scenario, plan: trialPlan, excuses }, null, 2) : planText(scenario, trialPlan, derived))
}

export function models(name: string, engineName: string): void {
  const scenario = readScenario(name)
  const engine = engineNamed(engineName)
  const model = deriveModel(engine.family, scenario)
  print(modelText(engine.compile(model, allOperations(scenario), scenario, scenario.requirements.durability)))
}
