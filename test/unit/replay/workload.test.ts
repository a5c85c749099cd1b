/** What an executor asks for is what the schedule says, whatever the server does, and however many threads there are. */
import { expect, test } from 'vitest'
import { makeDataset } from '../../../src/data/dataset.ts'
import { heaviestShare } from '../../../src/data/distributions.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { blockSize } from '../../../src/data/fields.ts'
import { canonical } from '../../../src/data/value.ts'
import type { Lane, OutcomeCode } from '../../../src/engines/engine.ts'
import { drawBuckets, type Recording } from '../../../src/measure/recorder.ts'
import { Executor, type TrialSpec } from '../../../src/replay/executor.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import { VirtualClock } from './virtual-clock.ts'

const scenario = parseScenario(
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
const { operations } = scenario
const dataset = makeDataset(scenario, 1)

interface Server {
  delayNs: (call: number) => number
  outcome: (call: number) => OutcomeCode
}
const steady: Server = { delayNs: () => 1e6, outcome: () => 'ok' }
/** Slow, out of order, and every third call fails. */
const troubled: Server = { delayNs: (call) => 1e6 * (1 + ((call * 7919) % 40)), outcome: (call) => (call % 3 === 0 ? 'error' : 'ok') }

async function run(server: Server, spec: Partial<TrialSpec> = {}): Promise<{ sent: string[]; recording: Recording }> {
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
  const params = new DrawnParameters(dataset, operations, 'workload', 4, scenario.epochMs)
  const recording = new Executor(lane, clock, whole, operations, params).run()
  clock.run()
  return { sent, recording: await recording }
}

test('the most drawn of all rows takes the share that the law gives it: a put of a row that is there makes it no likelier', async () => {
  const { recording } = await run(steady, { seconds: 60 })
  const heaviest = heaviestShare({ kind: 'latest', theta: 0.99 }, 400)
  for (const record of recording.operations.slice(0, 2)) {
    const share = Math.max(...record.draws) / record.attempts
    // The newest row has its share only until the next one comes; several rows share a bucket.
    expect(share).toBeGreaterThan(1 / drawBuckets)
    expect(share).toBeLessThan(heaviest * 1.1)
  }
})

test('before any new row is an age bound old, the shares of all buckets are those of the loaded rows', async () => {
  const { recording } = await run(steady, { ratesPerSecond: [20_000, 1000, 1], seconds: 4.9 })
  const [read] = recording.operations
  const most = Math.max(...(read?.draws ?? []))
  expect(most / (read?.attempts ?? 1)).toBeCloseTo(heaviestShare({ kind: 'latest', theta: 0.99 }, 400), 2)
})

test.each([
  ['open', 20],
  ['closed', 2],
] as const)('a server that is slow, fails and answers out of order is asked for the same as one that is not: %s loop', async (loop, seconds) => {
  const [calm, other] = await Promise.all([run(steady, { loop, seconds }), run(troubled, { loop, seconds })])
  const both = Math.min(calm.sent.length, other.sent.length)
  expect(both).toBeGreaterThan(5000)
  expect(other.sent.slice(0, both)).toEqual(calm.sent.slice(0, both))
})

test('two threads together ask for what one does', async () => {
  const whole = await run(steady)
  const parts = await Promise.all([0, 1].map((index) => run(index === 0 ? steady : troubled, { part: { index, of: 2 } })))
  expect(parts.flatMap(({ sent }) => sent).sort()).toEqual(whole.sent.sort())
})

test('new rows are drawn when an age bound has passed since their intended start, and no row is made twice', () => {
  const params = new DrawnParameters(dataset, operations, 'ages', 4, scenario.epochMs)
  const made = new Map<number, number>()
  let drawn = 0
  for (let n = 0; n < 20_000; n++) {
    const atMs = n
    const operation = n % 3
    const ordinal = params.schedule(operation, atMs)
    params.draw(operation, ordinal, atMs)
    const { row } = params.drawn
    if (row >= dataset.entities.get('session')!.rows && (operation === 2 || !made.has(row))) {
      expect(made.has(row)).toBe(false)
      expect(operation).toBeGreaterThan(0)
      made.set(row, atMs)
    } else if (made.has(row)) {
      drawn++
      expect(atMs - (made.get(row) as number)).toBeGreaterThanOrEqual(5000)
    }
  }
  expect(drawn).toBeGreaterThan(5000)
})

test('a trial that would run into the numbers of the next one ends with an error', () => {
  const params = new DrawnParameters(dataset, operations, 'full', 4, scenario.epochMs)
  expect(() => params.draw(2, blockSize / 2, 0)).toThrow(/more than 134217728 rows of session/)
})
