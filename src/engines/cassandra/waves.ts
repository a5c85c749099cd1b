/** Which buckets a list asks side by side: the first alone, then as many as are likely to fill the page, going by what those before held. */
import { type BucketUnit, bucketStartMs } from '../../families/buckets.ts'

export const bucketsInFlight = 8

export class BucketWaves {
  readonly #unit: BucketUnit
  readonly #buckets: number[]
  readonly #fromMs: number
  #at = 0

  /** `buckets` in the order they are read in; `fromMs`: the time that the page begins at. */
  constructor(unit: BucketUnit, buckets: number[], fromMs: number) {
    this.#unit = unit
    this.#buckets = buckets
    this.#fromMs = fromMs
  }

  /** Empty when all have been asked, or `found` rows of `wanted` fill the page. */
  next(found: number, wanted: number): number[] {
    const count = found >= wanted ? 0 : this.#at === 0 ? this.#first() : this.#likely(found, wanted)
    this.#at += count
    return this.#buckets.slice(this.#at - count, this.#at)
  }

  /** One, and before it those that lie ahead of the page's beginning, into which a run may have crossed. */
  #first(): number {
    const ahead = this.#buckets.findIndex((bucket) => this.#msIn(bucket) > 0)
    return (ahead === -1 ? this.#buckets.length : ahead) + 1
  }

  #likely(found: number, wanted: number): number {
    const [next, last] = [this.#buckets[this.#at], this.#buckets[this.#at - 1] as number]
    if (found === 0 || next === undefined) return bucketsInFlight
    const neededMs = ((wanted - found) / found) * this.#msIn(last)
    return Math.max(1, Math.min(Math.ceil(neededMs / (bucketStartMs(this.#unit, next + 1) - bucketStartMs(this.#unit, next))), bucketsInFlight))
  }

  /** How much time lies between the page's beginning and the far end of a bucket; not positive where the bucket lies ahead of it. */
  #msIn(bucket: number): number {
    const isDescending = (this.#buckets[0] as number) > (this.#buckets.at(-1) as number)
    return isDescending ? this.#fromMs - bucketStartMs(this.#unit, bucket) : bucketStartMs(this.#unit, bucket + 1) - this.#fromMs
  }
}
