/** What an operation is called with: the layout of its parameters, and a source that draws their values. */
import {
  type Entity,
  entityOf,
  type Field,
  fieldOf,
  lineFields,
  type Operation,
  type Scenario,
  type Step,
  type Update,
  type Write,
} from '../scenario/scenario.ts'
import { type Dataset, type EntityData, lineRows, rowPicker, rowValues } from './dataset.ts'
import type { Ranker } from './distributions.ts'
import { firstMissingRow, generatedValue, linesPerOwner } from './fields.ts'
import { keyOf, Source } from './random.ts'
import { compareValues, type Value } from './value.ts'
import { poolSize, words } from './words.ts'

/**
 * `lines`: the owned rows of an insert as [line, field…] each. `targets`: [key, amount…] per updated row, in key order.
 * `deep`: whether the page starts behind the cursor that the `after.` parameters hold.
 */
export interface Parameter {
  name: string
  field: Field | null
  shape: 'value' | 'lines' | 'targets' | 'deep' | 'now'
}

const nowParameter: Parameter = { name: 'now', field: null, shape: 'now' }

/** Positions of an operation's parameters; every engine binds them by these names. */
export function parametersOf(scenario: Pick<Scenario, 'entities'>, operation: Operation): Parameter[] {
  const entity = entityOf(scenario, operation.entity)
  const of = (prefix: string, names: string[]): Parameter[] =>
    names.map((name) => ({ name: `${prefix}${name}`, field: fieldOf(entity, name), shape: 'value' }))
  const expiring = entity.ttlMs === null ? [] : [nowParameter]
  switch (operation.kind) {
    case 'get':
      return [...of('key.', entity.key), ...expiring]
    case 'list':
      return [
        ...of('where.', anyFilters(operation)),
        ...expiring,
        { name: 'deep', field: null, shape: 'deep' },
        ...of(
          'after.',
          operation.order.map((order) => order.field),
        ),
      ]
    case 'search':
      return [{ name: 'word', field: fieldOf(entity, operation.in[0] as string), shape: 'value' }, ...expiring]
    case 'aggregate': {
      const window = operation.over === null ? [] : [operation.over.field, operation.over.field]
      return [
        ...of('where.', anyFilters(operation)),
        ...expiring,
        ...of('', window).map((each, index) => ({ ...each, name: index === 0 ? 'from' : 'to' })),
      ]
    }
    case 'transaction':
      return operation.steps.flatMap((step, index) => writeParameters(scenario, step).map((each) => ({ ...each, name: `${index}.${each.name}` })))
    default:
      return writeParameters(scenario, operation)
  }
}

const anyFilters = (operation: { where: { field: string; constant: unknown }[] }) =>
  operation.where.filter((filter) => filter.constant === null).map((filter) => filter.field)

function writeParameters(scenario: Pick<Scenario, 'entities'>, write: Write & { entity: string }): Parameter[] {
  const entity = entityOf(scenario, write.entity)
  const of = (prefix: string, names: string[]): Parameter[] =>
    names.map((name) => ({ name: `${prefix}${name}`, field: fieldOf(entity, name), shape: 'value' }))
  const expiring = entity.ttlMs === null ? [] : [nowParameter]
  if (write.kind === 'insert') {
    const lines = write.with.map((name): Parameter => ({ name: `lines.${name}`, field: null, shape: 'lines' }))
    return [
      ...of(
        'row.',
        entity.fields.map((field) => field.name),
      ),
      ...lines,
    ]
  }
  if (write.kind === 'put')
    return of(
      'row.',
      entity.fields.map((field) => field.name),
    )
  if (write.kind === 'delete') return [...of('key.', entity.key), ...expiring]
  if (write.via !== null)
    return [
      { name: 'targets', field: null, shape: 'targets' },
      ...of(
        'set.',
        write.set.filter((each) => each.to !== 'constant').map((each) => each.field),
      ),
    ]
  return [
    ...of('key.', entity.key),
    ...expiring,
    ...of(
      'set.',
      write.set.filter((each) => each.to !== 'constant').map((each) => each.field),
    ),
  ]
}

/** Values of one operation, addressed by position. */
export interface ParamSource {
  /** Draws the values of the next call of this operation. */
  next(operation: number): void
  value(at: number): Value
  /** The values of this call, which later calls do not change. */
  values(): Value[]
}

/** What was drawn last, for write logs and for judging answers later. */
export interface Drawn {
  row: number
  version: number
  nowMs: number
}

const blockSize = 2 ** 22

