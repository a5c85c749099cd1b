/** A client that lies now and then, on a real server: what the checks of a run are there to find. */
import { fixedParameters, positionsOf, type WireSource } from '../../src/data/parameters.ts'
import { type Answer, canonical, type Value } from '../../src/data/value.ts'
import type { Lane, Session } from '../../src/engines/engine.ts'
import { type Operation, type Scenario, writesOf } from '../../src/scenario/scenario.ts'

/**
 * drop: a write is acknowledged and never sent · duplicate: an addition is done twice · reorder: the write of a row before the last one comes
 * after it · stale: a read tells what the row was before.
 */
export const faults = ['drop', 'duplicate', 'reorder', 'stale'] as const
export type Fault = (typeof faults)[number]
type Done = Parameters<Lane['onDone']>
/** What it must know of an operation. */
interface Shape {
  kind: Operation['kind']
  writes: boolean
  sets: boolean
  adds: boolean
  keyAt: number
}

export class FaultyLane implements Lane {
  onDone: Lane['onDone'] = () => {}
  onAnswer: Lane['onAnswer'] = () => {}
  /** Times that it has lied. */
  lies = 0
  readonly #lane: Lane
  readonly #fault: Fault
  readonly #session: Pick<Session, 'perform'>
  readonly #operations: Shape[]
  readonly #oneIn: number
  /** Writes so far, and whether it is time for a lie. */
  #writes = 0
  #isDue = false
  /** By slot: what is done on the server once the call has ended, before that is said. */
  readonly #then = new Map<number, () => Promise<unknown>>()
  /** The last values that were set, by operation and key. */
  readonly #lastSet = new Map<string, Value[]>()
  /** By key: the first answer of a read, and whether the row was written since. */
  readonly #seen = new Map<string, { answer: Answer; isOld: boolean }>()
  readonly #reading = new Map<number, { key: string; lies: boolean }>()

  /** `oneIn`: after so many writes it lies once, about the next call that it can lie about; `seed` says which write is the first of them. */
  constructor(
    lane: Lane,
    session: Pick<Session, 'perform'>,
    fault: Fault,
    { scenario, operations }: { scenario: Scenario; operations: readonly Operation[] },
    oneIn: number,
    seed: number,
  ) {
    this.#lane = lane
    this.#session = session
    this.#fault = fault
    this.#oneIn = oneIn
    this.#writes = seed % oneIn
    this.#operations = operations.map((operation) => ({
      kind: operation.kind,
      writes: writesOf(operation).length > 0,
      sets: operation.kind === 'update' && operation.via === null && operation.set.length > 0 && operation.add.length === 0,
      adds: operation.kind === 'update' && operation.via === null && operation.add.length > 0,
      keyAt: [...positionsOf(scenario, operation)].find(([name]) => name.startsWith('key.') || name.startsWith('row.'))?.[1] ?? -1,
    }))
    lane.onDone = (...done) => this.#ended(done)
    lane.onAnswer = (slot, answer) => this.onAnswer(slot, this.#told(slot, answer))
  }

  get slots(): number {
    return this.#lane.slots
  }

  send(slot: number, operation: number, params: WireSource, keep: boolean): void {
    const { kind, writes, sets, adds, keyAt } = this.#operations[operation] as Shape
    const values = params.values()
    const key = keyAt < 0 ? '' : canonical(values[keyAt] as Value)
    const again = (those: Value[]) => () => this.#session.perform(operation, fixedParameters(those))
    if (writes) {
      this.#count()
      const seen = this.#seen.get(key)
      if (seen !== undefined) seen.isOld = true
    } else if (kind === 'get')
      this.#reading.set(slot, { key, lies: this.#fault === 'stale' && this.#seen.get(key)?.isOld === true && this.#isChosen() })
    if (this.#fault === 'drop' && writes && this.#isChosen()) {
      setImmediate(() => {
        this.onDone(slot, 'ok', 1, 0, '')
        this.#lane.flush()
      })
      return
    }
    if (this.#fault === 'duplicate' && adds && this.#isChosen()) this.#then.set(slot, again(values))
    if (sets) {
      const before = this.#lastSet.get(`${operation} ${key}`)
      if (this.#fault === 'reorder' && before !== undefined && this.#isChosen()) this.#then.set(slot, again(before))
      this.#lastSet.set(`${operation} ${key}`, values)
    }
    this.#lane.send(slot, operation, params, keep)
  }

  flush(): void {
    this.#lane.flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lane[Symbol.asyncDispose]()
  }

  #count(): void {
    if (++this.#writes % this.#oneIn === 0) this.#isDue = true
  }

  #isChosen(): boolean {
    if (!this.#isDue) return false
    this.#isDue = false
    this.lies++
    return true
  }

  #ended(done: Done): void {
    const [slot] = done
    const then = this.#then.get(slot)
    if (then === undefined) {
      this.onDone(...done)
      return
    }
    this.#then.delete(slot)
    void then().then(
      () => {
        this.onDone(...done)
        this.#lane.flush()
      },
      () => this.onDone(slot, 'error', 0, 0, 'connection-lost'),
    )
  }

  #told(slot: number, answer: Answer): Answer {
    const reading = this.#reading.get(slot)
    this.#reading.delete(slot)
    if (reading === undefined) return answer
    const seen = this.#seen.get(reading.key)
    if (seen === undefined) this.#seen.set(reading.key, { answer, isOld: false })
    return reading.lies && seen !== undefined ? seen.answer : answer
  }
}
