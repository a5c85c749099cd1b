/** PostgreSQL's binary COPY format, written straight from generated columns (documentation: COPY, Binary Format). */
import type { Chunk, Column } from '../data/rows.ts'
import type { Field } from '../scenario/scenario.ts'
import {
  enumTexts,
  type NumberWriter,
  widestNumber,
  writeBigInteger,
  writeBool,
  writeInteger,
  writeNumeric,
  writeTimestamp,
} from './postgres-binary.ts'

export const copyHeader = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])
export const copyTrailer = Buffer.from([0xff, 0xff])

/** The rows of a chunk as COPY tuples. */
export function encodeCopy(chunk: Chunk): Buffer {
  const writers = chunk.columns.map((column) => (column.kind === 'numbers' ? copyWriter(column.field) : null))
  const fixed = chunk.columns.reduce((sum, column) => sum + (column.kind === 'numbers' ? widest(column.field) : 5), 2)
  const variable = chunk.columns.reduce((sum, column) => sum + (column.kind === 'bytes' ? (column.ends[chunk.rows - 1] ?? 0) : 0), 0)
  const to = Buffer.allocUnsafe(fixed * chunk.rows + variable)
  let at = 0
  for (let row = 0; row < chunk.rows; row++) {
    at = to.writeInt16BE(chunk.columns.length, at)
    for (let index = 0; index < chunk.columns.length; index++) {
      const column = chunk.columns[index] as Column
      at = column.kind === 'numbers' ? (writers[index] as NumberWriter)(column.numbers[row] as number, to, at) : writeBytes(column, row, to, at)
    }
  }
  return to.subarray(0, at)
}

function widest(field: Field): number {
  return Math.max(widestNumber, ...enumTexts(field).map((text) => text.length))
}

function copyWriter(field: Field): NumberWriter {
  switch (field.type) {
    case 'bool':
      return writeBool
    case 'enum': {
      const texts = enumTexts(field)
      return (value, to, at) => at + (texts[value] as Buffer).copy(to, at)
    }
    case 'timestamp':
      return writeTimestamp
    case 'decimal':
      return (value, to, at) => writeNumeric(value, field.scale, to, at)
    default:
      return field.generator.kind === 'number' || field.generator.kind === 'line' ? writeInteger : writeBigInteger
  }
}

function writeBytes(column: Extract<Column, { kind: 'bytes' }>, row: number, to: Buffer, at: number): number {
  const start = row === 0 ? 0 : (column.ends[row - 1] as number)
  const end = column.ends[row] as number
  const versioned = column.field.type === 'json' ? 1 : 0 // jsonb starts with its format version
  at = to.writeInt32BE(end - start + versioned, at)
  if (versioned === 1) to[at++] = 1
  column.bytes.copy(to, at, start, end)
  return at + end - start
}
