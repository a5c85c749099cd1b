/** What the server, the harness and everybody else have used of the machine so far, and what between two readings. */
import { machineCpu, usageOf } from '../provision/processes.ts'
import type { Usage } from '../provision/provision.ts'
import { realClock } from '../replay/clock.ts'
import { type DiskUse, diskUse } from './disk.ts'

export interface Reading {
  /** On the monotonic clock. */
  atNs: number
  /** null: nobody tells. */
  server: Usage | null
  /** Of this process and of those that replay. */
  clientSeconds: number
  busySeconds: number
  busyByCore: number[]
  /** Of the data's disk, whoever caused it; null where it cannot be named. */
  disk: DiskUse | null
}

/** `device` is the data's disk, as `deviceOf` names it; `workers` are the processes that replay. */
export function readUsage(server: Usage | null, device: string | null, workers: number[]): Reading {
  const { user, system } = process.cpuUsage()
  const { busySeconds, byCore } = machineCpu()
  return {
    atNs: realClock.nowNs(),
    server,
    clientSeconds: (user + system) / 1e6 + usageOf(workers).cpuSeconds,
    busySeconds,
    busyByCore: byCore,
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
  const busyOn = (cores: number[]) => cores.reduce((sum, core) => sum + rate(before.busyByCore[core] ?? 0, after.busyByCore[core] ?? 0), 0)
  return {
    seconds,
    clientCores,
    serverCores,
    othersCores: serverCores === null ? null : Math.max(0, rate(before.busySeconds, after.busySeconds) - serverCores - clientCores),
    othersOnServerCores: serverCores === null || bound === null ? null : Math.max(0, busyOn(bound.server) - serverCores),
    othersOnHarnessCores: serverCores === null || bound === null ? null : Math.max(0, busyOn(bound.harness) - clientCores),
    disk: before.disk === null || after.disk === null ? null : diskBetween(before.disk, after.disk),
  }
}

function diskBetween(before: DiskUse, after: DiskUse): DiskUse {
  return {
    readBytes: after.readBytes - before.readBytes,
    writtenBytes: after.writtenBytes - before.writtenBytes,
    syncs: after.syncs - before.syncs,
  }
}
