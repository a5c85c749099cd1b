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
  /** Of the data's disk, whoever caused it; null where it cannot be named. */
  disk: DiskUse | null
}

/** `device` is the data's disk, as `deviceOf` names it; `workers` are the processes that replay. */
export function readUsage(server: Usage | null, device: string | null, workers: number[]): Reading {
  const { user, system } = process.cpuUsage()
  return {
    atNs: realClock.nowNs(),
    server,
    clientSeconds: (user + system) / 1e6 + usageOf(workers).cpuSeconds,
    busySeconds: machineCpu().busySeconds,
    disk: device === null ? null : diskUse(device),
  }
}

/** Cores used on average; those of others are known where the server's are. */
export function usedBetween(before: Reading, after: Reading) {
  const seconds = Math.max(0.001, (after.atNs - before.atNs) / 1e9)
  const rate = (from: number, to: number) => Math.max(0, to - from) / seconds
  const clientCores = rate(before.clientSeconds, after.clientSeconds)
  const serverCores = before.server === null || after.server === null ? null : rate(before.server.cpuSeconds, after.server.cpuSeconds)
  return {
    seconds,
    clientCores,
    serverCores,
    othersCores: serverCores === null ? null : Math.max(0, rate(before.busySeconds, after.busySeconds) - serverCores - clientCores),
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
