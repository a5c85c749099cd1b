/** Resolves what an operation or a step of a transaction writes. */
import { maxWhole } from './entities.ts'
import { constantFor, known, type Literal, lookUp, type OperationContext, ownedNames, pickOf } from './operation-context.ts'
import { type Path, type Report, shown } from './problems.ts'
import {
  type Addition,
  type Assignment,
  comparisons,
  type Entity,
  expiry,
  type Field,
  type Guard,
  type Insert,
  type Operation,
  type Step,
  type Update,
  type Write,
} from './scenario.ts'
import { type OperationFile, type StepFile, stepKinds } from './schema.ts'

type WriteFile =
  | Extract<OperationFile, { insert: unknown } | { put: unknown } | { update: unknown } | { touch: unknown } | { delete: unknown }>
  | StepFile
type GuardFile = NonNullable<Extract<WriteFile, { update: unknown }>['if']>

export function resolveSteps(files: StepFile[], path: Path, context: OperationContext): Step[] {
  const steps: Step[] = []
  for (const [index, file] of files.entries()) {
    const kind = stepKinds.find((each) => Object.hasOwn(file, each)) as string
    const entity = lookUp((file as Record<string, unknown>)[kind] as string, [...path, index, kind], context)
    if (entity === undefined) continue
    const pick = pickOf('pick' in file ? file.pick : undefined, entity, [...path, index, 'pick'], context)
    steps.push({ ...resolveWrite(file, entity, [...path, index], steps, context), entity: entity.name, pick })
  }
  return steps
}

export function resolveWrite(file: WriteFile, entity: Entity, path: Path, before: Step[], context: OperationContext): Write {
  const { report } = context
  if ('touch' in file) return touch(entity, path, context)
  if (entity.owner !== null && !('update' in file))
    report(path, `rows of ${entity.name} are written with their owner: use "insert: ${entity.owner.entity}, with: [${entity.name}]"`)
  if ('insert' in file) {
    const set = Object.entries(file.set ?? {}).flatMap(([field, to]) => beginning(field, to, entity, [...path, 'set', field], context) ?? [])
    return { kind: 'insert', with: ownedNames(file.with, entity, [...path, 'with'], context), ...(set.length === 0 ? {} : { set }) }
  }
  if ('put' in file) {
    if (entity.tenant !== undefined)
      report(path, `a put writes over whatever row has its key, of any tenant: use insert and update of ${entity.name}`)
    const { existing, new: fresh } = file.keys ?? { existing: 1, new: 0 }
    if (Math.abs(existing + fresh - 1) > 1e-9) report([...path, 'keys'], 'the shares of existing and new keys must add up to 100%')
    return { kind: 'put', existingShare: existing }
  }
  if ('delete' in file) return { kind: 'delete' }
  const viaText = 'via' in file ? file.via : undefined
  const via = viaText === undefined ? null : resolveVia(viaText, entity, [...path, 'via'], before, context)
  const changes = { set: Object.entries(file.set ?? {}), add: Object.entries(file.add ?? {}) }
  if (changes.set.length + changes.add.length === 0)
    report(
      path,
      file.set === undefined && file.add === undefined ? 'an update needs set or add' : 'this update changes nothing: say what it sets or adds',
      {
        lacking: true,
      },
    )
  const set = changes.set.flatMap(([field, to]) => assignment(field, to, via ?? null, entity, [...path, 'set', field], context) ?? [])
  const add = changes.add.flatMap(([field, amount]) => {
    const place = [...path, 'add', field]
    if (Object.hasOwn(file.set ?? {}, field)) report(place, `"${field}" is set by the same update: set it or add to it`, { atKey: true })
    return addition(field, amount, via, entity, place, context) ?? []
  })
  const guard = file.if === undefined ? undefined : guardOf(file.if, via, entity, [...path, 'if'], context)
  return { kind: 'update', set, add, ...(guard === undefined ? {} : { guard }), via: via ?? null }
}

/** An update of when the row expires, and of nothing else. */
function touch(entity: Entity, path: Path, { report }: OperationContext): Update {
  if (entity.owner !== null) report([...path, 'touch'], `rows of ${entity.name} live as long as their owner: touch ${entity.owner.entity}`)
  else if (entity.ttlMs === null) report([...path, 'touch'], `rows of ${entity.name} do not expire: give it a ttl, or leave this out`)
  return { kind: 'update', set: [{ field: expiry, to: 'any' }], add: [], via: null }
}

const equatable = ['int', 'decimal', 'bool', 'enum', 'words']

