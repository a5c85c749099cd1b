/** Resolves one operation of the file against the entities: projections, total orders, picks, objectives. */
import { checkTwice } from './entities.ts'
import { known, lookUp, type OperationContext, ownedNames, pickOf } from './operation-context.ts'
import { choice, type Path } from './problems.ts'
import { resolveExpecting, resolveReadModifyWrite } from './read-modify-write.ts'
import {
  type Entity,
  hasDeepPages,
  isOptional,
  type List,
  type Objective,
  type Operation,
  type OperationCommon,
  type Order,
  type Pick,
  rangesOf,
} from './scenario.ts'
import { fileKinds, type OperationFile } from './schema.ts'
import { comparable, reach, resolveSelection, sortable } from './selection.ts'
import { resolveSteps, resolveWrite } from './writes.ts'

const quantiles = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999, max: 1 } as const

/** undefined where the operation is so wrong that nothing can be derived; the reason was reported. */
export function resolveOperation(name: string, file: OperationFile, context: OperationContext): Operation | undefined {
  const path: Path = ['operations', name]
  checkCommon(file, path, context)
  if ('transaction' in file) {
    const steps = resolveSteps(file.transaction, [...path, 'transaction'], context)
    const first = steps[0]
    return first === undefined
      ? undefined
      : { ...commonOf(name, file, context.entities.get(first.entity) as Entity, first.pick), kind: 'transaction', steps }
  }
  const kind = fileKinds.find((each) => Object.hasOwn(file, each)) as string
  const entity = lookUp((file as Record<string, unknown>)[kind] as string, [...path, kind], context)
  if (entity === undefined) return undefined
  const common = commonOf(name, file, entity, pickOf('pick' in file ? file.pick : undefined, entity, [...path, 'pick'], context))
  if ('get' in file)
    return {
      ...common,
      kind: 'get',
      with: ownedNames(file.with, entity, [...path, 'with'], context),
      fields: projection(file.fields, entity, [...path, 'fields'], context),
    }
  if ('list' in file) return resolveList(file, common, entity, path, context)
  if ('search' in file) return resolveSearch(file, common, entity, path, context)
  if ('aggregate' in file) return resolveAggregate(file, common, entity, path, context)
  if ('rank' in file) return resolveRank(file, common, entity, path, context)
  if ('read_modify_write' in file) return { ...common, ...resolveReadModifyWrite(file, entity, path, context) }
  if ('insert' in file && file.expects !== undefined) {
    const steps = resolveExpecting(file.expects, file, entity, path, context)
    return steps === undefined ? undefined : { ...common, ...steps }
  }
  return { ...common, ...resolveWrite(file, entity, path, [], context) }
}

type FileOf<Kind extends string> = Extract<OperationFile, Record<Kind, unknown>>

function resolveList(file: FileOf<'list'>, common: OperationCommon, entity: Entity, path: Path, context: OperationContext): Operation {
  const selection = resolveSelection(file.where, entity, [...path, 'where'], context)
  const deepShare = file.page === undefined || file.page === 'first' ? 0 : file.page === 'deep' ? 1 : file.page.deep
  const order = totalOrder(file.order_by, entity, [...path, 'order_by'], context)
  const fields = projection(file.fields, entity, [...path, 'fields'], context)
  const list: List = { kind: 'list', ...selection, order, limit: file.limit, fields, deepShare }
  if (deepShare > 0 && !hasDeepPages(entity, list))
    context.report(
      [...path, 'page'],
      `a deep page starts behind a value, and rows may have no "${order[0]?.field}": ask for { is: not null }, or for first pages alone`,
    )
  return { ...common, ...list }
}

function resolveSearch(file: FileOf<'search'>, common: OperationCommon, entity: Entity, path: Path, context: OperationContext): Operation {
  checkTwice(file.in, [...path, 'in'], context.report)
  for (const [index, name] of file.in.entries()) {
    const field = known(name, entity, [...path, 'in', index], context)
    if (field !== undefined && field.type !== 'words')
      context.report([...path, 'in', index], `only fields of type words can be searched, "${name}" is ${field.type}`)
    if (field?.optional !== undefined) context.report([...path, 'in', index], `"${name}" is optional: only what every row has can be searched`)
  }
  return { ...common, kind: 'search', in: file.in, limit: file.limit, fields: projection(file.fields, entity, [...path, 'fields'], context) }
}

