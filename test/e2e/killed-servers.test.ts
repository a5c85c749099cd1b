/** Servers that a run kills in the middle of their writes: what they had promised is there, what they had not is counted. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { dbtrial, resultIn, small, temporaryDirectory } from './commands.ts'

const out = temporaryDirectory()
afterAll(() => rmSync(out, { recursive: true, force: true }))

test('fsync loses nothing, relaxed loses the last moment and breaks no promise, and the report says both', async () => {
  const path = join(out, 'killed.yaml')
  const text = readFileSync(small, 'utf8')
    .replace('add: { insert: account, rate: 0.4/s', 'add: { insert: account, rate: 40/s')
    .replace(/^candidates: .*$/m, 'candidates: [postgres, { name: fast, engine: postgres, durability: relaxed }]')
    .replace('effort: smoke', 'effort: smoke, kills: 3')
  writeFileSync(path, text)
  const ended = await dbtrial('run', path, '--provision', 'local', '--out', join(out, 'killed'))
  expect(ended.code, ended.stderr).toBe(0)
  const { directory, result } = resultIn(join(out, 'killed'), 'small')
  const [kept, fast] = result.candidates
  for (const candidate of [kept, fast]) {
    expect(candidate?.failure).toBeNull()
    // What was killed on purpose is no restart of a server that ended by itself.
    expect(candidate?.restarts).toEqual([])
    expect(candidate?.kills?.times).toBe(3)
    expect(candidate?.kills?.recoverySeconds.every((seconds) => seconds > 0 && seconds < 30)).toBe(true)
    expect(candidate?.kills?.read).toBeGreaterThan(300)
    expect(candidate?.invariants.filter(({ ok }) => !ok)).toEqual([])
    expect(candidate?.invariants.map(({ name }) => name)).toContain('acknowledged writes after a kill')
  }
  expect(kept?.kills).toMatchObject({ lost: 0, lostWithinSeconds: 0 })
  expect(fast?.kills?.lost).toBeGreaterThan(0)
  expect(fast?.kills?.lostWithinSeconds).toBeLessThanOrEqual(1)
  const report = readFileSync(join(directory, 'report.md'), 'utf8')
  expect(report).toMatch(/\| postgres \| fsync \| 3 \| [\d,]+ \| 0 \| — \|/)
  expect(report).toMatch(/\| fast \| relaxed \| 3 \| [\d,]+ \| [\d,]+ \| at most [\d.]+ (ms|s) \|/)
}, 180_000)
