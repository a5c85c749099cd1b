/** What a row may hold after writes whose order is known in part only: what cannot be decided is allowed either way. */
import { canonical, sumOf, type Value } from '../data/value.ts'

/** What one operation did to one row, its steps taken together. */
export interface Effect {
  /** Names it for people. */
  by: string
  kind: 'creates' | 'changes' | 'removes'
  /** Whether it happened for certain; else it may have happened at any time after it was sent. */
  isCertain: boolean
  /** Of a change: whether the row was there for certain when it came. */
  isMatched: boolean
  sentNs: number
  doneNs: number
  /** Fields that it sets; of `creates` all. */
  values: Map<string, Value>
  /** Amounts added to fields that it does not set. */
  adds: Map<string, number>
}

export class Possible {
  readonly #effects: Effect[]
  readonly #ttl: { field: string; nowMs: number } | null

  /** `before`: the row before the first of these effects. `ttl`: the field of a row's expiry, and the moment at which it is looked at. */
  constructor(before: ReadonlyMap<string, Value> | undefined, effects: Effect[], ttl: { field: string; nowMs: number } | null) {
    const start: Effect = {
      by: 'the load',
      kind: before === undefined ? 'removes' : 'creates',
      isCertain: true,
      isMatched: true,
      sentNs: Number.NEGATIVE_INFINITY,
      doneNs: Number.NEGATIVE_INFINITY,
      values: new Map(before),
      adds: new Map(),
    }
    this.#effects = [start, ...effects]
    this.#ttl = ttl
  }

  get mayBeAbsent(): boolean {
    const removes = this.#last('removes', ({ kind }) => kind === 'creates')
    return removes.length > 0 || (this.#ttl !== null && this.#setters(this.#ttl.field).some((setter) => this.#hasExpired(setter)))
  }

  get mayBePresent(): boolean {
    return this.#makers.length > 0
  }

  allows(field: string, value: Value): boolean {
    return this.#setters(field).some((base) => this.#reaches(base, field, value))
  }

  /** The operations that may have had the last word on a field, or on the row. */
  writersOf(field: string | null): string {
    const last = field === null ? this.#makers : this.#setters(field)
    const added = field === null ? [] : this.#effects.filter((effect) => effect.adds.has(field))
    return [...new Set([...last, ...added].map((effect) => effect.by))].slice(0, 4).join(', ')
  }

  /** Those that may have had the last word on a field. */
  #setters(field: string): Effect[] {
    return this.#last('sets', (other) => setsForCertain(other, field), field)
  }

  get #makers(): Effect[] {
    return this.#last('creates', ({ kind }) => kind === 'removes')
  }

  /** The effects of a kind that no certain overriding effect strictly followed. */
  #last(kind: 'creates' | 'removes' | 'sets', overrides: (effect: Effect) => boolean, field = ''): Effect[] {
    const latest = this.#effects.reduce(
      (most, each) => (each.isCertain && overrides(each) ? Math.max(most, each.sentNs) : most),
      Number.NEGATIVE_INFINITY,
    )
    return this.#effects.filter((each) => (kind === 'sets' ? each.values.has(field) : each.kind === kind) && each.doneNs >= latest)
  }

  #hasExpired({ values }: Effect): boolean {
    const { field, nowMs } = this.#ttl as { field: string; nowMs: number }
    return Number(values.get(field)) <= nowMs
  }

  /** Whether what was added after, or maybe after, a value was set leads to this one. */
  #reaches(base: Effect, field: string, value: Value): boolean {
    let certain = base.values.get(field) as Value
    let [least, most] = [0, 0]
    for (const effect of this.#effects) {
      const amount = effect.adds.get(field)
      if (amount === undefined || effect.doneNs < base.sentNs) continue
      if (effect.sentNs > base.doneNs && effect.isCertain && effect.isMatched) certain = sumOf(certain, amount)
      else if (amount < 0) least += amount
      else most += amount
    }
    if (least === 0 && most === 0) return canonical(certain) === canonical(value)
    return (value as number) >= (sumOf(certain, least) as number) && (value as number) <= (sumOf(certain, most) as number)
  }
}

function setsForCertain({ kind, isMatched, values }: Effect, field: string): boolean {
  return kind !== 'changes' || (isMatched && values.has(field))
}
