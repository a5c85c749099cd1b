/** How long one call takes: as measured, and with as many rows as it touches in a month. */
import type { CandidateResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { type Figure, given, productOf } from '../figures/figure.ts'
import type { FigureMemo } from '../figures/figure-memo.ts'
import { serviceSecondsOf } from './calls.ts'
import type { Rows } from './rows.ts'

export interface Service {
  /** Those that were timed. */
  timed: Operation[]
  /** On average; null: none was timed. */
  seconds(operation: Operation, month: number): Figure<'seconds'> | null
}

/** `carried`: multiples that its server does. */
export function serviceOf(candidate: CandidateResult, operations: Operation[], rows: Rows, carried: number, memo: FigureMemo): Service {
  const { name } = candidate
  const measured = serviceSecondsOf(candidate, operations, carried)
  return {
    timed: operations.filter((operation) => measured.has(operation.name)),
    seconds: (operation, month) => {
      const found = measured.get(operation.name)
      if (found === undefined) return null
      const alone = memo.once(`work.${name}.${operation.name}.service`, (path) =>
        given(path, 'seconds', found, 'measured', 'mean service time at the lowest rate that its server carries'),
      )
      const more = rows.cost(operation, month)
      if (more === null) return alone
      return memo.once(`work.${name}.${operation.name}.service@${month}`, (path) => productOf(path, 'seconds', 'service × rowsCost', [alone, more]))
    },
  }
}
