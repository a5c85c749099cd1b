/** A saved result asked again with another peak, growth, horizon or budget: nothing is measured, only planned anew. */
import type { Result } from '../../result/result.ts'
import { entityOf, ownedBy, type Scenario } from '../../scenario/scenario.ts'
import { factor, growth, horizon, usdPerMonth } from '../../scenario/units.ts'
import { criteriaOf } from './criteria.ts'
import { namedValues, parseWish, wrong } from './wishes.ts'

/** As written on the command line. */
export interface WhatIf {
  weights?: string
  peak?: string
  growth?: string
  horizon?: string
  budget?: string
}

/** @throws TrialError, exit code 2, naming the option. */
export function applyWhatIf(result: Result, asked: WhatIf): Result {
  const scenario = structuredClone(result.scenario)
  const { requirements } = scenario
  if (asked.peak !== undefined) requirements.peak = parseWish('--peak', asked.peak, factor)
  if (asked.horizon !== undefined) requirements.horizonMs = parseWish('--horizon', asked.horizon, horizon)
  if (asked.budget !== undefined) requirements.budgetUsdPerMonth = parseWish('--budget', asked.budget, usdPerMonth)
  for (const [name, text] of namedValues('--growth', asked.growth)) grow(scenario, name, parseWish(`--growth ${name}`, text, growth))
  return { ...result, scenario }
}

const maxTimes = 1000

/** How often a criterion counts; what is not named counts once. */
export function weightsAsked(text: string | undefined, scenario: Scenario): Record<string, number> {
  const criteria = criteriaOf(scenario)
  const weights: Record<string, number> = {}
  for (const [name, value] of namedValues('--weights', text)) {
    if (criteria.every((criterion) => criterion.name !== name))
      throw wrong(`--weights ${name}: no such criterion`, `criteria are ${criteria.map((criterion) => criterion.name).join(', ')}`)
    if (!/^\d{1,15}(\.\d{1,15})?$/.test(value) || Number(value) > maxTimes)
      throw wrong(`--weights ${name}=${value}: expected a number of times that it counts, such as 2, or 0 for not at all; at most ${maxTimes}`)
    weights[name] = Number(value)
  }
  if (criteria.every(({ name }) => weights[name] === 0)) throw wrong('--weights: all are zero, so nothing would count')
  return weights
}

/** What followed its growth grows along: the load of what touches it, and the rows that it owns. */
function grow(scenario: Scenario, name: string, perMonth: number): void {
  const operation = scenario.operations.find((each) => each.name === name)
  if (operation !== undefined) {
    operation.loadGrowthPerMonth = perMonth
    return
  }
  const entity = scenario.entities.find((each) => each.name === name)
  if (entity === undefined) {
    const known = [...scenario.entities, ...scenario.operations].map((each) => each.name)
    throw wrong(`--growth ${name}: no such entity or operation`, `there are ${known.join(', ')}`)
  }
  const before = entity.growthPerMonth
  entity.growthPerMonth = perMonth
  if (entity.owner !== null) return
  for (const owned of ownedBy(scenario, name)) if (owned.growthPerMonth === before) owned.growthPerMonth = perMonth
  for (const each of scenario.operations) {
    const touched = entityOf(scenario, each.entity)
    if ((touched.owner?.entity ?? touched.name) === name && each.loadGrowthPerMonth === before) each.loadGrowthPerMonth = perMonth
  }
}
