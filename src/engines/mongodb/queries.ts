/** What both clients ask and change, as documents over values or slots: filters, pages, pipelines, updates. */
import type { Document } from 'mongodb'
import type { Value } from '../../data/value.ts'
import { embeddedName } from '../../families/document/model.ts'
import { decisiveOrder } from '../../families/relational/model.ts'
import {
  type Entity,
  entityOf,
  type Filter,
  fieldOf,
  type OperationOf,
  type Order,
  type Scenario,
  type Update,
  type Write,
} from '../../scenario/scenario.ts'
import { allOf, groupPipeline, pathOf, sortOf, textFilter } from './commands.ts'
import type { Bound, MongoDocuments, Slot } from './documents.ts'

type Read = OperationOf<'get' | 'list' | 'search' | 'aggregate'>
type Page = OperationOf<'get' | 'list' | 'search'>

export class MongoQueries {
  readonly #documents: MongoDocuments
  readonly #scenario: Scenario

  constructor(documents: MongoDocuments, scenario: Scenario) {
    this.#documents = documents
    this.#scenario = scenario
  }

  key(entity: Entity, bound: Bound): unknown {
    const bson = (key: string) => this.#bson(entity, key, bound(`key.${key}`))
    return entity.key.length === 1 ? bson(entity.key[0] as string) : Object.fromEntries(entity.key.map((key) => [key, bson(key)]))
  }

  /** One row by its key, where it lives still. */
  row(entity: Entity, bound: Bound): Document {
    return allOf({ _id: this.key(entity, bound) }, this.#alive(entity, bound))
  }

  matching(op: Read, bound: Bound, deep = false): Document {
    const entity = entityOf(this.#scenario, op.entity)
    switch (op.kind) {
      case 'get':
        return this.row(entity, bound)
      case 'list':
        return allOf(
          this.#where(op.where, entity, bound),
          this.#alive(entity, bound),
          deep ? this.#after(decisiveOrder(entity, op.order), entity, bound) : {},
        )
      case 'search':
        return allOf(
          textFilter(this.#documents.store(op.entity), op.in, this.#bson(entity, op.in[0] as string, bound('word'))),
          this.#alive(entity, bound),
        )
      default:
        return allOf(this.#where(op.where, entity, bound), this.#alive(entity, bound), this.#window(op, entity, bound))
    }
  }

  pipeline(op: OperationOf<'aggregate'>, bound: Bound): Document[] {
    return groupPipeline(entityOf(this.#scenario, op.entity), op, this.matching(op, bound))
  }

  /** The options of a find, without its filter. */
  page(op: Page): Document {
    const projection = this.#projection(op)
    if (op.kind === 'get') return { projection }
    const entity = entityOf(this.#scenario, op.entity)
    const sort = op.kind === 'list' ? { sort: sortOf(entity, decisiveOrder(entity, op.order)) } : {}
    return { projection, ...sort, limit: op.limit, batchSize: op.limit + 1 }
  }

  /** The new values of a row, whose embedded rows stay; a row that is new has none. */
  put(entity: Entity, values: Document): Document {
    const { embedded } = this.#documents.store(entity.name)
    const none = Object.fromEntries(embedded.map((owned) => [embeddedName(entity, owned), []]))
    return { $set: values, ...(embedded.length === 0 ? {} : { $setOnInsert: none }) }
  }

  /** Owned rows that stand apart and would expire before their owner, whose life a put renews. */
  expiringLines(owner: Entity): Entity[] {
    return owner.ttlMs === null ? [] : this.#documents.apart(owner.name)
  }

  /** Whether a write is about more than one collection, and so a transaction. */
  touchesLines(write: Write & { entity: string }): boolean {
    const apart = this.#documents.apart(write.entity)
    if (write.kind === 'insert') return apart.some((owned) => write.with.includes(owned.name))
    if (write.kind === 'put') return this.expiringLines(entityOf(this.#scenario, write.entity)).length > 0
    return write.kind === 'delete' && apart.length > 0
  }

  /** Owned rows that stand apart, by the key of their owner. */
  linesOf(owned: Entity, ownerKey: unknown): Document {
    return { [pathOf(owned, owned.key[0] as string)]: ownerKey }
  }

  linesInOrder(owned: Entity, ownerKey: unknown): { filter: Document; sort: Record<string, 1 | -1> } {
    const order = owned.key.map((field) => ({ field, descending: false }))
    return { filter: this.linesOf(owned, ownerKey), sort: sortOf(owned, order) }
  }

  /** A change always names an operator: an update without any would replace the document by nothing. */
  change(entity: Entity, { set, add }: Update, bound: Bound, amounts: (Value | Slot)[]): Document {
    const values = set.map((each) => [
      each.field,
      this.#bson(entity, each.field, each.to === 'constant' ? each.constant : bound(`set.${each.field}`)),
    ])
    const additions = add.map((each, index) => [each.field, this.#bson(entity, each.field, amounts[index] as Value)])
    return {
      ...(set.length > 0 || add.length === 0 ? { $set: Object.fromEntries(values) } : {}),
      ...(add.length > 0 ? { $inc: Object.fromEntries(additions) } : {}),
    }
  }

  #bson(entity: Entity, field: string, value: Value | Slot): unknown {
    return this.#documents.bson(fieldOf(entity, field), value)
  }

  #alive(entity: Entity, bound: Bound): Document {
    return entity.ttlMs === null ? {} : { expires_at: { $gt: this.#bson(entity, 'expires_at', bound('now')) } }
  }

  #where(filters: Filter[], entity: Entity, bound: Bound): Document {
    const value = (filter: Filter) => this.#bson(entity, filter.field, filter.constant ?? bound(`where.${filter.field}`))
    return Object.fromEntries(filters.map((filter) => [pathOf(entity, filter.field), value(filter)]))
  }

  #window({ over }: OperationOf<'aggregate'>, entity: Entity, bound: Bound): Document {
    if (over === null) return {}
    const value = (name: string) => this.#bson(entity, over.field, bound(name))
    return { [pathOf(entity, over.field)]: { $gte: value('from'), $lt: value('to') } }
  }

  /** Keyset pagination: the bound on the first column lets the index be entered, the alternatives decide ties. */
  #after(order: Order[], entity: Entity, bound: Bound): Document {
    const at = order.map((each) => ({
      path: pathOf(entity, each.field),
      value: this.#bson(entity, each.field, bound(`after.${each.field}`)),
      step: each.descending ? '$lt' : '$gt',
    }))
    const alternatives = at.map((each, index) => ({
      ...Object.fromEntries(at.slice(0, index).map((before) => [before.path, before.value])),
      [each.path]: { [each.step]: each.value },
    }))
    const [first] = at
    return first === undefined ? {} : { $and: [{ [first.path]: { [`${first.step}e`]: first.value } }, { $or: alternatives }] }
  }

  #projection(op: Page): Document {
    const entity = entityOf(this.#scenario, op.entity)
    const names = op.fields.map((field) => (entity.key.includes(field) ? '_id' : field))
    const { embedded } = this.#documents.store(op.entity)
    const inside = op.kind === 'get' ? op.with.filter((name) => embedded.includes(name)).map((name) => embeddedName(entity, name)) : []
    return { ...(names.includes('_id') ? {} : { _id: 0 }), ...Object.fromEntries([...names, ...inside].map((name) => [name, 1])) }
  }
}
