/** Operations of a random scenario: every kind with every option over the entities there are. */
import type { Draws } from './draws.ts'
import { type Column, skewed, type Table } from './generate-entities.ts'

export type Text = Record<string, unknown>

const sortable = new Set(['uuid', 'int', 'decimal', 'enum', 'words', 'email', 'timestamp'])
const comparable = new Set([...sortable, 'bool'])
const operationNames = 'o1 o2 o3 o4 o5 o6 o7 o8 get list select update_ o9 constructor check_a total p1 p2'.split(' ')

export function makeOperations(draws: Draws, tables: Table[]): Record<string, Text> {
  const many = draws.int(3, 9)
  const operations: Record<string, Text> = {}
  for (const name of draws.shuffled(operationNames).slice(0, many)) operations[name] = { ...makeOperation(draws, tables), ...commonOf(draws) }
  return operations
}

function commonOf(draws: Draws): Text {
  return {
    rate: draws.one(['10/s', '0.2/s', '6/min', '40/h', '1/day']),
    ...(draws.chance(0.3) ? { p50: '500ms' } : {}),
    p99: '1s',
    ...(draws.chance(0.1) ? { errors: '1%' } : {}),
    ...(draws.chance(0.1) ? { scales: false } : {}),
    ...(draws.chance(0.2) ? { load_growth: '5%/month' } : {}),
  }
}

function readCommon(draws: Draws): Text {
  return {
    ...pickOf(draws),
    ...(draws.chance(0.3) ? { consistency: draws.one(['strong', 'session', 'eventual']) } : {}),
    ...(draws.chance(0.1) ? { staleness: '1m' } : {}),
  }
}

function pickOf(draws: Draws): Text {
  const pick = { ...skewed(draws), ...(draws.chance(0.2) ? { miss: draws.one(['1%', '50%']) } : {}) }
  return Object.keys(pick).length > 0 ? { pick } : {}
}

function makeOperation(draws: Draws, tables: Table[]): Text {
  const table = draws.one(tables)
  const kind = draws.weighted({
    get: 2,
    list: 6,
    search: 2,
    aggregate: 4,
    insert: 2,
    put: 2,
    rank: 2,
    update: 3,
    delete: 1,
    transaction: 3,
    read_modify_write: 2,
  })
  switch (kind) {
    case 'get':
      return { get: table.name, ...withOwned(draws, table, tables), ...projection(draws, table), ...readCommon(draws) }
    case 'list':
      return makeList(draws, table)
    case 'search': {
      const searched = draws.shuffled(table.columns.filter((each) => each.type === 'words' && !each.optional))
      if (searched.length === 0) return makeList(draws, table)
      const fields = searched.slice(0, draws.int(1, searched.length)).map((each) => each.name)
      return { search: table.name, in: fields, limit: draws.one([1, 20, 1000]), ...projection(draws, table), ...readCommon(draws) }
    }
    case 'aggregate':
      return makeAggregate(draws, table)
    case 'rank': {
      const order = draws.one(table.columns.filter((each) => sortable.has(each.type) && !each.optional))
      const where = draws.chance(0.5) ? { where: makeFilter(draws, table, 2) } : {}
      return { rank: table.name, by: `${draws.chance(0.5) ? '-' : ''}${order.name}`, ...where, ...readCommon(draws) }
    }
    case 'transaction':
      return { transaction: makeSteps(draws, tables) }
    case 'read_modify_write':
      return makeReadModifyWrite(draws, table.owner ?? table)
    case 'insert':
      return makeInsert(draws, table.owner ?? table, tables)
    default:
      return makeWrite(draws, table.owner !== null && kind !== 'update' ? table.owner : table, tables, kind)
  }
}

/** Ints that can count the writes of a row. */
const versionsOf = (table: Table) =>
  table.columns.filter((each) => each.type === 'int' && !each.key && !each.implicit && !each.unique && !each.optional && each.refersTo === null)

function makeReadModifyWrite(draws: Draws, table: Table): Text {
  const versions = draws.chance(0.6) ? versionsOf(table) : []
  const version = versions.length === 0 ? undefined : draws.one(versions).name
  const { [version ?? '']: _, ...set } = ((draws.chance(0.6) ? makeChange(draws, table, null)?.set : undefined) as Text | undefined) ?? {}
  const changed = table.columns.some((each) => !each.key && !each.implicit && each.name !== version)
  if (!changed) return { put: table.name, ...pickOf(draws) }
  const sets = Object.keys(set).length > 0 ? { set } : {}
  return { read_modify_write: table.name, ...(version === undefined ? { atomic: false } : { atomic: true, version }), ...sets, ...pickOf(draws) }
}

