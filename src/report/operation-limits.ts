/** From which p99 on somebody must act, and from which on somebody should look, by operation. */
import type { Cell } from '../assess/judge/at-multiple.ts'
import type { CandidateResult } from '../result/result.ts'
import type { Told } from './told.ts'

export interface OperationLimit {
  operation: string
  /** µs: halfway, in ratios, from what was measured to the limit; null: nothing was measured, or it lies above the limit already. */
  warnUs: number | null
  actUs: number
  cell: Cell
}

/** At the highest load that tells of a p99, over the average; null: the candidate was not measured at a load that it keeps up with. */
export function operationLimits(
  { result: { scenario }, assessment }: Told,
  { name }: CandidateResult,
): { multiple: number; limits: OperationLimit[] } | null {
  const tried = assessment.candidates.find((each) => each.name === name)?.at ?? []
  const at = tried.findLast(({ cells }) => cells.some(({ p99Us }) => p99Us !== null))
  if (at === undefined) return null
  const limits = scenario.operations.flatMap(({ name: operation, objectives }): OperationLimit[] => {
    const limitMs = objectives.find((each) => each.name === 'p99')?.limitMs
    const cell = at.cells.find((each) => each.operation === operation)
    if (limitMs === undefined || cell === undefined || cell.outcome === 'excused') return []
    const actUs = limitMs * 1000
    const isBelow = cell.p99Us !== null && cell.p99Us < actUs
    return [{ operation, cell, actUs, warnUs: isBelow ? Math.sqrt((cell.p99Us as number) * actUs) : null }]
  })
  return { multiple: at.multiple, limits }
}