/** One field of the addressed row, compared with a constant. */
function guardOf(file: GuardFile, via: Update['via'] | undefined, entity: Entity, path: Path, context: OperationContext): Guard | undefined {
  const { report } = context
  const conditions = Object.entries(file).flatMap(([name, asked]) =>
    (['is', ...comparisons] as const).flatMap((is) => (asked[is] === undefined ? [] : [{ name, is, to: asked[is] as Literal }])),
  )
  const [condition] = conditions
  if (condition === undefined || conditions.length > 1) {
    report(path, 'a guard is one condition, such as { balance: { gte: 10 } }')
    return undefined
  }
  const { name, is, to } = condition
  const place = [...path, name, is]
  const field = known(name, entity, [...path, name], context, true)
  if (field === undefined) return undefined
  const refuse = (why: string) => void report([...path, name], why, { atKey: true })
  if (is === 'is') {
    if (field.optional === undefined) refuse(`every row has a value of "${name}": make it optional to ask whether there is none`)
    return { field: name, is: 'equals', constant: null }
  }
  const isOrdered = field.generator.kind === 'number'
  if (entity.key.includes(name)) refuse(`"${name}" is part of the key: the row that is addressed has it`)
  else if (field.generator.kind === 'reference' || !equatable.includes(field.type))
    refuse(
      `a guard compares fields of type ${equatable.join(', ')}, "${name}" is ${field.generator.kind === 'reference' ? 'a reference' : field.type}`,
    )
  else if (is !== 'equals' && !isOrdered) refuse(`only int and decimal fields are more or less than a number, "${name}" is ${field.type}: use equals`)
  else if (to === 'any') report(place, 'a guard compares with a constant')
  else if (is !== 'equals' && typeof to === 'string') {
    const sum = summed(field, to, via, entity, place, context)
    return sum === undefined ? undefined : { field: name, is, constant: sum.amount, from: sum.from }
  } else return { field: name, is, constant: constantFor(field, to, place, report) }
  return undefined
}

/** undefined where it leads nowhere, as was reported. */
function resolveVia(text: string, entity: Entity, path: Path, before: Step[], context: OperationContext): Update['via'] | undefined {
  const { entities, report } = context
  const [owned = '', field = ''] = text.split('.')
  const inserted = before.flatMap((step) => (step.kind === 'insert' ? step.with : []))
  const lines = entities.get(owned)
  if (!inserted.includes(owned) || lines === undefined) {
    if (!context.isBroken(owned)) report(path, '"via" follows owned rows that an earlier step inserts', { meant: { name: owned, known: inserted } })
    return undefined
  }
  if (inserted.indexOf(owned) !== inserted.lastIndexOf(owned))
    report(path, `two earlier steps insert ${owned}: it is not clear whose rows "via" follows`)
  const reference = known(field, lines, path, context)
  const generator = reference?.generator
  if (reference?.optional !== undefined) report(path, `"${text}" is optional: rows without it lead nowhere`)
  if (generator !== undefined && (generator.kind !== 'reference' || generator.entity !== entity.name))
    report(path, `"${text}" does not refer to ${entity.name}`)
  return { owned, field }
}

/** The field, where it can be changed. */
function changed(name: string, entity: Entity, path: Path, context: OperationContext): Field | undefined {
  const field = known(name, entity, path, context, true)
  if (field === undefined) return undefined
  if (entity.key.includes(name)) context.report(path, `"${name}" is part of the key and cannot be updated`, { atKey: true })
  else if (name === entity.tenant) context.report(path, `a row stays with its tenant: "${name}" cannot be changed`, { atKey: true })
  else if (field.implicit) context.report(path, `"${name}" is kept by dbtrial and cannot be updated`, { atKey: true })
  else return field
  return undefined
}

function assignment(
  name: string,
  to: Literal | null,
  via: Update['via'],
  entity: Entity,
  path: Path,
  context: OperationContext,
): Assignment | undefined {
  const field = changed(name, entity, path, context)
  if (field === undefined) return undefined
  if (to === null) return emptied(field, path, context)
  if (to === 'any') {
    if (via !== null && field.unique) context.report(path, `"${name}" is unique, and all rows that "via" leads to get one value`)
    return { field: name, to: 'any' }
  }
  if (to === 'now' && field.type === 'timestamp') return { field: name, to: 'now' }
  if (to === 'now' && field.generator.kind !== 'enum') context.report(path, `"now" goes into a timestamp, "${name}" is ${field.type}`)
  else return { field: name, to: 'constant', constant: constantFor(field, to, path, context.report) }
  return undefined
}