/** As often as not one that expects a version of a row that the new one refers to. */
function makeInsert(draws: Draws, table: Table, tables: Table[]): Text {
  const ways = table.columns.flatMap((each) => {
    const target = tables.find(({ name, owner }) => name === each.refersTo && owner === null)
    return target === undefined || each.optional ? [] : versionsOf(target).map((version) => `${each.name}.${version.name}`)
  })
  const expects = ways.length > 0 && draws.chance(0.5) ? { expects: draws.one(ways) } : {}
  return { ...makeWrite(draws, table, tables, 'insert'), ...expects }
}

function makeList(draws: Draws, table: Table): Text {
  const order = draws.one(table.columns.filter((each) => sortable.has(each.type)))
  const equal = makeFilter(draws, table, 3)
  const among = makeAmong(draws, table, equal)
  const ranges = makeRanges(draws, table, { ...equal, ...among }, order)
  const presence = makePresence(draws, table, { ...equal, ...among, ...ranges })
  const where = { ...equal, ...among, ...ranges, ...presence }
  const isDeep = !order.optional || (order.name in where && JSON.stringify(where[order.name]) !== '{"is":null}')
  return {
    list: table.name,
    where,
    order_by: `${draws.chance(0.5) ? '-' : ''}${order.name}`,
    limit: draws.one([1, 3, 20, 100, 1000]),
    ...projection(draws, table),
    ...(draws.chance(0.5) ? { page: isDeep ? draws.one(['first', 'deep', { deep: '20%' }]) : 'first' } : {}),
    ...readCommon(draws),
  }
}

/** Constants, of which a row has one or none, of fields that are not filtered yet. */
function makeAmong(draws: Draws, table: Table, taken: Text): Text {
  const able = draws.shuffled(table.columns.filter((each) => each.constants.length > 1 && !(each.name in taken)))
  const chosen = able.slice(0, draws.weighted({ 0: 15, 1: 4, 2: 1 }) as unknown as number)
  return Object.fromEntries(chosen.flatMap((column) => makeConstants(draws, column).map((condition) => [column.name, condition])))
}

function makeConstants(draws: Draws, { type, constants: known }: Column): Text[] {
  const constants = [...new Set(draws.shuffled(known))]
  if (constants.length < 2) return []
  const kind = draws.one(['in', 'in', 'not', 'not_in'] as const)
  if (kind === 'not') return [{ not: constants[0] }]
  // One of all values must be left.
  const most = kind === 'not_in' && (type === 'enum' || type === 'bool') ? constants.length - 1 : 5
  return most < 2 ? [] : [{ [kind]: constants.slice(0, draws.int(2, most)) }]
}

/** Whether there is a value of a field that is not filtered yet. */
function makePresence(draws: Draws, table: Table, taken: Text): Text | undefined {
  const able = table.columns.filter((each) => each.optional && !(each.name in taken))
  return able.length === 0 || !draws.chance(0.3) ? undefined : { [draws.one(able).name]: { is: draws.one([null, 'not null']) } }
}

/** Ranges of fields that are not filtered yet, as often as not of the order. */
function makeRanges(draws: Draws, table: Table, taken: Text, order?: Column): Text {
  const isTime = (each: Column) => each.type === 'timestamp' && !each.implicit
  const isNumber = (each: Column) => (each.type === 'int' || each.type === 'decimal') && each.constants.length > 0 && !each.key && !each.implicit
  const isText = (each: Column) => (each.type === 'words' || each.type === 'email') && each.refersTo === null
  const able = draws.shuffled(table.columns.filter((each) => !(each.name in taken) && (isTime(each) || isNumber(each) || isText(each))))
  if (order !== undefined && able.includes(order) && draws.chance(0.5)) able.unshift(...able.splice(able.indexOf(order), 1))
  const many = draws.weighted({ 0: 6, 1: 3, 2: 1 }) as unknown as number
  const chosen = able.slice(0, many).filter((each, at, all) => !isTime(each) || all.findIndex(isTime) === at)
  return Object.assign({}, ...chosen.map((column) => makeRange(draws, column)))
}

function makeRange(draws: Draws, column: Column): Text {
  if (column.type === 'words' || column.type === 'email') return { [column.name]: { prefix: draws.one([1, 2, 3, 7, 20]) } }
  if (column.type === 'timestamp') return { [column.name]: { last: draws.one(['1h', '10d', '2y', '500y']) } }
  const ends = draws.shuffled(column.constants.map(Number)).slice(0, 2)
  const [low, high] = [Math.min(...ends), Math.max(...ends)]
  const lower = { [draws.one(['gte', 'gt'])]: low }
  const upper = { [draws.one(['lt', 'lte'])]: high }
  // Bounds between which no number lies are refused.
  return { [column.name]: high - low > 1 ? draws.one([lower, upper, { ...lower, ...upper }]) : draws.one([lower, upper]) }
}

