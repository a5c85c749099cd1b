/** Monte Carlo over figures: every given number is drawn from its range, everything derived follows; draw 0 is the middle of all ranges. */
import jstat from 'jstat'
import { keyOf, Source } from '../../data/random.ts'
import { type Figure, type Given, type Range, reachable } from './figure.ts'

/** Percentiles of the draws. */
export interface Spread {
  p10: number
  /** The median, which is what is told first. */
  p50: number
  p90: number
}

export const draws = 1000
export const drawsText = draws.toLocaleString('en')
/** All columns of a plan, thousands, are held for so many draws at a time. */
const chunkDraws = 250

/**
 * Samples of the wanted figures, `count` each, a multiple of `chunkDraws`: fewer are the first of more. A given number has draws of its own, by its path: plans that share it share its draws, so
 * that what differs between two plans is not chance.
 */
export function simulate(wanted: readonly Figure[], seed: number, count = draws): Map<Figure, Float64Array> {
  const order = reachable(wanted)
  const fixed = fixedOf(order)
  const columns = new Map<Figure, Float64Array>()
  const steps: ((first: boolean) => void)[] = []
  const drawn = new Map<string, Float64Array>()
  for (const figure of order) {
    const known = figure.kind === 'given' ? drawn.get(nameOf(figure)) : undefined
    const column = known ?? new Float64Array(chunkDraws).fill(fixed.get(figure) ?? 0)
    columns.set(figure, column)
    if (known !== undefined || fixed.has(figure)) continue
    if (figure.kind === 'given') drawn.set(nameOf(figure), column)
    steps.push(figure.kind === 'given' ? drawing(figure, column, seed) : deriving(figure, columns))
  }
  const samples = new Map(wanted.map((figure) => [figure, new Float64Array(count)]))
  for (let from = 0; from < count; from += chunkDraws) {
    const first = from === 0
    for (const step of steps) step(first)
    for (const [figure, own] of samples) own.set(columns.get(figure) as Float64Array, from)
  }
  return samples
}

/** However many figures stand for a number, it is drawn once. */
const nameOf = ({ path, range: { low, mid, high, confidence } }: Given) => `${path} ${low} ${mid} ${high} ${confidence}`

/** Those that no draw changes, with their values. */
function fixedOf(order: readonly Figure[]): Map<Figure, number> {
  const fixed = new Map<Figure, number>()
  for (const figure of order)
    if (figure.kind === 'given' ? figure.range.low === figure.range.high : figure.inputs.every((input) => fixed.has(input)))
      fixed.set(figure, middle(figure, fixed))
  return fixed
}

/**
 * Latin hypercube (McKay, Beckman and Conover 1979): in each chunk a number is drawn once from every one of as many equally likely parts of its
 * range, in an order of its own. What follows from many numbers scatters less from one seed to another than with independent draws.
 */
function drawing({ path, range }: Given, to: Float64Array, seed: number): (first: boolean) => void {
  const source = new Source().restart(keyOf(seed, path), 1)
  const quantile = quantileOf(range)
  return (first) => {
    // Fisher and Yates, from the inside out.
    for (let part = 0; part < chunkDraws; part++) {
      const at = source.below(part + 1)
      to[part] = to[at] as number
      to[at] = part
    }
    for (let at = 0; at < chunkDraws; at++) to[at] = quantile(((to[at] as number) + source.next()) / chunkDraws)
    if (first) to[0] = range.mid
  }
}

function deriving(figure: Exclude<Figure, Given>, columns: ReadonlyMap<Figure, Float64Array>): () => void {
  const to = columns.get(figure) as Float64Array
  const from = figure.inputs.map((input) => columns.get(input) as Float64Array)
  const [first, ...others] = from
  if (figure.kind === 'sum')
    return () => {
      if (first === undefined) to.fill(0)
      else to.set(first)
      for (const column of others) for (let at = 0; at < chunkDraws; at++) to[at] = (to[at] as number) + (column[at] as number)
    }
  if (figure.kind === 'product') {
    const { factor } = figure
    return () => {
      if (first === undefined) to.fill(factor)
      else for (let at = 0; at < chunkDraws; at++) to[at] = factor * (first[at] as number)
      for (const column of others) for (let at = 0; at < chunkDraws; at++) to[at] = (to[at] as number) * (column[at] as number)
    }
  }
  return figure.direct === undefined || from.length > 4 ? gathering(figure.of, from, to) : direct(figure.direct, from, to)
}

/** A parameter for each input. */
function direct(of: (...values: number[]) => number, from: readonly Float64Array[], to: Float64Array): () => void {
  const [a, b, c, d] = from as [Float64Array, Float64Array, Float64Array, Float64Array]
  switch (from.length) {
    case 1:
      return () => {
        for (let at = 0; at < chunkDraws; at++) to[at] = of(a[at] as number)
      }
    case 2:
      return () => {
        for (let at = 0; at < chunkDraws; at++) to[at] = of(a[at] as number, b[at] as number)
      }
    case 3:
      return () => {
        for (let at = 0; at < chunkDraws; at++) to[at] = of(a[at] as number, b[at] as number, c[at] as number)
      }
    default:
      return () => {
        for (let at = 0; at < chunkDraws; at++) to[at] = of(a[at] as number, b[at] as number, c[at] as number, d[at] as number)
      }
  }
}

function gathering(of: (values: readonly number[]) => number, from: readonly Float64Array[], to: Float64Array): () => void {
  const values = new Array<number>(from.length).fill(0)
  return () => {
    for (let at = 0; at < chunkDraws; at++) {
      for (let input = 0; input < from.length; input++) values[input] = (from[input] as Float64Array)[at] as number
      to[at] = of(values)
    }
  }
}

/** The inverse of the distribution function: the same draw of a higher range is higher, so that more of something never costs less by chance. */
function quantileOf({ low, mid, high, confidence }: Range): (u: number) => number {
  if (confidence !== null && low > 0) {
    const reach = jstat.normal.inv((1 + confidence) / 2, 0, 1)
    const [down, up] = [Math.log(mid / low) / reach, Math.log(high / mid) / reach]
    return (u) => {
      const z = jstat.normal.inv(Math.min(1 - 1e-12, Math.max(1e-12, u)), 0, 1)
      return mid * Math.exp(z * (z < 0 ? down : up))
    }
  }
  const top = (mid - low) / (high - low)
  return (u) => (u < top ? low + Math.sqrt(u * (high - low) * (mid - low)) : high - Math.sqrt((1 - u) * (high - low) * (high - mid)))
}

/** With every given number at its middle, but for one. */
export function middleOf(figure: Figure, except?: { figure: Figure; value: number }): number {
  const values = new Map<Figure, number>()
  for (const each of reachable([figure])) values.set(each, each === except?.figure ? except.value : middle(each, values))
  return values.get(figure) as number
}

function middle(figure: Figure, values: Map<Figure, number>): number {
  if (figure.kind === 'given') return figure.range.mid
  const inputs = figure.inputs.map((input) => values.get(input) as number)
  if (figure.kind === 'derived') return figure.of(inputs)
  return figure.kind === 'sum' ? inputs.reduce((sum, each) => sum + each, 0) : inputs.reduce((product, each) => product * each, figure.factor)
}

export function spreadOf(samples: Float64Array): Spread {
  const sorted = Float64Array.from(samples).sort()
  return { p10: quantile(sorted, 0.1), p50: quantile(sorted, 0.5), p90: quantile(sorted, 0.9) }
}

/** Of sorted values. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number
}
