/** Section 3: what is asked of every candidate, who ranks where and how firmly, and whether more than one store would be better. */
import { compositeBlocks } from '../composites.ts'
import { excuses } from '../excuses.ts'
import { type Block, heading } from '../render/document.ts'
import type { Told } from '../told.ts'
import { decided, selection } from '../verdict.ts'

export function selectionSection({ result, decision }: Told): Block[] {
  return [
    ...(decision === null ? [] : [decided(decision), ...selection(decision), ...compositeBlocks(decision, 'search store beside')]),
    heading(3, 'What could not be done, and what was emulated'),
    ...excuses(result),
  ]
}
