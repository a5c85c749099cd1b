/** What a running server tells of its tables and of the statements that it has counted, for a scenario to start from. */
import type { DraftContents } from './draft.ts'
import type { ObservedStatement, StatementDialect } from './reading.ts'
import { operationsOf } from './statements.ts'
import { entitiesOf, type Table } from './tables.ts'

export interface Observed {
  tables: Table[]
  /** null: the server does not count them; why, and what would make it. */
  statements: { counted: ObservedStatement[]; seconds: number; notes: string[] } | { counted: null; why: string }
}

/** Entities, and where statements were counted the operations and what they are not. */
export function draftedFrom({ tables, statements }: Observed, dialect: StatementDialect = 'postgresql'): DraftContents {
  if (statements.counted === null) return { entities: entitiesOf(tables) }
  const { counted, seconds } = statements
  const { operations, leftOut } = operationsOf(counted, tables, seconds, dialect)
  const entities = entitiesOf(tables, operations)
  if (operations.length === 0) return { entities, leftOut, notes: statements.notes }
  const notes = [
    `counted for ${spanText(seconds)}: rates are averages over that time`,
    'nobody counts which rows are asked for more often (pick), what is one transaction, what may be old: say it yourself',
    ...statements.notes,
  ]
  return { entities, operations, leftOut, notes }
}

function spanText(seconds: number): string {
  const [unit, length] =
    (
      [
        ['days', 86_400],
        ['hours', 3600],
        ['minutes', 60],
      ] as const
    ).find(([, each]) => seconds >= 3 * each) ?? (['seconds', 1] as const)
  return `${Number((seconds / length).toPrecision(2))} ${unit}`
}
