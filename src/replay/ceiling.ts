/** What the harness itself can do on this scenario: the production executor and parameters, with an engine that answers at once. */

import { simulatedLane } from '../clients/simulated.ts'
import type { Dataset } from '../data/dataset.ts'
import { DrawnParameters } from '../data/drawn.ts'
import { mostBusyShare } from '../measure/validity.ts'
import type { Operation } from '../scenario/scenario.ts'
import type { TrialSpec } from './arrivals.ts'
import { realClock } from './clock.ts'
import { Executor } from './executor.ts'

export interface Ceiling {
  /** Closed loop, operations per second on one core, drawing parameters included. */
  operationsPerSecond: number
  /** First send − intended start of open loops, µs, and the share of the core that the harness's own work took. */
  dispatch: { ratePerSecond: number; p50Us: number; p99Us: number; busyShare: number }[]
  /** The highest of these rates at which the harness stays below the share that makes a trial client-bound; null: none. */
  openRatePerSecond: number | null
}

const slots = 16

/** `seconds` of each loop; `ratesPerSecond` ascending. */
export async function measureCeiling(dataset: Dataset, operations: Operation[], seconds: number, ratesPerSecond: number[]): Promise<Ceiling> {
  const total = operations.reduce((sum, operation) => sum + operation.ratePerSecond, 0)
  const run = async (loop: TrialSpec['loop'], ratePerSecond: number) => {
    const spec: TrialSpec = {
      loop,
      arrival: 'poisson',
      ratesPerSecond: operations.map((operation) => (operation.ratePerSecond / total) * ratePerSecond),
      concurrency: slots,
      warmUpSeconds: Math.min(1, seconds / 2),
      seconds,
      seed: dataset.scenario.seed,
      stream: 'ceiling',
    }
    const lane = simulatedLane({ slots, servers: slots, meanServiceNs: 1, service: 'constant', stalls: [], seed: 1 }, realClock)
    const params = new DrawnParameters(dataset, operations, 'ceiling', 0, dataset.scenario.epochMs)
    return await new Executor(lane, realClock, spec, operations, params).run()
  }
  const closed = await run('closed', 1)
  const dispatch: Ceiling['dispatch'] = []
  for (const ratePerSecond of ratesPerSecond) {
    const { operations: records, busyShare } = await run('open', ratePerSecond)
    const [first, ...others] = records
    if (first === undefined) break
    for (const other of others) first.dispatch.merge(other.dispatch)
    dispatch.push({ ratePerSecond, p50Us: first.dispatch.quantileNs(0.5) / 1000, p99Us: first.dispatch.quantileNs(0.99) / 1000, busyShare })
  }
  const sustained = dispatch.filter((each) => each.busyShare <= mostBusyShare).map((each) => each.ratePerSecond)
  return {
    operationsPerSecond: Math.round(closed.operations.reduce((sum, each) => sum + each.ok, 0) / closed.seconds),
    dispatch,
    openRatePerSecond: sustained.length === 0 ? null : Math.max(...sustained),
  }
}
