/** What one trial counted, per operation and per window; made in each worker, merged in the main process. */
import type { Answer, Value } from '../data/value.ts'
import type { OutcomeCode } from '../engines/engine.ts'
import type { Operation } from '../scenario/scenario.ts'
import { partsOfKey } from './error-keys.ts'
import { Histogram } from './histogram.ts'

export const drawBuckets = 1024

/** What became of one operation's starts in one window, or in several. */
export class Counts {
  intended = 0
  attempts = 0
  ok = 0
  miss = 0
  conflict = 0
  retries = 0
  dropped = 0
  rows = 0
  /** Answers that a cache gave. */
  cached = 0
  /** Answers that came inside the window, whenever they were asked for: throughput. */
  completed = 0
  /** By the code of a ServerError, the same for every engine. */
  errors: Record<string, number> = {}
  /** By that code, what the server itself called the first of them; absent where it has no name for it. */
  errorDetails: Record<string, string> = {}
  /** Samples above the limit of each objective, errors and drops included. */
  readonly exceeded: number[]
  /** The same of their twins: response times less the gaps in which the harness did not turn. */
  readonly exceededTwin: number[]
  readonly limitsNs: number[]

  constructor(limitsNs: number[]) {
    this.limitsNs = limitsNs
    this.exceeded = limitsNs.map(() => 0)
    this.exceededTwin = limitsNs.map(() => 0)
  }

  get errorCount(): number {
    return Object.values(this.errors).reduce((sum, each) => sum + each, 0)
  }

  /** `key`: of a ServerError. */
  fail(key: string): void {
    const { code, detail } = partsOfKey(key)
    this.errors[code] = (this.errors[code] ?? 0) + 1
    if (detail !== '') this.errorDetails[code] ??= detail
    this.#exceedAll()
  }

  drop(): void {
    this.dropped++
    this.#exceedAll()
  }

  #exceedAll(): void {
    for (let i = 0; i < this.limitsNs.length; i++) {
      this.exceeded[i] = (this.exceeded[i] as number) + 1
      this.exceededTwin[i] = (this.exceededTwin[i] as number) + 1
    }
  }

  /** `twinNs` is at most `judgedNs`. */
  finish(outcome: Exclude<OutcomeCode, 'error'>, rows: number, judgedNs: number, twinNs: number): void {
    this[outcome]++
    this.rows += rows
    for (let i = 0; i < this.limitsNs.length; i++) {
      const limitNs = this.limitsNs[i] as number
      if (judgedNs <= limitNs) continue
      this.exceeded[i] = (this.exceeded[i] as number) + 1
      if (twinNs > limitNs) this.exceededTwin[i] = (this.exceededTwin[i] as number) + 1
    }
  }

  add(other: Counts): void {
    for (const key of ['intended', 'attempts', 'ok', 'miss', 'conflict', 'retries', 'dropped', 'rows', 'cached', 'completed'] as const)
      this[key] += other[key]
    for (const [code, count] of Object.entries(other.errors)) this.errors[code] = (this.errors[code] ?? 0) + count
    this.errorDetails = { ...other.errorDetails, ...this.errorDetails }
    for (const key of ['exceeded', 'exceededTwin'] as const) other[key].forEach((count, at) => void (this[key][at] = (this[key][at] ?? 0) + count))
  }
}

/** The same, with how long they took. */
export class OperationRecord extends Counts {
  /** Rows that were drawn by a law, by their hash: not new ones, which are made. */
  readonly draws = new Uint32Array(drawBuckets)
  /** Of what was picked by age, by tier; null: nothing is. */
  tiers: Uint32Array | null = null
  readonly response = new Histogram()
  readonly service = new Histogram()
  readonly queue = new Histogram()
  readonly dispatch = new Histogram()

  merge(other: OperationRecord): void {
    this.add(other)
    for (let i = 0; i < drawBuckets; i++) this.draws[i] = (this.draws[i] as number) + (other.draws[i] as number)
    if (this.tiers !== null) for (let i = 0; i < this.tiers.length; i++) this.tiers[i] = (this.tiers[i] as number) + (other.tiers?.[i] ?? 0)
    for (const key of ['response', 'service', 'queue', 'dispatch'] as const) this[key].merge(other[key])
  }
}

/** Seconds of one window. */
export const windowSeconds = 0.25
/** Which of a trial begins at, or next to, a moment of it. */
export const windowAt = (atSeconds: number) => Math.round(atSeconds / windowSeconds)
/** Of a trial; the last may be cut short by its end. */
export const windowsOf = (seconds: number) => Math.max(1, Math.ceil(seconds / windowSeconds))

/** A quarter of a second of a trial. */
export interface Window {
  atSeconds: number
  /** Answers that came in it. */
  completed: number
  /** Of what was to start in it, all below. */
  intended: number
  failed: number
  meanResponseUs: number
  maxResponseUs: number
}

/** How a write log tells what became of an operation; of a transaction `miss` says that its first step matched nothing. */
export const logOutcomes = { error: 0, ok: 1, miss: 2, conflict: 3 } as const

