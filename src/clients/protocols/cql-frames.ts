/** Frames of CQL version 5: messages travel in them with checksums, several in one, or one cut over several (native_protocol_v5.spec, 2). */
import { crc32 } from 'node:zlib'
import type { RequestBuffer } from '../request.ts'
import { type ServerError, unreadable } from '../server-error.ts'
import { Frames, type Receiver } from '../socket.ts'
import { headBytes as messageHeadBytes } from './cql-messages.ts'

export const frameHeadBytes = 6
const tailBytes = 4
export const maxPayload = 2 ** 17 - 1
const wholeMessages = 1 << 17

/** The checksum of a payload begins behind these bytes, so that a payload of zeros has none of zero. */
const checksumStart = crc32(Buffer.from([0xfa, 0x2d, 0x55, 0xca]))

/** Of the three bytes of a frame's head, the lowest first. */
function crc24(head: number): number {
  let crc = 0x875060
  for (let rest = head, byte = 0; byte < 3; byte++, rest >>= 8) {
    crc ^= (rest & 0xff) << 16
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1
      if ((crc & 0x1000000) !== 0) crc ^= 0x1974f0b
    }
  }
  return crc
}

const readInt24 = (bytes: Buffer, at: number) => (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
function writeInt24(value: number, bytes: Buffer, at: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
}

/** Takes frames apart and hands their messages on. One view of the bytes for each frame, which many messages share, is all that it makes. */
export class FrameReader implements Receiver {
  readonly #messages: Receiver
  /** Messages that are larger than a frame. */
  readonly #parts: Frames

  constructor(messages: Receiver) {
    this.#messages = messages
    this.#parts = new Frames(messages)
  }

  /** @throws where a checksum is wrong: then nothing that follows can be trusted. */
  take(bytes: Buffer, from: number, to: number): number {
    let at = from
    while (to - at >= frameHeadBytes) {
      const head = readInt24(bytes, at)
      if (crc24(head) !== readInt24(bytes, at + 3)) throw unreadable('a damaged frame: the checksum of its head is wrong')
      const start = at + frameHeadBytes
      const end = start + (head & maxPayload)
      if (end + tailBytes > to) break
      const payload = bytes.subarray(start, end)
      if (crc32(payload, checksumStart) !== bytes.readUInt32LE(end)) throw unreadable('a damaged frame: the checksum of its payload is wrong')
      if ((head & wholeMessages) === 0) this.#parts.feed(payload, payload.length)
      else if (this.#messages.take(bytes, start, end) !== end) throw unreadable('a frame that ends within a message')
      at = end + tailBytes
    }
    return at
  }

  closed(cause: ServerError): void {
    this.#messages.closed(cause)
  }
}

/** Puts the messages behind the first `frameHeadBytes` of a request into frames: one, unless they are too long for it. */
export function enclose(request: RequestBuffer): void {
  const bytes = request.length - frameHeadBytes
  if (bytes <= maxPayload) {
    endFrame(request, 0, true)
    return
  }
  const messages = Buffer.from(request.bytes.subarray(frameHeadBytes, request.length))
  request.length = 0
  for (let from = 0; from < messages.length; ) {
    let to = from
    while (to < messages.length && messageEnd(messages, to) - from <= maxPayload) to = messageEnd(messages, to)
    if (to > from) {
      appendFrame(request, messages.subarray(from, to), true)
      from = to
      continue
    }
    for (const end = messageEnd(messages, from); from < end; from += maxPayload) {
      appendFrame(request, messages.subarray(from, Math.min(end, from + maxPayload)), false)
      to = end
    }
    from = to
  }
}

const messageEnd = (messages: Buffer, at: number) => at + messageHeadBytes + messages.readInt32BE(at + 5)

function appendFrame(to: RequestBuffer, payload: Buffer, whole: boolean): void {
  const start = to.length
  to.reserve(frameHeadBytes)
  to.length += frameHeadBytes
  to.append(payload)
  endFrame(to, start, whole)
}

function endFrame(to: RequestBuffer, start: number, whole: boolean): void {
  const head = (to.length - start - frameHeadBytes) | (whole ? wholeMessages : 0)
  writeInt24(head, to.bytes, start)
  writeInt24(crc24(head), to.bytes, start + 3)
  to.reserve(tailBytes)
  to.length = to.bytes.writeUInt32LE(crc32(to.bytes.subarray(start + frameHeadBytes, to.length), checksumStart), to.length)
}
