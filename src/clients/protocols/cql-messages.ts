/** Messages of Cassandra's native protocol, versions 4 and 5: requests written in place; rows counted, decoded only where asked for. */

import { decimalText } from '../../data/value.ts'
import { writeInt64BE } from '../../data/whole-numbers.ts'
import type { RequestBuffer } from '../request.ts'
import { unreadable } from '../server-error.ts'

export interface ColumnType {
  name: string
  type: number
}
export interface PreparedStatement {
  version: Version
  /** As BATCH carries it: its length, then its bytes. */
  id: Buffer
  /** As EXECUTE carries it: before version 5 without the id of the rows' description. */
  executed: Buffer
  parameters: ColumnType[]
  columns: ColumnType[]
}
export interface DecodedRows {
  rows: Record<string, Stored>[]
  pageState: Buffer | null
}
/** uuid and blob: bytes · bigint, int, counter, timestamp: number · decimal: its text. */
type Stored = null | boolean | number | string | Buffer

/** 5: its messages carry longer flags and the id of the rows' description, and travel in frames with checksums. */
export type Version = 4 | 5
export const headBytes = 9
export const opcodes = {
  error: 0,
  startup: 1,
  ready: 2,
  authenticate: 3,
  query: 7,
  result: 8,
  prepare: 9,
  execute: 10,
  batch: 13,
  authResponse: 15,
  authSuccess: 16,
}
const resultKinds = { rows: 2, prepared: 4 }
export const types = {
  bigint: 2,
  blob: 3,
  boolean: 4,
  counter: 5,
  decimal: 6,
  int: 9,
  timestamp: 11,
  uuid: 12,
  varchar: 13,
  varint: 14,
  timeuuid: 15,
}
const flags = { values: 1, skipMetadata: 2, pageSize: 4, pageState: 8 }
const rowFlags = { morePages: 2, noMetadata: 4, globalTable: 1 }
/** Rows of one page of an answer. */
export const pageSize = 5000
const flagBytes = (version: Version) => (version === 4 ? 1 : 4)

/** Codes of the protocol's ERROR message (native_protocol_v4.spec, 9). */
const errors: Record<number, string> = {
  0: 'ServerError',
  10: 'ProtocolError',
  256: 'BadCredentials',
  4096: 'Unavailable',
  4097: 'Overloaded',
  4098: 'IsBootstrapping',
  4099: 'TruncateError',
  4352: 'WriteTimeout',
  4608: 'ReadTimeout',
  4864: 'ReadFailure',
  5120: 'FunctionFailure',
  5376: 'WriteFailure',
  5632: 'CdcWriteFailure',
  5888: 'CasWriteUnknown',
  8192: 'SyntaxError',
  8448: 'Unauthorized',
  8704: 'Invalid',
  8960: 'ConfigError',
  9216: 'AlreadyExists',
  9472: 'Unprepared',
}
export const unprepared = 9472
export const errorName = (code: number) => errors[code] ?? `error ${code}`

/** Behind the head and what flags put before the body: a tracing id, warnings, a custom payload. */
export function bodyAt(bytes: Buffer, frame: number): number {
  const set = bytes[frame + 1] as number
  let at = frame + headBytes
  if ((set & 2) !== 0) at += 16
  if ((set & 8) !== 0) {
    const count = bytes.readUInt16BE(at)
    at += 2
    for (let index = 0; index < count; index++) at += 2 + bytes.readUInt16BE(at)
  }
  if ((set & 4) !== 0) {
    const count = bytes.readUInt16BE(at)
    at += 2
    for (let index = 0; index < count; index++) {
      at += 2 + bytes.readUInt16BE(at)
      at += 4 + Math.max(0, bytes.readInt32BE(at))
    }
  }
  return at
}

/** Returns where it starts. */
export function beginMessage(to: RequestBuffer, version: Version, stream: number, opcode: number): number {
  to.reserve(headBytes)
  const { bytes, length: start } = to
  bytes[start] = version
  bytes[start + 1] = 0
  bytes.writeInt16BE(stream, start + 2)
  bytes[start + 4] = opcode
  to.length = start + headBytes
  return start
}

/** Patches the length of the message that began at `start`. */
export function endMessage(to: RequestBuffer, start: number): void {
  to.bytes.writeInt32BE(to.length - start - headBytes, start + 5)
}

/** An EXECUTE up to its values; `head` is from `executeHead`. */
export function beginExecute(to: RequestBuffer, version: Version, stream: number, head: Buffer): number {
  const start = beginMessage(to, version, stream, opcodes.execute)
  to.append(head)
  return start
}

