/** The operations of a key-value model as conversations: each is one command or script, but for owned rows that are read after their owner. */

import { Groups } from '../../clients/groups.ts'
import { readReply, wroteReply } from '../../clients/replies.ts'
import { isOfTenant } from '../../data/parameters.ts'
import { compareValues, type Value } from '../../data/value.ts'
import { comparedInside, scoreOf, setsOf } from '../../families/key-value/model.ts'
import type { Store } from '../../families/model.ts'
import {
  type Aggregate,
  type Entity,
  entityOf,
  fieldOf,
  lineFields,
  type Operation,
  type OperationOf,
  type Order,
  type Update,
  writesOf,
} from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import type { Compiled, Reply } from '../engine.ts'
import { exact, furtherWord, type PageForm, pageForm } from './conditions.ts'
import { behindKeys, isUnique, keyLength, linesField, RedisKeys, restored, restoredLines, stored, uniqueHash } from './keys.ts'
import { findScript, placeScript, rankScript, type Script } from './scripts.ts'
import { command, type Talk, type Word } from './talk.ts'
import { RedisWrites } from './writes.ts'

type Bound = (name: string) => Value
type Hash = (Buffer | null)[]

export class RedisOperations {
  readonly keys: RedisKeys
  readonly writes: RedisWrites
  readonly #compiled: Compiled
  readonly #forms: Map<string, PageForm>

