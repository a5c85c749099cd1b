import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { makeDataset } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import type { Answer, Value } from '../../../src/data/value.ts'
import { allOperations } from '../../../src/families/derive.ts'
import type { KeptAnswer } from '../../../src/measure/recorder.ts'
import { readScenario } from '../../../src/scenario/read.ts'
import { judge } from '../../../src/verify/judge.ts'
import { Reference } from '../../../src/verify/reference.ts'
import { agrees } from '../../../src/verify/verify.ts'
import { scenarioOf } from './replayed.ts'

const ecommerce = readScenario('ecommerce')
const kinds = readScenario(fileURLToPath(new URL('../../engines/kinds.yaml', import.meta.url)))

/** Answers that are right, drawn as in a replay. */
function rightAnswers(scenario: typeof ecommerce, share: number, each: number) {
  const operations = allOperations(scenario)
  const dataset = makeDataset(scenario, share)
  const reference = new Reference(dataset, operations)
  const params = new DrawnParameters(dataset, operations, 'kept', 2, scenario.epochMs)
  const kept: KeptAnswer[] = []
  for (const [operation, { kind }] of operations.entries()) {
    if (!['get', 'list', 'search', 'aggregate'].includes(kind)) continue
    for (let n = 0; n < each; n++) {
      params.next(operation)
      kept.push({ operation, values: params.values(), row: params.drawn.row, answer: reference.execute(operation, params) })
    }
  }
  return { operations, dataset, reference, kept }
}

const rowsOf = (answer: Answer) => (answer.kind === 'rows' ? answer.rows : [])

describe('judging kept answers', () => {
  test.each([
    ['ecommerce', ecommerce, 0.00005],
    ['kinds', kinds, 1],
  ])('right ones of %s pass', (_name, scenario, share) => {
    const { kept, operations, dataset, reference } = rightAnswers(scenario, share, 10)
    expect(kept.length).toBeGreaterThan(50)
    expect(judge(kept, operations, dataset, reference)).toEqual({})
  })

  const { kept, operations, dataset, reference } = rightAnswers(ecommerce, 0.00005, 6)
  const first = (name: string) =>
    kept.find((each) => operations[each.operation]?.name === name && rowsOf(each.answer).length > 1) ??
    kept.find((each) => operations[each.operation]?.name === name)
  const judged = (name: string, change: (rows: Value[][]) => Value[][]) => {
    const right = first(name) as KeptAnswer
    return judge([{ ...right, answer: { kind: 'rows', rows: change(rowsOf(right.answer)) } }], operations, dataset, reference)
  }

  test.each<[string, string, (rows: Value[][]) => Value[][]]>([
    ['another row', 'get_product', (rows) => rows.map((row) => [Buffer.alloc(16), ...row.slice(1)])],
    ['a wrong immutable field', 'get_order', (rows) => rows.map((row) => row.map((value, at) => (at === 3 ? 1n : value)))],
    ['a lost line', 'get_order', (rows) => rows.map((row) => [...row.slice(0, -1), (row.at(-1) as Value[]).slice(1)])],
    ['a lost row', 'get_order', () => []],
    ['rows in the wrong order', 'order_history', (rows) => [...rows].reverse()],
    ['a row twice', 'browse_category', (rows) => [...rows.slice(0, -1), rows[0] as Value[]]],
    ['too few rows', 'order_history', (rows) => rows.slice(1)],
    [
      'rows without the word',
      'search_products',
      (rows) => rows.map((row) => row.map((value) => (typeof value === 'string' ? 'other words' : value))),
    ],
  ])('%s is wrong', (_what, name, change) => {
    expect(judged(name, change)).toEqual({ [name]: 1 })
  })

  test('a field that the mix changes may differ', () => {
    expect(judged('get_order', (rows) => rows.map((row) => row.map((value, at) => (at === 2 ? 'shipped' : value))))).toEqual({})
  })
})

