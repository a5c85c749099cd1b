/** The commands of every operation as BSON templates: documents with slots, compiled once into constant bytes and writers between them. */
import type { BSON, Document } from 'mongodb'
import { type LineSource, positionsOf, type WireSource } from '../data/parameters.ts'
import type { Value } from '../data/value.ts'
import { entityOf, type Field, fieldOf, lineFields, type Operation, ownedBy, type Update, type Write } from '../scenario/scenario.ts'
import { type RequestBuffer, writeInt64LE } from '../wire/request.ts'
import type { Compiled } from './engine.ts'
import { groupPipeline, pathOf, sortOf } from './mongodb-commands.ts'
import { type MongoDocuments, nativeGraceMs, Slot } from './mongodb-documents.ts'

type Bson = typeof BSON

/** What is at hand while a command is written. */
export interface Writing {
  params: WireSource
  /** The connection's logical session, 16 bytes. */
  session: Buffer
  to: RequestBuffer
  /** Where transaction numbers stand, to be set before each attempt. */
  transactionNumbers: number[]
  /** Whether this is the first command of the operation. */
  first: boolean
  lines: LineSource | null
  line: number
  target: Value[]
}
type Instruction = (writing: Writing) => void

export interface CommandTemplate {
  write: Instruction
  /** Owned rows or targets without which the command is not sent; −1: always sent. */
  unlessEmptyAt: number
  /** Collection whose further batches a cursor names. */
  collection: string
}

/** Marks in a document that are no values. */
class Session {}
class TransactionNumber {}
/** What only the first command of a transaction carries. */
class Opening {
  readonly elements = { readConcern: { level: 'snapshot' }, startTransaction: true }
}
class WallClock {
  readonly afterMs: number
  constructor(afterMs: number) {
    this.afterMs = afterMs
  }
}
/** An array with a document for each owned row or target. */
class Repeat {
  readonly over: 'line' | 'target'
  readonly at: number
  readonly body: Document
  constructor(over: 'line' | 'target', at: number, body: Document) {
    this.over = over
    this.at = at
    this.body = body
  }
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
  readonly #compiled: Compiled
  readonly #database: string
  readonly #op: Operation
  readonly #positions: Map<string, number>

