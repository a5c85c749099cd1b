/** What a harness that does not turn does to response times, and that their twins are free of it: in virtual time and on the real clock. */
import { describe, expect, test } from 'vitest'
import { type SimulatedOptions, simulatedLane } from '../../../src/clients/simulated.ts'
import { makeDataset } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import type { OperationRecord, Recording } from '../../../src/measure/recorder.ts'
import { judgeValidity } from '../../../src/measure/validity.ts'
import type { TrialSpec } from '../../../src/replay/arrivals.ts'
import { type Clock, realClock } from '../../../src/replay/clock.ts'
import { Executor } from '../../../src/replay/executor.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import { VirtualClock } from './virtual-clock.ts'

const scenario = parseScenario(
  `name: queue
summary: one operation
seed: 1
epoch: 2026-01-01T00:00:00Z
entities: { thing: { count: 1000, fields: { id: { type: int, key: true } } } }
operations: { read: { get: thing, rate: 1/s, p99: 5ms } }
requirements: { peak: 1x, durability: fsync }
candidates: [none]
`,
  'queue.yaml',
)
const dataset = makeDataset(scenario, 1)
const rate = 10_000

/** Nothing of the harness happens in a stop: what is due in it comes at its end. */
class StoppingClock extends VirtualClock {
  readonly #stops: { atNs: number; forNs: number }[]

  constructor(stops: { atNs: number; forNs: number }[]) {
    super()
    this.#stops = stops
  }

  override wakeAt(atNs: number, callback: () => void): number {
    const stop = this.#stops.find((each) => atNs > each.atNs && atNs < each.atNs + each.forNs)
    super.wakeAt(stop === undefined ? atNs : stop.atNs + stop.forNs, callback)
    return atNs
  }
}

const slots = 10_000
function start(clock: Clock, spec: Partial<TrialSpec>, simulated: Partial<SimulatedOptions> = {}): Promise<Recording> {
  const options = { slots, servers: slots, meanServiceNs: 1e6, service: 'constant' as const, stalls: [], seed: 7, ...simulated }
  const whole: TrialSpec = {
    ...{ loop: 'open', arrival: 'constant', ratesPerSecond: [rate], concurrency: slots },
    ...{ warmUpSeconds: 0, seconds: 2, seed: 3, stream: 'test', ...spec },
  }
  const params = new DrawnParameters(dataset, scenario.operations, 'test', 1, scenario.epochMs)
  return new Executor(simulatedLane(options, clock), clock, whole, scenario.operations, params).run()
}
async function inVirtualTime(stops: { atNs: number; forNs: number }[], simulated: Partial<SimulatedOptions> = {}) {
  const clock = new StoppingClock(stops)
  const recording = start(clock, {}, simulated)
  clock.run()
  return await recording
}
const recordOf = (recording: Recording) => recording.operations[0] as OperationRecord
const verdictOn = (recording: Recording) =>
  judgeValidity(
    scenario.operations,
    recording.operations,
    { server: null, disk: null, client: { cpuCores: 1, busyShare: 0.1, cpuUsPerOperation: 1 }, others: null },
    [],
    'open',
    null,
  )

describe('a harness that stands still', () => {
  test('for 40 ms: what was to start and to be read then is late, and its twin is not', async () => {
    const recording = await inVirtualTime([{ atNs: 1e9, forNs: 40e6 }])
    const { exceeded, exceededTwin, response } = recordOf(recording)
    expect(response.maxNs).toBeGreaterThan(39e6)
    expect(exceeded[0]).toBeGreaterThan(0.03 * rate)
    expect(exceededTwin).toEqual([0])
    expect(recording.gaps.count).toBe(1)
    expect(Math.abs(recording.gaps.maxNs - 40e6)).toBeLessThan(0.3e6)
    expect(verdictOn(recording)).toMatchObject({ verdict: 'client-bound', clientBound: ['read'] })
    expect(verdictOn(recording).reasons).toEqual([
      expect.stringMatching(/^read: 1\.\d\d % over p99, 0\.00 % without the gaps in which the harness did not turn$/),
    ])
  })

  test('while the server stalls longer: only the gap is taken off', async () => {
    const stalls = [{ atNs: 1e9, forNs: 60e6 }]
    const [stalled, both] = [await inVirtualTime([], { stalls }), await inVirtualTime([{ atNs: 1.01e9, forNs: 10e6 }], { stalls })]
    expect(recordOf(both).exceeded).toEqual(recordOf(stalled).exceeded)
    // Whoever was late by less than the gap did not wait in it.
    expect(recordOf(both).exceededTwin).toEqual(recordOf(both).exceeded)
    expect(both.gaps.count).toBe(1)
    expect(verdictOn(both).verdict).toBe('valid')
  })

  test('in a closed loop nothing is told: there completions drive the loop', async () => {
    const clock = new StoppingClock([{ atNs: 0.5e9, forNs: 40e6 }])
    const recording = start(clock, { loop: 'closed', concurrency: 4, seconds: 1 })
    clock.run()
    expect((await recording).gaps.count).toBe(0)
    expect(recordOf(await recording).exceededTwin).toEqual(recordOf(await recording).exceeded)
  })
})

test('a server that stalls is waited for: twin and response are the same', async () => {
  const recording = await inVirtualTime([], { stalls: [{ atNs: 1e9, forNs: 40e6 }] })
  const { exceeded, exceededTwin } = recordOf(recording)
  expect(exceeded[0]).toBeGreaterThan(0.03 * rate)
  expect(exceededTwin).toEqual(exceeded)
  expect(recording.gaps.count).toBe(0)
  expect(verdictOn(recording)).toEqual({ verdict: 'valid', reasons: [], clientBound: [] })
})

test('on the real clock a loop that is blocked is a gap', async () => {
  const blocks = [300, 450, 600].map((atMs) =>
    setTimeout(() => {
      for (const end = performance.now() + 40; performance.now() < end; );
    }, atMs),
  )
  const recording = await start(realClock, { ratesPerSecond: [1000], seconds: 1 })
  for (const block of blocks) clearTimeout(block)
  const { exceeded, exceededTwin } = recordOf(recording)
  expect(recording.gaps.maxNs).toBeGreaterThan(35e6)
  expect(exceeded[0]).toBeGreaterThan(60)
  expect(exceededTwin[0]).toBeLessThan((exceeded[0] as number) / 2)
})
