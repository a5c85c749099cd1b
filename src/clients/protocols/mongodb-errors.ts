/** MongoDB's error codes as trials count them (mongo/base/error_codes.yml), by name and by number: replies have the one, the other, or both. */
import { codesOf, keysOf, ServerError } from '../server-error.ts'

const codeOf = codesOf({
  'connection-lost': ['HostUnreachable', '6', 'ShutdownInProgress', '91', 'SocketException', '9001', 'InterruptedAtShutdown', '11600'],
  timeout: ['MaxTimeMSExpired', '50', 'WriteConcernFailed', '64', 'NetworkTimeout', '89', 'ExceededTimeLimit', '262'],
  transient: ['LockTimeout', '24', 'WriteConflict', '112', 'SnapshotUnavailable', '246', 'NoSuchTransaction', '251'],
  unavailable: [
    ...['PrimarySteppedDown', '189', 'NotWritablePrimary', '10107', 'InterruptedDueToReplStateChange', '11602'],
    ...['NotPrimaryNoSecondaryOk', '13435', 'NotPrimaryOrSecondary', '13436'],
  ],
  'out-of-resources': ['ExceededMemoryLimit', '146', 'TooManyLogicalSessions', '261', 'OutOfDiskSpace', '14031'],
  constraint: ['DocumentValidationFailure', '121', 'DuplicateKey', '11000'],
  denied: ['Unauthorized', '13', 'AuthenticationFailed', '18'],
  invalid: [
    ...['BadValue', '2', 'FailedToParse', '9', 'TypeMismatch', '14', 'NamespaceNotFound', '26', 'CannotCreateIndex', '67'],
    ...['CommandNotFound', '59', 'InvalidOptions', '72', 'InvalidNamespace', '73', 'ConversionFailure', '241', 'BSONObjectTooLarge', '10334'],
  ],
})

export const mongoKey = keysOf(codeOf)
export const mongoReplyError = (code: string, message: string, cause?: unknown) => new ServerError(codeOf(code), message, { detail: code, cause })
