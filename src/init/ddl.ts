/** Entities from CREATE TABLE statements: types, keys, references and owned tables; what does not fit is noted beside it. Loads a parser of some size. */
import { type CreateTableStmt, type Node, parse, type Statement } from 'sql-parser-cst'
import { messageOf, TrialError } from '../errors.ts'
import { type Dialect, type DraftEntity, dialects, identifierOf } from './draft.ts'
import { tablesOfMysql } from './mysql-ddl.ts'
import { type Column, entitiesOf, plainColumn, type Table } from './tables.ts'

/** @throws TrialError, exit code 2, where the text is no SQL of that dialect, or holds no table. */
export const entitiesOfDdl = (text: string, dialect: Dialect): DraftEntity[] => entitiesOf(tablesOfDdl(text, dialect))

/** @throws TrialError, like `entitiesOfDdl`. */
export function tablesOfDdl(text: string, dialect: Dialect): Table[] {
  const tables = dialect === 'mysql' ? tablesOfMysql(text) : parsedTables(text, dialect)
  if (tables.length > 0) return tables
  throw new TrialError('ddl-empty', 'there is no CREATE TABLE statement with columns in it', {
    hint: 'dump the schema alone, without data',
    exitCode: 2,
  })
}

function parsedTables(text: string, dialect: Exclude<Dialect, 'mysql'>): Table[] {
  let statements: Statement[]
  try {
    statements = parse(text, { dialect, includeRange: true }).statements
  } catch (error) {
    throw new TrialError('ddl-invalid', `this is no ${dialect} SQL: ${messageOf(error)}`, {
      hint: `say another dialect with --dialect: ${dialects.join(', ')}`,
      exitCode: 2,
    })
  }
  const enums = new Map<string, string[]>()
  for (const statement of statements)
    if (statement.type === 'create_type_stmt' && statement.definition?.type === 'enum_type_definition')
      enums.set(nameOf(statement.name), strings(statement.definition.values))
  return statements.filter((statement) => statement.type === 'create_table_stmt').map((statement) => tableOf(statement, enums))
}

function tableOf(statement: CreateTableStmt, enums: Map<string, string[]>): Table {
  const table: Table = { name: identifierOf(nameOf(statement.name)), columns: [], key: [], rows: null }
  const checks: Node[] = []
  for (const item of statement.columns?.expr.items ?? []) {
    if (item.type === 'column_definition') {
      const column = columnOf(item, enums)
      table.columns.push(column)
      for (const constraint of plainOf(item.constraints)) {
        if (constraint.type === 'constraint_primary_key') table.key = [column.name]
        checks.push(constraint)
      }
      continue
    }
    const [constraint] = plainOf([item])
    if (constraint === undefined) continue
    if (constraint.type === 'constraint_primary_key') table.key = namesIn(constraint.columns)
    if (constraint.type === 'constraint_unique') for (const name of onlyOne(namesIn(constraint.columns))) mark(table, name, { unique: true })
    if (constraint.type === 'constraint_foreign_key')
      for (const name of onlyOne(namesIn(constraint.columns))) mark(table, name, { references: identifierOf(nameOf(constraint.references.table)) })
    checks.push(constraint)
  }
  for (const check of checks) if (check.type === 'constraint_check') readCheck(table, check.expr)
  return table
}

function columnOf(item: Node & { type: 'column_definition' }, enums: Map<string, string[]>): Column {
  const column = plainColumn(identifierOf(nameOf(item.name)))
  if (item.dataType !== undefined) readType(column, item.dataType as Node)
  column.values = enums.get(column.type)?.map((value) => ({ value, share: null })) ?? column.values
  for (const constraint of plainOf(item.constraints)) {
    if (constraint.type === 'constraint_unique') column.unique = true
    if (constraint.type === 'references_specification') column.references = identifierOf(nameOf(constraint.table))
  }
  return column
}

/** Constraints without the names that some have. */
function plainOf(constraints: Node[]): Node[] {
  return constraints.map((each) => (each.type === 'constraint' ? (each.constraint as Node) : each))
}

/** `varchar(20)`, `numeric(10, 2)`, `enum('a', 'b')`, `timestamp with time zone`, `int[]`. */
function readType(column: Column, type: Node): void {
  walk(type, (node) => {
    if (node.type === 'number_literal') column.sizes.push(node.value)
    if (node.type === 'string_literal') column.values.push({ value: node.value, share: null })
    if (node.type === 'array_data_type') column.type = 'array'
    if (column.type === '' && (node.type === 'identifier' || node.type === 'keyword')) column.type = node.name.toLowerCase()
  })
}

/** `status IN ('a', 'b')` is an enumeration. */
function readCheck(table: Table, expression: Node): void {
  walk(expression, (node) => {
    if (node.type !== 'binary_expr' || (node.operator as { name?: string }).name !== 'IN' || node.left.type !== 'identifier') return
    const values = strings(node.right as Node)
    if (values.length > 0) mark(table, identifierOf(node.left.name), { values: values.map((value) => ({ value, share: null })) })
  })
}

const onlyOne = (names: string[]) => (names.length === 1 ? names : [])

function mark(table: Table, name: string, facts: Partial<Column>): void {
  const column = table.columns.find((each) => each.name === name)
  if (column !== undefined) Object.assign(column, facts)
}

/** The last part of a qualified name. */
function nameOf(node: Node): string {
  if (node.type === 'member_expr') return nameOf(node.property as Node)
  return node.type === 'identifier' ? node.name : 'unnamed'
}

function namesIn(node: Node | undefined): string[] {
  const names: string[] = []
  if (node !== undefined) walk(node, (each) => each.type === 'identifier' && names.push(identifierOf(each.name)))
  return names
}

function strings(node: Node): string[] {
  const found: string[] = []
  walk(node, (each) => each.type === 'string_literal' && found.push(each.value))
  return found
}

/** Every node below, the outer before the inner. */
function walk(node: Node, visit: (node: Node) => unknown): void {
  visit(node)
  for (const value of Object.values(node)) {
    for (const each of Array.isArray(value) ? value : [value])
      if (typeof each === 'object' && each !== null && 'type' in each) walk(each as Node, visit)
  }
}
