/** A candidate's server during a run: it may end by itself and is started again once, is paused while others run, and starts anew on its snapshot. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from '../engines/engine.ts'
import { isOwnFault, messageOf, rethrowOwnFault, TrialError } from '../errors.ts'
import { endOf, type Instance } from '../provision/provision.ts'
import { realClock } from '../replay/clock.ts'
import type { CandidateResult } from '../result/result.ts'

const readyWithinMs = 30_000

export class CandidateServer {
  readonly engine: Engine
  /** Why nothing more is measured; null: it is. */
  failure: string | null = null
  instance: Instance | null = null
  /** Loaded, and every answer was right. */
  verified = false
  /** Times the server ended by itself and was started again. */
  readonly restarts: CandidateResult['restarts'] = []
  /** Moments at which it did so, on the replay's clock. */
  readonly deathsNs: number[] = []
  /** Times that it was started again on its snapshot because its rows had grown. */
  restores = 0
  /** Why the server is not running, while it is not. */
  protected death: string | null = null
  readonly #signal: AbortSignal
  #stopping = false
  #restoring = false
  /** From the order to kill it until it runs again: its end is no failure. */
  #killing = false

  constructor(engine: Engine, signal: AbortSignal) {
    this.engine = engine
    this.#signal = signal
  }

  attach(instance: Instance): void {
    this.instance = instance
    void instance.exited.then((exit) => {
      if (this.#stopping || this.#restoring) return
      const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal
      const words = endOf(exit, 2)
      this.deathsNs.push(realClock.nowNs())
      this.death = `the server ended (${how})${words === '' ? '' : `: ${words}`}`
      if (!this.#killing && !this.#mayRestart(instance)) this.failure ??= this.death
    })
  }

  /** A server that was just started anew: its end is another one, and it is bound to its cores again. */
  async #attachAgain(instance: Instance): Promise<void> {
    this.attach(instance)
    await instance.confine()
  }

  /** Ends the server; from here on its exit is no failure. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.instance?.[Symbol.asyncDispose]()
  }

  /** A server that ended in the middle of a trial is started again on its data, once. */
  protected async revive(): Promise<void> {
    const { instance } = this
    if (this.death === null || instance === null || this.failure !== null) return
    const reason = this.death
    try {
      if (!this.#mayRestart(instance)) throw new TrialError('server-ended', reason)
      this.restarts.push({ at: new Date().toISOString(), reason })
      this.death = null
      await instance.restart?.()
      await this.#attachAgain(instance)
    } catch (error) {
      if (!isOwnFault(error)) this.failure = `${reason}; it did not start again: ${messageOf(error)}`
      throw error
    }
  }

  /** @throws as soon as the server ends: drivers may wait for it much longer. */
  async unlessItEnds<T>(work: Promise<T>): Promise<T> {
    const end = Promise.withResolvers<never>()
    void this.instance?.exited.then(() => end.reject(new TrialError('server-ended', this.death ?? 'the server ended')))
    return await Promise.race([work, end.promise])
  }

  protected async startOnSnapshot(instance: Instance): Promise<void> {
    this.#restoring = true
    try {
      await instance.restore?.()
    } finally {
      this.#restoring = false
    }
    await this.#attachAgain(instance)
    this.restores++
  }

  /** Whether it can be killed and started again on what it left. */
  get isKillable(): boolean {
    return this.instance?.restart !== undefined && this.engine.capabilities.dataSurvivesRestart && this.verified && this.failure === null
  }

  /** As a program that fails ends: at once, with nothing written that it had not written. Whether it was killed; false: it had ended by itself. */
  protected async killAfter(ms: number, signal: AbortSignal): Promise<boolean> {
    await sleep(ms, undefined, { signal: AbortSignal.any([this.#signal, signal]) })
    if (this.death !== null) return false
    this.#killing = true
    await this.instance?.kill()
    return true
  }

  /** A server that was killed, on what it left. Seconds until it answered. @throws where it does not come back */
  protected async startAgain(instance: Instance): Promise<number> {
    const from = performance.now()
    try {
      await instance.restart?.()
    } catch (error) {
      if (!isOwnFault(error)) this.failure = `killed in the middle of its writes, it did not start again: ${messageOf(error)}`
      throw error
    }
    const seconds = (performance.now() - from) / 1000
    this.death = null
    this.#killing = false
    await this.#attachAgain(instance)
    return seconds
  }

  /** A server that cannot be paused would disturb the others: it has failed, unless it has just ended. */
  protected async pause(instance: Instance): Promise<void> {
    try {
      await instance.pause()
    } catch (error) {
      rethrowOwnFault(error)
      await sleep(100)
      if (this.death === null) this.failure = `it could not be paused: ${messageOf(error)}`
    }
  }

  /** A server that was just thawed or started needs a moment. */
  protected async answering(instance: Instance): Promise<void> {
    const deadline = Date.now() + readyWithinMs
    for (;;) {
      this.#signal.throwIfAborted()
      try {
        await this.engine.ready(instance.endpoint)
        return
      } catch (error) {
        if (isOwnFault(error) || this.failure !== null || this.death !== null || Date.now() > deadline) throw error
        await sleep(50)
      }
    }
  }

  /** Once, only after the verification, and only where it comes back with its data: what the disk holds is then what acknowledged writes left. */
  #mayRestart(instance: Instance): boolean {
    return instance.restart !== undefined && this.engine.capabilities.dataSurvivesRestart && this.restarts.length === 0 && this.verified
  }
}
