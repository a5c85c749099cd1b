/** Values of relational products as their drivers take and give them. */
import { decimalText, decimalValue, type Value } from '../../data/value.ts'
import { type Entity, type Field, isAddedTo, type Scenario } from '../../scenario/scenario.ts'
import type { Decode } from './answers.ts'

/** A parameter as drivers take it; `timestampText`: a time as the product writes it. */
export function driverValue(field: Field, value: Value, timestampText: (epochMs: number) => string): unknown {
  if (value === null) return null
  if (field.type === 'decimal') return decimalText(BigInt(value as number | bigint), field.scale)
  if (field.type === 'timestamp') return timestampText(Number(value))
  if (field.type === 'json') return JSON.stringify(value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value
}

/** Reads cells; `own`: of the types that products write each in their own way. */
export function decoderOf<Cell>(own: Record<'bool' | 'timestamp' | 'uuid' | 'bytes', (cell: NonNullable<Cell>) => Value>): Decode<Cell> {
  return (field, cell) => {
    if (cell == null) return null
    switch (field.type) {
      case 'int':
        return Number(cell)
      case 'decimal':
        return decimalValue(String(cell), field.scale)
      case 'json':
        return JSON.parse(String(cell)) as Value
      case 'bool':
      case 'timestamp':
      case 'uuid':
      case 'bytes':
        return own[field.type](cell)
      default:
        return String(cell)
    }
  }
}

const maxInteger = 2 ** 31 - 1
/** Values beyond a field's range stand for rows that are not there. */
const beyondRange = 1000

/** Whether four bytes hold all values of a whole number; a column that something is added to has no bound. */
export function isFourBytes(scenario: Scenario, entity: Entity, field: Field): boolean {
  const { generator } = field
  const isBounded = generator.kind === 'line' || (generator.kind === 'number' && generator.high + beyondRange <= maxInteger)
  return isBounded && !isAddedTo(scenario, entity, field)
}
