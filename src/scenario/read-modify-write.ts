/** Resolves operations that read a row before they write it, and that expect what they read to be there still: each is an update with a guard of its own. */
import { known, lookUp, type OperationContext, pickOf } from './operation-context.ts'
import type { Path } from './problems.ts'
import type { Entity, Field, Guard, OperationOf, Step, Update } from './scenario.ts'
import type { OperationFile } from './schema.ts'
import { resolveWrite } from './writes.ts'

type ReadModifyWriteFile = Extract<OperationFile, { read_modify_write: unknown }>
type InsertFile = Extract<OperationFile, { insert: unknown }>

/** Without `set` all fields that can change take fresh values. */
export function resolveReadModifyWrite(file: ReadModifyWriteFile, entity: Entity, path: Path, context: OperationContext): Update {
  const { report } = context
  if (entity.owner !== null) report(path, `rows of ${entity.name} are read with their owner: use update`)
  if (file.atomic && file.version === undefined)
    report(path, 'atomic needs a version: an int field of the row, to which every write adds one', { lacking: true })
  if (!file.atomic && file.version !== undefined) report([...path, 'version'], 'only atomic: true compares a version', { atKey: true })
  const version = file.atomic && file.version !== undefined ? versionOf(file.version, entity, [...path, 'version'], context) : undefined
  const all = entity.fields.filter((field) => !field.implicit && !entity.key.includes(field.name))
  const free = all.filter(({ name }) => name !== entity.tenant && name !== file.version)
  if (file.version !== undefined && Object.hasOwn(file.set ?? {}, file.version))
    report([...path, 'set', file.version], `"${file.version}" is the version: every write adds one to it`, { atKey: true })
  const set = file.set ?? Object.fromEntries(free.map(({ name }) => [name, 'any' as const]))
  const update = resolveWrite({ update: entity.name, set }, entity, path, [], context) as Update
  const fields = [...entity.key, ...all.map(({ name }) => name)]
  return version === undefined
    ? { ...update, reads: fields }
    : { ...expecting(version, update.set), reads: [version, ...fields.filter((each) => each !== version)] }
}

/** An insert that expects a version of the row that it refers to: that row is read, then both are written together. undefined: the reason was reported. */
export function resolveExpecting(
  expects: string,
  file: InsertFile,
  entity: Entity,
  path: Path,
  context: OperationContext,
): Pick<OperationOf<'transaction'>, 'kind' | 'entity' | 'steps'> | undefined {
  const place = [...path, 'expects']
  const [reference, name] = expects.split('.') as [string, string]
  const field = known(reference, entity, place, context)
  if (field !== undefined && field.generator.kind !== 'reference') context.report(place, `"${reference}" refers to no row: it is ${field.type}`)
  if (field?.optional !== undefined) context.report(place, `"${reference}" is optional: rows without it lead nowhere`)
  if (field?.generator.kind !== 'reference') return undefined
  const target = lookUp(field.generator.entity, place, context)
  const version = target === undefined ? undefined : versionOf(name, target, place, context)
  if (target === undefined || version === undefined) return undefined
  const pick = pickOf(undefined, target, path, context)
  const update: Step = { ...expecting(version, []), reads: [version], of: { step: 1, field: reference }, entity: target.name, pick }
  const insert: Step = { ...resolveWrite(file, entity, path, [], context), entity: entity.name, pick: pickOf(undefined, entity, path, context) }
  return { kind: 'transaction', entity: target.name, steps: [update, insert] }
}

function expecting(version: string, set: Update['set']): Update {
  const guard: Guard = { field: version, is: 'equals', constant: 0, asRead: true }
  return { kind: 'update', set, add: [{ field: version, amount: 1, from: null }], guard, via: null }
}

/** The field's name, where it can be a version. */
function versionOf(name: string, entity: Entity, path: Path, context: OperationContext): string | undefined {
  const field = known(name, entity, path, context)
  if (field === undefined) return undefined
  if (field.optional !== undefined) context.report(path, `"${entity.name}.${name}" is optional: every row has a version`)
  if (isCounter(field)) return name
  context.report(path, `a version is an int that is counted up, such as { type: int, range: [1, 50] }: "${entity.name}.${name}" is none`)
  return undefined
}

const isCounter = ({ type, generator, unique }: Field) => type === 'int' && generator.kind === 'number' && !unique
