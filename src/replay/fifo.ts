/** A queue of intended starts in ring buffers: no garbage per element. */
export class Fifo {
  #operations = new Int32Array(1024)
  #ordinals = new Float64Array(1024)
  #scheduled = new Float64Array(1024)
  #intended = new Float64Array(1024)
  #twins = new Float64Array(1024)
  #head = 0
  length = 0

  /** `scheduledMs`: the moment in the schedule that parameters are drawn for; `twinNs`: the intended start on the clock without the harness's gaps. */
  push(operation: number, ordinal: number, scheduledMs: number, intendedNs: number, twinNs: number): void {
    if (this.length === this.#operations.length) this.#grow()
    const at = (this.#head + this.length) & (this.#operations.length - 1)
    this.#operations[at] = operation
    this.#ordinals[at] = ordinal
    this.#scheduled[at] = scheduledMs
    this.#intended[at] = intendedNs
    this.#twins[at] = twinNs
    this.length++
  }

  get operation(): number {
    return this.#operations[this.#head] as number
  }

  get ordinal(): number {
    return this.#ordinals[this.#head] as number
  }

  get scheduledMs(): number {
    return this.#scheduled[this.#head] as number
  }

  get intendedNs(): number {
    return this.#intended[this.#head] as number
  }

  get twinNs(): number {
    return this.#twins[this.#head] as number
  }

  shift(): void {
    this.#head = (this.#head + 1) & (this.#operations.length - 1)
    this.length--
  }

  #grow(): void {
    this.#operations = this.#grown(this.#operations, new Int32Array(this.#operations.length * 2))
    this.#ordinals = this.#grown(this.#ordinals, new Float64Array(this.#ordinals.length * 2))
    this.#scheduled = this.#grown(this.#scheduled, new Float64Array(this.#scheduled.length * 2))
    this.#intended = this.#grown(this.#intended, new Float64Array(this.#intended.length * 2))
    this.#twins = this.#grown(this.#twins, new Float64Array(this.#twins.length * 2))
    this.#head = 0
  }

  #grown<T extends Int32Array | Float64Array>(from: T, to: T): T {
    for (let i = 0; i < this.length; i++) to[i] = from[(this.#head + i) & (from.length - 1)] as number
    return to
  }
}
