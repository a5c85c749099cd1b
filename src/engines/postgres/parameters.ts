/** Parameters of a statement in PostgreSQL's binary format, written straight from their source into the request. */

import type { RequestBuffer } from '../../clients/request.ts'
import { isWindowBound, type LineSource, type Parameter, type WireSource } from '../../data/parameters.ts'
import type { Value } from '../../data/value.ts'
import type { Statement } from '../../families/relational/compile.ts'
import type { Field } from '../../scenario/scenario.ts'
import { enumTexts, type NumberWriter, windowBound, writeBigInteger, writeBool, writeInteger, writeNumeric, writeTimestamp } from './binary.ts'

/** Writes one parameter, or the several that a list of owned rows becomes, each behind its length. */
export type Writer = (params: WireSource, to: RequestBuffer) => void

/** The writers of one statement's parameters, of the types that the server told. */
export function writersOf(parameters: Parameter[], { binds }: Statement, types: number[]): Writer[] {
  let next = 0
  return binds.flatMap((at): Writer[] => {
    const parameter = parameters[at] as Parameter
    if (parameter.shape === 'lines' || parameter.shape === 'targets') {
      const writer = parameter.shape === 'lines' ? linesWriter : targetsWriter
      return parameter.columns.map((field, column) => writer(at, column, field, types[next++] as number))
    }
    const type = types[next++] as number
    const number = isWindowBound(parameter) ? writeWindowBound : numberWriter(type, parameter.field)
    const write: Writer = number === null ? bytesWriter(at, type) : (params, to) => writeNumber(number, params.number(at), to)
    return [parameter.field?.optional === undefined ? write : (params, to) => (params.isNull(at) ? writeNull(to) : write(params, to))]
  })
}

/** In place of a length. */
function writeNull(to: RequestBuffer): void {
  to.reserve(4)
  to.length = to.bytes.writeInt32BE(-1, to.length)
}

function writeNumber(write: NumberWriter, value: number, to: RequestBuffer): void {
  to.reserve(maxNumberBytes)
  to.length = write(value, to.bytes, to.length)
}
/** An enum's text is the longest of what travels as a number. */
const maxNumberBytes = 1024

function bytesWriter(at: number, type: number): Writer {
  return (params, to) => {
    to.reserve(5 + params.maxBytes(at))
    const start = to.length
    const from = type === oids.jsonb ? to.bytes.writeUInt8(1, start + 4) : start + 4
    const end = params.write(at, to.bytes, from)
    to.bytes.writeInt32BE(end - start - 4, start)
    to.length = end
  }
}

/** Object identifiers of PostgreSQL's types (catalog pg_type). */
const oids = { bool: 16, int8: 20, int2: 21, int4: 23, jsonb: 3802, timestamptz: 1184, numeric: 1700 }
const elementOf: Record<number, number> = {
  1000: 16,
  1001: 17,
  1007: 23,
  1016: 20,
  1009: 25,
  1015: 1043,
  1185: 1184,
  1231: 1700,
  2951: 2950,
  3807: 3802,
}

const writeWindowBound: NumberWriter = (value, to, at) => writeTimestamp(windowBound(value), to, at)

/** null: the value travels as bytes. */
function numberWriter(type: number, field: Field | null): NumberWriter | null {
  if (field?.type === 'enum') {
    const texts = enumTexts(field)
    return (value, to, at) => at + (texts[value] as Buffer).copy(to, at)
  }
  switch (type) {
    case oids.bool:
      return writeBool
    case oids.int8:
      return writeBigInteger
    case oids.int2:
      return (value, to, at) => to.writeInt16BE(value, to.writeInt32BE(2, at))
    case oids.int4:
      return writeInteger
    case oids.timestamptz:
      return writeTimestamp
    case oids.numeric:
      return (value, to, at) => writeNumeric(value, field?.scale ?? 0, to, at)
    default:
      return null
  }
}

/** One column of the owned rows as a one-dimensional array. */
function linesWriter(at: number, column: number, field: Field, type: number): Writer {
  const element = elementOf[type] as number
  const number = numberWriter(element, field)
  return (params, to) => {
    const lines = params.lines(at)
    const start = beginArray(to, lines.count, element, field.optional !== undefined)
    for (let line = 0; line < lines.count; line++) {
      if (field.optional !== undefined && lines.isNull(line, column)) writeNull(to)
      else if (number !== null) writeNumber(number, lines.number(line, column), to)
      else writeLineBytes(lines, line, column, element, to)
    }
    to.bytes.writeInt32BE(to.length - start - 4, start)
  }
}

function writeLineBytes(lines: LineSource, line: number, column: number, element: number, to: RequestBuffer): void {
  to.reserve(5 + lines.maxBytes(column))
  const start = to.length
  const from = element === oids.jsonb ? to.bytes.writeUInt8(1, start + 4) : start + 4
  const end = lines.write(line, column, to.bytes, from)
  to.bytes.writeInt32BE(end - start - 4, start)
  to.length = end
}

/** One column of the summed targets; there are few, and they are values already. */
function targetsWriter(at: number, column: number, field: Field, type: number): Writer {
  const element = elementOf[type] as number
  const number = numberWriter(element, field)
  return (params, to) => {
    const targets = params.value(at) as Value[][]
    const start = beginArray(to, targets.length, element)
    for (const target of targets) {
      const value = target[column] as Value
      if (number !== null) writeNumber(number, Number(value), to)
      else {
        const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value))
        to.reserve(4 + bytes.length)
        to.length = to.bytes.writeInt32BE(bytes.length, to.length)
        to.bytes.set(bytes, to.length)
        to.length += bytes.length
      }
    }
    to.bytes.writeInt32BE(to.length - start - 4, start)
  }
}

/** Dimensions (none where it is empty), whether there may be nulls, the element's type, length, lower bound. */
function beginArray(to: RequestBuffer, count: number, element: number, mayHaveNulls = false): number {
  to.reserve(24)
  const start = to.length
  let at = to.bytes.writeInt32BE(count === 0 ? 0 : 1, start + 4)
  at = to.bytes.writeInt32BE(mayHaveNulls ? 1 : 0, at)
  at = to.bytes.writeInt32BE(element, at)
  if (count > 0) at = to.bytes.writeInt32BE(1, to.bytes.writeInt32BE(count, at))
  to.length = at
  return start
}
