/** The rows of one entity that a trial makes: their numbers, and which of them are there at a moment, by schedule. */
import { TrialError } from '../errors.ts'
import { blockSize } from './fields.ts'

const chunkBits = 14
const inChunk = 2 ** chunkBits - 1

export class Newcomers {
  /** Whether anything draws them: else none is remembered. */
  readonly areDrawn: boolean
  readonly #entity: string
  readonly #first: number
  #makers = 0
  #ageBoundMs = 0
  // Chunks: what grows by copying stalls the clock.
  readonly #rows: Float64Array[] = []
  readonly #ms: Float64Array[] = []
  #count = 0
  /** So many were there at the moment that was asked for last. */
  #there = 0

  /** `first`: the number of the first row. */
  constructor(entity: string, first: number, areDrawn: boolean) {
    this.#entity = entity
    this.#first = first
    this.areDrawn = areDrawn
  }

  /** One more step makes rows; it was sent or given up `ageBoundMs` after its intended start. Which one it is. */
  addMaker(ageBoundMs: number): number {
    this.#ageBoundMs = Math.max(this.#ageBoundMs, ageBoundMs)
    return this.#makers++
  }

  /** The first moment at which one may be there. */
  get fromMs(): number {
    return this.#makers === 0 ? Number.POSITIVE_INFINITY : this.#ageBoundMs
  }

  /** The row that a step makes at an ordinal. */
  row(maker: number, ordinal: number): number {
    return this.#first + placeInBlock(ordinal, this.#makers, maker, `rows of ${this.#entity}`)
  }

  /** In the order of their moments. */
  push(row: number, atMs: number): void {
    const chunk = this.#count >> chunkBits
    if (chunk === this.#rows.length) {
      this.#rows.push(new Float64Array(inChunk + 1))
      this.#ms.push(new Float64Array(inChunk + 1))
    }
    ;(this.#rows[chunk] as Float64Array)[this.#count & inChunk] = row
    ;(this.#ms[chunk] as Float64Array)[this.#count & inChunk] = atMs
    this.#count++
  }

  /** How many were scheduled an age bound before this moment: they have come by now, or never will. */
  countAt(atMs: number): number {
    const latestMs = atMs - this.#ageBoundMs
    while (this.#there < this.#count && this.msAt(this.#there) <= latestMs) this.#there++
    while (this.#there > 0 && this.msAt(this.#there - 1) > latestMs) this.#there--
    return this.#there
  }

  rowAt(index: number): number {
    return (this.#rows[index >> chunkBits] as Float64Array)[index & inChunk] as number
  }

  /** The moment of its intended start, in ms of the trial. */
  msAt(index: number): number {
    return (this.#ms[index >> chunkBits] as Float64Array)[index & inChunk] as number
  }
}

/** Of steps that share a block of numbers, each takes every `steps`-th from its own place on. @throws where the block ends. */
export function placeInBlock(ordinal: number, steps: number, step: number, what: string): number {
  const place = ordinal * steps + step
  if (place >= blockSize)
    throw new TrialError('block-full', `this trial would make more than ${blockSize} ${what}: numbers of the next trial begin there`, {
      hint: 'make its rounds shorter, or its rate lower',
    })
  return place
}
