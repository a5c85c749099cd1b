import { expect, test } from 'vitest'
import { pacedClock } from '../../../src/replay/pacer.ts'

test('a paced clock wakes in order, never early, and a nearer wait overtakes one that sleeps', async () => {
  await using clock = pacedClock()
  const late: number[] = []
  for (let each = 0; each < 50; each++) {
    const due = clock.nowNs() + 2e6
    await new Promise<void>((resolve) => clock.wakeAt(due, resolve, true))
    late.push(clock.nowNs() - due)
  }
  expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
  const first = clock.nowNs()
  clock.wakeAt(first + 60e9, () => {}, true)
  await new Promise<void>((resolve) => clock.wakeAt(first + 1e6, resolve, true))
  expect(clock.nowNs() - first).toBeLessThan(30e9)
})
