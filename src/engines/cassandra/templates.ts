/** Operations that are one statement with its values in a row, as templates: each value is written where the frame has it, by the type that the server told. */

import {
  type ColumnType,
  countRows,
  countRowsAfter,
  executeHead,
  executeTail,
  type PreparedStatement,
  pageSize,
  types,
  writeNumber,
} from '../../clients/protocols/cql-messages.ts'
import type { RequestBuffer } from '../../clients/request.ts'
import { type Parameter, parametersOf, type WireSource } from '../../data/parameters.ts'
import type { Value } from '../../data/value.ts'
import type { Store, StoreColumn } from '../../families/model.ts'
import { leftOver } from '../../families/selection.ts'
import { storesOfEntity } from '../../families/wide-column/stores.ts'
import { entityOf, type Field, type Operation, type OperationOf, orderRangeOf } from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import type { Compiled } from '../engine.ts'
import { insertRow } from './cql.ts'
import { consistencyOf } from './operations.ts'
import { hasOneDeepStart } from './pages.ts'
import { columnOf, isByKey, lifeOfLines, nativeTtlSeconds, ownerOf, partitionOf, storeFor } from './rows.ts'

export type Writer = (params: WireSource, to: RequestBuffer) => void

export interface Template {
  prepared: PreparedStatement
  head: Buffer
  writers: Writer[]
  tail: Buffer
  /** Rows of a result, without decoding it. */
  rows(bytes: Buffer, from: number, nowMs: number): number
  /** Of the first page, where fewer that live are not enough while there are more; 0: the server limits them. */
  pageRows: number
}
export interface Templates {
  /** Of a list the first and the deep page; of other operations one. */
  variants: Template[]
  deepAt: number
  nowAt: number
}

/** What a statement binds: a parameter, or a value that is always the same. */
type Bind = { name: string } | { constant: Value; scale: number }
interface Shape {
  texts: string[]
  binds: Bind[][]
  rows: (columns: ColumnType[]) => Template['rows']
  pageRows?: number
}

/** null: it takes several requests, or a value that is not a parameter. */
export async function templatesOf(
  compiled: Compiled<string>,
  op: Operation,
  prepare: (text: string) => Promise<PreparedStatement>,
): Promise<Templates | null> {
  const shape = shapeOf(compiled, op)
  if (shape === null) return null
  const parameters = parametersOf(compiled.scenario, op)
  const variants: Template[] = []
  for (const [at, text] of shape.texts.entries()) {
    const prepared = await prepare(text)
    const none = op.kind === 'insert' ? unset : absent
    const writers = (shape.binds[at] as Bind[]).map((bind, index) => writerOf(bind, parameters, prepared.parameters[index] as ColumnType, none))
    const { pageRows = 0 } = shape
    variants.push({
      ...{ prepared, writers, pageRows },
      head: executeHead(prepared, consistencyOf(op)),
      tail: pageRows === 0 ? executeTail(null) : executeTail(null, pageRows),
      rows: shape.rows(prepared.columns),
    })
  }
  const at = (shape_: Parameter['shape']) => parameters.findIndex((each) => each.shape === shape_)
  return { variants, deepAt: at('deep'), nowAt: at('now') }
}

function shapeOf(compiled: Compiled<string>, op: Operation): Shape | null {
  const { scenario, model } = compiled
  const entity = entityOf(scenario, op.entity)
  const store = storeFor(model, op.name)
  const texts = compiled.programs[compiled.operations.indexOf(op)]?.variants.flat() ?? []
  // What may have expired the server cannot limit: a page of so many is asked for.
  const pageRowsOf = ({ limit }: { limit: number }) => (entity.ttlMs === null ? 0 : Math.min(limit, pageSize))
  const living = (most: number) => (columns: ColumnType[]) => {
    const expires = columns.findIndex((column) => column.name === 'expires_at')
    return entity.ttlMs === null
      ? (bytes: Buffer, from: number) => Math.min(most, countRows(bytes, from))
      : (bytes: Buffer, from: number, nowMs: number) => countRowsAfter(bytes, from, expires, nowMs, most)
  }
  switch (op.kind) {
    case 'get':
      if (
        entity.owner !== null ||
        tenantAskedOf(entity, op) !== null ||
        !isByKey(store, entity) ||
        op.with.some((name) => !store.embedded.includes(name))
      )
        return null
      return {
        texts: [(op.with.length === 0 ? ownerOf : partitionOf)(store, null).query],
        binds: [[{ name: `key.${entity.key[0]}` }]],
        rows: living(1),
      }
    case 'list': {
      if (store.unique || store.bucket !== null || leftOver(op).length > 0 || orderRangeOf(op) !== null || !hasOneDeepStart(op)) return null
      const where = store.partition.map((name): Bind => {
        const constant = op.where.find((filter) => filter.field === name)?.constant ?? null
        return constant === null ? { name: `where.${name}` } : { constant, scale: columnOf(store, name).scale }
      })
      const after = store.clustering.map((each): Bind => ({ name: `after.${each.column}` }))
      return { texts, binds: [where, [...where, ...after]], rows: living(op.limit), pageRows: pageRowsOf(op) }
    }
    case 'search':
      return { texts, binds: [[{ name: 'word' }]], rows: living(op.limit), pageRows: pageRowsOf(op) }
    case 'insert':
    case 'put':
      return writeShape(compiled, op)
    default:
      return null
  }
}

