/** From the file's grammar to a resolved scenario: derives what can be derived, finds every contradiction. */
import { closest, distance } from 'fastest-levenshtein'
import { resolveOperation } from './operations.ts'
import type { Entity, Field, Generator, Invariant, Scenario } from './scenario.ts'
import type { EntityFile, FieldFile, ScenarioFile } from './schema.ts'
import { yearMs } from './units.ts'

export interface Problem {
  path: (string | number)[]
  message: string
  /** Point at the key of the last path element instead of its value. */
  atKey?: boolean
}
export type Report = (path: (string | number)[], message: string, atKey?: boolean) => void

/** ", did you mean x?" where something close exists, else the choices. */
export function suggestion(name: string, known: string[]): string {
  if (known.length === 0) return ''
  const near = closest(name, known)
  if (distance(name, near) <= Math.max(1, Math.floor(name.length / 3))) return `, did you mean "${near}"?`
  return known.length <= 12 ? ` (known: ${known.join(', ')})` : ''
}

/** `broken` names entities that were left out because their own text is wrong: references to them are not reported again. */
export function resolve(file: ScenarioFile, broken: Set<string>): { scenario: Scenario; problems: Problem[] } {
  const problems: Problem[] = []
  const report: Report = (path, message, atKey = false) => problems.push({ path, message, atKey })
  const entities = Object.entries(file.entities).map(([name, entity]) => resolveEntity(name, entity, file, broken, report))
  const known = new Map(entities.map((entity) => [entity.name, entity]))
  completeReferences(entities, known)
  const operations = Object.entries(file.operations).flatMap(([name, operation]) => resolveOperation(name, operation, known, broken, report) ?? [])
  if (Object.keys(file.operations).length === 0 && broken.size === 0) report(['operations'], 'a scenario needs at least one operation')
  const { requirements } = file
  const scenario: Scenario = {
    name: file.name,
    summary: file.summary,
    seed: file.seed,
    epochMs: Date.parse(file.epoch),
    entities,
    operations,
    invariants: Object.entries(file.invariants ?? {}).flatMap(
      ([name, { conserve }]) => resolveInvariant(name, conserve, known, broken, report) ?? [],
    ),
    requirements: {
      peak: requirements.peak,
      durability: requirements.durability,
      availability: requirements.availability ?? null,
      rpoMs: requirements.rpo ?? null,
      rtoMs: requirements.rto ?? null,
      regions: requirements.regions ?? [],
      compliance: requirements.compliance ?? [],
      licences: requirements.licences ?? null,
      budgetUsdPerMonth: requirements.budget ?? null,
      horizonMs: requirements.horizon ?? null,
    },
    candidates: file.candidates.map((candidate) =>
      typeof candidate === 'string'
        ? { name: candidate, engine: candidate, durability: requirements.durability }
        : { name: candidate.name, engine: candidate.engine, durability: candidate.durability ?? requirements.durability },
    ),
    bench: {
      scale: file.bench?.scale ?? null,
      cpus: file.bench?.limits?.cpus ?? 1,
      memoryBytes: file.bench?.limits?.memory ?? 2 * 2 ** 30,
      sizes: [...new Set(file.bench?.sizes ?? [])].sort((a, b) => a - b),
      effort: file.bench?.effort ?? 'quick',
      repeats: file.bench?.repeats ?? null,
    },
  }
  scenario.candidates.forEach((candidate, index) => {
    if (scenario.candidates.findIndex((each) => each.name === candidate.name) < index)
      report(['candidates', index], `candidate "${candidate.name}" is listed twice`)
  })
  if (scenario.bench.scale === 0) report(['bench', 'scale'], 'a scale of 0% loads nothing')
  return { scenario, problems }
}

