/** The document family: what is embedded, under which name, and the indexes of its collections. */
import { expect, test } from 'vitest'
import { mongodb } from '../../../src/engines/mongodb/index.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { scenarioFor } from './shapes.ts'

const scenarioOf = scenarioFor('mongodb')

const key = 'id: { type: uuid, key: true }'
const row = `{ e: { count: 100k, fields: { ${key}, a: {type: int, range: [1, 50]}, b: {type: int, range: [1, 50]}, price: {type: decimal, range: [1, 9], scale: 2},
  st: {type: enum, values: {open: 93, closed: 2, lost: 5}}, p: {type: words, count: [1, 3]}, q: {type: words, count: [1, 3]}, at: {type: timestamp, within: 1y} } } }`

function modelOf(entities: string, operations: Record<string, string>) {
  const scenario = scenarioOf(entities, operations)
  const model = deriveModel(mongodb, scenario)
  const { ddl, programs } = mongodb.compile(model, allOperations(scenario), scenario, 'fsync')
  const indexes = ddl.filter((line) => line.includes('createIndex'))
  return { model, indexes, statements: Object.fromEntries(programs.flatMap((each) => (each === null ? [] : [[each.operation, each.shown]]))) }
}
const indexesOf = (entities: string, operations: Record<string, string>) => modelOf(entities, operations).indexes

test('twins share an index, and no two indexes share a name', () => {
  const indexes = indexesOf(row, {
    newest: 'list: e, where: { a: any }, order_by: -b, limit: 5',
    oldest: 'list: e, where: { a: any }, order_by: b, limit: 5',
    closed: 'list: e, where: { a: any, st: closed }, order_by: b, limit: 5',
    lost: 'list: e, where: { a: any, st: lost }, order_by: b, limit: 5',
  })
  const names = indexes.map((line) => /name: "([^"]*)"/.exec(line)?.[1])
  expect(new Set(names).size).toBe(names.length)
  expect(indexes.filter((line) => !line.includes('partial') && line.includes('{ a: 1, b:'))).toHaveLength(1)
})

test('the key alone gets no index of ours, and never a partial one', () => {
  expect(indexesOf(row, { back: 'list: e, where: {}, order_by: -id, limit: 5' })).toEqual([])
  const [rare] = indexesOf(row, { closed: 'list: e, where: { st: closed }, order_by: id, limit: 5, fields: [id, a, price, p, q]' })
  expect(rare).toContain('createIndex({ st: 1, _id: 1 }')
  const { model } = modelOf(row, { back: 'list: e, where: {}, order_by: -id, limit: 5' })
  expect(model.accesses.find((each) => each.operation === 'back')?.steps[0]?.index).toBe('_id')
})

test('a rare decimal is shown as the server compares it', () => {
  const { indexes, statements } = modelOf(row, { cheap: 'list: e, where: { a: any, price: 2.5 }, order_by: b, limit: 5' })
  expect(indexes.join()).toContain('partialFilterExpression: { price: Decimal128("2.50") }')
  expect(statements.cheap?.[0]).toContain('price: Decimal128("2.50")')
})

test('owned rows apart have one index over the parts of their key, which lists by the line use', () => {
  const entities = `{ e: { count: 100k, fields: { ${key} } }, l: { owned_by: e, per_owner: { range: [0, 900] }, fields: { q: {type: int, range: [0, 9]} } } }`
  const { model, indexes } = modelOf(entities, {
    lines: 'list: l, where: { e_id: any }, order_by: line, limit: 5',
    last: 'list: l, where: { e_id: any }, order_by: -line, limit: 5',
    get: 'get: e, with: [l]',
  })
  expect(indexes).toEqual(['db.getCollection("l").createIndex({ "_id.e_id": 1, "_id.line": 1 }, { name: "e_id_line" })'])
  expect(model.accesses.find((each) => each.operation === 'last')?.steps[0]?.index).toBe('e_id_line')
})

