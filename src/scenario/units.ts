/** Quantities as people write them in a scenario ("2M", "24h", "900/s"), as zod types that parse to plain numbers. */
import { z } from 'zod'

const secondMs = 1000
const dayMs = 86_400 * secondMs
/** A year is 365.25 days, a month a twelfth of it (SCENARIO.md, Time). */
export const yearMs = 365.25 * dayMs
export const monthMs = yearMs / 12
export const secondsPerMonth = monthMs / 1000

const durationUnitsMs: Record<string, number> = {
  ms: 1,
  s: secondMs,
  m: 60 * secondMs,
  min: 60 * secondMs,
  h: 3600 * secondMs,
  d: dayMs,
  w: 7 * dayMs,
  month: monthMs,
  months: monthMs,
  y: yearMs,
}
const countUnits: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9 }
const sizeUnits: Record<string, number> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }
const rateUnitsPerSecond: Record<string, number> = { s: 1, min: 1 / 60, h: 1 / 3600, day: 1 / 86_400 }
const growthUnitsPerMonth: Record<string, number> = { month: 1, year: 12, y: 12 }

const number = '(\\d{1,400}(?:\\.\\d{1,20})?)'
const alternatives = (units: Record<string, number>) =>
  Object.keys(units)
    .filter((unit) => unit !== '')
    .join('|')

function quantity(units: Record<string, number>, pattern: string, example: string) {
  const regex = new RegExp(pattern)
  return z
    .string({ error: `expected ${example}` })
    .regex(regex, `expected ${example}`)
    .transform((text) => {
      const match = regex.exec(text) as RegExpExecArray
      return Number(match[1]) * (units[match[2] ?? ''] ?? 1)
    })
}

const atMost = (most: number, text: string) => [(value: number) => value <= most, { error: `expected at most ${text}` }] as const

const durationPattern = `^${number}\\s*(${alternatives(durationUnitsMs)})$`
/** Milliseconds; 0 says that nothing may be lost, late or old. */
export const anyDuration = quantity(durationUnitsMs, durationPattern, 'a duration such as 20ms, 30d or 3y').refine(
  Number.isFinite,
  'expected a duration that is finite',
)
/** Milliseconds of something that takes time. */
export const duration = anyDuration.refine((ms) => ms > 0, 'expected more than 0')
/** Milliseconds that are planned ahead. */
export const horizon = duration.refine(...atMost(30 * yearMs, '30y'))
/** Milliseconds that a row lives or is old: no more than the years that every server can write down. */
export const span = duration.refine(...atMost(9998 * yearMs, '9998y'))
/** The same as the key of a map. */
export const spanKey = z
  .string()
  .regex(new RegExp(durationPattern), 'expected an age such as 30d or 1y')
  .refine((text) => span.safeParse(text).success, 'expected an age of more than 0 and at most 9998y')
/** Bytes. */
export const size = quantity(sizeUnits, `^${number}\\s*(${alternatives(sizeUnits)})$`, 'a size such as 600B or 2GiB').refine(
  ...atMost(1e15, '1000TB'),
)
/** Operations per second. */
export const rate = quantity(
  rateUnitsPerSecond,
  `^${number}\\s*/\\s*(${alternatives(rateUnitsPerSecond)})$`,
  'a rate such as 900/s, 6/min or 40/h',
).refine(...atMost(1e9, '1000000000/s'))
/** A share between 0 and 1. */
export const share = quantity({}, `^${number}\\s*%$`, 'a percentage such as 99.95%')
  .transform((percent) => percent / 100)
  .refine(...atMost(1, '100%'))
/** US dollars per month. */
export const usdPerMonth = quantity({}, `^${number}\\s*USD/month$`, 'an amount such as 4000 USD/month').refine(...atMost(1e12, '10^12 USD/month'))
/** US dollars an hour. */
export const usdPerHour = quantity({}, `^${number}\\s*USD/hour$`, 'an amount such as 100 USD/hour').refine(...atMost(1e6, '10^6 USD/hour'))
/** A factor such as 3x. */
export const factor = quantity({}, `^${number}\\s*x$`, 'a factor such as 3x')
  .refine((value) => value >= 1, 'expected 1x or more')
  .refine(...atMost(1000, '1000x'))

const minGrowth = -0.5
/** Share per month, compounding: 36%/year is the monthly growth that makes 36 % in twelve months; below zero it shrinks. */
const growthPattern = `^(-?\\d{1,400}(?:\\.\\d{1,20})?)\\s*%\\s*/\\s*(${alternatives(growthUnitsPerMonth)})$`
export const growth = z
  .string({ error: 'expected a growth such as 3%/month or 20%/year' })
  .regex(new RegExp(growthPattern), 'expected a growth such as 3%/month or 20%/year')
  .transform((text) => {
    const match = new RegExp(growthPattern).exec(text) as RegExpExecArray
    return Math.max(0, 1 + Number(match[1]) / 100) ** (1 / (growthUnitsPerMonth[match[2] ?? ''] ?? 1)) - 1
  })
  .refine((value) => value >= minGrowth, 'expected -50%/month or more: what halves every month')
  .refine(...atMost(1, '100%/month: what doubles every month'))

/** A whole number of rows: 2000 or 2M. */
export const count = z
  .union([z.number(), quantity(countUnits, `^${number}\\s*([kMG]?)$`, 'a count such as 500, 200k or 60M')], {
    error: 'expected a count such as 500, 200k or 60M',
  })
  .refine((value) => Number.isSafeInteger(value) && value > 0, 'expected a whole number of rows, at least 1')

export type Skew =
  | { kind: 'uniform' }
  | { kind: 'zipfian'; theta: number }
  | { kind: 'latest'; theta: number }
  | { kind: 'hotspot'; hotShare: number; hotProbability: number }

const skewPattern = /^(?:uniform|(zipfian|latest)\((\d+(?:\.\d+)?)\)|hotspot\((\d+(?:\.\d+)?)%?,\s*(\d+(?:\.\d+)?)%?\))$/
/** Which rows are popular. */
export const skew = z
  .string()
  .regex(skewPattern, 'expected uniform, zipfian(0.99), latest(0.99) or hotspot(10%, 90%)')
  .transform((text, context): Skew => {
    const [, kind, theta, hot, probability] = skewPattern.exec(text) as RegExpExecArray
    if (kind === 'zipfian' || kind === 'latest') {
      if (Number(theta) <= 0 || Number(theta) > 5) context.addIssue('expected an exponent above 0 and at most 5')
      return { kind, theta: Number(theta) }
    }
    if (hot === undefined) return { kind: 'uniform' }
    const percent = text.includes('%') ? 100 : 1
    const [hotShare, hotProbability] = [Number(hot) / percent, Number(probability) / percent]
    if (hotShare <= 0 || hotShare > 1 || hotProbability > 1) context.addIssue('expected shares between 0% and 100%')
    return { kind: 'hotspot', hotShare, hotProbability }
  })
