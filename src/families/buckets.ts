/** Time buckets: calendar units in UTC, numbered so that neighbours differ by one. */

export type BucketUnit = 'year' | 'month' | 'day' | 'hour'
/** Widest first. */
export const bucketUnits: readonly BucketUnit[] = ['year', 'month', 'day', 'hour']
export const bucketMs: Record<BucketUnit, number> = { year: 365.25 * 86_400_000, month: (365.25 / 12) * 86_400_000, day: 86_400_000, hour: 3_600_000 }

/** The number of the bucket that a time (epoch milliseconds) falls into. */
export function bucketOf(unit: BucketUnit, ms: number): number {
  if (unit === 'hour' || unit === 'day') return Math.floor(ms / bucketMs[unit])
  const date = new Date(ms)
  return unit === 'year' ? date.getUTCFullYear() : date.getUTCFullYear() * 12 + date.getUTCMonth()
}

/** The time that a bucket begins at. */
export function bucketStartMs(unit: BucketUnit, bucket: number): number {
  if (unit === 'hour' || unit === 'day') return bucket * bucketMs[unit]
  return unit === 'year' ? Date.UTC(bucket, 0) : Date.UTC(Math.floor(bucket / 12), bucket % 12)
}
