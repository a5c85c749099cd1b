/** The commands of every operation as documents with slots, compiled into templates. */
import type { BSON, Document } from 'mongodb'
import { positionsOf } from '../../data/parameters.ts'
import { embeddedName } from '../../families/document/model.ts'
import { type Entity, entityOf, fieldOf, lineFields, type Operation, type OperationOf, type Write } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import { compile, type Instruction, Opening, Repeat, Session, TransactionNumber, WallClock } from './bson.ts'
import { nativeExpiry } from './commands.ts'
import { type MongoDocuments, nativeGraceMs, Slot } from './documents.ts'
import { MongoQueries } from './queries.ts'

type Bson = typeof BSON

export interface CommandTemplate {
  write: Instruction
  /** Owned rows or targets without which the command is not sent; −1: always sent. */
  unlessEmptyAt: number
  /** Collection whose further batches a cursor names. */
  collection: string
}

export interface MongoTemplates {
  /** Of a list the plain and the deep page; of other operations one variant. */
  variants: CommandTemplate[][]
  transaction: boolean
}

export function templatesOf(bson: Bson, documents: MongoDocuments, compiled: Compiled, database: string, op: Operation): MongoTemplates {
  return new Commands(bson, documents, compiled, database, op).all()
}

/** commitTransaction and abortTransaction. */
export function endTemplate(bson: Bson, compiled: Compiled, name: 'commitTransaction' | 'abortTransaction'): Instruction {
  return compile(bson, {
    [name]: 1,
    lsid: { id: new Session() },
    txnNumber: new TransactionNumber(),
    autocommit: false,
    writeConcern: writeConcern(compiled),
    $db: 'admin',
  })
}

/** The next batch of a cursor; its eight bytes are in the last reply. */
export function getMore(bson: Bson, database: string, collection: string, session: Buffer, cursor: Buffer): Buffer {
  return Buffer.from(
    bson.serialize({
      getMore: new bson.Long(cursor.readInt32LE(0), cursor.readInt32LE(4)),
      collection,
      lsid: { id: new bson.Binary(session, bson.Binary.SUBTYPE_UUID) },
      $db: database,
    }),
  )
}

const writeConcern = (compiled: Compiled) => ({ w: 'majority', j: compiled.durability === 'fsync' })

class Commands {
  readonly #bson: Bson
  readonly #documents: MongoDocuments
  readonly #queries: MongoQueries
  readonly #compiled: Compiled
  readonly #database: string
  readonly #op: Operation
  readonly #positions: Map<string, number>

  constructor(bson: Bson, documents: MongoDocuments, compiled: Compiled, database: string, op: Operation) {
    this.#bson = bson
    this.#documents = documents
    this.#queries = new MongoQueries(documents, compiled.scenario)
    this.#compiled = compiled
    this.#database = database
    this.#op = op
    this.#positions = positionsOf(compiled.scenario, op)
  }

