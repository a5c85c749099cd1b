/** Resolves the entities of the file: keys, owners, implicit fields, references, and what no server could hold. */
import { creationOf, creationWanted } from './ages.ts'
import { type Path, type Report, shown } from './problems.ts'
import { type Entity, expiry, type Field, type Generator } from './scenario.ts'
import type { EntityFile, FieldFile, ScenarioFile } from './schema.ts'
import { monthMs, yearMs } from './units.ts'

export interface EntityContext {
  file: Pick<ScenarioFile, 'entities'> & { requirements?: Pick<ScenarioFile['requirements'], 'growth'> }
  epochMs: number
  /** Whether the entity, or one of its fields, is in the file, but not whole. */
  isBroken(entity: string, field?: string): boolean
  report: Report
}

/** Whole numbers that every server has a type of four bytes for; a decimal is one in units of its last digit. */
export const maxWhole = 2 ** 31 - 1
/** Times with four digits for the year: what comes before or after them not every driver reads back. */
export const firstMs = Date.parse('0001-01-01T00:00:00Z')
const lastMs = Date.parse('9999-12-31T23:59:59.999Z')
/** No run's replay takes longer. */
const longestReplayMs = 12 * 3_600_000
/** Growth over an age multiplies by e to this at most: what is beyond it is no number. */
const steepest = 600

export function resolveEntity(name: string, entity: EntityFile, context: EntityContext): Entity {
  const { report } = context
  const path: Path = ['entities', name]
  const owner = entity.owned_by === undefined ? undefined : entityFile(context, entity.owned_by)
  const entries = Object.entries(entity.fields)
  const keys = entries.filter(([, field]) => field.key).map(([field]) => field)
  if (entries.length === 0) report([...path, 'fields'], `entity "${name}" has no fields`, { lacking: true })
  if (entity.owned_by === undefined) checkOwn(name, entity, keys, context)
  else checkOwned(entity.owned_by, name, entity, keys, context)
  const fields = entries.map(([field, text]) => resolveField(field, text, [...path, 'fields', field], context))
  const implicit = (field: string, type: Field['type'], generator: Generator): Field => {
    if (Object.hasOwn(entity.fields, field))
      report([...path, 'fields', field], `"${field}" is a name dbtrial uses for this entity: choose another`, { atKey: true })
    return { name: field, type, scale: 0, generator, unique: false, pii: false, implicit: true }
  }
  let key = keys.slice(0, 1)
  if (entity.owned_by !== undefined) {
    const ownerKey = Object.entries(owner?.fields ?? {}).find(([, field]) => field.key)?.[0] ?? 'key'
    key = [`${entity.owned_by}_${ownerKey}`, 'line']
    fields.unshift(implicit(key[0] as string, 'uuid', { kind: 'ownerKey' }), implicit('line', 'int', { kind: 'line' }))
  }
  if (entity.ttl !== undefined) fields.push(implicit(expiry, 'timestamp', { kind: 'expiresAt' }))
  const [least, most] = entity.per_owner?.range ?? [0, 0]
  const mean = entity.per_owner?.mean ?? (least + most) / 2
  if (mean < least || mean > most) report([...path, 'per_owner', 'mean'], `the mean must lie within [${least}, ${most}]`)
  const within = fields.map((field) => field.generator).find((generator) => generator.kind === 'timestamp' && generator.withinMs !== null)
  const ageMs = within?.kind === 'timestamp' ? (within.withinMs as number) : (entity.retention ?? entity.ttl ?? yearMs)
  const resolved: Entity = {
    name,
    count: owner === undefined ? (entity.count ?? 1) : (owner.count ?? 1) * mean,
    growthPerMonth: entity.growth ?? owner?.growth ?? context.file.requirements?.growth ?? 0,
    retentionMs: entity.retention ?? owner?.retention ?? null,
    ...(entity.archive === undefined ? {} : { archiveAfterMs: entity.archive.after }),
    ttlMs: entity.ttl ?? null,
    ageMs,
    owner: entity.owned_by === undefined ? null : { entity: entity.owned_by, least, most, mean },
    fields,
    key,
  }
  checkTimes(resolved, entity, context)
  if (entity.archive !== undefined) checkArchive(resolved, entity, [...path, 'archive'], report)
  return resolved
}

const entityFile = ({ file }: EntityContext, name: string): EntityFile | undefined =>
  Object.hasOwn(file.entities, name) ? file.entities[name] : undefined

