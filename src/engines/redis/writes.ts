/** What the scripts that write are called with, and new rows as commands: a row's hash, its life, the sets it stands in, its owned rows. */
import type { Value } from '../../data/value.ts'
import { setsOf, uniquesOf } from '../../families/key-value/model.ts'
import { type Entity, entityOf, fieldOf, lineFields, type Operation, writesOf } from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import type { Compiled } from '../engine.ts'
import { linesField, nativeGraceMs, type RedisKeys, type Row, stored, storedLines, uniqueHash } from './keys.ts'
import type { Script } from './scripts.ts'
import { type Call, command, type Word } from './talk.ts'
import { claims, isGuardedLater, linesApart, placesOf, type Step, writeScriptOf } from './write-scripts.ts'

type Bound = (name: string) => Value
type ScriptCall = Extract<Call, { script: Script }>

/** No value of a field is the empty text: as an argument it says that there is none. */
const noValue = ''

/** A command about one key. */
export interface KeyCommand {
  name: string
  key: Word
  words: Word[]
}

export class RedisWrites {
  readonly #compiled: Compiled
  readonly #keys: RedisKeys
  readonly #scripts: Map<string, Script>

  constructor(compiled: Compiled, keys: RedisKeys) {
    this.#compiled = compiled
    this.#keys = keys
    const writing = compiled.operations.filter((op) => writesOf(op).length > 0 && this.form(op) === 'script')
    this.#scripts = new Map(writing.map((op) => [op.name, writeScriptOf(compiled, op)]))
  }

  /** Of the writes that need one, by operation. */
  get scripts(): ReadonlyMap<string, Script> {
    return this.#scripts
  }

