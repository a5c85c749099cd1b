/** Spans of time for people: "7 years", "1 hour". */
import { yearMs } from '../scenario/units.ts'
import { count } from './render/format.ts'

const spans: [name: string, ms: number][] = [
  ['year', yearMs],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
]

/** "the last 30 days", "the last year". */
export const lastText = (ms: number) => `the last ${spanText(ms).replace(/^1 /, '')}`

/** In the largest unit that it fills. */
export function spanText(ms: number): string {
  const [name, unit] = spans.find(([, each]) => ms >= each) ?? ['second', 1000]
  const n = count(Number((ms / unit).toPrecision(3)))
  return `${n} ${name}${n === '1' ? '' : 's'}`
}
