/** MongoDB's protocol (OP_MSG): login, whole replies scanned in place for what a replay needs to know, decoded only where asked for. */
import type { BSON } from 'mongodb'
import { RequestBuffer } from '../request.ts'
import { type ServerError, unreadable } from '../server-error.ts'
import { type Address, type Wire, WireSocket } from '../socket.ts'
import { mongoReplyError } from './mongodb-errors.ts'
import { Scram } from './scram.ts'

type Bson = typeof BSON

export interface MongoLogin extends Address {
  user?: string
  password?: string
}

const opMsg = 2013
/** Header, flags, and the kind of the one section there is. */
export const messageHead = 16 + 4 + 1
const maxMessage = 48_000_000

/** What a reply says, without its documents; one object per connection, filled again and again. */
export interface ScannedReply {
  ok: boolean
  /** Matched, deleted or inserted documents. */
  n: number
  /** Documents of the batch. */
  batch: number
  /** More batches follow under this cursor: where its eight bytes stand; −1: none. */
  cursorAt: number
  /** '' where nothing failed: the server's name for the error, else its number. */
  error: string
  transient: boolean
  unknownCommit: boolean
}

export class MongoConnection {
  /** The document of one whole reply: bytes[from, to), valid during the call. */
  onReply: (bytes: Buffer, from: number, to: number) => void = () => {}
  onClosed: (cause: ServerError) => void = () => {}
  readonly request = new RequestBuffer()
  readonly #socket: Wire
  #requests = 0

  constructor(socket: Wire) {
    this.#socket = socket
    socket.receive({
      take: (bytes, from, to) => {
        let at = from
        while (to - at >= 16) {
          const length = bytes.readInt32LE(at)
          if (length < messageHead + 5 || length > maxMessage) throw unreadable(`a message of ${length} bytes`)
          if (bytes.readInt32LE(at + 12) !== opMsg) throw unreadable(`a message of kind ${bytes.readInt32LE(at + 12)}`)
          if (to - at < length) break
          this.onReply(bytes, at + messageHead, at + length)
          at += length
        }
        return at
      },
      closed: (cause) => this.onClosed(cause),
    })
  }

  static async open(login: MongoLogin, bson: Bson): Promise<MongoConnection> {
    const connection = new MongoConnection(await WireSocket.open(login))
    try {
      await connection.command(
        {
          hello: 1,
          client: { application: { name: 'dbtrial' }, driver: { name: 'dbtrial', version: '1' }, os: { type: process.platform } },
          $db: 'admin',
        },
        bson,
      )
      const { user, password } = login
      if (user !== undefined) await connection.#authenticate(user, password ?? '', bson)
      return connection
    } catch (error) {
      connection.end()
      throw error
    }
  }

  /** Off the clock: one command and its decoded reply. @throws ServerError, with the server's code name as `detail`. */
  command(document: Record<string, unknown>, bson: Bson): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      this.onReply = (bytes, from, to) => {
        const reply = bson.deserialize(Buffer.from(bytes.subarray(from, to))) as Record<string, unknown>
        if (reply.ok === 1) resolve(reply)
        else reject(mongoReplyError(String(reply.codeName ?? reply.code ?? ''), String(reply.errmsg)))
      }
      this.onClosed = reject
      const { request } = this
      request.length = 0
      const start = beginMessage(request)
      request.append(Buffer.from(bson.serialize(document)))
      endMessage(request, start)
      this.send(0, request.length)
    })
  }

  /** Sends one message of the request buffer. */
  send(from: number, to: number): void {
    this.request.bytes.writeInt32LE(++this.#requests & 0x7fffffff, from + 4)
    this.#socket.write(this.request.bytes.subarray(from, to))
  }

  end(): void {
    this.#socket.end()
  }

  async #authenticate(user: string, password: string, bson: Bson): Promise<void> {
    const scram = new Scram(user, password)
    const payload = (text: string) => new bson.Binary(Buffer.from(text))
    const said = (reply: Record<string, unknown>) => Buffer.from((reply.payload as InstanceType<Bson['Binary']>).buffer).toString()
    const first = await this.command(
      { saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: payload(scram.first()), options: { skipEmptyExchange: true }, $db: 'admin' },
      bson,
    )
    const { conversationId } = first
    const last = await this.command({ saslContinue: 1, conversationId, payload: payload(scram.final(said(first))), $db: 'admin' }, bson)
    scram.check(said(last))
    if (last.done !== true) await this.command({ saslContinue: 1, conversationId, payload: payload(''), $db: 'admin' }, bson)
  }
}

