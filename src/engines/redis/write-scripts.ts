/**
 * The script of a write, in Lua: its steps one after the other, each reads the row as it is then, writes it, and moves it between its sets.
 * So two steps about one row see each other, and nothing changes between reading and writing. Its keys and arguments: redis-writes.
 */
import { constantOf } from '../../data/value.ts'
import { moves, setsOf, uniquesOf } from '../../families/key-value/model.ts'
import type { Store } from '../../families/model.ts'
import {
  type Comparison,
  type Entity,
  entityOf,
  fieldOf,
  type Guard,
  isOptional,
  type Operation,
  ownedBy,
  renewsLife,
  type Write,
  writesOf,
} from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import type { Compiled } from '../engine.ts'
import { isUnique, keyLength, nativeGraceMs, stored } from './keys.ts'
import { RowScript } from './row-script.ts'
import { type Helper, helpers, literal, type Script, script } from './scripts.ts'

export type Step = Write & { entity: string }

/** Whether the guard of a step is looked at before all steps: that of the first step is by the step itself. */
export const isGuardedLater = (write: Step, at: number) => write.kind === 'update' && write.guard !== undefined && at > 0

export function writeScriptOf(compiled: Compiled, operation: Operation): Script {
  const used = new Set<Helper>(['key'])
  const steps = writesOf(operation).map((write, at) => new StepScript(compiled, write, at, used))
  // What a script has written stays: whether it may begin is known before.
  const body = [...steps.filter(({ isLater }) => isLater).flatMap((step) => step.guard()), ...steps.flatMap((step) => step.lines())]
  const heads = (Object.keys(helpers) as Helper[]).filter((name) => used.has(name)).map((name) => helpers[name].trimStart())
  return script([...heads, 'local rows = 0', ...body, 'return rows'].join('\n'))
}

/** Sorted sets and hashes of unique fields that a write moves its row in. */
export function placesOf({ model }: Compiled, write: Step): { sets: Store[]; uniques: Store[] } {
  const moved = (store: Store) => moves(store, write)
  return { sets: setsOf(model.stores, write.entity).filter(moved), uniques: uniquesOf(model.stores, write.entity).filter(moved) }
}

/** Owned entities whose rows have hashes of their own, with the set that holds an owner's. */
export function linesApart({ scenario, model }: Compiled, owner: string): { owned: Entity; lines: Store }[] {
  return ownedBy(scenario, owner).flatMap((owned) => {
    const [lines] = setsOf(model.stores, owned.name)
    return lines !== undefined && model.stores.some((store) => store.base && store.entity === owned.name) ? [{ owned, lines }] : []
  })
}

/** Whether new rows have unique fields, whose values are compared first. */
export function claims({ model }: Compiled, write: Step): boolean {
  if (write.kind !== 'insert' && write.kind !== 'put') return false
  return [write.entity, ...(write.kind === 'insert' ? write.with : [])].some((name) => uniquesOf(model.stores, name).length > 0)
}

class StepScript {
  readonly #compiled: Compiled
  readonly #write: Step
  readonly #entity: Entity
  /** Whether its rows are the operation's. */
  readonly #counts: boolean
  readonly isLater: boolean
  readonly #used: Set<Helper>

  constructor(compiled: Compiled, write: Step, at: number, used: Set<Helper>) {
    this.#compiled = compiled
    this.#write = write
    this.#entity = entityOf(compiled.scenario, write.entity)
    this.#counts = at === 0
    this.isLater = isGuardedLater(write, at)
    this.#used = used
  }

