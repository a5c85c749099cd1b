/** What is known of this machine is known of one effort: longer trials repeat better. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { keep, knownHere } from '../../../src/commands/known-resolution.ts'

const reports = mkdtempSync(join(tmpdir(), 'dbtrial-known-'))
afterAll(() => rmSync(reports, { recursive: true, force: true }))

const known = (engine: string, ratio: number) => [{ engine, number: 'capacity' as const, ratio }]

test('equals of one effort tell nothing of another, and neither takes the place of the other', () => {
  keep(reports, 'standard', known('one', 1.05))
  expect(knownHere(reports, 'quick')).toBeNull()
  keep(reports, 'quick', known('one', 1.4))
  expect(knownHere(reports, 'quick')).toEqual(known('one', 1.4))
  expect(knownHere(reports, 'standard')).toEqual(known('one', 1.05))
})

test('a new trial of the same engine with the same effort takes the place of the old one', () => {
  keep(reports, 'quick', known('two', 1.2))
  keep(reports, 'quick', known('two', 1.3))
  expect(knownHere(reports, 'quick')).toEqual([...known('one', 1.4), ...known('two', 1.3)])
})
