/** What a query asks for: a row, a list, words, sums. */
import type { Node } from 'sql-parser-cst'
import { type Context, conditionsOf, isKeyOf, nameOf, type Read } from './reading.ts'
import { aggregates, type Condition, columnOf, columnsOf, conditions, groupOf, sortsOf, tablesIn, Unsaid } from './sql-tree.ts'
import { expiryOf, ownerOf, type Table } from './tables.ts'

export function readSelect(context: Context): Read {
  const { clauses, tables } = context
  const from = clauses.get('from_clause') as (Node & { type: 'from_clause' }) | undefined
  if (from === undefined) throw new Unsaid('reads no table')
  const joined = tablesIn(from.expr as Node, context)
  const [table, other] = joined as [Table, Table | undefined]
  if (other !== undefined) return readJoin(context, joined)
  if (clauses.has('group_by_clause') || aggregates(clauses.get('select_clause')).length > 0) return readAggregate(context, table)
  const where = conditionsOf(context, table)
  const owner = ownerOf(table, tables)
  if (owner !== undefined) {
    if (where.length === 1 && where[0]?.column === table.key[0] && where[0]?.kind === 'equal') return { ...getOf(owner), lines: table.name }
    throw new Unsaid(`${table.name} is read by something other than its ${owner.name}`)
  }
  if (where.some(({ kind }) => kind === 'text')) return readSearch(context, table, where)
  const equal = columnsOf(where, 'equal')
  if (isKeyOf(table, equal)) return { ...getOf(table), ...fieldsOf(context, table) }
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

function readList(context: Context, table: Table, where: Condition[]): Read {
  const { clauses } = context
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
    `limit: ${limitOf(context)}`,
  ].join(', ')
  const isDeepPage = where.some(({ kind }) => kind === 'range')
  return { name: nameOf('list', table, filters.length === 0 ? [order.column] : filters), definition, isDeepPage, ...fieldsOf(context, table) }
}

const maxLimit = 1000

/** Where the number is no longer known as many as come, rounded up to what people ask for. */
function limitOf({ statement, clauses }: Context): number {
  const clause = clauses.get('limit_clause') as (Node & { type: 'limit_clause' }) | undefined
  if (clause?.count?.type === 'number_literal') return Math.max(1, Math.min(maxLimit, clause.count.value))
  return [1, 5, 10, 20, 24, 25, 50, 100, 200, 500].find((limit) => limit >= statement.rows / statement.calls) ?? maxLimit
}

/** Where it names some of the columns, and nothing else. */
function fieldsOf({ clauses }: Context, table: Table): Pick<Read, 'fields'> {
  const columns = ((clauses.get('select_clause') as (Node & { type: 'select_clause' }) | undefined)?.columns?.items ?? []) as Node[]
  const expiry = expiryOf(table)?.name
  const known = table.columns.map(({ name }) => name).filter((name) => name !== expiry)
  const asked = columns.map((item) => columnOf(item.type === 'alias' ? (item.expr as Node) : item)).filter((name) => name !== expiry)
  const fields = [...new Set(asked.flatMap((name) => name ?? []))]
  return asked.length === 0 || asked.some((name) => name === undefined || !known.includes(name)) || fields.length === known.length ? {} : { fields }
}

function readSearch(context: Context, table: Table, where: Condition[]): Read {
  const fields = columnsOf(where, 'text')
  if (where.length > fields.length) throw new Unsaid('a search with filters')
  const definition = `search: ${table.name}, in: [${fields.join(', ')}], limit: ${limitOf(context)}`
  return { name: nameOf('search', table, fields), definition, ...fieldsOf(context, table) }
}

function readAggregate(context: Context, table: Table): Read {
  const { clauses } = context
  const where = conditionsOf(context, table)
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
