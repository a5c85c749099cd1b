/** Whether the harness itself was out of the way: a verdict on every trial, with reasons. */
import type { Operation } from '../scenario/scenario.ts'
import type { OperationRecord } from './recorder.ts'
import type { Resources } from './resources.ts'

export interface Validity {
  verdict: 'valid' | 'client-bound' | 'noisy' | 'broken'
  reasons: string[]
  /** Operations for which the trial decides nothing: over a limit with the harness's own delays, and within it without them. */
  clientBound: string[]
}

/** Of its core, the harness's own work. */
export const mostBusyShare = 0.65
/** Cores above the idle baseline that others may use. */
const noiseAllowance = 0.08

/** `baselineCores`: what others used while the machine was idle. `failure`: why the trial did not run to its end. */
export function judgeValidity(
  operations: Operation[],
  records: OperationRecord[],
  resources: Resources,
  baselineCores: number,
  loop: 'open' | 'closed',
  failure: string | null,
): Validity {
  if (failure !== null) return { verdict: 'broken', reasons: [failure], clientBound: [] }
  const bound = loop === 'closed' ? [] : boundByGaps(operations, records)
  const reasons = bound.map((each) => each.reason)
  let clientBound = bound.map((each) => each.operation)
  if (loop === 'open' && resources.client.busyShare > mostBusyShare) {
    reasons.unshift(`the harness worked ${percent(resources.client.busyShare)} of its core, more than ${percent(mostBusyShare)}`)
    clientBound = operations.filter((_, index) => (records[index]?.intended ?? 0) > 0).map(({ name }) => name)
  }
  // Others come first: a harness that was late because of them is no limit of the harness.
  if (resources.others !== null && resources.others.cpuCores - baselineCores > noiseAllowance) {
    const others = `others used ${resources.others.cpuCores.toFixed(2)} cores, the idle baseline is ${baselineCores.toFixed(2)}`
    return { verdict: 'noisy', reasons: [others, ...reasons], clientBound }
  }
  return { verdict: reasons.length > 0 ? 'client-bound' : 'valid', reasons, clientBound }
}

/** Operations whose share over a limit lies on another side of it without the gaps in which the harness did not turn. */
function boundByGaps(operations: Operation[], records: OperationRecord[]): { operation: string; reason: string }[] {
  return operations.flatMap(({ name, objectives }, index) => {
    const record = records[index]
    if (record === undefined || record.intended === 0) return []
    const at = objectives.findIndex(({ quantile }, each) => {
      const mostExceeded = (1 - quantile) * record.intended
      return (record.exceeded[each] as number) > mostExceeded && (record.exceededTwin[each] as number) <= mostExceeded
    })
    if (at < 0) return []
    const share = (exceeded: number[]) => `${((100 * (exceeded[at] as number)) / record.intended).toFixed(2)} %`
    const over = `${share(record.exceeded)} over ${objectives[at]?.name}, ${share(record.exceededTwin)} without the gaps in which the harness did not turn`
    return [{ operation: name, reason: `${name}: ${over}` }]
  })
}

const percent = (share: number) => `${Math.round(share * 100)} %`
