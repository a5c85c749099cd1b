/** PostgreSQL's binary COPY format, written straight from generated columns (documentation: COPY, Binary Format). */
import type { Chunk, Column } from '../data/rows.ts'

export const copyHeader = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])
export const copyTrailer = Buffer.from([0xff, 0xff])

const postgresEpochMs = Date.UTC(2000, 0, 1)
/** Length word, header and four digit groups of a numeric. */
const widestNumber = 4 + 8 + 8

/** The rows of a chunk as COPY tuples. */
export function encodeCopy(chunk: Chunk): Buffer {
  const fixed = chunk.columns.reduce((sum, column) => sum + (column.kind === 'numbers' ? Math.max(widestNumber, 4 + widestValue(column)) : 5), 2)
  const variable = chunk.columns.reduce((sum, column) => sum + (column.kind === 'bytes' ? (column.ends[chunk.rows - 1] ?? 0) : 0), 0)
  const to = Buffer.allocUnsafe(fixed * chunk.rows + variable)
  let at = 0
  for (let row = 0; row < chunk.rows; row++) {
    at = to.writeInt16BE(chunk.columns.length, at)
    for (const column of chunk.columns)
      at = column.kind === 'numbers' ? writeNumber(column, column.numbers[row] as number, to, at) : writeBytes(column, row, to, at)
  }
  return to.subarray(0, at)
}

function widestValue({ field }: Column): number {
  return field.generator.kind === 'enum' ? Math.max(...field.generator.values.map((value) => Buffer.byteLength(value))) : 8
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

function writeNumber(column: Column, value: number, to: Buffer, at: number): number {
  const { field } = column
  switch (field.type) {
    case 'bool':
      at = to.writeInt32BE(1, at)
      to[at] = value
      return at + 1
    case 'enum': {
      const text = field.generator.kind === 'enum' ? (field.generator.values[value] as string) : ''
      const length = to.write(text, at + 4)
      to.writeInt32BE(length, at)
      return at + 4 + length
    }
    case 'timestamp':
      at = to.writeInt32BE(8, at)
      return writeInt64((value - postgresEpochMs) * 1000, to, at)
    case 'decimal':
      return writeNumeric(value, field.scale, to, at)
    default: {
      const wide = field.generator.kind !== 'number' && field.generator.kind !== 'line'
      at = to.writeInt32BE(wide ? 8 : 4, at)
      return wide ? writeInt64(value, to, at) : to.writeInt32BE(value, at)
    }
  }
}

function writeInt64(value: number, to: Buffer, at: number): number {
  const high = Math.floor(value / 2 ** 32)
  at = to.writeInt32BE(high, at)
  return to.writeUInt32BE(value - high * 2 ** 32, at)
}

/** numeric: digit groups of base 10,000, aligned at the decimal point; `weight` is the power of the first. */
function writeNumeric(value: number, scale: number, to: Buffer, at: number): number {
  const groupsAfterPoint = Math.ceil(scale / 4)
  let rest = Math.abs(value) * 10 ** (groupsAfterPoint * 4 - scale)
  const digits: number[] = []
  while (rest > 0) {
    digits.unshift(rest % 10_000)
    rest = Math.floor(rest / 10_000)
  }
  const weight = digits.length - groupsAfterPoint - 1
  while (digits.at(-1) === 0) digits.pop()
  at = to.writeInt32BE(8 + 2 * digits.length, at)
  at = to.writeInt16BE(digits.length, at)
  at = to.writeInt16BE(digits.length === 0 ? 0 : weight, at)
  at = to.writeUInt16BE(value < 0 ? 0x4000 : 0, at)
  at = to.writeUInt16BE(scale, at)
  for (const digit of digits) at = to.writeInt16BE(digit, at)
  return at
}
