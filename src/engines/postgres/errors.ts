/** What PostgreSQL's driver throws (pg): the server's errors have a SQLSTATE, its own are plain errors with a message. */
import { sqlStateError } from '../../clients/protocols/postgres-errors.ts'
import { ServerError, type ServerErrorCode } from '../../clients/server-error.ts'

const own: [RegExp, ServerErrorCode][] = [
  [/^Connection terminated|^Client (was closed|has encountered a connection error)/, 'connection-lost'],
  [/^timeout expired|^Query read timeout/, 'timeout'],
  [/^Received unexpected|^Unknown authenticationOk/, 'unreadable'],
  [/^SASL|does not support SSL|establishing an SSL connection/, 'denied'],
]

export function postgresError(thrown: Error): ServerError | null {
  const { severity, code } = thrown as { severity?: unknown; code?: unknown }
  if (severity !== undefined && typeof code === 'string') return sqlStateError(code, thrown.message, thrown)
  const found = own.find(([message]) => message.test(thrown.message))
  return found === undefined ? null : new ServerError(found[1], thrown.message, { cause: thrown })
}
