/** Resolves which rows a list or an aggregate asks for: equality, ranges, constants of which a row has one or none. */
import { checkTwice, firstMs } from './entities.ts'
import { constantFor, known, type OperationContext } from './operation-context.ts'
import type { Path } from './problems.ts'
import type { Bounds, Constant, Entity, Field, Selection } from './scenario.ts'
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
    if (field !== undefined) addCondition(selection, field, condition, own, context)
  }
  return selection
}

function addCondition(selection: Selection, field: Field, condition: Condition, path: Path, context: OperationContext): void {
  if (typeof condition !== 'object' || 'value' in condition) addEqual(selection, field, condition, path, context)
  else if ('is' in condition) addPresence(selection, field, condition.is === null, path, context)
  else if ('in' in condition) addAmong(selection, field, constantsOf(field, condition.in, [...path, 'in'], context))
  else if ('not_in' in condition) addNone(selection, field, constantsOf(field, condition.not_in, [...path, 'not_in'], context), path, context)
  else if ('not' in condition) addNone(selection, field, [constantFor(field, condition.not, [...path, 'not'], context.report)], path, context)
  else if ('last' in condition) addWindow(selection, field, condition.last, path, context)
  else if ('prefix' in condition) addPrefix(selection, field, condition.prefix, path, context)
  else selection.bounds = [...(selection.bounds ?? []), boundsOf(field, condition, path, context)]
}

function addEqual(selection: Selection, field: Field, literal: Parameters<typeof constantFor>[1], path: Path, { report }: OperationContext): void {
  if (!comparable.has(field.type)) report(path, `rows cannot be filtered by a field of type ${field.type}`, { atKey: true })
  else selection.where.push({ field: field.name, constant: literal === 'any' ? null : constantFor(field, literal, path, report) })
}

function addPresence(selection: Selection, field: Field, isNull: boolean, path: Path, { report }: OperationContext): void {
  if (field.optional === undefined)
    report(path, `every row has a value of "${field.name}": make it optional to ask for those without`, { atKey: true })
  selection.presence = [...(selection.presence ?? []), { field: field.name, isNull }]
}

function constantsOf(field: Field, literals: Constant[], path: Path, { report }: OperationContext): Constant[] {
  checkTwice(literals.map(String), path, report)
  return literals.map((literal, at) => constantFor(field, literal, [...path, at], report))
}

function addAmong(selection: Selection, { name: field }: Field, constants: Constant[], none = false): void {
  selection.among = [...(selection.among ?? []), { field, constants, ...(none && { none }) }]
}

/** Of a field whose values are all known the others are asked for: an index finds what there is, not what there is not. */
function addNone(selection: Selection, field: Field, constants: Constant[], path: Path, { report }: OperationContext): void {
  const { generator } = field
  if (generator.kind !== 'enum' && generator.kind !== 'bool') {
    addAmong(selection, field, constants, true)
    return
  }
  const values: Constant[] = generator.kind === 'enum' ? generator.values : [true, false]
  const [first, ...others] = values.filter((value) => !constants.includes(value))
  if (first === undefined) report(path, `"${field.name}" has no other value`)
  else if (others.length === 0) selection.where.push({ field: field.name, constant: first })
  else addAmong(selection, field, [first, ...others])
}

function addWindow(selection: Selection, field: Field, ms: number, path: Path, context: OperationContext): void {
  if (field.generator.kind !== 'timestamp') context.report(path, `"last" takes a timestamp, "${field.name}" is ${field.type}`)
  if (selection.over != null) context.report(path, 'one window at most can be asked for')
  selection.over = { field: field.name, ms: reach(ms, context) }
}

function addPrefix(selection: Selection, field: Field, characters: number, path: Path, { report }: OperationContext): void {
  if (field.type !== 'words' && field.type !== 'email') report(path, `"prefix" takes words or an email, "${field.name}" is ${field.type}`)
  selection.prefixes = [...(selection.prefixes ?? []), { field: field.name, characters }]
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
