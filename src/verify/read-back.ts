/** Reads back rows that were written: each must hold what some order of the writes leads to. */
import { type Dataset, type EntityData, isLoaded, lineRows } from '../data/dataset.ts'
import { display, linesPerOwner } from '../data/fields.ts'
import { fixedParameters, keyValues, parametersOf } from '../data/parameters.ts'
import { type Answer, canonical, type Value } from '../data/value.ts'
import type { Compiled, Session } from '../engines/engine.ts'
import { messageOf, rethrowOwnFault, TrialError } from '../errors.ts'
import { entityOf, lineFields, type OperationOf, ownedBy } from '../scenario/scenario.ts'
import { Possible } from './possible.ts'
import type { Reference } from './reference.ts'
import type { Row, Writes } from './writes.ts'

const maxReadBack = 20_000
const readsInFlight = 16
const shownLength = 60

export interface ReadBack {
  entity: string
  written: number
  read: number
  /** Rows that hold something else. */
  lost: number
  /** Rows that hold something else, because of writes that were never promised to last. */
  forgone: number
  example: string
}

/** Of what the reference says the rows were before. */
export function rowBefore(reference: Reference, data: EntityData, row: number): Row | undefined {
  return isLoaded(data, row) ? reference.row(data.entity.name, keyValues(data.entity, data, row)) : undefined
}

/** Owned rows of one entity that an owner had. */
export function linesBefore(reference: Reference, owned: EntityData, owner: EntityData, row: number): number {
  if (!isLoaded(owner, row)) return 0
  return lineRows(owned, row).filter((line) => reference.row(owned.entity.name, keyValues(owned.entity, owned, line)) !== undefined).length
}

export interface ReadBackOptions {
  /** First entry of the log whose rows are read back; absent: of all. */
  from?: number
  /** Absent: as many as take a few seconds, spread over all that were written. */
  maxRows?: number | undefined
  /** Told of every row that is there; `allows`: whether what was acknowledged leads to what it has in a field. */
  onRow?: (check: OperationOf<'get'>, row: Value[], allows: (field: string) => boolean) => void
}

/** @throws where a row could not be read: that is no loss. */
export async function readBack(
  session: Pick<Session, 'perform'>,
  compiled: Pick<Compiled, 'scenario' | 'operations'>,
  dataset: Dataset,
  reference: Reference,
  writes: Writes,
  nowMs: number,
  signal: AbortSignal,
  { from = 0, maxRows = maxReadBack, onRow }: ReadBackOptions = {},
): Promise<ReadBack[]> {
  const { scenario, operations } = compiled
  const results: ReadBack[] = []
  for (const [index, check] of operations.entries()) {
    if (!check.internal || check.kind !== 'get') continue
    const entity = entityOf(scenario, check.entity)
    const data = dataset.entities.get(entity.name) as EntityData
    const expectation = new Expectation(check, dataset, reference, writes, nowMs, { from, maxRows })
    const result: ReadBack = { entity: entity.name, written: expectation.written, read: expectation.rows.length, lost: 0, forgone: 0, example: '' }
    const queue = expectation.rows.values()
    const reader = async () => {
      for (const row of queue) {
        signal.throwIfAborted()
        const key = keyValues(entity, data, row)
        const made: Row = check.known === undefined ? new Map() : expectation.made(row)
        const params = fixedParameters(
          parametersOf(scenario, check).map(
            ({ shape, field }, at) => (shape === 'now' ? nowMs : at < key.length ? key[at] : made.get(field?.name ?? '')) as Value,
          ),
        )
        const answer = await session.perform(index, params).then(
          (reply) => reply.answer(),
          (error: unknown) => {
            rethrowOwnFault(error)
            throw new TrialError('not-read-back', `rows of ${entity.name} could not be read back after the replay: ${messageOf(error)}`, {
              cause: error,
            })
          },
        )
        const [found] = answer.kind === 'rows' ? answer.rows : []
        if (found !== undefined) onRow?.(check, found, (field) => expectation.allows(row, found, field))
        const strictly = expectation.fault(row, answer, true)
        if (strictly === null) continue
        if (expectation.fault(row, answer, false) === null) result.forgone++
        else {
          result.lost++
          result.example ||= `${display(key[0] as Value)}: ${strictly}`
        }
      }
    }
    await Promise.all(Array.from({ length: readsInFlight }, reader))
    if (result.written > 0) results.push(result)
  }
  return results
}

/** What the rows of one entity, with their owned rows, may hold. */
class Expectation {
  /** Rows that are read: all that were written, or as many as can be, spread over them. */
  readonly rows: number[]
  readonly written: number
  readonly #check: OperationOf<'get'>
  readonly #data: EntityData
  readonly #owned: EntityData[]
  readonly #reference: Reference
  readonly #strict: Writes
  readonly #writes: Writes
  readonly #nowMs: number
  readonly #entries: Map<number, number[]>
  readonly #ofLines: Map<number, number[]>[]

