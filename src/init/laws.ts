/** Laws behind what the statistics of a server tell: how popular the popular are, how a table grew, how long its rows live. */
import { harmonic } from '../data/distributions.ts'
import { monthMs } from '../scenario/units.ts'

const dayMs = 86_400_000
/** Below it a law is not told from none. */
const minExponent = 0.2
const maxExponent = 5

/** How often the most common values come, the first of them most; of how many different ones, in how many rows that were looked at. */
export interface Popularity {
  shares: number[]
  distinct: number
  sampled: number
}

/** `, skew: zipfian(0.9)`: the exponent at which the most common of `things` have the share that they have; empty where none is more common than chance makes one. */
export function skewText(seen: Popularity | undefined, things: number | null): string {
  const [first] = seen?.shares ?? []
  if (seen === undefined || first === undefined || first * seen.sampled < maxByChance(seen)) return ''
  const sumOf = (count: number) => seen.shares.slice(0, count).reduce((sum, each) => sum + each, 0)
  // Where all values are told, a half of them has a share to compare with.
  const isWhole = sumOf(seen.shares.length) > 0.98
  const shown = isWhole ? Math.ceil(seen.shares.length / 2) : seen.shares.length
  const count = isWhole ? seen.shares.length : Math.max(things ?? seen.distinct, seen.distinct)
  if (shown >= count) return ''
  const exponent = solve((theta) => harmonic(shown, theta) / harmonic(count, theta), sumOf(shown), 0, maxExponent)
  return exponent < minExponent ? '' : `, skew: zipfian(${Number(exponent.toPrecision(2))})`
}

/** Rows of the most common value, were all as common: hardly ever more, by Bernstein's bound on so many Poisson numbers. */
function maxByChance({ sampled, distinct }: Popularity): number {
  const [mean, logarithm] = [sampled / distinct, Math.log(Math.max(2, distinct))]
  return mean + Math.sqrt(2 * mean * logarithm) + logarithm
}

/** Of the stock, a month: that of a table of which no row was removed, by the mean age of its rows; undefined where they are too young or do not thin out towards the past. */
export function growthOf({ oldest, newest, mean }: { oldest: number; newest: number; mean: number }): string | undefined {
  const span = oldest - newest
  if (span < minSpanDays) return undefined
  // The mean age of exponential growth that began `span` ago, as a part of it: 1/2 without growth.
  const part = (mean - newest) / span
  const relative = solve((rate) => (rate === 0 ? 0.5 : 1 / Math.expm1(rate) - 1 / rate + 1), 1 - part, 0, maxRelative)
  const perMonth = Math.expm1((relative / span) * (monthMs / dayMs)) * 100
  return perMonth < minGrowth ? undefined : `${Number(perMonth.toPrecision(2))}%/month`
}

const minSpanDays = 60
const maxRelative = 200
const minGrowth = 0.1

/** In the unit that says it in few digits, rounded up: the longest of those that were seen lies a little below it. */
export function lifeOf(days: number): string {
  const [unit, length] =
    (
      [
        ['d', 1],
        ['h', 1 / 24],
        ['min', 1 / 1440],
      ] as const
    ).find(([, each]) => days >= 3 * each) ?? (['s', 1 / 86_400] as const)
  return `${Math.max(1, Math.ceil(days / length))}${unit}`
}

/** Where a function that grows has a value; the nearer end where it has it nowhere. */
function solve(grows: (x: number) => number, value: number, low: number, high: number): number {
  let [from, to] = [low, high]
  for (let step = 0; step < 60; step++) {
    const middle = (from + to) / 2
    if (grows(middle) < value) from = middle
    else to = middle
  }
  return (from + to) / 2
}
