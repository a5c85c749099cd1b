/** Encoded rows that a load keeps back until many of one place have come: a server writes them together for less than one at a time. */
import { type Chunk, cell, columnOf, startOf } from '../data/rows.ts'
import { RequestBuffer } from './request.ts'

const maxGatheredBytes = 32 * 2 ** 20

export class Gathered {
  readonly #rows = new RequestBuffer()
  /** Where each row ends. */
  #ends: number[] = []
  #places = new Map<string, number[]>()

  get full(): boolean {
    return this.#rows.length >= maxGatheredBytes
  }

  /** A row as `write` appends it. */
  add(place: string, write: (to: RequestBuffer) => void): void {
    write(this.#rows)
    const row = this.#ends.push(this.#rows.length) - 1
    const others = this.#places.get(place)
    if (others === undefined) this.#places.set(place, [row])
    else others.push(row)
  }

  /** Gives away what was gathered: the rows of one place after the other, row i in bytes[start(i), end(i)). */
  *drain(): Iterable<{ place: string; rows: number[]; append: (row: number, to: RequestBuffer) => void }> {
    const [places, ends, { bytes }] = [this.#places, this.#ends, this.#rows]
    const append = (row: number, to: RequestBuffer) => to.appendPart(bytes, row === 0 ? 0 : (ends[row - 1] as number), ends[row] as number)
    for (const [place, rows] of places) yield { place, rows, append }
    this.#places = new Map()
    this.#ends = []
    this.#rows.length = 0
  }
}

/** Calls `found` with each distinct word of some fields of each row; words as their UTF-8 bytes, each byte a character. */
export function eachWord(chunk: Chunk, fields: string, found: (word: string, row: number) => void): void {
  const texts = fields.split(' ').map((field) => {
    const column = columnOf(chunk, field)
    return column.kind === 'bytes'
      ? (row: number) => column.bytes.toString('latin1', startOf(column.ends, row), column.ends[row])
      : (row: number) => Buffer.from(String(cell(column, row))).toString('latin1')
  })
  for (let row = 0; row < chunk.rows; row++) {
    const words = texts.length === 1 ? (texts[0] as (row: number) => string)(row).split(' ') : texts.flatMap((text) => text(row).split(' '))
    for (let at = 0; at < words.length; at++) {
      const word = words[at] as string
      if (word !== '' && words.indexOf(word) === at) found(word, row)
    }
  }
}
