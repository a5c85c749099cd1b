/** What stands beside a price: why its range is narrow, and what it would be if production went another way. */

import type { Decision } from '../assess/decision/decision.ts'
import type { ForkPrice, Forks } from '../assess/decision/forks.ts'
import { namedStill } from '../assess/demand/demand-table.ts'
import { threeDigits } from '../assess/figures/amount.ts'
import type { CandidatePlan } from '../assess/fleet/candidate-plan.ts'
import { inWords } from './assumed-words.ts'
import { percent, usd } from './render/format.ts'

/** The widest bar of what is needed may be so many times as wide as the range of what is paid before that must be explained. */
const maxTimes = 4 / 3

/** null: what is paid varies as what is needed does. */
export function narrowText({ tornado, fleet, boughtFor }: Pick<CandidatePlan, 'tornado' | 'fleet' | 'boughtFor'>): string | null {
  const { total, suffices, month } = fleet.horizon
  const [widest] = tornado
  if (widest === undefined || Math.abs(widest.high - widest.low) <= maxTimes * (total.p90 - total.p10)) return null
  const [low, high] = [widest.low, widest.high].sort((a, b) => a - b) as [number, number]
  const last = suffices.find((each) => each.month === month)
  return `${usd(total.p10)}–${usd(total.p90)} USD is narrower than what is uncertain, because servers are bought once a year for ${percent(boughtFor)} of the draws and paid whatever comes: ${inWords(widest.path)} by itself moves what is needed from ${usd(low)} to ${usd(high)} USD a month, which is not in the price but in whether they suffice${last === undefined ? '' : `, ${percent(last.probability)} in month ${month}`}.`
}

/** One sentence for each way that production may go. */
export function forkTexts({ highDemand, growingCalls, rolledUp }: Forks, plan: Pick<CandidatePlan, 'fleet'>): string[] {
  const { now, horizon } = plan.fleet
  const instead = `in place of ${usd(now.total.middle)} and ${usd(horizon.total.middle)}, every number at its middle`
  const price = (each: ForkPrice) =>
    each === null
      ? `no fleet of the catalogue carries it through month ${horizon.month}`
      : `${usd(each.now)} USD a month now and ${usd(each.horizon)} in month ${horizon.month}, ${instead}`
  return [
    ...(rolledUp === null
      ? []
      : [
          `with the answer of ${rolledUp.operations.join(' and ')} kept rolled up, without what the upkeep of the summary costs, which was not measured: ${price(rolledUp.usdPerMonth)}. A fleet that is larger than that is bought for ${rolledUp.operations.length === 1 ? 'this call' : 'these calls'} alone.`,
        ]),
    `if demand comes as high as one draw in ten has it (growth × ${threeDigits(highDemand.growth)}, peak × ${threeDigits(highDemand.peak)}) and is bought for: ${price(highDemand.usdPerMonth)}.`,
    ...(growingCalls === null
      ? []
      : [
          `if the calls that stay as they are (${namedStill(growingCalls.still)}) grow as ${growingCalls.still.entity} does, ${percent(growingCalls.still.growthPerMonth)} a month: ${price(growingCalls.usdPerMonth)}.`,
        ]),
  ]
}

/** Of all candidates with a plan, each sentence with its name before it. */
export function besidePrices({ forks }: Pick<Decision, 'forks'>, planned: readonly { key: string; name: string; plan: CandidatePlan }[]): string[] {
  return planned.flatMap(({ key, name, plan }) => {
    const own = forks.find(({ candidate }) => candidate === key)
    return [...[narrowText(plan)].filter((each) => each !== null), ...(own === undefined ? [] : forkTexts(own, plan))].map(
      (each) => `${name}: ${each}`,
    )
  })
}