/** Writes that were sent, for the checks after the replay; parallel arrays, an entry for each step, those of a transaction one after the other. */
export interface WriteLog {
  operation: number[]
  /** Of a transaction, from 0. */
  step: number[]
  row: number[]
  version: number[]
  nowMs: number[]
  sentNs: number[]
  doneNs: number[]
  outcome: number[]
}

/** An answer kept for judging. */
export interface KeptAnswer {
  operation: number
  values: Value[]
  row: number
  answer: Answer
  /** Of one that a cache gave, on the monotonic clock: when it was asked for, and when the store had been. */
  cached?: { sentNs: number; storeAskedNs: number }
}

export interface Recording {
  seconds: number
  operations: OperationRecord[]
  windows: Window[]
  writes: WriteLog
  kept: KeptAnswer[]
  /** Of an open loop: how long beyond its time a turn of the executor came, where it came late. */
  gaps: Histogram
  /** Operations of an open loop that were to start and had no answer, at the edges of the windows. */
  unanswered: number[]
  /** Operations that came back, and CPU that the workers used, warm-up included. */
  completed: number
  cpuSeconds: number
  /** Share of the window that the harness's own work took, pacing not counted. */
  busyShare: number
  /** Why expired rows were no longer purged: less was asked of the engine than is said; null: nothing failed, or nothing is purged. */
  purgeFailure: string | null
}

export function emptyWriteLog(): WriteLog {
  return { operation: [], step: [], row: [], version: [], nowMs: [], sentNs: [], doneNs: [], outcome: [] }
}

const limitsOf = (operation: Operation) => operation.objectives.map((objective) => objective.limitMs * 1e6)

export const makeCounts = (operations: Operation[]): Counts[] => operations.map((operation) => new Counts(limitsOf(operation)))

export const makeRecords = (operations: Operation[]): OperationRecord[] => operations.map((operation) => new OperationRecord(limitsOf(operation)))

/** Revives what a worker sent: plain data has lost its classes. */
export const revive = (plain: Recording): Recording => ({ ...plain, operations: plain.operations.map(reviveRecord), gaps: histogram(plain.gaps) })

const histogram = (from: Histogram) => Object.assign(new Histogram(from.counts), { count: from.count, sumNs: from.sumNs, maxNs: from.maxNs })

export function reviveRecord(plain: OperationRecord): OperationRecord {
  const record = new OperationRecord([...plain.limitsNs])
  return Object.assign(record, plain, {
    response: histogram(plain.response),
    service: histogram(plain.service),
    queue: histogram(plain.queue),
    dispatch: histogram(plain.dispatch),
  })
}

export function mergeRecordings(recordings: Recording[]): Recording {
  const [first, ...others] = recordings as [Recording, ...Recording[]]
  for (const other of others) {
    first.operations.forEach((record, at) => record.merge(other.operations[at] as OperationRecord))
    for (const window of other.windows) {
      const own = first.windows.find((each) => each.atSeconds === window.atSeconds)
      if (own === undefined) first.windows.push(window)
      else {
        const intended = own.intended + window.intended
        own.meanResponseUs = intended === 0 ? 0 : (own.meanResponseUs * own.intended + window.meanResponseUs * window.intended) / intended
        own.intended = intended
        own.completed += window.completed
        own.failed += window.failed
        own.maxResponseUs = Math.max(own.maxResponseUs, window.maxResponseUs)
      }
    }
    first.windows.sort((a, b) => a.atSeconds - b.atSeconds)
    appendWrites(first.writes, other.writes)
    first.kept.push(...other.kept)
    first.seconds = Math.max(first.seconds, other.seconds)
    other.unanswered.forEach((count, at) => void (first.unanswered[at] = (first.unanswered[at] ?? 0) + count))
    first.gaps.merge(other.gaps)
    first.completed += other.completed
    first.cpuSeconds += other.cpuSeconds
    first.busyShare = Math.max(first.busyShare, other.busyShare)
    first.purgeFailure ??= other.purgeFailure
  }
  return first
}

/** Appends in place; logs can be too long to spread into a call. */
export function appendWrites(to: WriteLog, from: WriteLog): void {
  for (const key of Object.keys(to) as (keyof WriteLog)[]) for (const value of from[key]) to[key].push(value)
}

/** Forgets what was written: it is gone from the server, too. */
export function clearWrites(log: WriteLog): void {
  for (const key of Object.keys(log) as (keyof WriteLog)[]) log[key].length = 0
}

/** Of a trial that broke before it told anything. */
export function emptyRecording(seconds: number, operations: Operation[]): Recording {
  return {
    seconds,
    operations: makeRecords(operations),
    windows: [],
    writes: emptyWriteLog(),
    kept: [],
    gaps: new Histogram(),
    unanswered: [],
    completed: 0,
    cpuSeconds: 0,
    busyShare: 0,
    purgeFailure: null,
  }
}
