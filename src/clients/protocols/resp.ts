/** Redis' protocol (RESP 2): commands as arrays of bulk strings, whole replies handed over in place, decoded only where asked for. */
import { RequestBuffer } from '../request.ts'
import { type ServerError, unreadable } from '../server-error.ts'
import { type Address, type Wire, WireSocket } from '../socket.ts'
import { firstWord, respError } from './resp-errors.ts'

export interface RedisLogin extends Address {
  user?: string
  password?: string
  database: number
}

export type Resp = Buffer | number | null | Resp[]

/** First bytes of replies, and the two that numbers are written with. */
const byte = (letter: string) => letter.charCodeAt(0)
const kinds = { array: byte('*'), bulk: byte('$'), failure: byte('-'), integer: byte(':'), status: byte('+') }
const carriage = byte('\r')
const minus = byte('-')
/** Lines are counts, states and messages; bulk strings carry the data. */
const maxLineBytes = 65_536
const maxBulkBytes = 512 * 2 ** 20
const maxElements = 2 ** 24

export class RedisConnection {
  /** One whole reply: bytes[from, to), valid during the call. */
  onReply: (bytes: Buffer, from: number, to: number) => void = () => {}
  onClosed: (cause: ServerError) => void = () => {}
  readonly request = new RequestBuffer()
  readonly #socket: Wire

  constructor(socket: Wire) {
    this.#socket = socket
    socket.receive({
      take: (bytes, from, to) => {
        let at = from
        while (at < to) {
          const end = endOfReply(bytes, at, to)
          if (end < 0) break
          this.onReply(bytes, at, end)
          at = end
        }
        return at
      },
      closed: (cause) => this.onClosed(cause),
    })
  }

  static async open(login: RedisLogin): Promise<RedisConnection> {
    const connection = new RedisConnection(await WireSocket.open(login))
    try {
      const { user, password, database } = login
      if (password !== undefined) await connection.ask(['AUTH', ...(user === undefined ? [] : [user]), password])
      if (database !== 0) await connection.ask(['SELECT', String(database)])
      return connection
    } catch (error) {
      connection.end()
      throw error
    }
  }

  /** Off the clock: one command and its decoded reply. */
  ask(words: (string | Buffer)[]): Promise<Resp> {
    return new Promise((resolve, reject) => {
      this.onReply = (bytes, from, to) => {
        const code = errorOf(bytes, from, to)
        if (code === '') resolve(decodeReply(bytes, from))
        else reject(respError(bytes.toString('utf8', from + 1, to - 2)))
      }
      this.onClosed = reject
      this.request.length = 0
      writeCommand(this.request, words)
      this.send()
    })
  }

  /** Sends a request buffer, which has to stay as it is until it is answered. */
  send(request = this.request): void {
    this.#socket.write(request.bytes.subarray(0, request.length))
  }

  end(): void {
    this.#socket.end()
  }
}

export function writeCommand(to: RequestBuffer, words: (string | Buffer)[]): void {
  to.append(Buffer.from(`*${words.length}\r\n`))
  for (const word of words) to.append(bulkOf(word))
}

/** A word as it travels: its length, then its bytes. */
export function bulkOf(word: string | Buffer): Buffer {
  const bytes = Buffer.from(word as string)
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')])
}

/** The first word of an error, which is the server's code for it; '' for any other reply. */
export function errorOf(bytes: Buffer, from: number, to: number): string {
  if (bytes[from] !== kinds.failure) return ''
  return firstWord(bytes.toString('latin1', from + 1, to - 2))
}

/** The end of the reply that starts there; −1: it is not whole yet. @throws where the bytes are no reply. */
export function endOfReply(bytes: Buffer, from: number, to: number): number {
  let at = from
  for (let pending = 1; pending > 0; pending--) {
    const kind = bytes[at]
    const line = lineEnd(bytes, at, to)
    if (line < 0) {
      if (to - at > maxLineBytes) throw unreadable('a line without an end')
      return -1
    }
    if (kind === kinds.bulk) {
      const length = numberAt(bytes, at + 1)
      if (length > maxBulkBytes) throw unreadable(`a string of ${length} bytes`)
      at = length < 0 ? line : line + length + 2
      if (at > to) return -1
    } else if (kind === kinds.array) {
      pending += Math.max(0, numberAt(bytes, at + 1))
      if (pending > maxElements) throw unreadable(`an array of ${pending} elements`)
      at = line
    } else if (kind === kinds.integer || kind === kinds.failure || kind === kinds.status) at = line
    else throw unreadable(`a reply that starts with byte ${kind}`)
  }
  return at
}

/** Offset behind the line that starts there; −1: its end is still to come. */
function lineEnd(bytes: Buffer, from: number, to: number): number {
  for (let at = from + 1; at < to - 1; at++) if (bytes[at] === carriage) return at + 2
  return -1
}

/** The number that ends at the next carriage return. */
export function numberAt(bytes: Buffer, from: number): number {
  const negative = bytes[from] === minus
  let value = 0
  for (let at = negative ? from + 1 : from; bytes[at] !== carriage; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) throw unreadable('a number with other characters than digits')
    value = value * 10 + digit
  }
  return negative ? -value : value
}

/** Elements of an array reply; 0 where it is another one. */
export function lengthOf(bytes: Buffer, from: number): number {
  return bytes[from] === kinds.array ? Math.max(0, numberAt(bytes, from + 1)) : 0
}

/** Offset of element `index` of a flat array reply. */
export function elementAt(bytes: Buffer, from: number, index: number): number {
  let at = skipLine(bytes, from)
  for (let passed = 0; passed < index; passed++) {
    const length = numberAt(bytes, at + 1)
    at = skipLine(bytes, at)
    if (length >= 0) at += length + 2
  }
  return at
}

export function isNull(bytes: Buffer, at: number): boolean {
  return bytes[at + 1] === minus
}

/** Offset of the bytes of a bulk string, and how many they are. */
export const startOfBulk = (bytes: Buffer, at: number) => skipLine(bytes, at)
export const lengthOfBulk = (bytes: Buffer, at: number) => numberAt(bytes, at + 1)

/** A bulk string of digits as a number. */
export function bulkNumber(bytes: Buffer, at: number): number {
  return numberAt(bytes, skipLine(bytes, at))
}

function skipLine(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] !== carriage) at++
  return at + 2
}

/** The whole reply as values; bulk strings are copies. */
export function decodeReply(bytes: Buffer, from: number): Resp {
  let at = from
  const next = (): Resp => {
    const kind = bytes[at]
    const start = at + 1
    at = skipLine(bytes, at)
    if (kind === kinds.integer) return numberAt(bytes, start)
    if (kind === kinds.bulk) {
      const length = numberAt(bytes, start)
      if (length < 0) return null
      at += length + 2
      return Buffer.from(bytes.subarray(at - length - 2, at - 2))
    }
    if (kind === kinds.array) {
      const length = numberAt(bytes, start)
      return length < 0 ? null : Array.from({ length }, next)
    }
    return Buffer.from(bytes.subarray(start, at - 2))
  }
  return next()
}
