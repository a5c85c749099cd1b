/** SQL as PostgreSQL has it: names, types, words, rows as arrays. */
import type { RowsParameter, SqlDialect } from '../../families/relational/dialect.ts'
import { isFourBytes } from '../../families/relational/values.ts'
import { type Entity, type Field, isAddedTo, type Scenario } from '../../scenario/scenario.ts'
import { columnName, id, tableName } from './names.ts'
import { dividedTables } from './parts.ts'

/** A column that something is added to has no bound but the type's widest. */
export function sqlType(scenario: Scenario, entity: Entity, field: Field): string {
  switch (field.type) {
    case 'uuid':
      return 'uuid'
    case 'int':
      return isFourBytes(scenario, entity, field) ? 'integer' : 'bigint'
    case 'decimal':
      return isAddedTo(scenario, entity, field) ? 'numeric' : `numeric(16,${field.scale})`
    case 'bool':
      return 'boolean'
    case 'timestamp':
      return 'timestamptz'
    case 'json':
      return 'jsonb'
    case 'bytes':
      return 'bytea'
    default:
      return 'text'
  }
}

export const dialect: SqlDialect = {
  name: 'postgres',
  id,
  table: tableName,
  column: columnName,
  type: sqlType,
  columnType(scenario, entity, field) {
    const type = sqlType(scenario, entity, field)
    return type === 'text' ? 'text COLLATE "C"' : type
  },
  text: (literal) => `'${literal.replaceAll("'", "''")}'`,
  placeholder: (at) => `$${at}`,
  isPositional: false,
  include: 'clause',
  assigned: (_of, column) => column,
  // NULLS FIRST and LAST are not the default here: an index has to say it, too, or it does not give the order.
  ordered: (column, descending, isOptional) => `${column}${descending ? ' DESC' : ''}${isOptional ? ` NULLS ${descending ? 'LAST' : 'FIRST'}` : ''}`,
  after: (columns, places, descending) => `(${columns.join(', ')}) ${descending ? '<' : '>'} (${places.join(', ')})`,
  textIndex: (name, store, fields) => `CREATE INDEX ${id(name)} ON ${tableName(store.name)} USING gin (${document(fields)})`,
  dropIndex: (name) => `DROP INDEX ${id(name)}`,
  parts: dividedTables,
  foreignKey: 'CONSTRAINT',
  hasWord: (fields, place) => `${document(fields)} @@ plainto_tsquery('simple', ${place})`,
  truncated: (unit, column) => `date_trunc('${unit}', ${column}, 'UTC')`,
  upsert: ({ key }, columns) =>
    `ON CONFLICT (${key.map(columnName).join(', ')}) DO UPDATE SET ${columns.map((name) => `${columnName(name)} = excluded.${columnName(name)}`).join(', ')}`,
  placesOfRows: (columns) => columns,
  insertLines: ({ table, columns, key, keyType, lines }) => `INSERT INTO ${table} (${columns}) SELECT ${key}::${keyType}, * FROM ${unnested(lines)}`,
  // With the lock that an update of other columns takes, which is compatible with the share locks that foreign keys of rows just inserted hold on
  // the same rows; in the order of the keys, so that two transactions never wait for each other crosswise.
  updateTargets: ({ table, key, targets, columns, changes, conditions }) =>
    `WITH target AS (SELECT * FROM ${unnested(targets)} AS t (${['key', ...columns].join(', ')})), ` +
    `locked AS MATERIALIZED (SELECT e.${key} AS key FROM ${table} e WHERE e.${key} = ANY(${targets.places[0]}) ORDER BY e.${key} FOR NO KEY UPDATE) ` +
    `UPDATE ${table} e SET ${changes} FROM target, locked WHERE ${[`e.${key} = target.key`, `e.${key} = locked.key`, ...conditions].join(' AND ')}`,
}

/** One array for each column. */
const unnested = ({ places, types }: RowsParameter) => `unnest(${places.map((place, at) => `${place}::${types[at]}[]`).join(', ')})`

/** The searched text; the `simple` configuration keeps whole lower-case words, without stemming and stop words. */
const document = (fields: string[]) => `to_tsvector('simple', ${fields.map(columnName).join(" || ' ' || ")})`
