/** `dbtrial validate`, `plan`, `models`: what a scenario says and what follows from it; nothing starts. */

import { printable } from '../controls.ts'
import type { Compiled } from '../engines/engine.ts'
import { engineNamed, engineOf, engines, knownEngines } from '../engines/registry.ts'
import { TrialError } from '../errors.ts'
import { allOperations, deriveModel } from '../families/derive.ts'
import { planFor } from '../run/bench.ts'
import { effortOf } from '../run/plan.ts'
import { choice, type Placed, placedText } from '../scenario/problems.ts'
import { type Inspected, inspectScenario, scenarioOf } from '../scenario/read.ts'
import { type Durability, type Operation, promised, type Scenario, writesOf } from '../scenario/scenario.ts'
import { acrossTenants, isOfTenants, tenantsIn } from '../scenario/tenants.ts'
import { modelText, planText } from '../terminal/tables.ts'
import { note, print } from './output.ts'
import type { RunOptions } from './run.ts'

const engineNames = engines.map((engine) => engine.name)
const inspect = (name: string): Inspected => inspectScenario(name, knownEngines)

/** The scenario with the candidates and the seed that were asked for. */
export function prepareScenario(name: string, options: Pick<RunOptions, 'candidates' | 'seed'>): Scenario {
  const scenario = scenarioOf(inspect(name))
  if (options.seed !== undefined) {
    if (!/^\d{1,14}$/.test(options.seed))
      throw new TrialError('bad-seed', `--seed ${options.seed}: expected a whole number below 10^14`, { exitCode: 2 })
    scenario.seed = Number(options.seed)
  }
  if (options.candidates !== undefined) scenario.candidates = chosen(scenario, options.candidates)
  return scenario
}

/** Candidates of the scenario by their names, and engines that it does not name. */
function chosen(scenario: Scenario, text: string): Scenario['candidates'] {
  const known = new Map(scenario.candidates.map((candidate) => [candidate.name, candidate]))
  const names = text.split(',').map((each) => each.trim())
  const twice = names.find((each, index) => names.indexOf(each) < index)
  if (twice !== undefined) throw wrongCandidates(`"${printable(twice)}" is listed twice`)
  return names.map((each) => {
    const candidate = known.get(each)
    if (candidate !== undefined) return candidate
    if (!engineNames.includes(each)) {
      const choices = [...new Set([...known.keys(), ...engineNames])]
      throw wrongCandidates(`there is no candidate or engine "${printable(each.slice(0, 80))}"${choice(each, choices)}`)
    }
    const { durability } = scenario.requirements
    const offered = engineNamed(each).capabilities.durability
    const kept = promised(durability, offered)
    if (kept === undefined)
      throw wrongCandidates(
        `${each} promises no more than ${offered[0]}, and the scenario asks for durability ${durability}: leave it out, or let the scenario ask for less`,
      )
    return { name: each, engine: each, durability: kept }
  })
}

const wrongCandidates = (reason: string) => new TrialError('bad-candidates', `--candidates: ${reason}`, { exitCode: 2 })

export function validate(names: string[], { json = false }: { json?: boolean }): void {
  const found = names.map((name) => ({ name, ...inspectOrExplain(name) }))
  const isValid = found.every(({ scenario }) => scenario !== undefined)
  if (json) {
    const scenarios = found.map(({ name, file, scenario, problems }) => ({
      ...{ name: printable(name), file, valid: scenario !== undefined },
      ...{ entities: scenario?.entities.length ?? null, operations: scenario?.operations.length ?? null },
      ...{ tenants: scenario === undefined ? null : tenancyOf(scenario), problems },
    }))
    print(JSON.stringify({ valid: isValid, scenarios }, null, 2))
  } else
    for (const { name, scenario, problems } of found) {
      for (const problem of problems) note(placedText(problem))
      if (scenario === undefined) continue
      const tenancy = tenancyOf(scenario)
      print(`${printable(name)}: valid, ${scenario.entities.length} entities, ${scenario.operations.length} operations`)
      if (tenancy !== null) print(`rows of a ${tenancy.entity}: ${listed(tenancy.entities)}; operations not bound to one: ${listed(tenancy.unbound)}`)
    }
  if (!isValid) process.exitCode = 2
}

/** Whose rows are, and who asks for rows of several tenants, or of none. */
function tenancyOf(scenario: Scenario): { entity: string; entities: string[]; unbound: string[] } | null {
  const entity = tenantsIn(scenario)
  if (entity === undefined) return null
  const own = scenario.entities.filter((each) => isOfTenants(scenario, each)).map(({ name }) => name)
  const asksForNone = (operation: Operation) => [operation, ...writesOf(operation)].every((each) => !own.includes(each.entity))
  const unbound = scenario.operations.filter((each) => asksForNone(each) || acrossTenants(scenario, each) !== null)
  return { entity, entities: own.filter((name) => name !== entity), unbound: unbound.map(({ name }) => name) }
}

const listed = (names: string[]) => names.join(', ') || 'none'

/** A scenario that is not there is one more thing that is wrong. */
function inspectOrExplain(name: string): Inspected {
  try {
    return inspect(name)
  } catch (error) {
    if (!(error instanceof TrialError)) throw error
    const file = printable(name)
    const message = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`
    return { file, problems: [{ severity: 'error', file, line: 1, column: 1, path: '', message }] }
  }
}

export function plan(name: string, options: RunOptions): void {
  inJson(options.json === true, name, () => {
    const scenario = prepareScenario(name, options)
    const trialPlan = planFor(scenario, effortOf(scenario.bench, options.effort))
    const derived = scenario.candidates.map((candidate) => ({
      candidate: candidate.name,
      model: deriveModel(engineOf(candidate), scenario),
    }))
    const excuses = derived.flatMap((each) => each.model.excuses.map((excuse) => ({ ...excuse, engine: each.candidate })))
    print(options.json ? JSON.stringify({ scenario, plan: trialPlan, excuses }, null, 2) : planText(scenario, trialPlan, derived))
  })
}

export function models(name: string, { engine: engineName, json = false }: { engine: string; json?: boolean }): void {
  inJson(json, name, () => {
    const scenario = scenarioOf(inspect(name))
    const engine = engineNamed(engineName)
    const model = deriveModel(engine, scenario)
    const { durability: offered } = engine.capabilities
    const { durability: asked } = scenario.requirements
    const kept = promised(asked, offered)
    const durability = kept ?? (offered[0] as Durability)
    if (kept === undefined)
      note(`${engine.name} promises no more than ${durability}, and the scenario asks for durability ${asked}: this is its model for ${durability}`)
    const compiled = engine.compile(model, allOperations(scenario), scenario, durability)
    print(json ? JSON.stringify(modelOf(compiled), null, 2) : modelText(compiled))
  })
}

/** What the text says, too; not the scenario it came from. */
function modelOf({ engine, durability, model, ddl, afterLoad, programs, operations, settings }: Compiled): Record<string, unknown> {
  const statements = programs.flatMap((each, index) =>
    each === null || operations[index]?.internal ? [] : [{ operation: each.operation, statements: each.shown }],
  )
  return { engine, durability, model, ddl, afterLoad, statements, settings }
}

/** Who reads JSON gets the reason in JSON, too. */
function inJson(json: boolean, name: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!json || !(error instanceof TrialError) || error.exitCode === 1) throw error
    const problems: Placed[] = error.code === 'scenario-invalid' ? inspect(name).problems : []
    const { code, message, hint = null } = error
    print(JSON.stringify({ error: { code, message, hint }, problems }, null, 2))
    process.exitCode = error.exitCode
  }
}
