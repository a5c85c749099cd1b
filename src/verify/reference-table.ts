/** The rows of one entity in the reference engine: those that were loaded are shared by all candidates, what a candidate changed is its own. */
import type { Value } from '../data/value.ts'

export type Row = Map<string, Value>
export type Loaded = ReadonlyMap<string, Value>
export type Rows = ReadonlyMap<string, Loaded>

/** Rows that have a term; the terms of a row are a function of it that the name stands for. */
export interface Having {
  name: string
  termsOf: (row: Loaded) => string[]
  term: string
}

const indexes = new WeakMap<Rows, Map<string, Map<string, string[]>>>()

/** Keys of the loaded rows that have a term; made when it is first asked for, for all candidates. */
function keysHaving(rows: Rows, { name, termsOf, term }: Having): string[] {
  const ofRows = indexes.get(rows) ?? new Map<string, Map<string, string[]>>()
  indexes.set(rows, ofRows)
  let index = ofRows.get(name)
  if (index === undefined) {
    index = new Map()
    for (const [key, row] of rows)
      for (const each of new Set(termsOf(row))) {
        const keys = index.get(each)
        if (keys === undefined) index.set(each, [key])
        else keys.push(key)
      }
    ofRows.set(name, index)
  }
  return index.get(term) ?? []
}

export class ReferenceTable {
  readonly #loaded: Rows
  /** By key; null: a loaded row that was deleted. */
  readonly #own = new Map<string, Row | null>()

  /** Since `begin`: what stood in `#own` before its first change, by key. */
  #before: Map<string, Row | null | undefined> | null = null

  constructor(loaded: Rows) {
    this.#loaded = loaded
  }

  begin(): void {
    this.#before = new Map()
  }

  /** `undo`: nothing was done since `begin`. */
  end(undo: boolean): void {
    for (const [key, row] of undo ? (this.#before ?? []) : []) {
      if (row === undefined) this.#own.delete(key)
      else this.#own.set(key, row)
    }
    this.#before = null
  }

  #remember(key: string): void {
    if (this.#before === null || this.#before.has(key)) return
    const own = this.#own.get(key)
    this.#before.set(key, own ? new Map(own) : own)
  }

  get(key: string): Loaded | undefined {
    const own = this.#own.get(key)
    return own === undefined ? this.#loaded.get(key) : (own ?? undefined)
  }

  /** The row to change: a copy of a loaded one. */
  changeable(key: string): Row | undefined {
    const row = this.get(key)
    if (row === undefined) return undefined
    this.#remember(key)
    const own = this.#own.get(key) ?? new Map(row)
    this.#own.set(key, own)
    return own
  }

  set(key: string, row: Row): void {
    this.#remember(key)
    this.#own.set(key, row)
  }

  delete(key: string): void {
    this.#remember(key)
    if (this.#loaded.has(key)) this.#own.set(key, null)
    else this.#own.delete(key)
  }

  values(): Loaded[] {
    return this.#withOwn(this.#loaded.keys())
  }

  /** All rows that have a term, and maybe others: whatever was changed is among them. */
  valuesThatMayHave(having: Having): Loaded[] {
    return this.#withOwn(keysHaving(this.#loaded, having))
  }

  #withOwn(loaded: Iterable<string>): Loaded[] {
    const rows: Loaded[] = []
    for (const key of loaded) if (!this.#own.has(key)) rows.push(this.#loaded.get(key) as Loaded)
    for (const row of this.#own.values()) if (row !== null) rows.push(row)
    return rows
  }
}

/**
 * The first of them in an order, as many as are wanted: most rows are told by one comparison, with the last of those so far.
 * The newest rows stand last, and are what most lists ask for.
 */
export function firstOf<T>(rows: T[], most: number, compare: (a: T, b: T) => number): T[] {
  const first: T[] = []
  for (const row of rows.toReversed()) {
    if (first.length === most && compare(row, first[most - 1] as T) >= 0) continue
    let [low, high] = [0, first.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (compare(row, first[middle] as T) < 0) high = middle
      else low = middle + 1
    }
    first.splice(low, 0, row)
    if (first.length > most) first.pop()
  }
  return first
}
