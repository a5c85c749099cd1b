/** What operations and their steps are resolved with: names looked up among the entities, constants of fields, picks of rows. */
import { resolveTiers } from './ages.ts'
import { checkTwice, maxWhole } from './entities.ts'
import { type Path, type Report, shown } from './problems.ts'
import type { Constant, Entity, Field, Pick } from './scenario.ts'
import type { Skew } from './units.ts'

export interface OperationContext {
  entities: Map<string, Entity>
  epochMs: number
  engines: string[]
  /** Whether the entity, or one of its fields, is in the file, but not whole. */
  isBroken(entity: string, field?: string): boolean
  report: Report
}
/** A constant as the file says it: `{ value: any }` is the text any, which alone means something else. */
export type Literal = Constant | { value: Constant }
export interface PickFile {
  skew?: Skew | undefined
  last?: Record<string, number> | undefined
  miss?: number | undefined
}

export function lookUp(name: string, path: Path, { entities, isBroken, report }: OperationContext): Entity | undefined {
  const entity = entities.get(name)
  if (entity === undefined && !isBroken(name)) report(path, `there is no entity "${name}"`, { meant: { name, known: [...entities.keys()] } })
  return entity
}

export function known(name: string, entity: Entity, path: Path, { isBroken, report }: OperationContext, atKey = false): Field | undefined {
  const field = entity.fields.find((each) => each.name === name)
  if (field === undefined && !isBroken(entity.name, name))
    report(path, `${entity.name} has no field "${name}"`, { atKey, meant: { name, known: entity.fields.map((each) => each.name) } })
  return field
}

export function ownedNames(names: string[] | undefined, entity: Entity, path: Path, { entities, isBroken, report }: OperationContext): string[] {
  const owned = [...entities.values()].filter((each) => each.owner?.entity === entity.name).map((each) => each.name)
  checkTwice(names ?? [], path, report)
  for (const [index, name] of (names ?? []).entries()) {
    if (!owned.includes(name) && !isBroken(name))
      report([...path, index], `"${name}" is not owned by ${entity.name}`, { meant: { name, known: owned } })
  }
  return (names ?? []).filter((name) => owned.includes(name))
}

/** Decimals become integers of their scale. */
export function constantFor(field: Field, literal: Literal, path: Path, report: Report): Constant {
  const value = typeof literal === 'object' ? literal.value : literal
  const wrong = (expected: string) => report(path, `"${field.name}" is ${field.type}: expected ${expected}, not ${shown(value)}`)
  switch (field.generator.kind) {
    case 'enum':
      if (!field.generator.values.includes(String(value)))
        report(path, `${shown(String(value))} is no value of "${field.name}"`, { meant: { name: String(value), known: field.generator.values } })
      return String(value)
    case 'bool':
      if (typeof value !== 'boolean') wrong('true or false')
      return value
    case 'number': {
      if (typeof value !== 'number') wrong('a number')
      const scaled = Number(value) * 10 ** field.scale
      if (Math.abs(scaled) > maxWhole) wrong(`a number within ±${maxWhole}${field.scale > 0 ? ' in units of the last digit' : ''}`)
      else if (!Number.isInteger(Math.round(scaled * 1e6) / 1e6))
        wrong(field.scale === 0 ? 'a whole number' : `at most ${field.scale} digits after the point`)
      return Math.round(scaled)
    }
    case 'words':
      if (typeof value !== 'string') wrong('a text')
      return value
    default:
      wrong('any')
      return value
  }
}

/** Default: the skew of the field that most references the entity, else uniform. */
export function pickOf(file: PickFile | undefined, entity: Entity, path: Path, { entities, isBroken, report }: OperationContext): Pick {
  if (file?.skew !== undefined && file.last !== undefined) report([...path, 'last'], 'give either skew or last', { atKey: true })
  const tiers = file?.last === undefined ? undefined : resolveTiers(file.last, entity, { entities, isBroken }, [...path, 'last'], report)
  let [most, skew]: [number, Pick['skew']] = [0, { kind: 'uniform' }]
  for (const each of entities.values())
    for (const { generator } of each.fields)
      if (generator.kind === 'reference' && generator.entity === entity.name && each.count > most) [most, skew] = [each.count, generator.skew]
  return { skew: tiers ?? file?.skew ?? skew, miss: file?.miss ?? 0 }
}
