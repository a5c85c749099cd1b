/** What a statement that was counted is, and what reading it finds. */
import type { Node } from 'sql-parser-cst'
import { type Condition, conditions, type Scope } from './sql-tree.ts'
import { expiryOf, type Table } from './tables.ts'

/** Of the parser. */
export type StatementDialect = 'postgresql' | 'mysql'

export interface ObservedStatement {
  /** With $1, $2 … or ? in place of values. */
  text: string
  calls: number
  /** That the server took for one, on average. */
  meanMs: number
  /** Returned or written, by all calls. */
  rows: number
  /** Where its tables are looked for, in this order; absent or null: nobody knows. */
  schemas?: readonly string[] | null
  /** What a name without one is of, for sure. */
  schema?: string
}

/** What a statement does. */
export interface Read {
  /** Of the same operation the same, however it was written. */
  name: string
  definition: string
  /** An owned entity that goes with it. */
  lines?: string
  /** Of the columns those that it asks for; absent: all. */
  fields?: string[]
  isDeepPage?: boolean
  isSchedule?: boolean
  /** What a transaction may be made of. */
  inserts?: Table
  adds?: { table: Table; signs: Map<string, '+' | '-'> }
  /** One statement for rows of a list: each is a call. */
  isBatch?: boolean
  note?: string
}

export interface Context extends Scope {
  statement: ObservedStatement
  tree: Node
  clauses: Map<string, Node>
}

/** What must hold, but that a row is still there: of a table whose rows expire every reader asks that. */
export function conditionsOf({ clauses }: Context, table: Table): Condition[] {
  const expiry = expiryOf(table)?.name
  return conditions(clauses.get('where_clause')).filter(({ column }) => column !== expiry || expiry === undefined)
}

export const nameOf = (verb: string, table: Table, columns: string[]) =>
  [`${verb}_${table.name}`, ...(columns.length === 0 ? [] : [`by_${columns.join('_')}`])].join('_').slice(0, 40).replace(/_+$/, '')

export const isKeyOf = ({ key }: Table, columns: string[]) => key.length > 0 && key.every((column) => columns.includes(column))
