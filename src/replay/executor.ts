/** Runs one trial in one worker: takes start permissions, sends operations through a lane, records what happened. */

import type { DrawnParameters, DrawnStep } from '../data/drawn.ts'
import { hash32 } from '../data/random.ts'
import type { Lane, OutcomeCode } from '../engines/engine.ts'
import {
  type Counts,
  drawBuckets,
  emptyWriteLog,
  type KeptAnswer,
  logOutcomes,
  makeCounts,
  makeRecords,
  type OperationRecord,
  type Recording,
  type Window,
  windowSeconds,
  windowsOf,
} from '../measure/recorder.ts'
import { Samples } from '../measure/samples.ts'
import { ageBoundMs, type Operation, writesOf } from '../scenario/scenario.ts'
import { type Arrivals, startsOf, type TrialSpec } from './arrivals.ts'
import type { Clock } from './clock.ts'
import { Fifo } from './fifo.ts'
import { Gaps } from './gaps.ts'

/** What is under way at the end of the window may come back so long. */
export const drainNs = 5e9
const maxCatchUpStarts = 16
const timeoutCheckNs = 100e6
/** One answer in this many is kept and judged. */
const keepOneIn = 1000

/** Of a row that was drawn. */
export const bucketOf = (row: number) => hash32(0, row, 0) % drawBuckets

/**
 * Open loop: response counts from the intended start, service from the send, queueing is the wait for a slot, dispatch the harness's own delay.
 * Closed loop: `concurrency` operations are always in flight; only service is recorded, and objectives are judged on it.
 */
export class Executor {
  readonly #lane: Lane
  readonly #clock: Clock
  readonly #spec: TrialSpec
  readonly #params: DrawnParameters
  readonly #operations: Operation[]
  /** By window and operation: windows can be left out afterwards. */
  readonly #counts: Counts[]
  readonly #samples: Samples
  /** By operation. */
  readonly #draws: Uint32Array[]
  readonly #tiers: Uint32Array[]
  readonly #timeoutsNs: number[]
  /** Steps to log, by operation: 0 of a read. */
  readonly #logged: number[]
  readonly #maxSteps: number
  /** Of an open loop its starts; of a closed one what is next when an operation ends. */
  readonly #arrivals: Arrivals | null
  readonly #closed: Arrivals | null
  readonly #queue = new Fifo()
  readonly #gaps = new Gaps()
  readonly #part: { index: number; of: number }
  /** Of all workers, so far. */
  #starts = 0
  readonly #free: number[] = []
  // By slot: what is in flight.
  readonly #slotOperation: Int32Array
  /** Index of its counts; -1: it is not measured. */
  readonly #slotCell: Int32Array
  readonly #slotIntended: Float64Array
  readonly #slotTwin: Float64Array
  readonly #slotFree: Float64Array
  readonly #slotSent: Float64Array
  /** When the start was due and the slot free. */
  readonly #slotReady: Float64Array
  // By slot and step.
  readonly #slotRow: Float64Array
  readonly #slotVersion: Float64Array
  // By slot.
  readonly #slotNowMs: Float64Array
  /** 0 idle, 1 in flight, 2 given up: counted as a timeout, its completion is still to come. */
  readonly #slotState: Uint8Array
  readonly #writes = emptyWriteLog()
  readonly #kept: KeptAnswer[] = []
  readonly #keptValues = new Map<number, { values: KeptAnswer['values']; row: number }>()
  readonly #windows: Window[] = []
  readonly #unanswered: number[] = []
  readonly #sent: number[]
  #startNs = 0
  #measureNs = 0
  #endNs = 0
  #inFlight = 0
  #activity = 0
  #seenActivity = 0
  #lastTurnNs = 0
  #idleNs = 0
  #nextTimeoutCheckNs = 0
  #ended = false
  #completed = 0
  /** Of an open loop, warm-up included: what was to start and has no answer. */
  #withoutAnswer = 0
  #nextEdgeNs = 0
  #resolve: (recording: Recording) => void = () => {}

