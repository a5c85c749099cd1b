/** `--assume name=value`: a number that somebody knows in place of a range that was assumed. */
import { exactly, type Given, replacingAssumed } from '../figures/figure.ts'
import { namedValues, wrong } from './wishes.ts'

/** So many times below and above the assumed range a number is still taken for one that is meant. */
const farthest = 1000
const maxListed = 40

/** Names are checked when it is known what was assumed. */
export function assumedBy(text: string | undefined): Map<string, number> {
  return new Map(
    namedValues('--assume', text).map(([name, value]) => {
      if (!/^-?\d+(\.\d+)?(e-?\d+)?$/i.test(value) || !Number.isFinite(Number(value)))
        throw wrong(`--assume ${name}=${value}: expected a number such as 0.9`)
      return [name, Number(value)]
    }),
  )
}

/** @throws TrialError, exit code 2, where `make` assumes nothing of a name, or nothing such as its value. */
export function withAssumed<T>(values: ReadonlyMap<string, number>, make: () => T): T {
  const assumed = new Set<string>()
  const made = replacingAssumed((figure) => {
    assumed.add(figure.path)
    const value = values.get(figure.path)
    return value === undefined ? figure : replaced(figure, value)
  }, make)
  const names = [...assumed].sort()
  for (const name of values.keys())
    if (!assumed.has(name))
      throw wrong(
        `--assume ${name}: nothing of that name is assumed`,
        `what is assumed here: ${names.slice(0, maxListed).join(', ')}${names.length > maxListed ? ` and ${names.length - maxListed} more` : ''}`,
      )
  return made
}

function replaced(figure: Given, value: number): Given {
  const { low, high } = figure.range
  const most = figure.unit === 'share' ? 1 : Math.max(Math.abs(low), Math.abs(high)) * farthest
  const least = low > 0 ? low / farthest : low < 0 ? -most : 0
  if (value < least || value > most)
    throw wrong(
      `--assume ${figure.path}=${value}: expected ${shown(least)} to ${shown(most)}`,
      `${shown(low)} to ${shown(high)} is assumed: ${figure.source}`,
    )
  return { ...figure, range: exactly(value), source: `--assume, in place of ${shown(low)} to ${shown(high)}: ${figure.source}` }
}

const shown = (value: number) => String(Number(value.toPrecision(6)))
