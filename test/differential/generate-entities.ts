/** Entities of a random scenario: keys, owned rows, references in circles, every type at its edges, names that mean something elsewhere. */
import type { Draws } from './draws.ts'

export interface Column {
  name: string
  type: string
  /** Digits after the point. */
  scale: number
  /** Constants that the language takes for it; none: only `any`. */
  constants: (string | number | boolean)[]
  refersTo: string | null
  key: boolean
  unique: boolean
  implicit: boolean
  /** Some rows have no value. */
  optional: boolean
  /** A timestamp with `within`. */
  aged: boolean
}
export interface Table {
  name: string
  columns: Column[]
  owner: Table | null
  ttl: boolean
  /** As the scenario says it. */
  text: Record<string, unknown>
}

/** Words of SQL, CQL, query languages and of the harness itself; and names that share a beginning or an end with others. */
const awkward =
  'select from where order group table index user key value line token bucket xmin ctid tableoid oid constructor set get size null true false now any deep after limit primary default all values timestamp uuid json text batch keyspace ttl writetime type owner data count sum day hour desc begin end then length name n v k at by in l_q e_id id rows lines row fields expires'.split(
    ' ',
  )
const alike = 'a ab abc a_b ab_c a_b_c b b_c c e e_a e_b a_id b_id a_line'.split(' ')
const plain = 'status amount title note owner_id created_at score kind price stock body'.split(' ')
const long = (tail: string) => `${'x'.repeat(40 - tail.length)}${tail}`

function names(draws: Draws, many: number, taken: Set<string>): string[] {
  const found: string[] = []
  while (found.length < many) {
    const pool = draws.weighted({ plain: 4, alike: 4, awkward: 3, long: 1 })
    const name = pool === 'long' ? long(`${draws.int(0, 99)}`) : draws.one({ plain, alike, awkward }[pool])
    if (taken.has(name)) continue
    taken.add(name)
    found.push(name)
  }
  return found
}

export function makeTables(draws: Draws, epochMs: number): Table[] {
  const own = names(draws, draws.int(1, 3), new Set())
  const owners = own.map((name): Table => ({ name, columns: [], owner: null, ttl: draws.chance(0.25), text: {} }))
  const taken = new Set(own)
  const owned = owners.flatMap((owner) =>
    draws.chance(0.4) ? names(draws, draws.int(1, 2), taken).map((name): Table => ({ name, columns: [], owner, ttl: false, text: {} })) : [],
  )
  const tables = draws.shuffled([...owners, ...owned])
  for (const table of owners) fillKey(draws, table, epochMs)
  for (const table of tables) fill(draws, table, owners, epochMs)
  return tables
}

const column = (name: string, type: string, more: Partial<Column> = {}): Column => ({
  name,
  type,
  scale: 0,
  constants: [],
  refersTo: null,
  key: false,
  unique: false,
  implicit: false,
  optional: false,
  aged: false,
  ...more,
})

function fillKey(draws: Draws, table: Table, epochMs: number): void {
  const name = draws.chance(0.6) ? 'id' : (names(draws, 1, new Set(['expires_at']))[0] as string)
  const type = draws.chance(0.6) ? 'uuid' : 'int'
  table.columns.push(column(name, type, { key: true }))
  // A version 7 key holds the moment of its row, which must not lie before 1970.
  const v7 = type === 'uuid' && epochMs > Date.parse('1990-01-01') && draws.chance(0.3)
  table.text.fields = { [name]: { type, key: true, ...(v7 ? { version: 'v7' } : {}) } }
}

function fill(draws: Draws, table: Table, owners: Table[], epochMs: number): void {
  const key = (table.owner ?? table).columns[0] as Column
  const taken = new Set(['expires_at', 'line', key.name])
  if (table.owner !== null) {
    taken.add(`${table.owner.name}_${key.name}`)
    table.columns.push(
      column(`${table.owner.name}_${key.name}`, key.type, { key: true, implicit: true }),
      column('line', 'int', { key: true, implicit: true }),
    )
  } else taken.delete('line')
  const fields = (table.text.fields ?? {}) as Record<string, unknown>
  const pii = draws.chance(0.2) ? { pii: true } : {}
  const many = table.owner === null && draws.chance(0.08) ? 0 : draws.int(1, 7)
  for (const name of names(draws, many, taken)) {
    const { text, ...made } = makeField(draws, table, owners, epochMs)
    const optional = made.unique !== true && draws.chance(0.25)
    table.columns.push(column(name, made.type, { ...made, optional }))
    fields[name] = { ...text, ...pii, ...(optional ? { optional: draws.one(['20%', '50%', '95%']) } : {}) }
  }
  if (table.ttl) table.columns.push(column('expires_at', 'timestamp', { implicit: true }))
  table.text = { ...extentOf(draws, table), fields }
}

