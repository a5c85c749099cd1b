/** The indexes of the relational family: none that another one, the key or a constraint gives already, none that means something else. */
import { expect, test } from 'vitest'
import { postgres } from '../../../src/engines/postgres/index.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import type { Index } from '../../../src/families/model.ts'
import { scenarioFor } from './shapes.ts'

const scenarioOf = scenarioFor('postgres')

const ticket = `{ ticket: { count: 100k, fields: { id: {type: uuid, key: true}, tenant: {type: int, range: [1, 50]}, team: {type: int, range: [1, 50]},
  email: {type: email, unique: true}, status: {type: enum, values: {open: 44, closed: 44, spam: 5, lost: 4, odd: 3}}, title: {type: words, count: [1, 3]}, text: {type: words, count: [1, 9]}, points: {type: int, range: [0, 9]},
  wide: {type: words, count: [90, 100]}, wider: {type: words, count: [90, 100]}, widest: {type: words, count: [90, 100]}, at: {type: timestamp, within: 1y} } } }`

const shown = (index: Index) =>
  `${index.unique ? 'unique ' : ''}${index.kind === 'text' ? 'text ' : ''}${index.columns.map((column) => `${column.field}${column.descending ? '-' : ''}`).join(' ')}${index.include.length > 0 ? ` + ${index.include.join(' ')}` : ''}${index.where.length > 0 ? ` where ${index.where.map((each) => `${each.field}=${each.constant}`).join(' ')}` : ''}`

function indexesOf(operations: Record<string, string>, entities = ticket): string[] {
  const scenario = scenarioOf(entities, operations)
  const [store] = deriveModel(postgres, scenario).stores
  return (store?.indexes ?? []).map(shown).filter((text) => text !== 'unique email')
}

const indexUsed = (operations: Record<string, string>) =>
  deriveModel(postgres, scenarioOf(ticket, operations)).accesses.map((access) => access.steps[0]?.index)

test('one index is read in both directions', () => {
  expect(
    indexesOf({
      newest: 'list: ticket, where: { tenant: any }, order_by: -at, limit: 20',
      oldest: 'list: ticket, where: { tenant: any }, order_by: at, limit: 20',
      span: 'aggregate: ticket, where: { tenant: any }, over: 30d',
    }),
  ).toEqual(['tenant at- id-'])
})

test('columns that are compared for equality stand in the order that serves most', () => {
  expect(
    indexesOf({
      both: 'list: ticket, where: { tenant: any, team: any }, order_by: -at, limit: 20',
      turned: 'list: ticket, where: { team: any, tenant: any }, order_by: at, limit: 20',
      of_team: 'aggregate: ticket, where: { team: any }',
    }),
  ).toEqual(['team tenant at- id-'])
})

test('an aggregate groups behind the equality, where another index has the column or it never changes', () => {
  const board = 'aggregate: ticket, where: { tenant: any }, group_by: status'
  expect(indexesOf({ board })).toEqual(['tenant status'])
  expect(indexesOf({ board, move: 'update: ticket, set: { status: any }' })).toEqual(['tenant'])
  expect(
    indexesOf({
      board,
      move: 'update: ticket, set: { status: any }',
      mine: 'list: ticket, where: { status: any, tenant: any }, order_by: -at, limit: 20',
    }),
  ).toEqual(['tenant status at- id-'])
})

test('several constants of one field share an index that starts with their column, rare ones have an index of their own rows each', () => {
  const list = (status: string, order = '-at') => `list: ticket, where: { tenant: any, status: ${status} }, order_by: ${order}, limit: 20`
  expect(indexesOf({ open: list('open'), closed: list('closed'), old: list('open', 'at') })).toEqual(['status tenant at- id-'])
  expect(indexesOf({ spam: list('spam'), lost: list('lost', 'at') })).toEqual(['tenant at- id- where status=spam', 'tenant at id where status=lost'])
  expect(indexUsed({ spam: list('spam'), lost: list('lost') })).toEqual(['ticket_tenant_at_id_spam', 'ticket_tenant_at_id_lost'])
  // Together they are no longer rare: one index of all rows is read and kept sooner than three.
  expect(indexesOf({ spam: list('spam'), lost: list('lost'), odd: list('odd') })).toEqual(['status tenant at- id-'])
  expect(indexesOf({ spam: list('spam'), open: list('open') })).toEqual(['status tenant at- id-'])
  expect(indexesOf({ spam: list('spam'), old_spam: list('spam', 'at') })).toEqual(['tenant at- id- where status=spam'])
  expect(indexesOf({ queue: 'list: ticket, where: { status: spam }, order_by: id, limit: 9' })).toEqual(['id where status=spam'])
  expect(indexesOf({ rare: 'aggregate: ticket, where: { status: spam }' })).toEqual(['status where status=spam'])
  expect(indexesOf({ half: 'aggregate: ticket, where: { status: open }' })).toEqual([])
})

test('the primary key and unique fields need no second index', () => {
  const operations = {
    by_key: 'list: ticket, where: { id: any, tenant: any }, order_by: at, limit: 20',
    all: 'list: ticket, where: {}, order_by: -id, limit: 20',
    of_email: 'list: ticket, where: { email: any }, order_by: at, limit: 20',
    by_email: 'list: ticket, where: {}, order_by: -email, limit: 20',
  }
  expect(indexesOf(operations)).toEqual([])
  expect(indexUsed(operations)).toEqual(['primary key', 'primary key', 'ticket_email', 'ticket_email'])
})

