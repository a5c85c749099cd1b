/** How many rows a list or an aggregate reads: by equality and the range along an order; rows that fail its other conditions are read and left out. */
import {
  type Aggregate,
  type Entity,
  fieldOf,
  haveValue,
  type List,
  type Operation,
  orderRangeOf,
  type Presence,
  type Range,
  rangesOf,
  type Selection,
} from '../scenario/scenario.ts'
import { boundsShare, constantShare, newestShare, prefixShare, presenceShare, valuedShare } from './sizes.ts'

type Query = Operation & (List | Aggregate)

/** Share of the rows that lie in a range. */
function shareOf(entity: Entity, range: Range): number {
  const field = fieldOf(entity, range.field)
  if ('ms' in range) return valuedShare(field) * newestShare(entity, range.ms)
  return 'characters' in range ? prefixShare(field, range.characters) : boundsShare(field, range)
}

/** Share of the rows that lie in all ranges. */
export function rangeShare(entity: Entity, selection: Selection): number {
  return productOf(rangesOf(selection).map((range) => shareOf(entity, range)))
}

/** Share of the rows that have one of the constants, or none. */
export function amongShare(entity: Entity, { among = [] }: Selection): number {
  return productOf(
    among.map(({ field, constants, none }) => {
      const share = constants.reduce((sum: number, constant) => sum + constantShare(fieldOf(entity, field), constant), 0)
      return Math.min(1, Math.max(0, none ? valuedShare(fieldOf(entity, field)) - share : share))
    }),
  )
}

/** Where fewer rows than others have a value, or none, as is asked for, they are found by that. */
const maxFoundShare = 0.5

/** What is asked of values being there that finds few enough rows for an index to begin with it, or to be of these rows alone. */
export function findingPresence(entity: Entity, { presence = [] }: Selection): Presence[] {
  return presence.filter((each) => presenceShare(entity, each) <= maxFoundShare)
}

/** The field for which a query needs more than the rows that have a value of it: one in whose order none is left out, or which is asked for by itself; null: there is none. */
export function needsNulls(entity: Entity, query: Query): string | null {
  const { presence = [] } = query
  const order = query.kind === 'list' ? query.order.map(({ field }) => field) : []
  // Where only rows with a value are asked for, all rows of such an order fit.
  const asked = presence.find(({ field, isNull }) => isNull || !order.includes(field))
  if (asked !== undefined) return asked.field
  return order.find((name) => !haveValue(entity, name, query)) ?? null
}

const productOfPresence = (entity: Entity, presence: Presence[]) => productOf(presence.map((each) => presenceShare(entity, each)))

/** Fields of the ranges, of which the fewest rows lie in first. */
export function rangesByShare(entity: Entity, selection: Selection): string[] {
  const shares = rangesOf(selection).map((range) => ({ field: range.field, share: shareOf(entity, range) }))
  return shares.sort((a, b) => a.share - b.share).map(({ field }) => field)
}

const productOf = (shares: number[]) => shares.reduce((product, share) => product * share, 1)

/** Fields of the conditions that neither equality nor an order answers. */
export function leftOver(query: Query): string[] {
  const along = orderRangeOf(query)
  const isFixed = (field: string) => query.where.some((filter) => filter.field === field)
  const beside = rangesOf(query).filter((range) => range !== along && !isFixed(range.field))
  return [...(query.among ?? []), ...beside].map(({ field }) => field)
}

/** Share of the rows read in order that a list keeps. */
export function keptShare(entity: Entity, query: Query): number {
  const along = orderRangeOf(query)
  const finding = findingPresence(entity, query)
  const leaving = (query.presence ?? []).filter((each) => !finding.includes(each))
  const beside = rangesOf(query).map((range) => (range === along ? 1 : shareOf(entity, range)))
  return productOfPresence(entity, leaving) * amongShare(entity, query) * productOf(beside)
}

/** Of so many rows that equality finds, those that a call reads where it can read all that fit, or in order until its page is full: the fewer. */
export function rowsRead(entity: Entity, query: Query, equal: number): number {
  const fitting = equal * rangeShare(entity, query) * amongShare(entity, query) * productOfPresence(entity, query.presence ?? [])
  if (query.kind === 'list') return Math.min(fitting, rowsInOrder(entity, query))
  // Before one row and another there is half of them in the middle.
  return query.before === undefined ? fitting : fitting / 2
}

/** Rows in order that hold a page. */
export const rowsInOrder = (entity: Entity, query: Operation & List) => query.limit / keptShare(entity, query)
