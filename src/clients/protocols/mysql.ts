/** The protocol of MySQL and MariaDB, the part that a replay needs: login, prepared statements, executions; rows counted, decoded only where asked for. */
import { RequestBuffer } from '../request.ts'
import { ServerError, unreadable } from '../server-error.ts'
import { type Address, type Wire, WireSocket } from '../socket.ts'
import { mysqlError } from './mysql-errors.ts'
import { capability, encryptedPassword, type Greeting, greetingOf, proofOf, textUntilZero } from './mysql-login.ts'
import { type Cell, type Column, columnOf, firstNumber, rowOf } from './mysql-rows.ts'

export interface MysqlLogin extends Address {
  user: string
  password?: string
  database: string
  /** Statements that a connection begins with. */
  setup: string[]
}

const command = { quit: 0x01, query: 0x03, prepare: 0x16, execute: 0x17 }
/** First byte of an answer's packet. */
const first = { ok: 0x00, more: 0x01, end: 0xfe, error: 0xff }
const headerBytes = 4
/** A longer packet is followed by its rest, which no request and no answer of ours has. */
const maxPacketBytes = 0xffffff
/** utf8mb4, of which no comparison of a column's makes use. */
const characterSet = 45

/** What the next packet is part of. */
type Stage = 'login' | 'first' | 'definitions' | 'columns' | 'rows'

export class MysqlConnection {
  /** Called when the server is ready again: rows returned or touched by the last statement, and its error number or ''. */
  onReady: (rows: number, error: string) => void = () => {}
  onClosed: (cause: ServerError) => void = () => {}
  /** Whether rows are decoded, into `rows`. */
  keep = false
  rows: Cell[][] = []
  /** Whether the next row begins with a whole number of eight bytes that is wanted, and the last such number. */
  tells = false
  told = 0
  readonly request = new RequestBuffer()
  readonly #socket: Wire
  #stage: Stage = 'login'
  /** Whether the answer is that of a statement's preparation. */
  #preparing = false
  /** Packets of definitions that are still to come. */
  #expected = 0
  #columns: Column[] = []
  #width = 0
  #count = 0
  #prepared = 0
  #message = ''
  #onLogin: (bytes: Buffer, from: number, to: number, sequence: number) => void = () => {}

  constructor(socket: Wire) {
    this.#socket = socket
    socket.receive({ take: (bytes, from, to) => this.#take(bytes, from, to), closed: (cause) => this.onClosed(cause) })
  }

  static async open(login: MysqlLogin): Promise<MysqlConnection> {
    const socket = await WireSocket.open(login, true)
    try {
      const greeting = await greet(socket)
      if (login.tls !== undefined) {
        if ((greeting.capabilities & capability.tls) === 0) throw new ServerError('denied', 'the server does not speak TLS')
        socket.write(packet(1, loginHead(greeting, true)))
        await socket.secure(login)
      }
      const connection = new MysqlConnection(socket)
      await connection.#logIn(greeting, login)
      for (const statement of login.setup) await connection.query(statement)
      return connection
    } catch (failure) {
      socket.end()
      throw failure
    }
  }

  /** Off the clock: a statement that returns no rows. */
  query(text: string): Promise<void> {
    return this.#exchange(() => this.#write(packet(0, Buffer.from([command.query]), Buffer.from(text))))
  }

  /** Off the clock. Resolves with the number by which the connection knows the statement. */
  async prepare(text: string): Promise<number> {
    await this.#exchange(() => {
      this.#write(packet(0, Buffer.from([command.prepare]), Buffer.from(text)))
      this.#preparing = true
    })
    return this.#prepared
  }

  /** Sends bytes of the request buffer: one whole command. */
  send(from: number, to: number): void {
    this.#write(this.request.bytes.subarray(from, to))
  }

  end(): void {
    this.#socket.write(packet(0, Buffer.from([command.quit])))
    this.#socket.end()
  }

