/** What Cassandra's driver throws (cassandra-driver): all its classes carry a sentence on themselves, the server's errors their code. */
import { cqlError } from '../../clients/protocols/cql-errors.ts'
import { errorName } from '../../clients/protocols/cql-messages.ts'
import { connectionLost, ServerError, type ServerErrorCode } from '../../clients/server-error.ts'

const ofClass: Record<string, ServerErrorCode> = {
  AuthenticationError: 'denied',
  BusyConnectionError: 'unavailable',
  DriverError: 'connection-lost', // The class itself: a socket that was closed.
  DriverInternalError: 'unreadable',
  OperationTimedOutError: 'timeout',
}

export function cassandraError(thrown: Error): ServerError | null {
  const { info, code, innerErrors } = thrown as { info?: unknown; code?: unknown; innerErrors?: Record<string, unknown> | null }
  if (typeof info !== 'string') return null
  if (typeof code === 'number') return cqlError(errorName(code), thrown.message, thrown)
  // None of the nodes took it: there is one, and it says why, unless it is not there.
  if (innerErrors !== undefined) {
    const first = Object.values(innerErrors ?? {})[0]
    const why = first instanceof Error ? (cassandraError(first) ?? connectionLost(first)) : null
    return new ServerError(why?.code ?? 'connection-lost', thrown.message, { detail: why?.detail ?? '', cause: thrown })
  }
  const known = ofClass[thrown.name]
  return known === undefined ? null : new ServerError(known, thrown.message, { cause: thrown })
}
