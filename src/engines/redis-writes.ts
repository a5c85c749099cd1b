/** Writes as conditions and commands of one script: a row's hash, the sets it stands in, its owned rows. */
import type { Value } from '../data/value.ts'
import { placedBy, readsFirst, setsOf } from '../model/key-value.ts'
import type { Store } from '../model/model.ts'
import { type Entity, entityOf, fieldOf, lineFields, type Operation, ownedBy, type Write, writesOf } from '../scenario/scenario.ts'
import type { Compiled } from './engine.ts'
import { type RedisKeys, type Row, restored, stored, storedLines } from './redis-keys.ts'
import type { Talk, Word } from './redis-talk.ts'

/** The server's own expiry comes this much later than the one in replay time: it only cleans up. */
export const nativeGraceMs = 24 * 3_600_000

export interface Condition {
  hash: Buffer
  field: string
  /** '=' has the value · '-' is absent · 'E' the hash exists · '>' is a greater number. */
  kind: '=' | '-' | 'E' | '>'
  value: Word
}
export interface WritePlan {
  conditions: Condition[]
  commands: Word[][]
  rows: number
}
interface Reader {
  read(entity: Entity, hash: Buffer, fields: string[]): Talk<Row | null>
  /** Keys of the rows that an owner's set of lines holds. */
  lines(store: Store, owner: Value): Talk<(Buffer | null)[][]>
}
type Bound = (name: string) => Value

export class RedisWrites {
  readonly #compiled: Compiled
  readonly #keys: RedisKeys
  readonly #reader: Reader

  constructor(compiled: Compiled, keys: RedisKeys, reader: Reader) {
    this.#compiled = compiled
    this.#keys = keys
    this.#reader = reader
  }

  /** null: there is no such row. */
  *plan(op: Operation, bound: Bound): Talk<WritePlan | null> {
    if (op.kind !== 'transaction') return yield* this.#one(writesOf(op)[0] as Write & { entity: string }, bound)
    const whole: WritePlan = { conditions: [], commands: [], rows: 0 }
    for (const [index, step] of op.steps.entries()) {
      const plan = yield* this.#one(step, (name) => bound(`${index}.${name}`), true)
      if (index === 0) whole.rows = plan?.rows ?? 0
      whole.conditions.push(...(plan?.conditions ?? []))
      whole.commands.push(...(plan?.commands ?? []))
    }
    return whole
  }

  /** `step`: of a transaction, where a row that is not there is passed over and stops nothing. */
  *#one(write: Write & { entity: string }, bound: Bound, step = false): Talk<WritePlan | null> {
    const { scenario } = this.#compiled
    const entity = entityOf(scenario, write.entity)
    switch (write.kind) {
      case 'insert': {
        const row: Row = new Map(entity.fields.map((field) => [field.name, bound(`row.${field.name}`)]))
        const lines = new Map(
          write.with.map((name) => {
            const fields = lineFields(entityOf(scenario, name))
            return [
              name,
              (bound(`lines.${name}`) as Value[][]).map((line): Row => new Map(fields.map((field, at) => [field.name, line[at] as Value]))),
            ]
          }),
        )
        return { conditions: [], commands: [...this.insert(entity, row, lines, this.#birth(entity, row))], rows: 1 }
      }
      case 'put':
        return yield* this.#put(write, entity, new Map(entity.fields.map((field) => [field.name, bound(`row.${field.name}`)])))
      case 'delete':
        return yield* this.#delete(entity, (field) => bound(`key.${field}`), entity.ttlMs === null ? null : Number(bound('now')), step)
      default: {
        const set = new Map(
          write.set.map((each) => [each.field, each.to === 'constant' ? constantOf(entity, each.field, each.constant) : bound(`set.${each.field}`)]),
        )
        const amounts = (of: (index: number) => number) => new Map(write.add.map((each, index) => [each.field, of(index)]))
        if (write.via === null)
          return yield* this.#update(
            write,
            entity,
            (field) => bound(`key.${field}`),
            set,
            amounts((index) => write.add[index]?.amount ?? 0),
            {
              now: entity.ttlMs === null ? null : Number(bound('now')),
              optional: false,
              step,
            },
          )
        const whole: WritePlan = { conditions: [], commands: [], rows: 0 }
        for (const [key, ...own] of bound('targets') as Value[][]) {
          const plan = yield* this.#update(
            write,
            entity,
            () => key as Value,
            set,
            amounts((index) => Number(own[index])),
            { now: null, optional: true, step: false },
          )
          if (plan === null) continue
          whole.conditions.push(...plan.conditions)
          whole.commands.push(...plan.commands)
          whole.rows++
        }
        return whole
      }
    }
  }