  lines(): string[] {
    const write = this.#write
    const body =
      write.kind === 'insert'
        ? [...this.#claims(), ...this.#commands()]
        : write.kind === 'put'
          ? this.#put()
          : write.kind === 'delete'
            ? this.#delete()
            : this.#update(write)
    return [`do -- ${write.kind} ${write.entity}`, ...indented(body), 'end']
  }

  /** Ends the script where the guard does not hold. */
  guard(): string[] {
    const row = this.#row({ sets: [], uniques: [] }, this.#guard)
    const body = [
      'local hash = key()',
      ...this.#asked(),
      ...(this.#guard?.from === undefined ? [] : [`local bound = tonumber(${this.#argument()})`]),
      `local old = ${row.read()}`,
      `if not (${this.#fits(row, this.#guard)}) then return ${conflict} end`,
    ]
    return [
      this.#follows ? `for _ = 1, tonumber(${this.#argument()}) do -- if ${this.#entity.name}` : `do -- if ${this.#entity.name}`,
      ...indented(body),
      'end',
    ]
  }

  /** Where it stood before is left; the commands say where it stands. */
  #put(): string[] {
    const places = placesOf(this.#compiled, this.#write)
    if (places.sets.length + places.uniques.length === 0) return this.#commands()
    const row = new RowScript(this.#entity, places, this.#use)
    return [
      ...row.places(),
      'local hash = key()',
      ...this.#claims(),
      `local old = ${row.read()}`,
      'if old[1] then',
      ...indented(row.leave('old')),
      'end',
      ...this.#commands(),
    ]
  }

  #update(write: Extract<Step, { kind: 'update' }>): string[] {
    const row = this.#row(placesOf(this.#compiled, write), this.#ownGuard)
    const values = write.set.map((each, at) => {
      if (each.to !== 'constant') return `value${at + 1}`
      return each.constant === null
        ? 'false'
        : literal(stored(fieldOf(this.#entity, each.field), constantOf(this.#entity, each.field, each.constant)))
    })
    const optional = values.filter((_, at) => write.set[at]?.to !== 'constant' && isOptional(this.#entity, write.set[at]?.field as string))
    const amounts = write.add.map((each, at) => (write.via === null ? `'${each.amount}'` : `amount${at + 1}`))
    const target = [
      'local hash = key()',
      ...(write.via === null ? [] : this.#bound(amounts)),
      ...this.#ifThere(row, [...this.#changes(write, row, values, amounts), ...this.#counted('rows + 1')]),
    ]
    return [
      ...row.places(),
      ...this.#bound(values.filter((_, at) => write.set[at]?.to !== 'constant')),
      ...optional.map((value) => `${value} = ${value} ~= '' and ${value}`),
      ...this.#asked(),
      ...(write.guard?.asRead ? [`local read = ${this.#argument()}`] : []),
      ...(write.via === null ? target : [`for _ = 1, tonumber(${this.#argument()}) do`, ...indented(target), 'end']),
    ]
  }

  #changes(write: Extract<Step, { kind: 'update' }>, row: RowScript, values: string[], amounts: string[]): string[] {
    const { sets, uniques } = placesOf(this.#compiled, write)
    const moved = sets.length + uniques.length > 0
    const known = (field: string) => moved && row.has(field)
    const isSure = (at: number) => !isOptional(this.#entity, write.set[at]?.field as string)
    const set = write.set.flatMap(({ field }, at) => (isSure(at) ? [`'${field}', ${values[at]}`] : []))
    const unsure = write.set.flatMap(({ field }, at) => (isSure(at) ? [] : [setOrRemoved(field, values[at] as string)]))
    return [
      ...(moved ? ['local new = {unpack(old)}'] : []),
      ...write.set.flatMap(({ field }, at) => (known(field) ? [`${row.of('new', field)} = ${values[at]}`] : [])),
      ...row.claim('new'),
      ...(set.length === 0 ? [] : [`redis.call('HSET', hash, ${set.join(', ')})`]),
      ...unsure,
      ...(renewsLife(this.#entity, write) ? [`redis.call('PEXPIRE', hash, ${(this.#entity.ttlMs as number) + nativeGraceMs})`] : []),
      ...write.add.map(({ field }, at) => {
        const sum = `redis.call('HINCRBY', hash, '${field}', ${amounts[at]})`
        return known(field) ? `${row.of('new', field)} = string.format('%.0f', ${sum})` : sum
      }),
      ...row.change('old', 'new'),
    ]
  }

  #delete(): string[] {
    const row = this.#row(placesOf(this.#compiled, this.#write))
    const apart = linesApart(this.#compiled, this.#entity.name)
    return [
      ...row.places(),
      'local hash = key()',
      ...this.#asked(),
      ...this.#ifThere(row, [
        ...apart.flatMap(({ owned, lines }) => this.#deleteLines(owned, lines)),
        ...row.leave('old'),
        `redis.call('DEL', hash)`,
        ...this.#counted('1'),
      ]),
    ]
  }

  #deleteLines(owned: Entity, lines: Store): string[] {
    const { stores } = this.#compiled.model
    const row = new RowScript(owned, { sets: setsOf(stores, owned.name), uniques: uniquesOf(stores, owned.name) }, this.#use)
    const owner = `string.sub(hash, ${this.#entity.name.length + 2})`
    return [
      ...row.places(),
      `for _, member in ipairs(redis.call('ZRANGE', ${literal(`${lines.name}:`)} .. ${owner}, 0, -1)) do`,
      `  local hash = ${literal(`${owned.name}:`)} .. string.sub(member, -${keyLength(owned)})`,
      `  local old = ${row.read()}`,
      ...indented(row.leave('old')),
      `  redis.call('DEL', hash)`,
      'end',
    ]
  }

  /** Whether the row is among those that `via` leads to, where it is there whoever asks. */
  get #follows(): boolean {
    return this.#write.kind === 'update' && this.#write.via !== null
  }

  get #expires(): boolean {
    return this.#entity.ttlMs !== null && !this.#follows
  }

  get #tenant(): string | null {
    return tenantAskedOf(this.#entity, this.#write)
  }

  get #guard(): Guard | undefined {
    return this.#write.kind === 'update' ? this.#write.guard : undefined
  }

  /** Which the step looks at by itself. */
  get #ownGuard(): Guard | undefined {
    return this.isLater ? undefined : this.#guard
  }

  /** The row that the step is about, with what it is compared by. */
  #row(places: { sets: Store[]; uniques: Store[] }, guard?: Guard): RowScript {
    const compared = [...(this.#expires ? ['expires_at'] : []), this.#tenant ?? [], guard?.field ?? []].flat()
    return new RowScript(this.#entity, places, this.#use, compared)
  }

  /** What the row has to be, besides there: alive, and of the tenant that asks. */
  #asked(): string[] {
    return [
      ...(this.#expires ? [`local now = tonumber(${this.#argument()})`] : []),
      ...(this.#tenant === null ? [] : [`local tenant = ${this.#argument()}`]),
    ]
  }

  #ifThere(row: RowScript, body: string[]): string[] {
    const otherwise = this.#ownGuard === undefined ? [] : [`else return ${conflict}`]
    return [`local old = ${row.read()}`, `if ${this.#fits(row, this.#ownGuard)} then`, ...indented(body), ...otherwise, 'end']
  }

  /** Whether the row is there, lives, is of the tenant that asks, and holds what the guard asks for. */
  #fits(row: RowScript, guard: Guard | undefined): string {
    return [
      'old[1]',
      ...(this.#expires ? [`tonumber(${row.of('old', 'expires_at')}) > now`] : []),
      ...(this.#tenant === null ? [] : [`${row.of('old', this.#tenant)} == tenant`]),
      ...(guard === undefined ? [] : [this.#holds(guard, row.of('old', guard.field))]),
    ].join(' and ')
  }

  #holds({ field: name, is, constant, from, asRead }: Guard, value: string): string {
    if (asRead) return `${value} == read`
    if (constant === null) return `not ${value}`
    if (isOptional(this.#entity, name)) return `${value} and ${this.#compares({ field: name, is, constant, from }, value)}`
    return this.#compares({ field: name, is, constant, from }, value)
  }

  /** Of a value that is there. */
  #compares({ field: name, is, constant, from }: Pick<Guard, 'field' | 'is' | 'constant'> & { from: string | undefined }, value: string): string {
    if (from !== undefined) return `tonumber(${value}) ${operators[is]} bound`
    const field = fieldOf(this.#entity, name)
    const bytes = stored(field, constantOf(this.#entity, name, constant))
    return field.type === 'int' || field.type === 'decimal' ? `tonumber(${value}) ${operators[is]} ${bytes}` : `${value} == ${literal(bytes)}`
  }

  /** New rows as their commands come: hash, life, sets, lines. */
  #commands(): string[] {
    this.#argument()
    this.#use('commands')
    return [`commands() -- ${this.#newKeys().join('; ')}`, ...this.#counted('1')]
  }

  /** What the commands are about, for who reads the script. */
  #newKeys(): string[] {
    const { stores } = this.#compiled.model
    const names = [this.#write.entity, ...(this.#write.kind === 'insert' ? this.#write.with : [])]
    return names.flatMap((name) =>
      stores.flatMap((store) => {
        if (store.entity !== name) return []
        const key = `${store.name}:${store.partition.length === 0 || isUnique(store) ? '' : `<${store.partition.join(', ')}>`}`
        return store.base ? [`HSET ${key}`, ...(store.expiry === null ? [] : [`PEXPIRE ${key}`])] : [`${isUnique(store) ? 'HSET' : 'ZADD'} ${key}`]
      }),
    )
  }

  #claims(): string[] {
    if (!claims(this.#compiled, this.#write)) return []
    this.#use('taken')
    const argument = this.#argument()
    return [`for _ = 1, tonumber(${argument}) do`, `  if taken(key(), ${argument}, ${argument}) then return refused end`, 'end']
  }

  #counted(rows: string): string[] {
    return this.#counts ? [`rows = ${rows}`] : []
  }

  #bound(names: string[]): string[] {
    return names.length === 0 ? [] : [`local ${names.join(', ')} = ${names.map(() => this.#argument()).join(', ')}`]
  }

  #argument(): string {
    this.#use('argument')
    return 'argument()'
  }

  readonly #use = (helper: Helper) => void this.#used.add(helper)
}

/** Without a value the hash has no such field. */
function setOrRemoved(field: string, value: string): string {
  if (value === 'false') return `redis.call('HDEL', hash, '${field}')`
  const set = `redis.call('HSET', hash, '${field}', ${value})`
  return value.startsWith("'") ? set : `if ${value} then ${set} else redis.call('HDEL', hash, '${field}') end`
}

const operators: Record<Comparison, string> = { equals: '==', gt: '>', gte: '>=', lt: '<', lte: '<=' }
/** What a script answers where a guard does not hold. */
const conflict = '-1'

const indented = (lines: string[]) => lines.map((line) => `  ${line}`)
