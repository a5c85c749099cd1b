/** How many rows ranges and lists of constants keep, and what index follows from it. */
import { expect, test } from 'vitest'
import { engineNamed } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { amongShare, keptShare, leftOver, rangeShare, rowsRead } from '../../../src/families/selection.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import { entityOf, type OperationOf, orderRangeOf, type Scenario } from '../../../src/scenario/scenario.ts'

function scenarioOf(where: string, order = '-at', limit = 20, count = '100k'): Scenario {
  return parseScenario(
    `name: s
summary: x
seed: 7
entities:
  owner: { count: 1000, fields: { id: { type: uuid, key: true } } }
  e:
    count: ${count}
    fields:
      id: { type: uuid, key: true }
      owner_id: { ref: owner }
      state: { type: enum, values: { open: 6, pending: 4, closed: 90 } }
      level: { type: int, range: [1, 100] }
      name: { type: words, count: [1, 2] }
      middle: { type: int, range: [0, 1000], mean: 500 }
      price: { type: decimal, range: [0, 9.99], scale: 2 }
      at: { type: timestamp, within: 100d }
operations:
  o: { list: e, where: ${where}, order_by: ${order}, limit: ${limit}, rate: 1/s, p99: 1s }
requirements: { peak: 2x, durability: fsync }
candidates: [postgres, redis]
`,
    's.yaml',
  )
}

const partsOf = (scenario: Scenario) => ({ entity: entityOf(scenario, 'e'), list: scenario.operations[0] as OperationOf<'list'> })
const indexFor = (scenario: Scenario) =>
  deriveModel(engineNamed('postgres'), scenario)
    .stores.find((store) => store.name === 'e')
    ?.indexes.filter((index) => index.serves.includes('o'))
    .map((index) => index.columns.map(({ field }) => field).join())

test.each([
  ['{ at: { last: 10d } }', 0.1],
  ['{ at: { last: 1000d } }', 1],
  ['{ level: { gt: 90 } }', 0.1],
  ['{ level: { gte: 91, lte: 95 } }', 0.05],
  ['{ level: { lt: 1 } }', 0],
  ['{ price: { gte: 2.5, lt: 5 } }', 0.25],
  ['{ middle: { lte: 500 } }', 0.51],
  ['{ middle: { gte: 501 } }', 0.49],
])('the range %s keeps %d of the rows', (where, share) => {
  const { entity, list } = partsOf(scenarioOf(where))
  expect(rangeShare(entity, list)).toBeCloseTo(share, 2)
})

test('bounds are half-open in units of the last digit', () => {
  expect(partsOf(scenarioOf('{ price: { gt: 2.5, lte: 5 } }')).list.bounds).toEqual([{ field: 'price', from: 251, below: 501 }])
})

test.each([
  ['{ state: { in: [open, pending] } }', 0.1],
  ['{ state: { not: closed } }', 0.1],
  ['{ level: { not: 7 } }', 0.99],
  ['{ level: { not_in: [7, 8] }, state: { in: [open, closed] } }', 0.98 * 0.96],
])('of the constants in %s a share of %d is kept', (where, share) => {
  const { entity, list } = partsOf(scenarioOf(where))
  expect(amongShare(entity, list)).toBeCloseTo(share, 10)
})

test('where all values are known, what is not is the others', () => {
  const selected = (where: string) => partsOf(scenarioOf(where)).list
  expect(selected('{ state: { not: closed } }').among).toEqual([{ field: 'state', constants: ['open', 'pending'] }])
  expect(selected('{ state: { not_in: [closed, pending] } }').where).toEqual([{ field: 'state', constant: 'open' }])
  expect(selected('{ level: { not: 7 } }').among).toEqual([{ field: 'level', constants: [7], none: true }])
})

