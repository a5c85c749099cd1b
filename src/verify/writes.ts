/** What the write log says was done to each row, step by step. */
import { type Dataset, type EntityData, rowValues } from '../data/dataset.ts'
import { type FieldGenerator, generatedValue, isMissing, linesPerOwner } from '../data/fields.ts'
import { constantOf, sumOf, type Value } from '../data/value.ts'
import { logOutcomes, type WriteLog } from '../measure/recorder.ts'
import { type Entity, type Operation, type Update, type Write, writesOf } from '../scenario/scenario.ts'
import type { Effect } from './possible.ts'

export type Row = ReadonlyMap<string, Value>
type Step = Write & { entity: string }

export class Writes {
  readonly #operations: Operation[]
  readonly #steps: Step[][]
  readonly #dataset: Dataset
  readonly #log: WriteLog
  readonly #isLosable: (doneNs: number) => boolean

  /** `isLosable`: whether a write that was acknowledged at this moment may be lost, because that was never promised. */
  constructor(operations: Operation[], dataset: Dataset, log: WriteLog, isLosable: (doneNs: number) => boolean) {
    this.#operations = operations
    this.#steps = operations.map(writesOf)
    this.#dataset = dataset
    this.#log = log
    this.#isLosable = isLosable
  }

  /** The same log, where nothing that was acknowledged may be lost. */
  get strict(): Writes {
    return new Writes(this.#operations, this.#dataset, this.#log, () => false)
  }

  /** The entries of the log that changed or may have changed something. */
  *entries(): Iterable<{ at: number; step: Step; row: number; isCertain: boolean }> {
    const log = this.#log
    for (let at = 0; at < log.operation.length; at++) {
      const steps = this.#steps[log.operation[at] as number] as Step[]
      const step = steps[log.step[at] as number] as Step
      const row = log.row[at] as number
      const outcome = log.outcome[at]
      // A conflict undoes the whole; what matched nothing changed nothing, but later steps of a transaction may have.
      if (outcome === logOutcomes.conflict || (outcome === logOutcomes.miss && log.step[at] === 0 && step.kind !== 'insert' && step.kind !== 'put'))
        continue
      yield { at, step, row, isCertain: outcome !== logOutcomes.error && !this.#isLosable(log.doneNs[at] as number) }
    }
  }

  /** Rows of an entity that were written, by the entries from one on; of an owned one only those that were addressed directly. */
  written(entity: Entity, from = 0): Set<number> {
    const rows = new Set<number>()
    for (const { row, at } of this.#touches(entity)) if (at >= from) rows.add(row)
    return rows
  }

  /** The entries that wrote these rows, by row. */
  entriesOf(entity: Entity, isWanted: (row: number) => boolean): Map<number, number[]> {
    const entries = new Map<number, number[]>()
    for (const { row, at } of this.#touches(entity)) {
      if (!isWanted(row)) continue
      const own = entries.get(row)
      if (own === undefined) entries.set(row, [at])
      else if (own.at(-1) !== at) own.push(at)
    }
    return entries
  }

  /** Effects on a row, one for each operation; `before`: the row before the first of them. */
  effects(data: EntityData, row: number, entries: number[], before: Row | undefined): Effect[] {
    const isThere = before !== undefined && data.entity.ttlMs === null && !this.#removes(entries)
    return this.#folded(entries, (at) => this.#effect(data, row, at, isThere))
  }

  /** The same of an owned row, which comes and goes with its owner. */
  lineEffects(owned: EntityData, row: number, ofOwner: number[], direct: number[], before: Row | undefined): Effect[] {
    const isThere = before !== undefined && !this.#removes(ofOwner)
    const entries = [...new Set([...ofOwner, ...direct])].sort((a, b) => a - b)
    return this.#folded(entries, (at) => {
      const step = this.#step(at)
      if (step.entity === owned.entity.name) return this.#effect(owned, row, at, isThere)
      if (step.kind === 'delete') return this.#bare(at, 'removes')
      if (step.kind !== 'insert' || !step.with.includes(owned.entity.name)) return null
      const values = rowValues(owned, row, 0, this.#log.nowMs[at] as number)
      return { ...this.#bare(at, 'creates'), values: named(owned.entity, values) }
    })
  }

  *#touches(entity: Entity): Iterable<{ row: number; at: number }> {
    for (const { at, step, row } of this.entries()) {
      if (step.entity !== entity.name) continue
      if (step.kind === 'update' && step.via !== null) for (const { target } of this.#linesOf(at, step)) yield { row: target, at }
      else if (!isMissing(entity, row)) yield { row, at }
    }
  }

  /** Whether one of these entries puts a row where none, or another, may be. */
  puts(entries: number[]): boolean {
    return entries.some((at) => this.#step(at).kind === 'put')
  }

  #removes(entries: number[]): boolean {
    return entries.some((at) => this.#step(at).kind === 'delete')
  }

  #step(at: number): Step {
    return (this.#steps[this.#log.operation[at] as number] as Step[])[this.#log.step[at] as number] as Step
  }

  /** Steps of one operation follow one another: together they are one effect. */
  #folded(entries: number[], effectOf: (at: number) => Effect | null): Effect[] {
    const effects: Effect[] = []
    let last = -1
    for (const at of entries) {
      const effect = effectOf(at)
      if (effect === null) continue
      const operation = at - (this.#log.step[at] as number)
      if (operation === last) effects.push(then(effects.pop() as Effect, effect))
      else effects.push(effect)
      last = operation
    }
    return effects
  }

  #bare(at: number, kind: Effect['kind']): Effect {
    const log = this.#log
    const operation = this.#operations[log.operation[at] as number] as Operation
    const isAnswered = log.outcome[at] !== logOutcomes.error
    return {
      by: operation.kind === 'transaction' ? `step ${(log.step[at] as number) + 1} of ${operation.name}` : operation.name,
      kind,
      isCertain: isAnswered && !this.#isLosable(log.doneNs[at] as number),
      isMatched: true,
      sentNs: log.sentNs[at] as number,
      doneNs: isAnswered ? (log.doneNs[at] as number) : Number.POSITIVE_INFINITY,
      values: new Map(),
      adds: new Map(),
    }
  }

  #effect(data: EntityData, row: number, at: number, isThere: boolean): Effect {
    const { entity } = data
    const step = this.#step(at)
    const log = this.#log
    const nowMs = log.nowMs[at] as number
    if (step.kind === 'delete') return this.#bare(at, 'removes')
    if (step.kind !== 'update') {
      const values = named(entity, rowValues(data, row, log.version[at] as number, nowMs))
      if (step.kind === 'insert') for (const { field, constant } of step.set ?? []) values.set(field, constantOf(entity, field, constant))
      return { ...this.#bare(at, 'creates'), values }
    }
    const effect = this.#bare(at, 'changes')
    // An acknowledged first step has matched its row, and so has one whose guard held; whether another did depends on what was there.
    const isAnswered = log.outcome[at] !== logOutcomes.error
    effect.isMatched = isThere || (log.step[at] === 0 && log.outcome[at] === logOutcomes.ok) || (isAnswered && step.guard !== undefined)
    for (const each of step.set) effect.values.set(each.field, this.#assigned(data, each, at))
    if (step.via === null) for (const { field, amount } of step.add) effect.adds.set(field, amount)
    else
      for (const line of this.#linesOf(at, step).filter(({ target }) => target === row))
        step.add.forEach(({ field }, index) => void effect.adds.set(field, (effect.adds.get(field) ?? 0) + (line.amounts[index] as number)))
    return merged(effect)
  }

  #assigned({ entity, generators }: EntityData, assignment: Update['set'][number], at: number): Value {
    const { row, version, nowMs } = this.#log
    if (assignment.to === 'constant') return constantOf(entity, assignment.field, assignment.constant)
    if (assignment.to === 'now') return nowMs[at] as number
    const generator = generators[entity.fields.findIndex((field) => field.name === assignment.field)] as FieldGenerator
    return generatedValue(generator, row[at] as number, version[at] as number, nowMs[at] as number)
  }

  /** What each owned row that an earlier step inserted points to, and adds there. */
  #linesOf(at: number, { via, add }: Update): { target: number; amounts: number[] }[] {
    const { owned, field } = via as { owned: string; field: string }
    const { entity, generators, linesOf } = this.#dataset.entities.get(owned) as EntityData
    const of = (name: string) => generators[entity.fields.findIndex((each) => each.name === name)] as FieldGenerator
    const first = at - (this.#log.step[at] as number)
    const steps = this.#steps[this.#log.operation[at] as number] as Step[]
    // The last step that inserts them is the one whose rows are drawn.
    const inserting = steps.findLastIndex((step) => step.kind === 'insert' && step.with.includes(owned))
    const owner = this.#log.row[first + inserting] as number
    return Array.from({ length: linesOf(owner) }, (_, index) => {
      const line = owner * linesPerOwner + index + 1
      const amounts = add.map(({ amount, from }) => (from === null ? amount : amount * of(from).number(line, 0, 0)))
      return { target: of(field).refers?.(line, 0) as number, amounts }
    })
  }
}

const named = (entity: Entity, values: Value[]) => new Map(entity.fields.map((field, index) => [field.name, values[index] as Value]))

/** Sets come before additions in one step. */
function merged(effect: Effect): Effect {
  for (const [field, amount] of [...effect.adds]) {
    if (!effect.values.has(field)) continue
    effect.values.set(field, sumOf(effect.values.get(field) as Value, amount))
    effect.adds.delete(field)
  }
  return effect
}

function then(first: Effect, second: Effect): Effect {
  const by = first.by === second.by ? first.by : `${first.by} and ${second.by}`
  if (second.kind !== 'changes') return { ...second, by }
  if (first.kind === 'removes') return { ...first, by }
  const values = new Map([...first.values, ...second.values])
  const adds = new Map([...first.adds].filter(([field]) => !second.values.has(field)))
  for (const [field, amount] of second.adds) adds.set(field, (adds.get(field) ?? 0) + amount)
  return merged({ ...first, by, values, adds, isMatched: first.isMatched && second.isMatched })
}
