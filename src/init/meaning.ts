/** What one statement does, said in the scenario's language. Loads a parser of some size. */
import { type Node, parse } from 'sql-parser-cst'
import type { Context, ObservedStatement, Read, StatementDialect } from './reading.ts'
import { readSelect } from './selects.ts'
import { Unparsed, Unsaid } from './sql-tree.ts'
import type { Table } from './tables.ts'
import { readDelete, readInsert, readUpdate } from './writes.ts'

/** Of the system, of which the application's own tables know nothing. */
const catalogues: Record<StatementDialect, RegExp> = {
  postgresql: /\b(from|join|update|into)\s+("?[a-z_][a-z0-9_]*"?\.)?"?(pg_[a-z_]+|information_schema)\b|^select\s+pg_[a-z_]+\(/i,
  mysql:
    /\b(from|join)\s+`?(information_schema|performance_schema|mysql|sys)`?\s*\.|^select\s+(@@|(database|schema|version|connection_id|last_insert_id)\s?\()/i,
}

/** null: it neither reads nor writes rows of the application. */
export function read(statement: ObservedStatement, tables: Table[], dialect: StatementDialect): Read | null {
  // Libraries write their name in front.
  const text = statement.text.replace(/^(\s|\/\*[\s\S]*?\*\/|--[^\n]*\n)+/, '')
  if (!/^\(*(select|insert|replace|update|delete|with)\b/i.test(text) || catalogues[dialect].test(text)) return null
  let tree: Node | undefined
  try {
    tree = parse(text, { dialect, paramTypes: [dialect === 'postgresql' ? '$nr' : '?'] }).statements[0]
  } catch {
    throw new Unparsed('could not be parsed')
  }
  if (tree?.type === 'compound_select_stmt') throw new Unsaid('several queries in one')
  if (tree === undefined || !('clauses' in tree)) return null
  const clauses = new Map((tree.clauses as Node[]).map((clause) => [clause.type, clause]))
  const context: Context = { statement, tables, schemas: statement.schemas ?? null, schema: statement.schema, tree, clauses }
  if (clauses.has('with_clause') && (tree.type === 'select_stmt' || tree.type === 'insert_stmt')) throw new Unsaid('several statements in one')
  switch (tree.type) {
    case 'select_stmt':
      return readSelect(context)
    case 'insert_stmt':
      return readInsert(context)
    case 'update_stmt':
      return readUpdate(context)
    case 'delete_stmt':
      return readDelete(context)
    default:
      return null
  }
}
