/** Definitions of a relational model: tables, their indexes, and the references between them. */
import { type Entity, entityOf, fieldOf, isOptional, type Operation, type Scenario } from '../../scenario/scenario.ts'
import type { Definition } from '../definitions.ts'
import { freeName } from '../index-names.ts'
import type { Index, Store } from '../model.ts'
import { partStarts } from '../parts.ts'
import { literal } from './compile.ts'
import type { DividedTable, SqlDialect } from './dialect.ts'
import { primaryKeyName } from './model.ts'

/** Tables with their indexes, and the references between them, which can be checked once all rows are there. */
export function definitionsOf(dialect: SqlDialect, scenario: Scenario, stores: Store[]): { tables: Definition[]; references: Definition[] } {
  const taken = new Set(stores.flatMap((store) => [store.name, ...store.indexes.map((index) => index.name)]))
  const named = (text: string) => {
    const name = freeName(text, taken)
    taken.add(name)
    return name
  }
  return {
    tables: stores.flatMap((store) => createTable(dialect, scenario, store, named(primaryKeyName(store.name)))),
    references: stores.flatMap((store) => foreignKeys(dialect, scenario, store, named)),
  }
}

function createTable(dialect: SqlDialect, scenario: Scenario, store: Store, key: string): Definition[] {
  const { id, column, table, text, columnType } = dialect
  const entity = entityOf(scenario, store.entity)
  const columns = entity.fields.map((field) => {
    const check = field.generator.kind === 'enum' ? ` CHECK (${column(field.name)} IN (${field.generator.values.map(text).join(', ')}))` : ''
    return `${column(field.name)} ${columnType(scenario, entity, field, store.indexes)}${field.optional === undefined ? ' NOT NULL' : ''}${check}`
  })
  const primary = `CONSTRAINT ${id(key)} PRIMARY KEY (${columnList(dialect, store.partition)})`
  const divided = dividedTable(scenario, store)
  const whole = `CREATE TABLE ${table(store.name)} (\n  ${[...columns, primary].join(',\n  ')}\n)${divided === null ? '' : ` ${dialect.parts.clause(divided)}`}`
  return [
    { name: `table_${store.name}`, up: whole, down: `DROP TABLE ${table(store.name)}` },
    ...(divided === null ? [] : dialect.parts.steps(divided)),
    ...store.indexes.map((index) => ({
      name: `index_${index.name}`,
      up: createIndex(dialect, scenario, entity, store, index),
      down: dialect.dropIndex(index.name, store),
    })),
  ]
}

/** null: its rows lie together. */
export function dividedTable({ entities, epochMs }: Scenario, { name, entity, division }: Store): DividedTable | null {
  if (!division?.parts) return null
  return { table: name, ...division.parts, starts: partStarts(division.parts, epochMs, entityOf({ entities }, entity).ageMs) }
}

function createIndex(dialect: SqlDialect, { operations }: Scenario, entity: Entity, store: Store, index: Index): string {
  const { id, column, table } = dialect
  if (index.kind === 'text')
    return dialect.textIndex(
      index.name,
      store,
      index.columns.map(({ field }) => field),
    )
  const isOrdered = (field: string) => isOptional(entity, field) && ordersBy(operations, entity, field)
  const own = index.columns.map(({ field, descending }) => dialect.ordered(column(field), descending, isOrdered(field)))
  const columns = [...own, ...(dialect.include === 'key' ? index.include.map(column) : [])].join(', ')
  const include = dialect.include === 'clause' && index.include.length > 0 ? ` INCLUDE (${columnList(dialect, index.include)})` : ''
  const fits = index.where.map((filter) => `${column(filter.field)} = ${literal(dialect, fieldOf(entity, filter.field), filter)}`)
  for (const { field, isNull } of index.presence ?? []) fits.push(`${column(field)} IS ${isNull ? '' : 'NOT '}NULL`)
  const partial = fits.length > 0 ? ` WHERE ${fits.join(' AND ')}` : ''
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${id(index.name)} ON ${table(store.name)} (${columns})${include}${partial}`
}

/** Whether rows are answered in the order of a field, or their groups. */
function ordersBy(operations: Operation[], { name }: Entity, field: string): boolean {
  return operations.some(
    (each) =>
      each.entity === name &&
      ((each.kind === 'list' && each.order.some((order) => order.field === field)) || (each.kind === 'aggregate' && each.groupBy?.field === field)),
  )
}

/**
 * Lines go with their owner; other references are declared where nothing ever removes what they point at. Those of a table are one statement: a
 * server that copies the table to check them does it once.
 */
function foreignKeys(dialect: SqlDialect, scenario: Scenario, store: Store, named: (text: string) => string): Definition[] {
  const { id, column, table } = dialect
  const { owner } = entityOf(scenario, store.entity)
  const names = store.references.map(({ field }) => id(named(`${store.name}_${field}_fkey`)))
  const keys = store.references.map(({ field, entity }, at) => {
    const target = `${table(entity)} (${columnList(dialect, entityOf(scenario, entity).key)})`
    const owned = owner !== null && field === store.partition[0] ? ' ON DELETE CASCADE' : ''
    return `ADD CONSTRAINT ${names[at]} FOREIGN KEY (${column(field)}) REFERENCES ${target}${owned}`
  })
  if (keys.length === 0) return []
  const dropped = names.map((name) => `DROP ${dialect.foreignKey} ${name}`)
  const [up, down] = [keys, dropped].map((changes) => `ALTER TABLE ${table(store.name)} ${changes.join(', ')}`) as [string, string]
  return [{ name: `references_${store.name}`, up, down }]
}

const columnList = ({ column }: SqlDialect, names: string[]) => names.map(column).join(', ')
