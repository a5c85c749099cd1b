/** What a product's B-trees hold: its indexes follow from it. */

import type { Field } from '../../scenario/scenario.ts'
import { maxFieldBytes } from '../sizes.ts'

export interface Indexing {
  /** Whether an index can be of the rows alone that fit a constant. */
  partial: boolean
  /** Of an entry, which must fit several times into a page. */
  maxEntryBytes: number
  /** Of an entry and of each of its values, beside the values themselves. */
  overheadBytes: number
  /** That a character of a text is counted as. */
  bytesPerCharacter: number
  /** Whether a table in parts by time may refer to others. */
  partsRefer: boolean
}

/** An entry that must fit three times into a page of 8 KiB; a header and the alignment take their part. */
export const usualIndexing: Indexing = { partial: true, maxEntryBytes: 2700, overheadBytes: 8, bytesPerCharacter: 1, partsRefer: true }

/** Most bytes that a value takes in an entry. */
export function entryBytes({ overheadBytes, bytesPerCharacter }: Indexing, field: Field): number {
  const isText = ['words', 'email', 'enum'].includes(field.type)
  return maxFieldBytes(field) * (isText ? bytesPerCharacter : 1) + overheadBytes
}
