import { expect, test } from 'vitest'
import { cassandra } from '../../../src/engines/cassandra/index.ts'
import { CassandraOperations } from '../../../src/engines/cassandra/operations.ts'
import type { CqlResult, Request } from '../../../src/engines/cassandra/talk.ts'
import { BucketWaves } from '../../../src/engines/cassandra/waves.ts'
import type { Compiled } from '../../../src/engines/engine.ts'
import { bucketOf, bucketStartMs, bucketUnits } from '../../../src/families/buckets.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { readScenario } from '../../../src/scenario/read.ts'

const years = [2026, 2025, 2024, 2023, 2022, 2021, 2020, 2019]

test('the first bucket is asked alone, and as many more as its rows let expect', () => {
  const half = Date.UTC(2026, 6, 2)
  const ask = (found: number) => {
    const waves = new BucketWaves('year', years, half)
    return [waves.next(0, 20), waves.next(found, 20), waves.next(20, 20)]
  }
  expect(ask(20)).toEqual([[2026], [], []])
  expect(ask(15)).toEqual([[2026], [2025], []])
  // Four in half a year: sixteen more are two years away.
  expect(ask(4)).toEqual([[2026], [2025, 2024], []])
  expect(ask(1)).toEqual([[2026], years.slice(1), []])
  expect(ask(0)).toEqual([[2026], years.slice(1), []])
})

test('a year that the run may cross into is asked with the one before', () => {
  const waves = new BucketWaves('year', [2027, ...years], Date.UTC(2026, 11, 31, 23))
  expect(waves.next(0, 20)).toEqual([2027, 2026])
  expect(waves.next(10, 20)).toEqual([2025])
})

test('oldest first, and when all have been asked there is nothing more', () => {
  const waves = new BucketWaves('day', [100, 101, 102], bucketStartMs('day', 100) + 1)
  expect([waves.next(0, 5), waves.next(2, 5), waves.next(3, 5), waves.next(3, 5)]).toEqual([[100], [101, 102], [], []])
})

test('a bucket begins where its number begins', () => {
  for (const unit of bucketUnits) {
    const start = bucketStartMs(unit, bucketOf(unit, Date.UTC(2026, 4, 17, 13, 5)))
    expect([bucketOf(unit, start), bucketOf(unit, start - 1)]).toEqual([bucketOf(unit, start), bucketOf(unit, start) - 1])
  }
})

test('a history asks its newest year first, then only the years that it needs', () => {
  const scenario = readScenario('ecommerce')
  const operations = allOperations(scenario)
  const compiled = cassandra.compile(deriveModel(cassandra, scenario), operations, scenario, 'fsync')
  const operation = operations.findIndex((each) => each.name === 'order_history')
  const row = { id: new Uint8Array(16), placed_at: scenario.epochMs, status: 'paid', total: '1.00' }
  const talk = new CassandraOperations(compiled as Compiled<string>).perform(operation, (name) => (name === 'deep' ? false : new Uint8Array(16)))
  const asked: number[] = []
  let said = talk.next()
  while (said.done !== true) {
    const requests: Request[] = said.value
    asked.push(requests.length)
    // Twelve rows in every year.
    said = talk.next(
      requests.map((_, at): CqlResult => ({ rows: Array.from({ length: asked.length === 1 && at === 0 ? 0 : 12 }, () => row), pageState: null })),
    )
  }
  // The epoch is the first moment of a year, into which the run writes: that and the year before, then one more.
  expect(asked).toEqual([2, 1])
})
