/** What is told of a window less some of its windows, and what the kernel tells of stalls. */
import { expect, test } from 'vitest'
import { stalledSeconds } from '../../../src/host/cgroup.ts'
import { machineCpu } from '../../../src/host/processes.ts'
import type { Reading } from '../../../src/host/usage.ts'
import { usedBetween } from '../../../src/host/usage.ts'
import { between, busyShareOf } from '../../../src/measure/resources.ts'

const recording = { busyShare: 0.5, cpuSeconds: 1, completed: 100 }

/** At quarters of a second; the server uses a core, none in the third window, in which others use one. */
function readings(hasServer = true): Reading[] {
  return [0, 1, 2, 3, 4].map((edge) => {
    const [server, others] = [0.25 * (edge > 2 ? edge - 1 : edge), edge > 2 ? 0.25 : 0]
    return {
      ...{ atNs: edge * 0.25e9, clientSeconds: 0.1 * edge, watchSeconds: 0, stolenByCore: [0, edge > 2 ? 0.02 : 0] },
      ...{ busySeconds: server + others + 0.1 * edge, busyByCore: [0.1 * edge, server + others] },
      server: hasServer || edge === 0 || edge === 4 ? { cpuSeconds: server, residentBytes: 7 } : null,
      disk: { readBytes: 0, writtenBytes: edge > 2 ? 1000 + 10 * edge : 10 * edge, syncs: edge },
    }
  })
}

test('a window that is left out takes along what was used in it', () => {
  const edges = readings()
  const course = { before: edges[0] as Reading, after: edges[4] as Reading, edges, bound: { server: [1], harness: [0] } }
  expect(between(course, recording)).toMatchObject({ server: { cpuCores: 0.75 }, others: { onServerCores: 0.25 }, disk: { writtenBytes: 1040 } })
  const kept = between(course, recording, [true, true, false, true])
  expect(kept.server?.cpuCores).toBeCloseTo(1, 9)
  expect(kept.others?.onServerCores).toBeCloseTo(0, 9)
  expect(kept.client.cpuCores).toBeCloseTo(0.4, 9)
  expect(kept.disk).toEqual({ readBytes: 0, writtenBytes: 30, syncs: 3 })
})

test('in a closed loop the harness works while it does not wait for answers, in an open one while it has something to do', () => {
  expect(busyShareOf({ loop: 'closed', warmUpSeconds: 0.5, seconds: 3.5 }, { busyShare: 1 }, 1)).toBe(0.25)
  expect(busyShareOf({ loop: 'closed', warmUpSeconds: 0.5, seconds: 3.5 }, { busyShare: 1 }, 4.2)).toBe(1)
  expect(busyShareOf({ loop: 'open', warmUpSeconds: 1, seconds: 3 }, { busyShare: 0.1 }, 4)).toBe(0.1)
})

test('a server that was read at the ends alone used as much in one window as in another', () => {
  const edges = readings(false)
  const kept = between({ before: edges[0] as Reading, after: edges[4] as Reading, edges, bound: null }, recording, [true, true, false, true])
  expect(kept.server?.cpuCores).toBeCloseTo(0.75, 9)
})

test('what the host took, and what threads of the server waited for, is told by itself', () => {
  const [before, , , after] = readings() as [Reading, Reading, Reading, Reading]
  const pressed = (reading: Reading, cpuSeconds: number): Reading => ({
    ...reading,
    server: { cpuSeconds: 0, residentBytes: 1, stalled: { cpuSeconds, memorySeconds: 0, diskSeconds: 0.3 } },
  })
  const used = usedBetween(pressed(before, 1), pressed(after, 1.15), { server: [1], harness: [0] })
  expect(used.stolenOnServerCores).toBeCloseTo(0.02 / 0.75, 9)
  expect(used.stalled?.cpu).toBeCloseTo(0.2, 9)
  expect(used.stalled).toMatchObject({ memory: 0, disk: 0 })
  expect(usedBetween(before, after, null)).toMatchObject({ stolenOnServerCores: null, stalled: null })
  expect(stalledSeconds('some avg10=0.00 avg60=0.15 avg300=0.02 total=1234567\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n')).toBe(1.234567)
  const { byCore, stolenByCore } = machineCpu()
  expect(stolenByCore.length).toBe(byCore.length)
})
