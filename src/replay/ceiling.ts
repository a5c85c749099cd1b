/** What the harness itself can do on this scenario: the production executor and parameters, with an engine that answers at once. */
import type { Dataset } from '../data/dataset.ts'
import { DrawnParameters } from '../data/drawn.ts'
import { simulatedLane } from '../engines/simulated.ts'
import type { Operation } from '../scenario/scenario.ts'
import { realClock } from './clock.ts'
import { Executor, type TrialSpec } from './executor.ts'

export interface Ceiling {
  /** Closed loop, operations per second on one core, drawing parameters included. */
  operationsPerSecond: number
  /** First send − intended start of an open loop, µs. */
  dispatchUs: { p50: number; p99: number; atRatePerSecond: number }
}

const seconds = 0.5
const slots = 16
const usualRatePerSecond = 2000

export async function measureCeiling(dataset: Dataset, operations: Operation[], openRatePerSecond = usualRatePerSecond): Promise<Ceiling> {
  const total = operations.reduce((sum, operation) => sum + operation.ratePerSecond, 0)
  const run = async (loop: TrialSpec['loop']) => {
    const ratesPerSecond = operations.map((operation) => (operation.ratePerSecond / total) * openRatePerSecond)
    const spec: TrialSpec = {
      loop,
      arrival: 'poisson',
      ratesPerSecond,
      concurrency: slots,
      warmUpSeconds: 0.2,
      seconds,
      seed: dataset.scenario.seed,
      stream: 'ceiling',
    }
    const lane = simulatedLane({ slots, servers: slots, meanServiceNs: 1, service: 'constant', stalls: [], seed: 1 }, realClock)
    const params = new DrawnParameters(dataset, operations, 'ceiling', 0, () => dataset.scenario.epochMs)
    return await new Executor(lane, realClock, spec, operations, params).run()
  }
  const closed = await run('closed')
  const open = await run('open')
  const busiest = open.operations.reduce((most, each) => (each.dispatch.count > most.dispatch.count ? each : most))
  return {
    operationsPerSecond: Math.round(closed.operations.reduce((sum, each) => sum + each.ok, 0) / seconds),
    dispatchUs: { p50: busiest.dispatch.quantileNs(0.5) / 1000, p99: busiest.dispatch.quantileNs(0.99) / 1000, atRatePerSecond: openRatePerSecond },
  }
}
