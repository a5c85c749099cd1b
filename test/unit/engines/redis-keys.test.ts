/** Members of sorted sets: their scores and, of one score, their byte order are the order of the rows, whatever the types; their end names the row. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareValues, type Value } from '../../../src/data/value.ts'
import { redis } from '../../../src/engines/redis/index.ts'
import { keyLength, RedisKeys, type Row, restored, restoredLines, stored, storedLines } from '../../../src/engines/redis/keys.ts'
import { deriveModel } from '../../../src/families/derive.ts'
import { setsOf } from '../../../src/families/key-value/model.ts'
import type { Store } from '../../../src/families/model.ts'
import { readScenario } from '../../../src/scenario/read.ts'
import { entityOf, type FieldType, fieldOf } from '../../../src/scenario/scenario.ts'

const scenario = readScenario('test/engines/kinds.yaml')
const model = deriveModel(redis, scenario)
const keys = new RedisKeys(scenario)
const item = entityOf(scenario, 'item')

/** Few distinct values, so that ties happen. */
const valuesOf: Partial<Record<FieldType, fc.Arbitrary<Value>>> = {
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  int: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.maxSafeInteger()),
  decimal: fc.oneof(fc.bigInt({ min: -5n, max: 5n }), fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n })),
  timestamp: fc.integer({ min: 0, max: 4e12 }),
  bool: fc.boolean(),
  enum: fc.constantFrom('', 'a', 'a\0', 'a\0\0b', 'ab', 'é', '😀'),
  words: fc.oneof(fc.constantFrom('a', 'a b', ''), fc.string({ unit: 'binary', maxLength: 5 })),
  email: fc.string({ maxLength: 4 }),
}
const rows = fc.record(Object.fromEntries(item.fields.map((field) => [field.name, valuesOf[field.type] ?? fc.constant(null)])))
const asRow = (record: Record<string, Value>): Row => new Map(Object.entries(record))

const lists = setsOf(model.stores, 'item').filter((store) => store.partition[0] !== 'token')

test.each(lists.map((store) => [store.name, store] as const))('%s', (_, store: Store) => {
  fc.assert(
    fc.property(rows, rows, (a, b) => {
      const [first, second] = [asRow(a), asRow(b)]
      const by = store.clustering.map(({ column }) => compareValues(first.get(column) as Value, second.get(column) as Value))
      const wanted = by.find((each) => each !== 0) ?? 0
      const member = (row: Row) => keys.member(store, (field) => row.get(field) as Value)
      const score = (row: Row) => Number(keys.score(store, (field) => row.get(field) as Value))
      expect(Math.sign(score(first) - score(second)) || Math.sign(Buffer.compare(member(first), member(second)))).toBe(Math.sign(wanted))
      expect(member(first).subarray(-keyLength(item))).toEqual(keys.keyBytes(item, (field) => first.get(field) as Value))
    }),
    { seed: 7, numRuns: 500 },
  )
})

test('every value comes back as it was stored, lines too', () => {
  fc.assert(
    fc.property(rows, (record) => {
      for (const field of item.fields) {
        const value = record[field.name] as Value
        if (value === null) continue
        expect(compareValues(restored(field, stored(field, value)), value)).toBe(0)
      }
    }),
    { seed: 7, numRuns: 200 },
  )
  const note = entityOf(scenario, 'note')
  const lines: Value[][] = [
    [1, "it's"],
    [2, '😀'],
  ]
  expect(restoredLines(note, storedLines(note, lines))).toEqual(lines)
  expect(fieldOf(note, 'text').type).toBe('words')
})
