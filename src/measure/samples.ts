/** How long each operation of a trial took, in the order in which they ended: what histograms are filled from, once it is known which windows count. */
import type { OperationRecord } from './recorder.ts'

const perChunk = 2 ** 16
const fields = 4

interface Chunk {
  /** By sample: the window times the number of operations, and the operation. */
  cells: Uint32Array
  /** By sample four times in ns; below 0: there is none. Of 24 bits, which is more than a histogram keeps. */
  times: Float32Array
}

export class Samples {
  /** Kept from trial to trial: fresh memory is slow at first touch. */
  readonly #chunks: Chunk[] = []
  #current: Chunk | undefined
  /** Of the current chunk, and of those before it. */
  #at = 0
  #full = 0

  /** Forgets all; so many can then be added without room being made. */
  clear(expected = 0): void {
    this.#full = 0
    this.#at = 0
    while (this.#chunks.length * perChunk < expected) this.#chunks.push(newChunk())
    this.#current = this.#chunks[0]
  }

  /** Allocates nothing but one chunk for every 65,536 beyond what was expected. */
  add(cell: number, responseNs: number, serviceNs: number, queueNs: number, dispatchNs: number): void {
    const { cells, times } = this.#current ?? this.#next()
    const at = this.#at++
    cells[at] = cell
    times[fields * at] = responseNs
    times[fields * at + 1] = serviceNs
    times[fields * at + 2] = queueNs
    times[fields * at + 3] = dispatchNs
    if (this.#at === perChunk) {
      this.#full++
      this.#at = 0
      this.#current = this.#chunks[this.#full]
    }
  }

  #next(): Chunk {
    const chunk = newChunk()
    this.#chunks.push(chunk)
    this.#current = chunk
    return chunk
  }

  /** Into the histograms of one record for each operation. */
  fill(records: readonly OperationRecord[], isKept: (window: number) => boolean): void {
    for (let chunk = 0; chunk <= this.#full && chunk < this.#chunks.length; chunk++) {
      const { cells, times } = this.#chunks[chunk] as Chunk
      const length = chunk < this.#full ? perChunk : this.#at
      for (let at = 0; at < length; at++) {
        const cell = cells[at] as number
        const operation = cell % records.length
        if (!isKept((cell - operation) / records.length)) continue
        const { response, service, queue, dispatch } = records[operation] as OperationRecord
        const [responseNs, serviceNs] = [times[fields * at] as number, times[fields * at + 1] as number]
        const [queueNs, dispatchNs] = [times[fields * at + 2] as number, times[fields * at + 3] as number]
        if (responseNs >= 0) response.record(responseNs)
        if (serviceNs >= 0) service.record(serviceNs)
        if (queueNs >= 0) queue.record(queueNs)
        if (dispatchNs >= 0) dispatch.record(dispatchNs)
      }
    }
  }
}

const newChunk = (): Chunk => ({ cells: new Uint32Array(perChunk), times: new Float32Array(fields * perChunk) })
