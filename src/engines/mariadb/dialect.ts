/** SQL as MariaDB and MySQL have it: names, types, words, owned rows as a JSON document. */

import type { Index } from '../../families/model.ts'
import type { RowsParameter, SqlDialect } from '../../families/relational/dialect.ts'
import type { Indexing } from '../../families/relational/indexing.ts'
import { isFourBytes } from '../../families/relational/values.ts'
import { maxFieldBytes } from '../../families/sizes.ts'
import { type Entity, type Field, isAddedTo, type Scenario } from '../../scenario/scenario.ts'
import { columnName, id } from './names.ts'
import { dividedTables } from './parts.ts'

/** InnoDB's keys, in pages of 16 KiB; of texts it counts the most bytes that a character may take. */
export const indexing: Indexing = { partial: false, maxEntryBytes: 3072, overheadBytes: 2, bytesPerCharacter: 4, partsRefer: false }

/** A longer text is kept as one without a bound, of which little counts towards what a row's columns may have together. */
const maxVarchar = 2000
const unbounded = 'MEDIUMTEXT'
/** What a row's columns may have together (MariaDB documentation, InnoDB Limitations). */
const maxRowBytes = 65_535
/** The most of what counts of a column that is no bounded text: the digits of a wide number, or where a long value is. */
const mostOfOthers = 20

/** A column that something is added to has no bound but a wide one. */
export function sqlType(scenario: Scenario, entity: Entity, field: Field): string {
  switch (field.type) {
    case 'uuid':
      return 'BINARY(16)'
    case 'int':
      return isFourBytes(scenario, entity, field) ? 'INT' : 'BIGINT'
    case 'decimal':
      return `DECIMAL(${isAddedTo(scenario, entity, field) ? 38 : 16},${field.scale})`
    case 'bool':
      return 'BOOLEAN'
    case 'timestamp':
      return 'DATETIME(3)'
    case 'json':
      return 'JSON'
    case 'bytes':
      return 'MEDIUMBLOB'
    default: {
      const characters = maxFieldBytes(field)
      return characters <= maxVarchar ? `VARCHAR(${characters})` : unbounded
    }
  }
}

/** Where a row does not hold its texts beside each other, the longest have no bound; an index holds only those that have one. */
function columnType(scenario: Scenario, entity: Entity, field: Field, indexes: Index[]): string {
  const typeOf = (each: Field) => sqlType(scenario, entity, each)
  const indexed = new Set(
    indexes.filter(({ kind }) => kind === 'ordered').flatMap(({ columns, include }) => [...columns.map((column) => column.field), ...include]),
  )
  const texts = entity.fields.filter((each) => typeOf(each).startsWith('VARCHAR'))
  const bytesOf = (each: Field) => maxFieldBytes(each) * indexing.bytesPerCharacter + indexing.overheadBytes
  let bytes = texts.reduce((sum, each) => sum + bytesOf(each), (entity.fields.length - texts.length) * mostOfOthers)
  const longest = texts.filter(({ name }) => !indexed.has(name) && !entity.key.includes(name)).sort((a, b) => maxFieldBytes(b) - maxFieldBytes(a))
  for (const each of longest) {
    if (bytes <= maxRowBytes) break
    if (each === field) return unbounded
    bytes += mostOfOthers - bytesOf(each)
  }
  return typeOf(field)
}

export const dialect: SqlDialect = {
  name: 'mariadb',
  id,
  table: id,
  column: columnName,
  type: sqlType,
  // Texts sort by their bytes because the database does: the collation for that has one name here and another in MySQL.
  columnType,
  text: (literal) => `'${literal.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
  placeholder: () => '?',
  isPositional: true,
  // No value is less than any other.
  ordered: (column, descending) => `${column}${descending ? ' DESC' : ''}`,
  after,
  include: 'key',
  textIndex: (name, store, fields) => `CREATE FULLTEXT INDEX ${id(name)} ON ${id(store.name)} (${fields.map(columnName).join(', ')})`,
  dropIndex: (name, store) => `DROP INDEX ${id(name)} ON ${id(store.name)}`,
  parts: dividedTables,
  foreignKey: 'FOREIGN KEY',
  hasWord: (fields, place) => `MATCH (${fields.map(columnName).join(', ')}) AGAINST (${place} IN BOOLEAN MODE)`,
  truncated: (unit, column) => (unit === 'day' ? `DATE(${column})` : `DATE(${column}) + INTERVAL HOUR(${column}) HOUR`),
  upsert,
  placesOfRows: () => 1,
  insertLines: ({ table, columns, key, lines }) => {
    const names = lines.fields.map((_, at) => `v${at + 1}`)
    return `INSERT INTO ${table} (${columns}) SELECT ${[key, ...valuesOf(lines, names)].join(', ')} FROM ${rowsOf(lines, names)}`
  },
  assigned: (of, column) => `${of}${column}`,
  // The document is read from its first row to its last, which is the order of the keys: two transactions never wait for each other crosswise.
  updateTargets: ({ table, key, targets, columns, changes, conditions }) => {
    const names = ['id', ...columns]
    return `UPDATE ${rowsOf(targets, names)} STRAIGHT_JOIN ${table} e FORCE INDEX (PRIMARY) ON ${[`e.${key} = ${valuesOf(targets, names)[0]}`, ...conditions].join(' AND ')} SET ${changes}`
  },
}

/**
 * The row that is there may be found by any unique field. One with another key is not to be written over: the guard gives NULL to a column that
 * takes none (1048). The key is never set beside others, so that it is compared with what was there.
 */
function upsert({ key, fields }: Entity, columns: string[]): string {
  const guarded = columns.find((name) => !key.includes(name) && fields.some((field) => field.unique && field.name === name))
  const given = (name: string) => `VALUES(${columnName(name)})`
  const isSame = key.map((name) => `${columnName(name)} = ${given(name)}`).join(' AND ')
  const value = (name: string) => (name === guarded ? `IF(${isSame}, ${given(name)}, NULL)` : given(name))
  return `ON DUPLICATE KEY UPDATE ${columns.map((name) => `${columnName(name)} = ${value(name)}`).join(', ')}`
}

/** One column after the other: no index is searched by a comparison of whole rows. */
function after([column = '', ...columns]: string[], [place = '', ...places]: string[], descending: boolean): string {
  const beyond = `${column} ${descending ? '<' : '>'} ${place}`
  return columns.length === 0 ? beyond : `(${beyond} OR (${column} = ${place} AND ${after(columns, places, descending)}))`
}

/** The rows of a document, by column; bytes come as hexadecimal digits. */
function rowsOf({ fields, places, types }: RowsParameter, names: string[]): string {
  const columns = fields.map((field, at) => `${names[at]} ${typeInDocument(field, types[at] as string)} PATH '$[${at}]'`)
  return `JSON_TABLE(${places[0]}, '$[*]' COLUMNS (${columns.join(', ')})) target`
}

const valuesOf = ({ fields }: RowsParameter, names: string[]) =>
  fields.map((field, at) => (isHexadecimal(field) ? `UNHEX(target.${names[at]})` : `target.${names[at]}`))

export const isHexadecimal = ({ type }: Field) => type === 'uuid' || type === 'bytes'

function typeInDocument(field: Field, type: string): string {
  if (field.type === 'uuid') return 'CHAR(32)'
  return field.type === 'bytes' || field.type === 'json' ? 'MEDIUMTEXT' : type
}
