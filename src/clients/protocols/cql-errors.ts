/** Errors of Cassandra's native protocol as trials count them (native_protocol_v4.spec, 9), by their names. */
import { codesOf, keysOf, ServerError } from '../server-error.ts'

const codeOf = codesOf({
  timeout: ['ReadTimeout', 'WriteTimeout'],
  transient: ['CasWriteUnknown', 'Contended'],
  unavailable: ['IsBootstrapping', 'Overloaded', 'Unavailable'],
  constraint: ['AlreadyExists', 'Unique'],
  denied: ['BadCredentials', 'Unauthorized'],
  invalid: ['ConfigError', 'Invalid', 'ProtocolError', 'SyntaxError', 'Unprepared'],
})

export const cqlKey = keysOf(codeOf)
export const cqlError = (name: string, message: string, cause?: unknown) => new ServerError(codeOf(name), message, { detail: name, cause })