function extentOf(draws: Draws, table: Table): Record<string, unknown> {
  if (table.owner !== null)
    return {
      owned_by: table.owner.name,
      per_owner: draws.one([
        { range: [0, 0] },
        { range: [1, 1] },
        { range: [0, 3] },
        { range: [1, 6], mean: 2.5 },
        { range: [0, 1000], mean: 3 },
        { range: [12, 12] },
      ]),
    }
  return {
    count: draws.one([1, 2, 10, 60, 120, 250]),
    ...(draws.chance(0.3) ? { growth: draws.one(['3%/month', '20%/year', '30%/month']) } : {}),
    ...(table.ttl ? { ttl: draws.one(['2s', '1h', '30d', '25y']) } : {}),
    ...(draws.chance(0.2) ? { retention: draws.one(['30d', '2y']) } : {}),
  }
}

type Made = Partial<Column> & { type: string; text: Record<string, unknown> }

const texts = [
  'x',
  'now',
  'any',
  "it's",
  'a"b',
  'back\\slash',
  'a,b',
  '$1',
  '%s',
  ':x',
  'é',
  '😀',
  '～',
  ' ',
  'new\nline',
  'true',
  '1',
  'null',
  '{a}',
  '__proto__',
]
const largest = 2 ** 31 - 1

function makeField(draws: Draws, table: Table, owners: Table[], epochMs: number): Made {
  const kind = draws.weighted({ int: 5, decimal: 3, enum: 3, bool: 1, words: 2, email: 1, timestamp: 2, uuid: 1, json: 1, bytes: 1, ref: 4 })
  switch (kind) {
    case 'ref': {
      const target = draws.one(owners)
      return { type: target.columns[0]?.type as string, refersTo: target.name, text: { ref: target.name, ...skewed(draws) } }
    }
    case 'int': {
      const range = draws.one([
        [0, 9],
        [1, 4],
        [3, 3],
        [-5, 5],
        [0, largest],
        [-largest, largest],
        [largest - 9, largest],
        [0, 1],
        [-largest, -largest],
      ])
      const shape = draws.one([skewed(draws), draws.chance(0.5) ? { mean: range[0] } : {}])
      return { type: kind, constants: [...range, ...(draws.chance(0.3) ? [2] : [])], text: { type: kind, range, ...shape } }
    }
    case 'decimal': {
      const scale = draws.int(0, 6)
      const most = Math.floor(largest / 10 ** scale)
      const range = draws.one([
        [0, 9],
        [-1, 2],
        [-most, most],
        [most, most],
        [-5, -5],
        [0, most],
      ])
      const constants = [...range, ...(scale > 0 ? [0.5, -0.1] : [])]
      return { type: kind, scale, constants, text: { type: kind, range, scale, ...(draws.chance(0.2) ? { mean: range[0] } : {}) } }
    }
    case 'enum': {
      const values = draws.shuffled(texts).slice(0, draws.int(1, 4))
      const weighted = Object.fromEntries(values.filter((value) => value !== '__proto__').map((value) => [value, draws.int(1, 50)]))
      const byWeight = draws.chance(0.5) && Object.keys(weighted).length === values.length
      return { type: kind, constants: values, text: { type: kind, values: byWeight ? weighted : values } }
    }
    case 'bool':
      return { type: kind, constants: [true, false], text: { type: kind, ...(draws.chance(0.5) ? { share: draws.one(['0%', '100%', '30%']) } : {}) } }
    case 'words':
      return {
        type: kind,
        constants: ['balo', 'balo stru'],
        text: {
          type: kind,
          count: draws.one([
            [1, 1],
            [1, 3],
            [2, 6],
            [40, 40],
          ]),
        },
      }
    case 'email':
    case 'uuid': {
      const unique = draws.chance(0.4)
      return { type: kind, unique, text: { type: kind, ...(unique ? { unique } : {}) } }
    }
    case 'timestamp': {
      const v7 = JSON.stringify((table.owner ?? table).text).includes('"v7"')
      const within = draws.chance(0.6) ? draws.one(['2h', '30d', '3y', ...(v7 || epochMs < Date.parse('1999-01-01') ? [] : ['100y'])]) : undefined
      return { type: kind, aged: within !== undefined, text: { type: kind, ...(within === undefined ? {} : { within }) } }
    }
    default:
      return {
        type: kind,
        text: { type: kind, size: draws.one(['20B', '300B', '3kB']), ...(draws.chance(0.3) ? { compressibility: draws.one([0, 1, 0.9]) } : {}) },
      }
  }
}

export function skewed(draws: Draws): Record<string, unknown> {
  return draws.chance(0.4) ? { skew: draws.one(['uniform', 'zipfian(0.99)', 'zipfian(3)', 'latest(0.9)', 'hotspot(10%, 90%)']) } : {}
}
