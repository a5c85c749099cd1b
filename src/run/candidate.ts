/** One candidate during a run: what was compiled for it, its replay time, its trials and everything else measured so far. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Evidence } from '../assess/judge/at-multiple.ts'
import { isEndKnown } from '../assess/judge/own-evidence.ts'
import { clientOf } from '../clients/open-lane.ts'
import { isConnectionLost } from '../clients/server-error.ts'
import { asRole, type ClientKind, type Compiled, type Endpoint, type Engine, type Lane, type Session } from '../engines/engine.ts'
import { isOwnFault, messageOf, rethrowOwnFault, TrialError } from '../errors.ts'
import { appendWrites, clearWrites, emptyWriteLog, type KeptAnswer, type Recording } from '../measure/recorder.ts'
import { between } from '../measure/resources.ts'
import { usualSensitivity } from '../measure/slowdown.ts'
import { judgeValidity } from '../measure/validity.ts'
import type { Instance } from '../provision/provision.ts'
import type { TrialSpec } from '../replay/arrivals.ts'
import { Workload } from '../replay/workload.ts'
import type { CandidateResult, TrialResult } from '../result/result.ts'
import type { Candidate } from '../scenario/scenario.ts'
import { owningStrayErrors } from '../stray-errors.ts'
import { judgeCached } from '../verify/cached.ts'
import type { Totals } from '../verify/invariants.ts'
import { judge } from '../verify/judge.ts'
import { Reference } from '../verify/reference.ts'
import { CandidateServer } from './candidate-server.ts'
import { type Growth, growthOf } from './growth.ts'
import { labelOf, type ReplayOrder, type RunContext, type TrialOrder } from './orders.ts'
import { abortable, leaveOutPauses, type Subject, type Taken, takeTrial } from './taking.ts'
import { describeTrial } from './trial.ts'

/** Phases whose trials stand on their own, wherever they were measured. */
const resumable = new Set<TrialResult['phase']>(['sweep', 'work', 'connections', 'confirmation', 'curve', 'held-back'])

const unverified = (): CandidateResult['verification'] => ({ checked: 0, wrong: 0, byOperation: {}, differences: [] })

export class CandidateRun extends CandidateServer {
  readonly candidate: Candidate
  readonly compiled: Compiled
  parity: CandidateResult['parity'] = []
  load: CandidateResult['load'] = null
  readonly storage: CandidateResult['storage']['at'] = []
  verification = unverified()
  invariants: CandidateResult['invariants'] = []
  /** null: it was not killed. */
  kills: CandidateResult['kills'] = null
  explanations: CandidateResult['explanations'] = []
  /** Of all starts so far; null: some were lost with a server that ended, or are an interrupted run's. */
  indexUse: CandidateResult['indexUse'] | null = []
  readonly trials: TrialResult[] = []
  /** Server CPU seconds of one call, for operations that had a trial of their own. */
  readonly cpuSecondsPerCall = new Map<number, number>()
  connections = 16
  /** How closely its server follows the speed of its cores, as far as that is known. */
  sensitivity = usualSensitivity
  /** Speed of the host that warm-ups are told at, µs of the timed piece of code; null: nobody timed it yet. */
  warmSpeedUs: number | null = null
  /** Completions per window that the first warm-up ended with; null before it. */
  warmLevel: number | null = null
  /** What the warm-up found; null before it. */
  steady: CandidateResult['steady'] = null
  /** The multiple that the forecasts are held against; null before the first open loop. */
  heldBack: number | null = null
  /** Trials that have narrowed its capacity after the last start. */
  narrowed = 0
  /** Best throughput on servers of other sizes. */
  readonly sizes: CandidateResult['sizes'] = []
  reference: Reference | null = null
  totals: Totals = new Map()
  readonly writes = emptyWriteLog()
  /** What failed beside the operations, and did not end the candidate. */
  readonly otherFailures: CandidateResult['otherFailures'] = []
  /** A worker that was lost took its log of writes along: what the server should hold now is unknown. */
  writesUnknown = false
  readonly #context: RunContext
  readonly #attempts = new Map<string, number>()
  readonly #workload: Workload
  /** What an interrupted run measured already, by label. */
  readonly #before: Map<string, TrialResult[]>
  #elapsedMs = 0
  /** Client and connections that the workers have open; '' where they have none. */
  #openWith = ''
  /** Replay time of the snapshot, ms since the epoch; null: there is none. */
  #snapshotMs: number | null = null
  #lostWorkers = 0
  /** null: what is timed is not over. */
  #grownShare: number | null = null

