/** A row in Lua: the fields that its sets depend on, read from its hash, and the sets and members that follow from them. */
import { constantOf } from '../../data/value.ts'
import { placedBy, scoreOf } from '../../families/key-value/model.ts'
import type { Store } from '../../families/model.ts'
import { type Constant, type Entity, fieldOf } from '../../scenario/scenario.ts'
import { leading, optionalKeys, stored, uniqueHash } from './keys.ts'
import { type Helper, literal } from './scripts.ts'

/** A step's script has the row's hash in `hash`; rows are lists of the fields as `read` asks for them. */
export class RowScript {
  readonly #entity: Entity
  readonly #sets: Store[]
  readonly #uniques: Store[]
  readonly #use: (helper: Helper) => void
  readonly #fields: string[]

  constructor(entity: Entity, { sets, uniques }: { sets: Store[]; uniques: Store[] }, use: (helper: Helper) => void, further: string[] = []) {
    this.#entity = entity
    this.#sets = sets
    this.#uniques = uniques
    this.#use = use
    this.#fields = [...new Set([entity.key[0] as string, ...sets.flatMap(placedBy), ...uniques.map(uniqueField), ...further])]
  }

  has(field: string): boolean {
    return this.#fields.includes(field)
  }

  of(row: string, field: string): string {
    return `${row}[${this.#fields.indexOf(field) + 1}]`
  }

  /** The first is of the key: absent with the row. */
  read(): string {
    return `redis.call('HMGET', hash, ${this.#fields.map((field) => `'${field}'`).join(', ')})`
  }

  /** A function from a row to its sets, where it has any. */
  places(): string[] {
    if (this.#sets.length === 0) return []
    return [
      `local function places_${this.#entity.name}(row, key)`,
      '  local sets = {}',
      ...this.#sets.flatMap((store) => this.#place(store)),
      '  return sets',
      'end',
    ]
  }

  leave(row: string): string[] {
    if (this.#sets.length > 0) this.#use('move')
    return [
      ...(this.#sets.length === 0 ? [] : [`move(${this.#placesOf(row)}, {})`]),
      ...this.#uniques.map((store) => `redis.call('HDEL', ${literal(uniqueHash(store))}, ${this.of(row, uniqueField(store))})`),
    ]
  }

  change(before: string, after: string): string[] {
    if (this.#sets.length > 0) this.#use('move')
    return [
      ...(this.#sets.length === 0 ? [] : [`move(${this.#placesOf(before)}, ${this.#placesOf(after)})`]),
      ...this.#uniques.flatMap((store) => {
        const [hash, field] = [literal(uniqueHash(store)), uniqueField(store)]
        return [`redis.call('HDEL', ${hash}, ${this.of(before, field)})`, `redis.call('HSET', ${hash}, ${this.of(after, field)}, ${this.#key})`]
      }),
    ]
  }

  /** Ends the script where another row has one of the row's unique values. */
  claim(row: string): string[] {
    if (this.#uniques.length > 0) this.#use('taken')
    return this.#uniques.map(
      (store) => `if taken(${literal(uniqueHash(store))}, ${this.of(row, uniqueField(store))}, ${this.#key}) then return refused end`,
    )
  }

  get #key(): string {
    return `string.sub(hash, ${this.#entity.name.length + 2})`
  }

  #placesOf(row: string): string {
    return `places_${this.#entity.name}(${row}, ${this.#key})`
  }

  #place(store: Store): string[] {
    const score = scoreOf(store)
    const bytes = [...leading(this.#entity, store).map((name) => this.#sortable(name)), 'key'].join(' .. ')
    const member = `{${score === null ? "'0'" : this.of('row', score)}, ${bytes}}`
    const name = literal(`${store.name}:`)
    const token = store.columns.find((each) => each.role === 'token')
    if (token !== undefined) {
      const texts = token.field.split(' ').map((field) => this.of('row', field))
      return [`  for word in string.gmatch(${texts.join(" .. ' ' .. ")}, '[^ ]+') do sets[${name} .. word] = ${member} end`]
    }
    const enter = `sets[${[name, ...store.partition.map((field) => this.#sortable(field))].join(' .. ')}] = ${member}`
    const there = optionalKeys(this.#entity, store).map((field) => this.of('row', field))
    const equal = (store.where ?? []).map(({ field, constant }) => {
      const value = constantOf(this.#entity, field, constant as Constant)
      return `${this.of('row', field)} == ${literal(stored(fieldOf(this.#entity, field), value))}`
    })
    const fits = [...there, ...equal]
    return [fits.length === 0 ? `  ${enter}` : `  if ${fits.join(' and ')} then ${enter} end`]
  }

  /** Bytes that sort as the values do, from those that the hash holds; see redis-keys. */
  #sortable(name: string): string {
    const value = this.of('row', name)
    const { type } = fieldOf(this.#entity, name)
    if (type === 'uuid' || type === 'bool') return value
    const helper = type === 'int' || type === 'decimal' || type === 'timestamp' ? 'number' : 'text'
    this.#use(helper)
    return `${helper}(${value})`
  }
}

const uniqueField = (store: Store) => store.partition[0] as string
