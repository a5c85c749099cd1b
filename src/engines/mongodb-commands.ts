/** A document model in MongoDB's terms: paths, indexes, pipelines, and the commands as the report shows them. */
import type { Document } from 'mongodb'
import type { Store } from '../model/model.ts'
import { type Entity, entityOf, type Filter, type Operation, type Scenario, type Write } from '../scenario/scenario.ts'

/** Holds the server's own time of expiry under a TTL index; `expires_at` decides absence, in replay time. */
export const nativeExpiry = 'expire_natively_at'

/** A single key is the document's _id; a composite one a document inside it. */
export function pathOf(entity: Entity, field: string): string {
  if (!entity.key.includes(field)) return field
  return entity.key.length === 1 ? '_id' : `_id.${field}`
}

export function indexesOf(scenario: Scenario, store: Store): { key: Document; options: Document }[] {
  const entity = entityOf(scenario, store.entity)
  const indexes = store.indexes.map((index) => {
    const name = index.name
    if (index.kind === 'expiry') return { key: { [nativeExpiry]: 1 }, options: { name, expireAfterSeconds: 0 } }
    if (index.kind === 'text')
      return { key: Object.fromEntries(index.columns.map((column) => [column.field, 'text'])), options: { name, default_language: 'none' } }
    const key = Object.fromEntries(index.columns.map((column) => [pathOf(entity, column.field), column.descending ? -1 : 1]))
    const partial = Object.fromEntries(index.where.map((filter) => [pathOf(entity, filter.field), filter.constant]))
    return {
      key,
      options: { name, ...(index.unique ? { unique: true } : {}), ...(index.where.length > 0 ? { partialFilterExpression: partial } : {}) },
    }
  })
  if (entity.owner !== null)
    indexes.push({ key: Object.fromEntries(entity.key.map((key) => [pathOf(entity, key), 1])), options: { name: 'owner_line' } })
  return indexes
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
  if (write.kind === 'put') return `db.${write.entity}.replaceOne({_id:?key}, ?row, {upsert:true})`
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
    { $group: { _id: id, count: { $sum: 1 }, ...(sum === null ? {} : { sum: { $sum: `$${sum}` } }) } },
    { $sort: { _id: 1 } },
  ]
}
