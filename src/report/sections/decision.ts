/** Section 1: who is to be taken, on which conditions, and what each candidate holds. */
import { answer } from '../answer.ts'
import type { Block } from '../render/document.ts'
import type { Told } from '../told.ts'
import { decided } from '../verdict.ts'

export function decisionSection({ result, assessment, decision, charts }: Told): Block[] {
  return [
    ...(decision === null ? [] : [decided(decision)]),
    ...answer(result, assessment, result.scenario),
    ...charts('load-full'),
    ...charts('cost-full'),
  ]
}