  constructor(compiled: Compiled) {
    this.#compiled = compiled
    this.keys = new RedisKeys(compiled.scenario)
    this.writes = new RedisWrites(compiled, this.keys)
    this.#forms = new Map(
      compiled.operations.flatMap((op) => {
        const isPage = op.kind === 'list' || (op.kind === 'aggregate' && op.before === undefined) || op.kind === 'search'
        const store = isPage ? this.storeOf(op.name) : undefined
        return !isPage || store === undefined ? [] : [[op.name, pageForm(store, entityOf(compiled.scenario, op.entity), op)]]
      }),
    )
  }

  /** What a list, a search or an aggregate that is not excused reads its rows by; a rank reads none. */
  formOf(operation: string): PageForm {
    return this.#forms.get(operation) as PageForm
  }

  perform(op: Operation, bound: Bound): Talk<Reply> {
    switch (op.kind) {
      case 'get':
        return this.#get(op, bound)
      case 'list':
        return this.#list(op, bound)
      case 'search':
        return this.#search(op, bound)
      case 'aggregate':
        return op.before === undefined ? this.#aggregate(op, bound) : this.#rank(op, op.before, bound)
      default:
        return this.#write(op, bound)
    }
  }

  /** Every script that its operations run. */
  scripts(): Script[] {
    const ranks = this.#compiled.operations.some((op) => op.kind === 'aggregate' && op.before !== undefined)
    const all = [
      linesForm.script,
      findScript,
      ...(ranks ? [placeScript] : []),
      ...[...this.#forms.values()].map((form) => form.script),
      ...this.writes.scripts.values(),
    ]
    return [...new Map(all.map((each) => [each.sha, each])).values()]
  }

  /** Fields that a get asks for: the projection, lines inside the row, the key (absent with the row), its tenant, when it expires. */
  fieldsOfGet(op: OperationOf<'get'>): { fields: string[]; inside: string[] } {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const base = this.#compiled.model.stores.find((store) => store.base && store.entity === entity.name) as Store
    const inside = op.with.filter((name) => base.embedded.includes(name))
    const tenant = [tenantAskedOf(entity, op)].filter((name) => name !== null)
    const further = [entity.key[0] as string, ...tenant, ...(entity.ttlMs === null ? [] : ['expires_at'])]
    return { inside, fields: [...op.fields, ...inside.map(linesField), ...further] }
  }

  storeOf(operation: string): Store {
    const name = this.#compiled.model.accesses.find((access) => access.operation === operation)?.steps[0]?.store
    return this.#compiled.model.stores.find((store) => store.name === name) as Store
  }

  *#get(op: OperationOf<'get'>, bound: Bound): Talk<Reply> {
    const { scenario, model } = this.#compiled
    const entity = entityOf(scenario, op.entity)
    const now = nowOf(entity, bound)
    const { fields, inside } = this.fieldsOfGet(op)
    const key = (field: string) => bound(`key.${field}`)
    const found = (yield command('HMGET', this.keys.hash(entity, key), ...fields)) as Hash
    const at = op.fields.length + inside.length
    const isThere = found[at] !== null && (now === null || Number(found.at(-1)?.toString()) > now)
    const alive = isThere && isOfTenant(entity, op, bound, (field) => restored(fieldOf(entity, field), found[at + 1] as Buffer | null))
    const apart = new Map<string, Hash[]>()
    for (const name of alive ? op.with.filter((each) => !inside.includes(each)) : []) {
      const owned = entityOf(scenario, name)
      apart.set(name, yield* this.#members(setsOf(model.stores, name)[0] as Store, key(entity.key[0] as string), lineNames(owned)))
    }
    return readReply(alive ? 1 : 0, () => {
      if (!alive) return { kind: 'rows', rows: [] }
      const lines = op.with.map((name): Value => {
        const owned = entityOf(scenario, name)
        const rows = apart.get(name)
        if (rows === undefined) return restoredLines(owned, found[op.fields.length + inside.indexOf(name)] as Buffer | null)
        return rows.map((row) => values(owned, lineNames(owned), row))
      })
      return { kind: 'rows', rows: [[...values(entity, op.fields, found), ...lines]] }
    })
  }

  *#list(op: OperationOf<'list'>, bound: Bound): Talk<Reply> {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const store = this.storeOf(op.name)
    const now = nowOf(entity, bound)
    const rows = isUnique(store)
      ? yield* this.#unique(op, store, now, bound)
      : yield* this.#page(
          store,
          this.keys.set(store, (field) => bound(`where.${field}`)),
          this.#range(op, store, bound),
          op.limit,
          now,
          op.fields,
          this.formOf(op.name),
          bound,
        )
    return readReply(rows.length, () => ({ kind: 'rows', rows: rows.map((row) => values(entity, op.fields, row)) }))
  }

  /** A page from either end, or behind the place where a row stands or would stand. */
  #range(op: OperationOf<'list'>, store: Store, bound: Bound): Word[] {
    const reversed = isReversed(op)
    const inside = comparedInside(store, op)
    if (inside.length > 0) return this.#rangeInside(op, store, inside, bound)
    const whole = rangeWords(store, this.formOf(op.name), bound, reversed)
    if (bound('deep') !== true) return whole
    const cursor = (field: string) => bound(`after.${field}`)
    const member = this.keys.member(store, cursor)
    if (scoreOf(store) !== null) return [this.keys.score(store, cursor), member, ...whole.slice(2)]
    // The row behind which the page lies is one of the range.
    const after = Buffer.concat([Buffer.from('('), member])
    const [low = '-', high = '+'] = whole
    return reversed ? [low, after, '1'] : [after, high, '0']
  }

  /** Members that begin with the values that are compared; of that set only the key follows them. */
  #rangeInside(op: OperationOf<'list'>, store: Store, inside: string[], bound: Bound): Word[] {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const start = Buffer.concat([Buffer.from('['), ...inside.map((name) => stored(fieldOf(entity, name), bound(`where.${name}`)))])
    const end = Buffer.concat([start, behindKeys(entity)])
    const cursor = (field: string) => bound(`${inside.includes(field) ? 'where' : 'after'}.${field}`)
    const after = bound('deep') === true ? Buffer.concat([Buffer.from('('), this.keys.member(store, cursor)]) : null
    return isReversed(op) ? [start, after ?? end, '1'] : [after ?? start, end, '0']
  }

  *#search(op: OperationOf<'search'>, bound: Bound): Talk<Reply> {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const store = this.storeOf(op.name)
    const rows = yield* this.#page(
      store,
      this.keys.wordSet(store, String(bound('word'))),
      wholeRange(store, false),
      op.limit,
      nowOf(entity, bound),
      op.fields,
      this.formOf(op.name),
      bound,
    )
    return readReply(rows.length, () => ({ kind: 'rows', rows: rows.map((row) => values(entity, op.fields, row)) }))
  }

  *#aggregate(op: OperationOf<'aggregate'>, bound: Bound): Talk<Reply> {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const store = this.storeOf(op.name)
    const set = this.keys.set(store, (field) => bound(`where.${field}`))
    const fields = [op.groupBy?.field, op.sum].filter((name) => name != null)
    // Who asks for a range has a set that is ordered by it.
    const form = this.formOf(op.name)
    const range = rangeWords(store, form, bound, false)
    const rows = yield* this.#page(store, set, range, -1, nowOf(entity, bound), fields.length === 0 ? entity.key : fields, form, bound)
    const groups = grouped(
      op,
      rows.map((row) => values(entity, fields, row)),
    )
    return readReply(groups.length, () => ({ kind: 'groups', groups }))
  }

  /** How many members come before a place, from the end that the order begins at. */
  *#rank(op: OperationOf<'aggregate'>, [first]: Order[], bound: Bound): Talk<Reply> {
    const store = this.storeOf(op.name)
    const set = this.keys.set(store, (field) => bound(`where.${field}`))
    const place = (field: string) => bound(`after.${field}`)
    const [member, fromEnd] = [this.keys.member(store, place), first?.descending === true]
    const border = Buffer.concat([Buffer.from('('), member])
    const reply =
      scoreOf(store) === null
        ? yield command('ZLEXCOUNT', set, ...(fromEnd ? [border, '+'] : ['-', border]))
        : yield { script: placeScript, keys: [set], words: [this.keys.score(store, place), member, fromEnd ? '1' : '0'] }
    const rows = Number(reply)
    return readReply(Math.min(1, rows), () => ({ kind: 'groups', groups: rows === 0 ? [] : [[rows]] }))
  }

  *#write(op: Operation, bound: Bound): Talk<Reply> {
    const [first] = writesOf(op)
    let known = bound
    if (first?.kind === 'update' && first.reads !== undefined) {
      const found = yield* this.#readBefore(op, { ...first, reads: first.reads }, bound)
      if (found === null) return wroteReply(first.guard === undefined ? 0 : null, 0)
      known = found
    }
    const reply = yield this.writes.call(op, known)
    // New rows are written whatever there was: their commands tell other numbers.
    if (this.writes.form(op) === 'new rows') return wroteReply(1, 0)
    const rows = Number(reply)
    return wroteReply(rows < 0 ? null : rows, 0)
  }

  /** With what was read in its place; null: there is no such row. Whether it lives, and whose it is, the script looks at. */
  *#readBefore(op: Operation, write: Update & { entity: string; reads: string[] }, bound: Bound): Talk<Bound | null> {
    const entity = entityOf(this.#compiled.scenario, write.entity)
    const prefix = op.kind === 'transaction' ? '0.' : ''
    const hash = this.keys.hash(entity, (field) => bound(`${prefix}key.${field}`))
    const found = (yield command('HMGET', hash, ...write.reads, entity.key[0] as string)) as Hash
    if (found.at(-1) === null) return null
    const { guard } = write
    if (guard === undefined) return bound
    const read = restored(fieldOf(entity, guard.field), found[0] as Buffer | null)
    return (name) => (name === `${prefix}read.${guard.field}` ? read : bound(name))
  }

  #members(store: Store, owner: Value, fields: string[]): Talk<Hash[]> {
    return this.#page(
      store,
      this.keys.set(store, () => owner),
      wholeRange(store, false),
      -1,
      null,
      fields,
      linesForm,
      () => null,
    )
  }

  *#page(
    store: Store,
    set: Buffer,
    range: Word[],
    limit: number,
    now: number | null,
    fields: string[],
    { script, further }: PageForm,
    bound: Bound,
  ): Talk<Hash[]> {
    const length = String(keyLength(entityOf(this.#compiled.scenario, store.entity)))
    const last = further.map((name) => furtherWord(bound(name)))
    const words = [...range, String(limit), length, `${store.entity}:`, now === null ? '' : String(now), ...fields, ...last]
    return (yield { script, keys: [set], words }) as Hash[]
  }

  /** The row with a unique value. A page behind a row has it where it comes after that row. */
  *#unique(op: OperationOf<'list'>, store: Store, now: number | null, bound: Bound): Talk<Hash[]> {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const field = store.partition[0] as string
    const order = bound('deep') === true ? op.order : []
    const fields = [...op.fields, ...order.map((each) => each.field)]
    const words = [stored(fieldOf(entity, field), bound(`where.${field}`)), `${store.entity}:`, now === null ? '' : String(now), ...fields]
    const rows = (yield { script: findScript, keys: [uniqueHash(store)], words }) as Hash[]
    if (order.length === 0) return rows
    return rows.filter((row) => {
      const own = values(entity, fields, row).slice(op.fields.length)
      const by = order.map((each, at) => compareValues(own[at] as Value, bound(`after.${each.field}`)) * (each.descending ? -1 : 1))
      return (by.find((each) => each !== 0) ?? 0) > 0
    })
  }
}

/** The range of a set, as its script is told. */
function rangeWords(store: Store, { range }: PageForm, bound: Bound, reversed: boolean): Word[] {
  if (range === null) return wholeRange(store, reversed)
  if (range.of === 'texts') return [`[${bound(range.from)}`, `(${bound(range.below)}`, reversed ? '1' : '0']
  const word = (end: string) => (range.of === 'times' ? exact(bound(end)) : end)
  return ['', '', word(range.from), word(range.below), reversed ? '1' : '0']
}

/** Lines are numbered: that is their score. */
const linesForm: PageForm = { script: rankScript(), further: [], range: null }

/** All of a set, as its script is told. */
export function wholeRange(store: Store, reversed: boolean): string[] {
  return [...(scoreOf(store) === null ? ['-', '+'] : ['', '', '', '']), reversed ? '1' : '0']
}

export const isReversed = (op: OperationOf<'list'>) => op.order[0]?.descending === true

const nowOf = (entity: Entity, bound: Bound) => (entity.ttlMs === null ? null : Number(bound('now')))

/** The fields of a line in the order of answers. */
export const lineNames = (owned: Entity) => lineFields(owned).map((field) => field.name)

function values(entity: Entity, names: string[], found: Hash): Value[] {
  return names.map((name, at) => restored(fieldOf(entity, name), found[at] as Buffer | null))
}

/** Rows of [group field, summed field], each where asked for. */
function grouped(op: Aggregate, rows: Value[][]): Value[][] {
  const groups = new Groups(op)
  for (const row of rows) groups.add(row[0] ?? null, 1, op.sum === null ? 0n : BigInt((row.at(-1) ?? 0) as number | bigint))
  return groups.rows()
}
