/** A document model in MongoDB's terms: paths, indexes, pipelines, and the commands as the report shows them. */
import type { Document } from 'mongodb'
import { decimalText } from '../../data/value.ts'
import type { Store } from '../../families/model.ts'
import { decisiveOrder } from '../../families/relational/model.ts'
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
} from '../../scenario/scenario.ts'

/** Holds the server's own time of expiry under a TTL index; `expires_at` decides absence, in replay time. No field of a scenario starts like this. */
export const nativeExpiry = '_expires_natively_at'

/** A single key is the document's _id; a composite one a document inside it. */
export function pathOf(entity: Entity, field: string): string {
  if (!entity.key.includes(field)) return field
  return entity.key.length === 1 ? '_id' : `_id.${field}`
}

/** `stored`: a constant as the server compares it. */
export function indexesOf(
  scenario: Scenario,
  store: Store,
  stored: (field: Field, constant: Constant) => unknown = shownConstant,
): { key: Document; options: Document }[] {
  const entity = entityOf(scenario, store.entity)
  return store.indexes.map(({ name, kind, columns, unique, where }) => {
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
}

const shownConstant = (field: Field, constant: Constant) =>
  field.type === 'decimal' ? { $numberDecimal: decimalText(BigInt(constant as number), field.scale) } : constant

/** Conditions that must all hold: side by side in one document, unless two of them are about the same path. */
export function allOf(...conditions: Document[]): Document {
  const given = conditions.filter((condition) => Object.keys(condition).length > 0)
  const paths = given.flatMap((condition) => Object.keys(condition))
  return new Set(paths).size === paths.length ? Object.assign({}, ...given) : { $and: given }
}

/** The text index finds the word in any of its fields: where it has more than are asked for, the server looks at those. */
export function textFilter(store: Store | undefined, names: string[], word: unknown): Document {
  const found = { $text: { $search: word } }
  const index = store?.indexes.find((each) => each.kind === 'text')
  if (index === undefined || index.columns.every((column) => names.includes(column.field))) return found
  return { ...found, $expr: { $or: names.map((name) => ({ $in: [{ $literal: word }, { $split: [`$${name}`, ' '] }] })) } }
}

/** The commands for people: what the report prints. */
export function describeOperation(scenario: Scenario, stores: Store[], operation: Operation): string[] {
  const entity = entityOf(scenario, operation.entity)
  const show = (value: unknown) => JSON.stringify(value).replaceAll('"', '')
  const where = (filters: Filter[]) =>
    Object.fromEntries(
      filters.map(({ field, constant }) => [
        pathOf(entity, field),
        constant === null ? `?${field}` : shownConstant(fieldOf(entity, field), constant),
      ]),
    )
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
    case 'list': {
      const sort = sortOf(entity, decisiveOrder(entity, operation.order))
      return [`db.${operation.entity}.find(${show(allOf(where(operation.where), alive))}).sort(${show(sort)}).limit(${operation.limit})`]
    }
    case 'search': {
      const store = stores.find((each) => each.entity === operation.entity)
      return [`db.${operation.entity}.find(${show(allOf(textFilter(store, operation.in, '?word'), alive))}).limit(${operation.limit})`]
    }
    case 'aggregate': {
      const window = operation.over === null ? {} : { [pathOf(entity, operation.over.field)]: { $gte: '?from', $lt: '?to' } }
      return [`db.${operation.entity}.aggregate(${show(groupPipeline(entity, operation, allOf(where(operation.where), alive, window)))})`]
    }
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