test('texts begin alike as often as words of the pool do, less often the more of them is asked for', () => {
  const shares = [1, 2, 3, 20].map((characters) => {
    const { entity, list } = partsOf(scenarioOf(`{ name: { prefix: ${characters} } }`))
    return rangeShare(entity, list)
  })
  expect(shares[0]).toBeGreaterThan(0.04)
  expect(shares[3]).toBeCloseTo(1 / 20_000, 6)
  expect(shares).toEqual([...shares].sort((a, b) => b - a))
})

test('rows lie in all ranges that are asked for: the one along the order is read, the others are looked at', () => {
  const { entity, list } = partsOf(scenarioOf('{ at: { last: 10d }, level: { gt: 50 }, price: { lt: 5 } }'))
  expect(rangeShare(entity, list)).toBeCloseTo(0.025, 3)
  expect(leftOver(list)).toEqual(['level', 'price'])
  expect(keptShare(entity, list)).toBeCloseTo(0.25, 2)
})

test('a range of the order is found by it; every other condition leaves out what was read in order', () => {
  const along = partsOf(scenarioOf('{ at: { last: 10d }, state: { in: [open, pending] } }'))
  expect(orderRangeOf(along.list)).toEqual(along.list.over)
  expect(leftOver(along.list)).toEqual(['state'])
  expect(keptShare(along.entity, along.list)).toBeCloseTo(0.1, 10)
  expect(rowsRead(along.entity, along.list, 100_000)).toBeCloseTo(200, 5)
  expect(rowsRead(along.entity, along.list, 1000)).toBeCloseTo(10, 5)
  const beside = partsOf(scenarioOf('{ at: { last: 10d } }', 'level'))
  expect(leftOver(beside.list)).toEqual(['at'])
  expect(rowsRead(beside.entity, beside.list, 100_000)).toBeCloseTo(200, 5)
})

test('an index begins with a condition that leaves little to sort, else has it behind the order', () => {
  expect(indexFor(scenarioOf('{ owner_id: any, at: { last: 10d } }'))).toEqual(['owner_id,at,id'])
  expect(indexFor(scenarioOf('{ owner_id: any, state: { in: [open, pending] } }'))).toEqual(['owner_id,state,at,id'])
  expect(indexFor(scenarioOf('{ state: { in: [open, pending] } }'))).toEqual(['at,id,state'])
  expect(indexFor(scenarioOf('{ at: { last: 10d } }', 'level'))).toEqual(['level,id,at'])
  expect(indexFor(scenarioOf('{ owner_id: any, name: { prefix: 3 } }', 'name'))).toEqual(['owner_id,name,id'])
  expect(indexFor(scenarioOf('{ name: { prefix: 3 }, level: { lt: 3 } }', '-at'))).toEqual(['name,level,at,id'])
  // What is not there no index finds.
  expect(indexFor(scenarioOf('{ owner_id: any, level: { not: 7 } }'))).toEqual(['owner_id,at,id'])
})

test('a set is read between scores; what is none of its order its script looks at, as long as that is not too many rows', () => {
  const redis = engineNamed('redis')
  const shownOf = (scenario: Scenario) => {
    const operations = allOperations(scenario)
    return redis.compile(deriveModel(redis, scenario), operations, scenario, 'fsync').programs[operations.findIndex(({ name }) => name === 'o')]
      ?.shown
  }
  const along = shownOf(scenarioOf('{ owner_id: any, at: { last: 10d } }'))
  expect(along?.[0]).toContain('?from ?to')
  // The first page, the one behind a row, and the script of both.
  expect(along).toHaveLength(3)
  expect(along?.[1]).toContain('?after.at')
  expect(shownOf(scenarioOf('{ owner_id: any, level: { gte: 5 } }', 'at'))?.at(-1)).toContain('number < 5')
  // A thousandth of the rows fits: a page of a thousand would read a million.
  expect(shownOf(scenarioOf('{ level: { in: [1, 2] }, price: { lt: 0.5 } }', 'at', 1000, '10M'))).toBeUndefined()
})