function writeShape({ scenario, model }: Compiled<string>, op: OperationOf<'insert'> | OperationOf<'put'>): Shape | null {
  const entity = entityOf(scenario, op.entity)
  const stores = storesOfEntity(model, entity).filter((store) => store.entity === entity.name)
  const [store] = stores as [Store]
  const computed = (column: StoreColumn) => column.role === 'token' || column.role === 'bucket' || column.role === 'version'
  if (stores.length > 1 || store.embedded.length > 0 || (op.kind === 'insert' && op.with.length > 0) || store.columns.some(computed)) return null
  const binds = store.columns.map((column): Bind => ({ name: `row.${column.field}` }))
  const lifeMs = entity.ttlMs ?? lifeOfLines(scenario, entity)
  const ttl = lifeMs === null ? [] : [{ constant: nativeTtlSeconds(lifeMs), scale: 0 }]
  const text = insertRow(
    store,
    store.columns.map((column) => column.name),
    ttl.length > 0 ? ['TTL'] : [],
  )
  return { texts: [text], binds: [[...binds, ...ttl]], rows: () => () => 1 }
}

/** `none`: what stands in place of the length of no value. */
function writerOf(bind: Bind, parameters: Parameter[], { type }: ColumnType, none: number): Writer {
  if ('constant' in bind) return (_, to) => writeValue(to, type, bind.scale, bind.constant)
  const at = parameters.findIndex((each) => each.name === bind.name)
  const { field } = parameters[at] as { field: Field }
  const write = valueWriter(field, at, type)
  return field.optional === undefined ? write : (params, to) => (params.isNull(at) ? writeLength(to, none) : write(params, to))
}

function valueWriter(field: Field, at: number, type: number): Writer {
  if (field.type === 'enum') {
    const texts = (field.generator.kind === 'enum' ? field.generator.values : []).map((value) => Buffer.from(value))
    return (params, to) => writeBytes(to, texts[params.number(at)] as Buffer)
  }
  if (type === types.varchar || type === types.blob || type === types.uuid || type === types.timeuuid) {
    return (params, to) => {
      to.reserve(4 + params.maxBytes(at))
      const end = params.write(at, to.bytes, to.length + 4)
      to.bytes.writeInt32BE(end - to.length - 4, to.length)
      to.length = end
    }
  }
  return (params, to) => {
    to.reserve(widestNumber)
    to.length = writeNumber(type, params.number(at), field.scale, to.bytes, to.length)
  }
}

const widestNumber = 32

/** In place of a length: no value from now on, which a tombstone says; and whatever was there stays, which of a new row is nothing. */
export const [absent, unset] = [-1, -2] as const

export function writeLength(to: RequestBuffer, length: number): void {
  to.reserve(4)
  to.length = to.bytes.writeInt32BE(length, to.length)
}

/** A value of a conversation, length first. */
export function writeValue(to: RequestBuffer, type: number, scale: number, value: Value | undefined): void {
  if (value === null || value === undefined) writeLength(to, absent)
  else if (typeof value === 'string') writeBytes(to, Buffer.from(value))
  else if (value instanceof Uint8Array) writeBytes(to, Buffer.from(value))
  else if (typeof value === 'object') writeBytes(to, Buffer.from(JSON.stringify(value)))
  else {
    to.reserve(widestNumber)
    to.length = writeNumber(type, Number(value), scale, to.bytes, to.length)
  }
}

export function writeBytes(to: RequestBuffer, bytes: Buffer): void {
  to.reserve(4 + bytes.length)
  to.length = to.bytes.writeInt32BE(bytes.length, to.length)
  to.append(bytes)
}
