/** What the server, the harness and everybody else have used of the machine so far, and what between two readings. */

import { realClock } from '../replay/clock.ts'
import { type DiskUse, diskUse } from './disk.ts'
import { machineCpu, type Usage, usageOf } from './processes.ts'

export interface Reading {
  /** On the monotonic clock. */
  atNs: number
  /** null: nobody tells. */
  server: Usage | null
  /** Of this process and of those that replay. */
  clientSeconds: number
  /** Of what watches the server's cores. */
  watchSeconds: number
  busySeconds: number
  busyByCore: number[]
  /** Of it, what the host took away. */
  stolenByCore: number[]
  /** Of the data's disk, whoever caused it; null where it cannot be named. */
  disk: DiskUse | null
}

/** `device` is the data's disk, as `deviceOf` names it; `workers` are the processes that replay, `watchers` those that watch the server's cores. */
export function readUsage(server: Usage | null, device: string | null, workers: number[], watchers: number[] = []): Reading {
  const { user, system } = process.cpuUsage()
  const { busySeconds, byCore, stolenByCore } = machineCpu()
  return {
    atNs: realClock.nowNs(),
    server,
    clientSeconds: (user + system) / 1e6 + usageOf(workers).cpuSeconds,
    watchSeconds: usageOf(watchers).cpuSeconds,
    busySeconds,
    busyByCore: byCore,
    stolenByCore,
    disk: device === null ? null : diskUse(device),
  }
}

/** The cores that a server, and the harness, are bound to: what is busy there beside them is others'. */
export interface Bound {
  server: number[]
  harness: number[]
}

/** Cores used on average; those of others are known where the server's are, and where on the machine if both are bound. */
export function usedBetween(before: Reading, after: Reading, bound: Bound | null) {
  const seconds = Math.max(0.001, (after.atNs - before.atNs) / 1e9)
  const rate = (from: number, to: number) => Math.max(0, to - from) / seconds
  const clientCores = rate(before.clientSeconds, after.clientSeconds)
  const serverCores = before.server === null || after.server === null ? null : rate(before.server.cpuSeconds, after.server.cpuSeconds)
  const watchCores = rate(before.watchSeconds, after.watchSeconds)
  const on = (cores: number[], which: 'busyByCore' | 'stolenByCore') =>
    cores.reduce((sum, core) => sum + rate(before[which][core] ?? 0, after[which][core] ?? 0), 0)
  return {
    seconds,
    clientCores,
    serverCores,
    othersCores: serverCores === null ? null : Math.max(0, rate(before.busySeconds, after.busySeconds) - serverCores - clientCores - watchCores),
    othersOnServerCores: serverCores === null || bound === null ? null : Math.max(0, on(bound.server, 'busyByCore') - serverCores - watchCores),
    othersOnHarnessCores: serverCores === null || bound === null ? null : Math.max(0, on(bound.harness, 'busyByCore') - clientCores),
    stolenOnServerCores: bound === null ? null : on(bound.server, 'stolenByCore'),
    stalled: stalledBetween(before.server, after.server, seconds),
    disk: before.disk === null || after.disk === null ? null : diskBetween(before.disk, after.disk),
  }
}

/** Shares of the time in which some thread of the server waited; null: nobody tells. */
function stalledBetween(before: Usage | null, after: Usage | null, seconds: number): { cpu: number; memory: number; disk: number } | null {
  if (before?.stalled === undefined || after?.stalled === undefined) return null
  const share = (from: number, to: number) => Math.min(1, Math.max(0, to - from) / seconds)
  return {
    cpu: share(before.stalled.cpuSeconds, after.stalled.cpuSeconds),
    memory: share(before.stalled.memorySeconds, after.stalled.memorySeconds),
    disk: share(before.stalled.diskSeconds, after.stalled.diskSeconds),
  }
}

/** The later of two readings, had nothing happened between some others: of a server that nobody watched between the two, in proportion to the time. */
export function without(before: Reading, after: Reading, leftOut: readonly (readonly [Reading, Reading])[]): Reading {
  return leftOut.reduce((reading, [from, to]) => {
    const less = (amount: number, part: (each: Reading) => number) => amount - (part(to) - part(from))
    const lessByCore = (amounts: number[], part: (each: Reading) => number[]) =>
      amounts.map((amount, core) => less(amount, (each) => part(each)[core] ?? 0))
    return {
      atNs: less(reading.atNs, (each) => each.atNs),
      server: serverWithout(before, after, reading, from, to),
      clientSeconds: less(reading.clientSeconds, (each) => each.clientSeconds),
      watchSeconds: less(reading.watchSeconds, (each) => each.watchSeconds),
      busySeconds: less(reading.busySeconds, (each) => each.busySeconds),
      busyByCore: lessByCore(reading.busyByCore, (each) => each.busyByCore),
      stolenByCore: lessByCore(reading.stolenByCore, (each) => each.stolenByCore),
      disk:
        reading.disk && from.disk && to.disk
          ? {
              readBytes: reading.disk.readBytes - (to.disk.readBytes - from.disk.readBytes),
              writtenBytes: reading.disk.writtenBytes - (to.disk.writtenBytes - from.disk.writtenBytes),
              syncs: reading.disk.syncs - (to.disk.syncs - from.disk.syncs),
            }
          : null,
    }
  }, after)
}

function serverWithout(before: Reading, after: Reading, reading: Reading, from: Reading, to: Reading): Usage | null {
  if (before.server === null || after.server === null || reading.server === null) return null
  const used =
    from.server !== null && to.server !== null
      ? to.server.cpuSeconds - from.server.cpuSeconds
      : (after.server.cpuSeconds - before.server.cpuSeconds) * ((to.atNs - from.atNs) / Math.max(1, after.atNs - before.atNs))
  return { ...reading.server, cpuSeconds: reading.server.cpuSeconds - used }
}

function diskBetween(before: DiskUse, after: DiskUse): DiskUse {
  return {
    readBytes: after.readBytes - before.readBytes,
    writtenBytes: after.writtenBytes - before.writtenBytes,
    syncs: after.syncs - before.syncs,
  }
}
