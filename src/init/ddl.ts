/** Entities from CREATE TABLE statements: types, keys, references and owned tables; what does not fit is noted beside it. Loads a parser of some size. */
import { type CreateTableStmt, type Node, parse, type Statement } from 'sql-parser-cst'
import { messageOf, TrialError } from '../errors.ts'
import { type Dialect, type DraftEntity, type DraftField, dialects, identifierOf } from './draft.ts'

/** A count must stand somewhere; the user knows it, a schema does not. */
const guessedCount = '100k'
/** Of a number whose range nobody states; `int` in the language is a safe integer. */
const widestWhole = 1_000_000

interface Column {
  name: string
  type: string
  sizes: number[]
  values: string[]
  unique: boolean
  references: string | undefined
}
interface Table {
  name: string
  columns: Column[]
  key: string[]
}

/** @throws TrialError, exit code 2, where the text is no SQL of that dialect, or holds no table. */
export function entitiesOfDdl(text: string, dialect: Dialect): DraftEntity[] {
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
  const tables = statements.filter((statement) => statement.type === 'create_table_stmt').map((statement) => tableOf(statement, enums))
  if (tables.length === 0)
    throw new TrialError('ddl-empty', 'there is no CREATE TABLE statement with columns in it', {
      hint: 'dump the schema alone, without data',
      exitCode: 2,
    })
  return tables.map((table) => entityOf(table, tables))
}

function tableOf(statement: CreateTableStmt, enums: Map<string, string[]>): Table {
  const table: Table = { name: identifierOf(nameOf(statement.name)), columns: [], key: [] }
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
  const column: Column = { name: identifierOf(nameOf(item.name)), type: '', sizes: [], values: [], unique: false, references: undefined }
  if (item.dataType !== undefined) readType(column, item.dataType as Node)
  column.values = enums.get(column.type) ?? column.values
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
    if (node.type === 'string_literal') column.values.push(node.value)
    if (node.type === 'array_data_type') column.type = 'array'
    if (column.type === '' && (node.type === 'identifier' || node.type === 'keyword')) column.type = node.name.toLowerCase()
  })
}

/** `status IN ('a', 'b')` is an enumeration. */
function readCheck(table: Table, expression: Node): void {
  walk(expression, (node) => {
    if (node.type !== 'binary_expr' || (node.operator as { name?: string }).name !== 'IN' || node.left.type !== 'identifier') return
    const values = strings(node.right as Node)
    if (values.length > 0) mark(table, identifierOf(node.left.name), { values })
  })
}

function entityOf(table: Table, tables: Table[]): DraftEntity {
  const [first = '', second = ''] = table.key
  const owner = table.columns.find((column) => column.name === first)?.references
  const isLine =
    table.key.length === 2 &&
    owner !== undefined &&
    isWhole(table.columns.find((column) => column.name === second)) &&
    tables.some((each) => each.name === owner)
  const fields = table.columns.map((column) => fieldOf(column, table, tables)).filter((field) => !isLine || !table.key.includes(field.name))
  if (isLine)
    return {
      name: table.name,
      count: guessedCount,
      ownedBy: owner as string,
      fields: fields.length > 0 ? fields : [{ name: 'position', definition: 'type: int, range: [1, 100]', note: 'the table has no other column' }],
    }
  if (table.key.length === 1) return { name: table.name, count: guessedCount, fields }
  const note =
    table.key.length === 0 ? 'the table has no primary key: one was added' : `the primary key was (${table.key.join(', ')}): one field must do here`
  const key = table.columns.some((column) => column.name === 'id') ? 'row_id' : 'id'
  return { name: table.name, count: guessedCount, note, fields: [{ name: key, definition: 'type: uuid, key: true' }, ...fields] }
}

function fieldOf(column: Column, table: Table, tables: Table[]): DraftField {
  const { name } = column
  const isKey = table.key.length === 1 && table.key[0] === name
  if (column.references !== undefined && !isKey) {
    if (tables.some((each) => each.name === column.references && each.key.length === 1)) return { name, definition: `ref: ${column.references}` }
    return {
      name,
      definition: `type: int, range: [1, ${widestWhole}]`,
      note: `refers to ${column.references}, which is not here or has no single key`,
    }
  }
  const { definition, note } = typeOf(column, isKey)
  return {
    name,
    definition: `${definition}${isKey ? ', key: true' : column.unique && /^type: (email|uuid)/.test(definition) ? ', unique: true' : ''}`,
    ...(note === undefined ? {} : { note }),
  }
}

function typeOf(column: Column, isKey: boolean): { definition: string; note?: string } {
  const { type, sizes, values, name } = column
  if (values.length > 0) return { definition: `type: enum, values: [${values.map((value) => JSON.stringify(value.slice(0, 60))).join(', ')}]` }
  if (type === 'uuid' || type === 'uniqueidentifier') return { definition: 'type: uuid' }
  if (isWhole(column))
    return { definition: isKey ? 'type: int' : `type: int, range: [0, ${type === 'smallint' || type === 'tinyint' ? 100 : widestWhole}]` }
  if (/^(numeric|decimal|money|real|float\d*|double|bignumeric)$/.test(type)) {
    const scale = Math.min(6, sizes[1] ?? (type === 'numeric' || type === 'decimal' ? 0 : 2))
    const largest = Math.min(widestWhole, 10 ** Math.max(1, (sizes[0] ?? 8) - scale) - 1)
    return { definition: `type: decimal, range: [0, ${largest}], scale: ${scale}` }
  }
  if (type === 'boolean' || type === 'bool') return { definition: 'type: bool' }
  if (/^(timestamp|timestamptz|datetime|date)$/.test(type)) return { definition: 'type: timestamp, within: 1y' }
  if (type === 'json' || type === 'jsonb') return { definition: 'type: json, size: 300B' }
  if (/^(bytea|blob|longblob|mediumblob|binary|varbinary|bytes)$/.test(type))
    return { definition: `type: bytes, size: ${Math.max(1, Math.min(sizes[0] ?? 300, 1e6))}B` }
  if (/char|text|string|clob|citext/.test(type)) {
    if (isKey) return { definition: 'type: uuid', note: `was ${type}: a key is a uuid or a number here` }
    if (/e_?mail/.test(name)) return { definition: 'type: email' }
    return { definition: `type: words, count: [1, ${Math.max(1, Math.min(20, Math.round((sizes[0] ?? 80) / 16)))}]` }
  }
  return { definition: isKey ? 'type: uuid' : 'type: words, count: [1, 3]', note: `was ${type === '' ? 'untyped' : type}: the nearest there is` }
}

const isWhole = (column: Column | undefined) =>
  column !== undefined && /^(int\d*|integer|bigint|smallint|tinyint|mediumint|serial\d*|bigserial|smallserial)$/.test(column.type)
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
