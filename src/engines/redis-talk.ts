/** What Redis is asked, as data: an operation yields calls and is handed their replies, whichever client carries them. */

import type { Resp } from '../wire/redis.ts'

export type { Resp }
export type Word = string | Buffer

/** A command's words; of a script its arguments, keys first. */
export interface Call {
  script: 'page' | 'write' | null
  words: Word[]
}

/** A conversation that ends with a T. */
export type Talk<T> = Generator<Call, T, Resp>
