/** Reading the tree of a statement: which table, which columns under which conditions, in which order, grouped by what. */
import type { Node } from 'sql-parser-cst'
import { identifierOf } from './draft.ts'
import type { Table } from './tables.ts'

/** What the language of scenarios cannot say: the message is the reason. */
export class Unsaid extends Error {}
/** What could not be read at all: in its text values may have stayed. */
export class Unparsed extends Unsaid {}

export interface Condition {
  column: string
  /** A span or a place in an order · words that it holds · anything else. */
  kind: 'equal' | 'range' | 'text' | 'other'
}

export const columnsOf = (where: Condition[], kind: Condition['kind']) => where.flatMap((each) => (each.kind === kind ? [each.column] : []))

/** What all must hold of. */
export function conditions(where: Node | undefined): Condition[] {
  if (where === undefined) return []
  const found: Condition[] = []
  const visit = (node: Node): void => {
    if (node.type === 'paren_expr') visit(node.expr)
    else if (node.type === 'binary_expr' && keywordOf(node.operator) === 'AND') {
      visit(node.left as Node)
      visit(node.right as Node)
    } else found.push(conditionOf(node))
  }
  visit((where as Node & { type: 'where_clause' }).expr as Node)
  return found
}

function conditionOf(node: Node): Condition {
  if (node.type === 'between_expr') return { column: columnOf(node.left as Node) ?? '', kind: 'range' }
  if (node.type === 'full_text_match_expr') return { column: firstColumn(node.columns) ?? '', kind: 'text' }
  if (node.type !== 'binary_expr') return { column: '', kind: 'other' }
  // Behind a row in an order of several columns, one column after the other.
  if (keywordOf(node.operator) === 'OR' && conditionOf(node.left as Node).kind === 'range') return conditionOf(node.left as Node)
  const left = node.left as Node
  const column = columnOf(left) ?? firstColumn(left)
  if (column === undefined) return { column: '', kind: 'other' }
  if (node.operator === '@@') return { column, kind: 'text' }
  if (node.operator === '=') return { column, kind: columnOf(left) !== undefined && isOneValue(node.right as Node) ? 'equal' : 'other' }
  return { column, kind: typeof node.operator === 'string' && /^[<>]=?$/.test(node.operator) ? 'range' : 'other' }
}

/** Of all that the statement is made of. */
export function everyCondition(tree: Node): Condition[] {
  const found: Condition[] = []
  const visit = (node: Node): void => {
    if (node.type === 'where_clause') found.push(...conditions(node))
    for (const inner of nodesIn(node)) visit(inner)
  }
  visit(tree)
  return found
}

/** Whether what is read beside the table is no table: functions, and what the statement itself names. */
export function areLists({ expr }: Node & { type: 'from_clause' }, clauses: Map<string, Node>): boolean {
  const own = new Set<string | undefined>()
  const named = clauses.get('with_clause') as (Node & { type: 'with_clause' }) | undefined
  for (const each of named?.tables.items ?? []) own.add(columnOf(each.table as Node))
  const isList = (node: Node): boolean => {
    if (node.type === 'join_expr') return isList(node.left as Node) && isList(node.right as Node)
    const plain = (node.type === 'alias' ? node.expr : node) as Node
    return plain.type === 'func_call' || own.has(columnOf(plain) ?? '')
  }
  return isList(expr as Node)
}

function nodesIn(node: Node): Node[] {
  return Object.values(node).flatMap((value) =>
    (Array.isArray(value) ? value : [value]).filter((each): each is Node => typeof each === 'object' && each !== null && 'type' in each),
  )
}

/** A parameter or a constant, whatever it is cast to: no list of them, and no query. */
function isOneValue(node: Node): boolean {
  if (node.type === 'cast_operator_expr') return isOneValue(node.left as Node)
  return node.type === 'parameter' || /_literal$/.test(node.type)
}

/** Of a row of columns the first; of a function what it looks at. */
function firstColumn(node: Node): string | undefined {
  let found: string | undefined
  const visit = (each: Node, isName: boolean): void => {
    if (found === undefined && !isName) found = columnOf(each)
    if (found !== undefined) return
    for (const inner of nodesIn(each)) visit(inner, each.type === 'func_call' && inner === each.name)
  }
  visit(node, false)
  return found
}

/** A plain column, with or without the name of its table; undefined for everything else. */
export function columnOf(node: Node): string | undefined {
  if (node.type === 'identifier') return identifierOf(node.name)
  if (node.type === 'member_expr' && node.property.type === 'identifier') return identifierOf(node.property.name)
  return undefined
}

