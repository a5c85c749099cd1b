/** A row as an item: its fields one after the other in bytes of their types, when it expires first, its owned rows behind them. */
import type { RequestBuffer } from '../../clients/request.ts'
import type { LineSource, WireSource } from '../../data/parameters.ts'
import type { Value } from '../../data/value.ts'
import { writeDigits, writeInt16BE, writeInt32BE, writeInt64BE } from '../../data/whole-numbers.ts'
import { type Entity, type Field, lineFields, ownedBy, type Scenario } from '../../scenario/scenario.ts'

export interface Owned {
  name: string
  fields: Field[]
}
/** What an item holds, in its order. */
export interface Layout {
  entity: Entity
  fields: Field[]
  owned: Owned[]
}
/** `row`: in the order of the layout's fields; `lines`: of each owned entity. */
export interface Item {
  row: Value[]
  lines: Value[][][]
}

export function layoutOf(scenario: Pick<Scenario, 'entities'>, entity: Entity): Layout {
  const isFirst = ({ generator }: Field) => generator.kind === 'expiresAt'
  return {
    entity,
    fields: [...entity.fields.filter(isFirst), ...entity.fields.filter((field) => !isFirst(field))],
    owned: ownedBy(scenario, entity.name).map((owned) => ({ name: owned.name, fields: lineFields(owned) })),
  }
}

/** The key of a row, in front of which stand the namespace and its entity. */
export const keyText = (value: Value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value))

export function writeItem(layout: Layout, { row, lines }: Item, to: RequestBuffer): void {
  for (let at = 0; at < row.length; at++) writeValue(layout.fields[at] as Field, row[at] as Value, to)
  for (const [at, { fields }] of layout.owned.entries()) {
    const own = lines[at] ?? []
    writeCount(own.length, to)
    for (const line of own) for (const [column, field] of fields.entries()) writeValue(field, line[column] as Value, to)
  }
}

function writeCount(count: number, to: RequestBuffer): void {
  to.reserve(4)
  to.length = writeInt32BE(count, to.bytes, to.length)
}

/** A byte in front of a field that may have no value says whether it has one. */
function writePresence(isThere: boolean, to: RequestBuffer): boolean {
  to.reserve(1)
  to.bytes[to.length++] = isThere ? 1 : 0
  return isThere
}

function writeValue(field: Field, value: Value, to: RequestBuffer): void {
  if (field.optional !== undefined && !writePresence(value !== null, to)) return
  switch (field.type) {
    case 'int':
    case 'decimal':
    case 'timestamp':
      to.reserve(8)
      to.length = to.bytes.writeBigInt64BE(BigInt(value as number | bigint), to.length)
      return
    case 'bool':
      writeSmall(value === true ? 1 : 0, to)
      return
    case 'enum':
      writeSmall(enumValues(field).indexOf(String(value)), to)
      return
    case 'uuid':
      to.append(Buffer.from(value as Uint8Array))
      return
    default: {
      const bytes = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
      writeCount(bytes.length, to)
      to.append(bytes)
    }
  }
}

function writeSmall(value: number, to: RequestBuffer): void {
  to.reserve(2)
  to.length = writeInt16BE(value, to.bytes, to.length)
}

const enumValues = ({ generator }: Field) => (generator.kind === 'enum' ? generator.values : [])

export function readItem(layout: Layout, bytes: Buffer): Item {
  let end = 0
  /** Where the next so many bytes begin. */
  const next = (length: number) => {
    end += length
    return end - length
  }
  const count = () => bytes.readUInt32BE(next(4))
  const value = (field: Field): Value => {
    if (field.optional !== undefined && bytes[next(1)] === 0) return null
    switch (field.type) {
      case 'int':
      case 'timestamp':
        return Number(bytes.readBigInt64BE(next(8)))
      case 'decimal':
        return bytes.readBigInt64BE(next(8))
      case 'bool':
        return bytes.readUInt16BE(next(2)) === 1
      case 'enum':
        return enumValues(field)[bytes.readUInt16BE(next(2))] ?? null
    }
    const from = next(field.type === 'uuid' ? 16 : count())
    const own = Buffer.from(bytes.subarray(from, end))
    return field.type === 'uuid' || field.type === 'bytes' ? own : field.type === 'json' ? (JSON.parse(own.toString()) as Value) : own.toString()
  }
  const row = layout.fields.map(value)
  const lines = layout.owned.map(({ fields }) => Array.from({ length: count() }, () => fields.map(value)))
  return { row, lines }
}

/** When the row of an item expires, without reading the rest. */
export const expiryAt = (bytes: Buffer, from: number) => bytes.readInt32BE(from) * 2 ** 32 + bytes.readUInt32BE(from + 4)

/** Appends what one parameter holds, without an object for it. */
export function writeParameter(field: Field, at: number, params: WireSource, to: RequestBuffer): void {
  if (field.optional !== undefined && !writePresence(!params.isNull(at), to)) return
  const wide = isNumber(field) || field.type === 'uuid' ? 16 : 4 + params.maxBytes(at)
  to.reserve(wide)
  if (isNumber(field)) to.length = writeNumber(field, params.number(at), to.bytes, to.length)
  else if (field.type === 'uuid') to.length = params.write(at, to.bytes, to.length)
  else to.length = measured(to.bytes, to.length, params.write(at, to.bytes, to.length + 4))
}

/** Appends the owned rows of an insert. */
export function writeLines(fields: Field[], lines: LineSource, to: RequestBuffer): void {
  writeCount(lines.count, to)
  for (let line = 0; line < lines.count; line++)
    for (let column = 0; column < fields.length; column++) {
      const field = fields[column] as Field
      if (field.optional !== undefined && !writePresence(!lines.isNull(line, column), to)) continue
      to.reserve(isNumber(field) || field.type === 'uuid' ? 16 : 4 + lines.maxBytes(column))
      if (isNumber(field)) to.length = writeNumber(field, lines.number(line, column), to.bytes, to.length)
      else if (field.type === 'uuid') to.length = lines.write(line, column, to.bytes, to.length)
      else to.length = measured(to.bytes, to.length, lines.write(line, column, to.bytes, to.length + 4))
    }
}

const isNumber = ({ type }: Field) => type === 'int' || type === 'decimal' || type === 'timestamp' || type === 'bool' || type === 'enum'

function writeNumber({ type }: Field, value: number, to: Buffer, at: number): number {
  return type === 'bool' || type === 'enum' ? writeInt16BE(value, to, at) : writeInt64BE(value, to, at)
}

/** The length of what was written behind it. */
function measured(bytes: Buffer, at: number, end: number): number {
  writeInt32BE(end - at - 4, bytes, at)
  return end
}

const hex = Buffer.from('0123456789abcdef')
const scratch = Buffer.alloc(16)

/** Appends the text of a key that a parameter holds. */
export function writeKey(field: Field, at: number, params: WireSource, to: RequestBuffer): void {
  to.reserve(32)
  const { bytes } = to
  if (field.type !== 'uuid') {
    to.length = writeDigits(params.number(at), bytes, to.length)
    return
  }
  params.write(at, scratch, 0)
  for (let each = 0; each < 16; each++) {
    const own = scratch[each] as number
    bytes[to.length++] = hex[own >> 4] as number
    bytes[to.length++] = hex[own & 15] as number
  }
}
