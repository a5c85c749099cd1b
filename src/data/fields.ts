/** One generator per field: the value of a row is a pure function of (seed, entity, field, row, version). */

import type { Constant, Entity, Field } from '../scenario/scenario.ts'
import { monthMs } from '../scenario/units.ts'
import { binomial, picker, weighted } from './distributions.ts'
import { hash32, keyOf, Source } from './random.ts'
import { uuidText, type Value } from './value.ts'
import { writeInt32BE } from './whole-numbers.ts'
import { poolSize, words } from './words.ts'

/** Owned rows are numbered owner × 4096 + line. */
export const linesPerOwner = 4096
/** Row numbers from here on are never loaded nor inserted. */
export const firstMissingRow = 2 ** 40
/** New rows, and versions, come in blocks: one for each trial. */
export const blockSize = 2 ** 27
/** Numbers of int and decimal fields, in units of their last digit, as every engine holds them. */
const maxNumber = 2 ** 31 - 1
const mostTimeMs = 2 ** 48 - 1

/**
 * `number` serves int, decimal (scaled), timestamp (ms), bool (0, 1) and enum (index); `write` the UTF-8 or raw bytes of the others.
 * Where `isNull` the others are not asked for: what they say is the value that the row would have.
 * `version` 0 is the loaded or inserted value; `nowMs` is the replay time, used for rows that were not loaded.
 */
export interface FieldGenerator {
  readonly field: Field
  readonly numeric: boolean
  /** Most bytes that `write` writes. */
  readonly maxBytes: number
  number(row: number, version: number, nowMs: number): number
  write(row: number, version: number, nowMs: number, to: Buffer, offset: number): number
  /** Of a reference: the row that it refers to. */
  refers?(row: number, version: number): number
  /** Whether a row has no value; absent: every row has one. */
  isNull?(row: number, version: number): boolean
}

export interface GeneratorContext {
  seed: number
  epochMs: number
  /** Loaded rows of an entity. */
  rowsOf(entity: string): number
  /** Its rows in production: laws range over them. */
  inProduction(entity: string): number
  /** Creation time of a loaded row. */
  bornOf(entity: Entity): (row: number) => number
  /** Key generator of an entity. */
  keyOf(entity: string): FieldGenerator
  /** Values of an int field, which shrink where an operation filters by equality; words of a searched field likewise. */
  domainOf(entity: Entity, field: Field): number
}

const source = new Source()
const unsupported = (): never => {
  throw new Error('this field has no such representation')
}

/** A field, and the key that its draws begin with. */
interface Keyed {
  entity: Entity
  field: Field
  key: number
  context: GeneratorContext
}
type Generator<Kind extends Field['generator']['kind']> = Extract<Field['generator'], { kind: Kind }>
type Compressible = Generator<'json' | 'bytes'>

export function fieldGenerator(entity: Entity, field: Field, context: GeneratorContext): FieldGenerator {
  const generator = valueGenerator(entity, field, context)
  if (field.optional === undefined) return generator
  const key = keyOf(context.seed, `${entity.name}.${field.name} null`)
  const below = field.optional * 2 ** 32
  return { ...generator, isNull: (row, version) => !isMissing(entity, row) && hash32(key, row, version) < below }
}

/** As if every row had a value. */
export function alwaysValued({ isNull: _, ...generator }: FieldGenerator): FieldGenerator {
  return generator
}

