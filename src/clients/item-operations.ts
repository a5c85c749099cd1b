/**
 * Operations on a product that finds items by their keys alone, as conversations: a `get`, a storing command or a `delete` each. What keeps some of
 * an item reads it first, and stores it unless it has changed. A product says how one call travels, and nothing else.
 */
import { guardOfRead, holds } from '../data/guard.ts'
import { isOfTenant, type ParamSource, positionsOf } from '../data/parameters.ts'
import { type Block, cell, columnOf, startOf } from '../data/rows.ts'
import { constantOf, sumOf, type Value } from '../data/value.ts'
import { type CallPlan, type Compiled, planInWords, type Reply } from '../engines/engine.ts'
import { type Item, keyText, type Layout, layoutOf, readItem, writeItem } from '../families/key-value/item.ts'
import { hostOf, readsFirst } from '../families/key-value/items.ts'
import { type Entity, entityOf, type Operation, type OperationOf } from '../scenario/scenario.ts'
import type { Addressing } from '../scenario/tenants.ts'
import { readReply, wroteReply } from './replies.ts'
import { RequestBuffer } from './request.ts'
import { maxRetries } from './retry.ts'
import { ServerError } from './server-error.ts'

/** `add` stores where there is no item, `set` whatever there is, `cas` where the item is still the one that a `gets` found. */
export interface Storing {
  command: 'add' | 'set' | 'cas'
  /** Without its namespace. */
  key: string
  layout: Layout
  item: Item
  /** How long the server keeps it, at least; 0: for ever. */
  seconds: number
  /** The version that a `gets` told; '' of other commands. */
  cas: string
}
export type Call = { command: 'get' | 'gets' | 'delete'; key: string } | Storing
/** How a call ended that finds nothing out. `changed`: the item is no longer the one that was read · `not stored`: there was one · `not found`: there was none. */
export type Outcome = 'done' | 'changed' | 'not stored' | 'not found'
/** To a `get` or `gets` the item that was found, with its version where that was asked for, or null; to others how it ended. */
export type Said = { value: Buffer; cas: string } | null | Outcome
export type Talk = Generator<Call, Reply, Said>
type Bound = (name: string) => Value
type Asked = Pick<Compiled, 'scenario' | 'operations'>
/** What the product calls its refusals: trials count errors by it. */
export interface Refusals {
  /** Of an `add`, because there was an item. */
  notStored: string
  /** Of a `cas`, because the item has changed. */
  changed: string
}

/** The server's own expiry comes this much later than the one in replay time: it only cleans up. */
const graceMs = 24 * 3_600_000

export class ItemOperations {
  readonly #compiled: Asked
  readonly #refusals: Refusals
  readonly #positions: Map<string, number>[]
  readonly #layouts: Map<string, Layout>

  constructor(compiled: Asked, refusals: Refusals) {
    this.#compiled = compiled
    this.#refusals = refusals
    const { scenario, operations } = compiled
    this.#positions = operations.map((operation) => positionsOf(scenario, operation))
    this.#layouts = new Map(scenario.entities.map(({ name }) => [name, layoutOf(scenario, hostOf(scenario, name))]))
  }

  /** Of the items that hold an entity's rows. */
  layout(entity: string): Layout {
    return this.#layouts.get(entity) as Layout
  }