function resolveAggregate(file: FileOf<'aggregate'>, common: OperationCommon, entity: Entity, path: Path, context: OperationContext): Operation {
  const { report } = context
  const match = /^(?:(day|hour)\()?([a-z][a-z0-9_]*)\)?$/.exec(file.group_by ?? '')
  const groupBy = match === null ? null : { field: match[2] as string, unit: (match[1] as 'day' | 'hour' | undefined) ?? null }
  const group = groupBy === null ? undefined : known(groupBy.field, entity, [...path, 'group_by'], context)
  if (groupBy?.unit && group !== undefined && group.type !== 'timestamp')
    report([...path, 'group_by'], `${groupBy.unit}() takes a timestamp, "${groupBy.field}" is ${group.type}`)
  if (groupBy?.unit === null && group !== undefined && !comparable.has(group.type))
    report([...path, 'group_by'], `rows cannot be grouped by a field of type ${group.type}`)
  const sum = file.sum === undefined ? undefined : known(file.sum, entity, [...path, 'sum'], context)
  if (sum !== undefined && sum.type !== 'int' && sum.type !== 'decimal')
    report([...path, 'sum'], `"${file.sum}" is ${sum.type}: only int and decimal fields can be summed`)
  const window = groupBy?.unit ? group : entity.fields.find((field) => field.generator.kind === 'timestamp' && field.generator.withinMs !== null)
  if (file.over !== undefined && window === undefined)
    report([...path, 'over'], `"over" needs a timestamp field with "within" in ${entity.name}`, { lacking: true })
  const selection = resolveSelection(file.where ?? {}, entity, [...path, 'where'], context)
  if (file.over !== undefined && selection.over != null) report([...path, 'over'], 'one window at most can be asked for, and "where" has one')
  const over = file.over === undefined || window === undefined ? null : { field: window.name, ms: reach(file.over, context) }
  return { ...common, kind: 'aggregate', ...selection, groupBy, sum: file.sum ?? null, over: over ?? selection.over ?? null }
}

/** The rows before a place are counted: those of the same values as a picked row, by equality alone. */
function resolveRank(file: FileOf<'rank'>, common: OperationCommon, entity: Entity, path: Path, context: OperationContext): Operation {
  const selection = resolveSelection(file.where ?? {}, entity, [...path, 'where'], context)
  if (rangesOf(selection).length > 0 || selection.among !== undefined)
    context.report([...path, 'where'], 'a rank is among rows that equal in some fields: use any, or a constant')
  if (selection.presence !== undefined) context.report([...path, 'where'], 'a rank is among rows that equal in some fields, whatever else they lack')
  const before = totalOrder(file.by, entity, [...path, 'by'], context)
  if (before.some(({ field }) => isOptional(entity, field)))
    context.report([...path, 'by'], 'rows without a value have no place: rank by a field that every row has')
  return { ...common, kind: 'aggregate', where: selection.where, groupBy: null, sum: null, over: null, before }
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
    loadGrowthPerMonth: file.load_growth ?? (file.scales === false ? 0 : entity.growthPerMonth),
    consistency: file.consistency ?? 'strong',
    stalenessMs: file.staleness ?? null,
    objectives,
    errorShare: file.errors ?? 0.001,
    pick,
    native: file.native ?? {},
    internal: false,
  }
}

/** What all kinds have in common. */
function checkCommon(file: OperationFile, path: Path, { engines, report }: OperationContext): void {
  if (file.rate === 0) report([...path, 'rate'], 'a rate of 0 never runs: remove the operation')
  let below: Objective['name'] | undefined
  for (const key of Object.keys(quantiles) as Objective['name'][]) {
    const [limitMs, least] = [file[key], below === undefined ? undefined : file[below]]
    if (limitMs === undefined) continue
    if (least !== undefined && limitMs < least) report([...path, key], `${key} cannot be below ${below}: fewer operations take longer`)
    else below = key
  }
  for (const engine of Object.keys(file.native ?? {}))
    if (engines.length > 0 && !engines.includes(engine))
      report([...path, 'native', engine], `there is no engine "${engine}"${choice(engine, engines)}`, { atKey: true })
}

function projection(names: string[] | undefined, entity: Entity, path: Path, context: OperationContext): string[] {
  if (names === undefined) return entity.fields.filter((field) => !field.implicit || entity.key.includes(field.name)).map((field) => field.name)
  for (const [index, name] of names.entries()) known(name, entity, [...path, index], context)
  checkTwice(names, path, context.report)
  return names
}

function totalOrder(text: string, entity: Entity, path: Path, context: OperationContext): Order[] {
  const descending = text.startsWith('-')
  const name = descending ? text.slice(1) : text
  const field = known(name, entity, path, context)
  if (field !== undefined && !sortable.has(field.type)) context.report(path, `rows cannot be ordered by a field of type ${field.type}`)
  return [{ field: name, descending }, ...entity.key.filter((key) => key !== name).map((key) => ({ field: key, descending }))]
}
