/** What a result says of a trial: counts, percentiles, which objectives it decides. */

import type { ClientKind, Compiled } from '../engines/engine.ts'
import type { HostPauses } from '../host/pauses.ts'
import { backlogOf } from '../measure/backlog.ts'
import { decide, errorsMissed, type Outcome } from '../measure/decide.ts'
import type { Histogram } from '../measure/histogram.ts'
import { type OperationRecord, type Recording, windowAt } from '../measure/recorder.ts'
import type { WorkloadCheck } from '../replay/workload.ts'
import type { HistogramResult, OperationResult, TrialResult } from '../result/result.ts'
import type { Operation } from '../scenario/scenario.ts'
import type { TrialOrder } from './orders.ts'
import type { TrialPlan } from './plan.ts'

export const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)

/** Of a candidate what its trials are described by. */
interface Tried {
  compiled: Compiled
  /** Operations that it can do. */
  supported: number[]
  mix: 'full' | 'partial'
  client: ClientKind
  ratesAt(multiple: number, mix?: 'common'): number[]
}

export function describeTrial(
  order: TrialOrder,
  recording: Recording,
  candidate: Tried,
  plan: TrialPlan,
  workload: Pick<WorkloadCheck, 'asked' | 'realised' | 'tiers'>,
  hostPauses: HostPauses | null,
): Omit<TrialResult, 'startedAt' | 'start' | 'validity' | 'resources' | 'timeline' | 'slowdown'> {
  const missed: string[] = []
  const undetermined: string[] = []
  const operations: Record<string, OperationResult> = {}
  const attempts = recording.operations.reduce((sum, record) => sum + record.attempts, 0)
  const mix: Record<string, number> = {}
  const skew: Record<string, number> = {}
  const askedSkew: Record<string, number> = {}
  const tiers: Record<string, number[]> = {}
  const scaleLimited = new Set(plan.operations.filter((each) => each.scaleLimited).map((each) => each.name))
  for (const index of candidate.supported) {
    if (order.mix === 'common' && recording.operations[index]?.intended === 0) continue
    const operation = candidate.compiled.operations[index] as Operation
    const record = recording.operations[index] as OperationRecord
    const cached =
      candidate.compiled.cache?.for.includes(operation.name) === true ? { cached: { answers: record.cached, judged: 0, outdated: 0 } } : {}
    operations[operation.name] = { ...operationResult(operation, record, order.loop), ...cached }
    mix[operation.name] = attempts === 0 ? 0 : record.attempts / attempts
    const [asked, realised] = [workload.asked[index] ?? null, workload.realised[index] ?? null]
    if (asked !== null && realised !== null) {
      askedSkew[operation.name] = asked
      skew[operation.name] = realised
    }
    const picked = workload.tiers[index]
    if (picked != null) tiers[operation.name] = picked
    const outcome = operationOutcome(operation, record)
    if (outcome === 'missed') missed.push(operation.name)
    else if (outcome === 'undetermined' || scaleLimited.has(operation.name)) undetermined.push(operation.name)
  }
  // Few samples and scale-limited operations can refute a step, not hold it up.
  const blocking = undetermined.filter(
    (name) =>
      !scaleLimited.has(name) && (recording.operations[candidate.compiled.operations.findIndex((each) => each.name === name)]?.intended ?? 0) >= 299,
  )
  const ratePerSecond = order.loop === 'open' ? sum(order.ratesPerSecond ?? candidate.ratesAt(order.multiple ?? 1, order.mix)) : null
  const backlog = ratePerSecond === null ? null : backlogOf(recording.unanswered, ratePerSecond)
  return {
    phase: order.phase,
    mix: order.mix ?? candidate.mix,
    client: order.client ?? candidate.client,
    repeat: order.repeat,
    arrival: {
      loop: order.loop,
      ratePerSecond,
      concurrency: order.loop === 'closed' ? order.concurrency : null,
      multiple: order.multiple,
    },
    connections: order.concurrency,
    seconds: recording.seconds,
    throughputPerSecond: recording.seconds === 0 ? 0 : sum(recording.operations.map((record) => record.completed)) / recording.seconds,
    backlog: backlog?.secondsPerSecond ?? null,
    saturated: backlog?.saturated ?? false,
    gapsUs: order.loop === 'open' ? histogramResult(recording.gaps) : null,
    outcome: missed.length > 0 ? 'missed' : blocking.length > 0 ? 'undetermined' : 'met',
    missed,
    undetermined,
    hostPauses: hostPauses && {
      limitMs: hostPauses.limitMs,
      count: hostPauses.count,
      longestMs: hostPauses.longestMs,
      windows: hostPauses.isKept.length,
      windowsLeftOut: hostPauses.windowsLeftOut,
    },
    windows: recording.windows.map((window) => ({ ...window, leftOut: hostPauses?.isKept[windowAt(window.atSeconds)] === false })),
    realised: { mix, skew, askedSkew, ...(Object.keys(tiers).length === 0 ? {} : { tiers }) },
    operations,
  }
}

function operationOutcome(operation: Operation, record: OperationRecord): Outcome {
  if (errorsMissed([{ exceeded: record.errorCount + record.dropped, intended: record.intended }], operation.errorShare)) return 'missed'
  const outcomes = operation.objectives.map((objective, at) => {
    const of = (exceeded: number[]) => decide([{ exceeded: exceeded[at] as number, intended: record.intended }], objective.quantile)
    const outcome = of(record.exceeded)
    // What depends on how late the harness was is decided in neither direction.
    return outcome === of(record.exceededTwin) ? outcome : 'undetermined'
  })
  return outcomes.includes('missed') ? 'missed' : outcomes.includes('undetermined') ? 'undetermined' : 'met'
}

function operationResult(operation: Operation, record: OperationRecord, loop: 'open' | 'closed'): OperationResult {
  return {
    intended: record.intended,
    attempts: record.attempts,
    ok: record.ok,
    miss: record.miss,
    conflict: record.conflict,
    retries: record.retries,
    errors: record.errors,
    errorDetails: record.errorDetails,
    dropped: record.dropped,
    wrong: 0,
    completed: record.completed,
    rowsPerOk: record.ok === 0 ? 0 : record.rows / record.ok,
    exceeded: Object.fromEntries(operation.objectives.map((objective, at) => [objective.name, record.exceeded[at] as number])),
    exceededTwin: Object.fromEntries(operation.objectives.map((objective, at) => [objective.name, record.exceededTwin[at] as number])),
    responseUs: loop === 'open' ? histogramResult(record.response) : null,
    serviceUs: histogramResult(record.service),
    queueUs: loop === 'open' ? histogramResult(record.queue) : null,
    dispatchUs: loop === 'open' ? histogramResult(record.dispatch) : null,
  }
}

function histogramResult(histogram: Histogram): HistogramResult {
  const at = (quantile: number) => histogram.quantileNs(quantile) / 1000
  return {
    count: histogram.count,
    mean: histogram.meanNs / 1000,
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    p999: at(0.999),
    max: histogram.maxNs / 1000,
    encoded: histogram.encode(),
  }
}
