/** Values as PostgreSQL carries them, binary and as text: exact at every edge, or refused. */
import { expect, test } from 'vitest'
import { ServerError } from '../../../src/clients/server-error.ts'
import { windowBound, writeInteger, writeNumeric, writeTimestamp } from '../../../src/engines/postgres/binary.ts'
import { timestampMs, timestampText } from '../../../src/engines/postgres/values.ts'

const written = (write: (to: Buffer, at: number) => number) => {
  const to = Buffer.alloc(64)
  return to.subarray(4, write(to, 0))
}

/** What the server makes of a numeric: digit groups, weight of the first, sign, digits after the point. */
function numericText(bytes: Buffer): string {
  const groups = Array.from({ length: bytes.readInt16BE(0) }, (_, at) => BigInt(bytes.readInt16BE(8 + at * 2)))
  const scale = bytes.readInt16BE(6)
  const power = bytes.readInt16BE(2) - groups.length + 1
  const digits = groups.reduce((sum, group) => sum * 10_000n + group, 0n)
  const scaled = power >= 0 ? digits * 10_000n ** BigInt(power) * 10n ** BigInt(scale) : (digits * 10n ** BigInt(scale)) / 10_000n ** BigInt(-power)
  return `${bytes.readUInt16BE(4) === 0x4000 ? '-' : ''}${scaled}`
}

test.each([0, 1, 2, 3, 4, 5, 6])('a numeric of scale %i is exact up to 2⁵³', (scale) => {
  const values = [
    0,
    1,
    9,
    10,
    9999,
    10_000,
    10_001,
    123_456_789,
    5_000_000,
    100_000_000,
    2 ** 31,
    9_007_199_254_740_991,
    9_007_199_254_740_990,
    4_503_599_627_370_497,
  ]
  for (const value of values.flatMap((each) => [each, -each]))
    expect(numericText(written((to, at) => writeNumeric(value, scale, to, at)))).toBe(String(value === 0 ? 0 : value))
  expect(() => writeNumeric(2 ** 53, scale, Buffer.alloc(64), 0)).toThrow(ServerError)
})

test('an integer is written as it is, or not at all', () => {
  for (const value of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) expect(written((to, at) => writeInteger(value, to, at)).readInt32BE()).toBe(value)
  for (const value of [2 ** 31, -(2 ** 31) - 1, 2 ** 32 + 5]) expect(() => writeInteger(value, Buffer.alloc(8), 0)).toThrow(ServerError)
})

const times = [
  '2026-03-01T12:00:00.123Z',
  '1969-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59.999Z',
  '+010000-01-01T00:00:00.001Z',
  '+275760-09-13T00:00:00.000Z',
]
const old = ['0001-01-01T00:00:00.000Z', '0000-12-31T23:59:59.999Z', '-000973-03-01T07:08:09.010Z', '-004713-11-24T00:00:00.000Z']

test.each([...times, ...old])('%s is exact in text and in microseconds', (iso) => {
  const ms = Date.parse(iso)
  const bytes = written((to, at) => writeTimestamp(ms, to, at))
  expect(bytes.readBigInt64BE()).toBe((BigInt(ms) - BigInt(Date.UTC(2000, 0, 1))) * 1000n)
  const shown = timestampText(ms).replace('T', ' ').replace('Z', '+00')
  expect(timestampMs(shown)).toBe(ms)
})

test('years before the first are those before Christ', () => {
  expect(timestampText(Date.parse('0000-02-29T00:00:00Z'))).toBe('0001-02-29T00:00:00.000Z BC')
  expect(timestampText(Date.parse('-000001-01-01T00:00:00Z'))).toBe('0002-01-01T00:00:00.000Z BC')
  expect(timestampMs('2026-03-01 12:00:00.5+00')).toBe(Date.parse('2026-03-01T12:00:00.500Z'))
})

test('a window is cut to what the type holds, a value is refused', () => {
  const before = Date.parse('-004713-11-23T23:59:59.999Z')
  expect(() => timestampText(before)).toThrow(ServerError)
  expect(() => writeTimestamp(before, Buffer.alloc(16), 0)).toThrow(ServerError)
  expect(timestampText(windowBound(-Infinity))).toBe('4714-11-24T00:00:00.000Z BC')
  expect(timestampText(windowBound(9e18))).toBe(timestampText(8.64e15))
})
