/** PostgreSQL's binary COPY format, written straight from generated columns (documentation: COPY, Binary Format). */

import type { FieldGenerator } from '../../data/fields.ts'
import type { Chunk } from '../../data/rows.ts'
import { writeInt16BE, writeInt32BE } from '../../data/whole-numbers.ts'
import type { Entity, Field, Scenario } from '../../scenario/scenario.ts'
import { enumTexts, type NumberWriter, widestNumber, writeBigInteger, writeBool, writeInteger, writeNumeric, writeTimestamp } from './binary.ts'
import { sqlType } from './dialect.ts'

export const copyHeader = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])
export const copyTrailer = Buffer.from([0xff, 0xff])

/** The rows of a chunk as COPY tuples, each value written once, where it will be sent from. */
export function encodeCopy(scenario: Scenario, { data, numbers, epochMs }: Pick<Chunk, 'data' | 'numbers' | 'epochMs'>): Buffer {
  const writers = data.generators.map((generator) =>
    unlessNull(generator, generator.numeric ? numberWriter(scenario, data.entity, generator) : bytesWriter(generator)),
  )
  const maxBytes = data.generators.reduce((sum, generator) => sum + (generator.numeric ? widest(generator.field) : 5 + generator.maxBytes), 2)
  const to = Buffer.allocUnsafe(maxBytes * numbers.length)
  let at = 0
  for (let index = 0; index < numbers.length; index++) {
    const row = numbers[index] as number
    at = writeInt16BE(writers.length, to, at)
    for (let field = 0; field < writers.length; field++) at = (writers[field] as FieldWriter)(row, epochMs, to, at)
  }
  return to.subarray(0, at)
}

type FieldWriter = (row: number, nowMs: number, to: Buffer, at: number) => number

/** No value has a length below zero. */
function unlessNull({ isNull }: FieldGenerator, write: FieldWriter): FieldWriter {
  return isNull === undefined ? write : (row, nowMs, to, at) => (isNull(row, 0) ? writeInt32BE(-1, to, at) : write(row, nowMs, to, at))
}

function numberWriter(scenario: Scenario, entity: Entity, generator: FieldGenerator): FieldWriter {
  const write = copyWriter(generator.field, sqlType(scenario, entity, generator.field))
  return (row, nowMs, to, at) => write(generator.number(row, 0, nowMs), to, at)
}

function bytesWriter(generator: FieldGenerator): FieldWriter {
  const versioned = generator.field.type === 'json' ? 1 : 0 // jsonb starts with its format version
  return (row, nowMs, to, at) => {
    const start = at + 4 + versioned
    const length = generator.write(row, 0, nowMs, to, start)
    writeInt32BE(length + versioned, to, at)
    if (versioned === 1) to[at + 4] = 1
    return start + length
  }
}

function widest(field: Field): number {
  return Math.max(widestNumber, ...enumTexts(field).map((text) => text.length))
}

function copyWriter(field: Field, type: string): NumberWriter {
  switch (field.type) {
    case 'bool':
      return writeBool
    case 'enum': {
      const texts = enumTexts(field)
      return (value, to, at) => {
        const text = texts[value] as Buffer
        for (let index = 0; index < text.length; index++) to[at++] = text[index] as number
        return at
      }
    }
    case 'timestamp':
      return writeTimestamp
    case 'decimal':
      return (value, to, at) => writeNumeric(value, field.scale, to, at)
    default:
      return type === 'integer' ? writeInteger : writeBigInteger
  }
}