  constructor(candidate: Candidate, engine: Engine, compiled: Compiled, context: RunContext, before: TrialResult[]) {
    super(engine, context.signal)
    this.#workload = new Workload(context.dataset, compiled.operations, context.laws)
    this.#before = Map.groupBy(
      before.filter((trial) => resumable.has(trial.phase) && trial.validity.verdict !== 'broken'),
      ({ phase, repeat, arrival: { loop, multiple }, connections, mix }) =>
        labelOf({ phase, repeat, loop, multiple, concurrency: connections, ...(mix === 'common' ? { mix } : {}) }),
    )
    this.candidate = candidate
    this.compiled = compiled
    this.#context = context
  }

  /** Epoch plus the seconds of its own trials. */
  get nowMs(): number {
    return this.#context.dataset.scenario.epochMs + this.#elapsedMs
  }

  get supported(): number[] {
    return this.compiled.operations.flatMap((operation, index) => (operation.internal || this.compiled.programs[index] === null ? [] : [index]))
  }

  /** Whether some candidate cannot do everything: the mix that all can do is then measured, too. */
  get hasPartialRival(): boolean {
    return this.#context.commonMix().size < this.compiled.scenario.operations.length
  }

  /** What its trials are judged by: those of its own mix, or of the one that all candidates can do. */
  evidence(kind: 'own' | 'common' = 'own'): Evidence {
    const { operations } = this.compiled.scenario
    const indices = kind === 'own' ? this.supported : [...this.#context.commonMix()]
    const mix = new Set(indices.map((index) => this.compiled.operations[index]?.name ?? ''))
    const scaleLimited = new Set(this.#context.plan.operations.filter((each) => each.scaleLimited).map((each) => each.name))
    const trials = this.trials.filter((trial) => (trial.mix === 'common') === (kind === 'common'))
    return { trials, operations, mix, scaleLimited, isEndKnown: isEndKnown(this) }
  }

  get mix(): 'full' | 'partial' {
    return this.supported.length < this.compiled.scenario.operations.length ? 'partial' : 'full'
  }

  /** Rates of all operations at a multiple of the average load; those outside the mix and internal ones are 0. */
  ratesAt(multiple: number, mix?: 'common'): number[] {
    const supported = mix === 'common' ? this.#context.commonMix() : new Set(this.supported)
    return this.compiled.operations.map((operation, index) =>
      supported.has(index) ? operation.ratePerSecond * (operation.scales ? multiple : 1) : 0,
    )
  }

  /** Keeps the data as it is now, on the disk of the frozen server; the replay time and the rows go back to here. */
  async takeSnapshot(): Promise<void> {
    const instance = this.instance as Instance
    if (instance.snapshot === undefined || !this.engine.capabilities.dataSurvivesRestart) return
    await instance.pause()
    // Without room for a second copy the run goes on; that, and how far the rows grew, is in the result.
    try {
      await instance.snapshot()
      this.#snapshotMs = this.#elapsedMs
    } catch (error) {
      rethrowOwnFault(error)
      this.#note('snapshot', messageOf(error))
    }
    await instance.resume()
  }

  #note(what: CandidateResult['otherFailures'][number]['what'], reason: string): void {
    const known = this.otherFailures.find((each) => each.what === what && each.reason === reason)
    if (known === undefined) this.otherFailures.push({ what, reason, times: 1 })
    else known.times++
  }

  /** New rows as a share of the loaded ones, when all that is timed was over. */
  get grownShare(): number {
    return this.#grownShare ?? this.#growth.share
  }

  /** Since the load or the last restore. */
  get #growth(): Growth {
    const { dataset, plan } = this.#context
    return growthOf(this.compiled.operations, dataset, this.writes, plan.rows)
  }

  /** Starts the server again on its snapshot where rows grew too much, or `always`; whether it did. What was acknowledged since is gone with it. */
  async restore(always = false): Promise<boolean> {
    const instance = this.instance as Instance
    if (this.#snapshotMs === null || instance.restore === undefined || !(always || this.#growth.isTooMuch)) return false
    await this.#closeLanes()
    await this.#keepIndexUse()
    await this.startOnSnapshot(instance)
    clearWrites(this.writes)
    this.#elapsedMs = this.#snapshotMs
    return true
  }

  /**
   * Adds what the server has counted since it was started: the next start begins anew. Some servers tell what a connection counted only once
   * it has ended or a second has passed, so those of the workers are closed before; a few calls that are told too late change nothing of a finding.
   */
  async countIndexUse(session: Session): Promise<void> {
    const counted = await session.indexUse()
    if (this.restarts.length > 0) this.indexUse = null
    if (this.indexUse === null) return
    const sums = new Map(this.indexUse.map((each) => [`${each.table} ${each.index}`, each]))
    for (const { table, index, uses } of counted) {
      const key = `${table} ${index}`
      sums.set(key, { table, index, uses: uses + (sums.get(key)?.uses ?? 0) })
    }
    this.indexUse = [...sums.values()]
  }

  /** A server that has just ended is started anew all the same; what it had counted is lost. */
  async #keepIndexUse(): Promise<void> {
    try {
      if (this.death === null) return await this.withSession(1, (session) => this.countIndexUse(session))
    } catch (error) {
      rethrowOwnFault(error)
    }
    this.indexUse = null
  }

  /** Runs `work` while this server runs. Failures are kept; the other candidates go on. @throws what ends the run: an abort, or a fault of ours */
  async visit(work: (instance: Instance) => Promise<void>): Promise<void> {
    const { instance } = this
    if (instance === null || this.failure !== null) return
    try {
      if (this.death === null) await instance.resume()
      await this.revive()
      await this.answering(instance)
      await owningStrayErrors(() => abortable(work(instance), this.#context.signal))
    } catch (error) {
      if (this.#context.signal.aborted) throw error
      rethrowOwnFault(error)
      // A server that ends tells more about the cause than the error it left us with; one whose disk is full tries to recover before it does.
      await Promise.race([instance.exited, sleep(isConnectionLost(error) ? 5000 : 100)])
      await sleep(100)
      if (this.death !== null && !this.verified) this.verification = unverified() // Errors of a dead server are no wrong answers.
      this.failure ??= this.death ?? messageOf(error)
    } finally {
      await this.#closeLanes()
      if (this.failure === null && this.death === null) await this.pause(instance)
    }
  }

  /** Cores that the server has: as many as are asked for, where the machine has them. */
  get cpus(): number {
    const asked = this.compiled.scenario.bench.cpus
    return this.instance === null || this.instance.cores.length === 0 ? asked : Math.min(asked, this.instance.cores.length)
  }

  /** As who administers the server. */
  withSession<T>(connections: number, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#withSession((this.instance as Instance).endpoint, connections, work)
  }

  /** As who the measured operations come from, and through the same driver. */
  withOperations<T>(connections: number, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#withSession(this.#measured, connections, work)
  }

  get #measured(): Endpoint {
    return asRole((this.instance as Instance).endpoint)
  }

  async #withSession<T>(endpoint: Endpoint, connections: number, work: (session: Session) => Promise<T>): Promise<T> {
    const instance = this.instance as Instance
    const { administer, kind } = instance
    const options = { connections, alone: kind !== 'external', ...(administer === undefined ? {} : { administer }) }
    await using session = await this.engine.connect(endpoint, this.compiled, options)
    return await work(session)
  }

  /** What its trials are sent through, where nothing else is ordered. */
  get client(): ClientKind {
    return clientOf(this.engine, this.#context.plan.client)
  }

  /** The wire client, with so many operations in flight; null: the product has none. */
  async openWire(slots: number): Promise<Lane | null> {
    return (await this.engine.openLane?.(this.#measured, this.compiled, slots)) ?? null
  }

  makeReference(): Reference {
    this.reference = new Reference(this.#context.dataset, this.compiled.operations)
    return this.reference
  }

  /** One trial; where an interrupted run has measured it already, that one. */
  async runTrial(order: TrialOrder): Promise<TrialResult> {
    this.#context.signal.throwIfAborted()
    const label = labelOf(order)
    const before = this.#before.get(label)?.shift()
    const trial = before ?? (await this.#measure(order, label))
    if (before !== undefined) this.indexUse = null
    this.trials.push(trial)
    if (before === undefined && this.death !== null) await this.#closeLanes()
    return trial
  }

  /**
   * Writes, in the middle of which the server is killed and then started again on what it left. Seconds until it answered; null: it ended by
   * itself, or what was acknowledged is not known.
   */
  async killAmid(order: ReplayOrder, afterMs: number): Promise<number | null> {
    this.#context.signal.throwIfAborted()
    this.#grownShare ??= this.#growth.share
    await this.#keepIndexUse()
    // What opening takes is no part of the time that it writes.
    await this.#open(order)
    const over = new AbortController()
    const killed = this.killAfter(afterMs, over.signal)
    killed.catch(() => {})
    const { taken } = await this.#take(order, `kill ${order.repeat}`).finally(() => over.abort())
    appendWrites(this.writes, taken.recording.writes)
    const isKilled = await killed
    await this.#closeLanes()
    if (!isKilled) {
      await this.revive()
      return null
    }
    const seconds = await this.startAgain(this.instance as Instance)
    return this.writesUnknown ? null : seconds
  }

  async #measure(order: TrialOrder, label: string): Promise<TrialResult> {
    await this.revive()
    const { taken, spec, block, subject } = await this.#take(order, label)
    const { recording, startedAt, used } = taken
    // Asked for was what all windows ask for, those that are left out, too.
    const workload = this.#workload.check(spec, block, recording)
    const hostPauses = await leaveOutPauses(subject, order, taken)
    const resources = between(used, recording, hostPauses?.isKept)
    appendWrites(this.writes, recording.writes)
    if (recording.purgeFailure !== null) this.#note('purge', recording.purgeFailure)
    const serverCores = Math.min(this.cpus, this.engine.traits.plan.commandThreads.count ?? Number.POSITIVE_INFINITY)
    const fault = this.failure ?? this.death ?? taken.broken ?? recording.purgeFailure ?? workload.fault
    const trial: TrialResult = {
      ...describeTrial(order, recording, this, this.#context.plan, workload, hostPauses),
      startedAt,
      validity: judgeValidity(this.compiled.operations, recording.operations, resources, used.timeline, order.loop, fault, hostPauses, serverCores),
      resources,
      timeline: used.timeline,
      slowdown: 1,
      start: this.#context.start + this.restores + this.restarts.length,
    }
    this.#judgeAnswers(trial, recording)
    return trial
  }

  /** The replay of one trial, and what the machine did meanwhile. */
  async #take(order: ReplayOrder, label: string): Promise<{ taken: Taken; spec: TrialSpec; block: number; subject: Subject }> {
    await this.#open(order)
    const ratesPerSecond = order.ratesPerSecond ?? this.ratesAt(order.multiple ?? 1, order.mix)
    const spec: TrialSpec = { ...order, arrival: 'poisson', ratesPerSecond, seed: this.#context.dataset.scenario.seed, stream: label }
    const attempt = (this.#attempts.get(label) ?? 0) + 1
    this.#attempts.set(label, attempt)
    // A repeated trial draws the same arrivals and picks, but never the same new rows: the first attempt has inserted those.
    const block = this.#context.blockOf(`${label} attempt ${attempt}`)
    const brokenBy = (error: unknown) => this.#breakage(error)
    const subject = { instance: this.instance as Instance, compiled: this.compiled, context: this.#context, brokenBy }
    const taken = await takeTrial(subject, order, { spec, block, nowMs: this.nowMs })
    if (taken.broken !== null) this.writesUnknown = true
    this.#elapsedMs += Math.ceil((order.warmUpSeconds + order.seconds) * 1000) + 1000
    return { taken, spec, block, subject }
  }

  /** Lanes of the workers, where they have others open. */
  async #open({ client = this.client, concurrency }: ReplayOrder): Promise<void> {
    const { pool, dataset } = this.#context
    const wanted = `${client} ${concurrency}`
    if (this.#openWith === wanted) return
    if (this.#openWith !== '') await pool.close()
    this.#openWith = wanted
    await pool.open({ client, compiled: this.compiled, endpoint: this.#measured, shares: dataset.shares, connections: concurrency })
  }

  #judgeAnswers(trial: TrialResult, { kept }: Recording): void {
    if (this.reference === null) return
    for (const [operation, wrong] of Object.entries(judge(kept, this.compiled.operations, this.#context.dataset, this.reference))) {
      const own = trial.operations[operation]
      if (own !== undefined) own.wrong = wrong
    }
    this.#judgeCached(trial, kept)
  }

  #judgeCached(trial: TrialResult, kept: KeptAnswer[]): void {
    const { cache, operations } = this.compiled
    if (cache === undefined) return
    for (const [name, { expired, ...found }] of judgeCached(kept, this.writes, operations, this.#context.dataset, cache)) {
      const own = trial.operations[name]
      if (own === undefined) continue
      own.wrong += expired
      own.cached = { answers: own.cached?.answers ?? 0, ...found }
    }
  }

  /** Why a trial broke; a worker that was lost is replaced, once. @throws what no other trial can mend. */
  async #breakage(error: unknown): Promise<string> {
    const { pool, signal } = this.#context
    if (signal.aborted || isOwnFault(error)) throw error
    if (this.failure !== null || this.death !== null) {
      await this.#closeLanes()
      return this.failure ?? this.death ?? messageOf(error)
    }
    if (!(error instanceof TrialError) || this.#lostWorkers > 0) throw error
    this.#lostWorkers++
    this.#openWith = ''
    await pool.renew()
    return messageOf(error)
  }

  async #closeLanes(): Promise<void> {
    const { pool } = this.#context
    const wasOpen = this.#openWith !== ''
    this.#openWith = ''
    if (!wasOpen) return
    await pool.close().catch(async (error: unknown) => {
      await pool.renew()
      rethrowOwnFault(error)
    })
  }
}
