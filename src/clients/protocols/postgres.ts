/** PostgreSQL's protocol 3.0, the part that a replay needs: login, prepared statements, executions; rows counted, decoded only where asked for. */
import { createHash } from 'node:crypto'
import { RequestBuffer } from '../request.ts'
import { ServerError, unreadable } from '../server-error.ts'
import { type Address, type Wire, WireSocket } from '../socket.ts'
import { sqlStateError } from './postgres-errors.ts'
import { Scram } from './scram.ts'

export interface PostgresLogin extends Address {
  user: string
  password?: string
  database: string
  /** Parameters of the session, as the startup message carries them. */
  parameters: Record<string, string>
}

const protocolVersion = 196608
const sslRequest = 80877103
/** Tags of messages: the first byte of each. */
const tag = (letter: string) => letter.charCodeAt(0)
const received = {
  data: tag('D'),
  commandComplete: tag('C'),
  error: tag('E'),
  ready: tag('Z'),
  parameterDescription: tag('t'),
  authentication: tag('R'),
}
const sent = { bind: tag('B'), execute: tag('E'), sync: tag('S'), parse: tag('P'), describe: tag('D'), password: tag('p'), terminate: tag('X') }

/** One statement's execution: Bind up to the parameters, and what follows them, Execute and Sync. */
export interface Execution {
  readonly head: Buffer
  /** Where Bind begins in it: behind Parse, where the statement is not prepared. */
  readonly bindAt: number
  readonly tail: Buffer
}

/** Parameters are binary; results are text, as the official driver asks for them. `parsed`: the text of a statement that has no name, and is parsed with each execution. */
export function executionOf(statement: string, parameters: number, parsed?: string): Execution {
  const name = Buffer.from(statement)
  const head = Buffer.alloc(1 + 4 + 1 + name.length + 1 + 2 + 2 + 2)
  head[0] = sent.bind
  name.copy(head, 6)
  const formats = head.length - 6
  head.writeUInt16BE(1, formats)
  head.writeUInt16BE(1, formats + 2)
  head.writeUInt16BE(parameters, formats + 4)
  // No format codes of results: all text. Then Execute of the unnamed portal without a limit, and Sync.
  const tail = Buffer.from([0, 0, sent.execute, 0, 0, 0, 9, 0, 0, 0, 0, 0, sent.sync, 0, 0, 0, 4])
  if (parsed === undefined) return { head, bindAt: 0, tail }
  const parse = message(sent.parse, parseBody(statement, parsed))
  return { head: Buffer.concat([parse, head]), bindAt: parse.length, tail }
}

/** The server infers the types of the parameters. */
const parseBody = (statement: string, text: string) => Buffer.from(`${statement}\0${text}\0\0\0`)

const boundTail = 2

/** The server's own limit is 1 GiB. */
const maxMessageBytes = 2 ** 30

export class PostgresConnection {
  /** Called when the server is ready again: rows returned or touched by the last statement, and its SQLSTATE or ''. */
  onReady: (rows: number, sqlState: string) => void = () => {}
  onClosed: (cause: ServerError) => void = () => {}
  /** Whether rows are decoded, into `rows`. */
  keep = false
  rows: (string | null)[][] = []
  /** Whether the next row begins with a whole number that is wanted, and the last such number. */
  tells = false
  told = 0
  readonly request = new RequestBuffer()
  readonly #socket: Wire
  #count = 0
  #affected = -1
  #sqlState = ''
  #message = ''
  #types: number[] = []
  #onAuthentication: (bytes: Buffer, from: number, to: number) => void = () => {}

  constructor(socket: Wire) {
    this.#socket = socket
    socket.receive({ take: (bytes, from, to) => this.#take(bytes, from, to), closed: (cause) => this.onClosed(cause) })
  }

  static async open(login: PostgresLogin): Promise<PostgresConnection> {
    const socket = await WireSocket.open(login, true)
    try {
      if (login.tls !== undefined) await upgrade(socket, login)
      const connection = new PostgresConnection(socket)
      await connection.#start(login)
      return connection
    } catch (failure) {
      socket.end()
      throw failure
    }
  }

  /** Off the clock. Resolves with the type (OID) of each parameter. */
  async prepare(name: string, text: string): Promise<number[]> {
    const parse = message(sent.parse, parseBody(name, text))
    await this.#exchange(Buffer.concat([parse, message(sent.describe, Buffer.from(`S${name}\0`)), message(sent.sync)]))
    return this.#types
  }

  /** Sends bytes of the request buffer: one or more whole executions, ended by one Sync. */
  send(from: number, to: number): void {
    this.#count = 0
    this.#affected = -1
    this.#sqlState = ''
    if (this.keep) this.rows = []
    this.#socket.write(this.request.bytes.subarray(from, to))
  }

  end(): void {
    this.#socket.write(message(sent.terminate))
    this.#socket.end()
  }

  async #start({ user, password: secret, database, parameters }: PostgresLogin): Promise<void> {
    const pairs = Object.entries({ user, database, client_encoding: 'UTF8', ...parameters })
    const body = Buffer.from(`${pairs.map(([name, value]) => `${name}\0${value}\0`).join('')}\0`)
    const startup = Buffer.alloc(8)
    startup.writeInt32BE(body.length + 8, 0)
    startup.writeInt32BE(protocolVersion, 4)
    const answer = (bytes: Buffer) => this.#socket.write(message(sent.password, bytes))
    let scram: Scram | undefined
    this.#onAuthentication = (bytes, from, to) => {
      const kind = bytes.readInt32BE(from)
      if (kind === 0) return
      if (secret === undefined) throw new ServerError('denied', 'the server asks for a password, none was given')
      if (kind === 3) answer(Buffer.from(`${secret}\0`))
      else if (kind === 5) answer(Buffer.from(`md5${md5(md5(secret + user), bytes.subarray(from + 4, from + 8))}\0`))
      else if (kind === 10) {
        if (
          !bytes
            .toString('latin1', from + 4, to)
            .split('\0')
            .includes('SCRAM-SHA-256')
        )
          throw new ServerError('denied', 'the server offers no SCRAM-SHA-256')
        scram = new Scram('', secret) // The user of the startup message counts.
        const first = Buffer.from(scram.first())
        const length = Buffer.alloc(4)
        length.writeInt32BE(first.length)
        answer(Buffer.concat([Buffer.from('SCRAM-SHA-256\0'), length, first]))
      } else if (kind === 11) answer(Buffer.from((scram as Scram).final(bytes.toString('utf8', from + 4, to))))
      else if (kind === 12) (scram as Scram).check(bytes.toString('utf8', from + 4, to))
      else throw new ServerError('denied', `the server asks for a login of kind ${kind}, which this client does not know`)
    }
    await this.#exchange(Buffer.concat([startup, body]))
  }

