/** Rows of a prepared statement as MySQL and MariaDB send them (Binary Protocol Resultset), decoded as their official driver gives them. */
import { unreadable } from '../server-error.ts'

/** Whole numbers as numbers, decimals and times as text. */
export type Cell = number | string | Buffer | null

export interface Column {
  type: number
  isBinary: boolean
}

/** Types of columns and parameters, by the protocol's numbers. */
export const type = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  longLong: 8,
  int24: 9,
  date: 10,
  datetime: 12,
  year: 13,
  decimal: 246,
  blob: 252,
  text: 253,
}

const binaryCharacterSet = 63

/** Six texts, the character set, the length, and the type. */
export function columnOf(bytes: Buffer, from: number): Column {
  let at = from
  for (let text = 0; text < 6; text++) at += bytes[at] === 0xfc ? 3 + bytes.readUInt16LE(at + 1) : 1 + (bytes[at] as number)
  return { isBinary: bytes.readUInt16LE(at + 1) === binaryCharacterSet, type: bytes[at + 7] as number }
}

/** Behind the first byte two bits of another meaning, a bit for each value that is null, and the other values. */
export function rowOf(bytes: Buffer, from: number, columns: Column[]): Cell[] {
  const nulls = from + 1
  let at = nulls + ((columns.length + 9) >> 3)
  return columns.map((column, index) => {
    if (((bytes[nulls + ((index + 2) >> 3)] as number) & (1 << ((index + 2) & 7))) !== 0) return null
    const start = at
    switch (column.type) {
      case type.tiny:
        at += 1
        return bytes.readInt8(start)
      case type.short:
      case type.year:
        at += 2
        return bytes.readInt16LE(start)
      case type.long:
      case type.int24:
        at += 4
        return bytes.readInt32LE(start)
      case type.longLong:
        at += 8
        return Number(bytes.readBigInt64LE(start))
      case type.float:
        at += 4
        return bytes.readFloatLE(start)
      case type.double:
        at += 8
        return bytes.readDoubleLE(start)
      case type.date:
      case type.datetime:
        at += 1 + (bytes[start] as number)
        return timeAt(bytes, start)
      default: {
        const head = lengthBytes(bytes[start] as number)
        const length = head === 1 ? (bytes[start] as number) : bytes.readUIntLE(start + 1, head - 1)
        at = start + head + length
        return column.isBinary && column.type !== type.decimal
          ? Buffer.from(bytes.subarray(start + head, at))
          : bytes.toString('utf8', start + head, at)
      }
    }
  })
}

/** The first of a row's values, where that is a whole number of eight bytes. */
export function firstNumber(bytes: Buffer, from: number, columns: number): number {
  const at = from + 1 + ((columns + 9) >> 3)
  return bytes.readInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at)
}

/** Bytes that a length takes, by its first. */
function lengthBytes(first: number): number {
  if (first <= 250) return 1
  if (first === 0xfc) return 3
  if (first === 0xfd) return 4
  throw unreadable('a value of 16 MiB and more')
}

/** As the server prints it: what is not sent is zero. */
function timeAt(bytes: Buffer, at: number): string {
  const length = bytes[at] as number
  const [year, month, day] = length < 4 ? [0, 0, 0] : [bytes.readUInt16LE(at + 1), bytes[at + 3], bytes[at + 4]]
  const [hour, minute, second] = length < 7 ? [0, 0, 0] : [bytes[at + 5], bytes[at + 6], bytes[at + 7]]
  const micros = length < 11 ? 0 : bytes.readUInt32LE(at + 8)
  const digits = (value: number | undefined, count: number) => String(value).padStart(count, '0')
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)} ${digits(hour, 2)}:${digits(minute, 2)}:${digits(second, 2)}.${digits(micros, 6)}`
}