test('one text index finds all that is searched; a narrower search is filtered by the server, and that is said', () => {
  const { model, indexes, statements } = modelOf(row, {
    wide: 'search: e, in: [q, p], limit: 5',
    narrow: 'search: e, in: [q], limit: 5',
    other: 'search: e, in: [p], limit: 5',
  })
  expect(indexes).toEqual([
    'db.getCollection("e").createIndex({ p: "text", q: "text" }, { name: "text_p_q", default_language: "none", language_override: "_language" })',
  ])
  expect(model.excuses).toEqual([])
  expect(model.emulations).toEqual([
    { operation: 'narrow', how: 'emulated: the one text index finds words of p too, which are filtered out' },
    { operation: 'other', how: 'emulated: the one text index finds words of q too, which are filtered out' },
  ])
  expect(statements.wide?.[0]).not.toContain('$expr')
  expect(statements.narrow?.[0]).toContain('$expr: { $or: [{ $in: [{ $literal: ?word }, { $split: ["$q", " "] }] }] }')
})

test('an order ends at a unique field, and its index serves it', () => {
  const entities = `{ e: { count: 100k, fields: { ${key}, email: {type: email, unique: true}, a: {type: int, range: [1, 9]} } } }`
  const { indexes, statements } = modelOf(entities, { by_email: 'list: e, where: {}, order_by: email, limit: 5' })
  expect(indexes).toEqual(['db.getCollection("e").createIndex({ email: 1 }, { name: "email", unique: true })'])
  expect(statements.by_email?.[0]).toContain('sort: { email: 1 }')
})

test('conditions on one path all hold', () => {
  const { statements } = modelOf(row, { at: 'aggregate: e, where: { at: any }, over: 1h' })
  expect(statements.at?.[0]).toContain('$match: { $and: [{ at: ?where.at }, { at: { $gte: ?from, $lt: ?to } }] }')
})

test('sums of the key are sums of _id', () => {
  const entities = '{ e: { count: 100k, fields: { id: { type: int, key: true }, a: {type: int, range: [1, 9]} } } }'
  expect(modelOf(entities, { sum: 'aggregate: e, where: { a: any }, sum: id' }).statements.sum?.[0]).toContain('$sum: "$_id"')
})

test('a unique field, more than a document holds or more than a message holds keep owned rows apart', () => {
  const owned = (name: string, most: number, fields: string) => `${name}: { owned_by: e, per_owner: { range: [0, ${most}] }, fields: { ${fields} } }`
  const entities = `{ e: { count: 100, fields: { ${key}, ${Array.from({ length: 16 }, (_, at) => `photo${at}: {type: bytes, size: 1MB}`).join(', ')} } },
    ${owned('small', 2, 'q: {type: int, range: [0, 9]}')}, ${owned('code', 2, 'mail: {type: email, unique: true}')}, ${owned('film', 60, 'data: {type: bytes, size: 1MB}')} }`
  const { model } = modelOf(entities, { get: 'get: e, with: [small, code, film]', add: 'insert: e, with: [film]', few: 'insert: e, with: [code]' })
  expect(model.stores.map((store) => store.name)).toEqual(['e', 'small', 'code', 'film'])
  expect(model.excuses.map((excuse) => [excuse.operation, excuse.bottleneck])).toEqual([['add', 'size of a message']])
})

test('owned rows apart expire with their owner', () => {
  const entities = `{ e: { count: 100, ttl: 1h, fields: { ${key} } }, l: { owned_by: e, per_owner: { range: [0, 9] }, fields: { q: {type: int, range: [0, 9]} } } }`
  const { indexes } = modelOf(entities, { lines: 'list: l, where: { q: any }, order_by: line, limit: 5', put: 'put: e' })
  expect(indexes).toContain('db.getCollection("l").createIndex({ _expires_natively_at: 1 }, { name: "expiry_expires_at", expireAfterSeconds: 0 })')
})