test('lines are found by the key of their owner', () => {
  const entities = `{ e: { count: 100, fields: { id: {type: uuid, key: true} } }, l: { owned_by: e, per_owner: { range: [0, 9] }, fields: { n: {type: int, range: [0, 9]} } } }`
  const scenario = scenarioOf(entities, {
    lines: 'list: l, where: { e_id: any }, order_by: -line, limit: 20',
    big: 'list: l, where: { e_id: any, n: any }, order_by: line, limit: 20',
    owners: 'aggregate: l, where: { e_id: any }, sum: n',
  })
  const { stores, accesses } = deriveModel(postgres, scenario)
  expect(stores[1]?.indexes).toEqual([])
  expect(accesses.map((access) => access.steps[0]?.index)).toEqual(['primary key', 'primary key', 'primary key'])
})

test('a search in one field has an index of its own beside that in two; the order of the fields means nothing', () => {
  expect(
    indexesOf({
      both: 'search: ticket, in: [title, text], limit: 5',
      turned: 'search: ticket, in: [text, title], limit: 9',
      one: 'search: ticket, in: [title], limit: 5',
    }),
  ).toEqual(['text title text', 'text title'])
})

test('columns that an entry cannot hold are left out', () => {
  const all = 'list: ticket, where: { wide: any, wider: any, widest: any }, order_by: at, limit: 5'
  expect(indexesOf({ all })).toEqual(['wide wider'])
  expect(indexesOf({ all }).join()).not.toContain('widest')
})

test('names are within 63 bytes, the same every time, and unique over tables, keys and indexes', () => {
  const long = 'a'.repeat(36)
  const entities = `{ e: { count: 100, fields: { id: {type: uuid, key: true}, ${[1, 2].map((n) => `${long}${n}: {type: int, range: [0, 9]}`).join(', ')}, a: {type: int, range: [0, 9]}, b_id: {type: int, range: [0, 9]}, a_b: {type: int, range: [0, 9]} } },
    e_a_id: { count: 100, fields: { id: {type: uuid, key: true}, f: { ref: e } } }, e_pkey: { count: 100, fields: { id: {type: uuid, key: true} } } }`
  const scenario = scenarioOf(entities, {
    one: `list: e, where: { ${long}1: any }, order_by: ${long}2, limit: 5`,
    two: `list: e, where: { ${long}2: any }, order_by: ${long}1, limit: 5`,
    three: 'list: e, where: { a: any }, order_by: id, limit: 5',
    four: 'list: e, where: { a: any }, order_by: b_id, limit: 5',
    five: 'list: e, where: { a_b: any }, order_by: id, limit: 5',
  })
  const ddl = () => postgres.compile(deriveModel(postgres, scenario), allOperations(scenario), scenario, 'fsync').ddl
  const names = ddl().flatMap((statement) => [...statement.matchAll(/(?:TABLE|CONSTRAINT|INDEX) "([^"]+)"/g)].map((match) => match[1] as string))
  expect(names).toHaveLength(3 + 3 + 5)
  expect(new Set(names).size).toBe(names.length)
  expect(Math.max(...names.map((name) => Buffer.byteLength(name)))).toBeLessThanOrEqual(63)
  expect(ddl()).toEqual(ddl())
})

test('a foreign key is declared where nothing removes what it points at; the model says why another one is not', () => {
  const entities = `{ a: { count: 9, fields: { id: {type: uuid, key: true} } }, t: { count: 9, ttl: 1h, fields: { id: {type: uuid, key: true} } }, c: { count: 9, fields: { id: {type: uuid, key: true} } },
    d: { count: 9, fields: { id: {type: uuid, key: true}, a_id: { ref: a }, t_id: { ref: t }, c_id: { ref: c }, d_id: { ref: d } } },
    l: { owned_by: a, per_owner: { range: [1, 2] }, fields: { c_id: { ref: c } } } }`
  const scenario = scenarioOf(entities, { drop: 'delete: a', swap: 'get: t' })
  const model = deriveModel(postgres, scenario)
  const declared = Object.fromEntries(model.stores.map((store) => [store.name, store.references.map((each) => each.field)]))
  expect(declared).toMatchObject({ d: ['c_id', 'd_id'], l: ['c_id', 'a_id'] })
  expect(model.stores.find((store) => store.name === 'd')?.reason).toContain('a_id is no foreign key: drop deletes rows of a')
  expect(model.stores.find((store) => store.name === 'd')?.reason).toContain('t_id is no foreign key: rows of t expire')
  const { afterLoad } = postgres.compile(model, allOperations(scenario), scenario, 'fsync')
  expect(afterLoad).toEqual([
    'ALTER TABLE "d" ADD CONSTRAINT "d_c_id_fkey" FOREIGN KEY ("c_id") REFERENCES "c" ("id"), ADD CONSTRAINT "d_d_id_fkey" FOREIGN KEY ("d_id") REFERENCES "d" ("id")',
    'ALTER TABLE "l" ADD CONSTRAINT "l_c_id_fkey" FOREIGN KEY ("c_id") REFERENCES "c" ("id"), ADD CONSTRAINT "l_a_id_fkey" FOREIGN KEY ("a_id") REFERENCES "a" ("id") ON DELETE CASCADE',
  ])
})

test('expiry says that owned rows are purged, too', () => {
  const entities = `{ e: { count: 9, ttl: 1h, fields: { id: {type: uuid, key: true} } }, l: { owned_by: e, per_owner: { range: [1, 2] }, fields: { n: {type: int, range: [0, 9]} } } }`
  expect(deriveModel(postgres, scenarioOf(entities, { get: 'get: e' })).emulations).toEqual([
    { operation: 'expiry of e', how: 'emulated: expired rows are purged in batches with the rows that they own, as part of the measured work' },
  ])
})
