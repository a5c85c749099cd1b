/** Directories of our own: nobody else's is taken, and making one always ends. */
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeRunDirectory } from '../../../src/provision/directories.ts'
import { dataParent, existingDataParents, makeDirectory } from '../../../src/provision/places.ts'
import { sweepProcesses } from '../../../src/provision/sweep.ts'

const uid = process.getuid?.() ?? 0
const place = mkdtempSync('/var/tmp/dbtrial-places-')
const parentIn = (base: string) => join(base, `dbtrial-${uid}`)
afterAll(() => rmSync(place, { recursive: true, force: true }))

function somewhere(name: string): string {
  const base = join(place, name)
  mkdirSync(base)
  return base
}

test('a symbolic link is not followed, and what it points at stays as it is', () => {
  const base = somewhere('link')
  const secret = somewhere('secret')
  const before = statSync(secret).mode
  symlinkSync(secret, parentIn(base))
  expect(() => dataParent(base)).toThrow(/it is a symbolic link/)
  expect(statSync(secret).mode).toBe(before)
  expect(existingDataParents(base)).toEqual([])
})

test('a directory that others may write to is not taken', () => {
  const base = somewhere('open')
  mkdirSync(parentIn(base))
  chmodSync(parentIn(base), 0o777)
  expect(() => dataParent(base)).toThrow(/others may write to it/)
})

test.runIf(uid === 0)('a directory of somebody else is not taken, nor swept', () => {
  const base = somewhere('stranger')
  mkdirSync(join(parentIn(base), 'run-1-x'), { recursive: true })
  chownSync(parentIn(base), 54321, 54321)
  expect(() => dataParent(base)).toThrow(/it belongs to user 54321/)
  sweepProcesses(base)
  expect(readdirSync(parentIn(base))).toEqual(['run-1-x'])
})

test('a run directory has a name that nobody can guess, and nobody looks into it', () => {
  const base = somewhere('run')
  const [one, two] = [makeRunDirectory(base), makeRunDirectory(base)]
  expect(one).not.toBe(two)
  for (const directory of [parentIn(base), one, two]) expect(lstatSync(directory).mode & 0o066).toBe(0)
  expect(statSync(join(one, 'owner.json')).mode & 0o077).toBe(0)
})

test('directories are made level by level; where that is impossible it is said, not tried for ever', () => {
  makeDirectory(join(place, 'a/b/c'))
  makeDirectory(join(place, 'a/b/c'))
  expect(lstatSync(join(place, 'a/b/c')).isDirectory()).toBe(true)
  expect(() => makeDirectory('/proc/x/y')).toThrow(/ENOENT/)
  expect(() => dataParent('/proc')).toThrow(/no directory on a real disk can be written: .*ENOENT/)
})

test('sweeping makes nothing', () => {
  const base = somewhere('nothing')
  sweepProcesses(base)
  sweepProcesses('/proc')
  expect(readdirSync(base)).toEqual([])
})
