/** Section 5: what is asked of the store, how it is asked, and how long that takes. */

import type { CandidateResult } from '../../result/result.ts'
import { planHead, planRows } from '../call-plans.ts'
import { objectives } from '../objectives.ts'
import { type Block, code, details, heading, paragraph, table } from '../render/document.ts'
import { capacities, commonMix, comparisons } from '../rivals.ts'
import { designed, type Told } from '../told.ts'

export function accessSection(told: Told): Block[] {
  const { result, assessment, charts } = told
  return [
    ...objectives(result, assessment, result.scenario),
    ...charts('objectives'),
    ...charts('percentiles'),
    ...capacities(result),
    ...charts('load-partial'),
    ...commonMix(result, assessment),
    ...comparisons(assessment, result),
    heading(3, 'Statements, and how the server runs them'),
    ...designed(told).flatMap(statements),
  ]
}

/** What one candidate is asked, and what its server says of how it answers. */
export function statements(candidate: CandidateResult): Block[] {
  const { name, compiled, explanations } = candidate
  const plans = planRows(candidate)
  return [
    ...(plans.length === 0
      ? []
      : [paragraph(`${name}, one call of each read on the loaded rows, as its server counted (measured):`), table(planHead, plans, [1, 2, 3, 5])]),
    ...(compiled.length === 0
      ? []
      : [
          details(
            `${name}: statements`,
            compiled.flatMap((each) => [heading(4, each.operation), code('sql', each.statements.join(';\n'))]),
          ),
        ]),
    ...(explanations.length === 0
      ? []
      : [
          details(
            `${name}: how the server runs the reads`,
            explanations.flatMap((each) => [heading(4, each.operation), code('', each.plan)]),
          ),
        ]),
  ]
}