/** Header and flags of a message whose document follows; returns where it starts. */
export function beginMessage(to: RequestBuffer): number {
  to.reserve(messageHead)
  const start = to.length
  to.bytes.fill(0, start, start + messageHead)
  to.bytes.writeInt32LE(opMsg, start + 12)
  to.length = start + messageHead
  return start
}

export function endMessage(to: RequestBuffer, start: number): void {
  to.bytes.writeInt32LE(to.length - start, start)
}

const names = {
  ok: Buffer.from('ok\0'),
  n: Buffer.from('n\0'),
  cursor: Buffer.from('cursor\0'),
  id: Buffer.from('id\0'),
  firstBatch: Buffer.from('firstBatch\0'),
  nextBatch: Buffer.from('nextBatch\0'),
  code: Buffer.from('code\0'),
  codeName: Buffer.from('codeName\0'),
  errorLabels: Buffer.from('errorLabels\0'),
  writeErrors: Buffer.from('writeErrors\0'),
  writeConcernError: Buffer.from('writeConcernError\0'),
}
const types = { double: 1, text: 2, document: 3, array: 4, int32: 16, int64: 18 }

/** @throws where the bytes are no document. */
export function scanReply(bytes: Buffer, from: number, to: number, reply: ScannedReply): void {
  reply.ok = false
  reply.n = 0
  reply.batch = 0
  reply.cursorAt = -1
  reply.error = ''
  reply.transient = false
  reply.unknownCommit = false
  const end = endOfDocument(bytes, from, to)
  let code = ''
  let codeName = ''
  for (let at = from + 4; at < end - 1; ) {
    const type = bytes[at] as number
    const name = at + 1
    const value = skipName(bytes, name, end)
    const next = skipValue(bytes, type, value, end)
    if (is(bytes, name, names.ok)) reply.ok = numberOf(bytes, type, value) === 1
    else if (is(bytes, name, names.n)) reply.n = numberOf(bytes, type, value)
    else if (is(bytes, name, names.cursor) && type === types.document) scanCursor(bytes, value, next, reply)
    else if (is(bytes, name, names.code)) code = String(numberOf(bytes, type, value))
    else if (is(bytes, name, names.codeName)) codeName = textOf(bytes, value)
    else if (is(bytes, name, names.errorLabels)) scanLabels(bytes, value, next, reply)
    else if (is(bytes, name, names.writeErrors) || is(bytes, name, names.writeConcernError)) {
      const found = firstCode(bytes, value, next)
      if (found !== '') reply.error = found
    }
    at = next
  }
  if (!reply.ok) reply.error = codeName || code || 'unknown'
}

function scanCursor(bytes: Buffer, from: number, to: number, reply: ScannedReply): void {
  const end = endOfDocument(bytes, from, to)
  for (let at = from + 4; at < end - 1; ) {
    const type = bytes[at] as number
    const name = at + 1
    const value = skipName(bytes, name, end)
    const next = skipValue(bytes, type, value, end)
    if (is(bytes, name, names.id) && type === types.int64) {
      if (bytes.readInt32LE(value) !== 0 || bytes.readInt32LE(value + 4) !== 0) reply.cursorAt = value
    } else if (type === types.array && (is(bytes, name, names.firstBatch) || is(bytes, name, names.nextBatch)))
      reply.batch = elements(bytes, value, next)
    at = next
  }
}

const first = Buffer.from('0\0')
const firstDocument = [names.cursor, names.firstBatch, first]

/** A whole number of the first document that a reply has, by the field's name with the zero behind it; 0 where it has none. */
export function numberInFirst(bytes: Buffer, from: number, to: number, field: Buffer): number {
  let document = from
  for (let level = 0; level < firstDocument.length; level++) {
    const at = elementAt(bytes, document, to, firstDocument[level] as Buffer)
    if (at < 0) return 0
    document = skipName(bytes, at + 1, to)
  }
  const at = elementAt(bytes, document, to, field)
  return at < 0 ? 0 : numberOf(bytes, bytes[at] as number, skipName(bytes, at + 1, to))
}