export function sortsOf({ specifications }: Node & { type: 'order_by_clause' }): { column: string; descending: boolean }[] {
  return specifications.items.map((each) => {
    const sort = each as Node
    const column = columnOf(sort.type === 'sort_specification' ? (sort.expr as Node) : sort)
    if (column === undefined) throw new Unsaid('a list in an order of its own')
    return { column, descending: sort.type === 'sort_specification' && (sort.direction as Node | undefined)?.type === 'sort_direction_desc' }
  })
}

/** Functions over many rows, with the column of each. */
export function aggregates(select: Node | undefined): { name: string; column: string | undefined }[] {
  const items = (select as (Node & { type: 'select_clause' }) | undefined)?.columns?.items ?? []
  return items.flatMap((item) => {
    const inner = (item.type === 'alias' ? item.expr : item) as Node
    if (inner.type !== 'func_call') return []
    const name = (columnOf(inner.name as Node) ?? '').toLowerCase()
    return /^(count|sum|avg|min|max)$/.test(name) ? [{ name, column: inner.args === undefined ? undefined : firstColumn(inner.args as Node) }] : []
  })
}

/** The first column that it groups by, or the unit of time of one; a number names a column of the answer. */
export function groupOf(clauses: Map<string, Node>): { column: string; unit?: 'day' | 'hour' } | undefined {
  const clause = clauses.get('group_by_clause') as (Node & { type: 'group_by_clause' }) | undefined
  if (clause === undefined) return undefined
  const [first, second] = clause.columns.items as [Node, Node | undefined]
  if (second !== undefined) throw new Unsaid('an aggregate by two columns')
  const items = ((clauses.get('select_clause') as Node & { type: 'select_clause' }).columns?.items ?? []) as Node[]
  const meant = first.type === 'number_literal' ? items[first.value - 1] : first
  const node = (meant?.type === 'alias' ? meant.expr : meant) as Node | undefined
  const column = node === undefined ? undefined : columnOf(node)
  if (column !== undefined) return { column }
  if (node?.type === 'func_call' && /^(date_trunc|date|date_format)$/.test(columnOf(node.name as Node) ?? '') && node.args !== undefined) {
    const looked = firstColumn(node.args as Node)
    // The unit is a constant that the server no longer tells.
    if (looked !== undefined) return { column: looked, unit: 'day' }
  }
  throw new Unsaid('an aggregate by something other than a column or a day')
}

/** The tables that there are, and the schemas in which names are looked for, in their order; null: nobody knows in which. */
export interface Scope {
  tables: Table[]
  schemas: readonly string[] | null
  /** The only one in which they are; undefined: see `schemas`. */
  schema: string | undefined
}

export function tablesIn(node: Node, scope: Scope): Table[] {
  if (node.type === 'join_expr') return [...tablesIn(node.left as Node, scope), ...tablesIn(node.right as Node, scope)]
  return [tableOf(node, scope)]
}

export function tableOf(node: Node, { tables, schemas, schema: usual }: Scope): Table {
  const plain = (node.type === 'alias' ? node.expr : node) as Node
  const name = columnOf(plain)
  if (name === undefined) throw new Unsaid('reads from something other than a table')
  const [written, schema = usual] = plain.type === 'member_expr' ? [nameIn(plain.property as Node), nameIn(plain.object as Node)] : [nameIn(plain)]
  const own = tables.filter(({ source }) => schema === undefined || source === undefined || source.schema === null || source.schema === schema)
  const alike = own.filter(({ source, name: entity }) => identifierOf(source?.name ?? entity) === name)
  const exact = alike.filter(({ source }) => source?.name === written)
  const [only, ...others] = exact.length > 0 ? exact : alike
  if (only === undefined) throw new Unsaid(`${schema === undefined ? '' : `${identifierOf(schema)}.`}${name} is not among the tables`)
  if (others.length === 0) return only
  const first = (schemas ?? []).flatMap((each) => [only, ...others].find(({ source }) => source?.schema === each) ?? [])[0]
  if (first === undefined) throw new Unsaid(`${name} is a table of several schemas, and nothing tells of which here`)
  return first
}

/** As the catalogue has it: without quotes it has no capitals. */
function nameIn(node: Node): string | undefined {
  if (node.type === 'member_expr') return nameIn(node.property as Node)
  if (node.type !== 'identifier') return undefined
  return node.text === node.name ? node.name.toLowerCase() : node.name
}

export const keywordOf = (operator: unknown) => (typeof operator === 'object' && operator !== null && 'name' in operator ? operator.name : undefined)
