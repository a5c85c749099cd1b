/** The sampler on the real clock: what is read belongs to the measured window. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { usedBetween } from '../../../src/host/usage.ts'
import { startSampler } from '../../../src/measure/sampler.ts'
import { realClock } from '../../../src/replay/clock.ts'

const unbound = { enforced: { cpu: 'unknown' as const, memory: 'unknown' as const }, cores: [] }

/** A server that uses a core except between two moments. */
function server(idleFromNs: number, idleToNs: number) {
  const startNs = realClock.nowNs()
  return () => {
    const now = realClock.nowNs()
    const idle = Math.max(0, Math.min(now, idleToNs) - idleFromNs)
    return { cpuSeconds: (now - startNs - idle) / 1e9, residentBytes: 1 }
  }
}

test('CPU of the warm-up and of the drain is none of the window', async () => {
  const measureNs = realClock.nowNs() + 0.3e9
  const endNs = measureNs + 0.75e9
  const usage = server(measureNs, endNs)
  const sampler = startSampler({ ...unbound, watch: () => usage, sample: async () => usage() }, null, [], [], null, null, measureNs, endNs)
  await sleep(1300)
  const { before, after, timeline } = await sampler.stop()
  // A timer may be late by some milliseconds on a busy machine.
  expect(usedBetween(before, after, null).serverCores).toBeLessThan(0.2)
  expect(timeline.map((sample) => Math.floor(sample.atSeconds / 0.25))).toEqual([0, 1, 2])
})

test('a server that is not to be watched is asked at both edges', async () => {
  const startNs = realClock.nowNs()
  const sample = async () => ({ cpuSeconds: ((realClock.nowNs() - startNs) / 1e9) * 0.5, residentBytes: 1 })
  const sampler = startSampler({ ...unbound, watch: () => () => null, sample }, null, [], [], null, null, startNs + 0.1e9, startNs + 0.6e9)
  await sleep(700)
  const { before, after } = await sampler.stop()
  const cores = usedBetween(before, after, null).serverCores as number
  expect(Math.abs(cores - 0.5)).toBeLessThan(0.05)
})

test('a trial that ends before its window has what was read so far', async () => {
  const sampler = startSampler(
    { ...unbound, watch: () => () => null, sample: async () => null },
    null,
    [],
    [],
    null,
    null,
    realClock.nowNs() + 60e9,
    realClock.nowNs() + 61e9,
  )
  const { before, after, timeline } = await sampler.stop()
  expect(after.atNs).toBeGreaterThan(before.atNs)
  expect(timeline).toEqual([])
})
