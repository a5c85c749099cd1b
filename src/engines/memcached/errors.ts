/** What the driver of Memcached throws (memcache-client): the server's lines as they are, its own by their message. */
import { memcachedError } from '../../clients/protocols/memcached-errors.ts'
import { ServerError, type ServerErrorCode } from '../../clients/server-error.ts'

const own: [RegExp, ServerErrorCode][] = [
  [/^(socket (end|close|error)|connect failed|Shutdown requested)|No more valid servers left/, 'connection-lost'],
  [/^(connect timeout|Command timeout|socket timeout)/, 'timeout'],
]

export function driverError(thrown: Error): ServerError | null {
  if (/^(ERROR|CLIENT_ERROR|SERVER_ERROR|BUSY|NOT_STORED)\b/.test(thrown.message)) return memcachedError(thrown.message, thrown)
  const code = own.find(([message]) => message.test(thrown.message))?.[1]
  return code === undefined ? null : new ServerError(code, thrown.message, { cause: thrown })
}