test('equal rows of a projection without the key are no fault; neither is what went with its owner', () => {
  const scenario = scenarioOf(
    `
  e: { count: 50, fields: { id: { type: uuid, key: true }, t: { type: words, count: [1, 1] }, k: { type: int, range: [0, 1] }, n: { type: int, range: [0, 2] } } }
  f: { count: 50, fields: { id: { type: uuid, key: true }, k: { type: int, range: [0, 1] } } }
  l: { owned_by: f, per_owner: { range: [3, 3] }, fields: { q: { type: int, range: [0, 0] }, r: { type: int, range: [0, 1] } } }`,
    `s: { search: e, in: [t], limit: 50, fields: [k] }
    li: { list: e, where: { k: any }, order_by: n, limit: 20, fields: [n] }
    i: { insert: e }
    d: { delete: f }
    ll: { list: l, where: { q: any }, order_by: r, limit: 20 }`.replaceAll(/\n\s+/g, '\n'),
  )
  const { kept, operations, dataset, reference } = rightAnswers(scenario, 1, 10)
  expect(judge(kept, operations, dataset, reference)).toEqual({})
  const shorter = kept.map((each) => ({ ...each, answer: { kind: 'rows' as const, rows: rowsOf(each.answer).slice(1) } }))
  expect(judge(shorter, operations, dataset, reference).ll).toBeUndefined()
  expect(judge(shorter, operations, dataset, reference).li).toBe(10)
})

test('a search may answer any matches, but none twice and none missing', () => {
  const operation = allOperations(ecommerce).find((each) => each.kind === 'search')
  if (operation === undefined) throw new Error('no search')
  const [a, b, c]: Value[][] = [['a'], ['b'], ['c']]
  const expected: Answer = { kind: 'rows', rows: [a!, b!] }
  const answer = (...rows: Value[][]): Answer => ({ kind: 'rows', rows })
  expect(agrees(operation, expected, answer(c!, a!), [a!, b!, c!])).toBe(true)
  expect(agrees(operation, expected, answer(a!, a!), [a!, b!, c!])).toBe(false)
  expect(agrees(operation, expected, answer(a!), [a!, b!, c!])).toBe(false)
  expect(agrees(operation, expected, answer(a!, ['d']), [a!, b!, c!])).toBe(false)
  // Rows that differ in what was not asked for are equal answers.
  expect(agrees(operation, expected, answer(['x'], ['x']), [['x'], ['x'], c!])).toBe(true)
  expect(agrees(operation, expected, answer(['x'], ['x']), [['x'], b!, c!])).toBe(false)
})

test('a row outside of the window, of the bounds or of the constants is wrong while others are written', () => {
  const scenario = scenarioOf(
    `
  e: { count: 60, fields: { id: { type: uuid, key: true }, n: { type: int, range: [1, 9] }, s: { type: enum, values: [a, b, c] }, at: { type: timestamp, within: 9d } } }`,
    `
w: { list: e, where: { at: { last: 5d } }, order_by: -at, limit: 20 }
b: { list: e, where: { n: { gte: 4, lt: 7 } }, order_by: id, limit: 20 }
c: { list: e, where: { s: { in: [a, b] } }, order_by: id, limit: 20 }
i: { insert: e }`,
  )
  const { kept, operations, dataset, reference } = rightAnswers(scenario, 1, 3)
  expect(judge(kept, operations, dataset, reference)).toEqual({})
  const outside: Record<string, [number, Value]> = { w: [3, scenario.epochMs - 6 * 86_400_000], b: [1, 7], c: [2, 'c'] }
  const changed = kept.flatMap((each) => {
    const [column, value] = outside[operations[each.operation]?.name as string] ?? []
    if (column === undefined) return []
    const [first, ...others] = rowsOf(each.answer).reverse()
    return [{ ...each, answer: { kind: 'rows' as const, rows: [...others.reverse(), (first as Value[]).with(column, value as Value)] } }]
  })
  expect(judge(changed, operations, dataset, reference)).toEqual({ w: 3, b: 3, c: 3 })
})
