/** What MongoDB's driver throws (mongodb), by the names of its classes. What it says of a wrong call is a fault of ours, and none of these. */
import { mongoReplyError } from '../../clients/protocols/mongodb-errors.ts'
import { ServerError, type ServerErrorCode } from '../../clients/server-error.ts'

const ofClass: Record<string, ServerErrorCode> = {
  MongoClientClosedError: 'connection-lost',
  MongoNetworkError: 'connection-lost',
  MongoNotConnectedError: 'connection-lost',
  MongoPoolClearedError: 'connection-lost',
  MongoPoolClosedError: 'connection-lost',
  MongoServerClosedError: 'connection-lost',
  MongoServerSelectionError: 'connection-lost',
  MongoSystemError: 'connection-lost',
  MongoTopologyClosedError: 'connection-lost',
  PoolClosedError: 'connection-lost',
  MongoNetworkTimeoutError: 'timeout',
  MongoOperationTimeoutError: 'timeout',
  MongoWaitQueueTimeoutError: 'timeout',
  MongoStalePrimaryError: 'unavailable',
  MongoMissingCredentialsError: 'denied',
  BSONError: 'unreadable',
  MongoDecompressionError: 'unreadable',
  MongoUnexpectedServerResponseError: 'unreadable',
  MongoDriverError: 'other',
  MongoRuntimeError: 'other',
}

export function mongoError(thrown: Error): ServerError | null {
  const { code, codeName } = thrown as { code?: unknown; codeName?: unknown }
  const known = ofClass[thrown.name]
  if (known !== undefined) return new ServerError(known, thrown.message, { cause: thrown })
  if (!thrown.name.startsWith('Mongo') || (code ?? codeName) === undefined) return null
  return mongoReplyError(String(codeName ?? code), thrown.message, thrown)
}
