/** What a sum over a growing table reads once it is kept rolled up, and who must keep it so. */
import { expect, test } from 'vitest'
import { rollupOf } from '../../../src/assess/capacity/rollup.ts'
import { readScenario } from '../../../src/scenario/read.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

const scenario = readScenario('ecommerce')
const sum = scenario.operations.find(({ name }) => name === 'daily_revenue') as Operation
const rolled = (change: object, rows = 3e6) => rollupOf({ ...sum, ...change } as Operation, scenario, rows)

test('the hours of thirty days, one more where the first begins within one, kept up by what inserts orders', () => {
  expect(rolled({})).toEqual({ by: 'hour', rows: 721, writers: ['place_order'], writesPerSecond: 1.4, stalenessMs: 3_600_000 })
})

test('what may be a day old is kept by the day', () => {
  expect(rolled({ stalenessMs: 86_400_000 })).toMatchObject({ by: 'day', rows: 31 })
})

test('each value of a field that it groups by has rows of its own; what changes that field keeps it up, too', () => {
  expect(rolled({ groupBy: { field: 'status', unit: null } })).toMatchObject({
    by: 'hour and status',
    rows: 5 * 721,
    writers: ['place_order', 'ship_order'],
  })
})

test('there is none where the groups are not known, are hardly fewer than the rows, or nothing is summed up', () => {
  expect(rolled({ groupBy: { field: 'created_at', unit: null } })).toBeNull()
  expect(rolled({}, 5000)).toBeNull()
  expect(rolled({ kind: 'list' })).toBeNull()
})
