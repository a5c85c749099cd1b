/** What Redis is asked, as data: an operation yields calls and is handed their replies, whichever client carries them. */

import type { Resp } from '../wire/redis.ts'
import type { Script } from './redis-scripts.ts'

export type { Resp }
export type Word = string | Buffer

/** A script with its keys and arguments; without a script the words of a command. */
export interface Call {
  script: Script | null
  keys: Word[]
  words: Word[]
}

/** A conversation that ends with a T. */
export type Talk<T> = Generator<Call, T, Resp>

export const command = (...words: Word[]): Call => ({ script: null, keys: [], words })

/** The words of a call as they travel. */
export function wordsOf({ script, keys, words }: Call): Word[] {
  return script === null ? words : ['EVALSHA', script.sha, String(keys.length), ...keys, ...words]
}