  /** Only what reads before it writes takes a script: new rows are commands known beforehand, one or a transaction of several. */
  form(op: Operation): 'new rows' | 'DEL' | 'script' {
    if (writesOf(op).every((write) => this.#isNew(write))) return 'new rows'
    const entity = entityOf(this.#compiled.scenario, op.entity)
    if (op.kind !== 'delete' || entity.ttlMs !== null || entity.tenant !== undefined) return 'script'
    return this.#stands(op) || linesApart(this.#compiled, op.entity).length > 0 ? 'script' : 'DEL'
  }

  /** Written whatever was there. */
  #isNew(write: Step): boolean {
    return write.kind === 'insert' ? !claims(this.#compiled, write) : write.kind === 'put' && !this.#stands(write)
  }

  /** In sets, or in hashes of unique values, that have to be left. */
  #stands(write: Step): boolean {
    const { sets, uniques } = placesOf(this.#compiled, write)
    return sets.length + uniques.length > 0
  }

  call(op: Operation, bound: Bound): Call {
    const form = this.form(op)
    if (form === 'DEL')
      return command(
        'DEL',
        this.#keys.hash(entityOf(this.#compiled.scenario, op.entity), (field) => bound(`key.${field}`)),
      )
    const steps = writesOf(op).map((write, at) => ({ write, own: op.kind === 'transaction' ? (name: string) => bound(`${at}.${name}`) : bound }))
    if (form === 'new rows') {
      const commands = steps.flatMap(({ write, own }) => this.#newRow(write, own)).map(({ name, key, words }) => [name, key, ...words])
      return commands.length === 1 ? command(...(commands[0] as Word[])) : { transaction: commands }
    }
    const call: ScriptCall = { script: this.#scripts.get(op.name) as Script, keys: [], words: [] }
    for (const [at, { write, own }] of steps.entries()) if (isGuardedLater(write, at)) this.#guard(write, own, call)
    for (const { write, own } of steps) this.#step(write, own, call)
    return call
  }

  /** Commands of a new row with its lines, embedded or apart. `nowMs`: when its life began. */
  *insert(entity: Entity, row: Row, lines: Map<string, Row[]>, nowMs: number): Iterable<KeyCommand> {
    const { scenario, model } = this.#compiled
    const embedded = model.stores.find((store) => store.base && store.entity === entity.name)?.embedded ?? []
    const extra: Word[] = []
    for (const [name, rows] of lines) {
      const owned = entityOf(scenario, name)
      const names = lineFields(owned).map((field) => field.name)
      if (embedded.includes(name)) {
        const values = rows.map((line) => names.map((field) => line.get(field) as Value))
        extra.push(linesField(name), storedLines(owned, values))
      }
    }
    const value = (field: string) => row.get(field) ?? null
    const hash = this.#keys.hash(entity, value)
    yield { name: 'HSET', key: hash, words: [...this.#fields(entity, row), ...extra] }
    if (entity.ttlMs !== null)
      yield { name: 'PEXPIRE', key: hash, words: [String(Math.max(1, Number(row.get('expires_at')) - nowMs) + nativeGraceMs)] }
    for (const store of setsOf(model.stores, entity.name))
      for (const set of this.#keys.sets(store, row))
        yield { name: 'ZADD', key: set, words: [this.#keys.score(store, value), this.#keys.member(store, value)] }
    for (const { map, unique, key } of this.#uniques(entity, row)) yield { name: 'HSET', key: map, words: [unique, key] }
    for (const [name, rows] of lines) {
      if (embedded.includes(name)) continue
      for (const line of rows) yield* this.insert(entityOf(scenario, name), this.#line(entity, row, name, line), new Map(), nowMs)
    }
  }

  /** What a guard is about that is looked at before all steps. */
  #guard(write: Step, bound: Bound, call: ScriptCall): void {
    if (write.kind !== 'update' || write.via === null) {
      this.#address(write, bound, call)
      return
    }
    const entity = entityOf(this.#compiled.scenario, write.entity)
    const targets = bound('targets') as Value[][]
    call.words.push(String(targets.length))
    for (const target of targets) {
      call.keys.push(this.#keys.hash(entity, () => target[0] as Value))
      if (write.guard?.from !== undefined) call.words.push(String(target.at(-1)))
    }
  }

  /** The row that a step is about, and what it has to be, besides there: alive, and of the tenant that asks. */
  #address(write: Step, bound: Bound, call: ScriptCall): void {
    const entity = entityOf(this.#compiled.scenario, write.entity)
    const tenant = tenantAskedOf(entity, write)
    call.keys.push(this.#keys.hash(entity, (field) => bound(`key.${field}`)))
    if (entity.ttlMs !== null) call.words.push(String(bound('now')))
    if (tenant !== null) call.words.push(stored(fieldOf(entity, tenant), bound(`tenant.${tenant}`)))
  }

  #step(write: Step, bound: Bound, call: ScriptCall): void {
    const entity = entityOf(this.#compiled.scenario, write.entity)
    switch (write.kind) {
      case 'insert':
      case 'put': {
        const { sets, uniques } = placesOf(this.#compiled, write)
        const commands = this.#newRow(write, bound)
        if (write.kind === 'put' && sets.length + uniques.length > 0) call.keys.push((commands[0] as KeyCommand).key)
        if (claims(this.#compiled, write)) this.#claim(write, bound, call)
        call.words.push(String(commands.length))
        for (const { name, key, words } of commands) {
          call.keys.push(key)
          call.words.push(name, String(words.length), ...words)
        }
        return
      }
      case 'delete':
        this.#address(write, bound, call)
        return
      default: {
        const values = write.set
          .filter((each) => each.to !== 'constant')
          .map(({ field }) => {
            const value = bound(`set.${field}`)
            return value === null ? noValue : stored(fieldOf(entity, field), value)
          })
        if (write.via === null) {
          call.words.push(...values)
          this.#address(write, bound, call)
          if (write.guard?.asRead) call.words.push(stored(fieldOf(entity, write.guard.field), bound(`read.${write.guard.field}`)))
          return
        }
        const targets = bound('targets') as Value[][]
        call.words.push(...values, String(targets.length))
        for (const [key, ...amounts] of targets) {
          call.keys.push(this.#keys.hash(entity, () => key as Value))
          call.words.push(...amounts.slice(0, write.add.length).map(String))
        }
      }
    }
  }

  #newRow(write: Step, bound: Bound): KeyCommand[] {
    const entity = entityOf(this.#compiled.scenario, write.entity)
    const { row, lines } = this.#boundRow(write, bound)
    const birth = entity.ttlMs === null ? 0 : Number(row.get('expires_at')) - entity.ttlMs
    const commands = [...this.insert(entity, row, lines, birth)]
    const absent = write.kind === 'put' ? entity.fields.filter(({ name }) => row.get(name) === null).map(({ name }) => name) : []
    if (absent.length === 0) return commands
    const [set] = commands as [KeyCommand]
    return [set, { name: 'HDEL', key: set.key, words: absent }, ...commands.slice(1)]
  }

  #boundRow(write: Step, bound: Bound): { row: Row; lines: Map<string, Row[]> } {
    const { scenario } = this.#compiled
    const row: Row = new Map(entityOf(scenario, write.entity).fields.map((field) => [field.name, bound(`row.${field.name}`)]))
    const lines = (write.kind === 'insert' ? write.with : []).map((name): [string, Row[]] => {
      const fields = lineFields(entityOf(scenario, name))
      const rows = bound(`lines.${name}`) as Value[][]
      return [name, rows.map((line): Row => new Map(fields.map((field, at) => [field.name, line[at] as Value])))]
    })
    return { row, lines: new Map(lines) }
  }

  /** Unique values of the new rows, each with the row that may have it. */
  #claim(write: Step, bound: Bound, call: ScriptCall): void {
    const entity = entityOf(this.#compiled.scenario, write.entity)
    const { row, lines } = this.#boundRow(write, bound)
    const all = [
      ...this.#uniques(entity, row),
      ...[...lines].flatMap(([name, rows]) =>
        rows.flatMap((line) => this.#uniques(entityOf(this.#compiled.scenario, name), this.#line(entity, row, name, line))),
      ),
    ]
    call.words.push(String(all.length))
    for (const { map, unique, key } of all) {
      call.keys.push(map)
      call.words.push(unique, key)
    }
  }

  #uniques(entity: Entity, row: Row): { map: string; unique: Buffer; key: Buffer }[] {
    const value = (field: string) => row.get(field) ?? null
    return uniquesOf(this.#compiled.model.stores, entity.name).map((store) => {
      const field = store.partition[0] as string
      return { map: uniqueHash(store), unique: stored(fieldOf(entity, field), value(field)), key: this.#keys.keyBytes(entity, value) }
    })
  }

  #line(owner: Entity, row: Row, name: string, line: Row): Row {
    const owned = entityOf(this.#compiled.scenario, name)
    return new Map(line).set(owned.key[0] as string, row.get(owner.key[0] as string) as Value)
  }

  #fields(entity: Entity, row: Row): Word[] {
    return entity.fields.flatMap((field) => {
      const value = row.get(field.name)
      return value === null || value === undefined ? [] : [field.name, stored(field, value)]
    })
  }
}
