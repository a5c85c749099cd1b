/**
 * What a server did wrong, or the way to it. Protocols throw it, and at one place for each product it is made of what the product's driver
 * throws. Whatever else is thrown is a fault of ours, and is told as one.
 */
import { messageOf, TrialError } from '../errors.ts'
import { errorKey } from '../measure/error-keys.ts'

/** The same for every product, because trials count by them; what the server itself called it is the detail. */
export type ServerErrorCode =
  /** The connection was refused, reset or closed, or the server said that it ends. */
  | 'connection-lost'
  /** No answer in time, by the server's clock or by the client's. */
  | 'timeout'
  /** Others were in the way, and the retries were used up. */
  | 'transient'
  /** It runs, and takes no such work now: it starts, is overloaded, or another member must be asked. */
  | 'unavailable'
  /** It has no memory, no room on its disk or no connection left. */
  | 'out-of-resources'
  /** A unique value, a reference or another rule of the data. */
  | 'constraint'
  /** The login or a right is missing. */
  | 'denied'
  /** The request itself: a value that does not fit, a name that it does not know. */
  | 'invalid'
  /** Its answer breaks its protocol. */
  | 'unreadable'
  | 'other'

export class ServerError extends TrialError {
  declare readonly code: ServerErrorCode
  /** The product's own code; '' where it has none. */
  readonly detail: string

  constructor(code: ServerErrorCode, message: string, { detail = '', cause }: { detail?: string; cause?: unknown } = {}) {
    super(code, message, { cause })
    this.name = 'ServerError'
    this.detail = detail
  }

  get key(): string {
    return errorKey(this.code, this.detail)
  }
}

/** By a product's own code its key; the same text again and again, because a server that fails does so often. */
export function keysOf(codeOf: (detail: string) => ServerErrorCode): (detail: string) => string {
  const keys = new Map<string, string>()
  return (detail) => {
    const known = keys.get(detail)
    if (known !== undefined) return known
    const key = errorKey(codeOf(detail), detail)
    keys.set(detail, key)
    return key
  }
}

/** A table of a product's own codes, read the other way round. */
export function codesOf(table: Partial<Record<ServerErrorCode, readonly string[]>>): (detail: string) => ServerErrorCode {
  const codes = new Map(Object.entries(table).flatMap(([code, details]) => details.map((detail) => [detail, code as ServerErrorCode] as const)))
  return (detail) => codes.get(detail) ?? 'other'
}

/** Of bytes that are no answer of their protocol. */
export const unreadable = (message: string) => new ServerError('unreadable', message)

/** A certificate that is not believed, or a side that speaks no TLS, as OpenSSL and Node call it. */
const notSecured = /^(ERR_(TLS|SSL)_|CERT_|DEPTH_|SELF_SIGNED_|UNABLE_TO_)|^EPROTO$/

/** What ended a connection, or kept it from being made. */
export function connectionLost(cause: Error): ServerError {
  if (cause instanceof ServerError) return cause
  const { code = '' } = cause as NodeJS.ErrnoException
  const why = notSecured.test(code) ? 'denied' : code === 'ETIMEDOUT' ? 'timeout' : 'connection-lost'
  return new ServerError(why, messageOf(cause), { detail: code, cause })
}

/** What the system says of connections; of a file that cannot be written it says something else. */
const socketErrors = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ENOTCONN', 'ETIMEDOUT'],
  ...['EHOSTDOWN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
])
/** Of a connection, or of a stream that stands on one, as Node's own errors are. */
export function isConnectionError({ code = '' }: NodeJS.ErrnoException): boolean {
  return socketErrors.has(code) || notSecured.test(code) || /^ERR_(STREAM|SOCKET)_/.test(code)
}

/** Whether a connection was lost, whatever was made of that since. */
export function isConnectionLost(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) if (error instanceof ServerError) return error.code === 'connection-lost'
  return false
}

/** Node's word for a number that has no place in its bytes, or for bytes that are not there. */
export const isOutOfRange = (thrown: unknown) =>
  thrown instanceof RangeError && ['ERR_OUT_OF_RANGE', 'ERR_BUFFER_OUT_OF_BOUNDS'].includes(String((thrown as NodeJS.ErrnoException).code))

/** A value that its column cannot hold: told as if the server had refused it. @throws what it is not. */
export function unfit(thrown: unknown): ServerError {
  if (thrown instanceof ServerError) return thrown
  if (!isOutOfRange(thrown)) throw thrown
  return new ServerError('invalid', messageOf(thrown), { detail: 'OutOfRange', cause: thrown })
}
