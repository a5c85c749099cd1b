/** What is asked of a collection, as documents with marks: filters, pages, groups, and the indexes that serve them. */
import {
  type Comparison,
  type Constant,
  type Entity,
  entityOf,
  type FieldType,
  type Filter,
  fieldOf,
  type Guard,
  type OperationOf,
  type Order,
  type Presence,
  type Scenario,
  type Selection,
} from '../../scenario/scenario.ts'
import { type Addressing, tenantAskedOf } from '../../scenario/tenants.ts'
import type { Store } from '../model.ts'
import { decisiveOrder, reversed } from '../relational/model.ts'
import { type Bind, constant, type Document, type Json } from './marks.ts'
import { embeddedName } from './model.ts'

/** Holds the server's own time of expiry under a TTL index; `expires_at` decides absence, in replay time. No field of a scenario starts like this. */
export const nativeExpiry = '_expires_natively_at'

/** The value of an operation's parameter, by its name, as one of a field. */
export type Bound = (name: string, field: Entity['fields'][number]) => Bind

/** A single key is the document's _id; a composite one a document inside it. */
export function pathOf(entity: Entity, field: string): string {
  if (!entity.key.includes(field)) return field
  return entity.key.length === 1 ? '_id' : `_id.${field}`
}

export function sortOf(entity: Entity, order: { field: string; descending: boolean }[]): Record<string, 1 | -1> {
  return Object.fromEntries(order.map(({ field, descending }) => [pathOf(entity, field), descending ? -1 : 1]))
}

/** Keys and options of a store's indexes. */
export function indexesOf(scenario: Scenario, store: Store): { key: Document; options: Document }[] {
  const entity = entityOf(scenario, store.entity)
  return store.indexes.map(({ name, kind, columns, unique, where, presence = [] }) => {
    if (kind === 'expiry') return { key: { [nativeExpiry]: 1 }, options: { name, expireAfterSeconds: 0 } }
    if (kind === 'text') {
      const key = Object.fromEntries(columns.map((column) => [column.field, 'text']))
      // By default a field "language" would choose how a document is read.
      return { key, options: { name, default_language: 'none', language_override: '_language' } }
    }
    const partial: (readonly [string, Json])[] = where.map((filter) => [
      pathOf(entity, filter.field),
      constant(fieldOf(entity, filter.field), filter.constant as Constant),
    ])
    partial.push(...presence.map((each) => [pathOf(entity, each.field), valued(entity, each)] as const))
    return {
      key: sortOf(entity, columns),
      options: { name, ...(unique ? { unique } : {}), ...(partial.length > 0 ? { partialFilterExpression: Object.fromEntries(partial) } : {}) },
    }
  })
}

/** Conditions that must all hold: side by side in one document, unless two of them are about the same path. */
function allOf(...conditions: Document[]): Document {
  const given = conditions.filter((condition) => Object.keys(condition).length > 0)
  const paths = given.flatMap((condition) => Object.keys(condition))
  return new Set(paths).size === paths.length ? Object.assign({}, ...given) : { $and: given }
}

export function keyOf(entity: Entity, bound: Bound): Json {
  const value = (name: string) => bound(`key.${name}`, fieldOf(entity, name))
  return entity.key.length === 1 ? value(entity.key[0] as string) : Object.fromEntries(entity.key.map((name) => [name, value(name)]))
}

/** One row by its key, of the tenant that asks, where it lives still and its guard holds. */
export function rowFilter(entity: Entity, asked: Addressing, bound: Bound): Document {
  const tenant = tenantAskedOf(entity, asked)
  const own = tenant === null ? {} : { [tenant]: bound(`tenant.${tenant}`, fieldOf(entity, tenant)) }
  const guard = asked.kind === 'update' ? asked.guard : undefined
  const read = guard?.asRead ? bound(`read.${guard.field}`, fieldOf(entity, guard.field)) : undefined
  return allOf({ _id: keyOf(entity, bound) }, own, alive(entity, bound), guard === undefined ? {} : condition(entity, guard, read))
}

/** `value`: what is compared with, where that is no constant. */
export function condition(entity: Entity, { field, is, constant: own }: Guard, value: Json = constant(fieldOf(entity, field), own)): Document {
  return { [field]: { [operators[is]]: value } }
}

const operators: Record<Comparison, string> = { equals: '$eq', gt: '$gt', gte: '$gte', lt: '$lt', lte: '$lte' }

/** Owned rows that stand apart, by the key of their owner. */
export function linesFilter(owned: Entity, ownerKey: Json): Document {
  return { [pathOf(owned, owned.key[0] as string)]: ownerKey }
}

export const linesSort = (owned: Entity) =>
  sortOf(
    owned,
    owned.key.map((field) => ({ field, descending: false })),
  )

/** `deep`: behind the cursor that the `after.` parameters hold. */
export function listFilter(entity: Entity, op: OperationOf<'list'>, bound: Bound, deep: boolean): Document {
  return allOf(
    equalities(op.where, entity, bound),
    alive(entity, bound),
    ...conditions(op, entity, bound),
    deep ? behind(decisiveOrder(entity, op.order), entity, bound) : {},
  )
}

export function searchFilter(entity: Entity, op: OperationOf<'search'>, store: Store, bound: Bound): Document {
  return allOf(textFilter(store, op.in, bound('word', fieldOf(entity, op.in[0] as string))), alive(entity, bound))
}

