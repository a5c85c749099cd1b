/** The range of the clustering order that a list or an aggregate reads of each partition. */
import { constantOf, type Value } from '../../data/value.ts'
import { entityOf, type OperationOf, orderRangeOf, type Scenario } from '../../scenario/scenario.ts'

type Query = OperationOf<'list'> | OperationOf<'aggregate'>
/** One end of it, and what is bound to it: a parameter by its name, or a constant. */
interface End {
  field: string
  operator: '>=' | '<'
  value: string | number
}

/** `behind`: of a page behind a row of the range the far end alone, of which of the two directions. */
export function endsOf(operation: Query, behind: 'ascending' | 'descending' | null = null): End[] {
  const range = orderRangeOf(operation)
  if (range === null) return []
  const { field } = range
  const ends = valuesOf(range)
  const from: End[] = ends.from === null || behind === 'ascending' ? [] : [{ field, operator: '>=', value: ends.from }]
  const below: End[] = ends.below === null || behind === 'descending' ? [] : [{ field, operator: '<', value: ends.below }]
  return [...from, ...below]
}

function valuesOf(range: NonNullable<ReturnType<typeof orderRangeOf>>): { from: End['value'] | null; below: End['value'] | null } {
  if ('ms' in range) return { from: 'from', below: 'to' }
  return 'characters' in range ? { from: `prefix.${range.field}`, below: `below.${range.field}` } : range
}

/** Beside a cursor, which compares columns together, an end is compared as it does: a column is compared in one way alone. */
export function sliceText(ends: End[], id: (name: string) => string, isBesideCursor = false): string {
  return ends.map(({ field, operator }) => (isBesideCursor ? ` AND (${id(field)}) ${operator} (?)` : ` AND ${id(field)} ${operator} ?`)).join('')
}

/** As the ends are bound, in their order. */
export function endValues(scenario: Scenario, operation: Query, ends: End[], bound: (name: string) => Value): Value[] {
  return ends.map(({ field, value }) => {
    if (typeof value === 'number') return constantOf(entityOf(scenario, operation.entity), field, value)
    return value === 'from' ? windowStart(scenario, operation, bound) : bound(value)
  })
}

/** No row is older than the oldest: a window may be longer than time can be written. */
export function windowStart(scenario: Scenario, operation: Query, bound: (name: string) => Value): number {
  return Math.max(Number(bound('from')), scenario.epochMs - entityOf(scenario, operation.entity).ageMs)
}
