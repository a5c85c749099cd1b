/** The operations as conversations: a `get`, a storing command or a `delete` each; what keeps some of an item reads it first and stores it unless it has changed. */
import type { Outcome } from '../../clients/protocols/memcached.ts'
import { memcachedError } from '../../clients/protocols/memcached-errors.ts'
import { readReply, wroteReply } from '../../clients/replies.ts'
import { mostRetries } from '../../clients/retry.ts'
import { ServerError } from '../../clients/server-error.ts'
import { constantOf, type Value } from '../../data/value.ts'
import { hostOf, readsFirst } from '../../families/key-value/items.ts'
import { type Entity, entityOf, type Operation, type OperationOf } from '../../scenario/scenario.ts'
import type { Compiled, Reply } from '../engine.ts'
import { type Item, keyText, type Layout, layoutOf, readItem } from './item.ts'

/** One command; keys without their namespace. `seconds`: how long the server keeps an item; 0: for ever. */
export type Call =
  | { command: 'get' | 'gets' | 'delete'; key: string }
  | { command: 'add' | 'set' | 'cas'; key: string; layout: Layout; item: Item; seconds: number; cas: string }
/** To a `get` the item that was found, to others how it ended. */
export type Said = { value: Buffer; cas: string } | null | Outcome
export type Talk = Generator<Call, Reply, Said>
type Bound = (name: string) => Value

/** The server's own expiry comes this much later than the one in replay time: it only cleans up. */
export const graceMs = 24 * 3_600_000

export class MemcachedOperations {
  readonly #compiled: Compiled
  readonly #layouts: Map<string, Layout>

  constructor(compiled: Compiled) {
    this.#compiled = compiled
    const { scenario } = compiled
    this.#layouts = new Map(scenario.entities.map(({ name }) => [name, layoutOf(scenario, hostOf(scenario, name))]))
  }

  /** Of the items that hold an entity's rows. */
  layout(entity: string): Layout {
    return this.#layouts.get(entity) as Layout
  }

  /** @throws where the operation is declined. */
  perform(op: Operation, bound: Bound): Talk {
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
    if (item === null || hasExpired(layout.entity, item, bound)) return readReply(0, () => ({ kind: 'rows', rows: [] }))
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
    if (outcome !== 'done') throw memcachedError('NOT_STORED')
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
    return yield* this.#change(layout, this.#key(layout, op.entity, bound, 'key'), (item) => {
      if (item === null) return null
      if (layout.entity.name === op.entity)
        return hasExpired(entity, item, bound) ? null : { ...item, row: changed(item.row, namesOf(layout.fields)) }
      const at = layout.owned.findIndex((owned) => owned.name === op.entity)
      const isMeant = ([number]: Value[]) => number === bound(`key.${entity.key[1]}`)
      if (!item.lines[at]?.some(isMeant)) return null
      const places = namesOf(layout.owned[at]?.fields ?? [])
      return {
        ...item,
        lines: item.lines.map((lines, which) => (which === at ? lines.map((line) => (isMeant(line) ? changed(line, places) : line)) : lines)),
      }
    })
  }

  *#delete(op: OperationOf<'delete'>, bound: Bound): Talk {
    const layout = this.layout(op.entity)
    const key = this.#key(layout, op.entity, bound, 'key')
    if (readsFirst(this.#compiled.scenario, op)) {
      const found = (yield { command: 'get', key }) as Exclude<Said, Outcome>
      if (found === null || hasExpired(layout.entity, readItem(layout, found.value), bound)) return wroteReply(0, 0)
    }
    const outcome = yield { command: 'delete', key }
    return wroteReply(outcome === 'done' ? 1 : 0, 0)
  }

  /** `after`: of the item that is there what is to be there; null: nothing is changed. Whoever is second begins again with what the first has left. */
  *#change(layout: Layout, key: string, after: (item: Item | null) => Item | null): Talk {
    for (let retries = 0; retries <= mostRetries; retries++) {
      const found = (yield { command: 'gets', key }) as Exclude<Said, Outcome>
      const item = after(found === null ? null : readItem(layout, found.value))
      if (item === null) return wroteReply(0, retries)
      const outcome = yield this.#store(found === null ? 'add' : 'cas', layout, key, item, found?.cas)
      if (outcome === 'done') return wroteReply(1, retries)
    }
    throw new ServerError('transient', `the item was changed by others ${mostRetries + 1} times between its reading and its writing`, {
      detail: 'EXISTS',
    })
  }

  #store(command: 'add' | 'set' | 'cas', layout: Layout, key: string, item: Item, cas = ''): Call {
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

const mostRelativeSeconds = 30 * 86_400
const latestSeconds = 2 ** 31 - 1

/** As a command says it: beyond thirty days the server takes it for a time of the clock; what lies beyond its times is for ever. */
export function expiryTime(seconds: number): number {
  if (seconds <= mostRelativeSeconds) return seconds
  const at = Math.floor(Date.now() / 1000) + seconds
  return at > latestSeconds ? 0 : at
}

const namesOf = (fields: { name: string }[]) => fields.map(({ name }) => name)
const placeOf = ({ fields }: Layout, name: string) => fields.findIndex((field) => field.name === name)
/** When a row expires is the first thing in its item. */
const hasExpired = ({ ttlMs }: Entity, { row }: Item, bound: Bound) => ttlMs !== null && Number(row[0]) <= Number(bound('now'))
const sumOf = (value: Value, amount: number): Value => (typeof value === 'bigint' ? value + BigInt(amount) : Number(value) + amount)