function valueGenerator(entity: Entity, field: Field, context: GeneratorContext): FieldGenerator {
  const { generator } = field
  const key = keyOf(context.seed, `${entity.name}.${field.name}`)
  const keyed: Keyed = { entity, field, key, context }
  switch (generator.kind) {
    case 'uuid':
      return uuids(keyed, generator)
    case 'rowNumber':
      return numbers(field, (row) => row + 1)
    case 'line':
      return numbers(field, (row) => row % linesPerOwner)
    case 'ownerKey':
      return ownerKeys(keyed)
    case 'reference':
      return references(keyed, generator)
    case 'number':
      return drawnNumbers(keyed, generator)
    case 'bool':
      return numbers(field, (row, version) => (source.restart(key, row, version).next() < generator.share ? 1 : 0))
    case 'enum': {
      const draw = weighted(generator.weights)
      return numbers(field, (row, version) => draw(source.restart(key, row, version)))
    }
    case 'timestamp':
      return creationTimes(keyed)
    case 'expiresAt':
      return expiryTimes(keyed)
    case 'words':
      return texts(keyed, generator)
    case 'email':
      return emails(keyed)
    case 'json':
      return bytes(field, Math.max(20, generator.bytes), (row, version, _nowMs, to, offset) =>
        writeJson(source.restart(key, row, version), generator, to, offset),
      )
    case 'bytes':
      return compressibleBytes(keyed, generator)
  }
}

const numbers = (field: Field, number: FieldGenerator['number']): FieldGenerator => ({
  field,
  numeric: true,
  maxBytes: 0,
  number,
  write: unsupported,
})

const bytes = (field: Field, maxBytes: number, write: FieldGenerator['write']): FieldGenerator => ({
  field,
  numeric: false,
  maxBytes,
  number: unsupported,
  write,
})

/** The same value for every row: of a number, a bool, an enum or a text; null: none. */
export function constantGenerator(field: Field, constant: Constant | null): FieldGenerator {
  const { generator } = field
  if (constant === null) return { ...bytes(field, 0, () => 0), isNull: () => true }
  if (generator.kind === 'enum') {
    const index = generator.values.indexOf(String(constant))
    return numbers(field, () => index)
  }
  if (typeof constant !== 'string') return numbers(field, () => Number(constant))
  const text = Buffer.from(constant)
  return bytes(field, text.length, (_row, _version, _nowMs, to, offset) => text.copy(to, offset))
}

/** The row that was created: a line is as old as its owner. */
const originOf = (entity: Entity, row: number) => (entity.owner === null ? row : Math.floor(row / linesPerOwner))

function uuids({ entity, field, key, context }: Keyed, { version: kind }: Generator<'uuid'>): FieldGenerator {
  // A key stays what it is; any other value is fresh with every write, so that a lost one shows.
  const isKey = entity.key.includes(field.name)
  const loaded = context.rowsOf(entity.name)
  const born = context.bornOf(entity)
  const timeMs = (row: number) => {
    const origin = originOf(entity, row)
    // Of a new row a function of its number alone: it can be asked for at any time, ascends with the trials, and is the same for every candidate.
    return origin < loaded ? born(origin) : context.epochMs + origin - loaded
  }
  return bytes(field, 16, (row, version, _nowMs, to, offset) => {
    writeUuid(key, row, isKey ? 0 : version, to, offset)
    if (kind === 7) to.writeUIntBE(Math.min(mostTimeMs, Math.max(0, timeMs(row))), offset, 6)
    to[offset + 6] = ((to[offset + 6] as number) & 0x0f) | (kind << 4)
    return 16
  })
}

function ownerKeys({ entity, field, context }: Keyed): FieldGenerator {
  const owner = context.keyOf(entity.owner?.entity as string)
  const of = (row: number) => Math.floor(row / linesPerOwner)
  return owner.numeric
    ? numbers(field, (row, version, nowMs) => owner.number(of(row), version, nowMs))
    : bytes(field, owner.maxBytes, (row, version, nowMs, to, offset) => owner.write(of(row), version, nowMs, to, offset))
}

function references({ entity, field, key, context }: Keyed, { entity: referred, skew }: Generator<'reference'>): FieldGenerator {
  const target = context.keyOf(referred)
  const rows = context.rowsOf(referred)
  const pick = picker(skew, rows, keyOf(context.seed, `popular ${referred}`), context.inProduction(referred))
  const of = (row: number, version: number) => (isMissing(entity, row) ? row : pick(source.restart(key, row, version)))
  if (target.numeric) return { ...numbers(field, (row, version, nowMs) => target.number(of(row, version), 0, nowMs)), refers: of }
  const table = target.field.type === 'uuid' ? uuidTable(target, rows) : null
  const write: FieldGenerator['write'] = (row, version, nowMs, to, offset) => {
    const at = of(row, version)
    return table === null || isMissing(entity, row) ? target.write(at, 0, nowMs, to, offset) : table(at, to, offset)
  }
  return { ...bytes(field, target.maxBytes, write), refers: of }
}

