/** One trial as a result holds it: what was offered, what came back, what the machine did meanwhile. */
import { z } from 'zod'
import { count, nullable, number, text } from './scalars.ts'

const outcome = z.enum(['met', 'missed', 'undetermined'])
export const histogram = z.strictObject({
  count: number,
  mean: number,
  p50: number,
  p90: number,
  p95: number,
  p99: number,
  p999: number,
  max: number,
  encoded: text.describe('HDR histogram V2 of nanoseconds, deflated, base64'),
})

export const operationResult = z.strictObject({
  intended: number.describe('intended starts in the window: the denominator of every share'),
  attempts: number,
  ok: number,
  miss: number,
  conflict: number,
  retries: number,
  errors: z.record(z.string(), number).describe('by what went wrong, in the same words for every engine; older results have those of the product'),
  errorDetails: z.record(z.string(), text).default({}).describe('by the same words, what the server itself called the first of them'),
  dropped: number,
  wrong: number.describe('kept answers that cannot be right'),
  cached: z
    .strictObject({
      answers: number.describe('of those that came, the ones that a cache in front of the store gave'),
      judged: number.describe('of the kept answers those that it gave'),
      outdated: number.describe(
        'of these were of rows that had been written since the store was asked for them; allowed for as long as the answer may be old',
      ),
    })
    .optional()
    .describe('absent: no cache stands in front of it'),
  completed: nullable(number).default(null).describe('answers that came inside the window, whenever they were asked for; null: not counted'),
  rowsPerOk: number,
  exceeded: z.record(z.string(), number).describe('samples above the limit of each objective, errors and drops included'),
  exceededTwin: z
    .record(z.string(), number)
    .default({})
    .describe('the same of response times less the gaps in which the harness did not turn; empty: not measured'),
  responseUs: nullable(histogram).describe('from the intended start; open loop only'),
  serviceUs: histogram,
  queueUs: nullable(histogram),
  dispatchUs: nullable(histogram),
})
export const trial = z.strictObject({
  phase: z
    .enum(['warm-up', 'sweep', 'tax', 'work', 'connections', 'confirmation', 'curve', 'held-back', 'probe', 'maintenance'])
    .describe(
      'sweep: closed loops; work: with another mix, to tell what each operation costs; connections: to choose their number; confirmation: at the rates that compare candidates; curve: at rates near its own bound; held-back: at a rate that the curve is not shown; maintenance: with a forced checkpoint, flush or compaction',
    ),
  mix: z.enum(['full', 'partial', 'common']),
  client: z.enum(['driver', 'wire']),
  repeat: number,
  arrival: z.strictObject({
    loop: z.enum(['open', 'closed']),
    ratePerSecond: nullable(number),
    concurrency: nullable(number),
    multiple: nullable(number),
  }),
  connections: number,
  start: number.default(1).describe('which start of the server it belongs to: a resumed run, a restart and a restored snapshot make a new one'),
  startedAt: text,
  seconds: number.describe('of the windows that count: what is told of throughput, of operations and of the machine is of these'),
  throughputPerSecond: number.describe('answers that came inside the measured window'),
  backlog: nullable(number)
    .default(null)
    .describe('open loop: seconds of unanswered work, at the offered rate, that were added per second of the window'),
  saturated: z
    .boolean()
    .default(false)
    .describe('the backlog grew: response times are as long as the trial lets them become, and no latencies of the server'),
  slowdown: number
    .gt(0)
    .default(1)
    .describe('how many times longer the server took over everything than at the full speed of its cores, by `timeline[].hostUs`'),
  gapsUs: nullable(histogram).default(null).describe('open loop: how late turns of the replay itself were, where they were late by more than 100 µs'),
  hostPauses: nullable(
    z.strictObject({
      limitMs: nullable(number).describe('null: nothing has an objective, and no pause counts'),
      count: number.describe('moments in which no thread ran on a core of the server for longer than the limit, because the host did something else'),
      longestMs: number,
      windows: number,
      windowsLeftOut: number.describe('those that such a pause touched, and those after them until no more was without an answer than before'),
    }),
  )
    .default(null)
    .describe('null: nothing watched the server’s cores'),
  outcome,
  missed: z.array(text).describe('operations that missed an objective'),
  undetermined: z.array(text),
  validity: z.strictObject({
    verdict: z.enum(['valid', 'client-bound', 'noisy', 'broken']),
    reasons: z.array(text),
    clientBound: z
      .array(text)
      .default([])
      .describe('operations for which the trial decides nothing: over a limit with the delays of the harness itself, and within it without them'),
  }),
  resources: z.strictObject({
    server: nullable(z.strictObject({ cpuCores: number, residentBytes: number })).describe('null: a server that somebody else runs does not tell'),
    client: z.strictObject({
      cpuCores: number,
      busyShare: number,
      cpuUsPerOperation: nullable(number).describe('of what replays; pacing included, so it tells something of closed loops only'),
    }),
    disk: nullable(z.strictObject({ readBytes: number, writtenBytes: number, syncs: number })).describe(
      'of the disk that holds the data, whoever caused it',
    ),
    others: nullable(
      z.strictObject({
        cpuCores: number,
        onServerCores: nullable(number)
          .default(null)
          .describe('of these, on the cores that the server is bound to; null: it, or the harness, is not'),
        onHarnessCores: nullable(number).default(null),
      }),
    ),
  }),
  timeline: z
    .array(
      z.strictObject({
        atSeconds: number,
        serverCores: nullable(number),
        residentBytes: nullable(number),
        clientCores: number,
        othersCores: nullable(number),
        othersOnServerCores: nullable(number).default(null),
        othersOnHarnessCores: nullable(number).default(null),
        stolenOnServerCores: nullable(number).default(null).describe('cores that the host took away of those of the server, in steps of 10 ms'),
        stalled: nullable(z.strictObject({ cpu: number, memory: number, disk: number }))
          .default(null)
          .describe('share of the time in which some thread of the server waited for a core, for memory or for a disk (PSI of its control group)'),
        disk: nullable(z.strictObject({ readBytesPerSecond: number, writtenBytesPerSecond: number, syncsPerSecond: number })).describe(
          'of the disk that holds the data, whoever caused it',
        ),
        networkBytesPerSecond: number.describe('over all interfaces of the machine, loopback included'),
        hostUs: nullable(number.gt(0))
          .default(null)
          .describe('what a fixed piece of code took on the cores of the server: longer where the host gave them less; null: nobody timed it'),
      }),
    )
    .describe('what was used of the machine, every 250 ms'),
  windows: z.array(
    z.strictObject({
      atSeconds: number,
      completed: number.describe('answers that came in it'),
      intended: number.default(0).describe('what was to start in it; the rest is of these'),
      failed: number,
      meanResponseUs: number,
      maxResponseUs: number,
      leftOut: z.boolean().default(false).describe('the host paused the server’s cores: it does not count'),
    }),
  ),
  realised: z.strictObject({
    mix: z.record(z.string(), number).describe('share of each operation in the attempts'),
    skew: z
      .record(z.string(), number)
      .describe('of the operations that draw rows: share of the draws that fell into that of 1024 hash buckets of rows which the law draws most'),
    askedSkew: z.record(z.string(), number).default({}).describe('the share that the law gives it'),
    tiers: z
      .record(z.string(), z.array(count))
      .optional()
      .describe('of the operations that pick rows by age: picks of each tier, those of the steps of a transaction one after the other'),
  }),
  operations: z.record(z.string(), operationResult),
})
