/** PostgreSQL's binary values (documentation: the types' send functions): as COPY and Bind carry them, each behind its length. */

import { sqlStateError } from '../../clients/protocols/postgres-errors.ts'
import { writeInt16BE, writeInt32BE, writeInt64BE } from '../../data/whole-numbers.ts'
import type { Field } from '../../scenario/scenario.ts'

/** Writes one number with its length word; returns the end. */
export type NumberWriter = (value: number, to: Buffer, at: number) => number

const postgresEpochMs = Date.UTC(2000, 0, 1)
/** Noon of 24 November 4714 BC, the first that timestamptz holds, and the last that JavaScript does. */
const firstMs = -210_866_803_200_000
const lastMs = 8_640_000_000_000_000

/** A window that reaches beyond what the type holds begins and ends where the type does: the same rows are in it. */
export const windowBound = (epochMs: number) => Math.min(lastMs, Math.max(firstMs, epochMs))

/** Of a value, no other value is stored in its place. @throws ServerError as the server names it. */
export function checkTimestamp(epochMs: number): void {
  if (!(epochMs >= firstMs && epochMs <= lastMs)) throw sqlStateError('22008', `${epochMs} ms is no time that timestamptz holds`)
}

/** Length word, header and seven digit groups of a numeric: the widest fixed-size value. */
export const widestNumber = 4 + 8 + 14

const powersOf10 = Array.from({ length: 9 }, (_, power) => 10 ** power)
const digits = new Int16Array(8)

/**
 * numeric: digit groups of base 10,000, aligned at the decimal point; `weight` is the power of the first.
 * @throws ServerError beyond the numbers that are exact.
 */
export function writeNumeric(value: number, scale: number, to: Buffer, at: number): number {
  if (!Number.isSafeInteger(value)) throw sqlStateError('22003', `${value} is out of range for type numeric`)
  const groupsAfterPoint = Math.ceil(scale / 4)
  const unit = powersOf10[scale] as number
  let whole = Math.floor(Math.abs(value) / unit)
  let part = (Math.abs(value) - whole * unit) * (powersOf10[groupsAfterPoint * 4 - scale] as number)
  let count = 0
  while (count < groupsAfterPoint) {
    const next = Math.floor(part / 10_000)
    digits[count++] = part - next * 10_000
    part = next
  }
  while (whole > 0) {
    const next = Math.floor(whole / 10_000)
    digits[count++] = whole - next * 10_000
    whole = next
  }
  while (count > 0 && digits[count - 1] === 0) count--
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

/** Microseconds since 2000, beyond what a double holds exactly: both halves of the milliseconds are multiplied on their own. */
export function writeTimestamp(epochMs: number, to: Buffer, at: number): number {
  checkTimestamp(epochMs)
  const ms = epochMs - postgresEpochMs
  const high = Math.floor(ms / 2 ** 32)
  const low = (ms - high * 2 ** 32) * 1000
  const carry = Math.floor(low / 2 ** 32)
  return writeInt32BE(low - carry * 2 ** 32, to, writeInt32BE(high * 1000 + carry, to, writeInt32BE(8, to, at)))
}

/** @throws ServerError where four bytes do not hold it: they would hold another number. */
export function writeInteger(value: number, to: Buffer, at: number): number {
  if (value !== (value | 0)) throw sqlStateError('22003', `${value} is out of range for type integer`)
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
