/** Values and answers as every engine must give them back, so that they can be compared exactly. */
import { type Constant, type Entity, fieldOf } from '../scenario/scenario.ts'

/** decimal: scaled bigint · timestamp: epoch milliseconds UTC · uuid: 16 bytes · absent equals null. */
export type Value = null | boolean | bigint | number | string | Uint8Array | Value[] | { [name: string]: Value }

/** Rows carry the projection and then one list of lines per owned entity; groups carry key, count, sum (where asked). */
export type Answer =
  | { kind: 'rows'; rows: Value[][] }
  | { kind: 'groups'; groups: Value[][] }
  | { kind: 'wrote'; outcome: 'ok' | 'miss' | 'conflict'; rows: number }

/** Total order of values of one type: strings by UTF-8 bytes, bytes by unsigned value, null first. */
export function compareValues(a: Value, b: Value): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

/** A constant of the scenario as values of its field are: decimals are integers of their scale. */
export function constantOf(entity: Entity, field: string, constant: Constant | null): Value {
  return constant !== null && fieldOf(entity, field).type === 'decimal' ? BigInt(constant as number) : constant
}

/** A number with an amount added; decimals are integers of their scale. */
export const sumOf = (value: Value, amount: number): Value => (typeof value === 'bigint' ? value + BigInt(amount) : Number(value) + amount)

/** A text that two values share exactly when they are equal; key order of objects does not matter. */
export function canonical(value: Value): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof Uint8Array) return `x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] as Value)}`)
    .join(',')}}`
}

/** "12.34" ↔ 1234n at scale 2. */
export function decimalText(value: bigint, scale: number): string {
  if (scale === 0) return value.toString()
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** @throws RangeError where the text has more digits than the scale. */
export function decimalValue(text: string, scale: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.')
  if (fraction.length > scale && /[^0]/.test(fraction.slice(scale))) throw new RangeError(`${text} has more than ${scale} digits after the point`)
  return BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'))
}

export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export function uuidBytes(text: string): Uint8Array {
  return Buffer.from(text.replaceAll('-', ''), 'hex')
}