interface Stream {
  operation: Operation
  source: Source
  pickers: Map<string, Ranker>
}

/**
 * Draws parameters for one stream of one trial. Equal (dataset, stream, block, clock) give equal values for every candidate.
 * `block` numbers the disjoint range of row numbers and versions that this source may use up.
 */
export class DrawnParameters implements ParamSource {
  readonly drawn: Drawn = { row: 0, version: 0, nowMs: 0 }
  /** Overrides for the verification: force a miss, a deep page. */
  force: { miss?: boolean; deep?: boolean } = {}
  #values: Value[] = []
  readonly #dataset: Dataset
  readonly #nowMs: () => number
  readonly #streams: Stream[]
  readonly #fresh = new Map<string, { next: number; own: number[] }>()
  readonly #block: number
  #version: number

  constructor(dataset: Dataset, operations: Operation[], stream: string, block: number, nowMs: () => number) {
    this.#dataset = dataset
    this.#nowMs = nowMs
    this.#block = block
    this.#version = block * blockSize
    this.#streams = operations.map((operation) => ({
      operation,
      source: new Source().restart(keyOf(dataset.scenario.seed, `${stream} ${operation.name}`), 1),
      pickers: new Map(),
    }))
  }

  next(operation: number): void {
    const stream = this.#streams[operation] as Stream
    this.drawn.nowMs = Math.floor(this.#nowMs())
    this.drawn.version = 0
    this.#values = this.#draw(stream)
  }

  value(at: number): Value {
    return this.#values[at] as Value
  }

  values(): Value[] {
    return this.#values
  }

  /** A row that this source inserted and the server acknowledged: from now on `latest` and `put existing` draw it too. */
  acknowledge(entity: string, row: number): void {
    const fresh = this.#fresh.get(entity)
    if (fresh !== undefined && row >= this.#data(entity).rows) fresh.own.push(row)
  }

  #data(entity: string): EntityData {
    return this.#dataset.entities.get(entity) as EntityData
  }

  #draw({ operation, source, pickers }: Stream): Value[] {
    const data = this.#data(operation.entity)
    const { nowMs } = this.drawn
    const expiring = data.entity.ttlMs === null ? [] : [nowMs]
    switch (operation.kind) {
      case 'get':
        return [...this.#key(data, this.#pick(operation, source, pickers)), ...expiring]
      case 'list': {
        const row = this.#pick(operation, source, pickers)
        const deep = (source.next() < operation.deepShare || this.force.deep === true) && this.force.deep !== false
        return [
          ...this.#fields(data, anyFilters(operation), row),
          ...expiring,
          deep,
          ...this.#fields(
            data,
            operation.order.map((order) => order.field),
            row,
          ),
        ]
      }
      case 'search': {
        const row = this.#pick(operation, source, pickers)
        return [this.#word(data, operation.in, row, source), ...expiring]
      }
      case 'aggregate': {
        const where = anyFilters(operation)
        const picked = where.length === 0 ? [] : this.#fields(data, where, this.#pick(operation, source, pickers))
        return [...picked, ...expiring, ...(operation.over === null ? [] : [nowMs - operation.over.ms, nowMs])]
      }
      case 'transaction': {
        const inserted = new Map<string, Value[][]>()
        return operation.steps.flatMap((step) => this.#write(step, step, source, pickers, inserted))
      }
      default:
        return this.#write(operation, operation, source, pickers, new Map())
    }
  }

  #write(
    write: Write & { entity: string },
    operation: { entity: string; pick: Step['pick'] },
    source: Source,
    pickers: Map<string, Ranker>,
    inserted: Map<string, Value[][]>,
  ): Value[] {
    const data = this.#data(write.entity)
    const { nowMs } = this.drawn
    const expiring = data.entity.ttlMs === null ? [] : [nowMs]
    if (write.kind === 'insert') {
      const row = this.#freshRow(write.entity)
      const lines = write.with.map((name) => {
        const owned = this.#data(name)
        const wanted = lineFields(owned.entity).map((field) => owned.entity.fields.indexOf(field))
        const rows = lineRows(owned, row).map((line) => wanted.map((index) => generatedValue(owned.generators[index]!, line, 0, nowMs)))
        inserted.set(name, rows)
        return rows
      })
      return [...rowValues(data, row, 0, nowMs), ...lines]
    }
    if (write.kind === 'put') {
      const existing = this.force.miss === undefined ? source.next() < write.existingShare : !this.force.miss
      if (existing) this.drawn.row = this.#pick(operation, source, pickers, false)
      else this.#freshRow(write.entity)
      this.drawn.version = ++this.#version
      return rowValues(data, this.drawn.row, this.drawn.version, nowMs)
    }
    if (write.kind === 'delete') return [...this.#key(data, this.#pick(operation, source, pickers)), ...expiring]
    if (write.via !== null) return [this.#targets(write, inserted.get(write.via.owned) ?? []), ...this.#assigned(write, data, this.drawn.row)]
    const row = this.#pick(operation, source, pickers)
    return [...this.#key(data, row), ...expiring, ...this.#assigned(write, data, row)]
  }

  #assigned(write: Update, data: EntityData, row: number): Value[] {
    const bound = write.set.filter((each) => each.to !== 'constant')
    if (bound.some((each) => each.to === 'any')) this.drawn.version = ++this.#version
    return bound.map((each) =>
      each.to === 'now' ? this.drawn.nowMs : generatedValue(this.#generator(data, each.field), row, this.drawn.version, this.drawn.nowMs),
    )
  }

  /** Amounts summed per target, in key order. */
  #targets(write: Update, lines: Value[][]): Value[][] {
    const { owned, field } = write.via as NonNullable<Update['via']>
    const fields = lineFields(this.#data(owned).entity).map((each) => each.name)
    const sums = new Map<string, Value[]>()
    for (const line of lines) {
      const key = line[fields.indexOf(field)] as Value
      const name = key instanceof Uint8Array ? Buffer.from(key).toString('hex') : String(key)
      const sum = sums.get(name) ?? [key, ...write.add.map((): Value => 0)]
      write.add.forEach((each, index) => {
        sum[index + 1] = Number(sum[index + 1]) + each.amount * (each.from === null ? 1 : Number(line[fields.indexOf(each.from)]))
      })
      sums.set(name, sum)
    }
    return [...sums.values()].sort((a, b) => compareValues(a[0] as Value, b[0] as Value))
  }

  #freshRow(entity: string): number {
    const data = this.#data(entity)
    let fresh = this.#fresh.get(entity)
    if (fresh === undefined) {
      fresh = { next: data.rows + this.#block * blockSize, own: [] }
      this.#fresh.set(entity, fresh)
    }
    this.drawn.row = fresh.next++
    return this.drawn.row
  }

  /** A row number of the operation's entity; of an owned entity owner × 4096 + line. */
  #pick(operation: { entity: string; pick: Step['pick'] }, source: Source, pickers: Map<string, Ranker>, mayMiss = true): number {
    const data = this.#data(operation.entity)
    let draw = pickers.get(operation.entity)
    if (draw === undefined) {
      draw = rowPicker(this.#dataset, operation.entity, operation.pick.skew)
      pickers.set(operation.entity, draw)
    }
    const missed = mayMiss && (source.next() < operation.pick.miss || this.force.miss === true) && this.force.miss !== false
    let row = missed ? firstMissingRow + source.below(2 ** 20) : draw(source)
    const own = this.#fresh.get(operation.entity)?.own ?? []
    if (!missed && operation.pick.skew.kind === 'latest' && own.length > 0) {
      const rank = data.rows - 1 - row
      row = rank < own.length ? (own[own.length - 1 - rank] as number) : row + own.length
    }
    if (data.entity.owner !== null) row = row * linesPerOwner + (missed ? 1 : 1 + source.below(Math.max(1, data.linesOf(row))))
    this.drawn.row = row
    return row
  }

  #generator(data: EntityData, field: string) {
    return data.generators[data.entity.fields.findIndex((each) => each.name === field)]!
  }

  #fields(data: EntityData, names: string[], row: number): Value[] {
    return names.map((name) => generatedValue(this.#generator(data, name), row, 0, this.drawn.nowMs))
  }

  #key(data: EntityData, row: number): Value[] {
    return this.#fields(data, data.entity.key, row)
  }

  #word(data: EntityData, fields: string[], row: number, source: Source): string {
    if (row >= firstMissingRow) return words()[poolSize + (row % 100)] as string
    const texts = this.#fields(data, fields, row).join(' ').split(' ')
    return texts[source.below(texts.length)] as string
  }
}

/** The row fields of a key, as parameter values of an internal check of one row. */
export function keyValues(entity: Entity, data: EntityData, row: number): Value[] {
  return entity.key.map((name) => generatedValue(data.generators[entity.fields.findIndex((field) => field.name === name)]!, row, 0, 0))
}

/** A source that was given its values. */
export function fixedParameters(values: Value[]): ParamSource {
  return { next: () => undefined, value: (at) => values[at] as Value, values: () => values }
}
