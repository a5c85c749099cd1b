/** A document model in MongoDB's terms: paths, indexes, pipelines, and the commands as the report shows them. */
import type { Document } from 'mongodb'
import type { Store } from '../model/model.ts'
import {
  type Constant,
  type Entity,
  entityOf,
  type Field,
  type Filter,
  fieldOf,
  type Operation,
  type Scenario,
  type Write,
} from '../scenario/scenario.ts'

/** Holds the server's own time of expiry under a TTL index; `expires_at` decides absence, in replay time. No field of a scenario starts like this. */
export const nativeExpiry = '_expires_natively_at'

/** The index over the parts of a composite key; names of other indexes start with a field's. */
export const compositeKey = '_owner_line'

/** A single key is the document's _id; a composite one a document inside it. */
export function pathOf(entity: Entity, field: string): string {
  if (!entity.key.includes(field)) return field
  return entity.key.length === 1 ? '_id' : `_id.${field}`
}

/** `stored`: a constant as the server compares it. */
export function indexesOf(
  scenario: Scenario,
  store: Store,
  stored: (field: Field, constant: Constant) => unknown = (_, constant) => constant,
): { key: Document; options: Document }[] {
  const entity = entityOf(scenario, store.entity)
  const indexes = store.indexes.map(({ name, kind, columns, unique, where }) => {
    if (kind === 'expiry') return { key: { [nativeExpiry]: 1 }, options: { name, expireAfterSeconds: 0 } }
    if (kind === 'text') {
      const key = Object.fromEntries(columns.map((column) => [column.field, 'text']))
      // By default a field "language" would choose how a document is read.
      return { key, options: { name, default_language: 'none', language_override: '_language' } }
    }
    const partial = where.map(({ field, constant }) => [pathOf(entity, field), stored(fieldOf(entity, field), constant as Constant)])
    return {
      key: sortOf(entity, columns),
      options: { name, ...(unique ? { unique } : {}), ...(partial.length > 0 ? { partialFilterExpression: Object.fromEntries(partial) } : {}) },
    }
  })
  if (entity.owner === null) return indexes
  return [
    ...indexes,
    {
      key: sortOf(
        entity,
        entity.key.map((field) => ({ field, descending: false })),
      ),
      options: { name: compositeKey },
    },
  ]
}

/** The commands for people: what the report prints. */
export function describeOperation(scenario: Scenario, stores: Store[], operation: Operation): string[] {
  const entity = entityOf(scenario, operation.entity)
  const show = (value: unknown) => JSON.stringify(value).replaceAll('"', '')
  const where = (filters: Filter[]) =>
    Object.fromEntries(filters.map((filter) => [pathOf(entity, filter.field), filter.constant ?? `?${filter.field}`]))
  const key = Object.fromEntries(entity.key.map((name) => [pathOf(entity, name), `?${name}`]))
  const alive = entity.ttlMs === null ? {} : { expires_at: { $gt: '?now' } }
  switch (operation.kind) {
    case 'get': {
      const apart = operation.with.filter((name) => stores.some((store) => store.name === name))
      return [
        `db.${operation.entity}.findOne(${show({ ...key, ...alive })})`,
        ...apart.map((name) => `db.${name}.find(${show({ '_id.owner': '?key' })})`),
      ]
    }
    case 'list':
      return [
        `db.${operation.entity}.find(${show({ ...where(operation.where), ...alive })}).sort(${show(sortOf(entity, operation.order))}).limit(${operation.limit})`,
      ]
    case 'search':
      return [`db.${operation.entity}.find(${show({ $text: { $search: '?word' }, ...alive })}).limit(${operation.limit})`]
    case 'aggregate':
      return [
        `db.${operation.entity}.aggregate(${show(groupPipeline(entity, operation, { ...where(operation.where), ...(operation.over === null ? {} : { [operation.over.field]: { $gte: '?from', $lt: '?to' } }) }))})`,
      ]
    case 'transaction':
      return ['startTransaction', ...operation.steps.map((step) => describeWrite(step, show)), 'commitTransaction']
    default:
      return [describeWrite(operation, show)]
  }
}

function describeWrite(write: Write & { entity: string }, show: (value: unknown) => string): string {
  if (write.kind === 'insert') return `db.${write.entity}.insertOne(?row)`
  if (write.kind === 'put') return `db.${write.entity}.updateOne({_id:?key}, {$set:?row}, {upsert:true})`
  if (write.kind === 'delete') return `db.${write.entity}.deleteOne({_id:?key})`
  const change = {
    ...(write.set.length > 0 ? { $set: Object.fromEntries(write.set.map((each) => [each.field, '?'])) } : {}),
    ...(write.add.length > 0 ? { $inc: Object.fromEntries(write.add.map((each) => [each.field, '?'])) } : {}),
  }
  return write.via === null
    ? `db.${write.entity}.updateOne({_id:?key}, ${show(change)})`
    : `db.${write.entity}.bulkWrite(updateOne per target in key order, ${show(change)})`
}

export function sortOf(entity: Entity, order: { field: string; descending: boolean }[]): Record<string, 1 | -1> {
  return Object.fromEntries(order.map((each) => [pathOf(entity, each.field), each.descending ? -1 : 1]))
}

export function groupPipeline(entity: Entity, operation: Operation & { kind: 'aggregate' }, match: Document): Document[] {
  const { groupBy, sum } = operation
  const path = groupBy === null ? null : `$${pathOf(entity, groupBy.field)}`
  const id = groupBy === null ? null : groupBy.unit === null ? path : { $dateTrunc: { date: path, unit: groupBy.unit } }
  return [
    { $match: match },
    { $group: { _id: id, count: { $sum: 1 }, ...(sum === null ? {} : { sum: { $sum: `$${pathOf(entity, sum)}` } }) } },
    { $sort: { _id: 1 } },
  ]
}
