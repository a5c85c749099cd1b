import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { Threads } from '../../../src/host/threads.ts'

// Its main thread works all the time, beside threads of V8 that have nothing to do.
const child = spawn(process.execPath, ['-e', 'process.stdout.write("."); for (;;);'], { stdio: ['ignore', 'pipe', 'inherit'] })
afterAll(() => child.kill('SIGKILL'))
const nicenessOf = (name: RegExp) =>
  readdirSync(`/proc/${child.pid}/task`)
    .map((thread) => readFileSync(`/proc/${child.pid}/task/${thread}/stat`, 'latin1'))
    .filter((stat) => name.test(stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))))
    .map((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]))

test('threads are found by their name, go before others, and among them again', async () => {
  await once(child.stdout, 'data')
  const workers = new Threads([child.pid as number], /V8Worker/)
  expect(workers.count).toBeGreaterThan(0)
  const allowed = workers.goFirst(true)
  expect(new Set(nicenessOf(/V8Worker/))).toEqual(new Set([allowed ? -20 : 0]))
  expect(new Set(nicenessOf(/^(?!.*V8Worker)/))).toEqual(new Set([0]))
  workers.goFirst(false)
  expect(new Set(nicenessOf(/V8Worker/))).toEqual(new Set([0]))
})

test('their CPU time is their own', async () => {
  const all = new Threads([child.pid as number], /./)
  const workers = new Threads([child.pid as number], /V8Worker/)
  await expect.poll(() => all.cpuSeconds() - workers.cpuSeconds(), { timeout: 10_000 }).toBeGreaterThan(0.2)
  expect(workers.cpuSeconds()).toBeLessThan(0.2)
})

test('where nothing of that name runs there are none, and nobody goes first', () => {
  expect(new Threads([child.pid as number], /no such thread/).goFirst(true)).toBe(false)
  expect(new Threads([2 ** 30], /./).count).toBe(0)
})
