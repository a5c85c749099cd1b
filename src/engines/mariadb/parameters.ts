/** Parameters of a statement in the binary protocol of MySQL and MariaDB, written straight from their source into the request. */
import { type } from '../../clients/protocols/mysql-rows.ts'
import {
  maxNumberBytes,
  windowBound,
  writeDatetime,
  writeDecimal,
  writeEscaped,
  writeHexadecimal,
  writeTimeText,
  writeWhole,
} from '../../clients/protocols/mysql-values.ts'
import type { RequestBuffer } from '../../clients/request.ts'
import { isWindowBound, type LineSource, type Parameter, type WireSource } from '../../data/parameters.ts'
import { writeInt64LE } from '../../data/whole-numbers.ts'
import type { Field } from '../../scenario/scenario.ts'
import { isHexadecimal } from './dialect.ts'
import { boundValue } from './values.ts'

export interface Writer {
  /** Of the parameter, as an execution tells it. */
  type: number
  /** Position of the parameter where it may be null; else null. */
  optionalAt: number | null
  write(params: WireSource, to: RequestBuffer): void
}

/** Writes a number; returns the end. */
type NumberWriter = (value: number, to: Buffer, at: number) => number

const quote = 0x22
const comma = 0x2c
const opening = 0x5b
const closing = 0x5d

export function writerOf(parameter: Parameter, at: number): Writer {
  return { ...valuedWriter(parameter, at), optionalAt: parameter.field?.optional === undefined ? null : at }
}

type ValuedWriter = Omit<Writer, 'optionalAt'>

function valuedWriter(parameter: Parameter, at: number): ValuedWriter {
  const { shape, field, columns } = parameter
  if (shape === 'lines') return { type: type.text, write: documentWriter(at, columns) }
  if (shape === 'targets') return { type: type.text, write: (params, to) => writeText(String(boundValue(parameter, params.value(at))), to) }
  if (shape === 'deep') return numbered(at, type.tiny, writeByte)
  if (shape === 'now') return numbered(at, type.datetime, writeDatetime)
  if (isWindowBound(parameter)) return numbered(at, type.datetime, (value, to, from) => writeDatetime(windowBound(value), to, from))
  return valueWriter(field as Field, at)
}

function valueWriter(field: Field, at: number): ValuedWriter {
  switch (field.type) {
    case 'int':
      return numbered(at, type.longLong, writeInt64LE)
    case 'bool':
      return numbered(at, type.tiny, writeByte)
    case 'timestamp':
      return numbered(at, type.datetime, writeDatetime)
    case 'decimal':
      return numbered(at, type.decimal, (value, to, from) => lengthened(writeDecimal(value, field.scale, to, from + 1), to, from))
    case 'enum': {
      const texts = enumTexts(field).map((text) => Buffer.concat([lengthOf(text.length), text]))
      return { type: type.text, write: (params, to) => to.append(texts[params.number(at)] as Buffer) }
    }
    default:
      return { type: isHexadecimal(field) ? type.blob : type.text, write: bytesWriter(at) }
  }
}

function numbered(at: number, type: number, write: NumberWriter): ValuedWriter {
  return { type, write: (params, to) => append(write, params.number(at), to) }
}

function append(write: NumberWriter, value: number, to: RequestBuffer): void {
  to.reserve(maxNumberBytes)
  to.length = write(value, to.bytes, to.length)
}

function writeByte(value: number, to: Buffer, at: number): number {
  to[at] = value
  return at + 1
}

/** The byte before says how long it is. */
function lengthened(end: number, to: Buffer, at: number): number {
  to[at] = end - at - 1
  return end
}

/** The length takes as many bytes as that of the longest value would. */
function bytesWriter(at: number) {
  return (params: WireSource, to: RequestBuffer): void => {
    const most = params.maxBytes(at)
    to.reserve(longLength + most)
    const start = to.length
    const head = most <= maxByteLength ? 1 : longLength
    const end = params.write(at, to.bytes, start + head)
    const length = end - start - head
    if (head === 1) to.bytes[start] = length
    else writeLongLength(length, to.bytes, start)
    to.length = end
  }
}

