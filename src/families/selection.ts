/** How many rows a list or an aggregate reads: by equality and one range along an order; rows that fail its other conditions are read and left out. */
import { type Aggregate, type Bounds, type Entity, fieldOf, type List, type Operation, rangeOf, type Selection } from '../scenario/scenario.ts'
import { boundsShare, constantShare, newestShare } from './sizes.ts'

type Query = Operation & (List | Aggregate)

/** Share of the rows that lie in the range. */
export function rangeShare(entity: Entity, selection: Selection): number {
  const range = rangeOf(selection)
  if (range === null) return 1
  return 'ms' in range ? newestShare(entity, range.ms) : boundsShare(fieldOf(entity, range.field), range as Bounds)
}

/** Share of the rows that have one of the constants. */
export function amongShare(entity: Entity, { among }: Selection): number {
  if (among === undefined) return 1
  return Math.min(
    1,
    among.constants.reduce((sum: number, constant) => sum + constantShare(fieldOf(entity, among.field), constant), 0),
  )
}

/** Whether the rows of the range lie together in the order that is asked for: a list's, or of an aggregate any. */
export function isRangeOfOrder(query: Query): boolean {
  const range = rangeOf(query)
  const isFixed = (field: string) => query.where.some((filter) => filter.field === field)
  if (range === null || isFixed(range.field)) return false
  return query.kind === 'aggregate' || query.order.find(({ field }) => !isFixed(field))?.field === range.field
}

/** Fields of the conditions that neither equality nor an order answers. */
export function leftOver(query: Query): string[] {
  const range = query.kind === 'aggregate' || isRangeOfOrder(query) ? null : rangeOf(query)
  return [query.among, range].flatMap((each) => each?.field ?? [])
}

/** Share of the rows read in order that a list keeps. */
export function keptShare(entity: Entity, query: Query): number {
  return amongShare(entity, query) * (isRangeOfOrder(query) ? 1 : rangeShare(entity, query))
}

/** Of so many rows that equality finds, those that a call reads where it can read all that fit, or in order until its page is full: the fewer. */
export function rowsRead(entity: Entity, query: Query, equal: number): number {
  const fitting = equal * rangeShare(entity, query) * amongShare(entity, query)
  return query.kind === 'list' ? Math.min(fitting, rowsInOrder(entity, query)) : fitting
}

/** Rows in order that hold a page. */
export const rowsInOrder = (entity: Entity, query: Operation & List) => query.limit / keptShare(entity, query)
