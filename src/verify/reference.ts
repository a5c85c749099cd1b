/** The in-memory engine that knows the right answer to every operation: small enough to be obviously right. */
import { type Dataset, type EntityData, lineRows, rowValues } from '../data/dataset.ts'
import { guardOfTarget, holds } from '../data/guard.ts'
import { type Parameter, type ParamSource, parametersOf } from '../data/parameters.ts'
import { isSelected } from '../data/selected.ts'
import { type Answer, canonical, compareValues, constantOf, sumOf, type Value } from '../data/value.ts'
import { bucketMs } from '../families/buckets.ts'
import {
  type Aggregate,
  type Assignment,
  type Entity,
  entityOf,
  type Filter,
  type List,
  lineFields,
  type Operation,
  type Order,
  ownedBy,
  type Scenario,
  type Search,
  type Step,
  type Write,
} from '../scenario/scenario.ts'
import { firstOf, type Having, type Loaded, ReferenceTable, type Row, type Rows } from './reference-table.ts'

type Bound = (name: string) => Value

export class Reference {
  readonly #scenario: Scenario
  readonly #operations: Operation[]
  readonly #tables = new Map<string, ReferenceTable>()
  readonly #parameters: Parameter[][]

  constructor(dataset: Dataset, operations: Operation[]) {
    this.#scenario = dataset.scenario
    this.#operations = operations
    this.#parameters = operations.map((operation) => parametersOf(dataset.scenario, operation))
    for (const [name, rows] of loadedRows(dataset)) this.#tables.set(name, new ReferenceTable(rows))
  }

  execute(operation: number, params: ParamSource): Answer {
    const op = this.#operations[operation] as Operation
    const bound = this.#bind(operation, params)
    switch (op.kind) {
      case 'get': {
        const entity = this.#entity(op.entity)
        const row = this.#addressed(entity, bound)
        return { kind: 'rows', rows: row === undefined ? [] : [[...project(row, op.fields), ...op.with.map((owned) => this.#lines(owned, row))]] }
      }
      case 'list': {
        const matching = this.#matching(op, bound)
        const after = new Map(op.order.map((order) => [order.field, bound(`after.${order.field}`)]))
        const rest = bound('deep') === true ? matching.filter((row) => compareRows(row, after, op.order) > 0) : matching
        return { kind: 'rows', rows: firstOf(rest, op.limit, (a, b) => compareRows(a, b, op.order)).map((row) => project(row, op.fields)) }
      }
      case 'search':
        return { kind: 'rows', rows: this.matches(operation, params).slice(0, op.limit) }
      case 'aggregate':
        return { kind: 'groups', groups: this.#groups(op, bound) }
      case 'transaction':
        return wrote(this.#transaction(op.steps, bound))
      default:
        return wrote(this.#write(op, bound))
    }
  }

  /** Every row that a search may return, projected. */
  matches(operation: number, params: ParamSource): Value[][] {
    const op = this.#operations[operation] as Operation & Search
    const bound = this.#bind(operation, params)
    const word = String(bound('word'))
    const wordsOf = (row: Loaded) => op.in.flatMap((field) => String(row.get(field)).split(' '))
    return this.#live(this.#entity(op.entity), bound, { name: `words of ${op.in.join()}`, termsOf: wordsOf, term: word })
      .filter((row) => wordsOf(row).includes(word))
      .map((row) => project(row, op.fields))
  }

  /** A row by the values of its key. */
  row(entity: string, key: Value[]): ReadonlyMap<string, Value> | undefined {
    return this.#tables.get(entity)?.get(key.map(canonical).join(' '))
  }

  /** Rows of an entity, and the sum of a numeric field in integers of its scale. */
  total(entity: string, field?: string): { rows: bigint; sum: bigint } {
    const rows = this.#table(entity).values()
    const sum = field === undefined ? 0n : rows.reduce((total, row) => total + amountOf(row, field), 0n)
    return { rows: BigInt(rows.length), sum }
  }

  #bind(operation: number, params: ParamSource): Bound {
    const parameters = this.#parameters[operation] as Parameter[]
    return (name) => {
      const at = parameters.findIndex((each) => each.name === name)
      return at < 0 ? null : params.value(at)
    }
  }

  #table(entity: string): ReferenceTable {
    return this.#tables.get(entity) as ReferenceTable
  }

  #entity(name: string): Entity {
    return entityOf(this.#scenario, name)
  }

  /** Those that have a term are among them, if one is given. */
  #live(entity: Entity, bound: Bound, having: Having | null): Loaded[] {
    const table = this.#table(entity.name)
    const rows = having === null ? table.values() : table.valuesThatMayHave(having)
    return rows.filter((row) => isLive(entity, row, bound))
  }

  /** The row that has the key, unless it has expired, or is not of the tenant that asks. */
  #addressed(entity: Entity, bound: Bound): Loaded | undefined {
    const key = entity.key.map((name) => canonical(bound(`key.${name}`))).join(' ')
    const row = this.#tables.get(entity.name)?.get(key)
    const tenant = entity.tenant === undefined ? null : bound(`tenant.${entity.tenant}`)
    if (row === undefined || (tenant !== null && !same(row.get(entity.tenant as string), tenant))) return undefined
    return isLive(entity, row, bound) ? row : undefined
  }

  #lines(owned: string, owner: Loaded): Value[] {
    const entity = this.#entity(owned)
    const names = lineFields(entity).map((field) => field.name)
    return this.#lineKeys(entity, owner).flatMap((key) => {
      const row = this.#tables.get(owned)?.get(key)
      return row === undefined ? [] : [project(row, names)]
    })
  }

