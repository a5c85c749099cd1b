/** The production executor in virtual time, against queueing theory. */
import { describe, expect, test } from 'vitest'
import { type SimulatedOptions, simulatedLane } from '../../../src/clients/simulated.ts'
import { makeDataset } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { backlogOf } from '../../../src/measure/backlog.ts'
import type { OperationRecord, Recording } from '../../../src/measure/recorder.ts'
import { Samples } from '../../../src/measure/samples.ts'
import type { TrialSpec } from '../../../src/replay/arrivals.ts'
import { constantArrivals, poissonArrivals } from '../../../src/replay/arrivals.ts'
import { Executor } from '../../../src/replay/executor.ts'
import { Fifo } from '../../../src/replay/fifo.ts'
import { ratesAround } from '../../../src/replay/rates.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import { type CurvePoint, fitCurve } from '../../../src/stats/exceedance-curve.ts'
import { VirtualClock } from './virtual-clock.ts'

const scenarioWith = (p99: string) =>
  parseScenario(
    `name: queue
summary: one operation
seed: 1
epoch: 2026-01-01T00:00:00Z
entities: { thing: { count: 1000, fields: { id: { type: int, key: true } } } }
operations: { read: { get: thing, rate: 1/s, p99: ${p99} } }
requirements: { peak: 1x, durability: fsync }
candidates: [none]
`,
    'queue.yaml',
  )
const scenario = scenarioWith('100s')
const dataset = makeDataset(scenario, 1)

async function run(...[spec, simulated, operations]: Parameters<typeof record>): Promise<OperationRecord> {
  return (await record(spec, simulated, operations)).operations[0] as OperationRecord
}

async function record(...asked: Parameters<typeof execute>): Promise<Recording> {
  return (await execute(...asked)).recording
}

async function execute(
  spec: Partial<TrialSpec> & { ratesPerSecond: number[]; seconds: number },
  simulated: Partial<SimulatedOptions>,
  operations = scenario.operations,
  samples = new Samples(),
): Promise<{ recording: Recording; executor: Executor }> {
  const clock = new VirtualClock()
  const slots = simulated.slots ?? 1_000_000
  const lane = simulatedLane({ slots, servers: slots, meanServiceNs: 1e6, service: 'exponential', stalls: [], seed: 7, ...simulated }, clock)
  const whole: TrialSpec = { loop: 'open', arrival: 'poisson', concurrency: slots, warmUpSeconds: 0, seed: 3, stream: 'test', ...spec }
  const params = new DrawnParameters(dataset, operations, 'test', 1, scenario.epochMs)
  const executor = new Executor(lane, clock, whole, operations, params, samples)
  const recording = executor.run()
  clock.run()
  return { recording: await recording, executor }
}

const within = (value: number, expected: number, share = 0.05) =>
  expect(Math.abs(value - expected) / expected, `${value} against ${expected}`).toBeLessThan(share)

describe('response times are those of queueing theory', () => {
  // 10⁶ operations each: at 1000 per second of virtual time, service times set the utilisation.
  test.each([0.3, 0.6, 0.8])('M/M/1 at %d', async (utilisation) => {
    const record = await run({ ratesPerSecond: [1000], seconds: 1000 }, { slots: 10_000, servers: 1, meanServiceNs: utilisation * 1e6 })
    const meanNs = (utilisation * 1e6) / (1 - utilisation)
    within(record.intended, 1e6, 0.01)
    within(record.response.meanNs, meanNs)
    for (const quantile of [0.5, 0.9, 0.99]) within(record.response.quantileNs(quantile), -meanNs * Math.log(1 - quantile))
  })

  test.each([0.3, 0.6, 0.8])('M/D/1 at %d', async (utilisation) => {
    const serviceNs = utilisation * 1e6
    const record = await run({ ratesPerSecond: [1000], seconds: 1000 }, { slots: 10_000, servers: 1, meanServiceNs: serviceNs, service: 'constant' })
    within(record.response.meanNs, serviceNs * (1 + utilisation / (2 * (1 - utilisation))))
  })

  test.each([0.3, 0.6, 0.8])("M/M/4 at %d, the queue being the executor's own", async (utilisation) => {
    const servers = 4
    const serviceNs = utilisation * servers * 1e6
    const record = await run({ ratesPerSecond: [1000], seconds: 1000 }, { slots: servers, servers, meanServiceNs: serviceNs })
    const load = utilisation * servers
    let erlang = 1
    for (let k = 1; k <= servers; k++) erlang = (load * erlang) / (k + load * erlang)
    const waiting = erlang / (1 - utilisation * (1 - erlang))
    within(record.response.meanNs, serviceNs * (1 + waiting / (servers * (1 - utilisation))))
    within(record.service.meanNs, serviceNs)
    within(record.queue.meanNs, (serviceNs * waiting) / (servers * (1 - utilisation)), 0.08)
    expect(record.dispatch.maxNs).toBe(0)
  })
})

