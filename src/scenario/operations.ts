/** Resolves one operation of the file against the entities: projections, total orders, picks, objectives. */
import type { Report } from './resolve.ts'
import { suggestion } from './resolve.ts'
import type {
  Addition,
  Assignment,
  Constant,
  Entity,
  Field,
  Filter,
  Objective,
  Operation,
  OperationCommon,
  Order,
  Pick,
  Step,
  Update,
} from './scenario.ts'
import type { OperationFile, StepFile } from './schema.ts'

const quantiles = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999, max: 1 } as const
const sortable = new Set(['uuid', 'int', 'decimal', 'enum', 'words', 'email', 'timestamp'])
const comparable = new Set([...sortable, 'bool'])

type Path = (string | number)[]
interface Context {
  entities: Map<string, Entity>
  broken: Set<string>
  report: Report
}

/** undefined where the operation is so wrong that nothing can be derived; the reason was reported. */
export function resolveOperation(
  name: string,
  file: OperationFile,
  entities: Map<string, Entity>,
  broken: Set<string>,
  report: Report,
): Operation | undefined {
  const context: Context = { entities, broken, report }
  const path: Path = ['operations', name]
  if ('transaction' in file) {
    const steps = resolveSteps(file.transaction, [...path, 'transaction'], context)
    const first = steps[0]
    return first === undefined ? undefined : { ...commonOf(name, file, entities.get(first.entity) as Entity, first.pick), kind: 'transaction', steps }
  }
  const kind = (['get', 'list', 'search', 'aggregate', 'insert', 'put', 'update', 'delete'] as const).find((each) => each in file) as string
  const entity = lookUp((file as Record<string, unknown>)[kind] as string, [...path, kind], context)
  if (entity === undefined) return undefined
  if (file.rate === 0) report([...path, 'rate'], 'a rate of 0 never runs: remove the operation')
  const common = commonOf(name, file, entity, pickOf('pick' in file ? file.pick : undefined, entity, context))
  if ('get' in file)
    return {
      ...common,
      kind: 'get',
      with: ownedNames(file.with, entity, [...path, 'with'], context),
      fields: projection(file.fields, entity, [...path, 'fields'], report),
    }
  if ('list' in file) {
    return {
      ...common,
      kind: 'list',
      where: filters(file.where, entity, [...path, 'where'], report),
      order: totalOrder(file.order_by, entity, [...path, 'order_by'], report),
      limit: file.limit,
      fields: projection(file.fields, entity, [...path, 'fields'], report),
      deepShare: file.page === undefined || file.page === 'first' ? 0 : file.page === 'deep' ? 1 : file.page.deep,
    }
  }
  if ('search' in file) {
    for (const [index, field] of file.in.entries()) {
      if (known(field, entity, [...path, 'in', index], report)?.type !== 'words')
        report([...path, 'in', index], `only fields of type words can be searched, "${field}" is none`)
    }
    return { ...common, kind: 'search', in: file.in, limit: file.limit, fields: projection(file.fields, entity, [...path, 'fields'], report) }
  }
  if ('aggregate' in file) {
    const match = /^(?:(day|hour)\()?([a-z][a-z0-9_]*)\)?$/.exec(file.group_by ?? '')
    const groupBy = match === null ? null : { field: match[2] as string, unit: (match[1] as 'day' | 'hour' | undefined) ?? null }
    const group = groupBy === null ? undefined : known(groupBy.field, entity, [...path, 'group_by'], report)
    if (groupBy?.unit && group !== undefined && group.type !== 'timestamp')
      report([...path, 'group_by'], `${groupBy.unit}() takes a timestamp, "${groupBy.field}" is ${group.type}`)
    if (groupBy?.unit === null && group !== undefined && !comparable.has(group.type))
      report([...path, 'group_by'], `rows cannot be grouped by a field of type ${group.type}`)
    const sum = file.sum === undefined ? undefined : known(file.sum, entity, [...path, 'sum'], report)
    if (sum !== undefined && sum.type !== 'int' && sum.type !== 'decimal')
      report([...path, 'sum'], `"${file.sum}" is ${sum.type}: only int and decimal fields can be summed`)
    const window = groupBy?.unit ? group : entity.fields.find((field) => field.generator.kind === 'timestamp' && field.generator.withinMs !== null)
    if (file.over !== undefined && window === undefined) report([...path, 'over'], `"over" needs a timestamp field with "within" in ${entity.name}`)
    return {
      ...common,
      kind: 'aggregate',
      where: filters(file.where ?? {}, entity, [...path, 'where'], report),
      groupBy,
      sum: file.sum ?? null,
      over: file.over === undefined || window === undefined ? null : { field: window.name, ms: file.over },
    }
  }
  const write = resolveWrite(file, entity, path, [], context)
  return { ...common, ...write }
}

