/**
 * How late the executor itself was, as jHiccup measures it: between its turns it does nothing but read answers, so whatever a turn came later
 * than it should have, it was kept from turning, by its own work, by a collection of garbage, or by the machine.
 * The twin clock stands still in these gaps: on it a response is what it would have been at most had the harness been in time, and at least none of the server's.
 */
import { Histogram } from '../measure/histogram.ts'

/** A turn takes its time, and so do the answers that are read before it. */
const allowedNs = 100_000

export class Gaps {
  /** Of the measured window and its drain. */
  readonly histogram = new Histogram()
  /** Of all gaps that have ended. */
  #totalNs = 0
  /** From then on the executor should turn. */
  #expectedNs = Number.POSITIVE_INFINITY
  #turnNs = 0
  /** The gap that ended with the last turn. */
  #lateNs = 0

  /** The executor turns. */
  turn(nowNs: number, measured: boolean): void {
    const lateNs = nowNs - this.#expectedNs - allowedNs
    this.#turnNs = nowNs
    this.#lateNs = 0
    if (!(lateNs > 0)) return
    this.#lateNs = lateNs
    this.#totalNs += lateNs
    if (measured) this.histogram.record(lateNs)
  }

  /** The next turn is late from then on, or from the last one on where that is past. */
  expect(lateFromNs: number): void {
    this.#expectedNs = Math.max(this.#turnNs, lateFromNs)
  }

  /** A moment between two turns, on the clock that stands still in gaps. */
  twinNs(nowNs: number): number {
    const lateNs = nowNs - this.#expectedNs - allowedNs
    return nowNs - this.#totalNs - (lateNs > 0 ? lateNs : 0)
  }

  /** A moment since the turn before the last, on the same clock. */
  twinBeforeTurnNs(atNs: number): number {
    const sinceNs = this.#turnNs - atNs
    return atNs - this.#totalNs + (sinceNs < this.#lateNs ? sinceNs : this.#lateNs)
  }
}
