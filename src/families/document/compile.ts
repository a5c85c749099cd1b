/** Operations over collections, each written down once: what the report prints, what the driver asks and what the wire client writes. */
import { positionsOf } from '../../data/parameters.ts'
import {
  type Durability,
  type Entity,
  entityOf,
  fieldOf,
  hasDeepPages,
  isGuarded,
  lineFields,
  type Operation,
  type OperationOf,
  ownedBy,
  readsBefore,
  renewsLife,
  type Scenario,
  type Update,
  type Write,
} from '../../scenario/scenario.ts'
import type { PhysicalModel, Store } from '../model.ts'
import type { Guarded, Program } from '../program.ts'
import { bind, clock, constant, type Document, each, type Json, shownDocument } from './marks.ts'
import { embeddedName } from './model.ts'
import {
  type Bound,
  condition,
  groupPipeline,
  keyOf,
  linesFilter,
  linesSort,
  listFilter,
  nativeExpiry,
  pageOf,
  projection,
  rowFilter,
  searchFilter,
} from './queries.ts'

/** The server's own expiry comes this much later than the one in replay time: it only cleans up. */
export const nativeGraceMs = 24 * 3_600_000

/** One command, without what a client adds of its own (session, number of the transaction, database). */
export interface DocumentRequest extends Guarded {
  collection: string
  /**
   * `find`, `aggregate`, `insert`, `update` or `delete`, first of all its elements: filters of equalities, `$gt`, `$gte`, `$lt`,
   * `$lte`, `$in`, `$nin`, `$and`, `$or`, `$text` and, where fewer fields are searched than the text index has, `$expr`; changes of `$set`, `$inc` and `$setOnInsert`,
   * with `upsert` or `multi`; pipelines of `$match`, `$group` (`$sum`, by `$dateTrunc`) and `$sort`.
   */
  command: Document
  /** Parameter with the owned rows or targets without which the command is not sent; null: always sent. */
  unlessEmptyAt: number | null
  /** The field of what it reads that a command behind it compares. */
  tells?: string
}
export type DocumentProgram = Program<DocumentRequest>

/** What a majority of members has, for what must not be lost or read too early. */
export const concerns = {
  write: (durability: Durability) => ({ w: 'majority', j: durability === 'fsync' }) as const,
  read: (op: Operation) => ({ level: op.consistency === 'eventual' ? 'local' : 'majority' }) as const,
  transaction: { level: 'snapshot' } as const,
}

export function compileDocuments(
  model: PhysicalModel,
  operations: Operation[],
  scenario: Scenario,
  durability: Durability,
): (DocumentProgram | null)[] {
  const excused = new Set(model.excuses.map((excuse) => excuse.operation))
  return operations.map((op) => (excused.has(op.name) ? null : new Compilation(model, scenario, durability, op).program()))
}

class Compilation {
  readonly #model: PhysicalModel
  readonly #scenario: Scenario
  readonly #durability: Durability
  readonly #op: Operation
  readonly #positions: Map<string, number>

  constructor(model: PhysicalModel, scenario: Scenario, durability: Durability, op: Operation) {
    this.#model = model
    this.#scenario = scenario
    this.#durability = durability
    this.#op = op
    this.#positions = positionsOf(scenario, op)
  }

