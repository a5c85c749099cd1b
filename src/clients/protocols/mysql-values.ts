/** Values of MySQL and MariaDB written in place: as the binary protocol carries them, and as text of statements' documents. */
import { mysqlError } from './mysql-errors.ts'

/** From the first moment that DATETIME holds to the last. */
const firstMs = -62_167_219_200_000
const lastMs = 253_402_300_799_999

/** A window that reaches beyond what the type holds begins and ends where the type does: the same rows are in it. */
export const windowBound = (epochMs: number) => Math.min(lastMs, Math.max(firstMs, epochMs))

/** Of a value, no other value is stored in its place. @throws ServerError as the server names it. */
export function checkTimestamp(epochMs: number): void {
  if (!(epochMs >= firstMs && epochMs <= lastMs)) throw mysqlError('1292', `${epochMs} ms is no time that DATETIME holds`)
}

/** The widest of them, with what stands around it. */
export const maxNumberBytes = 40

const zero = 0x30
const dayMs = 86_400_000

/** A day as the calendar has it; the next one takes its place. */
const date = { year: 0, month: 0, day: 0 }

/** By eras of 400 years, whose years begin in March (Howard Hinnant, chrono-compatible low-level date algorithms). */
function dateOf(days: number): void {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const month = Math.floor((5 * dayOfYear + 2) / 153)
  date.day = dayOfYear - Math.floor((153 * month + 2) / 5) + 1
  date.month = month < 10 ? month + 3 : month - 9
  date.year = yearOfEra + era * 400 + (date.month <= 2 ? 1 : 0)
}

/** Year, month, day, hour, minute, second and microseconds, behind their length. */
export function writeDatetime(epochMs: number, to: Buffer, at: number): number {
  checkTimestamp(epochMs)
  const days = Math.floor(epochMs / dayMs)
  const ms = epochMs - days * dayMs
  dateOf(days)
  to[at] = 11
  to[at + 1] = date.year
  to[at + 2] = date.year >>> 8
  to[at + 3] = date.month
  to[at + 4] = date.day
  to[at + 5] = Math.floor(ms / 3_600_000)
  to[at + 6] = Math.floor(ms / 60_000) % 60
  to[at + 7] = Math.floor(ms / 1000) % 60
  const micros = (ms % 1000) * 1000
  to[at + 8] = micros
  to[at + 9] = micros >>> 8
  to[at + 10] = micros >>> 16
  to[at + 11] = 0
  return at + 12
}

/** `2026-03-01 12:00:00.000` */
export function writeTimeText(epochMs: number, to: Buffer, at: number): number {
  checkTimestamp(epochMs)
  const days = Math.floor(epochMs / dayMs)
  const ms = epochMs - days * dayMs
  dateOf(days)
  at = writeDigits(date.year, 4, to, at)
  to[at] = 0x2d
  at = writeDigits(date.month, 2, to, at + 1)
  to[at] = 0x2d
  at = writeDigits(date.day, 2, to, at + 1)
  to[at] = 0x20
  at = writeDigits(Math.floor(ms / 3_600_000), 2, to, at + 1)
  to[at] = 0x3a
  at = writeDigits(Math.floor(ms / 60_000) % 60, 2, to, at + 1)
  to[at] = 0x3a
  at = writeDigits(Math.floor(ms / 1000) % 60, 2, to, at + 1)
  to[at] = 0x2e
  return writeDigits(ms % 1000, 3, to, at + 1)
}

/** So many digits, with zeros in front. */
function writeDigits(value: number, count: number, to: Buffer, at: number): number {
  for (let digit = count - 1; digit >= 0; digit--) {
    const rest = Math.floor(value / 10)
    to[at + digit] = zero + (value - rest * 10)
    value = rest
  }
  return at + count
}

/** @throws ServerError beyond the numbers that are exact. */
export function writeWhole(value: number, to: Buffer, at: number): number {
  return writeDecimal(value, 0, to, at)
}

/** An integer of its scale as decimal digits. @throws ServerError beyond the numbers that are exact. */
export function writeDecimal(value: number, scale: number, to: Buffer, at: number): number {
  if (!Number.isSafeInteger(value)) throw mysqlError('1264', `${value} is out of range for a decimal`)
  if (value < 0) to[at++] = 0x2d
  const whole = Math.abs(value)
  let digits = 1
  for (let rest = whole; rest >= 10; rest = Math.floor(rest / 10)) digits++
  if (scale === 0) return writeDigits(whole, digits, to, at)
  const unit = 10 ** scale
  const before = Math.floor(whole / unit)
  at = writeDigits(before, Math.max(1, digits - scale), to, at)
  to[at] = 0x2e
  return writeDigits(whole - before * unit, scale, to, at + 1)
}

/** The bytes [from, end) as hexadecimal digits from `at` on; returns their end. */
export function writeHexadecimal(bytes: Buffer, from: number, end: number, at: number): number {
  for (let each = from; each < end; each++) {
    const byte = bytes[each] as number
    bytes[at++] = hexadecimal(byte >> 4)
    bytes[at++] = hexadecimal(byte & 15)
  }
  return at
}

const hexadecimal = (digit: number) => (digit < 10 ? zero + digit : 0x61 + digit - 10)

/** The UTF-8 text of bytes [from, end) as it stands between the quotes of a JSON text. */
export function writeEscaped(bytes: Buffer, from: number, end: number, at: number): number {
  for (let each = from; each < end; each++) {
    const byte = bytes[each] as number
    if (byte < 0x20) {
      bytes[at] = 0x5c
      bytes[at + 1] = 0x75
      bytes[at + 2] = zero
      bytes[at + 3] = zero
      bytes[at + 4] = hexadecimal(byte >> 4)
      bytes[at + 5] = hexadecimal(byte & 15)
      at += 6
      continue
    }
    if (byte === 0x22 || byte === 0x5c) bytes[at++] = 0x5c
    bytes[at++] = byte
  }
  return at
}