/** Not owned: it has rows and a key of its own. */
function checkOwn(name: string, entity: EntityFile, keys: string[], { report }: EntityContext): void {
  const path: Path = ['entities', name]
  if (entity.count === undefined) report(path, `entity "${name}" needs count, the rows in production today`, { lacking: true })
  if (entity.per_owner !== undefined) report([...path, 'per_owner'], 'per_owner needs owned_by', { atKey: true, lacking: true })
  if (keys.length === 0) report([...path, 'fields'], `entity "${name}" has no key: mark one field with key: true`, { lacking: true })
  if (keys.length > 1) report([...path, 'fields'], `entity "${name}" has ${keys.length} keys: exactly one field may be the key`)
}

function checkOwned(ownerName: string, name: string, entity: EntityFile, keys: string[], context: EntityContext): void {
  const { report, file } = context
  const path: Path = ['entities', name]
  const owner = entityFile(context, ownerName)
  if (owner === undefined && !context.isBroken(ownerName))
    report([...path, 'owned_by'], `there is no entity "${ownerName}"`, { meant: { name: ownerName, known: Object.keys(file.entities) } })
  if (owner?.owned_by !== undefined) report([...path, 'owned_by'], `"${ownerName}" is owned itself: only one level of ownership is supported`)
  if (keys.length > 0) report([...path, 'fields', keys[0] as string, 'key'], 'an owned entity has the implicit key (owner key, line): remove "key"')
  if (entity.per_owner === undefined) report(path, 'an owned entity needs per_owner: { range: [least, most] }', { lacking: true })
  for (const given of ['count', 'ttl', 'growth'] as const) {
    if (entity[given] !== undefined) report([...path, given], `an owned entity takes its ${given} from its owner: remove "${given}"`, { atKey: true })
  }
}

/** What is archived is told by its age, and stays for a while. */
function checkArchive(entity: Entity, { archive, retention, ttl, owned_by: owner }: EntityFile, path: Path, report: Report): void {
  const afterMs = archive?.after ?? 0
  if (owner !== undefined) report(path, `rows of ${entity.name} leave with their owner: archive "${owner}"`, { atKey: true })
  else if (ttl !== undefined) report(path, 'rows that expire are gone: give either ttl or archive', { atKey: true })
  else if (creationOf(entity) === undefined)
    report(path, `nothing says how old a row of ${entity.name} is: ${creationWanted}`, { atKey: true, lacking: true })
  else if (retention !== undefined && retention <= afterMs)
    report([...path, 'after'], 'rows are removed before they are this old: archive them earlier, or let retention be longer')
}

/** Every time of the run can be held: creation, ages and expiry. */
function checkTimes(entity: Entity, file: EntityFile, { epochMs, report }: EntityContext): void {
  const path: Path = ['entities', entity.name]
  const aged = entity.fields.find(({ generator }) => generator.kind === 'timestamp' && generator.withinMs !== null)
  const source: Path =
    aged !== undefined ? [...path, 'fields', aged.name, 'within'] : file.retention !== undefined ? [...path, 'retention'] : [...path, 'ttl']
  for (const field of entity.fields) {
    const { generator } = field
    if (generator.kind === 'timestamp' && epochMs - (generator.withinMs ?? entity.ageMs) < firstMs)
      report(
        generator.withinMs === null ? source : [...path, 'fields', field.name, 'within'],
        'this reaches back before the year 1, where not every server has times',
      )
  }
  if (entity.ttlMs !== null && holds(epochMs) && !holds(epochMs + entity.ttlMs))
    report([...path, 'ttl'], 'rows would expire after the year 9999, where not every server has times')
  if (Math.log1p(entity.growthPerMonth) * (entity.ageMs / monthMs) > steepest)
    report([...path, 'growth'], `a stock that grows like this is not ${Math.round(entity.ageMs / yearMs)} years old: it began with less than one row`)
}

/** Whether what begins then ends in time, too. */
const holds = (ms: number) => ms >= firstMs && ms + longestReplayMs <= lastMs

export function checkEpoch(epochMs: number, report: Report): void {
  if (!holds(epochMs)) report(['epoch'], 'a run must lie within the years 1 to 9999: not every server has other times')
}

