/** SQLSTATEs as trials count them (PostgreSQL documentation, appendix A): by code, else by their class. */
import { keysOf, ServerError, type ServerErrorCode } from '../server-error.ts'

const ofCode: Record<string, ServerErrorCode> = {
  '42501': 'denied',
  '55P03': 'transient', // A lock that was not to be waited for.
  '57014': 'timeout', // Cancelled, as by statement_timeout.
  '57P01': 'connection-lost', // It shuts down.
  '57P02': 'connection-lost', // Another of its processes crashed.
  '57P05': 'connection-lost', // Idle for too long.
}
const ofClass: Record<string, ServerErrorCode> = {
  '08': 'connection-lost',
  '22': 'invalid',
  '23': 'constraint',
  '26': 'invalid',
  '28': 'denied',
  '3D': 'invalid',
  '3F': 'invalid',
  '40': 'transient',
  '42': 'invalid',
  '53': 'out-of-resources',
  '57': 'unavailable',
}

const own = (table: Record<string, ServerErrorCode>, name: string) => (Object.hasOwn(table, name) ? table[name] : undefined)
const codeOf = (sqlState: string): ServerErrorCode => own(ofCode, sqlState) ?? own(ofClass, sqlState.slice(0, 2)) ?? 'other'

export const sqlStateKey = keysOf(codeOf)
export const sqlStateError = (sqlState: string, message: string, cause?: unknown) =>
  new ServerError(codeOf(sqlState), message, { detail: sqlState, cause })