function resolveEntity(name: string, entity: EntityFile, file: ScenarioFile, broken: Set<string>, report: Report): Entity {
  const path = ['entities', name]
  const owner = entity.owned_by === undefined ? undefined : file.entities[entity.owned_by]
  const entries = Object.entries(entity.fields)
  const keys = entries.filter(([, field]) => field.key).map(([field]) => field)
  if (entries.length === 0) report([...path, 'fields'], `entity "${name}" has no fields`)
  if (entity.owned_by !== undefined) {
    if (owner === undefined && !broken.has(entity.owned_by)) {
      report([...path, 'owned_by'], `there is no entity "${entity.owned_by}"${suggestion(entity.owned_by, Object.keys(file.entities))}`)
    }
    if (owner?.owned_by !== undefined) report([...path, 'owned_by'], `"${entity.owned_by}" is owned itself: only one level of ownership is supported`)
    if (keys.length > 0) report([...path, 'fields', keys[0] as string, 'key'], `an owned entity has the implicit key (owner key, line): remove "key"`)
    if (entity.per_owner === undefined) report(path, 'an owned entity needs per_owner: { range: [least, most] }')
    for (const given of ['count', 'ttl', 'growth'] as const) {
      if (entity[given] !== undefined) report([...path, given], `an owned entity takes its ${given} from its owner: remove "${given}"`, true)
    }
  } else {
    if (entity.count === undefined) report(path, `entity "${name}" needs count, the rows in production today`)
    if (entity.per_owner !== undefined) report([...path, 'per_owner'], 'per_owner needs owned_by', true)
    if (keys.length !== 1)
      report(
        [...path, 'fields'],
        keys.length === 0
          ? `entity "${name}" has no key: mark one field with key: true`
          : `entity "${name}" has ${keys.length} keys: exactly one field may be the key`,
      )
  }
  const fields = entries.map(([field, text]) => resolveField(field, text, [...path, 'fields', field], file, broken, report))
  const implicit = (field: string, type: Field['type'], generator: Generator): Field => {
    if (entity.fields[field] !== undefined)
      report([...path, 'fields', field], `"${field}" is a name dbtrial uses for this entity: choose another`, true)
    return { name: field, type, scale: 0, generator, unique: false, pii: false, implicit: true }
  }
  let key = keys.slice(0, 1)
  if (entity.owned_by !== undefined) {
    const ownerKey = Object.entries(owner?.fields ?? {}).find(([, field]) => field.key)?.[0] ?? 'key'
    key = [`${entity.owned_by}_${ownerKey}`, 'line']
    fields.unshift(implicit(key[0] as string, 'uuid', { kind: 'ownerKey' }), implicit('line', 'int', { kind: 'line' }))
  }
  if (entity.ttl !== undefined) fields.push(implicit('expires_at', 'timestamp', { kind: 'expiresAt' }))
  const [least, most] = entity.per_owner?.range ?? [0, 0]
  const mean = entity.per_owner?.mean ?? (least + most) / 2
  if (mean < least || mean > most) report([...path, 'per_owner', 'mean'], `the mean must lie within [${least}, ${most}]`)
  const within = fields.map((field) => field.generator).find((generator) => generator.kind === 'timestamp' && generator.withinMs !== null)
  const ageMs = within?.kind === 'timestamp' ? (within.withinMs as number) : (entity.retention ?? entity.ttl ?? yearMs)
  return {
    name,
    count: owner === undefined ? (entity.count ?? 1) : (owner.count ?? 1) * mean,
    growthPerMonth: entity.growth ?? owner?.growth ?? 0,
    retentionMs: entity.retention ?? owner?.retention ?? null,
    ttlMs: entity.ttl ?? null,
    ageMs,
    owner: entity.owned_by === undefined ? null : { entity: entity.owned_by, least, most, mean },
    fields,
    key,
  }
}

