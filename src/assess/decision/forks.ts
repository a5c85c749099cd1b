/**
 * What a plan would cost if production went another way than its middle: demand at the upper end of what is assumed, or calls that grow where
 * the scenario lets only rows grow. Each is planned anew by the same planner and bought for as the plan itself.
 */
import type { CandidateResult, Result } from '../../result/result.ts'
import { costOf } from '../cost/cost.ts'
import type { Catalogue } from '../cost/prices.ts'
import { Demand } from '../demand/demand.ts'
import type { Still } from '../demand/demand-table.ts'
import { exactly, type Given, type Range, replacingAssumed } from '../figures/figure.ts'
import { middleOf } from '../figures/simulate.ts'
import { isPlan, planCapacity } from '../fleet/capacity-plan.ts'

/** USD a month, every other number at its middle; null: no fleet of the catalogue carries it. */
export type ForkPrice = { now: number; horizon: number } | null
export interface Forks {
  candidate: string
  /** Growth and peak as high as one draw in ten has them: of both, what was stated times so much. */
  highDemand: { growth: number; peak: number; usdPerMonth: ForkPrice }
  /** null: calls grow as rows do, or the scenario says that they do not. */
  growingCalls: { still: Still; usdPerMonth: ForkPrice } | null
  /** Calls whose answer is kept in a summary table, so that they read next to nothing; the upkeep of the table was not measured. null: there is none. */
  rolledUp: { operations: string[]; usdPerMonth: ForkPrice } | null
}

const upperEnd = 0.9

/** `mendable`: operations that read too many rows in production, and need not. */
export function forksOf(
  candidate: CandidateResult,
  result: Result,
  catalogue: Catalogue,
  still: Still | null,
  mendable: readonly string[] = [],
): Forks {
  let [growth, peak] = [1, 1]
  const atUpperEnd = (figure: Given): Given => {
    const isGrowth = figure.path.endsWith('.growthSpread')
    if (!isGrowth && figure.path !== 'demand.peakSpread') return figure
    const value = upperOf(figure.range)
    if (isGrowth) growth = Math.max(growth, value)
    else peak = value
    return { ...figure, range: exactly(value) }
  }
  const usdPerMonth = replacingAssumed(atUpperEnd, () => priceOf(candidate, result, catalogue))
  return {
    candidate: candidate.name,
    highDemand: { growth, peak, usdPerMonth },
    growingCalls: still === null ? null : { still, usdPerMonth: priceOf(candidate, growing(result, still), catalogue) },
    rolledUp: mendable.length === 0 ? null : { operations: [...mendable], usdPerMonth: priceOf(candidate, result, catalogue, mendable) },
  }
}

/** With the calls that stay as they are growing as the rows of that entity do. */
function growing(result: Result, { operations, growthPerMonth }: Still): Result {
  const scenario = structuredClone(result.scenario)
  for (const operation of scenario.operations) if (operations.includes(operation.name)) operation.loadGrowthPerMonth = growthPerMonth
  return { ...result, scenario }
}

/** `without`: operations that the store is not asked any more; what it carries is counted in the whole mix all the same. */
function priceOf(candidate: CandidateResult, result: Result, catalogue: Catalogue, without: readonly string[] = []): ForkPrice {
  const demand = new Demand(result.scenario)
  const { entities, operations } = demand.scenario
  const serves = { entities: entities.map(({ name }) => name), operations: operations.filter(({ name }) => !without.includes(name)) }
  const plan = planCapacity({ candidate, result, demand, ...(without.length === 0 ? {} : { serves }) })
  const cost = isPlan(plan) ? costOf(plan, catalogue, demand, result.seed) : null
  if (cost === null || cost.purchases.reach(demand.months) < minReach) return null
  return { now: middleOf(cost.total(0)), horizon: middleOf(cost.total(demand.months)) }
}

/** A fleet that carries fewer of the draws is no answer to what it would cost. */
const minReach = 0.5

/** Of a range without a confidence: the triangle that is drawn from. */
const upperOf = ({ low, mid, high }: Range) => (high === low ? mid : high - Math.sqrt((1 - upperEnd) * (high - low) * (high - mid)))
