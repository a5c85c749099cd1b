/** Whole numbers as bytes, written in place. */

/** Four bytes of a whole number; half the time of Buffer's own, which check their arguments. Returns the end. */
export function writeInt32BE(value: number, to: Buffer, offset: number): number {
  to[offset] = value >>> 24
  to[offset + 1] = value >>> 16
  to[offset + 2] = value >>> 8
  to[offset + 3] = value
  return offset + 4
}

export function writeInt16BE(value: number, to: Buffer, offset: number): number {
  to[offset] = value >>> 8
  to[offset + 1] = value
  return offset + 2
}

/** A whole number below 2⁵³ in magnitude as 8 bytes, two's complement, without a bigint. */
export function writeInt64BE(value: number, to: Buffer, offset: number): number {
  const high = Math.floor(value / 2 ** 32)
  return writeInt32BE(value - high * 2 ** 32, to, writeInt32BE(high, to, offset))
}

export function writeInt64LE(value: number, to: Buffer, offset: number): number {
  const high = Math.floor(value / 2 ** 32)
  to.writeUInt32LE(value - high * 2 ** 32, offset)
  to.writeInt32LE(high, offset + 4)
  return offset + 8
}

/** A whole number below 2⁵³ in decimal. */
export function writeDigits(value: number, to: Buffer, at: number): number {
  if (value < 0) {
    to[at++] = 0x2d
    value = -value
  }
  let length = 1
  for (let limit = 10; limit <= value; limit *= 10) length++
  for (let place = at + length - 1; place >= at; place--) {
    const rest = Math.floor(value / 10)
    to[place] = 0x30 + value - rest * 10
    value = rest
  }
  return at + length
}
