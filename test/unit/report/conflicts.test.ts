/** What guards refused is told beside what found nothing and what failed, and that it was most of the calls is said. */
import { expect, test } from 'vitest'
import { conflicts } from '../../../src/report/conflicts.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import type { Result } from '../../../src/result/result.ts'

const update = (name: string, guard?: object) => ({
  kind: 'update',
  name,
  entity: 'e',
  set: [],
  add: [],
  via: null,
  ...(guard === undefined ? {} : { guard }),
})
const guard = { field: 'n', is: 'gte', constant: 1 }
const operations = [
  update('spend', guard),
  update('touch'),
  { kind: 'transaction', name: 'pay', entity: 'e', steps: [update(''), update('', guard)] },
]
const counts = (ok: number, miss: number, conflict: number, failed = 0) => ({ ok, miss, conflict, errors: failed === 0 ? {} : { timeout: failed } })
const shown = (...candidates: object[]) =>
  toMarkdown(conflicts({ scenario: { operations }, candidates } as unknown as Pick<Result, 'candidates' | 'scenario'>))

test('over all trials, of operations that have a guard in any step', () => {
  const trials = [
    { operations: { spend: counts(20, 0, 60), touch: counts(9, 0, 0), pay: counts(90, 5, 5, 2) } },
    { operations: { spend: counts(10, 0, 10, 3) } },
  ]
  const markdown = shown({ name: 'a', trials }, { name: 'b', trials: [] })
  const rows = markdown
    .split('\n')
    .filter((line) => /^\| [ab] /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  expect(rows.map((cells) => cells.slice(1, -1))).toEqual([
    ['a', 'spend', '100', '70', '70 %', '0', '3'],
    ['a', 'pay', '100', '5', '5 %', '5', '2'],
  ])
  expect(markdown).toContain('spend on a: 70 % of its answers are conflicts')
  expect(markdown).not.toContain('pay on a')
})

test('of a scenario without guards nothing is said', () => {
  const without = { scenario: { operations: [update('touch')] }, candidates: [{ name: 'a', trials: [{ operations: { touch: counts(9, 0, 0) } }] }] }
  expect(conflicts(without as unknown as Pick<Result, 'candidates' | 'scenario'>)).toEqual([])
})
