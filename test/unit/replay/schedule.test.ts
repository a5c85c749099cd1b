/** What an executor asks for is what the schedule says, whatever the server does, and however many threads there are. */
import { expect, test } from 'vitest'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { blockSize } from '../../../src/data/fields.ts'
import { dataset, operations, run, scenario, steady, troubled } from './sessions.ts'

test.each([
  ['open', 20],
  ['closed', 2],
] as const)('a server that is slow, fails and answers out of order is asked for the same as one that is not: %s loop', async (loop, seconds) => {
  const [calm, other] = await Promise.all([run(steady, { loop, seconds }), run(troubled, { loop, seconds })])
  const both = Math.min(calm.sent.length, other.sent.length)
  expect(both).toBeGreaterThan(5000)
  expect(other.sent.slice(0, both)).toEqual(calm.sent.slice(0, both))
})

test('two threads together ask for what one does', async () => {
  const whole = await run(steady)
  const parts = await Promise.all([0, 1].map((index) => run(index === 0 ? steady : troubled, { part: { index, of: 2 } })))
  expect(parts.flatMap(({ sent }) => sent).sort()).toEqual(whole.sent.sort())
})

test('new rows are drawn when an age bound has passed since their intended start, and no row is made twice', () => {
  const params = new DrawnParameters(dataset, operations, 'ages', 4, scenario.epochMs)
  const made = new Map<number, number>()
  let drawn = 0
  for (let n = 0; n < 20_000; n++) {
    const atMs = n
    const operation = n % 3
    const ordinal = params.schedule(operation, atMs)
    params.draw(operation, ordinal, atMs)
    const { row } = params.drawn
    if (row >= dataset.entities.get('session')!.rows && (operation === 2 || !made.has(row))) {
      expect(made.has(row)).toBe(false)
      expect(operation).toBeGreaterThan(0)
      made.set(row, atMs)
    } else if (made.has(row)) {
      drawn++
      expect(atMs - (made.get(row) as number)).toBeGreaterThanOrEqual(5000)
    }
  }
  expect(drawn).toBeGreaterThan(5000)
})

test('a trial that would run into the numbers of the next one ends with an error', () => {
  const params = new DrawnParameters(dataset, operations, 'full', 4, scenario.epochMs)
  expect(() => params.draw(2, blockSize / 2, 0)).toThrow(/more than 134217728 rows of session/)
})
