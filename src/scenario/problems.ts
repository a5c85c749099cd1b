/** What is wrong or doubtful in a scenario, and how it is said. */

import { closest, distance } from 'fastest-levenshtein'
import { printable } from '../controls.ts'

export type Path = (string | number)[]

export interface Problem {
  path: Path
  message: string
  /** Point at the key of the last path element instead of its value. */
  atKey?: boolean
  /** The name that stands there and those that may: the nearest is offered. Only of the problems that are shown. */
  meant?: { name: string; known: string[] }
  /** Something is lacking: no news where something beside it could not be read. */
  lacking?: boolean
}
export type Report = (path: Path, message: string, more?: Omit<Problem, 'path' | 'message'>) => void

/** A problem at its place. */
export interface Placed {
  severity: 'error' | 'warning'
  file: string
  line: number
  column: number
  path: string
  message: string
}

export const placedText = ({ severity, file, line, column, path, message }: Placed): string =>
  `${file}:${line}:${column}: ${severity === 'warning' ? 'warning: ' : ''}${path === '' ? '' : `${path}: `}${message}`

/** Longer words are no misspelt names. */
const longestName = 100
const maxListed = 12

/** ", did you mean x?" where something close exists, else the choices. */
export function suggestion(name: string, known: string[]): string {
  if (known.length === 0) return ''
  const near = nearest(name, known)
  if (near !== undefined) return `, did you mean "${near}"?`
  return known.length <= maxListed ? ` (known: ${known.join(', ')})` : ''
}

/** ": there are a, b and c", and the one that may be meant. */
export function choice(name: string, known: readonly string[]): string {
  const near = nearest(name, [...known])
  return `: there are ${known.join(', ')}${near === undefined ? '' : `; did you mean "${near}"?`}`
}

export function nearest(name: string, known: string[]): string | undefined {
  if (known.length === 0 || name.length > longestName) return undefined
  const near = closest(name, known)
  return distance(name, near) <= Math.max(1, Math.floor(name.length / 3)) ? near : undefined
}

const longestShown = 60

/** The beginning of a value as the file might say it. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' && value !== null ? kindOf(value) : String(value)
  return printable(text.length > longestShown ? `${text.slice(0, longestShown)}…` : text)
}

export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : typeof value === 'string' ? 'a text' : typeof value === 'number' ? 'a number' : 'true or false'
}