  /** Holds an operation's conversation; `ask` makes one call. @throws what `ask` throws, and ServerError where the answers leave nothing else. */
  async perform(operation: number, params: ParamSource, ask: (call: Call) => Promise<Said>): Promise<Reply> {
    const positions = this.#positions[operation] as Map<string, number>
    const talk = this.talk(this.#compiled.operations[operation] as Operation, (name) => params.value(positions.get(name) ?? -1))
    let said = talk.next()
    while (said.done !== true) said = talk.next(await ask(said.value))
    return said.value
  }

  /** What stores the rows of a block, each with those that it owns. */
  *stored(block: Block): Iterable<Storing> {
    const layout = this.layout(block.entity)
    const columns = layout.fields.map(({ name }) => columnOf(block, name))
    const key = columnOf(block, layout.entity.key[0] as string)
    const owned = layout.owned.map(({ name, fields }) => {
      const chunk = block.owned.find((each) => each.entity === name) as Block['owned'][number]
      return { ends: chunk.ends, columns: fields.map((field) => columnOf(chunk, field.name)) }
    })
    for (let at = 0; at < block.rows; at++) {
      const row = columns.map((column) => cell(column, at))
      const lines = owned.map(({ ends, columns: own }) => {
        const first = startOf(ends, at)
        return Array.from({ length: (ends[at] as number) - first }, (_, line) => own.map((column) => cell(column, first + line)))
      })
      const seconds = layout.entity.ttlMs === null ? 0 : Math.ceil((Math.max(0, Number(row[0]) - block.epochMs) + graceMs) / 1000)
      yield { command: 'set', key: `${block.entity}:${keyText(cell(key, at))}`, layout, item: { row, lines }, seconds, cas: '' }
    }
  }

  /** How the server finds what an operation asks for. */
  explain(operation: number): CallPlan {
    const { entity } = this.layout((this.#compiled.operations[operation] as Operation).entity)
    return planInWords(`one get of the item of a ${entity.name}, found by the hash of its key`)
  }

  /** Rows of an entity among items that hold them, and the sum of a field. */
  total(name: string, field: string | undefined, values: Iterable<Buffer>): { rows: bigint; sum: bigint } {
    const layout = this.layout(name)
    const at = layout.owned.findIndex((owned) => owned.name === name)
    const place = namesOf(at < 0 ? layout.fields : (layout.owned[at]?.fields ?? [])).indexOf(field ?? '')
    let [rows, sum] = [0n, 0n]
    for (const value of values) {
      const item = readItem(layout, value)
      const own = at < 0 ? [item.row] : (item.lines[at] ?? [])
      rows += BigInt(own.length)
      if (field !== undefined) for (const row of own) sum += BigInt((row[place] ?? 0) as number | bigint)
    }
    return { rows, sum }
  }

  /** For clients that carry the calls themselves, and for a rehearsal. @throws where the operation is declined. */
  talk(op: Operation, bound: Bound): Talk {
    switch (op.kind) {
      case 'get':
        return this.#get(op, bound)
      case 'insert':
        return this.#insert(op, bound)
      case 'put':
        return readsFirst(this.#compiled.scenario, op) ? this.#merge(op, bound) : this.#put(op, bound)
      case 'update':
        return this.#update(op, bound)
      case 'delete':
        return this.#delete(op, bound)
      default:
        throw new Error(`${op.name} is declined`)
    }
  }

  *#get(op: OperationOf<'get'>, bound: Bound): Talk {
    const layout = this.layout(op.entity)
    const found = (yield { command: 'get', key: this.#key(layout, op.entity, bound, 'key') }) as Exclude<Said, Outcome>
    const item = found === null ? null : readItem(layout, found.value)
    if (layout.entity.name !== op.entity) return this.#line(op, layout, item, bound)
    if (item === null || !answers(op, layout, item, bound)) return readReply(0, () => ({ kind: 'rows', rows: [] }))
    const row = op.fields.map((name) => item.row[placeOf(layout, name)] as Value)
    const lines = op.with.map((name): Value => item.lines[layout.owned.findIndex((owned) => owned.name === name)] ?? [])
    return readReply(1, () => ({ kind: 'rows', rows: [[...row, ...lines]] }))
  }

  /** An owned row, asked for by itself. */
  #line(op: OperationOf<'get'>, layout: Layout, item: Item | null, bound: Bound): Reply {
    const [ownerKey, lineKey] = entityOf(this.#compiled.scenario, op.entity).key as [string, string]
    const at = layout.owned.findIndex((owned) => owned.name === op.entity)
    const line = item?.lines[at]?.find(([number]) => number === bound(`key.${lineKey}`))
    if (line === undefined) return readReply(0, () => ({ kind: 'rows', rows: [] }))
    const fields = layout.owned[at]?.fields ?? []
    const value = (name: string) => (name === ownerKey ? bound(`key.${ownerKey}`) : line[fields.findIndex((field) => field.name === name)]) as Value
    return readReply(1, () => ({ kind: 'rows', rows: [op.fields.map(value)] }))
  }

  *#insert(op: OperationOf<'insert'>, bound: Bound): Talk {
    const { layout, key, row } = this.#given(op.entity, bound)
    const lines = layout.owned.map(({ name }) => (op.with.includes(name) ? (bound(`lines.${name}`) as Value[][]) : []))
    const outcome = yield this.#store('add', layout, key, { row, lines })
    if (outcome !== 'done') throw new ServerError('constraint', this.#refusals.notStored, { detail: this.#refusals.notStored })
    return wroteReply(1, 0)
  }

  *#put(op: OperationOf<'put'>, bound: Bound): Talk {
    const { layout, key, row } = this.#given(op.entity, bound)
    yield this.#store('set', layout, key, { row, lines: [] })
    return wroteReply(1, 0)
  }

  /** A put of a row that owns others, which stay as they are. */
  *#merge(op: OperationOf<'put'>, bound: Bound): Talk {
    const { layout, key, row } = this.#given(op.entity, bound)
    return yield* this.#change(layout, key, (item) => ({ row, lines: item?.lines ?? layout.owned.map(() => []) }))
  }

  *#update(op: OperationOf<'update'>, bound: Bound): Talk {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const layout = this.layout(op.entity)
    const changed = (values: Value[], places: string[]) => {
      const after = [...values]
      for (const each of op.set)
        after[places.indexOf(each.field)] = each.to === 'constant' ? constantOf(entity, each.field, each.constant) : bound(`set.${each.field}`)
      for (const { field, amount } of op.add) after[places.indexOf(field)] = sumOf(after[places.indexOf(field)] as Value, amount)
      return after
    }
    const { guard } = op
    let read: Value | undefined
    const mayChange = (values: Value[], places: string[]) => {
      if (guard === undefined) return true
      const value = values[places.indexOf(guard.field)] as Value
      read ??= value
      return holds(entity, guardOfRead(guard, read), value)
    }
    const change = this.#change(layout, this.#key(layout, op.entity, bound, 'key'), (item) => {
      if (item === null) return null
      if (layout.entity.name === op.entity) {
        const places = namesOf(layout.fields)
        return answers(op, layout, item, bound) && mayChange(item.row, places) ? { ...item, row: changed(item.row, places) } : null
      }
      const at = layout.owned.findIndex((owned) => owned.name === op.entity)
      const isMeant = ([number]: Value[]) => number === bound(`key.${entity.key[1]}`)
      const places = namesOf(layout.owned[at]?.fields ?? [])
      if (!item.lines[at]?.some((line) => isMeant(line) && mayChange(line, places))) return null
      return {
        ...item,
        lines: item.lines.map((lines, which) => (which === at ? lines.map((line) => (isMeant(line) ? changed(line, places) : line)) : lines)),
      }
    })
    const reply = yield* change
    return guard !== undefined && reply.outcome === 'miss' ? wroteReply(null, reply.retries) : reply
  }