const maxByteLength = 250
/** A mark and three bytes. */
const longLength = 4
function writeLongLength(length: number, to: Buffer, at: number): void {
  to[at] = 0xfd
  to[at + 1] = length
  to[at + 2] = length >>> 8
  to[at + 3] = length >>> 16
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(length <= maxByteLength ? 1 : longLength)
  if (bytes.length === 1) bytes[0] = length
  else writeLongLength(length, bytes, 0)
  return bytes
}

const enumTexts = ({ generator }: Field) => (generator.kind === 'enum' ? generator.values.map((value) => Buffer.from(value)) : [])

/** Targets are few, and they are values already. */
function writeText(text: string, to: RequestBuffer): void {
  const bytes = Buffer.from(text)
  to.append(lengthOf(bytes.length))
  to.append(bytes)
}

type CellWriter = (lines: LineSource, line: number, column: number, to: RequestBuffer) => void

/** The owned rows as a JSON document, an array for each, as the driver's client is given it. */
function documentWriter(at: number, columns: Field[]) {
  const writers = columns.map((field) => (field.optional === undefined ? cellWriter(field) : unlessNull(cellWriter(field))))
  return (params: WireSource, to: RequestBuffer): void => {
    const lines = params.lines(at)
    to.reserve(longLength + 2)
    const start = to.length
    to.length += longLength
    to.bytes[to.length++] = opening
    for (let line = 0; line < lines.count; line++) {
      for (let column = 0; column < writers.length; column++) {
        to.reserve(3)
        if (column > 0 || line > 0) to.bytes[to.length++] = comma
        if (column === 0) to.bytes[to.length++] = opening
        ;(writers[column] as CellWriter)(lines, line, column, to)
      }
      to.reserve(2)
      to.bytes[to.length++] = closing
    }
    to.reserve(1)
    to.bytes[to.length++] = closing
    writeLongLength(to.length - start - longLength, to.bytes, start)
  }
}

function unlessNull(write: CellWriter): CellWriter {
  return (lines, line, column, to) => (lines.isNull(line, column) ? to.append(nothing) : write(lines, line, column, to))
}
const nothing = Buffer.from('null')

function cellWriter(field: Field): CellWriter {
  switch (field.type) {
    case 'int':
    case 'bool':
      return (lines, line, column, to) => append(writeWhole, lines.number(line, column), to)
    case 'decimal':
      return quoted((value, to, at) => writeDecimal(value, field.scale, to, at))
    case 'timestamp':
      return quoted(writeTimeText)
    case 'enum': {
      const texts = enumTexts(field).map((text) => Buffer.from(JSON.stringify(String(text))))
      return (lines, line, column, to) => to.append(texts[lines.number(line, column)] as Buffer)
    }
    default: {
      const write = isHexadecimal(field) ? writeHexadecimal : writeEscaped
      const factor = isHexadecimal(field) ? 2 : 6
      return (lines, line, column, to) => {
        const most = lines.maxBytes(column)
        to.reserve(factor * most + 2)
        const start = to.length
        to.bytes[start] = quote
        // What is written may be so many times as long: it is made from its end, where nothing is overwritten that is still to be read.
        const raw = start + 1 + (factor - 1) * most
        const end = write(to.bytes, raw, lines.write(line, column, to.bytes, raw), start + 1)
        to.bytes[end] = quote
        to.length = end + 1
      }
    }
  }
}

function quoted(write: NumberWriter): CellWriter {
  const between: NumberWriter = (value, to, at) => {
    to[at] = quote
    const end = write(value, to, at + 1)
    to[end] = quote
    return end + 1
  }
  return (lines, line, column, to) => append(between, lines.number(line, column), to)
}
