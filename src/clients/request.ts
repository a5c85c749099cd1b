/** The bytes of requests, written in place and kept from one request to the next. */

const firstBytes = 4096
/** Up to here a loop is faster than the call that copies. */
const maxLoopedBytes = 40

export class RequestBuffer {
  bytes = Buffer.allocUnsafe(firstBytes)
  length = 0

  /** Makes room for so many bytes more; what is written stays. */
  reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.bytes.length) return
    this.bytes = enlarged(this.bytes, this.length, needed)
  }

  append(bytes: Buffer): void {
    this.appendPart(bytes, 0, bytes.length)
  }

  appendPart(bytes: Buffer, from: number, end: number): void {
    this.reserve(end - from)
    if (end - from > maxLoopedBytes) {
      this.length += bytes.copy(this.bytes, this.length, from, end)
      return
    }
    const to = this.bytes
    let { length } = this
    for (let at = from; at < end; at++) to[length++] = bytes[at] as number
    this.length = length
  }
}

/** A larger buffer with the first `kept` bytes of this one. */
export function enlarged(bytes: Buffer, kept: number, needed: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafe(2 ** Math.ceil(Math.log2(needed)))
  bytes.copy(larger, 0, 0, kept)
  return larger
}