  program(): DocumentProgram {
    const op = this.#op
    const entity = this.#entity(op.entity)
    const bound = this.#bound('')
    switch (op.kind) {
      case 'get':
        return this.#read([this.#get(op)])
      case 'list': {
        const page = (deep: boolean) => this.#find(op.entity, { filter: listFilter(entity, op, bound, deep), ...pageOf(entity, op) })
        return this.#read(hasDeepPages(entity, op) ? [[page(false)], [page(true)]] : [[page(false)]], this.#position('deep'))
      }
      case 'search':
        return this.#read([[this.#find(op.entity, { filter: searchFilter(entity, op, this.#store(op.entity), bound), ...pageOf(entity, op) })]])
      case 'aggregate':
        return this.#read([
          [request({ aggregate: op.entity, pipeline: groupPipeline(entity, op, bound), cursor: {}, readConcern: concerns.read(op) })],
        ])
      case 'transaction':
        return this.#write(op.steps.map((step, index) => this.#writes(step, `${index}.`)))
      default:
        return this.#write([this.#writes(op, '')])
    }
  }

  #read(variants: DocumentRequest[][], variantAt: number | null = null): DocumentProgram {
    const shown = variants.flat().map(({ command }) => shownDocument(command))
    return { operation: this.#op.name, shown, variants, variantAt, atomic: false, counted: 0, stopWhenEmpty: this.#op.kind === 'get' }
  }

  /** By step; the rows of the first step are the operation's, and stand last among its commands. */
  #write(steps: DocumentRequest[][]): DocumentProgram {
    const writeConcern = concerns.write(this.#durability)
    const readsFirst = readsBefore(this.#op)
    const first = readsFirst ? 1 : 0
    const atomic = this.#op.kind === 'transaction' || steps.flat().length > first + 1
    const concerned = ({ command }: DocumentRequest) => ('find' in command ? command : { ...command, writeConcern })
    const requests = atomic ? steps.flat() : steps.flat().map((each) => ({ ...each, command: concerned(each) }))
    const texts = requests.map(({ command }) => shownDocument(command))
    const start = `startTransaction(${shownDocument({ readConcern: concerns.transaction, writeConcern })})`
    return {
      operation: this.#op.name,
      shown: atomic ? [...texts.slice(0, first), start, ...texts.slice(first), 'commitTransaction()'] : texts,
      variants: [requests],
      variantAt: null,
      atomic,
      ...(readsFirst && { readsFirst }),
      counted: (steps[0]?.length ?? 0) - 1,
      stopWhenEmpty: readsFirst && !isGuarded(this.#op),
    }
  }

  #get(op: OperationOf<'get'>): DocumentRequest[] {
    const entity = this.#entity(op.entity)
    const bound = this.#bound('')
    const { embedded } = this.#store(op.entity)
    const inside = op.with.filter((name) => embedded.includes(name))
    const row = { filter: rowFilter(entity, op, bound), projection: projection(entity, op.fields, inside), limit: 1, singleBatch: true }
    const apart = op.with.filter((name) => !embedded.includes(name)).map((name) => this.#entity(name))
    const key = keyOf(entity, bound)
    return [this.#find(op.entity, row), ...apart.map((owned) => this.#find(owned.name, { filter: linesFilter(owned, key), sort: linesSort(owned) }))]
  }

  #find(collection: string, body: Document): DocumentRequest {
    return request({ find: collection, ...body, readConcern: concerns.read(this.#op) })
  }

  #writes(write: Write & { entity: string }, prefix: string): DocumentRequest[] {
    const entity = this.#entity(write.entity)
    const bound = this.#bound(prefix)
    switch (write.kind) {
      case 'insert':
        return this.#inserts(entity, write.with, prefix)
      case 'put':
        return this.#puts(entity, bound)
      case 'delete': {
        const key = keyOf(entity, bound)
        const lines = this.#apart(entity).map((owned) => request({ delete: owned.name, deletes: [{ q: linesFilter(owned, key), limit: 0 }] }))
        return [...lines, request({ delete: entity.name, deletes: [{ q: rowFilter(entity, write, bound), limit: 1 }] })]
      }
      default:
        return [
          ...(renewsLife(entity, write) ? this.#renewed(entity, keyOf(entity, bound)) : []),
          ...this.#readBefore(entity, write, prefix),
          this.#update(entity, write, prefix),
        ]
    }
  }

  /** Owned rows inside their owner's document, or before it in collections of their own. */
  #inserts(entity: Entity, owned: string[], prefix: string): DocumentRequest[] {
    const bound = this.#bound(prefix)
    const { embedded } = this.#store(entity.name)
    const document = { ...rowDocument(entity, bound), ...Object.fromEntries(embedded.map((name) => [embeddedName(entity, name), []])) }
    const apart: DocumentRequest[] = []
    for (const name of owned) {
      const line = this.#entity(name)
      const at = this.#position(`${prefix}lines.${name}`)
      const values = Object.fromEntries(lineFields(line).map((field, column) => [field.name, bind('line', column, field.name, field)]))
      if (embedded.includes(name)) Object.assign(document, { [embeddedName(entity, name)]: each('line', at, values) })
      else {
        const owner = line.key[0] as string
        const whole = { ...values, [owner]: bound(`row.${entity.key[0]}`, fieldOf(line, owner)) }
        const body = documentOf(line, (field) => whole[field], expiryOf(entity))
        apart.push(request({ insert: name, documents: each('line', at, body), ordered: false }, at))
      }
    }
    return [...apart, request({ insert: entity.name, documents: [document] })]
  }

  /** The new values of a row, whose embedded rows stay, and whose owned rows live as long as it does; a new row has none. */
  #puts(entity: Entity, bound: Bound): DocumentRequest[] {
    const { _id, ...values } = rowDocument(entity, bound)
    const lines = entity.ttlMs === null ? [] : this.#renewed(entity, _id)
    const { embedded } = this.#store(entity.name)
    const none = Object.fromEntries(embedded.map((owned) => [embeddedName(entity, owned), []]))
    const u = { $set: values, ...(embedded.length === 0 ? {} : { $setOnInsert: none }) }
    return [...lines, request({ update: entity.name, updates: [{ q: { _id }, u, upsert: true }] })]
  }

  /** What an update reads by itself. */
  #readBefore(entity: Entity, { guard, ...write }: Update, prefix: string): DocumentRequest[] {
    if (write.reads === undefined) return []
    const filter = rowFilter(entity, write, this.#bound(prefix))
    const read = this.#find(entity.name, { filter, projection: projection(entity, write.reads, []), limit: 1, singleBatch: true })
    return [guard === undefined ? read : { ...read, guarded: { targetsAt: null }, tells: guard.field }]
  }

  /** Owned rows apart are kept by the server as long as their owner; who is answered nothing has renewed no more than that. */
  #renewed(owner: Entity, key: Json): DocumentRequest[] {
    const u = { $set: { [nativeExpiry]: expiryOf(owner) } }
    return this.#apart(owner).map((owned) => request({ update: owned.name, updates: [{ q: linesFilter(owned, key), u, multi: true }] }))
  }

  #update(entity: Entity, write: Update & { entity: string }, prefix: string): DocumentRequest {
    const bound = this.#bound(prefix)
    if (write.via === null) {
      const amounts = write.add.map(({ field, amount }) => constant(fieldOf(entity, field), amount))
      const q = rowFilter(entity, write, bound)
      const update = request({ update: entity.name, updates: [{ q, u: change(entity, write, bound, amounts) }] })
      return write.guard === undefined ? update : { ...update, guarded: { targetsAt: null } }
    }
    const target = (column: number, name: string) => bind('target', column, name, fieldOf(entity, name))
    const amounts = write.add.map(({ field }, index) => target(index + 1, field))
    const at = this.#position(`${prefix}targets`)
    const { guard } = write
    const guarded =
      guard === undefined
        ? {}
        : condition(
            entity,
            guard,
            guard.from === undefined ? undefined : bind('target', amounts.length + 1, `if.${guard.field}`, fieldOf(entity, guard.field)),
          )
    const body = { q: { _id: target(0, entity.key[0] as string), ...guarded }, u: change(entity, write, bound, amounts) }
    const update = request({ update: entity.name, updates: each('target', at, body) }, at)
    return guard === undefined ? update : { ...update, guarded: { targetsAt: at } }
  }

  #bound(prefix: string): Bound {
    return (name, field) => bind(name.startsWith('read.') ? 'read' : 'parameter', this.#position(prefix + name), prefix + name, field)
  }

  #position(name: string): number {
    return this.#positions.get(name) as number
  }

  #entity(name: string): Entity {
    return entityOf(this.#scenario, name)
  }

  #store(entity: string): Store {
    return this.#model.stores.find((store) => store.name === entity) as Store
  }

  /** Owned entities whose rows stand in collections of their own. */
  #apart(owner: Entity): Entity[] {
    return ownedBy(this.#scenario, owner.name).filter((owned) => this.#model.stores.some((store) => store.name === owned.name))
  }
}

