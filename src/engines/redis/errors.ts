/** What the driver of Redis throws (ioredis): the server's errors with their first word, its own by name. */
import { respError } from '../../clients/protocols/resp-errors.ts'
import { ServerError, type ServerErrorCode } from '../../clients/server-error.ts'

const ofClass: Record<string, ServerErrorCode> = {
  AbortError: 'connection-lost',
  MaxRetriesPerRequestError: 'connection-lost',
  ParserError: 'unreadable',
}

/** Plain errors, by their message. */
const own: [RegExp, ServerErrorCode][] = [
  [/^Connection is closed|^Stream isn't writeable/, 'connection-lost'],
  [/^Command timed out/, 'timeout'],
]

export function redisError(thrown: Error): ServerError | null {
  // Of a transaction that was discarded, what was refused first.
  const [first] = (thrown as { previousErrors?: Error[] }).previousErrors ?? []
  if (first !== undefined) return redisError(first)
  if (thrown.name === 'ReplyError') return respError(thrown.message, thrown)
  const code = ofClass[thrown.name] ?? own.find(([message]) => message.test(thrown.message))?.[1]
  return code === undefined ? null : new ServerError(code, thrown.message, { cause: thrown })
}
