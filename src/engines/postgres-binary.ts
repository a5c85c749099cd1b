/** PostgreSQL's binary values (documentation: the types' send functions): as COPY and Bind carry them, each behind its length. */
import type { Field } from '../scenario/scenario.ts'
import { writeInt16BE, writeInt32BE, writeInt64BE } from '../wire/request.ts'

/** Writes one number with its length word; returns the end. */
export type NumberWriter = (value: number, to: Buffer, at: number) => number

const postgresEpochMs = Date.UTC(2000, 0, 1)
/** Length word, header and seven digit groups of a numeric: the widest fixed-size value. */
export const widestNumber = 4 + 8 + 14

const aligning = [1, 10, 100, 1000]
const digits = new Int16Array(8)

/** numeric: digit groups of base 10,000, aligned at the decimal point; `weight` is the power of the first. */
export function writeNumeric(value: number, scale: number, to: Buffer, at: number): number {
  const groupsAfterPoint = Math.ceil(scale / 4)
  let rest = Math.abs(value) * (aligning[groupsAfterPoint * 4 - scale] as number)
  let count = 0
  while (rest > 0) {
    const next = Math.floor(rest / 10_000)
    digits[count++] = rest - next * 10_000
    rest = next
  }
  let lowest = 0
  while (lowest < count && digits[lowest] === 0) lowest++
  const shown = count - lowest
  at = writeInt32BE(8 + 2 * shown, to, at)
  at = writeInt16BE(shown, to, at)
  at = writeInt16BE(shown === 0 ? 0 : count - groupsAfterPoint - 1, to, at)
  at = writeInt16BE(value < 0 ? 0x4000 : 0, to, at)
  at = writeInt16BE(scale, to, at)
  for (let digit = count - 1; digit >= lowest; digit--) at = writeInt16BE(digits[digit] as number, to, at)
  return at
}

export function writeTimestamp(epochMs: number, to: Buffer, at: number): number {
  return writeInt64BE((epochMs - postgresEpochMs) * 1000, to, writeInt32BE(8, to, at))
}

export function writeInteger(value: number, to: Buffer, at: number): number {
  return writeInt32BE(value, to, writeInt32BE(4, to, at))
}

export function writeBigInteger(value: number, to: Buffer, at: number): number {
  return writeInt64BE(value, to, writeInt32BE(8, to, at))
}

export function writeBool(value: number, to: Buffer, at: number): number {
  at = writeInt32BE(1, to, at)
  to[at] = value
  return at + 1
}

/** An enum travels as text: its bytes, length first, by index. */
export function enumTexts(field: Field): Buffer[] {
  if (field.generator.kind !== 'enum') return []
  return field.generator.values.map((value) => {
    const text = Buffer.from(value)
    const whole = Buffer.alloc(4 + text.length)
    writeInt32BE(text.length, whole, 0)
    text.copy(whole, 4)
    return whole
  })
}