  *#delete(op: OperationOf<'delete'>, bound: Bound): Talk {
    const layout = this.layout(op.entity)
    const key = this.#key(layout, op.entity, bound, 'key')
    if (readsFirst(this.#compiled.scenario, op)) {
      const found = (yield { command: 'get', key }) as Exclude<Said, Outcome>
      if (found === null || !answers(op, layout, readItem(layout, found.value), bound)) return wroteReply(0, 0)
    }
    const outcome = yield { command: 'delete', key }
    return wroteReply(outcome === 'done' ? 1 : 0, 0)
  }

  /** `after`: of the item that is there what is to be there; null: nothing is changed. Whoever is second begins again with what the first has left. */
  *#change(layout: Layout, key: string, after: (item: Item | null) => Item | null): Talk {
    for (let retries = 0; retries <= maxRetries; retries++) {
      const found = (yield { command: 'gets', key }) as Exclude<Said, Outcome>
      const item = after(found === null ? null : readItem(layout, found.value))
      if (item === null) return wroteReply(0, retries)
      const outcome = yield this.#store(found === null ? 'add' : 'cas', layout, key, item, found?.cas)
      if (outcome === 'done') return wroteReply(1, retries)
    }
    throw new ServerError('transient', `the item was changed by others ${maxRetries + 1} times between its reading and its writing`, {
      detail: this.#refusals.changed,
    })
  }

  #store(command: Storing['command'], layout: Layout, key: string, item: Item, cas = ''): Storing {
    return { command, key, layout, item, seconds: secondsOf(layout.entity), cas }
  }

  #given(name: string, bound: Bound): { layout: Layout; key: string; row: Value[] } {
    const layout = this.layout(name)
    return { layout, key: this.#key(layout, name, bound, 'row'), row: layout.fields.map((field) => bound(`row.${field.name}`)) }
  }

  #key({ entity }: Layout, name: string, bound: Bound, place: 'key' | 'row'): string {
    const [key] = entityOf(this.#compiled.scenario, name).key
    return `${entity.name}:${keyText(bound(`${place}.${key}`))}`
  }
}

/** An item lives for the whole life of a fresh row, whatever was written of it: no earlier than it expires in replay time. */
export const secondsOf = ({ ttlMs }: Entity) => (ttlMs === null ? 0 : Math.ceil((ttlMs + graceMs) / 1000))

/** What an item is stored as. */
export function bytesOf({ layout, item }: Pick<Storing, 'layout' | 'item'>): Buffer {
  const to = new RequestBuffer()
  writeItem(layout, item, to)
  return to.bytes.subarray(0, to.length)
}

const namesOf = (fields: { name: string }[]) => fields.map(({ name }) => name)
const placeOf = ({ fields }: Layout, name: string) => fields.findIndex((field) => field.name === name)
/** When a row expires is the first thing in its item. */
const hasExpired = ({ ttlMs }: Entity, { row }: Item, bound: Bound) => ttlMs !== null && Number(row[0]) <= Number(bound('now'))
/** Whether the row in an item is alive, and of the tenant that asks. */
const answers = (asked: Addressing, layout: Layout, item: Item, bound: Bound) =>
  !hasExpired(layout.entity, item, bound) && isOfTenant(layout.entity, asked, bound, (field) => item.row[placeOf(layout, field)] as Value)