describe('a stall is seen whole', () => {
  test('unlimited servers: mean response rises by s²/(2T)', async () => {
    const [s, t] = [2, 20]
    const calm = await run({ ratesPerSecond: [2000], seconds: t, arrival: 'constant' }, { meanServiceNs: 1000, service: 'constant' })
    const stalled = await run(
      { ratesPerSecond: [2000], seconds: t, arrival: 'constant' },
      { meanServiceNs: 1000, service: 'constant', stalls: [{ atNs: 5e9, forNs: s * 1e9 }] },
    )
    within(stalled.response.meanNs - calm.response.meanNs, (s * s * 1e9) / (2 * t))
    // With a server for everybody nothing waits before it is sent: service shows the whole stall, too.
    within(stalled.service.meanNs - calm.service.meanNs, (s * s * 1e9) / (2 * t))
  })

  test('one server: by s²/(2T(1−ρ)), while service barely shows it', async () => {
    const [s, t, utilisation, rate] = [1, 40, 0.5, 2000]
    const serviceNs = (utilisation / rate) * 1e9
    const options = { slots: 1, servers: 1, meanServiceNs: serviceNs, service: 'constant' as const }
    const calm = await run({ ratesPerSecond: [rate], seconds: t, arrival: 'constant' }, options)
    const stalled = await run({ ratesPerSecond: [rate], seconds: t, arrival: 'constant' }, { ...options, stalls: [{ atNs: 5e9, forNs: s * 1e9 }] })
    within(stalled.response.meanNs - calm.response.meanNs, (s * s * 1e9) / (2 * t * (1 - utilisation)))
    within(stalled.service.meanNs - calm.service.meanNs, (s * 1e9) / (rate * t))
  })
})

describe('throughput is what was answered inside the window', () => {
  const server = { slots: 1, servers: 1, meanServiceNs: 2e6, service: 'constant' as const }
  const windowed = ({ windows }: Recording) => windows.map((window) => window.completed)

  test('of twice what a server can do half is answered in time, and half a second of backlog is added per second', async () => {
    const recording = await record({ ratesPerSecond: [1000], seconds: 4, warmUpSeconds: 1, arrival: 'constant' }, server)
    const [operation] = recording.operations
    within((operation?.completed ?? 0) / recording.seconds, 500, 0.01)
    expect(operation?.ok, 'what was answered while the queue drained counts as answered').toBeGreaterThan(3000)
    for (const completed of windowed(recording).slice(0, 16)) within(completed, 125, 0.03)
    const backlog = backlogOf(recording.unanswered, 1000)
    within(backlog.secondsPerSecond, 0.5)
    expect(backlog.saturated).toBe(true)
  })

  test('drops are no answers: the backlog goes on growing where the age bound keeps the queue short', async () => {
    const recording = await record({ ratesPerSecond: [1000], seconds: 60 }, { ...server, meanServiceNs: 1e7 }, scenarioWith('20ms').operations)
    within((recording.operations[0]?.completed ?? 0) / recording.seconds, 100, 0.01)
    within(backlogOf(recording.unanswered, 1000).secondsPerSecond, 0.9)
  })

  test.each([0.5, 0.9])('a server that is busy %d of its time answers what comes', async (utilisation) => {
    const recording = await record({ ratesPerSecond: [utilisation * 500], seconds: 5 }, server)
    within((recording.operations[0]?.completed ?? 0) / recording.seconds, (recording.operations[0]?.intended ?? 0) / recording.seconds, 0.02)
    expect(backlogOf(recording.unanswered, utilisation * 500).saturated).toBe(false)
  })

  test.each([0.5, 4.7])('a stall of 300 ms is none, at %d s either', async (atSeconds) => {
    const recording = await record({ ratesPerSecond: [250], seconds: 5 }, { ...server, stalls: [{ atNs: atSeconds * 1e9, forNs: 3e8 }] })
    expect(backlogOf(recording.unanswered, 250).saturated).toBe(false)
  })

  test('every window counts its own answers, and judges what was to start in it', async () => {
    const recording = await record({ ratesPerSecond: [1000], seconds: 2, arrival: 'constant' }, { meanServiceNs: 3e8, service: 'constant' })
    expect(windowed(recording).slice(0, 2)).toEqual([0, 200])
    for (const window of recording.windows.slice(0, 8)) within(window.intended, 250, 0.01)
    expect(recording.windows.reduce((total, window) => total + window.completed, 0)).toBe(recording.operations[0]?.completed)
  })

  test('a closed loop: all that its window holds', async () => {
    const recording = await record({ loop: 'closed', concurrency: 4, ratesPerSecond: [1], seconds: 1, warmUpSeconds: 0.5 }, { ...server, slots: 4 })
    within(recording.operations[0]?.completed ?? 0, 500, 0.01)
  })
})

