/** The result document: everything that a run found out, in a published, versioned format that `assess` and `report` live on. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf, TrialError } from '../errors.ts'
import { commandLine } from '../invocation.ts'
import { version } from '../version.ts'
import { assessment } from './assessment.ts'
import { damageOf } from './damage.ts'
import { withNamesOfToday } from './earlier.ts'
import { handbook, traits } from './facts.ts'
import { faultOf } from './fault.ts'
import { excuse, model } from './model.ts'
import { trialPlan } from './plan.ts'
import { nullable, number, text } from './scalars.ts'
import { scenario } from './scenario.ts'
import { type histogram, type operationResult, trial } from './trial.ts'

export const resultSchemaVersion = 2
/** Kinds of numbers by which candidates and runs are compared, each with its own resolution. */
export const comparedNumbers = ['p99', 'service p50', 'CPU per operation', 'capacity'] as const

/** It stands in names of files. */
const candidateName = text.regex(/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,79}$/)
const interval = z.strictObject({ low: number, mid: number, high: nullable(number), confidence: nullable(number) }).describe('high null: censored')
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
  otherFailures: z
    .array(z.strictObject({ what: z.enum(['snapshot', 'purge']), reason: text, times: number }))
    .default([])
    .describe(
      'what failed beside the operations, and did not end the candidate: without a snapshot its rows grow on, without a purge a trial is broken',
    ),
  parity: z.array(z.strictObject({ what: text, asked: text, set: text, effective: text, ok: z.boolean(), sizing: z.literal(true).optional() })),
  model,
  compiled: z.array(z.strictObject({ operation: text, statements: z.array(text) })),
  ddl: z.array(text),
  handbook,
  traits,
  mix: z.enum(['full', 'partial']),
  load: nullable(z.strictObject({ rows: number, seconds: number })),
  storage: z.strictObject({
    at: z.array(storage),
    bytesPerRow: nullable(number).describe('slope between the two shares, so that fixed overhead is not counted'),
  }),
  verification: z.strictObject({
    checked: number,
    wrong: number,
    foreign: number.optional().describe('of the checked ones those in which another tenant asked than that of the row'),
    byOperation: z.record(z.string(), z.strictObject({ checked: number, wrong: number })),
    differences: z.array(
      z.strictObject({ client: z.enum(['driver', 'wire']).default('driver'), operation: text, parameters: text, expected: text, got: text }),
    ),
  }),
  invariants: z.array(z.strictObject({ name: text, ok: z.boolean(), detail: text })),
  kills: nullable(
    z.strictObject({
      times: number,
      written: number.describe('rows that were written in the trials in which the server was killed'),
      read: number.describe('of them were read back once it was up again'),
      lost: number.describe('of those do not hold what acknowledged writes left'),
      lostWithinSeconds: nullable(number).describe(
        'what was lost had been acknowledged at most so long before the last acknowledged write; 0: nothing was lost; null: older writes were, too',
      ),
      recoverySeconds: z.array(number).describe('from each start after a kill until the server answered'),
    }),
  )
    .default(null)
    .describe('SIGKILL in the middle of writes; null: it was not tried'),
  explanations: z.array(
    z.strictObject({
      operation: text,
      plan: text,
      read: nullable(z.strictObject({ rows: number, returned: number }))
        .default(null)
        .describe('rows that one call looked at, and those that it found; null: the server does not tell'),
      scans: z
        .array(z.strictObject({ store: text, rows: number }))
        .default([])
        .describe('stores that it read from the first row to the last'),
      sortedRows: nullable(number).default(null).describe('rows that it sorted because no index had them in that order'),
    }),
  ),
  indexUse: z.array(z.strictObject({ table: text, index: text, uses: number })).describe('empty: the server does not tell, or not of the whole run'),
  indexUseOf: z
    .enum(['all starts', 'last start'])
    .default('last start')
    .describe('what was counted: an earlier dbtrial asked once, and counters begin anew with each start'),
  steady: nullable(z.strictObject({ reached: z.boolean(), afterSeconds: nullable(number), warmedSeconds: number })).describe(
    'whether throughput became level while warming, by change points over windows of 250 ms',
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

export const resultSchema = z.strictObject({
  schema: z.literal(resultSchemaVersion),
  dbtrial: text,
  status: z.enum(['complete', 'interrupted']),
  fault: nullable(text).default(null).describe('a fault of dbtrial that ended the run, with its stack; null: there was none'),
  startedAt: text,
  seed: number,
  host,
  scenario,
  trialPlan,
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
  resolution: nullable(z.array(z.strictObject({ engine: text, number: z.enum(comparedNumbers), ratio: number.min(1) })))
    .default(null)
    .describe('how far two equals differed on this machine: what differs less is a tie; null: it was not measured'),
  fullSpeedUs: nullable(number)
    .default(null)
    .describe(
      'µs of the timed piece of code (timeline[].hostUs) at the full speed of the cores, as this machine has had it so far; null: nobody timed it',
    ),
  candidates: z.array(candidate),
  excuses: z.array(excuse),
  assessment: nullable(assessment).catch(null).describe('always recomputable from the rest: what has another form is read as null'),
})

export type Result = z.infer<typeof resultSchema>
export type CandidateResult = Result['candidates'][number]
export type TrialResult = CandidateResult['trials'][number]
export type OperationResult = z.infer<typeof operationResult>
export type HistogramResult = z.infer<typeof histogram>

export function resultJsonSchema(): string {
  return `${JSON.stringify({ title: 'dbtrial result', ...z.toJSONSchema(resultSchema) }, null, 2)}\n`
}

/** @throws TrialError, exit code 1, where this dbtrial made a result that its schema does not know. */
export function checkFits(result: Result): void {
  const checked = resultSchema.safeParse(result)
  if (!checked.success)
    throw new TrialError('result-invalid', `the result does not fit its own schema: ${faultOf(checked.error, result)}`, {
      exitCode: 1,
      cause: checked.error,
    })
}

/** Checked against the schema, written beside and renamed: a reader sees the old document or the new one. */
export function writeResult(directory: string, result: Result): string {
  checkFits(result)
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

/** @throws TrialError, exit code 2, where the file is no result, is of another version of the format, or is damaged. */
export function readResult(path: string): Result {
  const document = parsed(path)
  const writer = writerOf(path, document)
  const checked = resultSchema.safeParse(withNamesOfToday(document))
  const damage = checked.success ? damageOf(checked.data) : faultOf(checked.error, document)
  if (checked.success && damage === undefined) return checked.data
  if (writer === version)
    throw new TrialError('result-damaged', `${path} is damaged: ${damage}`, {
      hint: 'take an undamaged copy, or run the scenario again',
      exitCode: 2,
    })
  throw new TrialError('result-of-other-version', `${path}, written by dbtrial ${writer}, is not what dbtrial ${version} reads: ${damage}`, {
    hint: `read it with dbtrial ${writer}, or run the scenario again with this version`,
    exitCode: 2,
  })
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new TrialError('result-unreadable', `${path} cannot be read as a result: ${messageOf(error)}`, {
      hint: 'give the path of a result.json',
      exitCode: 2,
    })
  }
}

/** What every version of the format begins with. */
const stamp = z.looseObject({ schema: number, dbtrial: text })

/** The version of dbtrial that wrote it. */
function writerOf(path: string, document: unknown): string {
  const checked = stamp.safeParse(document)
  if (!checked.success)
    throw new TrialError('no-result', `${path} is no result of dbtrial: ${faultOf(checked.error, document)}`, {
      hint: 'give the path of a result.json',
      exitCode: 2,
    })
  const { schema, dbtrial } = checked.data
  if (schema === resultSchemaVersion) return dbtrial
  throw new TrialError(
    'result-of-other-version',
    `${path}: schema: it is version ${schema} of the result format, written by dbtrial ${dbtrial}; dbtrial ${version} reads version ${resultSchemaVersion}`,
    {
      hint:
        schema < resultSchemaVersion
          ? `read it with dbtrial ${dbtrial}, or run the scenario again with this version`
          : `read it with dbtrial ${dbtrial} or a later one`,
      exitCode: 2,
    },
  )
}
