/** Whether the harness itself was out of the way: a verdict on every trial, with reasons. */
import type { Operation } from '../scenario/scenario.ts'
import type { OperationRecord } from './recorder.ts'
import type { Resources } from './resources.ts'

export interface Validity {
  verdict: 'valid' | 'client-bound' | 'noisy' | 'broken'
  reasons: string[]
}

/** Of its core, the harness's own work. */
export const mostBusyShare = 0.65
/** Cores above the idle baseline that others may use. */
const noiseAllowance = 0.08
const fewestSamples = 100

/** `baselineCores`: what others used while the machine was idle. `failure`: why the trial did not run to its end. */
export function judgeValidity(
  operations: Operation[],
  records: OperationRecord[],
  resources: Resources,
  baselineCores: number,
  loop: 'open' | 'closed',
  failure: string | null,
): Validity {
  if (failure !== null) return { verdict: 'broken', reasons: [failure] }
  const reasons: string[] = []
  if (loop === 'open' && resources.client.busyShare > mostBusyShare)
    reasons.push(`the harness worked ${percent(resources.client.busyShare)} of its core, more than ${percent(mostBusyShare)}`)
  for (const [index, operation] of operations.entries()) {
    const record = records[index]
    if (loop === 'closed' || record === undefined || record.response.count < fewestSamples) continue
    for (const { name, quantile } of operation.objectives) {
      const response = record.response.quantileNs(quantile)
      const dispatch = record.dispatch.quantileNs(quantile)
      if (dispatch > response / 4)
        reasons.push(`${operation.name}: dispatch delay ${micros(dispatch)} at ${name} is more than a quarter of ${micros(response)}`)
    }
  }
  // Others come first: a harness that was late because of them is no limit of the harness.
  if (resources.others !== null && resources.others.cpuCores - baselineCores > noiseAllowance) {
    const others = `others used ${resources.others.cpuCores.toFixed(2)} cores, the idle baseline is ${baselineCores.toFixed(2)}`
    return { verdict: 'noisy', reasons: [others, ...reasons] }
  }
  return reasons.length > 0 ? { verdict: 'client-bound', reasons } : { verdict: 'valid', reasons }
}

const percent = (share: number) => `${Math.round(share * 100)} %`
const micros = (ns: number) => (ns >= 1e6 ? `${(ns / 1e6).toFixed(1)} ms` : `${Math.round(ns / 1e3)} µs`)
