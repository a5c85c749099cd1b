/** Values as MariaDB carries them, binary, as text and in documents: exact at every edge, or refused. */
import { expect, test } from 'vitest'
import { windowBound, writeDatetime, writeDecimal, writeTimeText } from '../../../src/clients/protocols/mysql-values.ts'
import { RequestBuffer } from '../../../src/clients/request.ts'
import { ServerError } from '../../../src/clients/server-error.ts'
import type { LineSource, Parameter, WireSource } from '../../../src/data/parameters.ts'
import { decimalText, type Value } from '../../../src/data/value.ts'
import { writerOf } from '../../../src/engines/mariadb/parameters.ts'
import { boundValue, decode, timestampText } from '../../../src/engines/mariadb/values.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import { entityOf, type Field, lineFields } from '../../../src/scenario/scenario.ts'

const written = (write: (to: Buffer, at: number) => number) => {
  const to = Buffer.alloc(64)
  return to.subarray(0, write(to, 0))
}

const scenario = parseScenario(
  `name: own
summary: "Own"
seed: 7
epoch: 2026-03-01T12:00:00Z
entities:
  e: { count: 9, fields: { id: { type: uuid, key: true }, at: { type: timestamp } } }
  l: { owned_by: e, per_owner: { range: [0, 3] }, fields: { n: { type: int, range: [-9, 9] }, d: { type: decimal, scale: 3, range: [-1, 9] }, y: { type: bool }, at: { type: timestamp },
       s: { type: enum, values: ['it"s', 'o\\\\'] }, w: { type: words, count: [1, 3] }, u: { type: uuid }, b: { type: bytes, size: 9B }, j: { type: json, size: 40B } } }
operations:
  i: { insert: e, with: [l], rate: 10/s, p99: 1s }
requirements: { peak: 2x, durability: fsync }
candidates: [mariadb]
`,
  'own.yaml',
)
const timeField = entityOf(scenario, 'e').fields.find((field) => field.type === 'timestamp') as Field

test.each([
  '2026-03-01T12:00:00.123Z',
  '2024-02-29T23:59:59.999Z',
  '1969-12-31T23:59:59.999Z',
  '0026-12-31T00:00:00.001Z',
  '0000-01-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
])('%s is exact in bytes, in text and back', (iso) => {
  const ms = Date.parse(iso)
  const bytes = written((to, at) => writeDatetime(ms, to, at))
  const [year, ...parts] = iso.match(/\d+/g)?.map(Number) as number[]
  expect(bytes[0]).toBe(11)
  expect(bytes.readUInt16LE(1)).toBe(year)
  expect([...bytes.subarray(3, 8), bytes.readUInt32LE(8) / 1000]).toEqual(parts)
  const text = written((to, at) => writeTimeText(ms, to, at)).toString()
  expect(text).toBe(iso.slice(0, -1).replace('T', ' '))
  expect(text).toBe(timestampText(ms))
  expect(decode(timeField, `${text}000`)).toBe(ms)
  expect(decode(timeField, text.slice(0, 10))).toBe(Date.parse(`${iso.slice(0, 10)}T00:00:00Z`))
})

test('a time that the type does not hold is refused; a window ends where the type does', () => {
  for (const ms of [Date.parse('-000001-12-31T23:59:59.999Z'), Date.parse('+010000-01-01T00:00:00.000Z'), Number.NaN]) {
    expect(() => writeDatetime(ms, Buffer.alloc(16), 0)).toThrow(ServerError)
    expect(() => timestampText(ms)).toThrow(ServerError)
  }
  expect(timestampText(windowBound(-1e17))).toBe('0000-01-01 00:00:00.000')
  expect(timestampText(windowBound(1e17))).toBe('9999-12-31 23:59:59.999')
})

test.each([0, 1, 2, 3, 6])('a decimal of scale %i is exact up to 2⁵³', (scale) => {
  for (const value of [0, 1, 9, 10, 99, 1000, 123_456_789, 999_999, 1_000_000, 2 ** 53 - 1].flatMap((each) => [each, -each]))
    expect(written((to, at) => writeDecimal(value, scale, to, at)).toString()).toBe(decimalText(BigInt(value), scale))
  expect(() => writeDecimal(2 ** 53, scale, Buffer.alloc(64), 0)).toThrow(ServerError)
})

test('owned rows are one document, the same from the wire client as from the driver’s', () => {
  const owned = entityOf(scenario, 'l')
  const fields = lineFields(owned)
  const parameter: Parameter = { name: 'lines.l', entity: owned, field: null, shape: 'lines', columns: fields }
  const bytes = Buffer.from('00ff102030405060708090a0b0c0d0e0', 'hex')
  const row = (line: number): Record<string, Value> => ({
    ...{ line, n: -7, d: -45n, y: true, at: Date.parse('2026-03-01T12:00:00.120Z'), s: 'it"s' },
    ...{ w: 'a "quoted" \\ word\n', u: bytes, b: Buffer.alloc(9, 0xab), j: { k: 'v"\\', n: 1 } },
  })
  const rows = [row(1), row(2)]
  const raw = (field: Field, value: Value) =>
    field.type === 'json' ? Buffer.from(JSON.stringify(value)) : value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value))
  const source = (count: number): WireSource => {
    const lines: LineSource = {
      count,
      isNull: () => false,
      number: (line, column) => (fields[column]?.type === 'enum' ? 0 : Number(rows[line]?.[(fields[column] as Field).name])),
      write: (line, column, to, offset) =>
        offset + raw(fields[column] as Field, rows[line]?.[(fields[column] as Field).name] as Value).copy(to, offset),
      maxBytes: () => 50,
    }
    return {
      next: () => {},
      value: () => null,
      values: () => [],
      isNull: () => false,
      number: () => 0,
      write: (_at, _to, offset) => offset,
      maxBytes: () => 0,
      lines: () => lines,
    }
  }
  for (const count of [0, 1, 2]) {
    const to = new RequestBuffer()
    writerOf(parameter, 0).write(source(count), to)
    expect(to.bytes[0]).toBe(0xfd)
    expect(to.bytes.readUIntLE(1, 3)).toBe(to.length - 4)
    const values = rows.slice(0, count).map((each) => fields.map((field) => each[field.name] as Value))
    expect(JSON.parse(to.bytes.toString('utf8', 4, to.length))).toEqual(JSON.parse(String(boundValue(parameter, values))))
  }
})
