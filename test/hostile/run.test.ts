/** Whole runs beside a hostile server: it fails alone, with its reason on the terminal; a signal ends a run that waits for one; no password is written anywhere. */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { dbtrial, dbtrialUntil, dbtrialWith, resultIn, small, temporaryDirectory } from '../e2e/commands.ts'
import { type HostileServer, hostileServers, listen } from './servers.ts'

const out = temporaryDirectory()
afterAll(() => rmSync(out, { recursive: true, force: true }))
const server = (protocol: string, name: string) => hostileServers.find((each) => each.protocol === protocol && each.name === name) as HostileServer

test('a server that answers nonsense fails alone, and the terminal says why', async () => {
  const { port, end } = await listen(server('redis', 'nested arrays'))
  try {
    const place = join(out, 'alone')
    const ended = await dbtrial(
      ...['run', small, '--candidates', 'postgres,redis', '--provision', 'auto', '--endpoint', `redis=redis://:a-secret-word@127.0.0.1:${port}/0`],
      ...['--effort', 'smoke', '--out', place],
    )
    const { result } = resultIn(place, 'small')
    expect(result.candidates.find((each) => each.name === 'redis')?.failure).toMatch(/^redis at 127\.0\.0\.1:\d+ refused: /)
    expect(result.candidates.find((each) => each.name === 'postgres')?.failure).toBeNull()
    expect(result.candidates.find((each) => each.name === 'postgres')?.invariants.every((each) => each.ok)).toBe(true)
    expect(`${ended.stdout}${ended.stderr}`).toMatch(/redis.* refused: /)
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/\n\s+at /)
    expect(`${ended.stdout}${ended.stderr}`).not.toContain('a-secret-word')
    expect(ended.code).toBe(4)
  } finally {
    end()
  }
}, 120_000)

test('a signal ends a run that waits for a silent server', async () => {
  const { port, end } = await listen(server('postgres', 'login, then silence'))
  try {
    let aimedAt = 0
    const place = join(out, 'silent')
    const ended = await dbtrialUntil(
      /start/,
      (pid) => {
        aimedAt = performance.now()
        process.kill(pid, 'SIGTERM')
      },
      ...['run', small, '--candidates', 'postgres', '--endpoint', `postgres=postgres://u@127.0.0.1:${port}/`, '--effort', 'smoke', '--out', place],
    )
    expect(ended.acted).toBe(true)
    expect(ended.code).toBe(143)
    expect(performance.now() - aimedAt).toBeLessThan(10_000)
  } finally {
    end()
  }
}, 60_000)

test.each(['100', 'name', 'postgres', 'p'])('a password that is the word "%s" destroys no result', async (password) => {
  const { port, end } = await listen({ protocol: 'postgres', name: 'repeats the password', serve: server('postgres', 'refuses').serve })
  try {
    const place = join(out, `word-${password}`)
    const url = `postgres=postgres://u2@127.0.0.1:${port}/`
    await dbtrialWith({ DBTRIAL_PASSWORD_POSTGRES: password }, 'run', small, '--candidates', 'postgres', '--endpoint', url, '--out', place)
    const { directory, result } = resultIn(place, 'small')
    expect(result.candidates[0]?.name).toBe('postgres')
    expect(result.candidates[0]?.engine).toBe('postgres')
    expect(result.candidates[0]?.failure).toMatch(/no entry/)
    expect((await dbtrial('report', join(directory, 'result.json'), '--format', 'json')).code).not.toBe(2)
    expect(readdirSync(directory)).toContain('report.md')
    expect(readFileSync(join(directory, 'report.md'), 'utf8')).toContain('postgres')
  } finally {
    end()
  }
}, 60_000)
