/** Randomness that is a pure function of names and row numbers: no state is shared, every machine gets the same bits. */

/** Finaliser of MurmurHash3 (Appleby, public domain constants): every input bit flips every output bit with probability ½. */
export function avalanche(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** A 32-bit key of a seed (below 2⁵³) and a name. */
export function keyOf(seed: number, name: string): number {
  let h = avalanche((seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b1))
  for (let i = 0; i < name.length; i++) h = avalanche(Math.imul(h, 31) ^ name.charCodeAt(i) ^ 0x5bd1e995)
  return h
}

/** A power of two: the product is exact, and costs less than the quotient. */
const inverse32 = 2 ** -32

/** 32 random bits of (key, n, version); n and version below 2⁵³. */
export function hash32(key: number, n: number, version: number): number {
  let h = avalanche(key ^ Math.imul(n | 0, 0x9e3779b1))
  h = avalanche(h ^ Math.imul((n * inverse32) | 0, 0x85ebca77) ^ 0x27d4eb2f)
  return version === 0 ? h : avalanche(h ^ Math.imul(version | 0, 0xc2b2ae3d) ^ Math.imul((version * inverse32) | 0, 0x165667b1))
}

/** xoroshiro64** (Blackman and Vigna): a stream of draws, restarted for every row. */
export class Source {
  #a = 1
  #b = 2

  /** Starts the stream of (key, n, version). */
  restart(key: number, n: number, version = 0): this {
    // Signed: the engine keeps such a number in the object itself, and one above 2³¹ beside it.
    this.#a = hash32(key, n, version) | 0
    // One round is enough for the second word: the first one has every bit of n and version.
    this.#b = avalanche(key ^ 0x9e3779b9 ^ Math.imul(n | 0, 0x85ebca6b)) | 1
    return this
  }

  /** The same for a number below 2³², at half the cost. */
  restartAt(key: number, ordinal: number): void {
    this.#a = avalanche(key ^ Math.imul(ordinal, 0x9e3779b1)) | 0
    this.#b = avalanche(key ^ 0x9e3779b9 ^ Math.imul(ordinal, 0x85ebca6b)) | 1
  }

  next32(): number {
    const a = this.#a
    let b = this.#b
    const product = Math.imul(a, 0x9e3779bb)
    const result = Math.imul((product << 5) | (product >>> 27), 5) >>> 0
    b ^= a
    this.#a = ((a << 26) | (a >>> 6)) ^ b ^ (b << 9)
    this.#b = (b << 13) | (b >>> 19)
    return result
  }

  /** Uniform in [0, 1) with 53 bits. */
  next(): number {
    return ((this.next32() >>> 5) * 67108864 + (this.next32() >>> 6)) / 9007199254740992
  }

  /** Uniform whole number in [0, bound), bound at most 2⁵³. */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }
}
