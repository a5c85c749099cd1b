/** A saved result asked again with another peak, growth, horizon or budget: nothing is measured, only planned anew. */
import type { z } from 'zod'
import { TrialError } from '../errors.ts'
import type { Result } from '../result.ts'
import { entityOf, type Scenario } from '../scenario/scenario.ts'
import { factor, growth, horizon, usdPerMonth } from '../scenario/units.ts'
import { criteria } from './criteria.ts'

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
  const scenario = structuredClone(result.scenario) as unknown as Scenario
  const { requirements } = scenario
  if (asked.peak !== undefined) requirements.peak = parse('--peak', asked.peak, factor)
  if (asked.horizon !== undefined) requirements.horizonMs = parse('--horizon', asked.horizon, horizon)
  if (asked.budget !== undefined) requirements.budgetUsdPerMonth = parse('--budget', asked.budget, usdPerMonth)
  for (const [name, text] of pairs('--growth', asked.growth)) grow(scenario, name, parse(`--growth ${name}`, text, growth))
  return { ...result, scenario: { ...scenario } }
}

export function weightsAsked(text: string | undefined): Record<string, number> {
  const weights: Record<string, number> = {}
  for (const [name, value] of pairs('--weights', text)) {
    if (criteria.every((criterion) => criterion.name !== name))
      throw wrong(`--weights ${name}: no such criterion`, `criteria are ${criteria.map((criterion) => criterion.name).join(', ')}`)
    if (!/^\d+(\.\d+)?$/.test(value)) throw wrong(`--weights ${name}=${value}: expected a number such as 0.3`)
    weights[name] = Number(value)
  }
  if (Object.keys(weights).length > 0 && Object.values(weights).every((each) => each === 0))
    throw wrong('--weights: all are zero, so nothing would count')
  return weights
}

/** The load of what touches it grows along, unless it had a growth of its own. */
function grow(scenario: Scenario, name: string, perMonth: number): void {
  const operation = scenario.operations.find((each) => each.name === name)
  if (operation !== undefined) {
    operation.loadGrowthPerMonth = perMonth
    return
  }
  const known = [...scenario.entities.filter((each) => each.owner === null), ...scenario.operations].map((each) => each.name)
  if (!scenario.entities.some((each) => each.name === name && each.owner === null))
    throw wrong(`--growth ${name}: no such entity or operation`, `there are ${known.join(', ')}`)
  const entity = entityOf(scenario, name)
  const before = entity.growthPerMonth
  entity.growthPerMonth = perMonth
  for (const each of scenario.operations) {
    const touched = entityOf(scenario, each.entity)
    if ((touched.owner?.entity ?? touched.name) === name && each.loadGrowthPerMonth === before) each.loadGrowthPerMonth = perMonth
  }
}

function pairs(option: string, text: string | undefined): [string, string][] {
  return (text === undefined ? [] : text.split(',')).map((each) => {
    const [name, ...rest] = each.split('=')
    if (name === undefined || rest.length !== 1) throw wrong(`${option} ${each}: expected name=value, several separated by commas`)
    return [name.trim(), (rest[0] as string).trim()]
  })
}

function parse(option: string, text: string, type: z.ZodType<number>): number {
  const parsed = type.safeParse(text)
  if (parsed.success) return parsed.data
  throw wrong(`${option} ${text}: ${parsed.error.issues[0]?.message ?? 'not understood'}`)
}

const wrong = (message: string, hint?: string) => new TrialError('bad-option', message, { exitCode: 2, ...(hint === undefined ? {} : { hint }) })
