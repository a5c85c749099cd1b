/** What one candidate's plan buys, month by month, of the servers of a price list: one path for all draws of its needs. */
import type { CapacityPlan } from './capacity-plan.ts'
import { cheapest, suffices } from './cheapest.ts'
import type { Demand } from './demand.ts'
import { linesOf } from './fleet-cost.ts'
import { type Change, type Chosen, type Market, planFleets, type Sufficiency } from './fleet-plan.ts'
import { engineerHour } from './labour.ts'
import type { BlockStorage, Shape } from './prices.ts'
import { middleOf, simulate } from './simulate.ts'
import { boundOf, type Need, nodesOf } from './supply.ts'

export interface Purchases {
  /** Of a sampled month. */
  fleet(month: number): Chosen
  changes: readonly Change[]
  /** At each sampled month. */
  sufficiency(fleet: Chosen): Sufficiency[]
  suffices(fleet: Chosen, need: Need): boolean
}

/** Enough to tell a probability within two or three per cent. */
export const judgingDraws = 1000
/** Months between two decisions, where the horizon is short; so many decisions where it is long. */
const stepMonths = 2
const mostSteps = 20

export function purchasesOf(
  plan: CapacityPlan,
  shapes: readonly Shape[],
  block: BlockStorage,
  demand: Demand,
  seed: number,
  draws = judgingDraws,
): Purchases | null {
  const market = marketOf(plan, shapes, block)
  const { months, needs } = needsOf(plan, demand, seed, draws)
  const planned = planFleets(market, months, needs, middleOf(engineerHour(demand.scenario)))
  if (planned === null) return null
  const sampled = new Set(demand.sampledMonths)
  const fleet = (month: number) => planned.fleets[months.indexOf(month)] as Chosen
  return {
    fleet,
    changes: planned.changes,
    sufficiency: (own) => planned.sufficiency(own).filter((each) => sampled.has(each.month)),
    suffices: market.carries,
  }
}

function marketOf(plan: CapacityPlan, shapes: readonly Shape[], block: BlockStorage): Market<Need> {
  const { topology } = plan.facts
  const terms = plan.terms(block, shapes)
  const shapeOf = ({ shape }: Chosen) => shapes[shape] as Shape
  return {
    topology,
    cheapest: (need) => cheapest(shapes, need, terms),
    carries: (fleet, need) => suffices(shapeOf(fleet), fleet, need, terms),
    usd: (fleet, need) => {
      const shape = shapeOf(fleet)
      const lines = linesOf(shape, { parts: fleet.parts, nodes: nodesOf(fleet, topology) }, need, terms, shape.usdPerHour as number)
      return lines.servers + lines.storage + lines.provisionedIo + lines.shards
    },
    bound: (fleet, need) => boundOf(shapeOf(fleet), fleet, need, terms),
  }
}

/** Of the sampled months and of some between them, where all lies on straight lines. */
function needsOf(plan: CapacityPlan, demand: Demand, seed: number, draws: number): { months: number[]; needs: Need[][] } {
  const { sampledMonths: sampled } = demand
  const figures = sampled.map((month) => plan.needFigures(month))
  const samples = simulate([...new Set(figures.flat())], seed, draws)
  const columns = figures.map((own) => own.map((figure) => samples.get(figure) as Float64Array))
  const perInterval = Math.max(1, Math.floor(mostSteps / Math.max(1, sampled.length - 1)))
  const months: number[] = []
  const needs: Need[][] = []
  for (const [at, month] of sampled.entries()) {
    const next = sampled[at + 1]
    const steps = next === undefined ? 1 : Math.max(1, Math.min(Math.ceil((next - month) / stepMonths), perInterval))
    for (let step = 0; step < steps; step++) {
      const way = step / steps
      const [here, there] = [columns[at] as Float64Array[], (columns[at + 1] ?? columns[at]) as Float64Array[]]
      months.push(month + Math.round(way * ((next ?? month) - month)))
      needs.push(
        Array.from({ length: draws }, (_, draw) =>
          plan.needOf(
            here.map((column, each) => {
              const now = column[draw] as number
              return now + way * (((there[each] as Float64Array)[draw] as number) - now)
            }),
          ),
        ),
      )
    }
  }
  return { months, needs }
}
