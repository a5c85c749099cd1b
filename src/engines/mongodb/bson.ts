/** BSON templates: documents with marks, compiled once into constant bytes and writers between them. */
import type { BSON, Document } from 'mongodb'
import type { RequestBuffer } from '../../clients/request.ts'
import type { LineSource, WireSource } from '../../data/parameters.ts'
import type { Value } from '../../data/value.ts'
import { writeInt64LE } from '../../data/whole-numbers.ts'
import { type Bind, type ConstantMark, type Each, isDocument, isMark, type Json, type Mark } from '../../families/document/marks.ts'
import { storableMs } from './documents.ts'

type Bson = typeof BSON

/** What is at hand while a command is written. */
export interface Writing {
  params: WireSource
  /** The connection's logical session, 16 bytes. */
  session: Buffer
  to: RequestBuffer
  /** Where transaction numbers stand, to be set before each attempt. */
  transactionNumbers: number[]
  /** Where a number stands that the operation itself reads before. */
  readAt: number
  /** Whether this is the first command of the operation. */
  first: boolean
  lines: LineSource | null
  line: number
  target: Value[]
}
export type Instruction = (writing: Writing) => void

/** Of a client that has written nothing yet. */
export const beginWriting = (params: WireSource, session: Buffer, to: RequestBuffer): Writing => ({
  params,
  session,
  to,
  transactionNumbers: [],
  readAt: 0,
  first: true,
  lines: null,
  line: 0,
  target: [],
})

/** What a client adds to a command, and is known only when it is written. */
export class Session {}
export class TransactionNumber {}
/** What only the first command of a transaction carries. */
export class Opening {
  readonly elements: Document
  constructor(elements: Document) {
    this.elements = elements
  }
}

const documentType = 3
const arrayType = 4

