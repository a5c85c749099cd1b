/** Section 14: what may go wrong with this design, and what this run does not show. */
import type { Decision } from '../../assess/decision/decision.ts'
import { notMeasured } from '../not-measured.ts'
import { decidingText, plannedOf, unloadedText } from '../plan.ts'
import { type Block, heading, list } from '../render/document.ts'
import { rollupAdvice, slowAtScale } from '../scale.ts'
import type { Told } from '../told.ts'

export function riskSection({ result, decision }: Told): Block[] {
  return [...(decision === null ? [] : plannedRisks(decision)), heading(3, 'Not measured'), list(notMeasured(result))]
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