function drawnNumbers({ entity, field, key, context }: Keyed, { low, high, mean, skew }: Generator<'number'>): FieldGenerator {
  const draw =
    mean === null
      ? picker(skew, context.domainOf(entity, field), keyOf(context.seed, `popular ${entity.name}.${field.name}`), high - low + 1)
      : binomial(0, high - low, mean - low)
  const missing = missingNumber(low, high)
  return numbers(field, (row, version) => (isMissing(entity, row) ? missing(row) : low + draw(source.restart(key, row, version))))
}

function creationTimes({ entity, field, context }: Keyed): FieldGenerator {
  const loaded = context.rowsOf(entity.name)
  const born = context.bornOf(entity)
  return numbers(field, (row, version, nowMs) => {
    const origin = originOf(entity, row)
    return version > 0 || origin >= loaded ? nowMs : born(origin)
  })
}

function expiryTimes({ entity, field, key, context }: Keyed): FieldGenerator {
  const loaded = context.rowsOf(entity.name)
  const ttlMs = entity.ttlMs as number
  return numbers(field, (row, version, nowMs) =>
    version > 0 || row >= loaded ? nowMs + ttlMs : context.epochMs + Math.ceil((1 - source.restart(key, row).next()) * ttlMs),
  )
}

function texts({ entity, field, key, context }: Keyed, { least, most }: Generator<'words'>): FieldGenerator {
  const pool = words()
  const size = context.domainOf(entity, field)
  return bytes(field, most * 13, (row, version, _nowMs, to, offset) => {
    if (isMissing(entity, row)) return to.write(pool[poolSize + (row % 100)] as string, offset, 'latin1')
    source.restart(key, row, version)
    const count = least + source.below(most - least + 1)
    let end = offset
    for (let i = 0; i < count; i++) {
      if (i > 0) to[end++] = 0x20
      end += to.write(pool[source.below(size)] as string, end, 'latin1')
    }
    return end - offset
  })
}

function emails({ field, key }: Keyed): FieldGenerator {
  const pool = words()
  return bytes(field, 64, (row, version, _nowMs, to, offset) => {
    source.restart(key, row, version)
    const name = `${pool[source.below(poolSize)]}.${pool[source.below(poolSize)]}`
    return to.write(`${name}.${row.toString(36)}${version === 0 ? '' : `.${version.toString(36)}`}@example.com`, offset, 'latin1')
  })
}

/** Random bytes, then zeros. */
function compressibleBytes({ field, key }: Keyed, { bytes: size, compressibility }: Compressible): FieldGenerator {
  const random = Math.max(1, Math.round(size * (1 - compressibility)))
  return bytes(field, size, (row, version, _nowMs, to, offset) => {
    source.restart(key, row, version)
    for (let i = 0; i < size; i++) to[offset + i] = i < random ? source.next32() & 0xff : 0
    return size
  })
}

export function isMissing(entity: Entity, row: number): boolean {
  return row >= (entity.owner === null ? firstMissingRow : firstMissingRow * linesPerOwner)
}

/** Values outside of the range, where the type has some: above it, else below it. */
function missingNumber(low: number, high: number): (row: number) => number {
  const [above, below] = [Math.min(997, maxNumber - high), Math.min(997, low + maxNumber)]
  if (above >= below) return (row) => (above === 0 ? high : high + 1 + (row % above))
  return (row) => low - 1 - (row % below)
}