/** No value, where a row may have none. */
function emptied({ name, optional }: Field, path: Path, { report }: OperationContext): NonNullable<Insert['set']>[number] {
  if (optional === undefined) report(path, `every row has a value of "${name}": make it optional, such as { optional: 20% }`)
  return { field: name, to: 'constant', constant: null }
}

const beginnings = ['int', 'decimal', 'bool', 'enum', 'words']

/** What a new row begins with in place of what is drawn. */
function beginning(
  name: string,
  to: Literal | null,
  entity: Entity,
  path: Path,
  context: OperationContext,
): NonNullable<Insert['set']>[number] | undefined {
  const field = changed(name, entity, path, context)
  if (field === undefined) return undefined
  if (to === null) return emptied(field, path, context)
  const refuse = (why: string) => void context.report(path, why)
  if (to === 'any') refuse(`"${name}" of a new row is drawn anyway: leave it out, or give a constant`)
  else if (field.unique) refuse(`"${name}" is unique: two new rows cannot begin with one value`)
  else if (field.generator.kind === 'reference' || !beginnings.includes(field.type))
    refuse(
      `a new row can begin with a constant of type ${beginnings.join(', ')}, "${name}" is ${field.generator.kind === 'reference' ? 'a reference' : field.type}`,
    )
  else return { field: name, to: 'constant', constant: constantFor(field, to, path, context.report) }
  return undefined
}

function addition(
  name: string,
  amount: number | string,
  via: Update['via'] | undefined,
  entity: Entity,
  path: Path,
  context: OperationContext,
): Addition | undefined {
  const { report } = context
  const field = changed(name, entity, path, context)
  if (field === undefined) return undefined
  if (field.generator.kind !== 'number')
    report(path, `"${name}" is ${field.generator.kind === 'reference' ? 'a reference' : field.type}: only int and decimal fields can be added to`, {
      atKey: true,
    })
  else if (field.optional !== undefined) report(path, `"${name}" is optional: nothing can be added to no value`, { atKey: true })
  if (typeof amount === 'number') {
    const scaled = amount * 10 ** field.scale
    if (Math.abs(scaled) > maxWhole)
      report(
        path,
        `at most ±${maxWhole}${field.scale > 0 ? ' in units of the last digit' : ''} can be added at once: more would soon pass what is held exactly`,
      )
    return { field: name, amount: scaled, from: null }
  }
  return summed(field, amount, via, entity, path, context)
}

/** What the owned rows that lead to a row of `via` have in a field, or less than nothing of it. */
function summed(
  field: Field,
  text: string,
  via: Update['via'] | undefined,
  entity: Entity,
  path: Path,
  context: OperationContext,
): (Addition & { from: string }) | undefined {
  const { entities, report } = context
  const [owned, from] = text.replace(/^-/, '').split('.') as [string, string]
  const lines = entities.get(owned)
  if (via === undefined) return undefined
  if (lines === undefined || via === null || owned !== via.owned) {
    report(path, `"${text}" needs via: ${owned}.<reference to ${entity.name}> in the same step`, { lacking: true })
    return undefined
  }
  const source = known(from, lines, path, context)
  if (source !== undefined && (source.type !== field.type || source.scale !== field.scale))
    report(path, `${owned}.${from} and ${entity.name}.${field.name} must have the same type and scale`)
  if (source?.optional !== undefined) report(path, `"${text.replace(/^-/, '')}" is optional: rows without a value have nothing to add`)
  return { field: field.name, amount: text.startsWith('-') ? -1 : 1, from }
}

const searchable = /^[a-z]+( [a-z]+)*$/

/** Servers tell words apart in ways of their own where a text is more than lower-case letters and spaces: a searched field holds nothing else. */
export function checkSearched(operations: Operation[], report: Report): void {
  const searched = new Set(operations.flatMap((each) => (each.kind === 'search' ? each.in.map((field) => `${each.entity}.${field}`) : [])))
  const check = (write: Write & { entity: string }, path: Path) => {
    if (write.kind !== 'update' && write.kind !== 'insert') return
    for (const each of write.set ?? [])
      if (each.to === 'constant' && searched.has(`${write.entity}.${each.field}`) && !searchable.test(String(each.constant)))
        report([...path, 'set', each.field], `"${each.field}" is searched: expected lower-case words a-z, not ${shown(each.constant)}`)
  }
  for (const operation of operations) {
    const path = ['operations', operation.name]
    if (operation.kind === 'transaction') for (const [index, step] of operation.steps.entries()) check(step, [...path, 'transaction', index])
    else if (operation.kind === 'update' || operation.kind === 'insert') check(operation, path)
  }
}
