/** Pages of a list: where in the clustering order a page begins, behind a cursor that may name columns that the equality fixes already. */
import { compareValues, constantOf, type Value } from '../../data/value.ts'
import type { Store } from '../../families/model.ts'
import type { Entity, OperationOf } from '../../scenario/scenario.ts'

/** Rows behind (or, `inclusive`, at and behind) these clustering columns of the cursor; all rows where there are none. */
export interface PageStart {
  columns: string[]
  inclusive: boolean
}
const beginning: PageStart = { columns: [], inclusive: false }

/** The first page, then every way in which a deep page can begin: a statement for each. */
export function pageStarts(op: OperationOf<'list'>): PageStart[] {
  const starts = [beginning]
  const free: string[] = []
  for (const { field } of op.order) {
    if (isFree(op, field)) free.push(field)
    else if (free.length > 0 && fixedBy(op, field) !== null)
      starts.push({ columns: [...free], inclusive: true }, { columns: [...free], inclusive: false })
  }
  return free.length === 0 ? starts : [...starts, { columns: free, inclusive: false }]
}

/**
 * Where the page behind a cursor begins, as an index of `pageStarts`; null: no row lies behind it.
 * A column that the equality fixes is equal in all rows: it decides alone where all before it are equal.
 */
export function pageStart(op: OperationOf<'list'>, entity: Entity, after: (field: string) => Value): number | null {
  const free: string[] = []
  for (const { field, descending } of op.order) {
    const constant = fixedBy(op, field)
    if (isFree(op, field)) free.push(field)
    // A bound value and the cursor are of one picked row: only a constant can differ.
    else if (constant !== null) {
      const behind = compareValues(constantOf(entity, field, constant), after(field)) * (descending ? -1 : 1)
      if (behind !== 0) return free.length === 0 && behind < 0 ? null : indexOf(op, free, behind > 0)
    }
  }
  return free.length === 0 ? null : indexOf(op, free, false)
}

/** Whether every deep page begins in the same way. */
export function hasOneDeepStart(op: OperationOf<'list'>): boolean {
  return pageStarts(op).length === 2 && op.order.every(({ field }) => fixedBy(op, field) === null)
}

export function startText(start: PageStart, descending: boolean, id: (name: string) => string): string {
  if (start.columns.length === 0) return ''
  const operator = `${descending ? '<' : '>'}${start.inclusive ? '=' : ''}`
  return ` AND (${start.columns.map(id).join(', ')}) ${operator} (${start.columns.map(() => '?').join(', ')})`
}

/** Whether a list runs against the order that its table is stored in. */
export function isReversed(store: Store, op: OperationOf<'list'>): boolean {
  const first = store.clustering[0]
  return first !== undefined && first.descending !== isDescending(op)
}

/** Whether a page begins behind a row, and in which direction it goes on. */
export function behindOf(op: OperationOf<'list'>, start: PageStart): 'ascending' | 'descending' | null {
  if (start.columns.length === 0) return null
  return isDescending(op) ? 'descending' : 'ascending'
}

/** All columns of an order have one direction. */
export const isDescending = (op: OperationOf<'list'>) => op.order[0]?.descending === true

const isFree = (op: OperationOf<'list'>, field: string) => op.where.every((filter) => filter.field !== field)
const fixedBy = (op: OperationOf<'list'>, field: string) => op.where.find((filter) => filter.field === field)?.constant ?? null

function indexOf(op: OperationOf<'list'>, columns: string[], inclusive: boolean): number {
  return pageStarts(op).findIndex((each) => each.columns.length === columns.length && (columns.length === 0 || each.inclusive === inclusive))
}
