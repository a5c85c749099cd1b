/** Section 1: who is to be taken, on which conditions, and what each candidate holds. */
import { answer } from '../answer.ts'
import { firstMonth } from '../first-month.ts'
import { inShort } from '../in-short.ts'
import { firstOf } from '../recommendation.ts'
import { type Block, heading } from '../render/document.ts'
import type { Told } from '../told.ts'
import { decided } from '../verdict.ts'

export function decisionSection(told: Told): Block[] {
  const { result, assessment, decision, charts } = told
  return [
    ...(decision === null || firstOf(decision) !== undefined ? [] : [decided(decision)]),
    ...inShort(told),
    ...firstMonth(told),
    ...(decision === null ? [] : [heading(3, 'What each held on the bench')]),
    ...answer(result, assessment, result.scenario),
    ...charts('load-full'),
    ...charts('cost-full'),
  ]
}
