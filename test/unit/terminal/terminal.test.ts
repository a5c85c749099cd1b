/** What a terminal adds: colours where it shows them, tables as wide as it is, time left; plain text stays plain. */
import { PassThrough } from 'node:stream'
import { WriteStream } from 'node:tty'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { assess } from '../../../src/assess/judge/assess.ts'
import { readResult } from '../../../src/result/result.ts'
import { barText, duration } from '../../../src/terminal/bar.ts'
import { coloured } from '../../../src/terminal/style.ts'
import { columns, summaryText } from '../../../src/terminal/tables.ts'

const stream = Object.assign(new PassThrough(), {
  isTTY: true,
  getColorDepth: () => WriteStream.prototype.getColorDepth({ TERM: 'xterm-256color', ...(process.env.NO_COLOR ? { NO_COLOR: '1' } : {}) }),
}) as unknown as NodeJS.WriteStream

test('marks are coloured on a terminal, and not with NO_COLOR', () => {
  const { NO_COLOR: before, FORCE_COLOR: forced } = process.env
  delete process.env.NO_COLOR
  delete process.env.FORCE_COLOR
  try {
    expect(coloured('1.21 ms ✓  2 ms ?  ✗', stream)).toBe('1.21 ms \u001b[32m✓\u001b[39m  2 ms \u001b[33m?\u001b[39m  \u001b[31m✗\u001b[39m')
    process.env.NO_COLOR = '1'
    expect(coloured('✓ ✗ ?', stream)).toBe('✓ ✗ ?')
  } finally {
    delete process.env.NO_COLOR
    if (before !== undefined) process.env.NO_COLOR = before
    if (forced !== undefined) process.env.FORCE_COLOR = forced
  }
})

test('a table is as wide as the terminal and loses no word; elsewhere it is as wide as its cells', () => {
  const rows = [
    ['engine', 'what would run', 'fix'],
    ['postgres', 'a container of an image that has a rather long name, straight to its address', 'install the server, so that it is on the PATH'],
  ]
  const narrow = columns(rows, Number.POSITIVE_INFINITY, 60)
  expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60)
  const words = (text: string) => text.split(/\s+/).filter(Boolean).sort()
  expect(words(narrow)).toEqual(words(rows.flat().join(' ')))
  expect(columns(rows).split('\n')).toHaveLength(2)
})

test('the bar never claims to be done, and says what is left', () => {
  expect(barText(30, 90)).toBe('██████░░░░░░░░░░░░░░░░░░ 25 %, 30 s gone, about 1 min 30 s left')
  expect(barText(500, 0)).toContain('99 %')
  expect([duration(59.4), duration(61), duration(3700)]).toEqual(['59 s', '1 min 1 s', '1 h 1 min'])
})

test('a cell without a percentile says why: a bare ✗ would leave the reader to guess', () => {
  const result = readResult(fileURLToPath(new URL('../../golden/results/small.json', import.meta.url)))
  const assessment = assess(result)
  const [cell] = assessment.candidates[0]?.at[0]?.cells ?? []
  Object.assign(cell as object, { p99Us: null, backlog: 0.28, outcome: 'missed' })
  const row = summaryText(result, assessment)
    .split('\n')
    .find((line) => line.startsWith(`${cell?.operation} `))
  expect(row).toMatch(/ saturated ✗/)
})
