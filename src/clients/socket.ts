/** A connection whose incoming bytes are handed over in place: a protocol cuts whole frames out of them, and what is left over waits for the rest. */
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { enlarged } from './request.ts'
import { connectionLost, isOutOfRange, ServerError, unreadable } from './server-error.ts'

export interface Address {
  host: string
  port: number
  tls?: { verify: boolean; authority?: string; name?: string }
}

/** What a protocol does with its connection. */
export interface Receiver {
  /** Takes the whole frames of bytes[from, to); returns the offset of the first frame that is not whole. The bytes are only valid during the call. */
  take(bytes: Buffer, from: number, to: number): number
  closed(cause: ServerError): void
}

const readBytes = 65536
const connectWithinMs = 5000
/** No request of ours has an answer near this size: what goes on for longer is no frame. */
const maxFrameBytes = 256 * 2 ** 20

/** What a protocol needs of its connection. */
export interface Wire {
  receive(receiver: Receiver): void
  write(bytes: Uint8Array, left?: () => void): void
  end(): void
}

export class WireSocket implements Wire {
  #socket: Socket
  #receiver: Receiver | undefined
  #frames: Frames | undefined
  #failure: ServerError | undefined
  #ended = false

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Speaks TLS from the first byte where the address asks for it, unless `plainFirst`: then `secure` does later. */
  static open(address: Address, plainFirst = false): Promise<WireSocket> {
    return new Promise((resolve, reject) => {
      const { host, port } = address
      const secured = address.tls !== undefined && !plainFirst
      // Reads land in one buffer again and again; a socket that becomes secure later must not own its reads.
      const onread = {
        buffer: Buffer.allocUnsafe(readBytes),
        callback: (length: number, bytes: Uint8Array) => {
          made.#feed(bytes as Buffer, length)
          return true
        },
      }
      const socket = secured
        ? connectSecurely({ host, port, ...tlsOptions(address) })
        : connect({ host, port, noDelay: true, ...(address.tls === undefined ? { onread } : {}) })
      const made = new WireSocket(socket)
      made.#listen(socket)
      const late = () => fail(new ServerError('timeout', `no connection to ${host}:${port} within ${connectWithinMs / 1000} s`))
      const timer = setTimeout(late, connectWithinMs)
      const fail = (error: Error) => {
        clearTimeout(timer)
        socket.destroy()
        reject(connectionLost(error))
      }
      socket.once('error', fail)
      socket.once(secured ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer)
        socket.off('error', fail)
        resolve(made)
      })
    })
  }

  /** Wraps the connection in TLS: everything after this is encrypted. */
  secure(address: Address): Promise<void> {
    return new Promise((resolve, reject) => {
      const plain = this.#socket
      plain.removeAllListeners()
      // The name that the certificate must have: a socket that is there already tells none.
      const socket = connectSecurely({ socket: plain, host: address.host, ...tlsOptions(address) })
      socket.once('error', (error) => reject(connectionLost(error)))
      socket.once('secureConnect', () => {
        resolve()
      })
      this.#socket = socket
      this.#listen(socket)
    })
  }

  receive(receiver: Receiver): void {
    this.#receiver = receiver
    this.#frames = new Frames(receiver)
    if (this.#failure !== undefined) receiver.closed(this.#failure)
  }

  /** The bytes must stay as they are until the server has answered them, or until `left` is called: they have left this process. */
  write(bytes: Uint8Array, left?: () => void): void {
    this.#socket.write(bytes, left)
  }

  end(): void {
    this.#ended = true
    this.#socket.destroy()
  }

  #listen(socket: Socket): void {
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#feed(chunk, chunk.length))
    socket.on('error', (error) => this.#close(connectionLost(error)))
    socket.on('close', () => this.#close(new ServerError('connection-lost', 'the server closed the connection')))
  }

  #close(cause: ServerError): void {
    if (this.#failure !== undefined || this.#ended) return
    this.#failure = cause
    this.#receiver?.closed(cause)
  }

  #feed(bytes: Buffer, length: number): void {
    try {
      this.#frames?.feed(bytes, length)
    } catch (error) {
      // What cannot be read cannot be read on: the frames' borders are lost.
      this.#socket.destroy()
      if (error instanceof ServerError) this.#close(error)
      else if (isOutOfRange(error)) this.#close(unreadable('a reply whose lengths reach beyond its end'))
      else throw error // Whoever takes the frames is at fault, and with that we are.
    }
  }
}

/** Hands whole frames to a receiver, however the bytes were cut on their way. */
export class Frames {
  readonly #receiver: Receiver
  /** The beginning of a frame whose rest is still to come. */
  #carry = Buffer.allocUnsafe(readBytes)
  #carried = 0

  constructor(receiver: Receiver) {
    this.#receiver = receiver
  }

  /** @throws what the receiver throws where the bytes are no frames of its protocol. */
  feed(bytes: Buffer, length: number): void {
    if (this.#carried === 0) {
      const taken = this.#receiver.take(bytes, 0, length)
      if (taken < length) this.#keep(bytes, taken, length)
      return
    }
    this.#keep(bytes, 0, length)
    const taken = this.#receiver.take(this.#carry, 0, this.#carried)
    this.#carry.copyWithin(0, taken, this.#carried)
    this.#carried -= taken
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    const needed = this.#carried + to - from
    if (needed > maxFrameBytes) throw unreadable(`a reply of more than ${maxFrameBytes / 2 ** 20} MiB`)
    if (needed > this.#carry.length) this.#carry = enlarged(this.#carry, this.#carried, needed)
    bytes.copy(this.#carry, this.#carried, from, to)
    this.#carried = needed
  }
}

/** What Node's TLS, and the drivers that hand it on, are told of a server. */
export function tlsOptions({ host, tls }: Pick<Address, 'host' | 'tls'>) {
  const name = tls?.name ?? (isIP(host) === 0 ? host : undefined)
  return {
    rejectUnauthorized: tls?.verify ?? true,
    ...(tls?.authority === undefined ? {} : { ca: tls.authority }),
    ...(name === undefined ? {} : { servername: name }),
  }
}
