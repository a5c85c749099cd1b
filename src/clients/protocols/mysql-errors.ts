/** Error numbers of MySQL and MariaDB as trials count them (MariaDB documentation, Error codes). */
import { codesOf, keysOf, ServerError } from '../server-error.ts'

const codeOf = codesOf({
  'connection-lost': ['1053', '1079', '1158', '1159', '1160', '1161', '1927'],
  timeout: ['1317', '1969', '3024'],
  // A deadlock, a lock that was waited for too long, a row that has changed since the snapshot.
  transient: ['1213', '1205', '1020'],
  unavailable: ['1290', '1792', '1836'],
  'out-of-resources': ['1021', '1037', '1038', '1040', '1041', '1114', '1135', '1203', '1226', '1461'],
  constraint: ['1048', '1062', '1216', '1217', '1451', '1452', '1557', '1586', '3819', '4025'],
  denied: ['1044', '1045', '1130', '1142', '1143', '1227', '1251', '1410', '1524', '1698', '3159'],
  invalid: [
    '1046',
    '1049',
    '1050',
    '1054',
    '1064',
    '1146',
    '1153',
    '1210',
    '1243',
    '1264',
    '1265',
    '1292',
    '1366',
    '1367',
    '1406',
    '1411',
    '1690',
    '3140',
    '4038',
  ],
})

/** Of an error number. */
export const mysqlKey = keysOf(codeOf)
export const mysqlError = (number: string, message: string, cause?: unknown) => new ServerError(codeOf(number), message, { detail: number, cause })
