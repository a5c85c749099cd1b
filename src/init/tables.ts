/** Entities from tables: types, keys, references and owned tables; what does not fit is noted beside it. */
import type { DraftEntity, DraftField, DraftOperation } from './draft.ts'
import { growthOf, lifeOf, type Popularity, skewText } from './laws.ts'

/** A count must stand somewhere; the user knows it, a schema does not. */
const guessedCount = '100k'
/** Of a number whose range nobody states; `int` in the language is a safe integer. */
const widestWhole = 1_000_000

/** What a schema says of a column; beyond `references` also what a running server knows of its values. */
export interface Column {
  name: string
  type: string
  sizes: number[]
  /** All that there are; `share`: of the rows, null where nobody knows. */
  values: { value: string; share: number | null }[]
  unique: boolean
  references: string | undefined
  /** Of whole and decimal numbers. */
  range?: [number, number]
  /** Of times, in days before now: what lies ahead is below 0; of all but the most common values the middle of equal parts. */
  ages?: { oldest: number; newest: number; mean: number }
  averageBytes?: number
  /** Share of the rows that have no value, where it may be null. */
  nullShare?: number
  popularity?: Popularity
}
export interface Table {
  /** Its entity's. */
  name: string
  /** What statements call it; absent: as its entity is called. `schema` null: nobody says. */
  source?: { schema: string | null; name: string }
  columns: Column[]
  key: string[]
  /** null: a schema alone does not say. */
  rows: number | null
}

export const plainColumn = (name: string): Column => ({ name, type: '', sizes: [], values: [], unique: false, references: undefined })

export const entitiesOf = (tables: Table[], operations: DraftOperation[] = []): DraftEntity[] =>
  tables.map((table) => withOptional(entityOf(table, tables), table, operations))

/** Of fields that no operation needs a value of, in every row. */
function withOptional(entity: DraftEntity, table: Table, operations: DraftOperation[]): DraftEntity {
  const fields = entity.fields.map((field): DraftField => {
    const share = optionalShare(table.columns.find(({ name }) => name === field.name))
    if (share === null || /, (key|unique): true/.test(field.definition)) return field
    const needing = operations.find(({ definition }) => needsValue(definition, entity.name, field.name))
    if (needing === undefined) return { ...field, definition: `${field.definition}, optional: ${share}%` }
    return { ...field, note: `null in ${share} % of the rows, and ${needing.name} needs a value${field.note === undefined ? '' : `; ${field.note}`}` }
  })
  return { ...entity, fields }
}

/** In percent; null: as good as every row has a value, or as good as none. */
function optionalShare(column: Column | undefined): number | null {
  const share = Number(((column?.nullShare ?? 0) * 100).toPrecision(2))
  return share > 0 && share < 100 ? share : null
}

/** Whether an operation adds to a field, searches it, follows it, or has pages behind it. */
function needsValue(definition: string, entity: string, field: string): boolean {
  if (new RegExp(`: -?${entity}\\.${field}\\b`).test(definition)) return true
  const ways = [
    `update: ${entity},.*add: \\{[^}]*\\b${field}:`,
    `search: ${entity}, in: \\[[^\\]]*\\b${field}\\b`,
    `list: ${entity},.*order_by: -?${field},.*deep:`,
  ]
  return ways.some((way) => new RegExp(`\\b${way}`).test(definition))
}

/** The time at which its rows are no longer there for a reader: named so, and what lies ahead of it is how long they live. */
export const expiryOf = ({ columns }: Table) =>
  columns.find(({ name, ages }) => ages !== undefined && ages.newest < 0 && /^(expir(es?|y|ation)|valid_(until|to))(_|$)/.test(name))

/** The time at which its rows were made. */
const birthOf = ({ columns }: Table) =>
  columns.find(({ name, ages }) => ages !== undefined && /^(creat|insert|add|record|regist|occur|plac|post)[a-z]*(_|$)/.test(name))

/** The table whose rows this one's rows belong to: its key is the owner's and a whole number. */
export function ownerOf(table: Table, tables: Table[]): Table | undefined {
  const [first = '', second = ''] = table.key
  const owner = table.columns.find((column) => column.name === first)?.references
  const isLine = table.key.length === 2 && isWhole(table.columns.find((column) => column.name === second))
  return isLine ? tables.find((each) => each.name === owner && each.key.length === 1) : undefined
}

function entityOf(table: Table, tables: Table[]): DraftEntity {
  const owner = ownerOf(table, tables)
  const expiry = expiryOf(table)
  const fields = table.columns
    .filter((column) => column !== expiry)
    .map((column) => fieldOf(column, table, tables))
    .filter((field) => owner === undefined || !table.key.includes(field.name))
  const count = table.rows === null ? guessedCount : String(Math.max(1, Math.round(table.rows)))
  if (owner !== undefined)
    return {
      name: table.name,
      count,
      ownedBy: owner.name,
      ...(table.rows === null || owner.rows === null ? {} : { perOwner: Math.max(1, table.rows / Math.max(1, owner.rows)) }),
      fields: fields.length > 0 ? fields : [{ name: 'position', definition: 'type: int, range: [1, 100]', note: 'the table has no other column' }],
    }
  const flow = {
    ...(expiry?.ages === undefined ? {} : { ttl: { text: lifeOf(-expiry.ages.newest), note: `so far ahead lies ${expiry.name}` } }),
    ...growthFrom(birthOf(table)),
  }
  if (table.key.length === 1) return { name: table.name, count, ...flow, fields }
  const note =
    table.key.length === 0 ? 'the table has no primary key: one was added' : `the primary key was (${table.key.join(', ')}): one field must do here`
  const key = table.columns.some((column) => column.name === 'id') ? 'row_id' : 'id'
  return { name: table.name, count, note, ...flow, fields: [{ name: key, definition: 'type: uuid, key: true' }, ...fields] }
}

