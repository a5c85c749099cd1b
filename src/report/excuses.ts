/** What a candidate cannot do, and what it does by another way than asked for. */
import type { Result } from '../result/result.ts'
import { type Block, list, paragraph } from './render/document.ts'

export function excuses(result: Result): Block[] {
  const excused = result.excuses.map(
    (excuse) => `${excuse.engine}${excuse.operation === null ? '' : `, ${excuse.operation}`}: ${excuse.reason} (${excuse.bottleneck})`,
  )
  const emulated = result.candidates.flatMap((candidate) => [
    ...new Set(candidate.model.emulations.map((each) => `${candidate.name}, ${each.operation}: ${each.how}`)),
  ])
  return [excused.length + emulated.length === 0 ? paragraph('Every candidate does every operation natively.') : list([...excused, ...emulated])]
}
