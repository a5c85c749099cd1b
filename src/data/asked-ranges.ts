/** What the ranges of a list or an aggregate make of a picked row: whether it lies in one, and how its text begins. */
import { hasDeepPages, type Operation, orderRangeOf } from '../scenario/scenario.ts'
import { type EntityData, generatorOf } from './dataset.ts'
import type { FieldGenerator } from './fields.ts'

/** The range along the order of a list: only what lies in it has a page behind it. */
export interface AlongOrder {
  has(row: number, bornMs: number, nowMs: number): boolean
}

/** Where there is none every row has, and where texts begin as that of the picked row, that row; nothing is behind no value. */
export function alongOrderOf(operation: Operation, data: EntityData): AlongOrder {
  if (operation.kind === 'list' && !hasDeepPages(data.entity, operation)) return { has: () => false }
  const range = operation.kind === 'list' ? orderRangeOf(operation) : null
  if (range === null) return { has: () => true }
  const generator = generatorOf(data, range.field)
  const hasValue = (row: number) => generator.isNull?.(row, 0) !== true
  if ('characters' in range) return { has: hasValue }
  if (!('ms' in range)) {
    const [from, below] = [range.from ?? -Infinity, range.below ?? Infinity]
    return { has: (row, bornMs) => hasValue(row) && isWithin(generator.number(row, 0, bornMs), from, below) }
  }
  const { ms } = range
  return { has: (row, bornMs, nowMs) => hasValue(row) && isWithin(generator.number(row, 0, bornMs), nowMs - ms, nowMs) }
}

const isWithin = (number: number, from: number, below: number) => number >= from && number < below

/** Of a parameter that holds how a text begins (`prefix`), or the first text behind all that begin so (`below`). */
export function prefixOf(operation: Operation, generator: FieldGenerator, role: 'prefix' | 'below'): PrefixWriter {
  const prefixes = operation.kind === 'list' || operation.kind === 'aggregate' ? operation.prefixes : undefined
  return new PrefixWriter(generator, prefixes?.find(({ field }) => field === generator.field.name)?.characters ?? 0, role === 'below')
}

/** Texts of rows are ASCII: a character is a byte, and none is the last that there is. */
export class PrefixWriter {
  readonly maxBytes: number
  readonly #generator: FieldGenerator
  readonly #characters: number
  readonly #isBehind: boolean
  readonly #scratch: Buffer

  constructor(generator: FieldGenerator, characters: number, isBehind: boolean) {
    this.maxBytes = generator.maxBytes
    this.#generator = generator
    this.#characters = characters
    this.#isBehind = isBehind
    this.#scratch = Buffer.alloc(generator.maxBytes)
  }

  /** How many bytes; what stands behind them may be written over, up to `maxBytes`. */
  write(row: number, bornMs: number, to: Buffer, offset: number): number {
    const length = Math.min(this.#characters, this.#generator.write(row, 0, bornMs, to, offset))
    const last = offset + length - 1
    if (this.#isBehind) to[last] = (to[last] as number) + 1
    return length
  }

  value(row: number, bornMs: number): string {
    return this.#scratch.toString('latin1', 0, this.write(row, bornMs, this.#scratch, 0))
  }
}
