/** What a cache in front of a store holds: under which keys gets look there, and which keys a write takes out. */
import { deserialize, serialize } from 'node:v8'
import { type ParamSource, positionsOf, type WireSource } from '../data/parameters.ts'
import type { Answer, Value } from '../data/value.ts'
import type { Compiled } from '../engines/engine.ts'
import { keyText, writeKey } from '../families/key-value/item.ts'
import { type Cache, entityOf, type Field, fieldOf, type Operation, type Write, writesOf } from '../scenario/scenario.ts'
import type { RequestBuffer } from './request.ts'

/** A row, by the parameters that hold its key. */
interface Addressed {
  fields: Field[]
  at: number[]
}
/** Of a get. */
export interface CachedRead extends Addressed {
  prefix: Buffer
}
/** Of one write of an operation: what the cached gets of its entity may hold of the rows that it changes. */
export interface Outdated {
  prefixes: Buffer[]
  row: Addressed | null
  /** Of a write to several rows: the parameter that lists them, each with its key first. */
  targetsAt: number
}
export interface CachedKeys {
  /** By operation; null: it goes to the store. */
  reads: (CachedRead | null)[]
  /** By operation. */
  outdated: Outdated[][]
}

export function cachedKeysOf({ scenario, operations }: Compiled, cache: Cache): CachedKeys {
  const cached = operations.filter((operation) => cache.for.includes(operation.name))
  const addressed = (operation: Operation, name: string, prefix: string): Addressed => {
    const entity = entityOf(scenario, name)
    const positions = positionsOf(scenario, operation)
    return { fields: entity.key.map((key) => fieldOf(entity, key)), at: entity.key.map((key) => positions.get(`${prefix}${key}`) ?? -1) }
  }
  const outdated = (operation: Operation, write: Write & { entity: string }, step: string): Outdated[] => {
    const prefixes = cached.flatMap(({ entity, name }) => (entity === write.entity ? [prefixOf(name)] : []))
    // A new row is in no cache: what is not found is not kept.
    if (prefixes.length === 0 || write.kind === 'insert') return []
    if (write.kind === 'update' && write.via !== null)
      return [{ prefixes, row: null, targetsAt: positionsOf(scenario, operation).get(`${step}targets`) ?? -1 }]
    return [{ prefixes, row: addressed(operation, write.entity, `${step}${write.kind === 'put' ? 'row' : 'key'}.`), targetsAt: -1 }]
  }
  return {
    reads: operations.map((operation) =>
      cached.includes(operation) ? { prefix: prefixOf(operation.name), ...addressed(operation, operation.entity, 'key.') } : null,
    ),
    outdated: operations.map((operation) =>
      writesOf(operation).flatMap((write, at) => outdated(operation, write, operation.kind === 'transaction' ? `${at}.` : '')),
    ),
  }
}

/** Gets of one entity may show different fields: each has its own. */
const prefixOf = (operation: string) => Buffer.from(`${operation}:`)
const separator = Buffer.from(':')

/** Writes the key of a row that parameters hold, in place of what `to` held. */
export function writeCachedKey(prefix: Buffer, { fields, at }: Addressed, params: WireSource, to: RequestBuffer): void {
  to.length = 0
  to.append(prefix)
  for (let part = 0; part < at.length; part++) {
    if (part > 0) to.append(separator)
    writeKey(fields[part] as Field, at[part] as number, params, to)
  }
}

export const cachedKey = (prefix: Buffer, values: Value[]) => `${prefix}${values.map(keyText).join(':')}`

export const keyValuesOf = ({ at }: Addressed, params: ParamSource): Value[] => at.map((each) => params.value(each))

/** Keys of the rows that a write to several of them changes: few have a composite key, and those are not written so. */
export const targetsOf = ({ targetsAt }: Outdated, params: ParamSource): Value[] =>
  (params.value(targetsAt) as Value[][]).map(([key]) => key as Value)

/** What is kept: when the store was asked, then its answer. */
export function encodeCached(storeAskedNs: number, { rows }: Extract<Answer, { kind: 'rows' }>): Buffer {
  const body = serialize(rows)
  const bytes = Buffer.allocUnsafe(body.length + 8)
  bytes.writeDoubleBE(storeAskedNs, 0)
  body.copy(bytes, 8)
  return bytes
}

export const storeAskedAt = (bytes: Buffer, from: number) => bytes.readDoubleBE(from)

/** Of a copy: what is decoded lies in the bytes that it is decoded from. */
export const decodeCached = (bytes: Buffer, from: number, to: number): Answer => ({
  kind: 'rows',
  rows: deserialize(Buffer.from(bytes.subarray(from + 8, to))) as Value[][],
})

/** On the monotonic clock, which all processes share. */
export const monotonicNs = () => Number(process.hrtime.bigint())
