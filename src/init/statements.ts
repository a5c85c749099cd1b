/**
 * Operations from the statements that a running server has counted: each is read as a tree, and what it does said in the scenario's language.
 * What that cannot say is left out, with the reason. Values are not known: constants and parameters look alike in what a server counts.
 */
import { type Node, parse } from 'sql-parser-cst'
import type { DraftOperation } from './draft.ts'
import { aggregates, type Condition, columnOf, columnsOf, conditions, groupOf, sortsOf, tableOf, tablesIn, Unsaid } from './sql-tree.ts'
import { ownerOf, type Table } from './tables.ts'

export interface ObservedStatement {
  /** With $1, $2 … in place of values. */
  text: string
  calls: number
  /** That the server took for one, on average. */
  meanMs: number
  /** Returned or written, by all calls. */
  rows: number
}

/** What a statement does. */
interface Read {
  /** Of the same operation the same, however it was written. */
  name: string
  definition: string
  /** An owned entity that goes with it. */
  lines?: string
  isDeepPage?: boolean
  isSchedule?: boolean
}
interface Sum extends Read {
  calls: number
  /** Of statements that read or write the rows of an owner. */
  linesCalls: number
  deepCalls: number
  totalMs: number
  linesOf: Set<string>
}

const shownLength = 100
/** Rarer ones, in all that was counted, are no part of a load. */
const minCalls = 2

/** `seconds`: during which they were counted. */
export function operationsOf(
  statements: readonly ObservedStatement[],
  tables: Table[],
  seconds: number,
): { operations: DraftOperation[]; leftOut: string[] } {
  const sums = new Map<string, Sum>()
  const leftOut: string[] = []
  for (const statement of [...statements].sort((a, b) => b.calls * b.meanMs - a.calls * a.meanMs)) {
    if (statement.calls < minCalls) continue
    try {
      const found = read(statement, tables)
      if (found !== null) add(sums, found, statement)
    } catch (error) {
      if (!(error instanceof Unsaid)) throw error
      const text = statement.text.replaceAll(/\s+/g, ' ')
      leftOut.push(`${rateText(statement.calls / seconds)}, ${error.message}: ${text.length > shownLength ? `${text.slice(0, shownLength)}…` : text}`)
    }
  }
  return { operations: named([...sums.values()]).map((sum) => operationOf(sum, seconds)), leftOut }
}

function add(sums: Map<string, Sum>, found: Read, { calls, meanMs }: ObservedStatement): void {
  const sum = sums.get(found.definition) ?? { ...found, calls: 0, linesCalls: 0, deepCalls: 0, totalMs: 0, linesOf: new Set<string>() }
  sums.set(found.definition, sum)
  sum.totalMs += calls * meanMs
  if (found.lines === undefined) sum.calls += calls
  else {
    sum.linesOf.add(found.lines)
    sum.linesCalls += calls
  }
  if (found.isDeepPage === true) sum.deepCalls += calls
}

/** Two that differ keep their names apart. */
function named(sums: Sum[]): Sum[] {
  const taken = new Map<string, number>()
  return sums.map((sum) => {
    const times = (taken.get(sum.name) ?? 0) + 1
    taken.set(sum.name, times)
    const name = sum.name.slice(0, times === 1 ? 40 : 36).replace(/_+$/, '')
    return { ...sum, name: times === 1 ? name : `${name}_${times}` }
  })
}

function operationOf({ name, definition, linesOf, calls: own, linesCalls, deepCalls, totalMs, isSchedule }: Sum, seconds: number): DraftOperation {
  // Rows of an owner are read and written with it: by another statement of the same call, or by the same.
  const calls = own === 0 ? linesCalls : own
  const meanMs = totalMs / calls
  const parts = [
    definition,
    ...(linesOf.size > 0 ? [`with: [${[...linesOf].join(', ')}]`] : []),
    ...(deepCalls > 0 ? [`page: { deep: ${Math.max(1, Math.round((100 * deepCalls) / calls))}% }`] : []),
    `rate: ${rateText(calls / seconds)}`,
    `p99: ${limitMs(meanMs)}ms`,
    ...(isSchedule === true ? ['scales: false'] : []),
  ]
  return { name, definition: parts.join(', '), note: `the server took ${Number(meanMs.toPrecision(2))} ms for one; the limit is a guess` }
}

/** In the unit that says it in few digits. */
function rateText(perSecond: number): string {
  const [unit, seconds] =
    (
      [
        ['s', 1],
        ['min', 60],
        ['h', 3600],
      ] as const
    ).find(([, each]) => perSecond * each >= 1) ?? (['day', 86_400] as const)
  return `${Number((perSecond * seconds).toPrecision(3))}/${unit}`
}

/** A round limit well above what the server takes: nobody knows what was promised. */
const limitMs = (meanMs: number) => [20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000].find((limit) => limit >= 10 * meanMs) ?? 60_000

