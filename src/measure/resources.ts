/** What a trial cost: CPU of the server, of this process, of everybody else; memory and bytes of the server. */
import { machineCpu } from '../provision/processes.ts'
import type { Instance, Usage } from '../provision/provision.ts'
import { type DiskUse, diskUse } from './disk.ts'
import type { Recording } from './recorder.ts'

export interface Resources {
  /** null: nobody tells. */
  server: { cpuCores: number; residentBytes: number } | null
  /** Of the disk that holds the data, whoever caused it; null where it cannot be named. */
  disk: DiskUse | null
  /** `cpuUsPerOperation`: of the threads that replay; pacing included, so it tells something of closed loops only. */
  client: { cpuCores: number; busyShare: number; cpuUsPerOperation: number | null }
  /** null where the server's own share is unknown. */
  others: { cpuCores: number } | null
}
interface Snapshot {
  atMs: number
  server: Usage | null
  clientCpuSeconds: number
  machineBusySeconds: number
  disk: DiskUse | null
}

export async function snapshot(instance: Instance, device: string | null): Promise<Snapshot> {
  const { user, system } = process.cpuUsage()
  return {
    atMs: performance.now(),
    server: await instance.sample(),
    clientCpuSeconds: (user + system) / 1e6,
    machineBusySeconds: machineCpu().busySeconds,
    disk: device === null ? null : diskUse(device),
  }
}

/** CPU as cores used on average between two snapshots. */
export function between(before: Snapshot, after: Snapshot, recording: Pick<Recording, 'busyShare' | 'cpuSeconds' | 'completed'>): Resources {
  const { busyShare, cpuSeconds, completed } = recording
  const cpuUsPerOperation = completed === 0 ? null : (cpuSeconds / completed) * 1e6
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000)
  const client = (after.clientCpuSeconds - before.clientCpuSeconds) / seconds
  const all = (after.machineBusySeconds - before.machineBusySeconds) / seconds
  const disk = used(before.disk, after.disk)
  if (before.server === null || after.server === null)
    return { server: null, client: { cpuCores: client, busyShare, cpuUsPerOperation }, others: null, disk }
  const server = Math.max(0, after.server.cpuSeconds - before.server.cpuSeconds) / seconds
  return {
    server: {
      cpuCores: server,
      residentBytes: after.server.residentBytes,
    },
    client: { cpuCores: client, busyShare, cpuUsPerOperation },
    disk,
    others: { cpuCores: Math.max(0, all - server - client) },
  }
}

function used(before: DiskUse | null, after: DiskUse | null): DiskUse | null {
  if (before === null || after === null) return null
  return { readBytes: after.readBytes - before.readBytes, writtenBytes: after.writtenBytes - before.writtenBytes, syncs: after.syncs - before.syncs }
}