  /** `samples` may be those of an earlier trial: they are forgotten. */
  constructor(lane: Lane, clock: Clock, spec: TrialSpec, operations: Operation[], params: DrawnParameters, samples = new Samples()) {
    this.#lane = lane
    this.#clock = clock
    this.#spec = spec
    this.#params = params
    this.#part = spec.part ?? { index: 0, of: 1 }
    this.#operations = operations
    this.#counts = Array.from({ length: windowsOf(spec.seconds) }, () => makeCounts(operations)).flat()
    this.#draws = operations.map(() => new Uint32Array(drawBuckets))
    this.#tiers = params.tiers.counts.map((count) => new Uint32Array(count))
    this.#samples = samples
    samples.clear(spec.loop === 'open' ? spec.ratesPerSecond.reduce((sum, rate) => sum + rate, 0) * spec.seconds : 0)
    this.#timeoutsNs = operations.map((operation) => ageBoundMs(operation) * 1e6)
    this.#logged = operations.map((operation) => writesOf(operation).length)
    this.#maxSteps = Math.max(1, ...this.#logged)
    this.#sent = operations.map(() => 0)
    const starts = startsOf(spec)
    this.#closed = spec.loop === 'closed' ? starts : null
    this.#arrivals = spec.loop === 'open' ? starts : null
    const slots = Math.min(lane.slots, spec.concurrency)
    for (let slot = slots - 1; slot >= 0; slot--) this.#free.push(slot)
    this.#slotOperation = new Int32Array(slots)
    this.#slotCell = new Int32Array(slots)
    this.#slotIntended = new Float64Array(slots)
    this.#slotTwin = new Float64Array(slots)
    this.#slotFree = new Float64Array(slots)
    this.#slotSent = new Float64Array(slots)
    this.#slotReady = new Float64Array(slots)
    this.#slotRow = new Float64Array(slots * this.#maxSteps)
    this.#slotVersion = new Float64Array(slots * this.#maxSteps)
    this.#slotNowMs = new Float64Array(slots)
    this.#slotState = new Uint8Array(slots)
    lane.onDone = (slot, outcome, rows, retries, error, isCached) => this.#done(slot, outcome, rows, retries, error, isCached === true)
    lane.onAnswer = (slot, answer, storeAskedNs) => {
      const kept = this.#keptValues.get(slot)
      if (kept === undefined) return
      const cached = storeAskedNs === undefined ? {} : { cached: { sentNs: this.#slotSent[slot] as number, storeAskedNs } }
      this.#kept.push({ operation: this.#slotOperation[slot] as number, ...kept, answer, ...cached })
    }
  }

  /** From `startNs` on: all workers begin at one moment. */
  run(startNs = this.#clock.nowNs()): Promise<Recording> {
    this.#startNs = startNs
    this.#measureNs = this.#startNs + this.#spec.warmUpSeconds * 1e9
    this.#endNs = this.#measureNs + this.#spec.seconds * 1e9
    this.#slotFree.fill(this.#startNs)
    this.#lastTurnNs = this.#startNs
    this.#nextEdgeNs = this.#arrivals === null ? Number.POSITIVE_INFINITY : this.#measureNs
    return new Promise((resolve) => {
      this.#resolve = resolve
      if (startNs > this.#clock.nowNs()) this.#clock.wakeAt(startNs, this.#turn, true)
      else this.#turn()
    })
  }

  readonly #turn = (): void => {
    if (this.#ended) return
    const now = this.#clock.nowNs()
    // A turn without a start or a completion since the last one was pacing: not the harness's work.
    if (this.#activity === this.#seenActivity) this.#idleNs += Math.max(0, Math.min(now, this.#endNs) - Math.max(this.#lastTurnNs, this.#measureNs))
    this.#seenActivity = this.#activity
    this.#lastTurnNs = now
    this.#gaps.turn(now, now >= this.#measureNs)
    if (now >= this.#nextEdgeNs) this.#edge(now)
    this.#admit(now)
    this.#startQueued(now)
    this.#lane.flush()
    if (now >= this.#nextTimeoutCheckNs) this.#checkTimeouts(now)
    const over = now >= this.#endNs
    if (over && ((this.#queue.length === 0 && this.#inFlight === 0) || now >= this.#endNs + drainNs)) {
      this.#finish(now)
      return
    }
    // In a closed loop completions start what comes next: only the end of the trial and timeouts need a turn.
    const lateFromNs = this.#clock.wakeAt(this.#nextWakeNs(now), this.#turn, this.#arrivals !== null)
    if (this.#arrivals !== null) this.#gaps.expect(lateFromNs)
  }

  #edge(now: number): void {
    for (; this.#nextEdgeNs <= Math.min(now, this.#endNs); this.#nextEdgeNs += windowSeconds * 1e9) this.#unanswered.push(this.#withoutAnswer)
  }

  /** Moves what is due into the queue; drops what waited too long. */
  #admit(now: number): void {
    if (this.#arrivals === null) {
      if (now < this.#endNs) while (this.#queue.length < this.#free.length) this.#admitClosed(now)
      return
    }
    const until = Math.min(now, this.#endNs)
    while (this.#startNs + this.#arrivals.nextNs <= until) {
      const { operation, nextNs } = this.#arrivals
      const intended = this.#startNs + nextNs
      const ordinal = this.#params.schedule(operation, nextNs / 1e6)
      this.#arrivals.advance()
      if (!this.#isOwnStart()) continue
      if (intended >= this.#measureNs) this.#countsAt(this.#cellOf(intended, operation)).intended++
      this.#queue.push(operation, ordinal, nextNs / 1e6, intended, this.#gaps.twinBeforeTurnNs(intended))
      this.#withoutAnswer++
    }
    while (this.#queue.length > 0 && now - this.#queue.intendedNs > (this.#timeoutsNs[this.#queue.operation] as number)) {
      this.#dropHead(now)
    }
  }

  /** The next start of this worker; those of others before it are passed over. */
  #admitClosed(now: number): void {
    const starts = this.#closed as Arrivals
    for (let isOwn = false; !isOwn; ) {
      const { operation, nextNs } = starts
      const ordinal = this.#params.schedule(operation, nextNs / 1e6)
      starts.advance()
      isOwn = this.#isOwnStart()
      if (isOwn) this.#queue.push(operation, ordinal, nextNs / 1e6, now, now)
    }
  }

  /** Of the start that comes next. */
  #isOwnStart(): boolean {
    return this.#starts++ % this.#part.of === this.#part.index
  }

  #dropHead(now: number): void {
    const intended = this.#queue.intendedNs
    if (intended >= this.#measureNs) {
      const cell = this.#cellOf(intended, this.#queue.operation)
      this.#countsAt(cell).drop()
      this.#samples.add(cell, now - intended, -1, -1, -1)
      this.#window(intended, now - intended, true)
    }
    this.#queue.shift()
  }

  #startQueued(now: number): void {
    let started = 0
    while (this.#queue.length > 0 && this.#free.length > 0 && started < maxCatchUpStarts) {
      this.#sendHead(this.#free.pop() as number, now)
      started++
    }
  }

  #sendHead(slot: number, now: number): void {
    const { operation, ordinal, scheduledMs, intendedNs: intended, twinNs } = this.#queue
    this.#queue.shift()
    this.#activity++
    this.#inFlight++
    const measured = intended >= this.#measureNs && (this.#arrivals !== null || now < this.#endNs)
    const cell = measured ? this.#cellOf(intended, operation) : -1
    this.#slotCell[slot] = cell
    if (measured) {
      const counts = this.#countsAt(cell)
      if (this.#arrivals === null) counts.intended++
      counts.attempts++
    }
    this.#params.draw(operation, ordinal, scheduledMs)
    const { drawn } = this.#params
    this.#slotOperation[slot] = operation
    this.#slotIntended[slot] = intended
    this.#slotTwin[slot] = twinNs
    const { steps } = this.#params
    if (measured) {
      const draws = this.#draws[operation] as Uint32Array
      const tiers = this.#tiers[operation] as Uint32Array
      for (let step = 0; step < steps.length; step++) {
        const { isPicked, row } = steps[step] as DrawnStep
        if (!isPicked) continue
        const bucket = bucketOf(row)
        draws[bucket] = (draws[bucket] as number) + 1
        const tier = this.#params.tiers.tierOf(operation, step, row)
        if (tier >= 0) tiers[tier] = (tiers[tier] as number) + 1
      }
    }
    for (let step = 0; step < (this.#logged[operation] as number); step++) {
      const at = slot * this.#maxSteps + step
      const { row, version } = steps[step] as DrawnStep
      this.#slotRow[at] = row
      this.#slotVersion[at] = version
    }
    this.#slotNowMs[slot] = drawn.nowMs
    this.#slotState[slot] = 1
    const sent = this.#sent[operation] as number
    this.#sent[operation] = sent + 1
    const keep = measured && sent % keepOneIn === 0
    if (keep) this.#keptValues.set(slot, { values: this.#params.values(), row: drawn.row })
    else if (this.#keptValues.size > 0) this.#keptValues.delete(slot)
    const sentNs = this.#clock.nowNs()
    this.#slotSent[slot] = sentNs
    this.#slotReady[slot] = Math.max(intended, this.#slotFree[slot] as number)
    this.#lane.send(slot, operation, this.#params, keep)
  }

  #done(slot: number, outcome: OutcomeCode, rows: number, retries: number, error: string, isCached: boolean): void {
    const now = this.#clock.nowNs()
    const operation = this.#slotOperation[slot] as number
    const state = this.#slotState[slot]
    this.#activity++
    this.#completed++
    this.#slotState[slot] = 0
    this.#slotFree[slot] = now
    if (this.#ended) return
    this.#log(slot, operation, now, state === 2 ? 'error' : outcome)
    if (state === 1) {
      this.#inFlight--
      this.#withoutAnswer--
      if (outcome !== 'error' && now >= this.#measureNs && now < this.#endNs) {
        this.#countsAt(this.#cellOf(now, operation)).completed++
        this.#windowAt(now).completed++
      }
      this.#record(slot, now, outcome, rows, retries, error, isCached)
    }
    this.#free.push(slot)
    if (this.#arrivals === null) {
      if (now < this.#endNs) {
        this.#admitClosed(now)
        this.#sendHead(this.#free.pop() as number, now)
      }
    } else if (this.#queue.length > 0) this.#startQueued(now)
  }

  #record(slot: number, now: number, outcome: OutcomeCode, rows: number, retries: number, error: string, isCached: boolean): void {
    const cell = this.#slotCell[slot] as number
    if (cell < 0) return
    const counts = this.#countsAt(cell)
    if (this.#arrivals === null && now > this.#endNs) {
      // The window of a closed loop ends for everybody at the same moment: what ends later was not measured.
      counts.intended--
      counts.attempts--
      return
    }
    const intended = this.#slotIntended[slot] as number
    const responseNs = now - intended
    counts.retries += retries
    if (isCached) counts.cached++
    this.#sample(slot, cell, now)
    if (outcome === 'error') counts.fail(error)
    else if (this.#arrivals === null) {
      const serviceNs = now - (this.#slotSent[slot] as number)
      counts.finish(outcome, rows, serviceNs, serviceNs)
    } else counts.finish(outcome, rows, responseNs, this.#gaps.twinNs(now) - (this.#slotTwin[slot] as number))
    this.#window(intended, responseNs, outcome === 'error')
  }

  /** Of what was sent: in a closed loop its service alone. */
  #sample(slot: number, cell: number, now: number): void {
    const sent = this.#slotSent[slot] as number
    if (this.#arrivals === null) this.#samples.add(cell, -1, now - sent, -1, -1)
    else {
      const [intended, ready] = [this.#slotIntended[slot] as number, this.#slotReady[slot] as number]
      this.#samples.add(cell, now - intended, now - sent, ready - intended, sent - ready)
    }
  }

  #cellOf(ns: number, operation: number): number {
    const window = Math.floor((ns - this.#measureNs) / (windowSeconds * 1e9))
    return Math.min(this.#counts.length, (window + 1) * this.#operations.length) - this.#operations.length + operation
  }

  #countsAt(cell: number): Counts {
    return this.#counts[cell] as Counts
  }

  #window(intended: number, responseNs: number, failed: boolean): void {
    const window = this.#windowAt(intended)
    window.intended++
    if (failed) window.failed++
    window.meanResponseUs += (responseNs / 1000 - window.meanResponseUs) / window.intended
    window.maxResponseUs = Math.max(window.maxResponseUs, responseNs / 1000)
  }

  #windowAt(ns: number): Window {
    const index = Math.floor((ns - this.#measureNs) / (windowSeconds * 1e9))
    const window = this.#windows[index] ?? {
      atSeconds: index * windowSeconds,
      completed: 0,
      intended: 0,
      failed: 0,
      meanResponseUs: 0,
      maxResponseUs: 0,
    }
    this.#windows[index] = window
    return window
  }

  #log(slot: number, operation: number, now: number, outcome: OutcomeCode): void {
    const log = this.#writes
    const nowMs = this.#slotNowMs[slot] as number
    for (let step = 0; step < (this.#logged[operation] as number); step++) {
      const at = slot * this.#maxSteps + step
      log.operation.push(operation)
      log.step.push(step)
      log.row.push(this.#slotRow[at] as number)
      log.version.push(this.#slotVersion[at] as number)
      log.nowMs.push(nowMs)
      log.sentNs.push(this.#slotSent[slot] as number)
      log.doneNs.push(now)
      log.outcome.push(logOutcomes[outcome])
    }
  }

  #checkTimeouts(now: number): void {
    this.#nextTimeoutCheckNs = now + timeoutCheckNs
    for (let slot = 0; slot < this.#slotState.length; slot++) {
      const operation = this.#slotOperation[slot] as number
      if (this.#slotState[slot] === 1 && now - (this.#slotSent[slot] as number) > (this.#timeoutsNs[operation] as number)) this.#giveUp(slot, now)
    }
  }

  /** The slot stays taken until its completion comes: a server that hangs is not sent more. */
  #giveUp(slot: number, now: number): void {
    this.#slotState[slot] = 2
    this.#inFlight--
    const intended = this.#slotIntended[slot] as number
    const cell = this.#slotCell[slot] as number
    if (cell < 0) return
    this.#countsAt(cell).fail('timeout')
    this.#sample(slot, cell, now)
    this.#window(intended, now - intended, true)
  }

  #nextWakeNs(now: number): number {
    if (this.#queue.length > 0 && this.#free.length > 0) return now
    const arrival = this.#arrivals === null || now >= this.#endNs ? Number.POSITIVE_INFINITY : this.#startNs + this.#arrivals.nextNs
    const end = now < this.#endNs ? this.#endNs : now + 1e6
    return Math.min(arrival, end, Math.max(now, this.#nextTimeoutCheckNs))
  }

  /** Of the windows that count; of a trial that has ended. */
  recordsOf(isKept: (window: number) => boolean): OperationRecord[] {
    const records = makeRecords(this.#operations)
    this.#counts.forEach((counts, cell) => {
      const operation = cell % records.length
      if (isKept((cell - operation) / records.length)) (records[operation] as OperationRecord).add(counts)
    })
    this.#samples.fill(records, isKept)
    return records
  }

  #wholeRecords(): OperationRecord[] {
    return this.recordsOf(() => true).map((record, operation) => {
      const tiers = this.#tiers[operation] as Uint32Array
      return Object.assign(record, { draws: this.#draws[operation], tiers: tiers.length === 0 ? null : tiers })
    })
  }

  #finish(now: number): void {
    while (this.#queue.length > 0) this.#dropHead(now)
    for (let slot = 0; slot < this.#slotState.length; slot++) {
      if (this.#slotState[slot] === 0) continue
      if (this.#slotState[slot] === 1) this.#giveUp(slot, now)
      this.#log(slot, this.#slotOperation[slot] as number, now, 'error')
    }
    this.#ended = true
    const seconds = (this.#endNs - this.#measureNs) / 1e9
    this.#resolve({
      seconds,
      operations: this.#wholeRecords(),
      windows: this.#windows.filter((window) => window !== undefined),
      writes: this.#writes,
      kept: this.#kept,
      gaps: this.#gaps.histogram,
      unanswered: this.#unanswered,
      completed: this.#completed,
      cpuSeconds: 0,
      busyShare: Math.max(0, 1 - this.#idleNs / (seconds * 1e9)),
      purgeFailure: null,
    })
  }
}