function request(command: Document, unlessEmptyAt: number | null = null): DocumentRequest {
  return { collection: String(Object.values(command)[0]), command, unlessEmptyAt }
}

const rowDocument = (entity: Entity, bound: Bound) => documentOf(entity, (name) => bound(`row.${name}`, fieldOf(entity, name)), expiryOf(entity))

/** `expiry`: what stands under the server's own index of expiry, of an owned row its owner's; null where rows do not expire. */
export function documentOf(entity: Entity, value: (field: string) => Json, expiry: Json): Document {
  const _id = entity.key.length === 1 ? value(entity.key[0] as string) : Object.fromEntries(entity.key.map((name) => [name, value(name)]))
  const rest = entity.fields.filter((field) => !entity.key.includes(field.name)).map((field) => [field.name, value(field.name)])
  return { _id, ...Object.fromEntries(rest), ...(expiry === null ? {} : { [nativeExpiry]: expiry }) }
}

const expiryOf = ({ ttlMs }: Entity) => (ttlMs === null ? null : clock(ttlMs + nativeGraceMs))

/** A change always names an operator: an update without any would replace the document by nothing. */
function change(entity: Entity, write: Update & { entity: string }, bound: Bound, amounts: Json[]): Document {
  const { set, add } = write
  const values = set.map((assignment) => {
    const field = fieldOf(entity, assignment.field)
    return [field.name, assignment.to === 'constant' ? constant(field, assignment.constant) : bound(`set.${field.name}`, field)]
  })
  return {
    ...(set.length > 0 || add.length === 0
      ? { $set: Object.fromEntries(renewsLife(entity, write) ? [...values, [nativeExpiry, expiryOf(entity)]] : values) }
      : {}),
    ...(add.length > 0 ? { $inc: Object.fromEntries(add.map(({ field }, index) => [field, amounts[index]])) } : {}),
  }
}
