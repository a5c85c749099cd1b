/** The range of the clustering order that a list or an aggregate reads of each partition. */
import { constantOf, type Value } from '../../data/value.ts'
import { isRangeOfOrder } from '../../families/selection.ts'
import { entityOf, type OperationOf, type Scenario } from '../../scenario/scenario.ts'

type Query = OperationOf<'list'> | OperationOf<'aggregate'>
/** One end of it, and what is bound to it: a time of the window, or a constant. */
interface End {
  field: string
  operator: '>=' | '<'
  value: 'from' | 'to' | number
}

export function endsOf(operation: Query): End[] {
  const { over, bounds } = operation
  if (!isRangeOfOrder(operation)) return []
  const end = (field: string, operator: End['operator'], value: End['value'] | null): End[] => (value === null ? [] : [{ field, operator, value }])
  if (over != null) return [...end(over.field, '>=', 'from'), ...end(over.field, '<', 'to')]
  return bounds === undefined ? [] : [...end(bounds.field, '>=', bounds.from), ...end(bounds.field, '<', bounds.below)]
}

export function sliceText(operation: Query, id: (name: string) => string): string {
  return endsOf(operation)
    .map(({ field, operator }) => ` AND ${id(field)} ${operator} ?`)
    .join('')
}

/** As the ends are bound, in their order. */
export function endValues(scenario: Scenario, operation: Query, bound: (name: string) => Value): Value[] {
  return endsOf(operation).map(({ field, value }) => {
    if (typeof value === 'number') return constantOf(entityOf(scenario, operation.entity), field, value)
    return value === 'from' ? windowStart(scenario, operation, bound) : bound(value)
  })
}

/** No row is older than the oldest: a window may be longer than time can be written. */
export function windowStart(scenario: Scenario, operation: Query, bound: (name: string) => Value): number {
  return Math.max(Number(bound('from')), scenario.epochMs - entityOf(scenario, operation.entity).ageMs)
}
