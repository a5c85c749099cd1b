/** One generator per field: the value of a row is a pure function of (seed, entity, field, row, version). */

import type { Entity, Field } from '../scenario/scenario.ts'
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
const mostNumber = 2 ** 31 - 1
const mostTimeMs = 2 ** 48 - 1

/**
 * `number` serves int, decimal (scaled), timestamp (ms), bool (0, 1) and enum (index); `write` the UTF-8 or raw bytes of the others.
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

export function fieldGenerator(entity: Entity, field: Field, context: GeneratorContext): FieldGenerator {
  const key = keyOf(context.seed, `${entity.name}.${field.name}`)
  const { generator } = field
  const loaded = context.rowsOf(entity.name)
  const number = (draw: FieldGenerator['number']): FieldGenerator => ({ field, numeric: true, maxBytes: 0, number: draw, write: unsupported })
  const bytes = (maxBytes: number, write: FieldGenerator['write']): FieldGenerator => ({
    field,
    numeric: false,
    maxBytes,
    number: unsupported,
    write,
  })
  const born = context.bornOf(entity)
  const originOf = (row: number) => (entity.owner === null ? row : Math.floor(row / linesPerOwner))
  const createdMs = (row: number, version: number, nowMs: number) => {
    const origin = originOf(row)
    return version > 0 || origin >= loaded ? nowMs : born(origin)
  }
  const keyTimeMs = (row: number) => {
    const origin = originOf(row)
    // Of a new row a function of its number alone: it can be asked for at any time, ascends with the trials, and is the same for every candidate.
    return origin < loaded ? born(origin) : context.epochMs + origin - loaded
  }
  switch (generator.kind) {
    case 'uuid': {
      // A key stays what it is; any other value is fresh with every write, so that a lost one shows.
      const isKey = entity.key.includes(field.name)
      return bytes(16, (row, version, _nowMs, to, offset) => {
        writeUuid(key, row, isKey ? 0 : version, to, offset)
        if (generator.version === 7) to.writeUIntBE(Math.min(mostTimeMs, Math.max(0, keyTimeMs(row))), offset, 6)
        to[offset + 6] = ((to[offset + 6] as number) & 0x0f) | (generator.version << 4)
        return 16
      })
    }
    case 'rowNumber':
      return number((row) => row + 1)
    case 'line':
      return number((row) => row % linesPerOwner)
    case 'ownerKey': {
      const owner = context.keyOf(entity.owner?.entity as string)
      const of = (row: number) => Math.floor(row / linesPerOwner)
      return owner.numeric
        ? number((row, version, nowMs) => owner.number(of(row), version, nowMs))
        : bytes(owner.maxBytes, (row, version, nowMs, to, offset) => owner.write(of(row), version, nowMs, to, offset))
    }
    case 'reference': {
      const target = context.keyOf(generator.entity)
      const rows = context.rowsOf(generator.entity)
      const pick = picker(generator.skew, rows, keyOf(context.seed, `popular ${generator.entity}`), context.inProduction(generator.entity))
      const of = (row: number, version: number) => (isMissing(entity, row) ? row : pick(source.restart(key, row, version)))
      if (target.numeric) return { ...number((row, version, nowMs) => target.number(of(row, version), 0, nowMs)), refers: of }
      const uuids = target.field.type === 'uuid' ? uuidTable(target, rows) : null
      const write: FieldGenerator['write'] = (row, version, nowMs, to, offset) => {
        const referred = of(row, version)
        return uuids === null || isMissing(entity, row) ? target.write(referred, 0, nowMs, to, offset) : uuids(referred, to, offset)
      }
      return { ...bytes(target.maxBytes, write), refers: of }
    }
    case 'number': {
      const domain = context.domainOf(entity, field)
      const draw =
        generator.mean === null
          ? picker(generator.skew, domain, keyOf(context.seed, `popular ${entity.name}.${field.name}`), generator.high - generator.low + 1)
          : binomial(0, generator.high - generator.low, generator.mean - generator.low)
      const missing = missingNumber(generator.low, generator.high)
      return number((row, version) => (isMissing(entity, row) ? missing(row) : generator.low + draw(source.restart(key, row, version))))
    }
    case 'bool':
      return number((row, version) => (source.restart(key, row, version).next() < generator.share ? 1 : 0))
    case 'enum': {
      const draw = weighted(generator.weights)
      return number((row, version) => draw(source.restart(key, row, version)))
    }
    case 'timestamp':
      return number(createdMs)
    case 'expiresAt': {
      const ttlMs = entity.ttlMs as number
      return number((row, version, nowMs) =>
        version > 0 || row >= loaded ? nowMs + ttlMs : context.epochMs + Math.ceil((1 - source.restart(key, row).next()) * ttlMs),
      )
    }
    case 'words': {
      const pool = words()
      const size = context.domainOf(entity, field)
      return bytes(generator.most * 13, (row, version, _nowMs, to, offset) => {
        if (isMissing(entity, row)) return to.write(pool[poolSize + (row % 100)] as string, offset, 'latin1')
        source.restart(key, row, version)
        const count = generator.least + source.below(generator.most - generator.least + 1)
        let end = offset
        for (let i = 0; i < count; i++) {
          if (i > 0) to[end++] = 0x20
          end += to.write(pool[source.below(size)] as string, end, 'latin1')
        }
        return end - offset
      })
    }
    case 'email': {
      const pool = words()
      return bytes(64, (row, version, _nowMs, to, offset) => {
        source.restart(key, row, version)
        const name = `${pool[source.below(poolSize)]}.${pool[source.below(poolSize)]}`
        return to.write(`${name}.${row.toString(36)}${version === 0 ? '' : `.${version.toString(36)}`}@example.com`, offset, 'latin1')
      })
    }
    case 'json':
      return bytes(Math.max(20, generator.bytes), (row, version, _nowMs, to, offset) =>
        writeJson(source.restart(key, row, version), generator, to, offset),
      )
    case 'bytes':
      return bytes(generator.bytes, (row, version, _nowMs, to, offset) => {
        source.restart(key, row, version)
        const random = Math.max(1, Math.round(generator.bytes * (1 - generator.compressibility)))
        for (let i = 0; i < generator.bytes; i++) to[offset + i] = i < random ? source.next32() & 0xff : 0
        return generator.bytes
      })
  }
}

export function isMissing(entity: Entity, row: number): boolean {
  return row >= (entity.owner === null ? firstMissingRow : firstMissingRow * linesPerOwner)
}

/** Values outside of the range, where the type has some: above it, else below it. */
function missingNumber(low: number, high: number): (row: number) => number {
  const [above, below] = [Math.min(997, mostNumber - high), Math.min(997, low + mostNumber)]
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
function writeJson(draws: Source, { bytes, compressibility }: { bytes: number; compressibility: number }, to: Buffer, offset: number): number {
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
