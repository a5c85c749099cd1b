/** Judges the answers that were kept during the replay, against what the reference knew before it. */
import { type Dataset, type EntityData, isLoaded } from '../data/dataset.ts'
import { fixedParameters, parametersOf } from '../data/parameters.ts'
import { conditionsOn, isSelected } from '../data/selected.ts'
import { type Answer, canonical, compareValues, type Value } from '../data/value.ts'
import { changedFields } from '../families/sizes.ts'
import type { KeptAnswer } from '../measure/recorder.ts'
import {
  type Entity,
  entityOf,
  type Operation,
  type OperationKind,
  type OperationOf,
  ownedBy,
  rootOf,
  selectedBy,
  writesOf,
  writtenEntities,
} from '../scenario/scenario.ts'
import type { Reference } from './reference.ts'

/** Number of kept answers that cannot be right, per operation name. */
export function judge(kept: KeptAnswer[], operations: Operation[], dataset: Dataset, reference: Reference): Record<string, number> {
  const wrong: Record<string, number> = {}
  const written = new Set(operations.flatMap(writtenEntities))
  for (const each of kept) {
    const { name } = operations[each.operation] as Operation
    if (!isPlausible(each.answer, callOf(each, operations, dataset, reference, written))) wrong[name] = (wrong[name] ?? 0) + 1
  }
  return wrong
}

/** What was called, and what the run may have done to its rows. */
interface Call {
  operation: Operation
  operations: Operation[]
  entity: Entity
  dataset: Dataset
  /** Number of the row that was asked for. */
  row: number
  /** What was bound to a parameter. */
  bound(name: string): Value
  /** What the reference answers by what it knew before the replay. */
  expected(): Answer
  expires: boolean
  /** Rows may go while the run lasts, with their owner, too. */
  removable: boolean
  /** Neither these rows nor what they own are written. */
  untouched: boolean
  changed: Set<string>
}

function callOf(
  { operation: index, values, row }: KeptAnswer,
  operations: Operation[],
  dataset: Dataset,
  reference: Reference,
  written: Set<string>,
): Call {
  const { scenario } = dataset
  const operation = operations[index] as Operation
  const entity = entityOf(scenario, operation.entity)
  // Rows go with their owner.
  const owner = rootOf(scenario, entity)
  const expires = owner.ttlMs !== null
  const removable = expires || hasWrite(operations, 'delete', owner)
  return {
    operation,
    operations,
    entity,
    dataset,
    row,
    bound: (name) => values[parametersOf(scenario, operation).findIndex((parameter) => parameter.name === name)] ?? null,
    expected: () => reference.execute(index, fixedParameters(values)),
    expires,
    removable,
    untouched: !removable && !written.has(entity.name) && ownedBy(scenario, entity.name).every((owned) => !written.has(owned.name)),
    changed: changedFields(operations, entity),
  }
}

const hasWrite = (operations: Operation[], kind: 'delete' | 'put', entity: Entity) =>
  operations.some((operation) => writesOf(operation).some((write) => write.kind === kind && write.entity === entity.name))

function isPlausible(answer: Answer, call: Call): boolean {
  const { operation } = call
  if (answer.kind === 'wrote') return true
  if (answer.kind === 'groups') return call.untouched ? same(answer, call.expected()) : ascending(answer.groups.map((group) => group[0] as Value))
  return (judges[operation.kind] as Judge<OperationKind>)(answer, operation, call)
}

type Rows = Extract<Answer, { kind: 'rows' }>
type Judge<K extends OperationKind> = (answer: Rows, operation: OperationOf<K>, call: Call) => boolean

/** Who was asked for no rows and answers with some is wrong. */
const none = () => false
/** Of rows, by what was asked for; a kind that is missing here does not compile. */
const judges: { [K in OperationKind]: Judge<K> } = {
  get: isPlausibleRow,
  list: (answer, operation, call) => isShort(answer, operation, call) && isPlausiblePage(answer, operation, call),
  search: (answer, operation, call) => isShort(answer, operation, call) && areFound(answer, operation, call),
  aggregate: none,
  insert: none,
  put: none,
  update: none,
  delete: none,
  transaction: none,
}

const isShort = (answer: Rows, operation: OperationOf<'list' | 'search'>, call: Call) =>
  answer.rows.length <= operation.limit && !repeatsRows(answer, operation, call)

