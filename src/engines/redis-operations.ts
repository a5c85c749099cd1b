/** The operations of a key-value model as conversations: reads as one command or script, writes as one compared script. */
import type { Value } from '../data/value.ts'
import { setsOf } from '../model/key-value.ts'
import type { Store } from '../model/model.ts'
import { type Aggregate, type Entity, entityOf, fieldOf, lineFields, type Operation, type OperationOf } from '../scenario/scenario.ts'
import type { Compiled, Reply } from './engine.ts'
import { Groups } from './groups.ts'
import { RedisKeys, type Row, restored, restoredLines } from './redis-keys.ts'
import type { Talk, Word } from './redis-talk.ts'
import { RedisWrites, type WritePlan } from './redis-writes.ts'
import { readReply, wroteReply } from './replies.ts'

const mostReads = 10

type Bound = (name: string) => Value
type Hash = (Buffer | null)[]

export class RedisOperations {
  readonly keys: RedisKeys
  readonly writes: RedisWrites
  readonly #compiled: Compiled

  constructor(compiled: Compiled) {
    this.#compiled = compiled
    this.keys = new RedisKeys(compiled.scenario)
    this.writes = new RedisWrites(compiled, this.keys, {
      read: (entity, key, fields) => this.#read(entity, key, fields),
      lines: (store, owner) => this.#members(store, owner, entityOf(compiled.scenario, store.entity).key),
    })
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
        return this.#aggregate(op, bound)
      default:
        return this.#write(op, bound)
    }
  }

  /** Fields that a get asks for: the projection, lines inside the row, the key (absent with the row), when it expires. */
  fieldsOfGet(op: OperationOf<'get'>): { fields: string[]; inside: string[] } {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const base = this.#compiled.model.stores.find((store) => store.base && store.entity === entity.name) as Store
    const inside = op.with.filter((name) => base.embedded.includes(name))
    return { inside, fields: [...op.fields, ...inside, entity.key[0] as string, ...(entity.ttlMs === null ? [] : ['expires_at'])] }
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
    const found = (yield { script: null, words: ['HMGET', this.keys.hash(entity, key), ...fields] }) as Hash
    const alive = found[op.fields.length + inside.length] !== null && (now === null || Number(found.at(-1)?.toString()) > now)
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
    const after = bound('deep') === true ? Buffer.concat([Buffer.from('('), this.keys.member(store, (field) => bound(`after.${field}`))]) : null
    const reversed = this.keys.isReversed(store)
    const set = this.keys.set(store, (field) => bound(`where.${field}`))
    const rows = yield* this.#page(
      store,
      set,
      reversed ? '-' : (after ?? '-'),
      reversed ? (after ?? '+') : '+',
      op.limit,
      nowOf(entity, bound),
      op.fields,
    )
    return readReply(rows.length, () => ({ kind: 'rows', rows: rows.map((row) => values(entity, op.fields, row)) }))
  }

  *#search(op: OperationOf<'search'>, bound: Bound): Talk<Reply> {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const store = this.storeOf(op.name)
    const rows = yield* this.#page(store, this.keys.wordSet(store, String(bound('word'))), '-', '+', op.limit, nowOf(entity, bound), op.fields)
    return readReply(rows.length, () => ({ kind: 'rows', rows: rows.map((row) => values(entity, op.fields, row)) }))
  }

  *#aggregate(op: OperationOf<'aggregate'>, bound: Bound): Talk<Reply> {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const store = this.storeOf(op.name)
    const limit = (name: string, sign: string) => Buffer.concat([Buffer.from(sign), this.keys.firstBound(store, bound(name))])
    const set = this.keys.set(store, (field) => bound(`where.${field}`))
    const fields = [op.groupBy?.field, op.sum].filter((name) => name != null)
    const [low, high] = op.over === null ? ['-', '+'] : [limit('from', '['), limit('to', '(')]
    const rows = yield* this.#page(store, set, low, high, -1, nowOf(entity, bound), fields.length === 0 ? entity.key : fields)
    const groups = grouped(
      op,
      rows.map((row) => values(entity, fields, row)),
    )
    return readReply(groups.length, () => ({ kind: 'groups', groups }))
  }

  /** Reads where it must, compares and writes in one script; again where somebody was faster. */
  *#write(op: Operation, bound: Bound): Talk<Reply> {
    for (let retries = 0; ; retries++) {
      const plan = yield* this.writes.plan(op, bound)
      if (plan === null) return wroteReply(0, retries)
      const done = Number(yield { script: 'write', words: wordsOf(plan) })
      if (done >= 0) return wroteReply(done === 0 ? 0 : plan.rows, retries)
      if (retries === mostReads) throw Object.assign(new Error('the row changed again and again between reading and writing'), { code: 'CONTENDED' })
    }
  }

  #members(store: Store, owner: Value, fields: string[]): Talk<Hash[]> {
    const set = this.keys.set(store, () => owner)
    return this.#page(store, set, '-', '+', -1, null, fields)
  }

  *#page(store: Store, set: Buffer, low: Word, high: Word, limit: number, now: number | null, fields: string[]): Talk<Hash[]> {
    const reversed = this.keys.isReversed(store) ? '1' : '0'
    const words = [set, low, high, reversed, String(limit), `${store.entity}:`, now === null ? '' : String(now), ...fields]
    return (yield { script: 'page', words }) as Hash[]
  }

  *#read(entity: Entity, hash: Buffer, fields: string[]): Talk<Row | null> {
    const wanted = [entity.key[0] as string, ...fields]
    const found = (yield { script: null, words: ['HMGET', hash, ...wanted] }) as Hash
    if (found[0] === null) return null
    return new Map(wanted.map((name, at) => [name, restored(fieldOf(entity, name), found[at] as Buffer | null)]))
  }
}

/** The words of the script that compares and writes. */
export function wordsOf({ conditions, commands }: WritePlan): Word[] {
  const words: Word[] = [
    String(conditions.length),
    ...conditions.flatMap(({ hash, field, kind, value }) => [hash, field, kind, value]),
    String(commands.length),
  ]
  for (const command of commands) words.push(String(command.length), ...command)
  return words
}

const nowOf = (entity: Entity, bound: Bound) => (entity.ttlMs === null ? null : Number(bound('now')))

/** The fields of a line in the order of answers. */
export const lineNames = (owned: Entity) => lineFields(owned).map((field) => field.name)

function values(entity: Entity, names: string[], found: Hash): Value[] {
  return names.map((name, at) => restored(fieldOf(entity, name), found[at] as Buffer | null))
}

/** Rows of [group field, summed field], each where asked for. */
function grouped(op: Aggregate, rows: Value[][]): Value[][] {
  const groups = new Groups(op)
  for (const row of rows) groups.add(row[0] ?? null, 1, op.sum === null ? 0n : BigInt(row.at(-1) as number | bigint))
  return groups.rows()
}