  #exchange(request: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sqlState = ''
      this.onReady = (_rows, sqlState) => {
        if (sqlState === '') resolve()
        else reject(sqlStateError(sqlState, this.#message))
      }
      // A server that refuses a login says why and closes, without being ready.
      this.onClosed = (cause) => reject(this.#sqlState === '' ? cause : sqlStateError(this.#sqlState, this.#message))
      this.#socket.write(request)
    })
  }

  #take(bytes: Buffer, from: number, to: number): number {
    let at = from
    while (to - at >= 5) {
      const end = at + 1 + bytes.readInt32BE(at + 1)
      if (end < at + 5 || end - at > maxMessageBytes) throw unreadable('a message of impossible length')
      if (end > to) break
      switch (bytes[at]) {
        case received.data:
          this.#count++
          if (this.keep) this.rows.push(rowOf(bytes, at + 5))
          if (this.tells) this.told = leadingNumber(bytes, at + 11, end)
          break
        case received.commandComplete:
          this.#affected = trailingNumber(bytes, end - 2)
          break
        case received.error:
          this.#fail(bytes, at + 5, end)
          break
        case received.parameterDescription:
          this.#types = Array.from({ length: bytes.readUInt16BE(at + 5) }, (_, index) => bytes.readInt32BE(at + 7 + index * 4))
          break
        case received.authentication:
          this.#onAuthentication(bytes, at + 5, end)
          break
        case received.ready:
          this.onReady(this.#affected < 0 ? this.#count : this.#affected, this.#sqlState)
          break
      }
      at = end
    }
    return at
  }

  /** Fields of an error: C the SQLSTATE, M the message. */
  #fail(bytes: Buffer, from: number, end: number): void {
    for (let at = from; at < end && bytes[at] !== 0; ) {
      const stop = bytes.indexOf(0, at + 1)
      if (bytes[at] === 0x43) this.#sqlState = bytes.toString('latin1', at + 1, stop)
      if (bytes[at] === 0x4d) this.#message = bytes.toString('utf8', at + 1, stop)
      at = stop + 1
    }
  }
}

/** Patches the length of the Bind of an execution that was written from `start` on, and appends what follows the parameters. */
export function finishExecution(request: RequestBuffer, start: number, { bindAt, tail }: Execution): void {
  const length = start + bindAt + 1
  request.bytes.writeInt32BE(request.length + boundTail - length, length)
  request.append(tail)
}

async function upgrade(socket: WireSocket, login: PostgresLogin): Promise<void> {
  const request = Buffer.alloc(8)
  request.writeInt32BE(8, 0)
  request.writeInt32BE(sslRequest, 4)
  await new Promise<void>((resolve, reject) => {
    socket.receive({
      take: (bytes, from, to) => {
        if (bytes[from] === 0x53) resolve()
        else reject(new ServerError('denied', 'the server does not speak TLS'))
        return to
      },
      closed: reject,
    })
    socket.write(request)
  })
  await socket.secure(login)
}

function message(kind: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5)
  head[0] = kind
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function rowOf(bytes: Buffer, from: number): (string | null)[] {
  let at = from + 2
  return Array.from({ length: bytes.readUInt16BE(from) }, () => {
    const length = bytes.readInt32BE(at)
    at += 4
    if (length < 0) return null
    at += length
    return bytes.toString('utf8', at - length, at)
  })
}

/** The digits of a first column, behind the number of columns and its length; null, which has none, is 0. */
function leadingNumber(bytes: Buffer, from: number, end: number): number {
  const length = bytes.readInt32BE(from - 4)
  const isNegative = bytes[from] === 0x2d
  let value = 0
  for (let at = isNegative ? from + 1 : from; at < from + length && at < end; at++) value = value * 10 + (bytes[at] as number) - 0x30
  return isNegative ? -value : value
}

/** "INSERT 0 5", "UPDATE 3": rows touched; −1 where the tag has no number. */
function trailingNumber(bytes: Buffer, last: number): number {
  let at = last
  let value = 0
  for (let place = 1; ; place *= 10) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) break
    value += digit * place
    at--
  }
  return at === last ? -1 : value
}

const md5 = (...parts: (string | Buffer)[]) => parts.reduce((hash, part) => hash.update(part), createHash('md5')).digest('hex')
