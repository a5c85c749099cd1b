/** What a trial cost: CPU of the server, of this process, of everybody else; memory and bytes of the server. */
import { machineCpu } from '../provision/processes.ts'
import type { Instance, Usage } from '../provision/provision.ts'

export interface Resources {
  server: { cpuCores: number; residentBytes: number; readBytes: number; writtenBytes: number }
  client: { cpuCores: number; busyShare: number }
  others: { cpuCores: number }
}
interface Snapshot {
  atMs: number
  server: Usage
  clientCpuSeconds: number
  machineBusySeconds: number
}

export function snapshot(instance: Instance): Snapshot {
  const { user, system } = process.cpuUsage()
  return { atMs: performance.now(), server: instance.sample(), clientCpuSeconds: (user + system) / 1e6, machineBusySeconds: machineCpu().busySeconds }
}

/** CPU as cores used on average between two snapshots. */
export function between(before: Snapshot, after: Snapshot, busyShare: number): Resources {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000)
  const server = Math.max(0, after.server.cpuSeconds - before.server.cpuSeconds) / seconds
  const client = (after.clientCpuSeconds - before.clientCpuSeconds) / seconds
  const all = (after.machineBusySeconds - before.machineBusySeconds) / seconds
  return {
    server: {
      cpuCores: server,
      residentBytes: after.server.residentBytes,
      readBytes: Math.max(0, after.server.readBytes - before.server.readBytes),
      writtenBytes: Math.max(0, after.server.writtenBytes - before.server.writtenBytes),
    },
    client: { cpuCores: client, busyShare },
    others: { cpuCores: Math.max(0, all - server - client) },
  }
}