  constructor(bson: Bson, documents: MongoDocuments, compiled: Compiled, database: string, op: Operation) {
    this.#bson = bson
    this.#documents = documents
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
        return { variants: [read(this.#list(op, false)), read(this.#list(op, true))], transaction: false }
      case 'search': {
        const command = { find: op.entity, filter: { $text: { $search: this.#slot('word') }, ...this.#alive(op.entity, '') } }
        const page = { projection: this.#documents.projection(op), limit: op.limit, batchSize: op.limit + 1 }
        return { variants: [read({ ...command, ...page })], transaction: false }
      }
      case 'aggregate': {
        const entity = entityOf(this.#compiled.scenario, op.entity)
        const time = op.over === null ? null : fieldOf(entity, op.over.field)
        const window =
          op.over === null || time === null
            ? {}
            : { [pathOf(entity, op.over.field)]: { $gte: this.#slot('from').of(time), $lt: this.#slot('to').of(time) } }
        const match = { ...this.#documents.where(op.where, entity, (name) => this.#slot(name)), ...this.#alive(op.entity, ''), ...window }
        return { variants: [read({ aggregate: op.entity, pipeline: groupPipeline(entity, op, match), cursor: {} })], transaction: false }
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

  #slot(name: string): Slot {
    return new Slot('parameter', this.#positions.get(name) as number)
  }

  #readConcern(): Document {
    return { readConcern: { level: this.#op.consistency === 'eventual' ? 'local' : 'majority' } }
  }

  #alive(name: string, prefix: string): Document {
    const entity = entityOf(this.#compiled.scenario, name)
    return entity.ttlMs === null ? {} : { expires_at: { $gt: this.#slot(`${prefix}now`).of(fieldOf(entity, 'expires_at')) } }
  }

  #get(op: Operation & { kind: 'get' }): Document[] {
    const { scenario } = this.#compiled
    const entity = entityOf(scenario, op.entity)
    const key = this.#documents.key(entity, (name) => this.#slot(name), '')
    const find = { find: op.entity, filter: { _id: key, ...this.#alive(op.entity, '') }, projection: this.#documents.projection(op) }
    const apart = op.with.filter((name) => !this.#documents.store(op.entity).embedded.includes(name))
    return [
      { ...find, limit: 1, singleBatch: true },
      ...apart.map((name) => {
        const owned = entityOf(scenario, name)
        const path = pathOf(owned, owned.key[0] as string)
        return { find: name, filter: { [path]: key }, sort: { [path]: 1, [pathOf(owned, 'line')]: 1 } }
      }),
    ]
  }

  #list(op: Operation & { kind: 'list' }, deep: boolean): Document {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const bound = (name: string) => this.#slot(name)
    const filter = {
      ...this.#documents.where(op.where, entity, bound),
      ...this.#alive(op.entity, ''),
      ...(deep ? this.#documents.after(op.order, entity, bound) : {}),
    }
    return {
      find: op.entity,
      filter,
      projection: this.#documents.projection(op),
      sort: sortOf(entity, op.order),
      limit: op.limit,
      batchSize: op.limit + 1,
    }
  }

  #writes(write: Write & { entity: string }, prefix: string): Document[] {
    const { scenario, model } = this.#compiled
    const entity = entityOf(scenario, write.entity)
    const bound = (name: string) => this.#slot(prefix + name)
    switch (write.kind) {
      case 'insert': {
        const document = this.#documents.document(entity, this.#row(prefix, entity), expiry(entity.ttlMs))
        const { embedded } = this.#documents.store(write.entity)
        for (const owned of embedded) document[owned] = []
        const apart: Document[] = []
        for (const name of write.with) {
          const owned = entityOf(scenario, name)
          const at = this.#positions.get(`${prefix}lines.${name}`) as number
          const fields = lineFields(owned)
          const line = new Map(fields.map((field, column) => [field.name, new Slot('line', column)]))
          if (embedded.includes(name)) document[name] = new Repeat('line', at, this.#documents.plain(fields, line))
          else {
            const whole = line.set(owned.key[0] as string, bound(`row.${entity.key[0]}`))
            apart.push({ insert: name, documents: new Repeat('line', at, this.#documents.document(owned, whole, undefined)), ordered: false })
          }
        }
        return [...apart, { insert: write.entity, documents: [document], ordered: true }]
      }
      case 'put': {
        const { _id, ...rest } = this.#documents.document(entity, this.#row(prefix, entity), expiry(entity.ttlMs))
        return [{ update: write.entity, updates: [{ q: { _id }, u: rest, upsert: true }], ordered: true }]
      }
      case 'delete': {
        const key = this.#documents.key(entity, bound, '')
        const lines = ownedBy(scenario, write.entity)
          .filter((owned) => model.stores.some((store) => store.entity === owned.name))
          .map((owned) => ({ delete: owned.name, deletes: [{ q: { [pathOf(owned, owned.key[0] as string)]: key }, limit: 0 }], ordered: true }))
        return [...lines, { delete: write.entity, deletes: [{ q: { _id: key, ...this.#alive(write.entity, prefix) }, limit: 1 }], ordered: true }]
      }
      default: {
        if (write.via === null) {
          const q = { _id: this.#documents.key(entity, bound, ''), ...this.#alive(write.entity, prefix) }
          const change = this.#change(
            write,
            bound,
            write.add.map((each) => each.amount),
          )
          return [{ update: write.entity, updates: [{ q, u: change }], ordered: true }]
        }
        const key = new Slot('target', 0, fieldOf(entity, entity.key[0] as string))
        const amounts = write.add.map((each, index) => new Slot('target', index + 1, fieldOf(entity, each.field)))
        const body = { q: { _id: key }, u: this.#change(write, bound, amounts) }
        return [{ update: write.entity, updates: new Repeat('target', this.#positions.get(`${prefix}targets`) as number, body), ordered: true }]
      }
    }
  }

  #row(prefix: string, entity: { fields: Field[] }): Map<string, Slot> {
    return new Map(entity.fields.map((field) => [field.name, this.#slot(`${prefix}row.${field.name}`)]))
  }

  #change(write: Update & { entity: string }, bound: (name: string) => Slot, amounts: (number | Slot)[]): Document {
    const entity = entityOf(this.#compiled.scenario, write.entity)
    const set = write.set.map((each) => [
      each.field,
      this.#documents.bson(fieldOf(entity, each.field), each.to === 'constant' ? each.constant : bound(`set.${each.field}`)),
    ])
    const add = write.add.map((each, index) => [each.field, this.#documents.bson(fieldOf(entity, each.field), amounts[index] as number)])
    return {
      ...(set.length === 0 ? {} : { $set: Object.fromEntries(set) }),
      ...(add.length === 0 ? {} : { $inc: Object.fromEntries(add) }),
    }
  }
}

const expiry = (ttlMs: number | null) => (ttlMs === null ? undefined : new WallClock(ttlMs + nativeGraceMs))

const documentType = 3
const arrayType = 4

/** A document as instructions; neighbouring constants become one. */
function compile(bson: Bson, document: Document): Instruction {
  const instructions: Instruction[] = []
  let constant: Buffer[] = []
  const flush = () => {
    const bytes = Buffer.concat(constant)
    constant = []
    if (bytes.length > 0) instructions.push(({ to }) => to.append(bytes))
  }
  const emit = (instruction: Instruction) => {
    flush()
    instructions.push(instruction)
  }
  const body = (value: Document | unknown[]) => {
    const starts: number[] = []
    emit(({ to }) => {
      starts.push(to.length)
      to.reserve(4)
      to.length += 4
    })
    for (const [name, each] of Object.entries(value)) element(name, each)
    emit(({ to }) => {
      to.reserve(1)
      to.bytes[to.length++] = 0
      const start = starts.pop() as number
      to.bytes.writeInt32LE(to.length - start, start)
    })
  }
  const element = (name: string, value: unknown) => {
    if (isMark(value)) emit(writerOf(bson, name, value as Mark))
    else if (value instanceof Repeat) emit(repeatOf(bson, name, value))
    else if (isDynamic(value)) {
      constant.push(head(Array.isArray(value) ? arrayType : documentType, name))
      body(value as Document)
    } else constant.push(Buffer.from(bson.serialize({ [name]: value })).subarray(4, -1))
  }
  body(document)
  flush()
  return (writing) => {
    for (let at = 0; at < instructions.length; at++) (instructions[at] as Instruction)(writing)
  }
}

type Mark = Slot | Session | TransactionNumber | WallClock | Opening
const marks = [Slot, Session, TransactionNumber, WallClock, Opening]
const isMark = (value: unknown) => marks.some((mark) => value instanceof mark)

function isDynamic(value: unknown): boolean {
  if (isMark(value) || value instanceof Repeat) return true
  if (Array.isArray(value)) return value.some(isDynamic)
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).some(isDynamic)
}

/** Type and name of an element. */
const head = (type: number, name: string) => Buffer.concat([Buffer.from([type]), Buffer.from(`${name}\0`)])

function repeatOf(bson: Bson, name: string, { over, at, body }: Repeat): Instruction {
  const start = head(arrayType, name)
  const write = compile(bson, body)
  return (writing) => {
    const { to, params } = writing
    to.append(start)
    const from = to.length
    to.reserve(4)
    to.length += 4
    const targets = over === 'target' ? (params.value(at) as Value[][]) : []
    const count = over === 'target' ? targets.length : params.lines(at).count
    if (over === 'line') writing.lines = params.lines(at)
    for (let index = 0; index < count; index++) {
      if (over === 'target') writing.target = targets[index] as Value[]
      writing.line = index
      to.append(head(documentType, String(index)))
      write(writing)
    }
    to.reserve(1)
    to.bytes[to.length++] = 0
    to.bytes.writeInt32LE(to.length - from, from)
  }
}

function writerOf(bson: Bson, name: string, value: Mark): Instruction {
  if (value instanceof Opening) {
    const elements = Buffer.from(bson.serialize(value.elements)).subarray(4, -1)
    return ({ to, first }) => first && to.append(elements)
  }
  if (value instanceof Session) {
    const start = Buffer.concat([head(types.binary, name), Buffer.from([16, 0, 0, 0, 4])])
    return ({ to, session }) => {
      to.append(start)
      to.append(session)
    }
  }
  if (value instanceof TransactionNumber) {
    const start = head(types.int64, name)
    return ({ to, transactionNumbers }) => {
      to.append(start)
      to.reserve(8)
      transactionNumbers.push(to.length)
      to.length += 8
    }
  }
  if (value instanceof WallClock) {
    const start = head(types.date, name)
    return ({ to }) => {
      to.append(start)
      to.reserve(8)
      to.length = writeInt64LE(Date.now() + value.afterMs, to.bytes, to.length)
    }
  }
  return slotWriter(bson, name, value)
}

const types = { text: 2, binary: 5, bool: 8, date: 9, int32: 16, int64: 18, decimal128: 19 }

function slotWriter(bson: Bson, name: string, slot: Slot): Instruction {
  const { field, at, from } = slot
  const number = (writing: Writing): number =>
    from === 'parameter'
      ? writing.params.number(at)
      : from === 'line'
        ? (writing.lines as LineSource).number(writing.line, at)
        : Number(writing.target[at])
  const most = ({ params, lines, target }: Writing) =>
    from === 'parameter' ? params.mostBytes(at) : from === 'line' ? (lines as LineSource).mostBytes(at) : Buffer.byteLength(target[at] as string)
  const bytes = (writing: Writing, to: Buffer, offset: number): number => {
    if (from === 'parameter') return writing.params.write(at, to, offset)
    if (from === 'line') return (writing.lines as LineSource).write(writing.line, at, to, offset)
    const value = writing.target[at]
    return offset + (value instanceof Uint8Array ? Buffer.from(value).copy(to, offset) : to.write(String(value), offset))
  }
  /** A length stands in front of a value whose length is known only when it is written. */
  const measured = (type: number, before: number, subtype: number | null): Instruction => {
    const start = head(type, name)
    return (writing) => {
      const { to } = writing
      to.append(start)
      to.reserve(before + most(writing) + 1)
      const offset = to.length
      let end = bytes(writing, to.bytes, offset + before)
      if (subtype === null) to.bytes[end++] = 0
      else to.bytes[offset + 4] = subtype
      to.bytes.writeInt32LE(end - offset - before, offset)
      to.length = end
    }
  }
  const fixed = (type: number, size: number, put: (value: number, to: Buffer, offset: number) => unknown): Instruction => {
    const start = head(type, name)
    return (writing) => {
      const { to } = writing
      to.append(start)
      to.reserve(size)
      put(number(writing), to.bytes, to.length)
      to.length += size
    }
  }
  switch (field?.type) {
    case 'uuid':
      return measured(types.binary, 5, 4)
    case 'bytes':
      return measured(types.binary, 5, 0)
    case 'decimal':
      return fixed(types.decimal128, 16, (value, to, offset) => writeDecimal128(value, field.scale, to, offset))
    case 'timestamp':
      return fixed(types.date, 8, writeInt64LE)
    case 'bool':
      return fixed(types.bool, 1, (value, to, offset) => to.writeUInt8(value, offset))
    case 'int': {
      const small = fixed(types.int32, 4, (value, to, offset) => to.writeInt32LE(value, offset))
      const large = fixed(types.int64, 8, writeInt64LE)
      return (writing) => (Math.abs(number(writing)) < 2 ** 31 ? small(writing) : large(writing))
    }
    case 'enum': {
      const values = field.generator.kind === 'enum' ? field.generator.values : []
      const elements = values.map((value) => Buffer.from(bson.serialize({ [name]: value })).subarray(4, -1))
      return (writing) => writing.to.append(elements[number(writing)] as Buffer)
    }
    case 'json':
      // Text becomes a document: the one value that needs objects between.
      return (writing) => {
        const value = from === 'line' ? jsonOf(bytes, most, writing) : writing.params.value(at)
        writing.to.append(Buffer.from(bson.serialize({ [name]: value })).subarray(4, -1))
      }
    default:
      return measured(types.text, 4, null)
  }
}

function jsonOf(bytes: (writing: Writing, to: Buffer, offset: number) => number, most: (writing: Writing) => number, writing: Writing): unknown {
  const text = Buffer.alloc(most(writing))
  return JSON.parse(text.toString('utf8', 0, bytes(writing, text, 0)))
}

/** Binary integer decimal (IEEE 754-2008): sign, biased exponent, coefficient below 2⁵³. */
function writeDecimal128(value: number, scale: number, to: Buffer, offset: number): void {
  writeInt64LE(Math.abs(value), to, offset)
  to.writeUInt32LE(0, offset + 8)
  to.writeUInt32LE((((6176 - scale) << 17) | (value < 0 ? 0x80000000 : 0)) >>> 0, offset + 12)
}
