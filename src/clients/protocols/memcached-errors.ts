/** Lines that Memcached refuses a command with, as trials count them. `NOT_STORED` is the answer to an item that is there already. */
import { keysOf, ServerError, type ServerErrorCode } from '../server-error.ts'

const codes: [RegExp, ServerErrorCode][] = [
  [/^SERVER_ERROR out of memory|^ERROR Too many open connections/, 'out-of-resources'],
  [/^CLIENT_ERROR (unauthenticated|authentication failure)/, 'denied'],
  [/^NOT_STORED$/, 'constraint'],
  [/^BUSY\b/, 'unavailable'],
  [/^(ERROR|CLIENT_ERROR|SERVER_ERROR object too large)\b/, 'invalid'],
]

const codeOf = (line: string): ServerErrorCode => codes.find(([pattern]) => pattern.test(line))?.[1] ?? 'other'
export const memcachedKey = keysOf(codeOf)
export const memcachedError = (line: string, cause?: unknown) => new ServerError(codeOf(line), line, { detail: line, cause })
