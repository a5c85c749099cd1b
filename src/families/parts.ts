/** Parts of a table by the time of its rows, each dropped as a whole when it is too old: their units, and the times that they begin at. */
import { bucketMs, bucketOf, bucketStartMs } from './buckets.ts'

/** As SQL names spans of time, in UTC. */
export const partUnits = ['1 hour', '6 hours', '1 day', '7 days', '1 month', '1 year'] as const
export type PartUnit = (typeof partUnits)[number]

const { hour: hourMs, day: dayMs, month: monthMs, year: yearMs } = bucketMs
/** Of a month and a year on average. */
export const partMs: Record<PartUnit, number> = {
  '1 hour': hourMs,
  '6 hours': 6 * hourMs,
  '1 day': dayMs,
  '7 days': 7 * dayMs,
  '1 month': monthMs,
  '1 year': yearMs,
}
/** The clock that times are counted by began on a Thursday; weeks begin on Mondays. */
const firstMondayMs = 4 * dayMs

/** How the rows of a store are divided. */
export interface Parts {
  field: string
  unit: PartUnit
  /** How long a row is kept: a part is dropped that long after its end. */
  keptMs: number
  /** Names of parts begin with it, where they are tables themselves. */
  prefix: string
}

/** The beginning of the part that a time falls into, or of one so many parts after it. */
export function partStart(unit: PartUnit, ms: number, after = 0): number {
  if (unit === '1 year') return bucketStartMs('year', bucketOf('year', ms) + after)
  if (unit === '1 month') return bucketStartMs('month', bucketOf('month', ms) + after)
  const origin = unit === '7 days' ? firstMondayMs : 0
  return (Math.floor((ms - origin) / partMs[unit]) + after) * partMs[unit] + origin
}

/** Parts are there before the first row comes that belongs into them. */
const partsAhead = 2

/** Beginnings of the parts for rows of this age and younger, and for some time ahead; what comes later lies in one more part, from the last of them on. */
export function partStarts({ unit }: Parts, epochMs: number, ageMs: number): number[] {
  const starts = [partStart(unit, epochMs - ageMs)]
  const rest = partStart(unit, epochMs, partsAhead + 1)
  for (let last = starts[0] as number; last < rest; starts.push(last)) last = partStart(unit, last, 1)
  return starts
}

/** 2026010106: in the order of the times. */
export const partStampMs = (stamp: string) => Date.UTC(+stamp.slice(0, 4), +stamp.slice(4, 6) - 1, +stamp.slice(6, 8), +stamp.slice(8))
export const partStamp = (ms: number) => new Date(ms).toISOString().replaceAll(/\D/g, '').slice(0, 10)