/** Statement, consistency, flags, number of values. Pages come in 5,000 rows, as the official driver was told to ask for them. */
export function executeHead({ version, executed, parameters }: PreparedStatement, consistency: number, paged = false): Buffer {
  const rest = Buffer.alloc(4 + flagBytes(version))
  rest.writeUInt16BE(consistency)
  rest.writeUIntBE(flags.values | flags.skipMetadata | flags.pageSize | (paged ? flags.pageState : 0), 2, flagBytes(version))
  rest.writeUInt16BE(parameters.length, 2 + flagBytes(version))
  return Buffer.concat([executed, rest])
}

/** What follows the values of an EXECUTE: `rows` of a page at most. */
export function executeTail(pageState: Buffer | null, rows = pageSize): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(rows)
  return pageState === null ? size : Buffer.concat([size, longBytes(pageState)])
}

/** A batch of prepared statements; each begins with `batchStatement`. Unlogged, its partitions are written each by itself. */
export function beginBatch(to: RequestBuffer, version: Version, stream: number, kind: 'logged' | 'unlogged'): number {
  const start = beginMessage(to, version, stream, opcodes.batch)
  to.reserve(batchHeadBytes)
  to.bytes[to.length] = kind === 'logged' ? 0 : 1
  to.length += batchHeadBytes
  return start
}
/** The kind, and the number of statements, which is known at the end. */
const batchHeadBytes = 3

export function batchStatement(to: RequestBuffer, { id, parameters }: PreparedStatement): void {
  to.reserve(3)
  to.bytes[to.length++] = 1
  to.append(id)
  to.reserve(2)
  to.length = to.bytes.writeUInt16BE(parameters.length, to.length)
}

export function endBatch(to: RequestBuffer, version: Version, start: number, consistency: number, statements: number): void {
  to.bytes.writeUInt16BE(statements, start + headBytes + 1)
  to.reserve(6)
  to.length = to.bytes.writeUIntBE(0, to.bytes.writeUInt16BE(consistency, to.length), flagBytes(version))
  endMessage(to, start)
}

/** A number by the type of its column, length first; returns the end. */
export function writeNumber(type: number, value: number, scale: number, to: Buffer, at: number): number {
  switch (type) {
    case types.int:
      return to.writeInt32BE(value, to.writeInt32BE(4, at))
    case types.boolean:
      return to.writeUInt8(value, to.writeInt32BE(1, at))
    case types.decimal: {
      const bytes = bytesOfVarint(value)
      return writeVarint(value, bytes, to, to.writeInt32BE(scale, to.writeInt32BE(4 + bytes, at)))
    }
    case types.varint: {
      const bytes = bytesOfVarint(value)
      return writeVarint(value, bytes, to, to.writeInt32BE(bytes, at))
    }
    default:
      return writeInt64BE(value, to, to.writeInt32BE(8, at))
  }
}

/** Fewest bytes of two's complement: the official driver writes no others, and keys are compared by their bytes. */
function bytesOfVarint(value: number): number {
  let bytes = 1
  for (let limit = 128; value >= limit || value < -limit; limit *= 256) bytes++
  return bytes
}

function writeVarint(value: number, bytes: number, to: Buffer, at: number): number {
  let rest = value
  for (let place = bytes - 1; place >= 0; place--) {
    const next = Math.floor(rest / 256)
    to[at + place] = rest - next * 256
    rest = next
  }
  return at + bytes
}

/** Rows of a RESULT; 0 where it has none. */
export function countRows(bytes: Buffer, from: number): number {
  if (bytes.readInt32BE(from) !== resultKinds.rows) return 0
  return bytes.readInt32BE(rowsAt(bytes, from))
}

/** Whether an answer of rows ends with its page, and not with the last of them. */
export const hasMorePages = (bytes: Buffer, from: number) =>
  bytes.readInt32BE(from) === resultKinds.rows && (bytes.readInt32BE(from + 4) & rowFlags.morePages) !== 0

/** Offset of the number of rows. */
function rowsAt(bytes: Buffer, from: number): number {
  const set = bytes.readInt32BE(from + 4)
  if ((set & rowFlags.noMetadata) === 0) throw unreadable('rows with a description that was not asked for')
  const at = from + 12
  return (set & rowFlags.morePages) === 0 ? at : at + 4 + bytes.readInt32BE(at)
}

/** Rows whose timestamp in column `column` is after `afterMs`, at most `most`. */
export function countRowsAfter(bytes: Buffer, from: number, column: number, afterMs: number, most: number): number {
  if (bytes.readInt32BE(from) !== resultKinds.rows) return 0
  const columns = bytes.readInt32BE(from + 8)
  let at = rowsAt(bytes, from)
  const rows = bytes.readInt32BE(at)
  at += 4
  let count = 0
  for (let row = 0; row < rows && count < most; row++) {
    for (let index = 0; index < columns; index++) {
      const length = bytes.readInt32BE(at)
      if (index === column && length === 8 && readInt64(bytes, at + 4) > afterMs) count++
      at += 4 + Math.max(0, length)
    }
  }
  return count
}

