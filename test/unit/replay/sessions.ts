/** Trials in virtual time of a scenario whose rows are drawn newest first, against servers of several tempers. */
import { type Dataset, makeDataset } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { canonical } from '../../../src/data/value.ts'
import type { Lane, OutcomeCode } from '../../../src/engines/engine.ts'
import type { Recording } from '../../../src/measure/recorder.ts'
import type { TrialSpec } from '../../../src/replay/arrivals.ts'
import { Executor } from '../../../src/replay/executor.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import { VirtualClock } from './virtual-clock.ts'

export const scenario = parseScenario(
  `name: sessions
summary: "sessions that are read and written, newest first"
seed: 7
epoch: 2026-01-01T00:00:00Z
entities:
  session: { count: 400, fields: { id: { type: uuid, key: true }, data: { type: json, size: 60B } } }
operations:
  read: { get: session, pick: { skew: latest(0.99) }, rate: 500/s, p99: 50ms }
  write: { put: session, pick: { skew: latest(0.99) }, keys: { existing: 98%, new: 2% }, rate: 500/s, p99: 50ms }
  open: { insert: session, rate: 1/s, p99: 50ms }
requirements: { peak: 2x, durability: fsync }
candidates: [none]
`,
  'sessions.yaml',
)
export const { operations } = scenario
export const dataset = makeDataset(scenario, 1)

export interface Server {
  delayNs: (call: number) => number
  outcome: (call: number) => OutcomeCode
}
export const steady: Server = { delayNs: () => 1e6, outcome: () => 'ok' }
/** Slow, out of order, and every third call fails. */
export const troubled: Server = { delayNs: (call) => 1e6 * (1 + ((call * 7919) % 40)), outcome: (call) => (call % 3 === 0 ? 'error' : 'ok') }

export async function run(
  server: Server,
  spec: Partial<TrialSpec> = {},
  of: Dataset = dataset,
): Promise<{ sent: string[]; recording: Recording; spec: TrialSpec }> {
  const { operations } = of.scenario
  const clock = new VirtualClock()
  const sent: string[] = []
  const lane: Lane = {
    slots: 64,
    onDone: () => {},
    onAnswer: () => {},
    flush: () => {},
    send(slot, operation, params) {
      const call = sent.push(`${operation} ${canonical(params.values())}`)
      clock.wakeAt(clock.nowNs() + server.delayNs(call), () => lane.onDone(slot, server.outcome(call), 1, 0, 'E'))
    },
    [Symbol.asyncDispose]: async () => {},
  }
  const whole: TrialSpec = {
    loop: 'open',
    arrival: 'poisson',
    ratesPerSecond: operations.map(({ ratePerSecond }) => ratePerSecond),
    concurrency: 64,
    warmUpSeconds: 0,
    seconds: 20,
    seed: 7,
    stream: 'workload',
    ...spec,
  }
  const params = new DrawnParameters(of, operations, 'workload', 4, of.scenario.epochMs)
  const recording = new Executor(lane, clock, whole, operations, params).run()
  clock.run()
  return { sent, recording: await recording, spec: whole }
}
