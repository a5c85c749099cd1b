/** References of one data set share what was loaded, and nothing that they did to it. */
import { expect, test } from 'vitest'
import { makeDataset } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { Source } from '../../../src/data/random.ts'
import { allOperations } from '../../../src/families/derive.ts'
import { Reference } from '../../../src/verify/reference.ts'
import { firstOf } from '../../../src/verify/reference-table.ts'
import { scenarioOf } from './replayed.ts'

const scenario = scenarioOf(
  `
  a: { count: 40, fields: { id: { type: uuid, key: true }, kind: { type: int, range: [1, 4] }, n: { type: int, range: [1, 1000] } } }`,
  `
of_kind: { list: a, where: { kind: any }, order_by: n, limit: 50 }
move: { update: a, set: { kind: any } }
gone: { delete: a }
fresh: { insert: a }`,
)
const operations = allOperations(scenario)
const index = (name: string) => operations.findIndex((each) => each.name === name)

test('writes of one are not seen by the other; lists by a value find what came to have it and what no longer has', () => {
  const dataset = makeDataset(scenario, 1)
  const [changed, untouched] = [new Reference(dataset, operations), new Reference(dataset, operations)]
  const params = new DrawnParameters(dataset, operations, 'x', 1, scenario.epochMs)
  const listed = (reference: Reference) => {
    const ids: string[] = []
    const seen = new Set<string>()
    for (let n = 0; n < 60; n++) {
      const all = new DrawnParameters(dataset, operations, `kinds ${n}`, 2, scenario.epochMs)
      all.next(index('of_kind'))
      const kind = String(all.value(0))
      if (seen.has(kind)) continue
      seen.add(kind)
      const answer = reference.execute(index('of_kind'), all)
      if (answer.kind === 'rows') ids.push(...answer.rows.map((row) => `${kind} ${Buffer.from(row[0] as Uint8Array).toString('hex')}`))
    }
    expect(seen.size).toBe(4)
    return ids.sort()
  }
  const before = listed(untouched)
  expect(before.length).toBe(40)
  for (const name of ['move', 'move', 'move', 'gone', 'fresh', 'fresh']) {
    params.next(index(name))
    changed.execute(index(name), params)
  }
  expect(listed(untouched)).toEqual(before)
  const after = listed(changed)
  expect(after.length).toBe(Number(changed.total('a').rows))
  expect(after).not.toEqual(before)
})

test.each([
  ['at random', (_: number, source: Source) => source.next()],
  ['from the first on', (at: number) => at],
  ['from the last on', (at: number) => -at],
])('the first of many in an order are found without sorting them all: %s', (_, value) => {
  const source = new Source().restart(7, 1)
  const rows = Array.from({ length: 20_000 }, (_, at) => value(at, source))
  for (const most of [1, 100, 1000]) {
    let comparisons = 0
    const first = firstOf(rows, most, (a, b) => {
      comparisons++
      return a - b
    })
    expect(first).toEqual(rows.toSorted((a, b) => a - b).slice(0, most))
    expect(comparisons).toBeLessThan(rows.length * (2 + Math.ceil(Math.log2(most))))
  }
  expect(firstOf(rows.slice(0, 3), 5, (a, b) => a - b)).toHaveLength(3)
})