function growthFrom(birth: Column | undefined): Pick<DraftEntity, 'growth'> {
  const text = birth?.ages === undefined ? undefined : growthOf(birth.ages)
  return text === undefined ? {} : { growth: { text, note: `by the ages in ${birth?.name}, as if no row had been removed` } }
}

function fieldOf(column: Column, table: Table, tables: Table[]): DraftField {
  const { name } = column
  const isKey = table.key.length === 1 && table.key[0] === name
  if (column.references !== undefined && !isKey) {
    const referred = tables.find((each) => each.name === column.references && each.key.length === 1)
    if (referred !== undefined) return { name, definition: `ref: ${column.references}${skewText(column.popularity, referred.rows)}` }
    return {
      name,
      definition: `type: int, range: [1, ${widestWhole}]`,
      note: `refers to ${column.references}, which is not here or has no single key`,
    }
  }
  const { definition, note } = typeOf(column, isKey)
  return {
    name,
    definition: `${definition}${isKey ? ', key: true' : column.unique && /^type: (email|uuid)/.test(definition) ? ', unique: true' : ''}`,
    ...(note === undefined ? {} : { note }),
  }
}

function typeOf(column: Column, isKey: boolean): { definition: string; note?: string } {
  const { type, sizes, name, averageBytes } = column
  const values = sayable(column.values)
  if (isKey && !isWhole(column) && type !== 'uuid' && type !== 'uniqueidentifier')
    return { definition: 'type: uuid', note: `was ${type === '' ? 'untyped' : type}: a key is a uuid or a number here` }
  if (values.length > 0) return { definition: `type: enum, values: ${valuesText(values)}` }
  if (type === 'uuid' || type === 'uniqueidentifier') return { definition: 'type: uuid' }
  if (isWhole(column)) {
    const [low, high] = within(column.range, [0, type === 'smallint' || type === 'tinyint' ? 100 : widestWhole], 1)
    return { definition: isKey ? 'type: int' : `type: int, range: [${low}, ${high}]${skewText(column.popularity, high - low + 1)}` }
  }
  if (/^(numeric|decimal|money|real|float\d*|double|bignumeric)$/.test(type)) {
    const scale = Math.min(6, sizes[1] ?? (type === 'numeric' || type === 'decimal' ? 0 : 2))
    const largest = Math.min(widestWhole, 10 ** Math.max(1, (sizes[0] ?? 8) - scale) - 1)
    const [low, high] = within(column.range, [0, largest], 10 ** scale)
    return { definition: `type: decimal, range: [${low}, ${high}], scale: ${scale}` }
  }
  if (type === 'boolean' || type === 'bool') return { definition: 'type: bool' }
  if (/^(timestamp|timestamptz|datetime|date)$/.test(type))
    return { definition: `type: timestamp, within: ${column.ages === undefined ? '1y' : `${Math.max(1, Math.ceil(column.ages.oldest))}d`}` }
  if (type === 'json' || type === 'jsonb') return { definition: `type: json, size: ${bytesText(averageBytes ?? 300, 20)}` }
  if (/^(bytea|blob|longblob|mediumblob|binary|varbinary|bytes)$/.test(type))
    return { definition: `type: bytes, size: ${bytesText(averageBytes ?? sizes[0] ?? 300, 1)}` }
  if (/char|text|string|clob|citext/.test(type)) {
    if (/e_?mail/.test(name)) return { definition: 'type: email' }
    // A word and its blank take some eight bytes: half of what a column holds at most, or what it holds on average.
    const words = averageBytes === undefined ? Math.min(20, Math.round((sizes[0] ?? 80) / 16)) : Math.min(100, Math.round(averageBytes / 4) - 1)
    return { definition: `type: words, count: [1, ${Math.max(1, words)}]` }
  }
  return { definition: 'type: words, count: [1, 3]', note: `was ${type === '' ? 'untyped' : type}: the nearest there is` }
}

export const isWhole = (column: Column | undefined) =>
  column !== undefined && /^(int\d*|integer|bigint|smallint|tinyint|mediumint|serial\d*|bigserial|smallserial)$/.test(column.type)

/** Numbers are held in units of their last digit, as every engine holds them. */
const maxNumber = 2 ** 31 - 1

/** A range that can be held; `units`: of its last digit, in one. */
function within(seen: [number, number] | undefined, otherwise: [number, number], units: number): [number, number] {
  if (seen === undefined) return otherwise
  const [low, high] = seen.map((value) => Math.trunc(Math.max(-maxNumber, Math.min(maxNumber, value * units))) / units) as [number, number]
  return low < high ? [low, high] : otherwise
}

const maxValueLength = 60

/** Values that can be told apart where they stand; none where some cannot. */
function sayable(values: Column['values']): Column['values'] {
  const shown = values.map((each) => ({ ...each, value: each.value.slice(0, maxValueLength) })).filter(({ value }) => value !== '')
  return new Set(shown.map(({ value }) => value)).size === shown.length ? shown : []
}

/** With the weights that a server knows. */
const valuesText = (values: Column['values']) =>
  values.every(({ share }) => share !== null && share > 0)
    ? `{ ${values.map(({ value, share }) => `${JSON.stringify(value)}: ${Number(((share as number) * 100).toPrecision(3))}`).join(', ')} }`
    : `[${values.map(({ value }) => JSON.stringify(value)).join(', ')}]`

const bytesText = (bytes: number, min: number) => `${Math.max(min, Math.min(Math.round(bytes), 1e6))}B`
