/** What Redis is asked, as data: an operation yields calls and is handed their replies, whichever client carries them. */

import type { Resp } from '../../clients/protocols/resp.ts'
import type { Script } from './scripts.ts'

export type { Resp }
export type Word = string | Buffer

/** A script with its keys and arguments, the words of a command, or commands that run together or not at all. */
export type Call = { script: Script; keys: Word[]; words: Word[] } | { command: Word[] } | { transaction: Word[][] }

/** A conversation that ends with a T. */
export type Talk<T> = Generator<Call, T, Resp>

export const command = (...words: Word[]): Call => ({ command: words })

/** A call as it travels: the commands that leave together. The reply to the last is that to the call. */
export function commandsOf(call: Call): Word[][] {
  if ('command' in call) return [call.command]
  if ('transaction' in call) return [['MULTI'], ...call.transaction, ['EXEC']]
  return [['EVALSHA', call.script.sha, String(call.keys.length), ...call.keys, ...call.words]]
}
