/** A whole run of a store with a cache in front: measured, told, and not planned. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { cacheHitsOf } from '../../src/assess/capacity/cache-hits.ts'
import { dbtrial, resultIn, root, temporaryDirectory } from './commands.ts'

const out = temporaryDirectory()
afterAll(() => rmSync(out, { recursive: true, force: true }))
const scenario = join(root, 'test/engines/cached.yaml')

test('it runs to the end, and says what the cache answered and what was to be expected of it', async () => {
  const ended = await dbtrial('run', scenario, '--provision', 'local', '--out', out, '--fail-on', 'answers,invariants')
  expect(ended.code, ended.stderr).toBe(0)
  const { directory, result } = resultIn(out, 'cached')
  const [candidate] = result.candidates
  if (candidate === undefined) throw new Error('no candidate')
  expect(candidate).toMatchObject({ failure: null, mix: 'full', provision: { version: expect.stringMatching(/^\d.* behind \d/) } })
  expect(candidate.verification.wrong).toBe(0)
  expect(candidate.invariants.filter(({ ok }) => !ok)).toEqual([])
  for (const { operations } of candidate.trials)
    for (const [name, { wrong, errors, cached }] of Object.entries(operations)) {
      expect([wrong, errors], name).toEqual([0, {}])
      expect(cached !== undefined, name).toBe(['get_product', 'product_card', 'get_order'].includes(name))
    }
  for (const hits of cacheHitsOf(candidate, result)) {
    expect(hits.answered, hits.operation).toBeGreaterThan(0)
    expect(Math.abs(hits.answered / hits.asked - hits.expected), hits.operation).toBeLessThan(0.05)
  }
  expect(ended.stdout).toMatch(/^cached: its cache \(redis, 268 MB, 1 minute\) answered get_product \d/m)
  const report = readFileSync(join(directory, 'report.md'), 'utf8')
  expect(report).toContain('What the caches on trial answered')
}, 300_000)

test('it runs on servers of our own alone', async () => {
  const ended = await dbtrial('run', scenario, '--endpoint', 'cached=postgres://postgres@127.0.0.1:1/', '--out', out)
  expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('its redis runs beside a server of our own, and nowhere else')])
}, 60_000)
