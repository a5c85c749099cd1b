/** Values as MariaDB's driver takes and gives them. */
import type { Cell } from '../../clients/protocols/mysql-rows.ts'
import { checkTimestamp, windowBound } from '../../clients/protocols/mysql-values.ts'
import { isWindowBound, type Parameter } from '../../data/parameters.ts'
import type { Value } from '../../data/value.ts'
import { decoderOf, driverValue } from '../../families/relational/values.ts'
import type { Field } from '../../scenario/scenario.ts'
import { isHexadecimal } from './dialect.ts'

/** A parameter as the driver sends it; owned rows and targets are one document. */
export function boundValue(parameter: Parameter, value: Value): unknown {
  const { shape, columns, field } = parameter
  if (shape === 'lines' || shape === 'targets')
    return JSON.stringify((value as Value[][]).map((row) => columns.map((column, at) => inDocument(column, row[at] as Value))))
  if (shape === 'now') return timestampText(Number(value))
  if (isWindowBound(parameter)) return timestampText(windowBound(Number(value)))
  return field === null ? value : ownValue(field, value)
}

export const ownValue = (field: Field, value: Value): unknown => driverValue(field, value, timestampText)

/** Of a row in a document: bytes as hexadecimal digits, decimals as text, so that no digit is lost, truth as 1. */
function inDocument(field: Field, value: Value): unknown {
  if (value === null) return null
  if (isHexadecimal(field)) return Buffer.from(value as Uint8Array).toString('hex')
  return field.type === 'int' || field.type === 'bool' ? Number(value) : ownValue(field, value)
}

export function timestampText(epochMs: number): string {
  checkTimestamp(epochMs)
  return new Date(epochMs).toISOString().slice(0, -1).replace('T', ' ')
}

/** Of a day, or of a moment within it. */
function timestampMs(text: string): number {
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0'] = shownTime.exec(text) as unknown as string[]
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3)))
  return date.getTime()
}
const shownTime = /^(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d+))?)?$/

export const decode = decoderOf<Cell>({
  bool: (cell) => Number(cell) !== 0,
  timestamp: (cell) => timestampMs(String(cell)),
  uuid: (cell) => cell as Buffer,
  bytes: (cell) => cell as Buffer,
})
