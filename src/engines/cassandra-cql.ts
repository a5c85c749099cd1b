/** CQL for the stores of a wide-column model: tables, and the statement texts of every operation. */
import type { Store, StoreColumn } from '../model/model.ts'
import { groupedByServer } from '../model/wide-column.ts'
import type { Field, Operation } from '../scenario/scenario.ts'

export const id = (name: string) => `"${name.replaceAll('"', '""')}"`

export function cqlType(column: StoreColumn, field: Field | undefined): string {
  if (column.role === 'bucket') return 'int'
  switch (column.type) {
    case 'uuid':
      return 'uuid'
    case 'int':
      return field?.generator.kind === 'number' || field?.generator.kind === 'line' ? 'int' : 'bigint'
    case 'decimal':
      return 'decimal'
    case 'bool':
      return 'boolean'
    case 'timestamp':
      return 'timestamp'
    case 'bytes':
      return 'blob'
    default:
      return 'text'
  }
}

export function createTable(store: Store, typeOf: (column: StoreColumn) => string): string {
  const columns = store.columns.map((column) => `  ${id(column.name)} ${typeOf(column)}${column.role === 'static' ? ' STATIC' : ''}`)
  const key = [`(${store.partition.map(id).join(', ')})`, ...store.clustering.map((each) => id(each.column))].join(', ')
  const order =
    store.clustering.length === 0
      ? ''
      : ` WITH CLUSTERING ORDER BY (${store.clustering.map((each) => `${id(each.column)} ${each.descending ? 'DESC' : 'ASC'}`).join(', ')})`
  return `CREATE TABLE ${id(store.name)} (\n${[...columns, `  PRIMARY KEY (${key})`].join(',\n')}\n)${order}`
}

const equals = (names: string[]) => names.map((name) => `${id(name)} = ?`).join(' AND ')

/** All columns of one partition. */
export function selectPartition(store: Store): string {
  return `SELECT ${store.columns.map((column) => id(column.name)).join(', ')} FROM ${id(store.name)} WHERE ${equals(store.partition)}`
}

/** Equality on the partition, then a page of the clustering order. Rows that may have expired cannot be limited by the server. */
export function selectPage(store: Store, operation: Operation & { kind: 'list' }, deep: boolean): string {
  const names = store.clustering.map((each) => each.column)
  const after = deep ? ` AND (${names.map(id).join(', ')}) ${store.clustering[0]?.descending ? '<' : '>'} (${names.map(() => '?').join(', ')})` : ''
  const columns = [...operation.fields, ...(store.expiry === null || operation.fields.includes('expires_at') ? [] : ['expires_at'])]
  return `SELECT ${columns.map(id).join(', ')} FROM ${id(store.name)} WHERE ${equals(store.partition)}${after}${store.expiry === null ? ` LIMIT ${operation.limit}` : ''}`
}

export function selectWords(store: Store, operation: Operation & { kind: 'search' }): string {
  const columns = [...operation.fields, ...(store.expiry === null || operation.fields.includes('expires_at') ? [] : ['expires_at'])]
  return `SELECT ${columns.map(id).join(', ')} FROM ${id(store.name)} WHERE ${id('token')} = ?${store.expiry === null ? ` LIMIT ${operation.limit}` : ''}`
}

/** Sums by the server where a bucket lies within a group, else the rows to be grouped. */
export function selectGroup(store: Store, operation: Operation & { kind: 'aggregate' }): string {
  const window = operation.over === null ? '' : ` AND ${id(operation.over.field)} >= ? AND ${id(operation.over.field)} < ?`
  const { groupBy, sum } = operation
  const columns = groupedByServer(operation, store)
    ? ['count(*)', ...(sum === null ? [] : [`sum(${id(sum)})`])]
    : [groupBy?.field, sum, store.expiry === null ? null : 'expires_at'].filter((name) => name != null).map(id)
  return `SELECT ${columns.length === 0 ? 'count(*)' : columns.join(', ')} FROM ${id(store.name)} WHERE ${equals(store.partition)}${window}`
}

export function insertRow(store: Store, columns: string[]): string {
  return `INSERT INTO ${id(store.name)} (${columns.map(id).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})${store.expiry === null ? '' : ' USING TTL ?'}`
}

export function updateRow(store: Store, columns: string[], keys: string[]): string {
  return `UPDATE ${id(store.name)}${store.expiry === null ? '' : ' USING TTL ?'} SET ${columns.map((name) => `${id(name)} = ?`).join(', ')} WHERE ${equals(keys)}`
}

export function deleteRow(store: Store, keys: string[]): string {
  return `DELETE FROM ${id(store.name)} WHERE ${equals(keys)}`
}

/** Columns that address one row of a store; of a base table with clustering lines only the partition. */
export function rowKeys(store: Store): string[] {
  return [...store.partition, ...(store.embedded.length > 0 ? [] : store.clustering.map((each) => each.column))]
}
