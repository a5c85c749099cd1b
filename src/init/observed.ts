/** What a running server tells of its tables and of the statements that it has counted, for a scenario to start from. */
import type { DraftContents } from './draft.ts'
import { type ObservedStatement, operationsOf } from './statements.ts'
import { entitiesOf, type Table } from './tables.ts'

export interface Observed {
  tables: Table[]
  /** null: the server does not count them; why, and what would make it. */
  statements: { counted: ObservedStatement[]; seconds: number } | { counted: null; why: string }
}

/** Entities, and where statements were counted the operations and what they are not. */
export function draftedFrom({ tables, statements }: Observed): DraftContents {
  const entities = entitiesOf(tables)
  if (statements.counted === null) return { entities }
  const { operations, leftOut } = operationsOf(statements.counted, tables, statements.seconds)
  return operations.length === 0 ? { entities, leftOut } : { entities, operations, leftOut }
}