function resolveSteps(files: StepFile[], path: Path, context: Context): Step[] {
  const steps: Step[] = []
  for (const [index, file] of files.entries()) {
    const kind = (['insert', 'put', 'update', 'delete'] as const).find((each) => each in file) as string
    const entity = lookUp((file as Record<string, unknown>)[kind] as string, [...path, index, kind], context)
    if (entity === undefined) continue
    const pick = pickOf('pick' in file ? file.pick : undefined, entity, context)
    steps.push({ ...resolveWrite(file, entity, [...path, index], steps, context), entity: entity.name, pick })
  }
  return steps
}

type WriteFile = Extract<OperationFile, { insert: unknown } | { put: unknown } | { update: unknown } | { delete: unknown }> | StepFile

function resolveWrite(file: WriteFile, entity: Entity, path: Path, before: Step[], context: Context) {
  const { report } = context
  if (entity.owner !== null && !('update' in file))
    report(path, `rows of ${entity.name} are written with their owner: use "insert: ${entity.owner.entity}, with: [${entity.name}]"`)
  if ('insert' in file) return { kind: 'insert' as const, with: ownedNames(file.with, entity, [...path, 'with'], context) }
  if ('put' in file) {
    const { existing, new: fresh } = file.keys ?? { existing: 1, new: 0 }
    if (Math.abs(existing + fresh - 1) > 1e-9) report([...path, 'keys'], 'the shares of existing and new keys must add up to 100%')
    return { kind: 'put' as const, existingShare: existing }
  }
  if ('delete' in file) return { kind: 'delete' as const }
  const viaText = 'via' in file ? file.via : undefined
  const via = viaText === undefined ? null : resolveVia(viaText, entity, [...path, 'via'], before, context)
  const set = Object.entries(file.set ?? {}).flatMap(([field, to]) => assignment(field, to, entity, [...path, 'set', field], report) ?? [])
  const add = Object.entries(file.add ?? {}).flatMap(
    ([field, amount]) => addition(field, amount, via, entity, [...path, 'add', field], context) ?? [],
  )
  if (file.set === undefined && file.add === undefined) report(path, 'an update needs set or add')
  return { kind: 'update' as const, set, add, via: via ?? null }
}

function resolveVia(text: string, entity: Entity, path: Path, before: Step[], { entities, report }: Context): Update['via'] {
  const [owned = '', field = ''] = text.split('.')
  const inserted = before.flatMap((step) => (step.kind === 'insert' ? step.with : []))
  if (!inserted.includes(owned)) {
    report(path, `"via" follows owned rows that an earlier step inserts${suggestion(owned, inserted)}`)
    return null
  }
  const generator = known(field, entities.get(owned) as Entity, path, report)?.generator
  if (generator !== undefined && (generator.kind !== 'reference' || generator.entity !== entity.name))
    report(path, `"${text}" does not refer to ${entity.name}`)
  return { owned, field }
}

function assignment(name: string, to: Literal, entity: Entity, path: Path, report: Report): Assignment | undefined {
  const field = known(name, entity, path, report, true)
  if (field === undefined) return undefined
  if (entity.key.includes(name) || field.implicit) report(path, `"${name}" is part of the key and cannot be updated`, true)
  if (to === 'any') return { field: name, to: 'any' }
  if (to === 'now' && field.type === 'timestamp') return { field: name, to: 'now' }
  return { field: name, to: 'constant', constant: constantFor(field, to, path, report) }
}

function addition(
  name: string,
  amount: number | string,
  via: Update['via'],
  entity: Entity,
  path: Path,
  { entities, report }: Context,
): Addition | undefined {
  const field = known(name, entity, path, report, true)
  if (field === undefined) return undefined
  if (field.type !== 'int' && field.type !== 'decimal') report(path, `"${name}" is ${field.type}: only int and decimal fields can be added to`, true)
  if (entity.key.includes(name)) report(path, `"${name}" is part of the key and cannot be updated`, true)
  if (typeof amount === 'number') return { field: name, amount: amount * 10 ** field.scale, from: null }
  const [owned, from] = amount.replace(/^-/, '').split('.') as [string, string]
  if (via === null || owned !== via.owned) {
    report(path, `"${amount}" needs via: ${owned}.<reference to ${entity.name}> in the same step`)
    return undefined
  }
  const source = known(from, entities.get(owned) as Entity, path, report)
  if (source !== undefined && (source.type !== field.type || source.scale !== field.scale))
    report(path, `${owned}.${from} and ${entity.name}.${name} must have the same type and scale`)
  return { field: name, amount: amount.startsWith('-') ? -1 : 1, from }
}

