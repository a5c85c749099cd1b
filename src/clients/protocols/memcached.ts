/** Memcached's text protocol: commands as lines, a value behind the line that tells its length; whole replies are handed over in place. */
import { RequestBuffer } from '../request.ts'
import { type ServerError, unreadable } from '../server-error.ts'
import { type Address, type Wire, WireSocket } from '../socket.ts'
import { memcachedError } from './memcached-errors.ts'

export interface MemcachedLogin extends Address {
  user?: string
  password?: string
}

/** Where the one value of a reply lies, and the number of its version; `from` < 0: there is none. */
export interface FoundItem {
  from: number
  to: number
  /** Where its version stands, in digits; `casFrom` < 0: it was not asked for. */
  casFrom: number
  casTo: number
}

const byte = (letter: string) => letter.charCodeAt(0)
const newline = byte('\n')
const carriage = byte('\r')
const space = byte(' ')
const zero = byte('0')
const letter = {
  A: byte('A'),
  B: byte('B'),
  C: byte('C'),
  D: byte('D'),
  E: byte('E'),
  L: byte('L'),
  R: byte('R'),
  S: byte('S'),
  T: byte('T'),
  U: byte('U'),
  V: byte('V'),
  Z: byte('Z'),
  k: byte('k'),
}
/** A key takes 250 bytes at most, and a line of `metadump` tells a few numbers beside it. */
const maxLineBytes = 4096
const maxItemBytes = 2 ** 30

export class MemcachedConnection {
  /** One whole reply: bytes[from, to), valid during the call. Each line of a `metadump` is one. */
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

  /** The first command of a server with accounts is a `set` whose value is the login. Whoever is not let in learns it here. */
  static async open(login: MemcachedLogin): Promise<MemcachedConnection> {
    const connection = new MemcachedConnection(await WireSocket.open(login))
    try {
      const { user, password } = login
      if (password !== undefined) {
        const account = `${user ?? ''} ${password}`
        await connection.ask(`set login 0 0 ${Buffer.byteLength(account)}\r\n${account}\r\n`)
      }
      await connection.ask('version\r\n')
      return connection
    } catch (error) {
      connection.end()
      throw error
    }
  }

  /** Off the clock: one command and the bytes of its reply. */
  async ask(command: string): Promise<Buffer> {
    let reply = Buffer.alloc(0)
    await this.each(command, (bytes) => {
      reply = Buffer.from(bytes)
      return true
    })
    return reply
  }

  /** Off the clock: the replies to one command until `isLast`. */
  each(command: string, isLast: (reply: Buffer) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onReply = (bytes, from, to) => {
        const error = errorOf(bytes, from, to)
        if (error !== '') reject(memcachedError(error))
        else if (isLast(bytes.subarray(from, to))) resolve()
      }
      this.onClosed = reject
      this.request.length = 0
      this.request.append(Buffer.from(command))
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

/** The end of the reply that starts there: of one line, or of values and statistics with the line behind them; −1: it is not whole yet. @throws where the bytes are no reply. */
export function endOfReply(bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; ) {
    const first = bytes[at] as number
    // Words, the lines of a `metadump` and numbers.
    if (!(first >= letter.A && first <= letter.Z) && first !== letter.k && !(first >= zero && first <= zero + 9))
      throw unreadable(`a reply that starts with byte ${first}`)
    const line = lineEnd(bytes, at, to)
    if (line < 0) return -1
    if (isValue(bytes, at)) at = line + lengthOfValue(bytes, at) + 2
    else if (first === letter.S && bytes[at + 1] === letter.T && bytes[at + 2] === letter.A) at = line
    else return line
  }
  return -1
}

/** A refusal as the server words it; '' for any other reply. */
export function errorOf(bytes: Buffer, from: number, to: number): string {
  const [first, second] = [bytes[from], bytes[from + 1]]
  const isError =
    (first === letter.E && second === letter.R) ||
    (first === letter.C && second === letter.L) ||
    (first === letter.S && second === letter.E) ||
    (first === letter.B && second === letter.U)
  return isError ? bytes.toString('latin1', from, to).trimEnd() : ''
}

/** What a reply of one word says: STORED and DELETED · EXISTS, for the item changed meanwhile · NOT_STORED, for there was one · NOT_FOUND. */
type Outcome = 'done' | 'changed' | 'not stored' | 'not found'

export function outcomeOf(bytes: Buffer, from: number): Outcome {
  const first = bytes[from]
  if (first === letter.S || first === letter.D) return 'done'
  if (first === letter.E) return 'changed'
  return bytes[from + 4] === letter.S ? 'not stored' : 'not found'
}

/** Finds the value of a reply to a `get` or `gets` of one key. */
export function findItem(bytes: Buffer, from: number, item: FoundItem): void {
  item.from = -1
  item.casFrom = -1
  if (!isValue(bytes, from)) return
  let at = wordAfter(bytes, wordAfter(bytes, wordAfter(bytes, from)))
  const length = numberAt(bytes, at)
  while ((bytes[at] as number) >= zero) at++
  if (bytes[at] === space) {
    item.casFrom = at + 1
    for (at++; (bytes[at] as number) >= zero; ) at++
    item.casTo = at
  }
  item.from = at + 2
  item.to = item.from + length
}

/** VALUE; VERSION is none. */
const isValue = (bytes: Buffer, at: number) => bytes[at] === letter.V && bytes[at + 1] === letter.A && bytes[at + 2] === letter.L

function lengthOfValue(bytes: Buffer, from: number): number {
  return numberAt(bytes, wordAfter(bytes, wordAfter(bytes, wordAfter(bytes, from))))
}

function lineEnd(bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at++) if (bytes[at] === newline) return at + 1
  if (to - from > maxLineBytes) throw unreadable('a line without an end')
  return -1
}

function wordAfter(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] !== space && bytes[at] !== newline) at++
  return bytes[at] === space ? at + 1 : at
}

function numberAt(bytes: Buffer, from: number): number {
  let value = 0
  for (let at = from; bytes[at] !== space && bytes[at] !== carriage; at++) {
    const digit = (bytes[at] as number) - zero
    if (digit < 0 || digit > 9 || value > maxItemBytes) throw unreadable('a length that is none')
    value = value * 10 + digit
  }
  return value
}
