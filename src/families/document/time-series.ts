/** Why rows that come by time lie in a plain collection all the same: what a time-series collection cannot do, of what is asked here (test/engines/time-series.test.ts). */
import { type Entity, type Operation, ownedBy, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { timeOf } from '../sizes.ts'

/** Of fewer rows the buckets of a time-series collection save little. */
const manyRows = 12e6

/** undefined: nobody would ask, for rows are few, or never go by their age, or have no time and source, or own others. */
export function noTimeSeries(scenario: Scenario, entity: Entity, operations: Operation[]): string | undefined {
  const time = timeOf(entity, operations)?.name
  const hasSource = entity.fields.some(({ generator }) => generator.kind === 'reference')
  const isKept = (entity.ttlMs ?? entity.retentionMs) !== null && entity.owner === null && ownedBy(scenario, entity.name).length === 0
  if (!isKept || time === undefined || !hasSource || entity.count < manyRows) return undefined
  return `no time-series collection: ${reason(entity, operations, time)}`
}

function reason(entity: Entity, operations: Operation[], time: string): string {
  const name = (some: Operation[]) => some.map((each) => each.name).join(', ')
  const writing = operations.filter((operation) => writesOf(operation).some((write) => write.entity === entity.name))
  const byKey = operations.filter(
    (operation) =>
      (operation.kind === 'get' && operation.entity === entity.name) ||
      writesOf(operation).some((write) => write.entity === entity.name && write.kind !== 'insert'),
  )
  if (byKey.length > 0) return `rows are found by their key (${name(byKey)}), of which it has no index`
  const unique = entity.fields.find((field) => field.unique && !entity.key.includes(field.name))
  if (unique !== undefined) return `${unique.name} is unique, and it has no unique index`
  const together = writing.filter((operation) => writesOf(operation).length > 1)
  if (together.length > 0) return `rows are written in transactions (${name(together)}), which write into none`
  const pages = operations.filter((operation) => operation.entity === entity.name && operation.kind === 'list')
  const sorted = pages.length === 0 ? '' : `, and for ${name(pages)}, whose order ends in the key, all rows of a source would be unpacked and sorted`
  return `its indexes hold the source and ${time} alone: no key is unique, no acknowledged row is found again by it${sorted}`
}
