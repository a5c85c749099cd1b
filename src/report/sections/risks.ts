/** Section 14: what may go wrong with this design, and what this run does not show. */
import type { Decision } from '../../assess/decision/decision.ts'
import { antiPatterns } from '../anti-patterns.ts'
import { notMeasured } from '../not-measured.ts'
import { decidingText, plannedOf, unloadedText } from '../plan.ts'
import { type Block, heading, list, paragraph } from '../render/document.ts'
import { rollupAdvice, slowAtScale } from '../scale.ts'
import { designed, type Told } from '../told.ts'

export function riskSection(told: Told): Block[] {
  const { result, decision } = told
  return [...(decision === null ? [] : plannedRisks(decision)), ...patterns(told), heading(3, 'Not measured'), list(notMeasured(result))]
}

function plannedRisks(decision: Decision): Block[] {
  const planned = plannedOf(decision)
  const slow = planned.flatMap((each) => slowAtScale(each, decision.months).map((said) => `${each.name}: ${said}`))
  const deciding = planned.flatMap(({ name, plan }) => {
    const said = decidingText(plan)
    return said === null ? [] : [`${name}: ${said}`]
  })
  const unloaded = decision.candidates.flatMap((each) => each.unloaded.map((missed) => unloadedText(each.marked, missed)))
  const all = [...slow, ...rollupAdvice(decision), ...unloaded, ...deciding]
  return all.length === 0 ? [] : [list(all)]
}

function patterns(told: Told): Block[] {
  const own = designed(told)
  if (own.length === 0) return []
  const looked = own.flatMap((candidate) => antiPatterns(candidate, told.result.scenario).map((each) => ({ name: candidate.name, ...each })))
  const hot = hotKey(told.decision)
  const said = Map.groupBy(
    looked.flatMap(({ name, found: each }) => each.map((text) => ({ name, text }))),
    ({ text }) => text,
  )
  const found = [...[...said].map(([text, by]) => `${by.map(({ name }) => name).join(' and ')}: ${text}.`), ...hot]
  const clear = [...new Set(looked.map(({ what }) => what))].filter((what) => looked.every((each) => each.what !== what || each.found.length === 0))
  return [
    heading(3, 'Anti-patterns'),
    ...(found.length === 0 ? [] : [list(found)]),
    ...(clear.length === 0 ? [] : [paragraph(`Looked for and not found: ${clear.join('; ')}.`)]),
  ]
}

/** One value that many rows share makes one shard, partition or lock hot, whatever the product. */
const hotShare = 0.01

function hotKey(decision: Decision | null): string[] {
  const key = decision?.shards?.key
  if (key === undefined || key.heaviestShare < hotShare) return []
  return [
    `The heaviest value of ${key.entity}.${key.field} holds ${Number((key.heaviestShare * 100).toPrecision(2))} % of the rows, by the law that the scenario states: what is divided or locked by it is as hot.`,
  ]
}