export function decodeRows(bytes: Buffer, from: number, columns: ColumnType[]): DecodedRows {
  if (bytes.readInt32BE(from) !== resultKinds.rows) return { rows: [], pageState: null }
  const more = (bytes.readInt32BE(from + 4) & rowFlags.morePages) !== 0
  const stateBytes = more ? bytes.readInt32BE(from + 12) : 0
  const pageState = more ? Buffer.from(bytes.subarray(from + 16, from + 16 + stateBytes)) : null
  // A conditional write describes its row in the answer: whether it was applied, or what stood in its way.
  const described = (bytes.readInt32BE(from + 4) & rowFlags.noMetadata) === 0 ? metadata(bytes, from + 4, false) : null
  let at = (described?.end ?? rowsAt(bytes, from)) + 4
  const rows = Array.from({ length: bytes.readInt32BE(at - 4) }, () => {
    const row: Record<string, Stored> = {}
    for (const { name, type } of described?.columns ?? columns) {
      const length = bytes.readInt32BE(at)
      at += 4
      row[name] = length < 0 ? null : valueAt(bytes, at, length, type)
      at += Math.max(0, length)
    }
    return row
  })
  return { rows, pageState }
}

function valueAt(bytes: Buffer, at: number, length: number, type: number): Stored {
  switch (type) {
    case types.int:
      return bytes.readInt32BE(at)
    case types.bigint:
    case types.counter:
    case types.timestamp:
      return readInt64(bytes, at)
    case types.boolean:
      return bytes[at] === 1
    case types.decimal:
      return decimalOf(varintOf(bytes, at + 4, length - 4), bytes.readInt32BE(at))
    case types.varint:
      return String(varintOf(bytes, at, length))
    case types.varchar:
      return bytes.toString('utf8', at, at + length)
    default:
      return Buffer.from(bytes.subarray(at, at + length))
  }
}

const readInt64 = (bytes: Buffer, at: number) => bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)

/** The protocol's scales may be negative: then zeros follow. */
const decimalOf = (unscaled: bigint, scale: number) => (scale < 0 ? String(unscaled * 10n ** BigInt(-scale)) : decimalText(unscaled, scale))

function varintOf(bytes: Buffer, at: number, length: number): bigint {
  return BigInt.asIntN(length * 8, BigInt(`0x${bytes.toString('hex', at, at + length)}`))
}

export function preparedOf(body: Buffer, version: Version): PreparedStatement {
  if (body.readInt32BE(0) !== resultKinds.prepared) throw unreadable('the server did not prepare the statement')
  const idEnd = 6 + body.readUInt16BE(4)
  const described = version === 4 ? idEnd : idEnd + 2 + body.readUInt16BE(idEnd)
  const id = Buffer.from(body.subarray(4, idEnd))
  const executed = Buffer.from(body.subarray(4, described))
  const parameters = metadata(body, described, true)
  return { version, id, executed, parameters: parameters.columns, columns: metadata(body, parameters.end, false).columns }
}

function metadata(body: Buffer, from: number, ofParameters: boolean): { columns: ColumnType[]; end: number } {
  const set = body.readInt32BE(from)
  const count = body.readInt32BE(from + 4)
  let at = from + 8
  if (ofParameters) at += 4 + 2 * body.readInt32BE(at) // Which parameters make up the partition key.
  if ((set & rowFlags.morePages) !== 0 && !ofParameters) at += 4 + body.readInt32BE(at)
  if ((set & rowFlags.noMetadata) !== 0) return { columns: [], end: at }
  const text = () => {
    const length = body.readUInt16BE(at)
    at += 2 + length
    return body.toString('utf8', at - length, at)
  }
  if ((set & rowFlags.globalTable) !== 0) {
    text()
    text()
  }
  const columns = Array.from({ length: count }, () => {
    if ((set & rowFlags.globalTable) === 0) {
      text()
      text()
    }
    const name = text()
    const type = body.readUInt16BE(at)
    at += 2
    if (type === 0 || type >= 32) throw unreadable(`column ${name} has a type that this client does not know`)
    return { name, type }
  })
  return { columns, end: at }
}

export function longBytes(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
export const longText = (text: string) => longBytes(Buffer.from(text))
export function shortText(text: string): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(Buffer.byteLength(text))
  return Buffer.concat([length, Buffer.from(text)])
}