const catalogue = /\b(from|join|update|into)\s+"?(pg_catalog|information_schema|pg_[a-z_]+)\b/i

/** null: it neither reads nor writes rows of the application. */
function read(statement: ObservedStatement, tables: Table[]): Read | null {
  // Libraries write their name in front.
  const text = statement.text.replace(/^(\s|\/\*[\s\S]*?\*\/|--[^\n]*\n)+/, '')
  if (!/^\(*(select|insert|update|delete|with)\b/i.test(text) || catalogue.test(text)) return null
  let tree: Node | undefined
  try {
    tree = parse(text, { dialect: 'postgresql', paramTypes: ['$nr'] }).statements[0]
  } catch {
    throw new Unsaid('could not be parsed')
  }
  if (tree?.type === 'compound_select_stmt') throw new Unsaid('several queries in one')
  if (tree === undefined || !('clauses' in tree)) return null
  const clauses = new Map((tree.clauses as Node[]).map((clause) => [clause.type, clause]))
  if (clauses.has('with_clause')) throw new Unsaid('several statements in one')
  const context = { statement, tables, clauses }
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

interface Context {
  statement: ObservedStatement
  tables: Table[]
  clauses: Map<string, Node>
}

function readSelect(context: Context): Read {
  const { clauses, tables } = context
  const from = clauses.get('from_clause') as (Node & { type: 'from_clause' }) | undefined
  if (from === undefined) throw new Unsaid('reads no table')
  const joined = tablesIn(from.expr as Node, tables)
  const [table, other] = joined as [Table, Table | undefined]
  if (other !== undefined) return readJoin(context, joined)
  if (clauses.has('group_by_clause') || aggregates(clauses.get('select_clause')).length > 0) return readAggregate(context, table)
  const where = conditions(clauses.get('where_clause'))
  const owner = ownerOf(table, tables)
  if (owner !== undefined) {
    if (where.length === 1 && where[0]?.column === table.key[0] && where[0]?.kind === 'equal') return { ...getOf(owner), lines: table.name }
    throw new Unsaid(`${table.name} is read by something other than its ${owner.name}`)
  }
  if (where.some(({ kind }) => kind === 'text')) return readSearch(context, table, where)
  const equal = columnsOf(where, 'equal')
  if (isKeyOf(table, equal)) return getOf(table)
  return readList(context, table, where)
}

const getOf = (table: Table): Read => ({ name: `get_${table.name}`, definition: `get: ${table.name}` })

/** A row with those that it owns. */
function readJoin({ clauses, tables }: Context, joined: Table[]): Read {
  const [first, second, third] = joined as [Table, Table, Table | undefined]
  const [owner, lines] = ownerOf(second, tables) === first ? [first, second] : ownerOf(first, tables) === second ? [second, first] : []
  const equal = columnsOf(conditions(clauses.get('where_clause')), 'equal')
  if (
    third !== undefined ||
    owner === undefined ||
    lines === undefined ||
    !(isKeyOf(owner, equal) || (equal.length === 1 && equal[0] === lines.key[0]))
  )
    throw new Unsaid('a join of more than a row and those that it owns')
  return { ...getOf(owner), lines: lines.name }
}

function readList({ statement, clauses }: Context, table: Table, where: Condition[]): Read {
  const filters = columnsOf(where, 'equal')
  const orderClause = clauses.get('order_by_clause') as (Node & { type: 'order_by_clause' }) | undefined
  const [order, ...others] = orderClause === undefined ? [] : sortsOf(orderClause)
  if (order === undefined) throw new Unsaid('a list in no order')
  if (others.some(({ column }) => column !== table.key[0])) throw new Unsaid('a list in the order of several columns')
  const rest = where.filter(({ kind, column }) => kind !== 'equal' && column !== order.column)
  if (rest.length > 0) throw new Unsaid('a list by a range')
  if (!clauses.has('limit_clause') && !clauses.has('fetch_clause')) throw new Unsaid('a list without a limit')
  const definition = [
    `list: ${table.name}`,
    `where: {${filters.length === 0 ? '' : ` ${filters.map((column) => `${column}: any`).join(', ')} `}}`,
    `order_by: ${order.descending ? '-' : ''}${order.column}`,
    // What it asks for is no longer known: as many as come, rounded up to what people ask for.
    `limit: ${limitOf(statement.rows / statement.calls)}`,
  ].join(', ')
  const isDeepPage = where.some(({ kind }) => kind === 'range')
  return { name: nameOf('list', table, filters.length === 0 ? [order.column] : filters), definition, isDeepPage }
}

const limitOf = (rows: number) => [1, 5, 10, 20, 24, 25, 50, 100, 200, 500].find((limit) => limit >= rows) ?? 1000

function readSearch({ statement }: Context, table: Table, where: Condition[]): Read {
  const fields = columnsOf(where, 'text')
  if (where.length > fields.length) throw new Unsaid('a search with filters')
  const definition = `search: ${table.name}, in: [${fields.join(', ')}], limit: ${limitOf(statement.rows / statement.calls)}`
  return { name: nameOf('search', table, fields), definition }
}

function readAggregate({ clauses }: Context, table: Table): Read {
  const where = conditions(clauses.get('where_clause'))
  const filters = columnsOf(where, 'equal')
  const ranges = [...new Set(columnsOf(where, 'range'))]
  if (where.length > 0 && filters.length + columnsOf(where, 'range').length < where.length) throw new Unsaid('an aggregate with such a filter')
  const functions = aggregates(clauses.get('select_clause'))
  const others = functions.filter(({ name }) => name !== 'count' && name !== 'sum')
  if (others.length > 0) throw new Unsaid(`${others[0]?.name} cannot be expressed yet`)
  const group = groupOf(clauses)
  if (ranges.some((column) => column !== group?.column)) throw new Unsaid('an aggregate over a range of another column')
  const sums = functions.flatMap(({ name, column }) => (name === 'sum' && column !== undefined ? [column] : []))
  if (sums.length > 1) throw new Unsaid('several sums at once')
  const definition = [
    `aggregate: ${table.name}`,
    ...(filters.length === 0 ? [] : [`where: { ${filters.map((column) => `${column}: any`).join(', ')} }`]),
    ...(group === undefined ? [] : [`group_by: ${group.unit === undefined ? group.column : `${group.unit}(${group.column})`}`]),
    ...(sums[0] === undefined ? [] : [`sum: ${sums[0]}`]),
    // Of what span of time nobody counts.
    ...(ranges.length > 0 ? ['over: 30d'] : []),
  ].join(', ')
  return { name: nameOf('total', table, group === undefined ? filters : [group.column]), definition, isSchedule: true }
}

function readInsert({ statement, clauses, tables }: Context): Read {
  const into = clauses.get('insert_clause') as Node & { type: 'insert_clause' }
  const table = tableOf(into.table as Node, tables)
  const owner = ownerOf(table, tables)
  if (owner !== undefined) return { name: `add_${owner.name}`, definition: `insert: ${owner.name}`, lines: table.name }
  if (statement.rows > maxRowsPerInsert * statement.calls) throw new Unsaid('many rows in one insert')
  const upsert = clauses.get('upsert_clause') as (Node & { type: 'upsert_clause' }) | undefined
  if (upsert?.action.type === 'upsert_action_update') return { name: `put_${table.name}`, definition: `put: ${table.name}` }
  return { name: `add_${table.name}`, definition: `insert: ${table.name}` }
}

function readUpdate({ clauses, tables }: Context): Read {
  const update = clauses.get('update_clause') as Node & { type: 'update_clause' }
  const table = tableOf(update.tables.items[0] as Node, tables)
  if (clauses.has('from_clause')) throw new Unsaid('an update by another table')
  if (!isKeyOf(table, columnsOf(conditions(clauses.get('where_clause')), 'equal'))) throw new Unsaid('an update of other rows than one by its key')
  const set: string[] = []
  const adds: string[] = []
  for (const each of (clauses.get('set_clause') as Node & { type: 'set_clause' }).assignments.items) {
    const column = columnOf(each.column as Node)
    if (column === undefined) throw new Unsaid('an update of several columns at once')
    const value = each.expr as Node
    const sign = value.type === 'binary_expr' && columnOf(value.left as Node) === column ? value.operator : undefined
    if (sign === '+' || sign === '-') adds.push(`${column}: ${sign === '-' ? '-' : ''}1`)
    else set.push(`${column}: any`)
  }
  const definition = [
    `update: ${table.name}`,
    ...(set.length === 0 ? [] : [`set: { ${set.join(', ')} }`]),
    ...(adds.length === 0 ? [] : [`add: { ${adds.join(', ')} }`]),
  ].join(', ')
  return { name: nameOf('change', table, [...set, ...adds].map((text) => text.replace(/:.*/, '')).slice(0, 1)), definition }
}

function readDelete({ clauses, tables }: Context): Read {
  const deletion = clauses.get('delete_clause') as Node & { type: 'delete_clause' }
  if (clauses.has('from_clause')) throw new Unsaid('a deletion by another table')
  const table = tableOf(deletion.tables.items[0] as Node, tables)
  if (!isKeyOf(table, columnsOf(conditions(clauses.get('where_clause')), 'equal'))) throw new Unsaid('a deletion of other rows than one by its key')
  return { name: `delete_${table.name}`, definition: `delete: ${table.name}` }
}

const maxRowsPerInsert = 1.5

const nameOf = (verb: string, table: Table, columns: string[]) =>
  [`${verb}_${table.name}`, ...(columns.length === 0 ? [] : [`by_${columns.join('_')}`])].join('_').slice(0, 40).replace(/_+$/, '')

const isKeyOf = ({ key }: Table, columns: string[]) => key.length > 0 && key.every((column) => columns.includes(column))