export function groupPipeline(entity: Entity, op: OperationOf<'aggregate'>, bound: Bound): Document[] {
  const { groupBy, sum } = op
  const path = groupBy === null ? null : `$${pathOf(entity, groupBy.field)}`
  const id = groupBy === null ? null : groupBy.unit === null ? path : { $dateTrunc: { date: path, unit: groupBy.unit } }
  return [
    {
      $match: allOf(
        equalities(op.where, entity, bound),
        alive(entity, bound),
        ...conditions(op, entity, bound),
        // What is before a place is behind it the other way round.
        op.before === undefined ? {} : behind(reversed(decisiveOrder(entity, op.before)), entity, bound),
      ),
    },
    { $group: { _id: id, count: { $sum: 1 }, ...(sum === null ? {} : { sum: { $sum: `$${pathOf(entity, sum)}` } }) } },
    { $sort: { _id: 1 } },
  ]
}

/** What a page is of, and how long. */
export function pageOf(entity: Entity, op: OperationOf<'list' | 'search'>): Document {
  const sort = op.kind === 'list' ? { sort: sortOf(entity, decisiveOrder(entity, op.order)) } : {}
  return { projection: projection(entity, op.fields, []), ...sort, limit: op.limit, batchSize: op.limit + 1 }
}

/** `embedded`: owned entities that are read with the row, from inside its document. */
export function projection(entity: Entity, fields: string[], embedded: string[]): Document {
  const names = fields.map((field) => (entity.key.includes(field) ? '_id' : field))
  const inside = embedded.map((name) => embeddedName(entity, name))
  return { ...(names.includes('_id') ? {} : { _id: 0 }), ...Object.fromEntries([...names, ...inside].map((name) => [name, 1])) }
}

/** The text index finds the word in any of its fields: where it has more than are asked for, the server looks at those. */
function textFilter(store: Store, names: string[], word: Json): Document {
  const found = { $text: { $search: word } }
  const index = store.indexes.find((each) => each.kind === 'text')
  if (index === undefined || index.columns.every((column) => names.includes(column.field))) return found
  return { ...found, $expr: { $or: names.map((name) => ({ $in: [{ $literal: word }, { $split: [`$${name}`, ' '] }] })) } }
}

function alive(entity: Entity, bound: Bound): Document {
  return entity.ttlMs === null ? {} : { expires_at: { $gt: bound('now', fieldOf(entity, 'expires_at')) } }
}

function equalities(filters: Filter[], entity: Entity, bound: Bound): Document {
  return Object.fromEntries(
    filters.map((filter) => {
      const field = fieldOf(entity, filter.field)
      return [pathOf(entity, filter.field), filter.constant === null ? bound(`where.${filter.field}`, field) : constant(field, filter.constant)]
    }),
  )
}

/** Ranges, and constants of which a document has one or none. */
function conditions({ over, bounds = [], prefixes = [], among = [], presence = [] }: Selection, entity: Entity, bound: Bound): Document[] {
  const of = (name: string, condition: (field: Entity['fields'][number]) => Document) => ({
    [pathOf(entity, name)]: condition(fieldOf(entity, name)),
  })
  return [
    ...(over == null ? [] : [of(over.field, (field) => ({ $gte: bound('from', field), $lt: bound('to', field) }))]),
    ...bounds.map(({ field: name, from, below }) =>
      of(name, (field) => ({
        ...(from === null ? {} : { $gte: constant(field, from) }),
        ...(below === null ? {} : { $lt: constant(field, below) }),
      })),
    ),
    ...presence.map((each) => ({ [pathOf(entity, each.field)]: valued(entity, each) })),
    ...prefixes.map(({ field: name }) => of(name, (field) => ({ $gte: bound(`prefix.${name}`, field), $lt: bound(`below.${name}`, field) }))),
    ...among.map(({ field: name, constants, none }) =>
      of(name, (field) => {
        const values = constants.map((each) => constant(field, each))
        // What has no value is in no list, and fits `$nin`.
        return none ? { $nin: field.optional === undefined ? values : [...values, null] } : { $in: values }
      }),
    ),
  ]
}

/** In words that an index of these documents alone may have, too, which knows no $ne. */
function valued(entity: Entity, { field, isNull }: Presence): Document {
  return isNull ? { $eq: null } : { $type: bsonTypes[fieldOf(entity, field).type] }
}

const bsonTypes: Record<FieldType, string> = {
  uuid: 'binData',
  int: 'number',
  decimal: 'decimal',
  bool: 'bool',
  enum: 'string',
  words: 'string',
  email: 'string',
  timestamp: 'date',
  json: 'object',
  bytes: 'binData',
}

/** Keyset pagination: the bound on the first column lets the index be entered, the alternatives decide ties. */
function behind(order: Order[], entity: Entity, bound: Bound): Document {
  const at = order.map((each) => ({
    path: pathOf(entity, each.field),
    value: bound(`after.${each.field}`, fieldOf(entity, each.field)),
    step: each.descending ? '$lt' : '$gt',
  }))
  const alternatives = at.map((each, index) => ({
    ...Object.fromEntries(at.slice(0, index).map((before) => [before.path, before.value])),
    [each.path]: { [each.step]: each.value },
  }))
  const [first] = at
  if (alternatives.length === 1) return alternatives[0] as Document
  return first === undefined ? {} : { $and: [{ [first.path]: { [`${first.step}e`]: first.value } }, { $or: alternatives }] }
}
