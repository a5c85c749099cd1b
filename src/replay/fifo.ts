/** A queue of (operation, intended start) in two ring buffers: no garbage per element. */
export class Fifo {
  #operations = new Int32Array(1024)
  #intended = new Float64Array(1024)
  #head = 0
  length = 0

  push(operation: number, intendedNs: number): void {
    if (this.length === this.#operations.length) this.#grow()
    const at = (this.#head + this.length) & (this.#operations.length - 1)
    this.#operations[at] = operation
    this.#intended[at] = intendedNs
    this.length++
  }

  get operation(): number {
    return this.#operations[this.#head] as number
  }

  get intendedNs(): number {
    return this.#intended[this.#head] as number
  }

  shift(): void {
    this.#head = (this.#head + 1) & (this.#operations.length - 1)
    this.length--
  }

  #grow(): void {
    const size = this.#operations.length
    const operations = new Int32Array(size * 2)
    const intended = new Float64Array(size * 2)
    for (let i = 0; i < this.length; i++) {
      operations[i] = this.#operations[(this.#head + i) & (size - 1)] as number
      intended[i] = this.#intended[(this.#head + i) & (size - 1)] as number
    }
    this.#operations = operations
    this.#intended = intended
    this.#head = 0
  }
}
