/** What one candidate's plan buys, year by year, of the servers of a price list: one path for all draws of its needs. */

import { engineerHour } from '../cost/labour.ts'
import type { BlockStorage, Shape } from '../cost/prices.ts'
import type { Demand } from '../demand/demand.ts'
import { given } from '../figures/figure.ts'
import { middleOf, type Spread, simulate, spreadOf } from '../figures/simulate.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import { cheapest, isCarriable, suffices, usdOf } from './cheapest.ts'
import { demandingFirst, enoughFleets, meanOf } from './enough.ts'
import {
  type Change,
  type Chosen,
  enoughShare,
  type Market,
  planFleets,
  reviewsOf,
  type Stage,
  type Sufficiency,
  sufficiencyOf,
} from './fleet-plan.ts'
import { assumptions } from './plan-assumptions.ts'
import { boundOf, bounds, type Need, usesOf } from './supply.ts'

export interface Purchases {
  /** Of any month. */
  fleet(month: number): Chosen
  stages: readonly Stage[]
  /** The year of the path that a month lies in. */
  stage(month: number): Stage
  /** Of all draws, at each look and in each sampled month. */
  needs(month: number): readonly Need[]
  changes: readonly Change[]
  /** At each sampled month. */
  sufficiency(fleet: Chosen): Sufficiency[]
  suffices(fleet: Chosen, need: Need): boolean
  /** The share of the draws that each fleet is bought to carry. */
  target: number
  /** Share of the draws that some fleet of the catalogue carries in a sampled month. */
  reach(month: number): number
  /** USD a month of the fleet that each draw would need, once its numbers are known, where some fleet carries it; null: nothing carries any. */
  needed(month: number): Spread | null
}

/** Enough to tell a probability within two or three per cent. */
export const judgingDraws = 500
/** Fleets of a year that are weighed with what changing to them costs. */
const maxWeighed = 8

export function purchasesOf(
  plan: CapacityPlan,
  shapes: readonly Shape[],
  block: BlockStorage,
  demand: Demand,
  seed: number,
  draws = judgingDraws,
): Purchases | null {
  const terms = plan.terms(block, shapes)
  const market = marketOf(plan, shapes, block)
  const reviews = reviewsOf(demand.months)
  const needs = needsOf(plan, reviews, seed, draws)
  const of = (month: number) => {
    // Nothing is bought between two looks: who asks for prices alone never draws those months.
    if (!needs.has(month)) {
      const others = demand.sampledMonths.filter((each) => !needs.has(each))
      for (const [each, own] of needsOf(plan, others, seed, draws)) needs.set(each, own)
    }
    return needs.get(month) as Need[]
  }
  const shortfall = given(
    'plan.shortfall',
    'ratio',
    assumptions.shortfall,
    'assumed',
    'what a month short of servers costs (an emergency purchase beside what stands, objectives missed) over what a month of the next larger fleet costs more',
  )
  const target = enoughShare(shortfall.kind === 'given' ? shortfall.range.mid : assumptions.shortfall.mid)
  const planned = planFleets(market, reviews, reviews.map(of), target, middleOf(engineerHour(demand.scenario)))
  if (planned === null) return null
  const stageOf = (month: number) => (planned.stages.find(({ until }) => month < until) ?? planned.stages.at(-1)) as Stage
  return {
    fleet: (month) => stageOf(month).fleet,
    stages: planned.stages,
    stage: stageOf,
    needs: of,
    changes: planned.changes,
    sufficiency: (own) => demand.sampledMonths.map((month) => sufficiencyOf(market, own, month, of(month))),
    suffices: market.carries,
    target,
    reach: (month) => market.reach(of(month)),
    needed: (month) => {
      const carried = of(month).filter((need) => isCarriable(shapes, need, terms))
      let likely = -1
      const usd = carried.map((need) => {
        const choice = cheapest(shapes, need, terms, likely)
        likely = choice.shape
        return choice.usdPerMonth
      })
      return usd.length === 0 ? null : spreadOf(Float64Array.from(usd))
    },
  }
}

export function marketOf(plan: CapacityPlan, shapes: readonly Shape[], block: BlockStorage): Market<Need> {
  const terms = plan.terms(block, shapes)
  const shapeOf = ({ shape }: Chosen) => shapes[shape] as Shape
  const known = new WeakMap<readonly Need[], Need>()
  const typical = (needs: readonly Need[]) => {
    const mean = known.get(needs) ?? meanOf(needs)
    known.set(needs, mean)
    return mean
  }
  let order = shapes.map((_, at) => at)
  return {
    topology: plan.facts.topology,
    enough: (months, share, standing) => {
      const mean = meanOf(months.flat())
      const found = enoughFleets(shapes, order, months, mean, terms, share, maxWeighed)
      // What was enough last month is likely to be among the cheapest next month.
      const first = [...new Set(found.map(({ shape }) => shape))]
      order = [...first, ...order.filter((at) => !first.includes(at))]
      return standing === null ? found : [...found, ...enoughFleets(shapes, [standing.shape], months, mean, terms, share, maxWeighed)]
    },
    reach: (needs) => needs.filter((need) => isCarriable(shapes, need, terms)).length / Math.max(1, needs.length),
    carries: (fleet, need) => suffices(shapeOf(fleet), fleet, need, terms),
    usd: (fleet, needs) => usdOf(shapeOf(fleet), fleet, typical(needs), terms),
    bound: (fleet, need) => boundOf(shapeOf(fleet), fleet, need, terms),
    use: (fleet, need, resource) => usesOf(shapeOf(fleet), fleet, need, terms)[bounds.indexOf(resource)] as number,
  }
}

/** Of each month, those of all draws, the most demanding first. */
export function needsOf(plan: CapacityPlan, months: readonly number[], seed: number, draws: number): Map<number, Need[]> {
  const figures = months.map((month) => plan.needFigures(month))
  const samples = simulate([...new Set(figures.flat())], seed, draws)
  return new Map(
    months.map((month, at) => {
      const columns = (figures[at] ?? []).map((figure) => samples.get(figure) as Float64Array)
      const values = columns.map(() => 0)
      const own = Array.from({ length: draws }, (_, draw) => {
        for (let column = 0; column < columns.length; column++) values[column] = (columns[column] as Float64Array)[draw] as number
        return plan.needOf(values)
      })
      return [month, demandingFirst(own)]
    }),
  )
}