describe('the response curve in virtual time', () => {
  // M/M/1: p99 = s·ln(100)/(1−ρ), so a limit L is reached at ρ = 1 − s·ln(100)/L.
  const { operations } = scenarioWith('20ms')
  const analytic = (1 - (1e-3 * Math.log(100)) / 20e-3) / 1e-3

  test('finds the analytic bound within 5 %, from rates that it chooses itself', async () => {
    const points: CurvePoint[] = []
    for (let start = 1; start <= 3; start++) {
      const expected = new Set(points.map((point) => point.multiple)).size < 3 ? null : fitCurve(points, 0.01)
      for (const rate of ratesAround(expected, 1000, 4)) {
        const record = await run(
          { ratesPerSecond: [rate], seconds: 60, stream: `start ${start}` },
          { slots: 100_000, servers: 1, meanServiceNs: 1e6 },
          operations,
        )
        points.push({ multiple: rate, start, exceeded: record.exceeded[0] as number, intended: record.intended })
      }
    }
    const curve = fitCurve(points, 0.01)
    within(curve.mid, analytic)
    expect(curve.low).toBeLessThan(analytic)
    expect(curve.high).toBeGreaterThan(analytic)
    expect(curve.high / curve.low).toBeLessThan(1.25)
  }, 60_000)
})

describe('accounting', () => {
  test('an overloaded server: what waits longer than the age bound is dropped, and nothing is lost from the count', async () => {
    const record = await run({ ratesPerSecond: [1000], seconds: 2500 }, { slots: 1, servers: 1, meanServiceNs: 1e7, service: 'constant' })
    expect(record.dropped).toBeGreaterThan(0)
    expect(record.intended).toBe(record.ok + record.dropped + record.errorCount)
    expect(record.response.count).toBe(record.intended)
  })

  test('an operation that never returns is a timeout whose age is a lower bound', async () => {
    const record = await run({ ratesPerSecond: [10], seconds: 10 }, { stalls: [{ atNs: 5e9, forNs: 1e15 }] })
    expect(record.errors.timeout).toBeGreaterThan(30)
    expect(record.intended).toBe(record.ok + record.errorCount + record.dropped)
    expect(record.exceeded[0]).toBe(record.errorCount + record.dropped)
  })

  test('the warm-up is not recorded', async () => {
    const record = await run({ ratesPerSecond: [1000], seconds: 5, warmUpSeconds: 5 }, {})
    within(record.intended, 5000, 0.05)
  })

  test('a closed loop keeps its number in flight, and has no response time', async () => {
    const record = await run(
      { loop: 'closed', concurrency: 8, ratesPerSecond: [1], seconds: 100 },
      { slots: 8, servers: 8, meanServiceNs: 1e6, service: 'constant' },
    )
    within(record.ok, 800_000, 0.001)
    expect(record.response.count).toBe(0)
    within(record.service.meanNs, 1e6, 0.01)
  })
})

