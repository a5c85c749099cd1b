import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startTicks } from '../../../src/host/processes.ts'
import { HostSpeed } from '../../../src/host/speed.ts'
import { realClock } from '../../../src/replay/clock.ts'

test('the cores are timed while it runs, and nothing of it is left', async () => {
  const core = cpus().length - 1
  const speed = await HostSpeed.start([core])
  expect(speed).not.toBeNull()
  const fromNs = realClock.nowNs()
  await sleep(1500)
  const us = (speed as HostSpeed).between(fromNs, fromNs + 1e9)
  expect(us).toBeGreaterThan(1)
  expect(us).toBeLessThan(1000)
  expect((speed as HostSpeed).between(fromNs - 60e9, fromNs - 59e9)).toBeNull()
  const { pids } = speed as HostSpeed
  await (speed as HostSpeed)[Symbol.asyncDispose]()
  expect(pids.filter((pid) => startTicks(pid) !== undefined)).toEqual([])
})