function makeAggregate(draws: Draws, table: Table): Text {
  const groups = table.columns.filter((each) => comparable.has(each.type))
  const group = draws.chance(0.6) ? draws.one(groups) : undefined
  const unit = group?.type === 'timestamp' && draws.chance(0.7) ? draws.one(['day', 'hour']) : undefined
  const summed = table.columns.filter((each) => each.type === 'int' || each.type === 'decimal')
  const windowed = unit !== undefined || table.columns.some((each) => each.aged)
  const equal = draws.chance(0.5) ? makeFilter(draws, table, 2) : {}
  const among = makeAmong(draws, table, equal)
  const ranges = makeRanges(draws, table, { ...equal, ...among })
  const where = { ...equal, ...among, ...ranges, ...makePresence(draws, table, { ...equal, ...among, ...ranges }) }
  const hasWindow = table.columns.some((each) => each.type === 'timestamp' && each.name in ranges)
  return {
    aggregate: table.name,
    ...(Object.keys(where).length > 0 ? { where } : {}),
    ...(group === undefined ? {} : { group_by: unit === undefined ? group.name : `${unit}(${group.name})` }),
    ...(summed.length > 0 && draws.chance(0.6) ? { sum: draws.one(summed).name } : {}),
    ...(windowed && !hasWindow && draws.chance(0.5) ? { over: draws.one(['1h', '10d', '2y', '500y']) } : {}),
    ...readCommon(draws),
  }
}

function makeFilter(draws: Draws, table: Table, most: number): Text {
  const fields = draws.shuffled(table.columns.filter((each) => comparable.has(each.type))).slice(0, draws.int(0, most))
  return Object.fromEntries(fields.map((each) => [each.name, constantOr(draws, each, 0.4)]))
}

/** A constant of the field, or `any`. */
function constantOr(draws: Draws, column: Column, probability: number): unknown {
  if (column.constants.length === 0 || !draws.chance(probability)) return 'any'
  const constant = draws.one(column.constants)
  return constant === 'any' ? { value: constant } : constant
}

function projection(draws: Draws, table: Table): Text {
  if (draws.chance(0.6)) return {}
  const fields = draws.shuffled(table.columns).slice(0, draws.int(1, table.columns.length))
  return { fields: fields.map((each) => each.name) }
}

function withOwned(draws: Draws, table: Table, tables: Table[]): Text {
  const owned = draws.shuffled(
    draws.some(
      tables.filter((each) => each.owner === table).map((each) => each.name),
      0.7,
    ),
  )
  return owned.length > 0 ? { with: owned } : {}
}

function makeWrite(draws: Draws, table: Table, tables: Table[], kind: 'insert' | 'put' | 'update' | 'delete'): Text {
  switch (kind) {
    case 'insert':
      return { insert: table.name, ...withOwned(draws, table, tables), ...beginningOf(draws, table) }
    case 'put':
      return {
        put: table.name,
        ...(draws.chance(0.7)
          ? {
              keys: draws.one([
                { existing: '80%', new: '20%' },
                { existing: '0%', new: '100%' },
              ]),
            }
          : {}),
        ...pickOf(draws),
      }
    case 'delete':
      return { delete: table.name, ...pickOf(draws) }
    case 'update': {
      if (table.ttl && draws.chance(0.3)) return { touch: table.name, ...pickOf(draws) }
      const change = makeChange(draws, table, null)
      return change === undefined
        ? { put: (table.owner ?? table).name, ...pickOf(draws) }
        : { update: table.name, ...change, ...guardOf(draws, table), ...pickOf(draws) }
    }
  }
}

/** A condition on the row that is updated. */
function guardOf(draws: Draws, table: Table): Text {
  const able = table.columns.filter(
    (each) => beginnings.has(each.type) && each.constants.length > 0 && !each.key && !each.implicit && each.refersTo === null,
  )
  const emptied = table.columns.filter((each) => each.optional)
  if (emptied.length > 0 && draws.chance(0.3)) return { if: { [draws.one(emptied).name]: { is: null } } }
  if (able.length === 0 || !draws.chance(0.4)) return {}
  const field = draws.one(able)
  const isNumber = field.type === 'int' || field.type === 'decimal'
  return { if: { [field.name]: { [isNumber ? draws.one(['gte', 'gt', 'lte', 'lt', 'equals']) : 'equals']: constantOr(draws, field, 1) } } }
}

const beginnings = new Set(['int', 'decimal', 'bool', 'enum', 'words'])

