/** Whether the harness itself was out of the way: a verdict on every trial, with reasons. */

import type { HostPauses } from '../host/pauses.ts'
import type { Operation } from '../scenario/scenario.ts'
import { type OperationRecord, windowAt, windowSeconds } from './recorder.ts'
import type { Resources } from './resources.ts'
import type { Sample } from './sampler.ts'

export interface Validity {
  verdict: 'valid' | 'client-bound' | 'noisy' | 'broken'
  reasons: string[]
  /** Operations for which the trial decides nothing: over a limit with the harness's own delays, and within it without them. */
  clientBound: string[]
}

/** Of its core, the harness's own work. */
export const mostBusyShare = 0.65
/** Cores that others may use, on average and in one window: on those of the server, and on those of the harness, where both are bound. */
const noiseAllowance = 0.1
const noiseOfWindow = 0.5
/** A second. */
const minWindows = 1 / windowSeconds

/** `timeline`: the windows of the trial. `failure`: why the trial did not run to its end. `serverCores`: those that the server can use; null: nobody knows. */
export function judgeValidity(
  operations: Operation[],
  records: OperationRecord[],
  resources: Resources,
  timeline: Sample[],
  loop: 'open' | 'closed',
  failure: string | null,
  hostPauses: Pick<HostPauses, 'windowsLeftOut' | 'longestMs' | 'isKept'> | null = null,
  serverCores: number | null = null,
): Validity {
  if (failure !== null) return { verdict: 'broken', reasons: [failure], clientBound: [] }
  const bound = loop === 'closed' ? [] : boundByGaps(operations, records)
  const reasons = bound.map((each) => each.reason)
  let clientBound = bound.map((each) => each.operation)
  const busy = busyHarness(resources, loop, serverCores)
  if (busy !== null) {
    reasons.unshift(busy)
    clientBound = operations.filter((_, index) => (records[index]?.intended ?? 0) > 0).map(({ name }) => name)
  }
  // Others come first: a harness that was late because of them is no limit of the harness.
  const noise = [
    ...pausedIn(hostPauses),
    ...noiseIn(
      resources,
      timeline.filter((sample) => hostPauses?.isKept[windowAt(sample.atSeconds)] !== false),
    ),
  ]
  if (noise.length > 0) return { verdict: 'noisy', reasons: [...noise, ...reasons], clientBound }
  return { verdict: reasons.length > 0 ? 'client-bound' : 'valid', reasons, clientBound }
}

/**
 * What the harness worked, where that is too much; null: it is not. A closed loop keeps the slower of the two busy, so that there it is too much only
 * where the harness is that (Denning and Buzen, "The operational analysis of queueing network models", 1978, on bottlenecks).
 */
function busyHarness({ client: { busyShare }, server }: Resources, loop: 'open' | 'closed', serverCores: number | null): string | null {
  if (busyShare <= mostBusyShare) return null
  const worked = `the harness worked ${percent(busyShare)} of its core, more than ${percent(mostBusyShare)}`
  if (loop === 'open' || server === null || serverCores === null) return worked
  const serverShare = server.cpuCores / serverCores
  return busyShare > serverShare ? `${worked}, and more than the server of its own (${percent(serverShare)})` : null
}

/** Windows that are left out are no noise of those that are left; too few of them are no trial. */
function pausedIn(hostPauses: Pick<HostPauses, 'windowsLeftOut' | 'longestMs' | 'isKept'> | null): string[] {
  if (hostPauses === null) return []
  const { windowsLeftOut, longestMs, isKept } = hostPauses
  if (windowsLeftOut === 0 || isKept.length - windowsLeftOut >= Math.min(isKept.length, minWindows)) return []
  return [`the host paused the server's cores, for up to ${longestMs.toFixed(1)} ms: ${windowsLeftOut} of ${isKept.length} windows are left out`]
}

/** What others used, wherever that is more than a trial can bear: an absolute limit, whatever they used before the run. */
function noiseIn({ others }: Resources, timeline: Sample[]): string[] {
  if (others === null) return []
  const { cpuCores, onServerCores, onHarnessCores } = others
  const places =
    onServerCores === null || onHarnessCores === null
      ? [{ where: '', mean: cpuCores, inWindow: (sample: Sample) => sample.othersCores }]
      : [
          { where: ' of those of the server', mean: onServerCores, inWindow: (sample: Sample) => sample.othersOnServerCores },
          { where: ' of those of the harness', mean: onHarnessCores, inWindow: (sample: Sample) => sample.othersOnHarnessCores },
        ]
  return places.flatMap(({ where, mean, inWindow }) => {
    const worst = Math.max(0, ...timeline.map((sample) => inWindow(sample) ?? 0))
    if (mean > noiseAllowance) return [`others used ${mean.toFixed(2)} cores${where}, more than ${noiseAllowance}`]
    return worst > noiseOfWindow ? [`others used ${worst.toFixed(2)} cores${where} for ${windowSeconds * 1000} ms, more than ${noiseOfWindow}`] : []
  })
}

/** Operations whose share over a limit lies on another side of it without the gaps in which the harness did not turn. */
function boundByGaps(operations: Operation[], records: OperationRecord[]): { operation: string; reason: string }[] {
  return operations.flatMap(({ name, objectives }, index) => {
    const record = records[index]
    if (record === undefined || record.intended === 0) return []
    const at = objectives.findIndex(({ quantile }, each) => {
      const maxExceeded = (1 - quantile) * record.intended
      return (record.exceeded[each] as number) > maxExceeded && (record.exceededTwin[each] as number) <= maxExceeded
    })
    if (at < 0) return []
    const share = (exceeded: number[]) => `${((100 * (exceeded[at] as number)) / record.intended).toFixed(2)} %`
    const over = `${share(record.exceeded)} over ${objectives[at]?.name}, ${share(record.exceededTwin)} without the gaps in which the harness did not turn`
    return [{ operation: name, reason: `${name}: ${over}` }]
  })
}

const percent = (share: number) => `${Math.round(share * 100)} %`
