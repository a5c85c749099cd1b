/** What MariaDB's driver throws: an error with a number, the server's below 45000 and the driver's own from there on. */
import { mysqlError } from '../../clients/protocols/mysql-errors.ts'
import { ServerError, type ServerErrorCode } from '../../clients/server-error.ts'

const firstOfDriver = 45_000
/** The driver's own numbers (lib/misc/errors.js of the driver). */
const own: Partial<Record<ServerErrorCode, number[]>> = {
  'connection-lost': [45_001, 45_004, 45_009, 45_013, 45_019],
  timeout: [45_012, 45_026, 45_039, 45_042],
  denied: [45_008, 45_023, 45_025, 45_044, 45_047],
  unreadable: [45_011, 45_014, 45_015, 45_020, 45_024, 45_032],
  invalid: [45_046],
}

export function mariadbError(thrown: Error): ServerError | null {
  // Its message repeats the statement, its text does not.
  const { errno, text = thrown.message } = thrown as { errno?: unknown; text?: string }
  // A negative number is the system's, of a connection.
  if (typeof errno !== 'number' || errno <= 0) return null
  if (errno < firstOfDriver) return mysqlError(String(errno), text, thrown)
  const found = Object.entries(own).find(([, numbers]) => numbers.includes(errno))
  return found === undefined ? null : new ServerError(found[0] as ServerErrorCode, text, { cause: thrown })
}

/** A deadlock, a lock that was waited for too long, a row that changed since: the whole transaction is tried again (MariaDB documentation, InnoDB Lock Modes). */
export const isTransient = (number: string) => number === '1213' || number === '1205' || number === '1020'
