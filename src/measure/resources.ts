/** What a trial cost inside its measured window: CPU of the server, of the harness, of everybody else; memory and bytes of the server. */
import type { DiskUse } from '../host/disk.ts'
import { usedBetween, without } from '../host/usage.ts'
import type { TrialSpec } from '../replay/arrivals.ts'
import type { Recording } from './recorder.ts'
import type { Course } from './sampler.ts'

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

/** Of what one worker did: every turn of a closed loop has an answer in it, so that there its CPU tells how much of the time it did not wait for one. */
export function busyShareOf(
  { loop, warmUpSeconds, seconds }: Pick<TrialSpec, 'loop' | 'warmUpSeconds' | 'seconds'>,
  { busyShare }: Pick<Recording, 'busyShare'>,
  cpuSeconds: number,
): number {
  return loop === 'closed' ? Math.min(1, cpuSeconds / (warmUpSeconds + seconds)) : busyShare
}

/** CPU as cores used on average between the edges of the window, less the windows that do not count. */
export function between(
  { before, after: end, edges, bound }: Pick<Course, 'before' | 'after' | 'edges' | 'bound'>,
  recording: Pick<Recording, 'busyShare' | 'cpuSeconds' | 'completed'>,
  isKept: readonly boolean[] = [],
): Resources {
  const leftOut = isKept.flatMap((kept, window) => {
    const [from, to] = [edges[window], edges[window + 1]]
    return kept || from === undefined || to === undefined ? [] : [[from, to] as const]
  })
  const after = without(before, end, leftOut)
  const { busyShare, cpuSeconds, completed } = recording
  const { serverCores, clientCores, othersCores, othersOnServerCores, othersOnHarnessCores, disk } = usedBetween(before, after, bound)
  return {
    server: serverCores === null || after.server === null ? null : { cpuCores: serverCores, residentBytes: after.server.residentBytes },
    client: { cpuCores: clientCores, busyShare, cpuUsPerOperation: completed === 0 ? null : (cpuSeconds / completed) * 1e6 },
    others: othersCores === null ? null : { cpuCores: othersCores, onServerCores: othersOnServerCores, onHarnessCores: othersOnHarnessCores },
    disk,
  }
}
