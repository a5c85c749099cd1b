/** Numbers of figures for people: three digits, bytes in the unit that fits. */
import type { Unit } from './figure.ts'

const bytesUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

export function amount(value: number, unit: Unit): string {
  if (unit === 'share') return `${share(value)} %`
  if (unit === 'ratio') return digits(value)
  if (unit === 'bytes' || unit === 'bytes/s') return `${bytes(value)}${unit === 'bytes/s' ? '/s' : ''}`
  return `${digits(value)} ${unit}`
}

/** Of what is nearly all, as many digits as tell how much is missing. */
function share(value: number): string {
  const missing = 100 * (1 - value)
  return missing > 0 && missing < 1 ? (100 * value).toFixed(Math.min(8, 1 - Math.floor(Math.log10(missing)))) : digits(100 * value)
}

/** Three digits, always: numbers below one another are compared by them. */
export function bytes(value: number): string {
  // Rounded first: 999,999 B are a MB.
  const rounded = Number(value.toPrecision(3))
  const power = Math.min(bytesUnits.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(rounded))) / 3 + 1e-12)))
  const scaled = value / 1000 ** power
  const text = power === 0 || Math.abs(scaled) >= 1000 ? Math.round(scaled).toLocaleString('en') : scaled.toPrecision(3)
  return `${text} ${bytesUnits[power]}`
}

/** Three digits at most, without a unit or thousands. */
export const threeDigits = (value: number) => String(Number(value.toPrecision(3)))

export function digits(value: number): string {
  if (value === 0) return '0'
  const magnitude = Math.abs(value)
  if (magnitude >= 1e15 || magnitude < 1e-4) return value.toExponential(2)
  return magnitude >= 1000 ? Number(value.toPrecision(3)).toLocaleString('en') : threeDigits(value)
}
