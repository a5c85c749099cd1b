/** Connections of Cassandra's native protocol, version 5 or else 4: login, prepared statements, many requests on one connection. */

import { RequestBuffer } from '../request.ts'
import { ServerError, unreadable } from '../server-error.ts'
import { type Address, type Receiver, type Wire, WireSocket } from '../socket.ts'
import { cqlError } from './cql-errors.ts'
import { enclose, FrameReader, frameHeadBytes } from './cql-frames.ts'
import {
  beginMessage,
  bodyAt,
  endMessage,
  errorName,
  headBytes,
  longBytes,
  longText,
  opcodes,
  type PreparedStatement,
  preparedOf,
  shortText,
  type Version,
} from './cql-messages.ts'

export interface CqlLogin extends Address {
  user?: string
  password?: string
  keyspace: string
}

const maxMessage = 256 * 2 ** 20
/** The stream of requests that are made one at a time, off the clock. */
const ownStream = 32767
export const maxStreams = ownStream
const protocolError = 'ProtocolError'
const noFlags = (version: Version) => Buffer.alloc(version === 4 ? 1 : 4)

export class CqlConnection {
  /** One whole reply on a stream: its body is bytes[from, to), valid during the call. `code` is −1, or the code of an error. */
  onReply: (stream: number, code: number, bytes: Buffer, from: number, to: number) => void = () => {}
  onClosed: (cause: ServerError) => void = () => {}
  /** Requests of this loop turn, until `flush`. */
  request = new RequestBuffer()
  readonly version: Version
  readonly #spare: RequestBuffer[] = []
  readonly #socket: Wire
  readonly #frames: FrameReader
  /** From version 5 on: everything after the server's first answer is in frames. */
  #framed = false
  #onOwn: (opcode: number, bytes: Buffer, from: number, to: number) => void = () => {}
  #onOwnClosed: ((cause: ServerError) => void) | null = null
  #asked: Promise<unknown> = Promise.resolve()

  constructor(socket: Wire, version: Version) {
    this.#socket = socket
    this.version = version
    const messages: Receiver = {
      take: (bytes, from, to) => this.#take(bytes, from, to),
      closed: (cause) => {
        this.#onOwnClosed?.(cause)
        this.onClosed(cause)
      },
    }
    this.#frames = new FrameReader(messages)
    socket.receive({
      take: (bytes, from, to) => {
        const taken = (this.#framed ? this.#frames : messages).take(bytes, from, to)
        // Completions have led to new requests: they leave now, together.
        this.flush()
        return taken
      },
      closed: messages.closed,
    })
  }

  /** Version 5 is spoken from Cassandra 4.0 on. */
  static async open(login: CqlLogin): Promise<CqlConnection> {
    try {
      return await CqlConnection.openVersion(login, 5)
    } catch (error) {
      if (!(error instanceof ServerError) || error.detail !== protocolError) throw error
      return CqlConnection.openVersion(login, 4)
    }
  }

  static async openVersion(login: CqlLogin, version: Version): Promise<CqlConnection> {
    const connection = new CqlConnection(await WireSocket.open(login), version)
    try {
      const map = Buffer.alloc(2)
      map.writeUInt16BE(1)
      let reply = await connection.#ask(opcodes.startup, Buffer.concat([map, shortText('CQL_VERSION'), shortText('3.0.0')]))
      if (version === 5) connection.frame()
      if (reply.opcode === opcodes.authenticate) {
        if (login.password === undefined) throw new ServerError('denied', 'the server asks for a password, none was given')
        const token = Buffer.from(`\0${login.user ?? ''}\0${login.password}`)
        reply = await connection.#ask(opcodes.authResponse, longBytes(token))
        if (reply.opcode !== opcodes.authSuccess) throw new ServerError('denied', 'the server wants another login than by password')
      }
      await connection.query(`USE "${login.keyspace.replaceAll('"', '""')}"`)
      return connection
    } catch (error) {
      connection.end()
      throw error
    }
  }

  /** Off the clock. */
  async query(text: string): Promise<void> {
    const consistency = Buffer.from([0, 1])
    await this.#ask(opcodes.query, Buffer.concat([longText(text), consistency, noFlags(this.version)]))
  }

  /** Off the clock. @throws ServerError, with the server's name for it as `detail`. */
  async prepare(text: string): Promise<PreparedStatement> {
    const flags = this.version === 4 ? Buffer.alloc(0) : noFlags(this.version)
    const { body } = await this.#ask(opcodes.prepare, Buffer.concat([longText(text), flags]))
    return preparedOf(body, this.version)
  }

  /** Sends what was written since the last time; requests of one turn leave together. */
  flush(): void {
    const { request } = this
    const empty = this.#framed ? frameHeadBytes : 0
    if (request.length === empty) return
    if (this.#framed) enclose(request)
    this.request = this.#spare.pop() ?? new RequestBuffer()
    this.request.length = empty
    // The bytes may still be on their way when this returns: the buffer comes back when they have left.
    this.#socket.write(request.bytes.subarray(0, request.length), () => {
      this.#spare.push(request)
    })
  }

  /** From here on both sides put their messages into frames. */
  frame(): void {
    this.#framed = true
    this.request.length = frameHeadBytes
  }

  end(): void {
    this.#socket.end()
  }

  /** One at a time: they share a stream. */
  #ask(opcode: number, body: Buffer): Promise<{ opcode: number; body: Buffer }> {
    const answer = this.#asked.then(() => this.#exchange(opcode, body))
    this.#asked = answer.catch(() => {})
    return answer
  }

  #exchange(opcode: number, body: Buffer): Promise<{ opcode: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
      this.#onOwnClosed = reject
      this.#onOwn = (kind, bytes, from, to) => {
        this.#onOwnClosed = null
        if (kind === opcodes.error) {
          const length = bytes.readUInt16BE(from + 4)
          const name = errorName(bytes.readInt32BE(from))
          reject(cqlError(name, bytes.toString('utf8', from + 6, from + 6 + length)))
        } else resolve({ opcode: kind, body: Buffer.from(bytes.subarray(from, to)) })
      }
      const start = beginMessage(this.request, this.version, ownStream, opcode)
      this.request.append(body)
      endMessage(this.request, start)
      this.flush()
    })
  }

  #take(bytes: Buffer, from: number, to: number): number {
    let at = from
    while (to - at >= headBytes) {
      // A server that does not speak the version says so in one that it speaks.
      if (bytes[at] !== (this.version | 0x80) && (this.#framed || bytes[at + 4] !== opcodes.error))
        throw unreadable(`a message of protocol version ${(bytes[at] as number) & 0x7f}`)
      const length = bytes.readInt32BE(at + 5)
      if (length < 0 || length > maxMessage) throw unreadable(`a message of ${length} bytes`)
      const end = at + headBytes + length
      if (end > to) break
      const stream = bytes.readInt16BE(at + 2)
      const opcode = bytes[at + 4] as number
      const body = bodyAt(bytes, at)
      if (stream === ownStream) this.#onOwn(opcode, bytes, body, end)
      else if (stream >= 0) this.onReply(stream, opcode === opcodes.error ? bytes.readInt32BE(body) : -1, bytes, body, end)
      at = end
    }
    return at
  }
}