const columnOf = ({ fields }: { fields: string[] }, row: Value[], name: string) => row[fields.indexOf(name)] ?? null

/** Rows that show their whole key are told apart. */
const repeatsRows = ({ rows }: Rows, { fields }: { fields: string[] }, { entity }: Call) =>
  entity.key.every((key) => fields.includes(key)) && new Set(rows.map(canonical)).size !== rows.length

function isPlausibleRow(answer: Rows, operation: OperationOf<'get'>, call: Call): boolean {
  const { entity, dataset, expires, removable, row } = call
  if (answer.rows.length > 1) return false
  if (answer.rows.length === 0 && removable) return true
  const keyed = answer.rows.every((each) =>
    entity.key.every((key) => !operation.fields.includes(key) || compareValues(columnOf(operation, each, key), call.bound(`key.${key}`)) === 0),
  )
  if (!keyed || !isLoaded(dataset.entities.get(entity.name) as EntityData, row) || expires) return keyed
  const expected = call.expected() as Rows
  const comesBack = removable && hasWrite(call.operations, 'put', entity)
  // One that was deleted during the verification may be back, too.
  if (comesBack && expected.rows.length === 0) return true
  const fixed = fixedOf(operation, call, comesBack)
  return fixed(expected) === fixed(answer)
}

/** The part of an answer that no write of the run changes, as text. */
function fixedOf(operation: OperationOf<'get'>, { operations, dataset, changed }: Call, comesBack: boolean): (answer: Rows) => string {
  const fields = operation.fields.filter((field) => !changed.has(field))
  // A row that was deleted and put again has lost its lines.
  const lines = operation.with.flatMap((name, at) =>
    !comesBack && changedFields(operations, entityOf(dataset.scenario, name)).size === 0 ? [operation.fields.length + at] : [],
  )
  return ({ rows }) =>
    rows.map((row) => canonical([...fields.map((field) => columnOf(operation, row, field)), ...lines.map((at) => row[at] as Value)])).join()
}

/** A row found must show the word, where it shows all that is searched. */
function areFound({ rows }: Rows, operation: OperationOf<'search'>, call: Call): boolean {
  const word = String(call.bound('word'))
  const shown = operation.in.filter((field) => operation.fields.includes(field))
  if (shown.length < operation.in.length) return true
  return rows.every((row) =>
    shown.some((field) =>
      String(columnOf(operation, row, field))
        .split(' ')
        .includes(word),
    ),
  )
}

function isPlausiblePage(answer: Rows, operation: OperationOf<'list'>, call: Call): boolean {
  const { changed, removable, untouched } = call
  if (untouched) return same(answer, call.expected())
  const isTold = (field: string) => operation.fields.includes(field) && !changed.has(field)
  const told = conditionsOn(operation, isTold)
  const filtered = answer.rows.every(
    (row) =>
      operation.where
        .filter(({ field }) => isTold(field))
        .every(({ field, constant }) => compareValues(columnOf(operation, row, field), constant ?? call.bound(`where.${field}`)) === 0) &&
      isSelected(call.entity, told, call.bound, (field) => columnOf(operation, row, field)),
  )
  const moves = [...selectedBy(operation), ...operation.order.map(({ field }) => field)].some((field) => changed.has(field))
  const min = moves || removable ? 0 : (call.expected() as Rows).rows.length
  return filtered && isOrdered(answer, operation) && answer.rows.length >= min
}

/** By what is shown of the order; equal rows may follow one another only where some of it is not shown. */
function isOrdered({ rows }: Rows, { fields, order }: OperationOf<'list'>): boolean {
  const hidden = order.findIndex(({ field }) => !fields.includes(field))
  const shown = hidden < 0 ? order : order.slice(0, hidden)
  const column = (row: Value[], name: string) => columnOf({ fields }, row, name)
  return rows.every((row, at) => at === 0 || step(rows[at - 1] as Value[], row, shown, column) <= (hidden < 0 ? -1 : 0))
}

const same = (a: Answer, b: Answer) => canonical(a) === canonical(b)
const ascending = (values: Value[]) => values.every((value, at) => at === 0 || compareValues(values[at - 1] as Value, value) <= 0)

function step(a: Value[], b: Value[], order: { field: string; descending: boolean }[], column: (row: Value[], name: string) => Value): number {
  for (const { field, descending } of order) {
    const by = compareValues(column(a, field), column(b, field))
    if (by !== 0) return descending ? -by : by
  }
  return 0
}
