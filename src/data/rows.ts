/** Rows for the bulk load, generated column-wise into buffers, block by block, owners together with their lines. */
import { type Field, ownedBy } from '../scenario/scenario.ts'
import type { Dataset, EntityData } from './dataset.ts'
import { type FieldGenerator, linesPerOwner, valueOfBytes, valueOfNumber } from './fields.ts'
import type { Value } from './value.ts'

/** `numbers` holds one number a row; `bytes` the rows' bytes back to back, row i ending at ends[i]. Rows with nulls[i] have no value; absent: all have one. */
export type Column = { field: Field; nulls?: Uint8Array } & (
  | { kind: 'numbers'; numbers: Float64Array }
  | { kind: 'bytes'; bytes: Buffer; ends: Uint32Array }
)

export interface Chunk {
  entity: string
  rows: number
  data: EntityData
  /** Row numbers, for bulk formats that are written row by row straight from the generators. */
  numbers: Float64Array
  /** Replay time of the load. */
  epochMs: number
  /** In the order of the entity's fields; generated when they are first asked for. */
  readonly columns: Column[]
}
export interface Block extends Chunk {
  /** Lines of these rows; the lines of row i end at ends[i]. */
  owned: (Chunk & { ends: Uint32Array })[]
}
export interface RowSource {
  /** Rows in the blocks so far, lines included. */
  readonly rows: number
  blocks(): Iterable<Block>
}

const blockRows = 4096

/** The rows with from ≤ i/n < to of every entity, entities in the order of their references. An abort ends whoever draws them at the next block. */
export function rowSource(dataset: Dataset, from: number, to: number, signal?: AbortSignal): RowSource {
  const owners = dataset.scenario.entities.filter((entity) => entity.owner === null).map((entity) => dataset.entities.get(entity.name) as EntityData)
  let rows = 0
  return {
    get rows() {
      return rows
    },
    *blocks() {
      for (const data of owners) {
        const owned = ownedBy(dataset.scenario, data.entity.name).map((entity) => dataset.entities.get(entity.name) as EntityData)
        const last = Math.round(data.rows * to)
        for (let first = Math.round(data.rows * from); first < last; first += blockRows) {
          signal?.throwIfAborted()
          const block = makeBlock(data, owned, first, Math.min(last, first + blockRows), dataset.scenario.epochMs)
          for (const chunk of [block, ...block.owned]) rows += chunk.rows
          yield block
        }
      }
    },
  }
}

function makeBlock(data: EntityData, owned: EntityData[], first: number, end: number, epochMs: number): Block {
  const numbers = new Float64Array(end - first)
  for (let index = 0; index < numbers.length; index++) numbers[index] = first + index
  return Object.assign(makeChunk(data, numbers, epochMs), { owned: owned.map((each) => makeLines(each, first, end, epochMs)) })
}

function makeLines(owned: EntityData, first: number, end: number, epochMs: number): Chunk & { ends: Uint32Array } {
  const ends = new Uint32Array(end - first)
  let count = 0
  for (let owner = first; owner < end; owner++) {
    count += owned.linesOf(owner)
    ends[owner - first] = count
  }
  const numbers = new Float64Array(count)
  for (let owner = first, at = 0; owner < end; owner++)
    for (let line = 1; at < (ends[owner - first] as number); line++) numbers[at++] = owner * linesPerOwner + line
  return Object.assign(makeChunk(owned, numbers, epochMs), { ends })
}

function makeChunk(data: EntityData, numbers: Float64Array, epochMs: number): Chunk {
  let columns: Column[] | undefined
  return {
    entity: data.entity.name,
    rows: numbers.length,
    data,
    numbers,
    epochMs,
    get columns() {
      columns ??= data.generators.map((generator) => fillColumn(generator, numbers, epochMs))
      return columns
    },
  }
}

function fillColumn(generator: FieldGenerator, rows: Float64Array, epochMs: number): Column {
  const { field } = generator
  const { isNull } = generator
  const nulls = isNull === undefined ? {} : { nulls: Uint8Array.from(rows, (row) => (isNull(row, 0) ? 1 : 0)) }
  if (generator.numeric) {
    const numbers = new Float64Array(rows.length)
    for (let i = 0; i < rows.length; i++) numbers[i] = generator.number(rows[i] as number, 0, epochMs)
    return { field, ...nulls, kind: 'numbers', numbers }
  }
  const bytes = Buffer.allocUnsafe(generator.maxBytes * rows.length)
  const ends = new Uint32Array(rows.length)
  let end = 0
  for (let i = 0; i < rows.length; i++) {
    if (nulls.nulls?.[i] !== 1) end += generator.write(rows[i] as number, 0, epochMs, bytes, end)
    ends[i] = end
  }
  return { field, ...nulls, kind: 'bytes', bytes, ends }
}

/** Where the bytes, or the lines, of a row begin. */
export const startOf = (ends: Uint32Array, row: number) => (row === 0 ? 0 : (ends[row - 1] as number))

export const columnOf = (chunk: Chunk, field: string) => chunk.columns.find((column) => column.field.name === field) as Column

/** The value of one cell, for engines whose bulk path takes values. */
export function cell(column: Column, row: number): Value {
  if (column.nulls?.[row] === 1) return null
  if (column.kind === 'numbers') return valueOfNumber(column.field, column.numbers[row] as number)
  return valueOfBytes(column.field, column.bytes, startOf(column.ends, row), column.ends[row] as number)
}
