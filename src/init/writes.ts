/** What a statement writes: rows, with those that they own, one by its key, or those of a list. */
import type { Node } from 'sql-parser-cst'
import { type Context, isKeyOf, nameOf, type Read } from './reading.ts'
import { areLists, columnOf, columnsOf, conditions, everyCondition, keywordOf, tableOf, Unsaid } from './sql-tree.ts'
import { expiryOf, ownerOf, type Table } from './tables.ts'

const maxRowsPerInsert = 1.5

export function readInsert(context: Context): Read {
  const { statement, clauses, tables } = context
  const into = clauses.get('insert_clause') as Node & { type: 'insert_clause' }
  const table = tableOf(into.table as Node, context)
  const owner = ownerOf(table, tables)
  if (owner !== undefined) return { name: `add_${owner.name}`, definition: `insert: ${owner.name}`, lines: table.name, inserts: owner }
  if (statement.rows > maxRowsPerInsert * statement.calls) throw new Unsaid('many rows in one insert')
  if (isUpsert(context)) return { name: `put_${table.name}`, definition: `put: ${table.name}`, note: 'how many are new is unknown' }
  return { name: `add_${table.name}`, definition: `insert: ${table.name}`, inserts: table }
}

/** A row of that key is written over. */
function isUpsert({ clauses }: Context): boolean {
  const into = clauses.get('insert_clause') as Node & { type: 'insert_clause' }
  const upsert = clauses.get('upsert_clause') as (Node & { type: 'upsert_clause' }) | undefined
  return upsert?.action.type === 'upsert_action_update' || clauses.has('on_duplicate_key_update_clause') || keywordOf(into.insertKw) === 'REPLACE'
}

export function readUpdate(context: Context): Read {
  const { clauses } = context
  const update = clauses.get('update_clause') as Node & { type: 'update_clause' }
  const table = tableOf(update.tables.items[0] as Node, context)
  const isBatch = clauses.has('from_clause')
  if (isBatch ? !isOfList(context, table) : !isKeyOf(table, columnsOf(conditions(clauses.get('where_clause')), 'equal')))
    throw new Unsaid(isBatch ? 'an update by another table' : 'an update of other rows than one by its key')
  const { set, signs } = changesOf(context, table)
  const definition = [
    `update: ${table.name}`,
    ...(set.length === 0 ? [] : [`set: { ${set.map(({ column, to }) => `${column}: ${to}`).join(', ')} }`]),
    ...(signs.size === 0 ? [] : [`add: { ${[...signs].map(([column, sign]) => `${column}: ${sign === '-' ? '-' : ''}1`).join(', ')} }`]),
  ].join(', ')
  return {
    name: nameOf('change', table, [...set.map(({ column }) => column), ...signs.keys()].slice(0, 1)),
    definition,
    ...(set.length === 0 && signs.size > 0 ? { adds: { table, signs } } : {}),
    ...(isBatch ? { isBatch, note: 'rows of a list, in one statement' } : {}),
  }
}

/** Each row of a list that the statement brings, found by its key. */
function isOfList({ clauses }: Context, table: Table): boolean {
  const from = clauses.get('from_clause') as Node & { type: 'from_clause' }
  const where = conditions(clauses.get('where_clause'))
  return table.key.length === 1 && where.length > 0 && where.every(({ column }) => column === table.key[0]) && areLists(from, clauses)
}

function changesOf({ clauses }: Context, table: Table): { set: { column: string; to: 'any' | 'now' }[]; signs: Map<string, '+' | '-'> } {
  const set: { column: string; to: 'any' | 'now' }[] = []
  const signs = new Map<string, '+' | '-'>()
  const expiry = expiryOf(table)?.name
  for (const each of (clauses.get('set_clause') as Node & { type: 'set_clause' }).assignments.items) {
    const column = columnOf(each.column as Node)
    if (column === undefined) throw new Unsaid('an update of several columns at once')
    if (column === expiry) continue
    const value = each.expr as Node
    const sign = value.type === 'binary_expr' && columnOf(value.left as Node) === column ? value.operator : undefined
    if (sign === '+' || sign === '-') signs.set(column, sign)
    // Few write another time than that of the change.
    else set.push({ column, to: isTime(table, column) ? 'now' : 'any' })
  }
  if (set.length + signs.size === 0) throw new Unsaid('an update of when a row expires')
  return { set, signs }
}

const isTime = ({ columns }: Table, name: string) =>
  columns.some((column) => column.name === name && /^(timestamp|timestamptz|datetime)$/.test(column.type))

/** null: it removes what has expired, which the life of a row says already. */
export function readDelete(context: Context): Read | null {
  const { clauses, tree } = context
  const deletion = clauses.get('delete_clause') as Node & { type: 'delete_clause' }
  const table = tableOf(deletion.tables.items[0] as Node, context)
  const expiry = expiryOf(table)?.name
  const all = everyCondition(tree)
  const isOfExpiry = ({ column, kind }: { column: string; kind: string }) => column === expiry && kind === 'range'
  if (all.some(isOfExpiry) && all.every((each) => isOfExpiry(each) || (each.kind === 'other' && table.key.includes(each.column)))) return null
  if (clauses.has('with_clause')) throw new Unsaid('several statements in one')
  if (clauses.has('from_clause')) throw new Unsaid('a deletion by another table')
  if (!isKeyOf(table, columnsOf(conditions(clauses.get('where_clause')), 'equal'))) throw new Unsaid('a deletion of other rows than one by its key')
  return { name: `delete_${table.name}`, definition: `delete: ${table.name}` }
}
