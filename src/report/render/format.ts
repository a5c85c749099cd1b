/** Numbers for people: units chosen by size, three digits at most, never more precise than measured. */

export function micros(us: number | null): string {
  if (us === null) return '—'
  if (us >= 1e6) return `${(us / 1e6).toPrecision(3)} s`
  if (us >= 1e3) return `${(us / 1e3).toPrecision(3)} ms`
  return `${Math.round(us)} µs`
}

/** "3.43–7.84 ms": the unit once where both share it. */
export function microsRange(low: number, high: number): string {
  const [from, to] = [micros(low), micros(high)]
  const unit = to.slice(to.indexOf(' '))
  return `${from.endsWith(unit) ? from.slice(0, -unit.length) : from}–${to}`
}

export function count(value: number): string {
  return value >= 1e4 ? Math.round(value).toLocaleString('en-US') : value >= 100 ? String(Math.round(value)) : String(Math.round(value * 100) / 100)
}

/** Whole dollars, three digits at most: cents of a forecast would be false. */
export function usd(value: number): string {
  const magnitude = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(value)))) - 2)
  return (Math.round(value / magnitude) * magnitude).toLocaleString('en-US')
}

/** For amounts that are added up: rounded to three digits they would not. A little less than nothing is nothing. */
export const dollars = (value: number) => (Math.round(value) || 0).toLocaleString('en-US')

export const percent = (share: number) => `${Math.round(share * 1000) / 10} %`
export const seconds = (value: number | null) => (value === null ? '—' : `${value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} s`)
export const times = (multiple: number) => `${Math.round(multiple * 100) / 100}×`

/** How outcomes are drawn in tables. */
export const outcomeMarks: Record<string, string> = { met: '✓', missed: '✗', undetermined: '?', excused: 'excused', 'not run': '—' }