/** Constants that new rows begin with. */
function beginningOf(draws: Draws, table: Table): Text {
  const able = table.columns.filter(
    (each) =>
      each.optional ||
      (beginnings.has(each.type) && each.constants.length > 0 && !each.key && !each.implicit && !each.unique && each.refersTo === null),
  )
  const value = (each: Column) =>
    each.optional && (!beginnings.has(each.type) || each.constants.length === 0 || each.refersTo !== null || draws.chance(0.5))
      ? null
      : constantOr(draws, each, 1)
  const fields = draws.chance(0.4) ? draws.shuffled(able).slice(0, draws.int(1, 2)) : []
  return fields.length === 0 ? {} : { set: Object.fromEntries(fields.map((each) => [each.name, value(each)])) }
}

/** `set` and `add` of different fields; undefined where the entity has none. `lines`: the owned rows whose fields may be added. */
function makeChange(draws: Draws, table: Table, lines: Table | null): Text | undefined {
  const fields = draws.shuffled(table.columns.filter((each) => !each.key && !each.implicit)).slice(0, draws.int(1, 3))
  const set: Text = {}
  const add: Text = {}
  for (const field of fields) {
    if (field.optional && draws.chance(0.4)) set[field.name] = null
    else if ((field.type === 'int' || field.type === 'decimal') && field.refersTo === null && !field.optional && draws.chance(0.5)) {
      const sources =
        lines?.columns.filter(
          (each) => each.type === field.type && each.scale === field.scale && !each.key && !each.optional && each.refersTo === null,
        ) ?? []
      add[field.name] = sources.length > 0 ? `${draws.chance(0.5) ? '-' : ''}${lines?.name}.${draws.one(sources).name}` : draws.one([1, -5, 1000])
    } else if (lines !== null) {
      // One value for all rows that the owned rows refer to.
      if (!field.unique) set[field.name] = field.type === 'timestamp' && draws.chance(0.5) ? 'now' : constantOr(draws, field, 0.7)
    } else set[field.name] = field.type === 'timestamp' && draws.chance(0.5) ? 'now' : constantOr(draws, field, 0.5)
  }
  const change = { ...(Object.keys(set).length > 0 ? { set } : {}), ...(Object.keys(add).length > 0 ? { add } : {}) }
  return Object.keys(change).length > 0 ? change : undefined
}

function makeSteps(draws: Draws, tables: Table[]): Text[] {
  const many = draws.int(1, 4)
  const steps: Text[] = []
  while (steps.length < many) {
    const followed = draws.chance(0.4) ? makeVia(draws, tables) : undefined
    // Whose rows `via` follows must be clear.
    if (followed !== undefined && !steps.some((step) => [step.with].flat().includes([followed[0]?.with].flat()[0]))) {
      steps.push(...followed)
      continue
    }
    const kind = draws.weighted({ insert: 2, put: 1, update: 4, delete: 1 })
    const table = draws.one(kind === 'update' ? tables : tables.filter((each) => each.owner === null))
    steps.push(makeWrite(draws, table, tables, kind))
  }
  return steps
}

/** An insert with owned rows, and an update of the rows that these refer to. */
function makeVia(draws: Draws, tables: Table[]): Text[] | undefined {
  const ways = tables.flatMap((owned) =>
    owned.owner === null
      ? []
      : owned.columns.flatMap((each) => (each.refersTo === null || each.optional ? [] : [{ owned, owner: owned.owner as Table, reference: each }])),
  )
  if (ways.length === 0) return undefined
  const { owned, owner, reference } = draws.one(ways)
  const target = tables.find((each) => each.name === reference.refersTo) as Table
  const change = makeChange(draws, target, owned)
  if (change === undefined) return undefined
  return [
    { insert: owner.name, with: [owned.name] },
    { update: target.name, via: `${owned.name}.${reference.name}`, ...change, ...guardOfTargets(draws, target, owned) },
  ]
}

/** A condition on each of the rows: compared with what the owned rows that lead to it have together, or with a constant. */
function guardOfTargets(draws: Draws, target: Table, lines: Table): Text {
  const isNumber = (each: Column) => (each.type === 'int' || each.type === 'decimal') && !each.key && !each.implicit && each.refersTo === null
  const ways = target.columns
    .filter(isNumber)
    .flatMap((field) =>
      lines.columns
        .filter((each) => isNumber(each) && !each.optional && each.type === field.type && each.scale === field.scale)
        .map((source) => ({ field, source })),
    )
  if (ways.length === 0 || draws.chance(0.4)) return guardOf(draws, target)
  const { field, source } = draws.one(ways)
  return { if: { [field.name]: { [draws.one(['gte', 'gt', 'lte', 'lt'])]: `${draws.chance(0.5) ? '-' : ''}${lines.name}.${source.name}` } } }
}