function resolveField(name: string, field: FieldFile, path: Path, context: EntityContext): Field {
  const { report } = context
  const resolved: Field = {
    name,
    type: 'uuid',
    scale: 0,
    generator: { kind: 'rowNumber' },
    unique: field.unique ?? field.key ?? false,
    pii: field.pii ?? false,
    implicit: false,
    ...(field.optional === undefined ? {} : { optional: field.optional }),
  }
  if (field.optional !== undefined && field.key) report([...path, 'optional'], 'every row has a key: remove "optional"', { atKey: true })
  else if (field.optional !== undefined && field.unique)
    report([...path, 'optional'], 'a unique field has a value in every row: remove "optional"', { atKey: true })
  if ('ref' in field) {
    const target = entityFile(context, field.ref)
    if (target === undefined) {
      if (!context.isBroken(field.ref))
        report([...path, 'ref'], `there is no entity "${field.ref}"`, { meant: { name: field.ref, known: Object.keys(context.file.entities) } })
    } else if (target.owned_by !== undefined) report([...path, 'ref'], `"${field.ref}" is owned: refer to its owner "${target.owned_by}"`)
    if (field.key || field.unique) report([...path], 'a reference cannot be a key or unique')
    return { ...resolved, generator: { kind: 'reference', entity: field.ref, skew: field.skew ?? { kind: 'uniform' } } }
  }
  resolved.type = field.type
  if (field.key && field.type !== 'uuid' && field.type !== 'int') report([...path, 'key'], 'a key is of type uuid or int')
  if (field.unique && !['uuid', 'email'].includes(field.type) && !field.key) report([...path, 'unique'], 'unique works on email and uuid fields')
  switch (field.type) {
    case 'uuid':
      return { ...resolved, generator: { kind: 'uuid', version: field.version === 'v7' ? 7 : 4 } }
    case 'int':
    case 'decimal':
      return resolveNumber(field, resolved, path, report)
    case 'bool':
      return { ...resolved, generator: { kind: 'bool', share: field.share ?? 0.5 } }
    case 'enum': {
      if (Array.isArray(field.values)) checkTwice(field.values, [...path, 'values'], report)
      const weights = Array.isArray(field.values) ? new Map(field.values.map((value) => [value, 1])) : new Map(Object.entries(field.values))
      if (weights.size === 0) report([...path, 'values'], 'an enum needs one value at least')
      return { ...resolved, generator: { kind: 'enum', values: [...weights.keys()], weights: [...weights.values()] } }
    }
    case 'words':
      return { ...resolved, generator: { kind: 'words', least: field.count[0], most: field.count[1] } }
    case 'email':
      return { ...resolved, generator: { kind: 'email' } }
    case 'timestamp':
      return { ...resolved, generator: { kind: 'timestamp', withinMs: field.within ?? null } }
    case 'json':
    case 'bytes':
      return { ...resolved, generator: { kind: field.type, bytes: Math.round(field.size), compressibility: field.compressibility ?? 0.5 } }
  }
}

function resolveNumber(field: Extract<FieldFile, { type: 'int' | 'decimal' }>, resolved: Field, path: Path, report: Report): Field {
  if (field.key) {
    if (field.type === 'int' && field.range !== undefined)
      report([...path, 'range'], 'an int key counts rows from 1: remove "range"', { atKey: true })
    return { ...resolved, generator: { kind: 'rowNumber' } }
  }
  if (field.range === undefined) {
    report(path, 'an int field needs range: [least, most]', { lacking: true })
    return resolved
  }
  const scale = field.type === 'decimal' ? field.scale : 0
  const [low, high] = field.range.map((bound) => Math.round(bound * 10 ** scale)) as [number, number]
  if (Math.max(Math.abs(low), Math.abs(high)) > maxWhole)
    report([...path, 'range'], `values must stay within ±${maxWhole}${scale > 0 ? ' in units of the last digit' : ''}`)
  if (field.mean !== undefined && (field.mean < field.range[0] || field.mean > field.range[1]))
    report([...path, 'mean'], 'the mean must lie within the range')
  const skew = field.type === 'int' ? field.skew : undefined
  if (skew !== undefined && field.mean !== undefined) report([...path, 'mean'], 'give either mean or skew', { atKey: true })
  return {
    ...resolved,
    scale,
    generator: { kind: 'number', low, high, mean: field.mean === undefined ? null : field.mean * 10 ** scale, skew: skew ?? { kind: 'uniform' } },
  }
}

export function checkTwice(names: string[], path: Path, report: Report): void {
  const seen = new Set<string>()
  for (const [index, name] of names.entries()) {
    if (seen.has(name)) report([...path, index], `${shown(name)} is listed twice`)
    seen.add(name)
  }
}

/** References and owner keys take the type of the key they hold. */
export function completeReferences(entities: Entity[], known: Map<string, Entity>): void {
  for (const entity of entities) {
    for (const field of entity.fields) {
      const target =
        field.generator.kind === 'reference' ? field.generator.entity : field.generator.kind === 'ownerKey' ? entity.owner?.entity : undefined
      const key = target === undefined ? undefined : known.get(target)
      if (key !== undefined) field.type = key.fields.find((each) => each.name === key.key[0])?.type ?? 'uuid'
    }
  }
}