  #write(bytes: Uint8Array): void {
    this.#stage = 'first'
    this.#preparing = false
    this.#count = 0
    if (this.keep) this.rows = []
    this.#socket.write(bytes)
  }

  #exchange(write: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onReady = (_rows, error) => (error === '' ? resolve() : reject(mysqlError(error, this.#message)))
      this.onClosed = reject
      write()
    })
  }

  #logIn(greeting: Greeting, login: MysqlLogin): Promise<void> {
    const { user, password = '', database, tls } = login
    let { nonce } = greeting
    return this.#exchange(() => {
      const answer = (sequence: number, bytes: Buffer) => this.#socket.write(packet(sequence + 1, bytes))
      this.#onLogin = (bytes, from, to, sequence) => {
        if (bytes[from] === first.end) {
          const plugin = textUntilZero(bytes, from + 1, to)
          // The nonce of a plugin that is asked for instead ends with a zero.
          nonce = Buffer.from(bytes.subarray(from + 2 + plugin.length, to - 1))
          answer(sequence, proofOf(plugin, password, nonce))
        } else if (bytes[from] !== first.more) throw unreadable('a login that is answered by no packet of one')
        else if (to - from > 2) answer(sequence, encryptedPassword(password, nonce, bytes.toString('utf8', from + 1, to)))
        else if (bytes[from + 1] === cachingSha2.askAgain)
          answer(sequence, tls === undefined ? Buffer.from([cachingSha2.publicKey]) : Buffer.from(`${password}\0`))
      }
      const { plugin } = greeting
      const known = plugin === 'mysql_native_password' || plugin === 'caching_sha2_password'
      const proof = known ? proofOf(plugin, password, nonce) : Buffer.alloc(0)
      this.#socket.write(
        packet(
          tls === undefined ? 1 : 2,
          loginHead(greeting, tls !== undefined),
          Buffer.from(`${user}\0`),
          Buffer.from([proof.length]),
          proof,
          Buffer.from(`${database}\0${plugin}\0`),
        ),
      )
    })
  }

  #take(bytes: Buffer, from: number, to: number): number {
    let at = from
    while (to - at >= headerBytes) {
      const length = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
      if (length === maxPacketBytes) throw unreadable('a packet of 16 MiB and more')
      const body = at + headerBytes
      if (body + length > to) break
      if (length === 0) throw unreadable('a packet without a body')
      this.#packet(bytes, body, body + length)
      at = body + length
    }
    return at
  }

  #packet(bytes: Buffer, from: number, end: number): void {
    switch (this.#stage) {
      case 'rows':
        if (bytes[from] === first.ok) {
          this.#count++
          if (this.keep) this.rows.push(rowOf(bytes, from, this.#columns))
          if (this.tells) this.told = firstNumber(bytes, from, this.#width)
        } else if (bytes[from] === first.end) this.onReady(this.#count, '')
        else this.#fail(bytes, from, end)
        break
      case 'columns':
        if (this.keep) this.#columns.push(columnOf(bytes, from))
        if (--this.#expected === 0) this.#stage = 'rows'
        break
      case 'definitions':
        if (--this.#expected === 0) this.onReady(0, '')
        break
      default:
        this.#first(bytes, from, end)
    }
  }

  #first(bytes: Buffer, from: number, end: number): void {
    const kind = bytes[from] as number
    if (kind === first.error) this.#fail(bytes, from, end)
    else if (kind === first.ok && this.#preparing) {
      this.#prepared = bytes.readUInt32LE(from + 1)
      this.#expected = bytes.readUInt16LE(from + 5) + bytes.readUInt16LE(from + 7)
      if (this.#expected === 0) this.onReady(0, '')
      else this.#stage = 'definitions'
    } else if (kind === first.ok) this.onReady(lengthAt(bytes, from + 1), '')
    else if (this.#stage === 'login') this.#onLogin(bytes, from, end, bytes[from - 1] as number)
    else if (kind > maxByteLength) throw unreadable('an answer that is neither rows nor their end')
    else {
      this.#expected = kind
      this.#width = kind
      this.#stage = 'columns'
      if (this.keep) this.#columns = []
    }
  }

  /** The number of the error, and behind its state (`#` and five characters) the message. */
  #fail(bytes: Buffer, from: number, end: number): void {
    if (bytes[from] !== first.error) throw unreadable('a row that is none')
    this.#message = bytes.toString('utf8', bytes[from + 3] === 0x23 ? from + 9 : from + 3, end)
    this.onReady(0, String(bytes.readUInt16LE(from + 1)))
  }
}

/** What `caching_sha2_password` says and is told behind the first byte: the server does not remember the password, a client asks for its key. */
const cachingSha2 = { askAgain: 4, publicKey: 2 }

/** Lengths and counts up to here are one byte. */
const maxByteLength = 250

function lengthAt(bytes: Buffer, at: number): number {
  const kind = bytes[at] as number
  if (kind <= maxByteLength) return kind
  if (kind === 0xfc) return bytes.readUInt16LE(at + 1)
  if (kind === 0xfd) return bytes.readUIntLE(at + 1, 3)
  return Number(bytes.readBigUInt64LE(at + 1))
}

function greet(socket: WireSocket): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    socket.receive({
      take(bytes, from, to) {
        if (to - from < headerBytes || from + headerBytes + bytes.readUIntLE(from, 3) > to) return from
        if (bytes[from + headerBytes] === first.error) reject(mysqlError(String(bytes.readUInt16LE(from + 5)), bytes.toString('utf8', from + 7, to)))
        else resolve(greetingOf(bytes, from + headerBytes, to))
        return to
      },
      closed: reject,
    })
  })
}

const asked =
  capability.longPassword |
  capability.foundRows |
  capability.withDatabase |
  capability.protocol41 |
  capability.transactions |
  capability.secureConnection |
  capability.plugins |
  capability.noEndOfColumns

/** What a login, and the wish for TLS before it, begin with. @throws ServerError where the server is too old. */
function loginHead({ capabilities }: Greeting, secured: boolean): Buffer {
  if ((capabilities & capability.noEndOfColumns) === 0) throw new ServerError('unavailable', 'the server is older than MariaDB 10.2 and MySQL 5.7')
  const head = Buffer.alloc(32)
  head.writeUInt32LE((asked | (secured ? capability.tls : 0)) >>> 0, 0)
  head.writeUInt32LE(maxPacketBytes, 4)
  head[8] = characterSet
  return head
}

function packet(sequence: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(headerBytes)
  head.writeUIntLE(body.length, 0, 3)
  head[3] = sequence
  return Buffer.concat([head, body])
}

/** A statement that has no parameters and is not prepared: a whole request. */
export const queryOf = (text: string) => packet(0, Buffer.from([command.query]), Buffer.from(text))

/** An execution up to the first value: its length and the statement's number are written when it is finished. `types`: of the parameters. */
export function executionOf(types: number[]): Buffer {
  const head = Buffer.alloc(headerBytes + 10)
  head[headerBytes] = command.execute
  head[headerBytes + 6] = 1 // Executed once.
  if (types.length === 0) return head
  // The bits of what is null are set as it is written; the types come with each execution.
  return Buffer.concat([head, Buffer.alloc(Math.ceil(types.length / 8)), Buffer.from([1, ...types.flatMap((type) => [type, 0])])])
}

/** Says of a parameter that it is null, in place of its value; `start`: of the execution. */
export function markNull({ bytes }: RequestBuffer, start: number, parameter: number): void {
  const at = start + headerBytes + 10 + (parameter >> 3)
  bytes[at] = (bytes[at] as number) | (1 << (parameter & 7))
}

/** @throws ServerError where the values are more than one packet holds. */
export function finishExecution({ bytes, length }: RequestBuffer, start: number, statement: number): void {
  const body = length - start - headerBytes
  if (body >= maxPacketBytes) throw new ServerError('invalid', 'the values are more than a packet of 16 MiB holds', { detail: '1153' })
  bytes[start] = body
  bytes[start + 1] = body >>> 8
  bytes[start + 2] = body >>> 16
  const at = start + headerBytes + 1
  bytes[at] = statement
  bytes[at + 1] = statement >>> 8
  bytes[at + 2] = statement >>> 16
  bytes[at + 3] = statement >>> 24
}
