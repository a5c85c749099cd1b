/** Judges the answers that were kept during the replay, against what the reference knew before it. */
import { type Dataset, type EntityData, isLoaded } from '../data/dataset.ts'
import { fixedParameters, parametersOf } from '../data/parameters.ts'
import { type Answer, canonical, compareValues, type Value } from '../data/value.ts'
import { changedFields } from '../families/sizes.ts'
import type { KeptAnswer } from '../measure/recorder.ts'
import { entityOf, type Operation, ownedBy, writesOf, writtenEntities } from '../scenario/scenario.ts'
import type { Reference } from './reference.ts'

/** Number of kept answers that cannot be right, per operation name. */
export function judge(kept: KeptAnswer[], operations: Operation[], dataset: Dataset, reference: Reference): Record<string, number> {
  const wrong: Record<string, number> = {}
  const written = new Set(operations.flatMap(writtenEntities))
  for (const each of kept) {
    const operation = operations[each.operation] as Operation
    if (!plausible(each, operation, operations, dataset, reference, written)) wrong[operation.name] = (wrong[operation.name] ?? 0) + 1
  }
  return wrong
}

function plausible(
  { operation: index, values, answer, row }: KeptAnswer,
  operation: Operation,
  operations: Operation[],
  dataset: Dataset,
  reference: Reference,
  written: Set<string>,
): boolean {
  const { scenario } = dataset
  const entity = entityOf(scenario, operation.entity)
  if (answer.kind === 'wrote') return true
  const params = fixedParameters(values)
  // Rows go with their owner.
  const owner = entity.owner === null ? entity : entityOf(scenario, entity.owner.entity)
  const removable =
    owner.ttlMs !== null || operations.some((each) => writesOf(each).some((write) => write.kind === 'delete' && write.entity === owner.name))
  const untouched = !removable && !written.has(entity.name) && ownedBy(scenario, entity.name).every((owned) => !written.has(owned.name))
  const bound = (name: string) => values[parametersOf(scenario, operation).findIndex((parameter) => parameter.name === name)] ?? null
  if (answer.kind === 'groups')
    return untouched ? same(answer, reference.execute(index, params)) : ascending(answer.groups.map((group) => group[0] as Value))
  const rows = answer.rows
  const column = (values_: Value[], name: string) => values_[(operation as { fields: string[] }).fields.indexOf(name)] ?? null
  const changed = changedFields(operations, entity)
  const isWhole = entity.key.every((key) => (operation as { fields: string[] }).fields.includes(key))
  if (operation.kind === 'get') {
    if (rows.length > 1) return false
    if (rows.length === 0 && removable) return true
    const keyed = rows.every((each) =>
      entity.key.every((key) => !operation.fields.includes(key) || compareValues(column(each, key), bound(`key.${key}`)) === 0),
    )
    if (!keyed || !isLoaded(dataset.entities.get(entity.name) as EntityData, row) || owner.ttlMs !== null) return keyed
    const expected = reference.execute(index, params)
    const fixed = operation.fields.filter((field) => !changed.has(field))
    // A row that was deleted and put again has lost its lines.
    const comesBack = removable && operations.some((each) => writesOf(each).some((write) => write.kind === 'put' && write.entity === entity.name))
    const lines = operation.with.flatMap((name, at) =>
      !comesBack && changedFields(operations, entityOf(scenario, name)).size === 0 ? [operation.fields.length + at] : [],
    )
    // One that was deleted during the verification may be back, too.
    if (comesBack && expected.kind === 'rows' && expected.rows.length === 0) return true
    const text = (from: Answer) =>
      from.kind === 'rows'
        ? from.rows.map((each) => canonical([...fixed.map((field) => column(each, field)), ...lines.map((at) => each[at] as Value)])).join()
        : ''
    return text(expected) === text(answer)
  }
  if (operation.kind !== 'list' && operation.kind !== 'search') return true
  if (rows.length > operation.limit || (isWhole && new Set(rows.map(canonical)).size !== rows.length)) return false
  if (operation.kind === 'search') {
    const word = String(bound('word'))
    const shown = operation.in.filter((field) => operation.fields.includes(field))
    return shown.length < operation.in.length || rows.every((each) => shown.some((field) => String(column(each, field)).split(' ').includes(word)))
  }
  if (untouched) return same(answer, reference.execute(index, params))
  const filtered = rows.every((each) =>
    operation.where.every(
      (filter) =>
        !operation.fields.includes(filter.field) ||
        changed.has(filter.field) ||
        compareValues(column(each, filter.field), filter.constant ?? bound(`where.${filter.field}`)) === 0,
    ),
  )
  const order = operation.order.filter(
    (each, at) => operation.fields.includes(each.field) && operation.order.slice(0, at).every((before) => operation.fields.includes(before.field)),
  )
  const ordered = rows.every(
    (each, at) => at === 0 || step(rows[at - 1] as Value[], each, order, column) <= (order.length < operation.order.length ? 0 : -1),
  )
  const moves = operation.where.some((filter) => changed.has(filter.field)) || operation.order.some((each) => changed.has(each.field))
  const least = moves || removable ? 0 : (reference.execute(index, params) as Extract<Answer, { kind: 'rows' }>).rows.length
  return filtered && ordered && rows.length >= least
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
