/** An HDR histogram of integer nanoseconds: 3 significant digits up to an hour, merged by adding, stored in the HDR V2 format. */
import { deflateSync, inflateSync } from 'node:zlib'

const subBuckets = 2048
const half = subBuckets / 2
/** One hour; longer values count as this. */
export const maxNs = 3_600_000_000_000
const buckets = 32
const encodingCookie = 0x1c849303 | 0x10
const compressedCookie = 0x1c849304 | 0x10

export class Histogram {
  readonly counts: Uint32Array<ArrayBuffer>
  count = 0
  sumNs = 0
  maxNs = 0

  constructor(counts = new Uint32Array((buckets + 1) * half)) {
    this.counts = counts
  }

  /** Allocates nothing. */
  record(ns: number): void {
    if (ns < longNs) {
      const value = ns > 0 ? ns | 0 : 0
      this.#count(value, shortIndexOf(value))
    } else {
      const value = Math.min(maxNs, Math.floor(ns))
      this.#count(value, longIndexOf(value))
    }
  }

  #count(value: number, at: number): void {
    this.counts[at] = (this.counts[at] as number) + 1
    this.count++
    this.sumNs += value
    if (value > this.maxNs) this.maxNs = value
  }

  merge(other: Histogram): void {
    const { last } = other
    for (let i = 0; i <= last; i++) this.counts[i] = (this.counts[i] as number) + (other.counts[i] as number)
    this.count += other.count
    this.sumNs += other.sumNs
    this.maxNs = Math.max(this.maxNs, other.maxNs)
  }

  /** The last position of `counts` that is not empty; -1: none. */
  get last(): number {
    return this.count === 0 ? -1 : this.maxNs < longNs ? shortIndexOf(this.maxNs) : longIndexOf(this.maxNs)
  }

  /** Positions of `counts` that are not empty. */
  used(): number[] {
    const found: number[] = []
    const { last } = this
    for (let i = 0; i <= last; i++) if (this.counts[i] !== 0) found.push(i)
    return found
  }

  get meanNs(): number {
    return this.count === 0 ? 0 : this.sumNs / this.count
  }

  /** A percentile: the smallest value that at least this share of the recorded values does not exceed, to 3 digits, rounded up. */
  quantileNs(quantile: number): number {
    if (this.count === 0) return 0
    const wanted = Math.max(1, Math.ceil(quantile * this.count))
    let seen = 0
    for (let i = 0; i < this.counts.length; i++) {
      seen += this.counts[i] as number
      if (seen >= wanted) return Math.min(highest(i), this.maxNs)
    }
    return this.maxNs
  }

  /** The longest time that a position of `counts` stands for. */
  static readonly highestNs = (index: number): number => highest(index)

  /** What `encode` wrote: counts exactly, mean and maximum to 3 digits. */
  static decode(text: string): Histogram {
    const histogram = new Histogram()
    decode(text, (index, value) => {
      histogram.counts[index] = value
      histogram.count += value
      histogram.sumNs += value * highest(index)
      histogram.maxNs = Math.min(maxNs, highest(index))
    })
    return histogram
  }

  /** How many values are in what `encode` wrote. */
  static countIn(text: string): number {
    let sum = 0
    decode(text, (_, value) => {
      sum += value
    })
    return sum
  }

  /** HDR histogram V2, deflated, base64: readable by the HdrHistogram tools of every language. */
  encode(): string {
    const payload: number[] = []
    const push = (value: number) => {
      // ZigZag LEB128; run lengths of zeros are negative.
      let zigzag = value >= 0 ? value * 2 : -value * 2 - 1
      while (zigzag >= 0x80) {
        payload.push((zigzag % 0x80) | 0x80)
        zigzag = Math.floor(zigzag / 0x80)
      }
      payload.push(zigzag)
    }
    const { last } = this
    for (let i = 0; i <= last; ) {
      let zeros = 0
      while (i + zeros <= last && this.counts[i + zeros] === 0) zeros++
      if (zeros > 0) push(-zeros)
      else push(this.counts[i] as number)
      i += Math.max(1, zeros)
    }
    const header = Buffer.alloc(40)
    header.writeInt32BE(encodingCookie, 0)
    header.writeInt32BE(payload.length, 4)
    header.writeInt32BE(0, 8)
    header.writeInt32BE(3, 12)
    header.writeBigInt64BE(1n, 16)
    header.writeBigInt64BE(BigInt(maxNs), 24)
    header.writeDoubleBE(1, 32)
    const compressed = deflateSync(Buffer.concat([header, Buffer.from(payload)]))
    const frame = Buffer.alloc(8)
    frame.writeInt32BE(compressedCookie, 0)
    frame.writeInt32BE(compressed.length, 4)
    return Buffer.concat([frame, compressed]).toString('base64')
  }
}

/** Tells places and counts of what is not empty in what `encode` wrote. */
function decode(text: string, told: (index: number, count: number) => void): void {
  const frame = Buffer.from(text, 'base64')
  const payload = inflateSync(frame.subarray(8)).subarray(40)
  let at = 0
  for (let index = 0; at < payload.length; ) {
    let zigzag = 0
    let scale = 1
    for (let more = true; more; scale *= 0x80) {
      const byte = payload[at++] as number
      zigzag += (byte & 0x7f) * scale
      more = byte >= 0x80
    }
    const value = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
    if (value < 0) index -= value
    else {
      if (value > 0) told(index, value)
      index++
    }
  }
}

/** From here on values are no 31-bit integers, which processors shift in one step. */
const longNs = 2 ** 31

/** Bucket b ≥ 1 holds 1024 steps of width 2^b; the first 2048 values stand alone. */
function shortIndexOf(value: number): number {
  if (value < subBuckets) return value
  const bucket = 21 - Math.clz32(value)
  return bucket * half + (value >>> bucket)
}

function longIndexOf(value: number): number {
  const bucket = 53 - Math.clz32(Math.floor(value / 2 ** 32))
  return bucket * half + Math.floor(value / 2 ** bucket)
}

function highest(index: number): number {
  if (index < subBuckets) return index
  const bucket = Math.floor(index / half) - 1
  return (index - bucket * half + 1) * 2 ** bucket - 1
}