  /** Keys that the owned rows of a row may have, in their order. */
  #lineKeys({ owner }: Entity, row: Loaded): string[] {
    const { entity, most } = owner as NonNullable<Entity['owner']>
    const ownerKey = canonical(row.get(this.#entity(entity).key[0] as string) as Value)
    return Array.from({ length: most }, (_, index) => `${ownerKey} ${index + 1}`)
  }

  #matching(op: Operation & (List | Aggregate), bound: Bound): Loaded[] {
    const wanted = (filter: Filter) =>
      filter.constant === null ? bound(`where.${filter.field}`) : constantOf(this.#entity(op.entity), filter.field, filter.constant)
    const [first] = op.where
    const termsOf = (row: Loaded) => [canonical(row.get(first?.field as string) as Value)]
    const having = first === undefined ? null : { name: first.field, termsOf, term: canonical(wanted(first)) }
    const entity = this.#entity(op.entity)
    return this.#live(entity, bound, having).filter(
      (row) =>
        op.where.every((filter) => same(row.get(filter.field), wanted(filter))) && isSelected(entity, op, bound, (field) => row.get(field) ?? null),
    )
  }

  #groups(op: Operation & Aggregate, bound: Bound): Value[][] {
    const { groupBy, sum } = op
    const groups = new Map<string, { key: Value; count: number; sum: bigint }>()
    const { before } = op
    const place = new Map(before?.map(({ field }) => [field, bound(`after.${field}`)]))
    for (const row of this.#matching(op, bound)) {
      if (before !== undefined && compareRows(row, place, before) >= 0) continue
      const own = groupBy === null ? null : (row.get(groupBy.field) as Value)
      const key = groupBy?.unit && own !== null ? Math.floor(Number(own) / bucketMs[groupBy.unit]) * bucketMs[groupBy.unit] : own
      const group = groups.get(canonical(key)) ?? { key, count: 0, sum: 0n }
      group.count++
      if (sum !== null) group.sum += amountOf(row, sum)
      groups.set(canonical(key), group)
    }
    return [...groups.values()]
      .sort((a, b) => compareValues(a.key, b.key))
      .map((group) => [...(groupBy === null ? [] : [group.key]), group.count, ...(sum === null ? [] : [group.sum])])
  }

  /** Rows that the first step matched; null: a guard did not hold, and nothing was done. */
  #transaction(steps: Step[], bound: Bound): number | null {
    const tables = new Set(steps.flatMap((step) => [step.entity, ...ownedBy(this.#scenario, step.entity).map(({ name }) => name)]))
    for (const name of tables) this.#table(name).begin()
    let result: number | null = null
    for (const [index, step] of steps.entries()) {
      const rows = this.#write(step, (name) => bound(`${index}.${name}`))
      if (rows === null) {
        result = null
        break
      }
      result ??= rows
    }
    for (const name of tables) this.#table(name).end(result === null)
    return result
  }

  /** Rows matched; null: the guard did not hold, or there is no row that it could hold of. */
  #write(write: Write & { entity: string }, bound: Bound): number | null {
    const entity = this.#entity(write.entity)
    const table = this.#table(entity.name)
    if (write.kind === 'insert' || write.kind === 'put') {
      const row: Row = new Map(entity.fields.map((field) => [field.name, bound(`row.${field.name}`)]))
      put(table, entity, row)
      if (write.kind === 'insert')
        for (const owned of write.with) this.#insertLines(owned, row.get(entity.key[0] as string) as Value, bound(`lines.${owned}`) as Value[][])
      return 1
    }
    if (write.kind === 'update' && write.via !== null) {
      for (const [key, ...amounts] of bound('targets') as Value[][]) {
        const target = table.changeable(canonical(key as Value))
        const guard = write.guard && guardOfTarget(write.guard, amounts[write.add.length])
        if (guard !== undefined && (target === undefined || !holds(entity, guard, target.get(guard.field) as Value))) return null
        if (target === undefined) continue
        write.add.forEach((each, index) => void target.set(each.field, sumOf(target.get(each.field) as Value, Number(amounts[index]))))
        for (const each of write.set) target.set(each.field, assigned(entity, each, bound))
      }
      return (bound('targets') as Value[][]).length
    }
    const addressed = this.#addressed(entity, bound)
    const guard = write.kind === 'update' ? write.guard : undefined
    if (guard !== undefined && (addressed === undefined || !holds(entity, guard, addressed.get(guard.field) as Value))) return null
    if (addressed === undefined) return 0
    const key = keyText(entity, addressed)
    if (write.kind === 'delete') {
      table.delete(key)
      for (const owned of ownedBy(this.#scenario, entity.name)) {
        for (const line of this.#lineKeys(owned, addressed)) this.#table(owned.name).delete(line)
      }
      return 1
    }
    const row = table.changeable(key) as Row
    for (const each of write.set) row.set(each.field, assigned(entity, each, bound))
    for (const each of write.add) row.set(each.field, sumOf(row.get(each.field) as Value, each.amount))
    return 1
  }

  #insertLines(owned: string, ownerKey: Value, lines: Value[][]): void {
    const entity = this.#entity(owned)
    const names = lineFields(entity).map((field) => field.name)
    for (const line of lines)
      put(
        this.#table(owned),
        entity,
        new Map([[entity.key[0] as string, ownerKey], ...names.map((name, index): [string, Value] => [name, line[index] as Value])]),
      )
  }
}

const loaded = new WeakMap<Dataset, Map<string, Rows>>()

/** By entity; made once for all candidates of a run: they take more memory than all else. */
function loadedRows(dataset: Dataset): Map<string, Rows> {
  const made = loaded.get(dataset) ?? new Map(Array.from(dataset.entities, ([name, data]) => [name, rowsOf(data, dataset.scenario.epochMs)]))
  loaded.set(dataset, made)
  return made
}

function rowsOf(data: EntityData, epochMs: number): Rows {
  const rows = new Map<string, Row>()
  for (const number of rowNumbers(data)) {
    const row = toRow(data.entity, rowValues(data, number, 0, epochMs))
    rows.set(keyText(data.entity, row), row)
  }
  return rows
}

function* rowNumbers(data: EntityData): Iterable<number> {
  for (let row = 0; row < data.rows; row++) {
    if (data.entity.owner === null) yield row
    else yield* lineRows(data, row)
  }
}

/** No value adds nothing. */
const amountOf = (row: Loaded, field: string) => BigInt((row.get(field) ?? 0) as number | bigint)
const toRow = (entity: Entity, values: Value[]): Row => new Map(entity.fields.map((field, index) => [field.name, values[index] as Value]))
const keyText = (entity: Entity, row: Loaded) => entity.key.map((key) => canonical(row.get(key) as Value)).join(' ')
const put = (table: ReferenceTable, entity: Entity, row: Row) => void table.set(keyText(entity, row), row)
const project = (row: Loaded, names: string[]): Value[] => names.map((name) => row.get(name) ?? null)
const same = (a: Value | undefined, b: Value | undefined) => a !== undefined && b !== undefined && compareValues(a, b) === 0
const isLive = (entity: Entity, row: Loaded, bound: Bound) => entity.ttlMs === null || Number(row.get('expires_at')) > Number(bound('now'))
const wrote = (rows: number | null): Answer => ({
  kind: 'wrote',
  outcome: rows === null ? 'conflict' : rows > 0 ? 'ok' : 'miss',
  rows: rows ?? 0,
})

function assigned(entity: Entity, assignment: Assignment, bound: Bound): Value {
  return assignment.to === 'constant' ? constantOf(entity, assignment.field, assignment.constant) : bound(`set.${assignment.field}`)
}

function compareRows(a: Loaded, b: Loaded, order: Order[]): number {
  for (const { field, descending } of order) {
    const by = compareValues(a.get(field) ?? null, b.get(field) ?? null)
    if (by !== 0) return descending ? -by : by
  }
  return 0
}