  /** Commands of a new row with its lines, embedded or apart. `nowMs`: when its life began. */
  *insert(entity: Entity, row: Row, lines: Map<string, Row[]>, nowMs: number): Iterable<Word[]> {
    const { scenario, model } = this.#compiled
    const embedded = model.stores.find((store) => store.base && store.entity === entity.name)?.embedded ?? []
    const extra: Word[] = []
    for (const [name, rows] of lines) {
      const owned = entityOf(scenario, name)
      if (embedded.includes(name)) {
        const names = lineFields(owned).map((field) => field.name)
        extra.push(
          name,
          storedLines(
            owned,
            rows.map((line) => names.map((field) => line.get(field) as Value)),
          ),
        )
        continue
      }
      for (const line of rows) {
        const whole = new Map(line).set(owned.key[0] as string, row.get(entity.key[0] as string) as Value)
        yield* this.insert(owned, whole, new Map(), nowMs)
      }
    }
    const hash = this.#hashOf(entity, row)
    yield ['HSET', hash, ...this.#fields(entity, row), ...extra]
    if (entity.ttlMs !== null) yield ['PEXPIRE', hash, String(Math.max(1, Number(row.get('expires_at')) - nowMs) + nativeGraceMs)]
    yield* this.#places(entity, row).map(({ set, member }): Word[] => ['ZADD', set, '0', member])
  }

  *#put(write: Write & { entity: string }, entity: Entity, row: Row): Talk<WritePlan> {
    const commands = [...this.insert(entity, row, new Map(), this.#birth(entity, row))]
    if (!readsFirst(this.#compiled.model.stores, write)) return { conditions: [], commands, rows: 1 }
    const hash = this.#hashOf(entity, row)
    const placed = this.#placedFields(entity)
    const before = yield* this.#reader.read(entity, hash, placed)
    if (before === null) return { conditions: [{ hash, field: entity.key[0] as string, kind: '-', value: '' }], commands, rows: 1 }
    return { conditions: this.#unchanged(entity, hash, placed, before), commands: [...this.#leave(entity, before, row), ...commands], rows: 1 }
  }

  *#update(
    write: Write & { entity: string },
    entity: Entity,
    key: (field: string) => Value,
    set: Map<string, Value>,
    add: Map<string, number>,
    { now, optional, step }: { now: number | null; optional: boolean; step: boolean },
  ): Talk<WritePlan | null> {
    const hash = this.#keys.hash(entity, key)
    const alive: Condition[] = now === null ? [] : [{ hash, field: 'expires_at', kind: '>', value: String(now) }]
    const fields = [...set].flatMap(([name, value]) => [name, stored(fieldOf(entity, name), value)])
    if (!step && !readsFirst(this.#compiled.model.stores, write)) {
      const if_ = optional ? '?' : ''
      const commands: Word[][] = [...add].map(([name, amount]) => [`${if_}HINCRBY`, hash, name, String(amount)])
      if (fields.length > 0) commands.push([`${if_}HSET`, hash, ...fields])
      return { conditions: optional ? [] : [{ hash, field: '', kind: 'E', value: '' }, ...alive], commands, rows: 1 }
    }
    const placed = [...new Set([...this.#placedFields(entity), ...entity.key, ...add.keys(), ...(now === null ? [] : ['expires_at'])])]
    const before = yield* this.#reader.read(entity, hash, placed)
    if (before === null || isExpired(before, now)) return null
    const after: Row = new Map([...before, ...set])
    for (const [name, amount] of add) after.set(name, sumOf(before.get(name) as Value, amount))
    const changed = [...set.keys(), ...add.keys()].flatMap((name): Word[] => [name, stored(fieldOf(entity, name), after.get(name) as Value)])
    return {
      conditions: [...this.#unchanged(entity, hash, placed, before), ...alive],
      commands: [
        ...this.#leave(entity, before, after),
        ['HSET', hash, ...changed],
        ...this.#places(entity, after).map(({ set: where, member }): Word[] => ['ZADD', where, '0', member]),
      ],
      rows: 1,
    }
  }

  *#delete(entity: Entity, key: (field: string) => Value, now: number | null, step = false): Talk<WritePlan | null> {
    const { scenario, model } = this.#compiled
    const hash = this.#keys.hash(entity, key)
    const placed = step
      ? [...new Set([...this.#placedFields(entity), ...entity.key, ...(now === null ? [] : ['expires_at'])])]
      : this.#placedFields(entity)
    const conditions: Condition[] = now === null ? [] : [{ hash, field: 'expires_at', kind: '>', value: String(now) }]
    const commands: Word[][] = []
    for (const owned of ownedBy(scenario, entity.name)) {
      const [lines] = setsOf(model.stores, owned.name)
      if (lines === undefined || !model.stores.some((store) => store.base && store.entity === owned.name)) continue
      const owner = key(entity.key[0] as string)
      for (const found of yield* this.#reader.lines(lines, owner)) {
        const line = new Map(owned.key.map((name, at) => [name, restored(fieldOf(owned, name), found[at] as Buffer | null)]))
        const plan = yield* this.#delete(owned, (name) => line.get(name) as Value, null)
        conditions.push(...(plan?.conditions ?? []))
        commands.push(...(plan?.commands ?? []))
      }
    }
    if (placed.length === 0) conditions.push({ hash, field: '', kind: 'E', value: '' })
    else {
      const before = yield* this.#reader.read(entity, hash, placed)
      if (before === null || (step && isExpired(before, now))) return null
      conditions.push(...this.#unchanged(entity, hash, placed, before))
      commands.push(...this.#leave(entity, before, new Map()))
    }
    return { conditions, commands: [...commands, ['DEL', hash]], rows: 1 }
  }

  /** Removals from the sets that `before` stands in and `after` does not. */
  #leave(entity: Entity, before: Row, after: Row): Word[][] {
    const text = ({ set, member }: { set: Buffer; member: Buffer }) => `${set.toString('latin1')} ${member.toString('latin1')}`
    const stays = new Set(after.size === 0 ? [] : this.#places(entity, after).map(text))
    return this.#places(entity, before)
      .filter((place) => !stays.has(text(place)))
      .map(({ set, member }) => ['ZREM', set, member])
  }

  #places(entity: Entity, row: Row): { set: Buffer; member: Buffer }[] {
    return setsOf(this.#compiled.model.stores, entity.name).flatMap((store) => {
      const sets = this.#keys.sets(store, row)
      if (sets.length === 0) return []
      const member = this.#keys.member(store, (field) => row.get(field) ?? null)
      return sets.map((set) => ({ set, member }))
    })
  }

  #placedFields(entity: Entity): string[] {
    return [...new Set(setsOf(this.#compiled.model.stores, entity.name).flatMap((store) => [...placedBy(store), ...entity.key]))]
  }

  #unchanged(entity: Entity, hash: Buffer, fields: string[], row: Row): Condition[] {
    return fields.map((field) => ({ hash, field, kind: '=', value: stored(fieldOf(entity, field), row.get(field) as Value) }))
  }

  #fields(entity: Entity, row: Row): Word[] {
    return entity.fields.flatMap((field) => {
      const value = row.get(field.name)
      return value === null || value === undefined ? [] : [field.name, stored(field, value)]
    })
  }

  #hashOf(entity: Entity, row: Row): Buffer {
    return this.#keys.hash(entity, (field) => row.get(field) as Value)
  }

  #birth(entity: Entity, row: Row): number {
    return entity.ttlMs === null ? 0 : Number(row.get('expires_at')) - entity.ttlMs
  }
}

const isExpired = (row: Row, now: number | null) => now !== null && Number(row.get('expires_at')) <= now

const sumOf = (value: Value, amount: number): Value => (typeof value === 'bigint' ? value + BigInt(amount) : Number(value) + amount)

function constantOf(entity: Entity, field: string, constant: string | number | boolean): Value {
  return fieldOf(entity, field).type === 'decimal' ? BigInt(constant as number) : constant
}