/** Where an element of a document begins; −1: there is none of that name. */
function elementAt(bytes: Buffer, from: number, to: number, name: Buffer): number {
  const end = endOfDocument(bytes, from, to)
  for (let at = from + 4; at < end - 1; ) {
    if (is(bytes, at + 1, name)) return at
    at = skipValue(bytes, bytes[at] as number, skipName(bytes, at + 1, end), end)
  }
  return -1
}

function elements(bytes: Buffer, from: number, to: number): number {
  const end = endOfDocument(bytes, from, to)
  let count = 0
  for (let at = from + 4; at < end - 1; count++) at = skipValue(bytes, bytes[at] as number, skipName(bytes, at + 1, end), end)
  return count
}

function scanLabels(bytes: Buffer, from: number, to: number, reply: ScannedReply): void {
  const end = endOfDocument(bytes, from, to)
  for (let at = from + 4; at < end - 1; ) {
    const value = skipName(bytes, at + 1, end)
    const next = skipValue(bytes, bytes[at] as number, value, end)
    const label = bytes[at] === types.text ? textOf(bytes, value) : ''
    if (label === 'TransientTransactionError') reply.transient = true
    if (label === 'UnknownTransactionCommitResult') reply.unknownCommit = true
    at = next
  }
}

/** The first `code` in a document or an array of documents. */
function firstCode(bytes: Buffer, from: number, to: number): string {
  const end = endOfDocument(bytes, from, to)
  for (let at = from + 4; at < end - 1; ) {
    const type = bytes[at] as number
    const value = skipName(bytes, at + 1, end)
    const next = skipValue(bytes, type, value, end)
    if (is(bytes, at + 1, names.code)) return String(numberOf(bytes, type, value))
    if (type === types.document) {
      const inner = firstCode(bytes, value, next)
      if (inner !== '') return inner
    }
    at = next
  }
  return ''
}

function endOfDocument(bytes: Buffer, from: number, to: number): number {
  if (from + 5 > to) throw unreadable('a document that is cut off')
  const end = from + bytes.readInt32LE(from)
  if (end < from + 5 || end > to || bytes[end - 1] !== 0) throw unreadable('a document of impossible length')
  return end
}

function skipName(bytes: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && bytes[at] !== 0) at++
  if (at >= end) throw unreadable('a name without an end')
  return at + 1
}

/** Bytes of the values that have a fixed size, by type. */
const sizes = new Map([
  [1, 8],
  [6, 0],
  [7, 12],
  [8, 1],
  [9, 8],
  [10, 0],
  [16, 4],
  [17, 8],
  [18, 8],
  [19, 16],
  [127, 0],
  [255, 0],
])

function skipValue(bytes: Buffer, type: number, at: number, end: number): number {
  const next = behindValue(bytes, type, at, end)
  if (next < at || next > end - 1) throw unreadable('a value that reaches beyond its document')
  return next
}

function behindValue(bytes: Buffer, type: number, at: number, end: number): number {
  const size = sizes.get(type)
  if (size !== undefined) return at + size
  if (type === 11) return skipName(bytes, skipName(bytes, at, end), end)
  if (at + 4 > end) throw unreadable('a value that is cut off')
  const length = bytes.readInt32LE(at)
  if (length < 0) throw unreadable('a value of negative length')
  switch (type) {
    case 2:
    case 13:
    case 14:
      return at + 4 + length
    case 3:
    case 4:
    case 15:
      return at + length
    case 5:
      return at + 5 + length
    default:
      throw unreadable(`a value of unknown type ${type}`)
  }
}

function numberOf(bytes: Buffer, type: number, at: number): number {
  if (type === types.int32) return bytes.readInt32LE(at)
  if (type === types.double) return bytes.readDoubleLE(at)
  return type === types.int64 ? bytes.readInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at) : 0
}

const textOf = (bytes: Buffer, at: number) => bytes.toString('utf8', at + 4, at + 3 + bytes.readInt32LE(at))

function is(bytes: Buffer, at: number, name: Buffer): boolean {
  for (let index = 0; index < name.length; index++) if (bytes[at + index] !== name[index]) return false
  return true
}
