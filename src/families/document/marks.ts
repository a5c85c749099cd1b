/** Commands of a document store as data: documents with marks where a call's own values go. */
import { decimalText } from '../../data/value.ts'
import type { Constant, Field } from '../../scenario/scenario.ts'

export type Json = unknown
export type Document = Record<string, Json>

/** No field of a scenario is named like this, and its constants are never put into a document as they are. */
const kind = '?'

/** A value of the call: a parameter by its position, also one that the call reads before, or a column of the owned row or target at hand. */
export interface Bind {
  [kind]: 'parameter' | 'line' | 'target' | 'read'
  at: number
  /** As the parameter or the column is called. */
  name: string
  field: Field
}
export interface ConstantMark {
  [kind]: 'constant'
  field: Field
  value: Constant | null
}
/** An array with a document for each owned row, or for each target, that parameter `at` holds. */
export interface Each {
  [kind]: 'each'
  over: 'line' | 'target'
  at: number
  body: Document
}
/** The time of the client's clock when the command is written, and so much later. */
export interface ClockMark {
  [kind]: 'clock'
  laterMs: number
}
export type Mark = Bind | ConstantMark | Each | ClockMark

export const bind = (from: Bind['?'], at: number, name: string, field: Field): Bind => ({ [kind]: from, at, name, field })
export const constant = (field: Field, value: Constant | null): ConstantMark => ({ [kind]: 'constant', field, value })
export const each = (over: Each['over'], at: number, body: Document): Each => ({ [kind]: 'each', over, at, body })
export const clock = (laterMs: number): ClockMark => ({ [kind]: 'clock', laterMs })

export const isMark = (value: Json): value is Mark => typeof value === 'object' && value !== null && kind in value
export const isDocument = (value: Json): value is Document =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** As a shell of the store would take it, with `?name` in place of each value of a call. */
export function shownDocument(value: Json): string {
  if (isMark(value)) return shownMark(value)
  if (Array.isArray(value)) return `[${value.map(shownDocument).join(', ')}]`
  if (!isDocument(value)) return JSON.stringify(value)
  const elements = Object.entries(value).map(([name, element]) => `${shownName(name)}: ${shownDocument(element)}`)
  return elements.length === 0 ? '{}' : `{ ${elements.join(', ')} }`
}

const shownName = (name: string) => (/^[\w$]+$/.test(name) ? name : JSON.stringify(name))

function shownMark(mark: Mark): string {
  switch (mark[kind]) {
    case 'constant':
      return shownConstant(mark)
    case 'each':
      return `[${shownDocument(mark.body)}, …]`
    case 'clock':
      return `?clock + ${mark.laterMs / 1000} s`
    default:
      return `?${mark.name}`
  }
}

function shownConstant({ field, value }: ConstantMark): string {
  return field.type === 'decimal' && value !== null ? `Decimal128("${decimalText(BigInt(value as number), field.scale)}")` : JSON.stringify(value)
}
