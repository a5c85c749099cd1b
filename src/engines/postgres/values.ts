/** Values as pg takes and gives them: parameters as text or bytes, rows as text. */
import { isWindowBound, type Parameter } from '../../data/parameters.ts'
import { uuidBytes, uuidText, type Value } from '../../data/value.ts'
import { decoderOf, driverValue } from '../../families/relational/values.ts'
import type { Field } from '../../scenario/scenario.ts'
import { checkTimestamp, windowBound } from './binary.ts'

export type Rows = (string | null)[][]

/** Parameter values as pg takes them; lists become one array per column. */
export function pgValues(parameter: Parameter, value: Value): unknown[] {
  const { shape, columns } = parameter
  if (shape === 'lines' || shape === 'targets')
    return columns.map((field, index) => (value as Value[][]).map((row) => elementValue(field, row[index] as Value)))
  if (parameter.shape === 'deep') return [value]
  if (parameter.shape === 'now') return [timestampText(Number(value))]
  if (isWindowBound(parameter)) return [timestampText(windowBound(Number(value)))]
  return [pgValue(parameter.field as Field, value)]
}

export const pgValue = (field: Field, value: Value): unknown => driverValue(field, value, timestampText)

/** Inside arrays pg writes text. */
function elementValue(field: Field, value: Value): unknown {
  if (field.type === 'uuid' && value !== null) return uuidText(value as Uint8Array)
  return pgValue(field, value)
}

/** ISO as PostgreSQL writes it: years of any length, those before the first as BC. */
export function timestampText(epochMs: number): string {
  checkTimestamp(epochMs)
  const iso = new Date(epochMs).toISOString()
  if (iso.length === shortIsoLength && !iso.startsWith('0000')) return iso
  const [, sign, year, rest] = isoDate.exec(iso) as unknown as [string, string | undefined, string, string]
  const before = sign === '-' || Number(year) === 0
  const shown = before ? 1 - Number(`${sign ?? ''}${year}`) : Number(year)
  return `${String(shown).padStart(4, '0')}${rest}${before ? ' BC' : ''}`
}
const shortIsoLength = '2026-11-26T00:00:00.000Z'.length
const isoDate = /^([+-])?(\d+)(.*)$/

/** From the output of `timezone` UTC. */
export function timestampMs(text: string): number {
  const [, year, month, day, hour, minute, second, fraction = '0', before] = shownTimestamp.exec(text) as unknown as string[]
  const date = new Date(0)
  date.setUTCFullYear(before === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hour), Number(minute), Number(second), Math.floor(Number(`0.${fraction}`) * 1000 + 1e-6))
  return date.getTime()
}
const shownTimestamp = /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?\+00( BC)?$/

export const decode = decoderOf<string | null>({
  uuid: uuidBytes,
  bool: (text) => text === 't',
  timestamp: timestampMs,
  bytes: (text) => Buffer.from(text.slice(2), 'hex'),
})