  all(): MongoTemplates {
    const op = this.#op
    const read = (...commands: Document[]) => commands.map((command) => this.#command(command, this.#readConcern()))
    switch (op.kind) {
      case 'get':
        return { variants: [read(...this.#get(op))], transaction: false }
      case 'list':
      case 'search': {
        const page = (deep: boolean) =>
          read({ find: op.entity, filter: this.#queries.matching(op, this.#bound(''), deep), ...this.#queries.page(op) })
        return { variants: op.kind === 'list' ? [page(false), page(true)] : [page(false)], transaction: false }
      }
      case 'aggregate': {
        const pipeline = this.#queries.pipeline(op, this.#bound(''))
        return { variants: [read({ aggregate: op.entity, pipeline, cursor: {} })], transaction: false }
      }
      default: {
        const writes: (Write & { entity: string })[] = op.kind === 'transaction' ? op.steps : [op]
        const commands = writes.flatMap((write, index) => this.#writes(write, op.kind === 'transaction' ? `${index}.` : ''))
        const transaction = op.kind === 'transaction' || commands.length > 1
        const inside = { txnNumber: new TransactionNumber(), autocommit: false, opening: new Opening() }
        const alone = { txnNumber: new TransactionNumber(), writeConcern: writeConcern(this.#compiled) }
        return { variants: [commands.map((command) => this.#command(command, transaction ? inside : alone))], transaction }
      }
    }
  }

  #command(document: Document, options: Document): CommandTemplate {
    const collection = String(Object.values(document)[0])
    const repeated = Object.values(document).find((value) => value instanceof Repeat) as Repeat | undefined
    const embedded = repeated !== undefined && !('documents' in document && Array.isArray(document.documents))
    return {
      write: compile(this.#bson, { ...document, lsid: { id: new Session() }, ...options, $db: this.#database }),
      unlessEmptyAt: embedded ? repeated.at : -1,
      collection,
    }
  }

  #bound(prefix: string): (name: string) => Slot {
    return (name) => new Slot('parameter', this.#positions.get(prefix + name) as number)
  }

  #readConcern(): Document {
    return { readConcern: { level: this.#op.consistency === 'eventual' ? 'local' : 'majority' } }
  }

  #get(op: OperationOf<'get'>): Document[] {
    const { scenario } = this.#compiled
    const bound = this.#bound('')
    const find = { find: op.entity, filter: this.#queries.matching(op, bound), ...this.#queries.page(op), limit: 1, singleBatch: true }
    const key = this.#queries.key(entityOf(scenario, op.entity), bound)
    const apart = op.with.filter((name) => !this.#documents.store(op.entity).embedded.includes(name))
    return [find, ...apart.map((name) => ({ find: name, ...this.#queries.linesInOrder(entityOf(scenario, name), key) }))]
  }

  #writes(write: Write & { entity: string }, prefix: string): Document[] {
    const { scenario } = this.#compiled
    const entity = entityOf(scenario, write.entity)
    const bound = this.#bound(prefix)
    switch (write.kind) {
      case 'insert': {
        const document = this.#documents.document(entity, rowSlots(entity, bound), expiry(entity.ttlMs))
        const { embedded } = this.#documents.store(write.entity)
        for (const owned of embedded) document[embeddedName(entity, owned)] = []
        const apart: Document[] = []
        for (const name of write.with) {
          const owned = entityOf(scenario, name)
          const at = this.#positions.get(`${prefix}lines.${name}`) as number
          const fields = lineFields(owned)
          const line = new Map(fields.map((field, column) => [field.name, new Slot('line', column)]))
          if (embedded.includes(name)) document[embeddedName(entity, name)] = new Repeat('line', at, this.#documents.plain(fields, line))
          else {
            const whole = line.set(owned.key[0] as string, bound(`row.${entity.key[0]}`))
            apart.push({
              insert: name,
              documents: new Repeat('line', at, this.#documents.document(owned, whole, expiry(entity.ttlMs))),
              ordered: false,
            })
          }
        }
        return [...apart, { insert: write.entity, documents: [document], ordered: true }]
      }
      case 'put': {
        const { _id, ...values } = this.#documents.document(entity, rowSlots(entity, bound), expiry(entity.ttlMs))
        const lines = this.#queries.expiringLines(entity).map((owned) => {
          const u = { $set: { [nativeExpiry]: values[nativeExpiry] } }
          return { update: owned.name, updates: [{ q: this.#queries.linesOf(owned, _id), u, multi: true }], ordered: true }
        })
        return [...lines, { update: write.entity, updates: [{ q: { _id }, u: this.#queries.put(entity, values), upsert: true }], ordered: true }]
      }
      case 'delete': {
        const key = this.#queries.key(entity, bound)
        const lines = this.#documents
          .apart(write.entity)
          .map((owned) => ({ delete: owned.name, deletes: [{ q: this.#queries.linesOf(owned, key), limit: 0 }], ordered: true }))
        return [...lines, { delete: write.entity, deletes: [{ q: this.#queries.row(entity, bound), limit: 1 }], ordered: true }]
      }
      default: {
        if (write.via === null) {
          const amounts = write.add.map((each) => each.amount)
          const update = { q: this.#queries.row(entity, bound), u: this.#queries.change(entity, write, bound, amounts) }
          return [{ update: write.entity, updates: [update], ordered: true }]
        }
        const key = new Slot('target', 0, fieldOf(entity, entity.key[0] as string))
        const amounts = write.add.map((each, index) => new Slot('target', index + 1, fieldOf(entity, each.field)))
        const body = { q: { _id: key }, u: this.#queries.change(entity, write, bound, amounts) }
        return [{ update: write.entity, updates: new Repeat('target', this.#positions.get(`${prefix}targets`) as number, body), ordered: true }]
      }
    }
  }
}

function rowSlots(entity: Entity, bound: (name: string) => Slot): Map<string, Slot> {
  return new Map(entity.fields.map((field) => [field.name, bound(`row.${field.name}`)]))
}

const expiry = (ttlMs: number | null) => (ttlMs === null ? undefined : new WallClock(ttlMs + nativeGraceMs))