/** A document, whose constants are BSON already, as instructions; neighbours that never change become one. */
export function compile(bson: Bson, document: Document): Instruction {
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
    if (isMark(value)) emit(markWriter(bson, name, value as WrittenMark))
    else if (isAddition(value)) emit(additionWriter(bson, name, value as Addition))
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

type Addition = Session | TransactionNumber | Opening
const isAddition = (value: unknown) => [Session, TransactionNumber, Opening].some((each) => value instanceof each)

/** Whether something in it is only known when it is written. */
function isDynamic(value: Json): boolean {
  if (isMark(value) || isAddition(value)) return true
  if (Array.isArray(value)) return value.some(isDynamic)
  return isDocument(value) && Object.values(value).some(isDynamic)
}

/** Type and name of an element. */
const head = (type: number, name: string) => Buffer.concat([Buffer.from([type]), Buffer.from(`${name}\0`)])

type WrittenMark = Exclude<Mark, ConstantMark>

function markWriter(bson: Bson, name: string, mark: WrittenMark): Instruction {
  switch (mark['?']) {
    case 'each':
      return eachWriter(bson, name, mark)
    case 'clock': {
      const start = head(types.date, name)
      return ({ to }) => {
        to.append(start)
        to.reserve(8)
        to.length = writeInt64LE(Date.now() + mark.laterMs, to.bytes, to.length)
      }
    }
    default:
      return bindWriter(bson, name, mark)
  }
}

function eachWriter(bson: Bson, name: string, { over, at, body }: Each): Instruction {
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

function additionWriter(bson: Bson, name: string, value: Addition): Instruction {
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
  const start = head(types.int64, name)
  return ({ to, transactionNumbers }) => {
    to.append(start)
    to.reserve(8)
    transactionNumbers.push(to.length)
    to.length += 8
  }
}

const types = { text: 2, binary: 5, bool: 8, date: 9, nothing: 10, int32: 16, int64: 18, decimal128: 19 }

/** A field without a value is null, which a document without the field reads as, too. */
function bindWriter(bson: Bson, name: string, bind: Bind): Instruction {
  const write = valueWriter(bson, name, bind)
  if (bind.field.optional === undefined) return write
  const isNull = isNullOf(bind)
  const nothing = head(types.nothing, name)
  return (writing) => (isNull(writing) ? writing.to.append(nothing) : write(writing))
}

function valueWriter(bson: Bson, name: string, bind: Bind): Instruction {
  const { field } = bind
  if (bind['?'] === 'read') return readWriter(name)
  switch (field.type) {
    case 'uuid':
      return measured(name, bind, types.binary, 5, 4)
    case 'bytes':
      return measured(name, bind, types.binary, 5, 0)
    case 'decimal':
      return fixed(name, bind, types.decimal128, 16, (value, to, offset) => writeDecimal128(value, field.scale, to, offset))
    case 'timestamp':
      return fixed(name, bind, types.date, 8, (value, to, offset) => writeInt64LE(storableMs(value), to, offset))
    case 'bool':
      return fixed(name, bind, types.bool, 1, (value, to, offset) => to.writeUInt8(value, offset))
    case 'int': {
      const number = numberOf(bind)
      const small = fixed(name, bind, types.int32, 4, (value, to, offset) => to.writeInt32LE(value, offset))
      const large = fixed(name, bind, types.int64, 8, writeInt64LE)
      return (writing) => (Math.abs(number(writing)) < 2 ** 31 ? small(writing) : large(writing))
    }
    case 'enum': {
      const number = numberOf(bind)
      const values = field.generator.kind === 'enum' ? field.generator.values : []
      const elements = values.map((value) => Buffer.from(bson.serialize({ [name]: value })).subarray(4, -1))
      return (writing) => writing.to.append(elements[number(writing)] as Buffer)
    }
    case 'json':
      return jsonWriter(bson, name, bind)
    default:
      return measured(name, bind, types.text, 4, null)
  }
}

/** Eight bytes, whatever number it will be. */
function readWriter(name: string): Instruction {
  const start = head(types.int64, name)
  return (writing) => {
    const { to } = writing
    to.append(start)
    to.reserve(8)
    writing.readAt = to.length
    to.length += 8
  }
}

const numberOf =
  ({ '?': from, at }: Bind) =>
  (writing: Writing): number =>
    from === 'parameter'
      ? writing.params.number(at)
      : from === 'line'
        ? (writing.lines as LineSource).number(writing.line, at)
        : Number(writing.target[at])

const isNullOf =
  ({ '?': from, at }: Bind) =>
  (writing: Writing): boolean =>
    from === 'parameter' ? writing.params.isNull(at) : from === 'line' ? (writing.lines as LineSource).isNull(writing.line, at) : false

const maxBytesOf =
  ({ '?': from, at }: Bind) =>
  ({ params, lines, target }: Writing): number =>
    from === 'parameter' ? params.maxBytes(at) : from === 'line' ? (lines as LineSource).maxBytes(at) : Buffer.byteLength(target[at] as string)

/** Writes it, and returns where it ends. */
const bytesOf =
  ({ '?': from, at }: Bind) =>
  (writing: Writing, to: Buffer, offset: number): number => {
    if (from === 'parameter') return writing.params.write(at, to, offset)
    if (from === 'line') return (writing.lines as LineSource).write(writing.line, at, to, offset)
    const value = writing.target[at]
    return offset + (value instanceof Uint8Array ? Buffer.from(value).copy(to, offset) : to.write(String(value), offset))
  }

/** A length stands in front of a value whose length is known only when it is written. */
function measured(name: string, bind: Bind, type: number, before: number, subtype: number | null): Instruction {
  const [most, bytes] = [maxBytesOf(bind), bytesOf(bind)]
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

function fixed(name: string, bind: Bind, type: number, size: number, put: (value: number, to: Buffer, offset: number) => unknown): Instruction {
  const number = numberOf(bind)
  const start = head(type, name)
  return (writing) => {
    const { to } = writing
    to.append(start)
    to.reserve(size)
    put(number(writing), to.bytes, to.length)
    to.length += size
  }
}

/** Text becomes a document: the one value that needs objects between. */
function jsonWriter(bson: Bson, name: string, bind: Bind): Instruction {
  const { '?': from, at } = bind
  const [most, bytes] = [maxBytesOf(bind), bytesOf(bind)]
  const lineValue = (writing: Writing): unknown => {
    const text = Buffer.alloc(most(writing))
    return JSON.parse(text.toString('utf8', 0, bytes(writing, text, 0)))
  }
  return (writing) => {
    const value = from === 'line' ? lineValue(writing) : writing.params.value(at)
    writing.to.append(Buffer.from(bson.serialize({ [name]: value })).subarray(4, -1))
  }
}

/** Binary integer decimal (IEEE 754-2008): sign, biased exponent, coefficient below 2⁵³. */
function writeDecimal128(value: number, scale: number, to: Buffer, offset: number): void {
  writeInt64LE(Math.abs(value), to, offset)
  to.writeUInt32LE(0, offset + 8)
  to.writeUInt32LE((((6176 - scale) << 17) | (value < 0 ? 0x80000000 : 0)) >>> 0, offset + 12)
}