describe('windows that are left out', () => {
  const { operations } = scenarioWith('20ms')
  const server = { slots: 100, servers: 1, meanServiceNs: 1e6, service: 'constant' as const, stalls: [{ atNs: 2.1e9, forNs: 5e7 }] }
  const stalled = (samples?: Samples) => execute({ ratesPerSecond: [400], seconds: 5, warmUpSeconds: 1 }, server, operations, samples)

  test('take their starts along: those that went over the limit, their times and what was answered in them', async () => {
    const { recording, executor } = await stalled()
    const [whole] = recording.operations as [OperationRecord]
    const isKept = (window: number) => window !== 4
    const [kept, out] = [isKept, (window: number) => !isKept(window)].map((each) => executor.recordsOf(each)[0]) as [OperationRecord, OperationRecord]
    expect(whole.exceeded[0], 'the stall is in the fifth window').toBeGreaterThan(5)
    expect(kept.exceeded).toEqual([0])
    expect(kept.response.maxNs).toBeLessThan(20e6)
    expect(out.response.maxNs).toBeGreaterThan(45e6)
    expect(out.intended).toBe(recording.windows[4]?.intended)
    expect(out.completed).toBe(recording.windows[4]?.completed)
    for (const key of ['intended', 'attempts', 'ok', 'completed', 'rows'] as const) expect(kept[key] + out[key], key).toBe(whole[key])
    for (const key of ['response', 'service', 'queue', 'dispatch'] as const) {
      expect(kept[key].count + out[key].count, key).toBe(whole[key].count)
      expect(whole[key].count, key).toBe(whole.intended)
    }
  })

  test('nothing of an earlier trial is in the samples that are used again', async () => {
    const samples = new Samples()
    const recordings = [await stalled(samples), await stalled(samples)].map(({ recording }) => recording.operations[0] as OperationRecord)
    expect(recordings[1]?.response.encode()).toBe(recordings[0]?.response.encode())
  })
})

describe('arrivals', () => {
  const take = (arrivals: ReturnType<typeof poissonArrivals>, n: number) =>
    Array.from({ length: n }, () => {
      const at = { operation: arrivals.operation, ns: arrivals.nextNs }
      arrivals.advance()
      return at
    })

  test("are the same for the same name, ascend, and keep each operation's rate", () => {
    const found = take(poissonArrivals([100, 300, 0], 5, 'a'), 40_000)
    expect(take(poissonArrivals([100, 300, 0], 5, 'a'), 100)).toEqual(found.slice(0, 100))
    expect(take(poissonArrivals([100, 300, 0], 5, 'b'), 100)).not.toEqual(found.slice(0, 100))
    expect(found.every((each, at) => at === 0 || each.ns >= (found[at - 1]?.ns ?? 0))).toBe(true)
    within(found.filter((each) => each.operation === 1).length / found.filter((each) => each.operation === 0).length, 3)
    within(found.length / ((found.at(-1)?.ns ?? 1) / 1e9), 400)
  })

  test('constant ones are evenly spaced', () => {
    const found = take(constantArrivals([100]), 5)
    expect(found.map((each, at) => each.ns - (found[at - 1]?.ns ?? 0)).slice(1)).toEqual([1e7, 1e7, 1e7, 1e7])
  })
})

test('the queue keeps its order while it grows and wraps', () => {
  const queue = new Fifo()
  let taken = 0
  for (let i = 0; i < 10_000; i++) {
    queue.push(i % 7, 2 * i, 3 * i, i, 4 * i)
    if (i % 3 === 0) {
      expect(queue.intendedNs).toBe(taken++)
      queue.shift()
    }
  }
  while (queue.length > 0) {
    expect(queue.intendedNs).toBe(taken)
    expect([queue.operation, queue.ordinal, queue.scheduledMs]).toEqual([taken % 7, 2 * taken, 3 * taken])
    taken++
    queue.shift()
  }
  expect(taken).toBe(10_000)
})