function commonOf(name: string, file: OperationFile, entity: Entity, pick: Pick): OperationCommon {
  const objectives = (Object.keys(quantiles) as Objective['name'][]).flatMap((key): Objective[] => {
    const limitMs = file[key]
    return limitMs === undefined ? [] : [{ name: key, quantile: quantiles[key], limitMs }]
  })
  return {
    name,
    entity: entity.name,
    ratePerSecond: file.rate,
    scales: file.scales ?? true,
    loadGrowthPerMonth: file.load_growth ?? entity.growthPerMonth,
    consistency: file.consistency ?? 'strong',
    stalenessMs: file.staleness ?? null,
    objectives,
    errorShare: file.errors ?? 0.001,
    pick,
    native: file.native ?? {},
    internal: false,
  }
}

function lookUp(name: string, path: Path, { entities, broken, report }: Context): Entity | undefined {
  const entity = entities.get(name)
  if (entity === undefined && !broken.has(name)) report(path, `there is no entity "${name}"${suggestion(name, [...entities.keys()])}`)
  return entity
}

function known(name: string, entity: Entity, path: Path, report: Report, atKey = false): Field | undefined {
  const field = entity.fields.find((each) => each.name === name)
  if (field === undefined)
    report(
      path,
      `${entity.name} has no field "${name}"${suggestion(
        name,
        entity.fields.map((each) => each.name),
      )}`,
      atKey,
    )
  return field
}

function projection(names: string[] | undefined, entity: Entity, path: Path, report: Report): string[] {
  if (names === undefined) return entity.fields.filter((field) => !field.implicit || entity.key.includes(field.name)).map((field) => field.name)
  names.forEach((name, index) => {
    known(name, entity, [...path, index], report)
    if (names.indexOf(name) < index) report([...path, index], `"${name}" is listed twice`)
  })
  return names
}

function ownedNames(names: string[] | undefined, entity: Entity, path: Path, { entities, report }: Context): string[] {
  const owned = [...entities.values()].filter((each) => each.owner?.entity === entity.name).map((each) => each.name)
  for (const [index, name] of (names ?? []).entries()) {
    if (!owned.includes(name)) report([...path, index], `"${name}" is not owned by ${entity.name}${suggestion(name, owned)}`)
  }
  return (names ?? []).filter((name) => owned.includes(name))
}

function filters(where: Record<string, Literal>, entity: Entity, path: Path, report: Report): Filter[] {
  return Object.entries(where).flatMap(([name, value]): Filter[] => {
    const field = known(name, entity, [...path, name], report, true)
    if (field === undefined) return []
    if (!comparable.has(field.type)) report([...path, name], `rows cannot be filtered by a field of type ${field.type}`, true)
    return [{ field: name, constant: value === 'any' ? null : constantFor(field, value, [...path, name], report) }]
  })
}

/** A constant as the file says it: `{ value: any }` is the text any, which alone means something else. */
type Literal = Constant | { value: Constant }

/** Decimals become integers of their scale. */
function constantFor(field: Field, literal: Literal, path: Path, report: Report): Constant {
  const value = typeof literal === 'object' ? literal.value : literal
  const wrong = (expected: string) => report(path, `"${field.name}" is ${field.type}: expected ${expected}, not ${JSON.stringify(value)}`)
  switch (field.generator.kind) {
    case 'enum':
      if (!field.generator.values.includes(String(value)))
        report(path, `"${value}" is no value of "${field.name}"${suggestion(String(value), field.generator.values)}`)
      return String(value)
    case 'bool':
      if (typeof value !== 'boolean') wrong('true or false')
      return value
    case 'number': {
      if (typeof value !== 'number') wrong('a number')
      const scaled = Number(value) * 10 ** field.scale
      if (!Number.isInteger(Math.round(scaled * 1e6) / 1e6))
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

function totalOrder(text: string, entity: Entity, path: Path, report: Report): Order[] {
  const descending = text.startsWith('-')
  const name = descending ? text.slice(1) : text
  const field = known(name, entity, path, report)
  if (field !== undefined && !sortable.has(field.type)) report(path, `rows cannot be ordered by a field of type ${field.type}`)
  return [{ field: name, descending }, ...entity.key.filter((key) => key !== name).map((key) => ({ field: key, descending }))]
}

/** Default: the skew of the field that most references the entity, else uniform. */
function pickOf(file: { skew?: Pick['skew'] | undefined; miss?: number | undefined } | undefined, entity: Entity, { entities }: Context): Pick {
  const references = [...entities.values()].flatMap((each) =>
    each.fields.flatMap((field) =>
      field.generator.kind === 'reference' && field.generator.entity === entity.name ? [{ rows: each.count, skew: field.generator.skew }] : [],
    ),
  )
  references.sort((a, b) => b.rows - a.rows)
  return { skew: file?.skew ?? references[0]?.skew ?? { kind: 'uniform' }, miss: file?.miss ?? 0 }
}
