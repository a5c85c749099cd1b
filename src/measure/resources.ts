/** What a trial cost: CPU of the server, of this process, of everybody else; memory and bytes of the server. */
import { machineCpu } from '../provision/processes.ts'
import type { Instance, Usage } from '../provision/provision.ts'
import type { Recording } from './recorder.ts'

export interface Resources {
  /** null: nobody tells. */
  server: { cpuCores: number; residentBytes: number; readBytes: number; writtenBytes: number } | null
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
}

export async function snapshot(instance: Instance): Promise<Snapshot> {
  const { user, system } = process.cpuUsage()
  return {
    atMs: performance.now(),
    server: await instance.sample(),
    clientCpuSeconds: (user + system) / 1e6,
    machineBusySeconds: machineCpu().busySeconds,
  }
}

/** CPU as cores used on average between two snapshots. */
export function between(before: Snapshot, after: Snapshot, recording: Pick<Recording, 'busyShare' | 'cpuSeconds' | 'completed'>): Resources {
  const { busyShare, cpuSeconds, completed } = recording
  const cpuUsPerOperation = completed === 0 ? null : (cpuSeconds / completed) * 1e6
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000)
  const client = (after.clientCpuSeconds - before.clientCpuSeconds) / seconds
  const all = (after.machineBusySeconds - before.machineBusySeconds) / seconds
  if (before.server === null || after.server === null)
    return { server: null, client: { cpuCores: client, busyShare, cpuUsPerOperation }, others: null }
  const server = Math.max(0, after.server.cpuSeconds - before.server.cpuSeconds) / seconds
  return {
    server: {
      cpuCores: server,
      residentBytes: after.server.residentBytes,
      readBytes: Math.max(0, after.server.readBytes - before.server.readBytes),
      writtenBytes: Math.max(0, after.server.writtenBytes - before.server.writtenBytes),
    },
    client: { cpuCores: client, busyShare, cpuUsPerOperation },
    others: { cpuCores: Math.max(0, all - server - client) },
  }
}