  constructor(
    check: OperationOf<'get'>,
    dataset: Dataset,
    reference: Reference,
    writes: Writes,
    nowMs: number,
    { from, maxRows }: { from: number; maxRows: number },
  ) {
    this.#check = check
    this.#data = dataset.entities.get(check.entity) as EntityData
    this.#owned = ownedBy(dataset.scenario, check.entity).map((owned) => dataset.entities.get(owned.name) as EntityData)
    this.#reference = reference
    this.#writes = writes
    this.#strict = writes.strict
    this.#nowMs = nowMs
    const all = writes.written(this.#data.entity, from)
    for (const owned of this.#owned) for (const line of writes.written(owned.entity, from)) all.add(Math.floor(line / linesPerOwner))
    this.written = all.size
    const every = Math.max(1, all.size / maxRows)
    const chosen = new Set([...all].filter((_, at) => Math.floor(at / every) !== Math.floor((at - 1) / every)))
    this.rows = [...chosen]
    this.#entries = writes.entriesOf(this.#data.entity, (row) => chosen.has(row))
    this.#ofLines = this.#owned.map((owned) => writes.entriesOf(owned.entity, (line) => chosen.has(Math.floor(line / linesPerOwner))))
  }

  /** What a row was made with. */
  made(row: number): Row {
    const before = rowBefore(this.#reference, this.#data, row)
    const effects = this.#writes.effects(this.#data, row, this.#entries.get(row) ?? [], before)
    return before ?? effects.find((effect) => effect.kind === 'creates')?.values ?? new Map()
  }

  /** Whether the writes lead to what a row that is there has in a field, those not counted that were never promised to last. */
  allows(row: number, found: Value[], field: string): boolean {
    return this.#possible(row, this.#writes).allows(field, found[this.#check.fields.indexOf(field)] as Value)
  }

  #possible(row: number, writes: Writes): Possible {
    const before = rowBefore(this.#reference, this.#data, row)
    const expiry = this.#data.entity.fields.find((field) => field.generator.kind === 'expiresAt')
    const ttl = expiry === undefined ? null : { field: expiry.name, nowMs: this.#nowMs }
    return new Possible(before, writes.effects(this.#data, row, this.#entries.get(row) ?? [], before), ttl)
  }

  /** What is wrong with the answer; null: nothing. */
  fault(row: number, answer: Answer, strictly: boolean): string | null {
    const { fields } = this.#check
    const writes = strictly ? this.#strict : this.#writes
    const entries = this.#entries.get(row) ?? []
    const possible = this.#possible(row, writes)
    const found = answer.kind === 'rows' ? answer.rows[0] : undefined
    if (found === undefined) return possible.mayBeAbsent ? null : `not there, written by ${possible.writersOf(null)}`
    if (!possible.mayBePresent) return 'there, though it was removed'
    const wrong = fields.findIndex((field, at) => !possible.allows(field, found[at] as Value))
    if (wrong >= 0) return `${fields[wrong]} is ${shown(found[wrong] as Value)}, written by ${possible.writersOf(fields[wrong] as string)}`
    for (const [at, owned] of this.#owned.entries()) {
      const fault = this.#linesFault(at, owned, row, entries, found[fields.length + at] as Value[][], writes)
      if (fault !== null) return `${owned.entity.name} ${fault}`
    }
    return null
  }

  #linesFault(at: number, owned: EntityData, owner: number, ofOwner: number[], found: Value[][], writes: Writes): string | null {
    const { entity } = owned
    const names = lineFields(entity).map((field) => field.name)
    const left = new Map(found.map((line) => [Number(line[0]), line]))
    if (left.size < found.length) return 'has a line twice'
    // An owner that expired may have been removed with its lines before it was put again, or not.
    const mayBeGone = this.#data.entity.ttlMs !== null && writes.puts(ofOwner)
    for (let line = 1; line <= owned.linesOf(owner); line++) {
      const row = owner * linesPerOwner + line
      const before = isLoaded(this.#data, owner) ? this.#reference.row(entity.name, keyValues(entity, owned, row)) : undefined
      const direct = (this.#ofLines[at] as Map<number, number[]>).get(row) ?? []
      const possible = new Possible(before, writes.lineEffects(owned, row, ofOwner, direct, before), null)
      const own = left.get(line)
      left.delete(line)
      if (own === undefined) {
        if (!possible.mayBeAbsent && !mayBeGone) return `${line} is not there, written by ${possible.writersOf(null)}`
        continue
      }
      if (!possible.mayBePresent) return `${line} is there, though its owner was removed`
      const wrong = names.findIndex((name, column) => name !== 'line' && !possible.allows(name, own[column] as Value))
      if (wrong >= 0) return `${line}: ${names[wrong]} is ${shown(own[wrong] as Value)}, written by ${possible.writersOf(names[wrong] as string)}`
    }
    return left.size > 0 ? `${[...left.keys()][0]} is there, though nothing wrote it` : null
  }
}

const shown = (value: Value) => canonical(value).slice(0, shownLength)
