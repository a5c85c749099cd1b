/** The result document: everything that a run found out, in a published, versioned format that `assess` and `report` live on. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf, TrialError } from '../errors.ts'
import { commandLine } from '../invocation.ts'
import { damageOf, saidOf } from './shapes.ts'

export const resultSchemaVersion = 2

const text = z.string()
const number = z.number().min(-1e18).max(1e18)
/** It stands in names of files. */
const candidateName = text.regex(/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,79}$/)
const nullable = <T extends z.ZodType>(type: T) => type.nullable()
const json = z.record(z.string(), z.unknown())
const interval = z.strictObject({ low: number, mid: number, high: nullable(number), confidence: nullable(number) }).describe('high null: censored')
const outcome = z.enum(['met', 'missed', 'undetermined'])
const histogram = z.strictObject({
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
const excuse = z.strictObject({ engine: text, operation: nullable(text), reason: text, bottleneck: text })

const operationResult = z.strictObject({
  intended: number.describe('intended starts in the window: the denominator of every share'),
  attempts: number,
  ok: number,
  miss: number,
  conflict: number,
  retries: number,
  errors: z.record(z.string(), number),
  dropped: number,
  wrong: number.describe('kept answers that cannot be right'),
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
const trial = z.strictObject({
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
  }),
  operations: z.record(z.string(), operationResult),
})
const storage = z.strictObject({
  share: number,
  rows: number,
  tables: z.array(z.strictObject({ name: text, bytes: number })),
  indexes: z.array(z.strictObject({ name: text, table: text, bytes: number })),
})
const capacity = z.strictObject({
  multiple: nullable(interval).describe('the least of saturation, cpu and objectives'),
  bound: z.enum(['measured', 'atLeast', 'atMost', 'none']),
  boundBy: text,
  mix: z.enum(['full', 'partial', 'common']),
  ratePerSecond: nullable(number),
  notTested: z.array(text),
  saturation: nullable(interval).default(null).describe('closed loop, over the starts; multiples of the average load, as all of these'),
  cpu: nullable(interval).default(null).describe('the rate at which 70 % of the server’s cores are busy, over the starts'),
  objectives: nullable(interval).default(null).describe('the rate at which the first operation passes its objective, by the response curve'),
})
const candidate = z.strictObject({
  name: candidateName,
  engine: text,
  family: text,
  durability: text,
  failure: nullable(text).describe('why the candidate did not run to the end'),
  provision: nullable(
    z.strictObject({
      kind: text,
      version: text,
      origin: text,
      image: nullable(z.strictObject({ name: text, id: text, digest: nullable(text).describe('null: built on this machine') })).default(null),
      limits: z.strictObject({ cpus: number, memoryBytes: number }),
      enforced: z.strictObject({ cpu: text, memory: text }),
      cores: z.array(number),
    }),
  ),
  restarts: z
    .array(z.strictObject({ at: text, reason: text }))
    .default([])
    .describe('a server that ended in the middle of a trial is started again, once'),
  restores: number
    .default(0)
    .describe(
      'times that it was started again on the snapshot taken after the verification: rows had grown by more than 10 % or an entity had doubled, or the effort wants a start for each round',
    ),
  grownShare: nullable(number).default(null).describe('new rows as a share of the loaded ones, at the end or since the last restore'),
  parity: z.array(z.strictObject({ what: text, asked: text, set: text, effective: text, ok: z.boolean(), sizing: z.literal(true).optional() })),
  model: json,
  compiled: z.array(z.strictObject({ operation: text, statements: z.array(text) })),
  ddl: z.array(text),
  handbook: json,
  traits: json,
  mix: z.enum(['full', 'partial']),
  load: nullable(z.strictObject({ rows: number, seconds: number })),
  storage: z.strictObject({
    at: z.array(storage),
    bytesPerRow: nullable(number).describe('slope between the two shares, so that fixed overhead is not counted'),
  }),
  verification: z.strictObject({
    checked: number,
    wrong: number,
    byOperation: z.record(z.string(), z.strictObject({ checked: number, wrong: number })),
    differences: z.array(
      z.strictObject({ client: z.enum(['driver', 'wire']).default('driver'), operation: text, parameters: text, expected: text, got: text }),
    ),
  }),
  invariants: z.array(z.strictObject({ name: text, ok: z.boolean(), detail: text })),
  explanations: z.array(z.strictObject({ operation: text, plan: text })),
  indexUse: z.array(z.strictObject({ table: text, index: text, uses: number })),
  steady: nullable(z.strictObject({ reached: z.boolean(), afterSeconds: nullable(number), warmedSeconds: number })).describe(
    'whether throughput settled while warming, by change points over windows of 250 ms',
  ),
  sizes: z
    .array(z.strictObject({ cpus: number, throughputPerSecond: number, connections: number }))
    .default([])
    .describe('best closed-loop throughput on servers of several sizes, each loaded anew; empty: not measured'),
  trials: z.array(trial),
  capacity,
  commonCapacity: nullable(capacity).describe('with the operations that all candidates can do; null where all can do all'),
})
const host = z.strictObject({
  platform: text,
  kernel: text,
  cpu: text,
  cores: number,
  memoryBytes: number,
  node: text,
  harnessCores: z.array(number),
  harnessPinned: z.boolean(),
  pausesUnseen: nullable(text).default('an earlier dbtrial did not look for them').describe('why pauses of the host were not seen; null: they were'),
  machine: text.default('').describe('hash of the machine id: a resumed run stays on its machine'),
})
const phase = z.strictObject({ name: text, predictedSeconds: number, actualSeconds: nullable(number) })

export const resultSchema = z.strictObject({
  schema: z.literal(resultSchemaVersion),
  dbtrial: text,
  status: z.enum(['complete', 'interrupted']),
  startedAt: text,
  seed: number,
  host,
  scenario: json,
  trialPlan: z.looseObject({
    effort: text,
    share: number,
    shares: z.record(z.string(), number).default({}).describe('of each entity: loaded share of its production rows'),
    rows: number,
    multiples: z.array(number),
    phases: z.array(phase),
    warnings: z.array(text),
  }),
  contentHash: text,
  dataHash: text,
  calibration: nullable(
    z.strictObject({
      idleBaselineCores: number.describe('CPU that others used while nothing ran'),
      waitedSeconds: number.default(0).describe('for the machine to become quiet'),
      busy: nullable(z.strictObject({ cores: number, chiefly: nullable(z.strictObject({ command: text, pid: number })) }))
        .default(null)
        .describe('others used more than a run can bear; null: they did not'),
      fsyncUs: z.strictObject({ p50: number, p99: number, samples: number }),
      harness: z
        .strictObject({
          operationsPerSecond: number,
          dispatch: z.array(z.strictObject({ ratePerSecond: number, p50Us: number, p99Us: number, busyShare: number })),
          openRatePerSecond: nullable(number),
        })
        .describe('the executor with an engine that answers at once'),
    }),
  ),
  resolution: nullable(z.array(z.strictObject({ engine: text, number: z.enum(['p99', 'CPU per operation', 'capacity']), ratio: number.min(1) })))
    .default(null)
    .describe('how far two equals differed on this machine: what differs less is a tie; null: it was not measured'),
  candidates: z.array(candidate),
  excuses: z.array(excuse),
  assessment: json.nullable().describe('always recomputable from the rest'),
})

export type Result = z.infer<typeof resultSchema>
export type CandidateResult = Result['candidates'][number]
export type TrialResult = CandidateResult['trials'][number]
export type OperationResult = z.infer<typeof operationResult>
export type HistogramResult = z.infer<typeof histogram>

export function resultJsonSchema(): string {
  return `${JSON.stringify({ title: 'dbtrial result', ...z.toJSONSchema(resultSchema) }, null, 2)}\n`
}

/** Checked against the schema, written beside and renamed: a reader sees the old document or the new one. */
export function writeResult(directory: string, result: Result): string {
  const checked = resultSchema.safeParse(result)
  if (!checked.success) {
    const [issue] = checked.error.issues
    throw new TrialError('result-invalid', `the result does not fit its own schema at ${issue?.path.join('.')}: ${issue?.message}`, {
      exitCode: 1,
      cause: checked.error,
    })
  }
  const path = join(directory, 'result.json')
  try {
    mkdirSync(directory, { recursive: true })
    writeFileSync(`${path}.new`, `${JSON.stringify(result)}\n`)
    renameSync(`${path}.new`, path)
  } catch (error) {
    rmSync(`${path}.new`, { force: true })
    throw error
  }
  return path
}

/** Writes where the user asked for it, else where there is room: an hour's measurements are not lost to a full disk. */
export function saveResult(directory: string, result: Result, elsewhere: string[]): string {
  try {
    return writeResult(directory, result)
  } catch (error) {
    if (error instanceof TrialError) throw error
    for (const place of elsewhere) {
      try {
        const kept = mkdtempSync(join(place, 'dbtrial-result-'))
        const path = writeResult(kept, result)
        throw new TrialError('result-elsewhere', `the result could not be written to ${directory}: ${messageOf(error)}; it is kept in ${path}`, {
          hint: `make room, then: ${commandLine('report', path)}`,
        })
      } catch (other) {
        if (other instanceof TrialError) throw other
      }
    }
    throw new TrialError('result-lost', `the result could not be written to ${directory}: ${messageOf(error)}; nor to ${elsewhere.join(', ')}`, {
      hint: 'make room and run again',
    })
  }
}

/** @throws TrialError, exit code 2, where the file is no result of a version that this dbtrial reads. */
export function readResult(path: string): Result {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new TrialError('result-unreadable', `${path} cannot be read as a result: ${(error as Error).message}`, {
      hint: 'give the path of a result.json',
      exitCode: 2,
    })
  }
  const checked = resultSchema.safeParse(parsed)
  if (!checked.success) {
    const [issue] = checked.error.issues
    throw new TrialError(
      'result-invalid',
      `${path} is no dbtrial result of schema version ${resultSchemaVersion}: ${issue?.path.join('.') || 'document'}: ${saidOf(issue?.message ?? '')}`,
      {
        hint: 'run the scenario again with this version',
        exitCode: 2,
      },
    )
  }
  const damage = damageOf(checked.data)
  if (damage !== undefined)
    throw new TrialError('result-damaged', `${path} is damaged: ${damage}`, {
      hint: 'take an undamaged copy, or run the scenario again',
      exitCode: 2,
    })
  return checked.data
}
