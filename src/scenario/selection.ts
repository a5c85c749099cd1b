/** Resolves which rows a list or an aggregate asks for: equality, one range at most, one list of constants at most. */
import { checkTwice, firstMs } from './entities.ts'
import { constantFor, known, type OperationContext } from './operation-context.ts'
import type { Path } from './problems.ts'
import { type Bounds, type Entity, type Field, rangeOf, type Selection } from './scenario.ts'
import type { WhereFile } from './schema.ts'

export const sortable = new Set(['uuid', 'int', 'decimal', 'enum', 'words', 'email', 'timestamp'])
export const comparable = new Set([...sortable, 'bool'])

/** A window that reaches back before all data is as good as one that begins with the first time that servers have. */
export const reach = (ms: number, { epochMs }: OperationContext) => Math.min(ms, epochMs - firstMs)

type Condition = WhereFile[string]
type Ends = Extract<Condition, { gt?: unknown }>

export function resolveSelection(where: WhereFile, entity: Entity, path: Path, context: OperationContext): Selection {
  const selection: Selection = { where: [] }
  for (const [name, condition] of Object.entries(where)) {
    const own = [...path, name]
    const field = known(name, entity, own, context, true)
    if (field === undefined) continue
    const before = rangeOf(selection) !== null
    if (typeof condition !== 'object' || 'value' in condition) addEqual(selection, field, condition, own, context)
    else if ('in' in condition) addAmong(selection, field, condition.in, own, context)
    else if ('last' in condition) {
      if (field.generator.kind !== 'timestamp') context.report(own, `"last" takes a timestamp, "${name}" is ${field.type}`)
      selection.over = { field: name, ms: reach(condition.last, context) }
    } else selection.bounds = boundsOf(field, condition, own, context)
    if (before && rangeOf(selection)?.field === name) context.report(own, 'one range at most can be asked for')
  }
  return selection
}

function addEqual(selection: Selection, field: Field, literal: Parameters<typeof constantFor>[1], path: Path, { report }: OperationContext): void {
  if (!comparable.has(field.type)) report(path, `rows cannot be filtered by a field of type ${field.type}`, { atKey: true })
  else selection.where.push({ field: field.name, constant: literal === 'any' ? null : constantFor(field, literal, path, report) })
}

function addAmong(selection: Selection, field: Field, literals: (string | number | boolean)[], path: Path, { report }: OperationContext): void {
  if (selection.among !== undefined) report(path, 'one list of constants at most can be asked for')
  checkTwice(literals.map(String), [...path, 'in'], report)
  const constants = literals.map((literal, at) => constantFor(field, literal, [...path, 'in', at], report))
  selection.among = { field: field.name, constants }
}

/** Whole numbers of the last digit: what is not above one begins with the next. */
function boundsOf(field: Field, { gt, gte, lt, lte }: Ends, path: Path, { report }: OperationContext): Bounds {
  const bounds: Bounds = { field: field.name, from: null, below: null }
  if (field.generator.kind !== 'number') {
    report(path, `bounds are of an int or a decimal, "${field.name}" is ${field.generator.kind === 'reference' ? 'a reference' : field.type}`)
    return bounds
  }
  if ((gt !== undefined && gte !== undefined) || (lt !== undefined && lte !== undefined))
    report(path, 'expected one lower and one upper bound at most')
  const end = (name: string, literal: number | undefined, beyond: number) =>
    literal === undefined ? null : (constantFor(field, literal, [...path, name], report) as number) + beyond
  bounds.from = end('gte', gte, 0) ?? end('gt', gt, 1)
  bounds.below = end('lt', lt, 0) ?? end('lte', lte, 1)
  if (bounds.from === null && bounds.below === null) report(path, 'expected a bound such as { gte: 10, lt: 50 }')
  else if (bounds.from !== null && bounds.below !== null && bounds.from >= bounds.below) report(path, 'no number lies between these bounds')
  return bounds
}
