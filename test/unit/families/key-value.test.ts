/** Sets of the key-value model: which lists share one, and how they are named. */
import { expect, test } from 'vitest'
import { memcached } from '../../../src/engines/memcached/index.ts'
import { redis } from '../../../src/engines/redis/index.ts'
import { deriveModel } from '../../../src/families/derive.ts'
import { scoreOf, setsOf, uniquesOf } from '../../../src/families/key-value/model.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import { scenarioFor } from './shapes.ts'

const model = (operations: string[], product: Parameters<typeof deriveModel>[0] = redis) =>
  deriveModel(
    product,
    parseScenario(
      [
        'name: own',
        'summary: "Own"',
        'seed: 7',
        'epoch: 2026-03-01T12:00:00Z',
        'entities:',
        '  e: { count: 400, fields: { id: { type: uuid, key: true }, a: { type: int, range: [1, 4] }, b: { type: int, range: [1, 4] }, s: { type: enum, values: [x, "x:y"] }, at: { type: timestamp, within: 3d }, em: { type: email, unique: true } } }',
        'operations:',
        ...operations.map((text, at) => `  o${at}: { ${text}, rate: 10/s, p99: 1s }`),
        'requirements: { peak: 2x, durability: fsync }',
        'candidates: [redis]',
      ].join('\n'),
      'own.yaml',
    ),
  )
const served = (operations: string[]) => Object.fromEntries(setsOf(model(operations).stores, 'e').map((store) => [store.name, store.serves]))

test('an equality is no order: two lists over the same columns have two sets', () => {
  expect(served(['list: e, where: { a: any }, order_by: b, limit: 9', 'list: e, where: { a: any, b: any }, order_by: id, limit: 9'])).toEqual({
    'e.by.a>b.id': ['o0'],
    'e.by.a.b>id': ['o1'],
  })
})

test('one set is read from either end, by windows, and by what needs no order', () => {
  expect(
    served([
      'aggregate: e, where: { a: any }, group_by: b',
      'list: e, where: { a: any }, order_by: -at, limit: 9',
      'list: e, where: { a: any }, order_by: at, limit: 9',
      'aggregate: e, where: { a: any }, over: 1d',
    ]),
  ).toEqual({ 'e.by.a>at.id': ['o1', 'o2', 'o0', 'o3'] })
})

test('sets of different constants have names of their own, whatever the constants hold', () => {
  expect(
    served([
      'list: e, where: { a: any, s: x }, order_by: b, limit: 9',
      'list: e, where: { a: any, s: "x:y" }, order_by: b, limit: 9',
      'list: e, where: { s: x, a: any }, order_by: -b, limit: 9',
    ]),
  ).toEqual({ 'e.by.a>b.id': ['o0', 'o2'], 'e.by.a>b.id.2': ['o1'] })
})

test('a unique value is found in one hash, not in a set of one member', () => {
  const { stores } = model(['list: e, where: { em: any }, order_by: a, limit: 1'])
  expect(setsOf(stores, 'e')).toEqual([])
  expect(uniquesOf(stores, 'e').map(({ name, serves }) => [name, serves])).toEqual([['e.unique.em', ['o0']]])
})

test('a product that knows keys alone has an item per row, and declines what is no single item', () => {
  const { stores, excuses, emulations } = model(
    [
      'get: e',
      'list: e, where: { a: any }, order_by: b, limit: 9',
      'aggregate: e, where: { a: any }, group_by: b',
      'transaction: [{ update: e, set: { a: any } }, { delete: e }]',
      'insert: e',
      'update: e, set: { em: any }',
      'update: e, set: { a: any }, add: { b: 1 }',
      'delete: e',
    ],
    memcached,
  )
  expect(stores.map(({ name, serves }) => [name, serves])).toEqual([['e', ['o0', 'o6', 'o7']]])
  expect(excuses.map(({ operation, reason }) => [operation, reason.replace(/^o\d /, '')])).toEqual([
    ['o1', 'asks for rows by something else than their key: nothing in this server finds them'],
    ['o2', 'asks for rows by something else than their key: nothing in this server finds them'],
    ['o3', 'writes several rows together: every item of this server stands for itself'],
    ['o4', 'writes e.em, which is unique: nothing in this server knows who has a value'],
    ['o5', 'writes e.em, which is unique: nothing in this server knows who has a value'],
  ])
  expect(emulations.map(({ operation }) => operation)).toEqual(['o6'])
})

test('what a set is ordered by first is its score where it is a number, else all scores are alike', () => {
  const { stores } = model([
    'list: e, where: { a: any }, order_by: -b, limit: 9',
    'list: e, where: {}, order_by: at, limit: 9',
    'list: e, where: {}, order_by: s, limit: 9',
    'list: e, where: { s: any }, order_by: id, limit: 9',
  ])
  expect(setsOf(stores, 'e').map((store) => [store.name, scoreOf(store)])).toEqual([
    ['e.by.a>b.id', 'b'],
    ['e>at.id', 'at'],
    ['e>s.id', null],
    ['e.by.s>id', null],
  ])
})

test('references that one row has together stand in the set of one of them, not in a set of one member each', () => {
  const entities = (count: string) =>
    `{ f: { count: 2M, fields: { id: { type: uuid, key: true } } }, e: { count: ${count}, fields: { id: { type: uuid, key: true }, by_id: { ref: f, skew: zipfian(0.9) }, of_id: { ref: f } } } }`
  const pair = { pair: 'list: e, where: { by_id: any, of_id: any }, order_by: id, limit: 1' }
  const names = (count: string, operations: Record<string, string>) =>
    setsOf(deriveModel(redis, scenarioFor('redis')(entities(count), operations)).stores, 'e').map((store) => store.name)
  expect(names('100M', pair)).toEqual(['e.by.of_id>by_id.id'])
  expect(names('100M', { ...pair, of: 'aggregate: e, where: { of_id: any }' })).toEqual(['e.by.of_id>by_id.id'])
  // Where many rows have both, each pair has a set.
  expect(names('9000G', pair)).toEqual(['e.by.by_id.of_id>id'])
})
