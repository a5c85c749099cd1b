/** The processes that replay, as processes: what ends them, what does not, and what they are given. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { isOwnFault } from '../../../src/errors.ts'
import { realClock } from '../../../src/replay/clock.ts'
import { WorkerPool } from '../../../src/replay/pool.ts'
import type { OpenOrder } from '../../../src/replay/worker.ts'

const ran = (pid: number) => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}
async function endsWithin(pid: number, ms: number): Promise<boolean> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) if (!ran(pid)) return true
  return false
}
/** An order that reaches the worker, and fails there. */
const nowhere = { client: 'wire', compiled: { engine: 'nowhere', scenario: {} }, endpoint: {}, share: 1, connections: 2 } as unknown as OpenOrder

afterEach(() => vi.useRealTimers())

test('a signal ends no worker; the pool does', async () => {
  const pool = new WorkerPool(2)
  await expect(pool.open(nowhere)).rejects.toThrow(/^worker \d+: /)
  const { pids } = pool
  expect(pids).toHaveLength(2)
  for (const pid of pids) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
  await expect(pool.open(nowhere)).rejects.toThrow(/^worker \d+: /)
  expect(pids.every(ran)).toBe(true)
  await pool[Symbol.asyncDispose]()
  expect(pids.some(ran)).toBe(false)
}, 30_000)

test('a fault of ours in a worker is told as one, with its stack', async () => {
  await using pool = new WorkerPool(2)
  const fault = (await pool.open(nowhere).catch((error: unknown) => error)) as Error
  expect(isOwnFault(fault)).toBe(true)
  expect(fault.stack).toMatch(/worker \d+: TypeError: .*\n\s+at .*dataset\.ts/)
}, 30_000)

test('a worker that was killed is said, and replaced', async () => {
  await using pool = new WorkerPool(1)
  await expect(pool.open(nowhere)).rejects.toThrow(/^worker \d+: /)
  const [first = 0] = pool.pids
  const asked = pool.open(nowhere)
  process.kill(first, 'SIGKILL')
  await expect(asked).rejects.toThrow(/a worker process ended in the middle of a trial \(SIGKILL\)|^worker \d+: /)
  expect(await endsWithin(first, 5000)).toBe(true)
  await pool.collect() // Whatever comes next finds it out.
  await expect(pool.open(nowhere)).rejects.toThrow('a worker process has ended')
  await pool.renew()
  await expect(pool.open(nowhere)).rejects.toThrow(/^worker \d+: /)
  expect(pool.pids).not.toContain(first)
}, 30_000)

test('a worker that hangs is given up, and replaced', async () => {
  await using pool = new WorkerPool(1)
  await expect(pool.open(nowhere)).rejects.toThrow(/^worker \d+: /)
  const [first = 0] = pool.pids
  process.kill(first, 'SIGSTOP')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const spec = { loop: 'closed', arrival: 'poisson', ratesPerSecond: [], concurrency: 1, warmUpSeconds: 0, seconds: 1, seed: 1, stream: '' } as const
  const trial = pool.run({ spec: { ...spec, ratesPerSecond: [] }, block: 1, nowMs: 0, startNs: realClock.nowNs() })
  const given = expect(trial).rejects.toThrow('a worker process does not answer: it hangs')
  await vi.advanceTimersByTimeAsync(60_000)
  await given
  vi.useRealTimers()
  await pool.renew()
  expect(ran(first)).toBe(false)
  await expect(pool.open(nowhere)).rejects.toThrow(/^worker \d+: /)
}, 30_000)

test('workers end with their parent, also one that does not come to it; they get no passwords and a small heap', async () => {
  const program = `
    import { WorkerPool } from ${JSON.stringify(new URL('../../../src/replay/pool.ts', import.meta.url).href)}
    const pool = new WorkerPool(2)
    await pool.open(${JSON.stringify(nowhere)}).catch(() => {})
    console.log(pool.pids.join(' '))
    setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], { env: { ...process.env, DBTRIAL_PASSWORD_PG: 'hunter2' } })
  const line = await new Promise<string>((resolve) => parent.stdout.once('data', (data: Buffer) => resolve(data.toString())))
  const [first = 0, second = 0] = line.trim().split(' ').map(Number)
  for (const file of ['environ', 'cmdline']) expect(readFileSync(`/proc/${first}/${file}`, 'latin1')).not.toContain('hunter2')
  expect(readFileSync(`/proc/${first}/cmdline`, 'latin1')).toMatch(/--max-old-space-size=512/)
  process.kill(second, 'SIGSTOP')
  parent.kill('SIGKILL')
  expect(await endsWithin(first, 5000)).toBe(true)
  expect(await endsWithin(second, 5000)).toBe(true)
}, 30_000)