/** Keys that are referred to again and again are written once; null where they would take more than 16 MB. */
function uuidTable(keys: FieldGenerator, rows: number): ((row: number, to: Buffer, offset: number) => number) | null {
  if (rows > 2 ** 20) return null
  let table: Buffer | undefined
  return (row, to, offset) => {
    if (table === undefined) {
      table = Buffer.allocUnsafe(rows * 16)
      for (let each = 0; each < rows; each++) keys.write(each, 0, 0, table, each * 16)
    }
    const from = row * 16
    for (let at = 0; at < 16; at++) to[offset + at] = table[from + at] as number
    return 16
  }
}

/** Version 4 but for the version nibble, which the caller sets: 122 bits of four independent hashes. */
function writeUuid(key: number, row: number, version: number, to: Buffer, offset: number): void {
  writeInt32BE(hash32(key, row, version), to, offset)
  writeInt32BE(hash32(key ^ 0x3c6ef372, row, version), to, offset + 4)
  writeInt32BE((hash32(key ^ 0xdaa66d2b, row, version) & 0x3fffffff) | 0x80000000, to, offset + 8)
  writeInt32BE(hash32(key ^ 0x78dde6e4, row, version), to, offset + 12)
}

/**
 * Creation time of loaded row i of n: quantile (i + ½)/n of a truncated exponential over the entity's age, oldest first
 * (the stock grew by `growthPerMonth`; uniform without growth).
 */
export function creationTime(entity: Entity, rows: number, epochMs: number): (row: number) => number {
  const perMs = Math.log1p(entity.growthPerMonth) / monthMs
  const { ageMs } = entity
  if (perMs * ageMs < 1e-9) return (row) => Math.floor(epochMs - ageMs + ((row + 0.5) / rows) * ageMs)
  const span = Math.expm1(perMs * ageMs)
  // Several fields of one row ask one after the other. Row and time in an array: a variable that holds a fraction is allocated anew at every change.
  const last = Float64Array.of(-1, 0)
  return (row) => {
    if (row !== last[0]) {
      last[0] = row
      last[1] = Math.floor(epochMs - ageMs + Math.log1p(((row + 0.5) / rows) * span) / perMs)
    }
    return last[1] as number
  }
}

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')

/** {"n":<int>,"text":"…"} of exactly the asked size. */
function writeJson(draws: Source, { bytes, compressibility }: Compressible, to: Buffer, offset: number): number {
  let end = offset + to.write(`{"n":${draws.below(10)},"text":"`, offset, 'latin1')
  const text = Math.max(0, bytes - (end - offset) - 2)
  const random = Math.round(text * (1 - compressibility))
  for (let i = 0; i < text; i++) to[end++] = i < random ? (alphabet[draws.next32() & 63] as number) : 0x61
  end += to.write('"}', end, 'latin1')
  return end - offset
}

const scratch = Buffer.alloc(1 << 20)

/** The value as answers carry it. */
export function generatedValue(generator: FieldGenerator, row: number, version: number, nowMs: number): Value {
  if (generator.isNull?.(row, version) === true) return null
  if (generator.numeric) return valueOfNumber(generator.field, generator.number(row, version, nowMs))
  return valueOfBytes(generator.field, scratch, 0, generator.write(row, version, nowMs, scratch, 0))
}

export function valueOfNumber(field: Field, number: number): Value {
  switch (field.type) {
    case 'decimal':
      return BigInt(number)
    case 'bool':
      return number === 1
    case 'enum':
      return field.generator.kind === 'enum' ? (field.generator.values[number] as string) : number
    default:
      return number
  }
}

export function valueOfBytes(field: Field, bytes: Buffer, from: number, to: number): Value {
  switch (field.type) {
    case 'uuid':
    case 'bytes':
      return Buffer.from(bytes.subarray(from, to))
    case 'json':
      return JSON.parse(bytes.toString('latin1', from, to)) as Value
    default:
      return bytes.toString('utf8', from, to)
  }
}

/** Text of a value for people. */
export function display(value: Value): string {
  if (value instanceof Uint8Array) return value.length === 16 ? uuidText(value) : `${value.length} bytes`
  return typeof value === 'object' && value !== null
    ? JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? Number(each) : each))
    : String(value)
}
