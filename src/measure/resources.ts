/** What a trial cost inside its measured window: CPU of the server, of the harness, of everybody else; memory and bytes of the server. */
import type { DiskUse } from './disk.ts'
import type { Recording } from './recorder.ts'
import type { Course } from './sampler.ts'
import { usedBetween } from './usage.ts'

export interface Resources {
  /** null: nobody tells. */
  server: { cpuCores: number; residentBytes: number } | null
  /** Of the disk that holds the data, whoever caused it; null where it cannot be named. */
  disk: DiskUse | null
  /** `cpuUsPerOperation`: of what replays; pacing included, so it tells something of closed loops only. */
  client: { cpuCores: number; busyShare: number; cpuUsPerOperation: number | null }
  /** null where the server's own share is unknown; on whose cores, where both are bound to theirs. */
  others: { cpuCores: number; onServerCores: number | null; onHarnessCores: number | null } | null
}

/** CPU as cores used on average between two readings. */
export function between(
  { before, after, bound }: Pick<Course, 'before' | 'after' | 'bound'>,
  recording: Pick<Recording, 'busyShare' | 'cpuSeconds' | 'completed'>,
): Resources {
  const { busyShare, cpuSeconds, completed } = recording
  const { serverCores, clientCores, othersCores, othersOnServerCores, othersOnHarnessCores, disk } = usedBetween(before, after, bound)
  return {
    server: serverCores === null || after.server === null ? null : { cpuCores: serverCores, residentBytes: after.server.residentBytes },
    client: { cpuCores: clientCores, busyShare, cpuUsPerOperation: completed === 0 ? null : (cpuSeconds / completed) * 1e6 },
    others: othersCores === null ? null : { cpuCores: othersCores, onServerCores: othersOnServerCores, onHarnessCores: othersOnHarnessCores },
    disk,
  }
}
