/** Failed calls are told by the same words for every engine; what failed beside them is told, too. */
import { expect, test } from 'vitest'
import { failures } from '../../../src/report/failures.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import type { Result } from '../../../src/result/result.ts'

const trial = (operations: object) => ({ operations })
const candidate = (name: string, trials: object[], otherFailures: object[] = []) => ({ name, trials, otherFailures })
const shown = (...candidates: object[]) => toMarkdown(failures({ candidates } as unknown as Pick<Result, 'candidates'>))

test('nothing failed, nothing is said', () => {
  expect(shown(candidate('a', [trial({ read: { errors: {}, errorDetails: {} } })])).trim()).toBe('')
})

test('calls by what went wrong, over all trials', () => {
  const markdown = shown(
    candidate('a', [
      trial({ write: { errors: { constraint: 2 }, errorDetails: { constraint: '23505' } }, read: { errors: { timeout: 1 }, errorDetails: {} } }),
      trial({ write: { errors: { constraint: 3, 'connection-lost': 9 }, errorDetails: { constraint: '23505' } } }),
    ]),
    candidate('b', [trial({ write: { errors: { constraint: 1 }, errorDetails: { constraint: '11000' } } })]),
  )
  const rows = markdown
    .split('\n')
    .filter((line) => /^\| [ab] /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  expect(rows.map((cells) => cells.slice(1, -1))).toEqual([
    ['a', 'write', 'connection-lost', '—', '9', '1'],
    ['a', 'write', 'constraint', '23505', '5', '2'],
    ['a', 'read', 'timeout', '—', '1', '1'],
    ['b', 'write', 'constraint', '11000', '1', '1'],
  ])
})

test('a snapshot and a purge that failed', () => {
  const markdown = shown(
    candidate(
      'a',
      [],
      [
        { what: 'snapshot', reason: 'no room for a second copy', times: 1 },
        { what: 'purge', reason: 'the purge of expired rows failed: a foreign key', times: 3 },
      ],
    ),
  )
  expect(markdown).toContain('a: no snapshot could be taken after the verification: no room for a second copy')
  expect(markdown).toContain('a: the purge of expired rows failed: a foreign key (3 times)')
})