function resolveField(name: string, field: FieldFile, path: (string | number)[], file: ScenarioFile, broken: Set<string>, report: Report): Field {
  const resolved: Field = {
    name,
    type: 'uuid',
    scale: 0,
    generator: { kind: 'rowNumber' },
    unique: field.unique ?? field.key ?? false,
    pii: field.pii ?? false,
    implicit: false,
  }
  if ('ref' in field) {
    if (file.entities[field.ref] === undefined) {
      if (!broken.has(field.ref)) report([...path, 'ref'], `there is no entity "${field.ref}"${suggestion(field.ref, Object.keys(file.entities))}`)
    } else if (file.entities[field.ref]?.owned_by !== undefined)
      report([...path, 'ref'], `"${field.ref}" is owned: refer to its owner "${file.entities[field.ref]?.owned_by}"`)
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
    case 'decimal': {
      if (field.key) {
        if (field.type === 'int' && field.range !== undefined) report([...path, 'range'], 'an int key counts rows from 1: remove "range"', true)
        return { ...resolved, generator: { kind: 'rowNumber' } }
      }
      if (field.range === undefined) {
        report(path, 'an int field needs range: [least, most]')
        return resolved
      }
      const scale = field.type === 'decimal' ? field.scale : 0
      const [low, high] = field.range.map((bound) => Math.round(bound * 10 ** scale)) as [number, number]
      if (Math.max(Math.abs(low), Math.abs(high)) > 2 ** 31 - 1)
        report([...path, 'range'], `values must stay within ±${2 ** 31 - 1}${scale > 0 ? ' in units of the last digit' : ''}`)
      if (field.mean !== undefined && (field.mean < field.range[0] || field.mean > field.range[1]))
        report([...path, 'mean'], 'the mean must lie within the range')
      const skew = field.type === 'int' ? field.skew : undefined
      if (skew !== undefined && field.mean !== undefined) report([...path, 'mean'], 'give either mean or skew', true)
      return {
        ...resolved,
        scale,
        generator: { kind: 'number', low, high, mean: field.mean === undefined ? null : field.mean * 10 ** scale, skew: skew ?? { kind: 'uniform' } },
      }
    }
    case 'bool':
      return { ...resolved, generator: { kind: 'bool', share: field.share ?? 0.5 } }
    case 'enum': {
      const weighted = Array.isArray(field.values) ? Object.fromEntries(field.values.map((value) => [value, 1])) : field.values
      return { ...resolved, generator: { kind: 'enum', values: Object.keys(weighted), weights: Object.values(weighted) } }
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

/** References and owner keys take the type of the key they hold. */
function completeReferences(entities: Entity[], known: Map<string, Entity>): void {
  for (const entity of entities) {
    for (const field of entity.fields) {
      const target =
        field.generator.kind === 'reference' ? field.generator.entity : field.generator.kind === 'ownerKey' ? entity.owner?.entity : undefined
      const key = target === undefined ? undefined : known.get(target)
      if (key !== undefined) field.type = key.fields.find((each) => each.name === key.key[0])?.type ?? 'uuid'
    }
  }
}

function resolveInvariant(name: string, text: string, known: Map<string, Entity>, broken: Set<string>, report: Report): Invariant | undefined {
  const path = ['invariants', name, 'conserve']
  const pattern = /\s*([+-]?)\s*sum\(\s*([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)\s*\)/y
  const terms: Invariant['terms'] = []
  let scale: number | undefined
  while (pattern.lastIndex < text.trimEnd().length) {
    const match = pattern.exec(text)
    if (match === null || (terms.length > 0 && match[1] === '')) {
      report(path, 'expected a sum such as "sum(product.stock) + sum(order_item.quantity)"')
      return undefined
    }
    const [, sign, entityName, fieldName] = match as unknown as [string, string, string, string]
    const entity = known.get(entityName)
    const field = entity?.fields.find((each) => each.name === fieldName)
    if (entity === undefined) {
      if (!broken.has(entityName)) report(path, `there is no entity "${entityName}"${suggestion(entityName, [...known.keys()])}`)
      return undefined
    }
    if (field === undefined || (field.type !== 'int' && field.type !== 'decimal')) {
      const numeric = entity.fields.filter((each) => each.type === 'int' || each.type === 'decimal').map((each) => each.name)
      report(path, `"${fieldName}" is no numeric field of ${entityName}${suggestion(fieldName, numeric)}`)
      return undefined
    }
    scale ??= field.scale
    if (field.scale !== scale) report(path, 'all sums must have the same scale')
    terms.push({ sign: sign === '-' ? -1 : 1, entity: entityName, field: fieldName })
  }
  return { name, terms }
}
