/** A short replay on a real server through its wire client, and what the invariants say of it. */
import type { Dataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import type { Compiled, Lane, Session } from '../../src/engines/engine.ts'
import { appendWrites, emptyWriteLog, type WriteLog } from '../../src/measure/recorder.ts'
import { realClock } from '../../src/replay/clock.ts'
import { Executor } from '../../src/replay/executor.ts'
import { writesOf } from '../../src/scenario/scenario.ts'
import { checkInvariants, type Totals, takeTotals } from '../../src/verify/invariants.ts'
import { judge } from '../../src/verify/judge.ts'
import type { Reference } from '../../src/verify/reference.ts'
import { blocks } from '../../src/verify/verify.ts'

const { signal } = new AbortController()

/** Several replays one after the other are judged together, as in a run. */
export class Replay {
  readonly log: WriteLog = emptyWriteLog()
  readonly #session: Session
  readonly #compiled: Compiled
  readonly #dataset: Dataset
  readonly #reference: Reference
  readonly #before: Totals
  #trials = 0
  #nowMs = 0

  /** `reference` must hold what the server holds. */
  static async of(session: Session, compiled: Compiled, dataset: Dataset, reference: Reference): Promise<Replay> {
    return new Replay(session, compiled, dataset, reference, await takeTotals(session, dataset.scenario))
  }

  private constructor(session: Session, compiled: Compiled, dataset: Dataset, reference: Reference, before: Totals) {
    this.#session = session
    this.#compiled = compiled
    this.#dataset = dataset
    this.#reference = reference
    this.#before = before
  }

  /** Errors, answers that cannot be right and invariants that do not hold; empty: all is well. */
  async run(lane: Lane, seconds: number): Promise<string[]> {
    return [...(await this.send(lane, seconds)), ...(await this.check())]
  }

  /** Errors, and answers that cannot be right. */
  async send(lane: Lane, seconds: number): Promise<string[]> {
    const { operations, programs } = this.#compiled
    const { scenario } = this.#dataset
    const stream = `replay ${++this.#trials}`
    const startNs = realClock.nowNs()
    const nowMs = () => scenario.epochMs + (realClock.nowNs() - startNs) / 1e6
    const params = new DrawnParameters(this.#dataset, operations, stream, blocks.firstTrial + this.#trials, scenario.epochMs)
    const spec = {
      loop: 'closed' as const,
      arrival: 'poisson' as const,
      // Each write as often as any other, whatever the machine can do in the time.
      ratesPerSecond: operations.map((operation, index) => (programs[index] === null ? 0 : writesOf(operation).length > 0 ? 3 : 1)),
      concurrency: lane.slots,
      warmUpSeconds: 0,
      seconds,
      seed: scenario.seed,
      stream,
    }
    const recording = await new Executor(lane, realClock, spec, operations, params).run()
    appendWrites(this.log, recording.writes)
    const errors = recording.operations.flatMap(({ errors }, index) =>
      Object.entries(errors).map(([code, count]) => `${operations[index]?.name}: ${count} errors ${code}`),
    )
    const wrong = Object.entries(judge(recording.kept, operations, this.#dataset, this.#reference)).map(
      ([name, count]) => `${name}: ${count} kept answers wrong`,
    )
    this.#nowMs = Math.ceil(nowMs())
    return [...errors, ...wrong]
  }

  /** Invariants that do not hold, over all that was sent. `maxRows`: read back of each entity. */
  async check(maxRows?: number): Promise<string[]> {
    const replayed = { reference: this.#reference, before: this.#before, log: this.log, deathsNs: [], nowMs: this.#nowMs, maxRows }
    const invariants = await checkInvariants(this.#session, this.#compiled, this.#dataset, replayed, signal)
    return invariants.filter((each) => !each.ok).map(({ name, detail }) => `${name}: ${detail}`)
  }
}
