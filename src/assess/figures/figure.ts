/** A number that can be explained: with its unit, where it comes from, and, where it was derived, the formula and the numbers in it. */

export type Unit =
  | 'ratio'
  | 'multiple'
  | 'months'
  | 'nodes'
  | 'cores'
  | 'bytes'
  | 'bytes/row'
  | 'bytes/s'
  | 'rows'
  | 'rows/s'
  | 'operations/s'
  | 'core-s/operation'
  | 'I/O/s'
  | 'connections'
  | 'seconds'
  | 'USD'
  | 'USD/month'
  | 'USD/million operations'
  | 'USD/hour'
  | 'hours'
  | 'hours/month'
  | 'share'

/** `stated`: the scenario says so · `measured`: this run · `vendor`: a published fact · `assumed`: a range that nobody measured here. */
export type Provenance = 'stated' | 'measured' | 'derived' | 'vendor' | 'assumed'

/** Where a given number may lie. `confidence` null: a plain range, drawn as a triangle with its top at `mid`; else a log-normal on either side. */
export interface Range {
  low: number
  mid: number
  high: number
  confidence: number | null
}

interface Common<U extends Unit> {
  /** Names it in `--explain`: `capacity.CANDIDATE.nodes`, with `@12` behind it where it is that of a month. */
  readonly path: string
  readonly unit: U
  readonly provenance: Provenance
}
export interface Given<U extends Unit = Unit> extends Common<U> {
  readonly kind: 'given'
  readonly range: Range
  readonly source: string
}
export interface Derived<U extends Unit = Unit> extends Common<U> {
  readonly kind: 'derived'
  /** Takes the values of the inputs, in order; valid during the call. */
  readonly of: (values: readonly number[]) => number
  /** The same with a parameter for each, where there are at most four: it needs no array for each draw. */
  readonly direct?: (...values: number[]) => number
  /** In the last words of the paths of its inputs. */
  readonly formula: string
  readonly inputs: readonly Figure[]
  /** For people, where the number stands for something else. */
  readonly display?: (value: number) => string
}
/** The sum of its inputs. */
export interface Sum<U extends Unit = Unit> extends Common<U> {
  readonly kind: 'sum'
  readonly inputs: readonly Figure[]
}
/** The product of its inputs and of a constant. Most of a plan is such: a kind of its own spares millions of calls. */
export interface Product<U extends Unit = Unit> extends Common<U> {
  readonly kind: 'product'
  readonly formula: string
  readonly inputs: readonly Figure[]
  readonly factor: number
}
export type Figure<U extends Unit = Unit> = Given<U> | Derived<U> | Sum<U> | Product<U>

export function given<U extends Unit>(path: string, unit: U, value: number | Range, provenance: Provenance, source: string): Figure<U> {
  const range = typeof value === 'number' ? exactly(value) : value
  const figure: Given<U> = { kind: 'given', path, unit, provenance, range, source }
  return provenance === 'assumed' && inPlace !== null ? (inPlace(figure) as Given<U>) : figure
}

export const exactly = (value: number): Range => ({ low: value, mid: value, high: value, confidence: null })

let inPlace: ((figure: Given) => Given) | null = null

/** `make`, with what `by` puts in place of every assumed number that it makes; of one that is replaced already, in place of that. */
export function replacingAssumed<T>(by: (figure: Given) => Given, make: () => T): T {
  const before = inPlace
  inPlace = before === null ? by : (figure) => by(before(figure))
  try {
    return make()
  } finally {
    inPlace = before
  }
}

/** `of` takes the values of `inputs`, in order, as an array; it must be finite for finite values. */
export function derivedFrom<U extends Unit>(
  path: string,
  unit: U,
  formula: string,
  inputs: readonly Figure[],
  of: (values: readonly number[]) => number,
): Derived<U> {
  return { kind: 'derived', path, unit, provenance: 'derived', formula, inputs, of }
}

/** The same with a parameter for each of at most four inputs. */
export function derived<U extends Unit, const Inputs extends readonly [Figure, Figure?, Figure?, Figure?]>(
  path: string,
  unit: U,
  formula: string,
  inputs: Inputs,
  of: (...values: { [At in keyof Inputs]: number }) => number,
): Figure<U> {
  const by = of as (...values: number[]) => number
  const figure = derivedFrom(path, unit, formula, inputs as readonly Figure[], (values) => by(...values))
  return { ...figure, direct: by }
}

export function sumOf<U extends Unit>(path: string, unit: U, inputs: readonly Figure<NoInfer<U>>[]): Figure<U> {
  return { kind: 'sum', path, unit, provenance: 'derived', inputs }
}

export function productOf<U extends Unit>(path: string, unit: U, formula: string, inputs: readonly Figure[], factor = 1): Figure<U> {
  return { kind: 'product', path, unit, provenance: 'derived', formula, inputs, factor }
}

export const assumed = (low: number, mid: number, high: number): Range => ({ low, mid, high, confidence: null })

/** Inputs before what is made of them. */
export function reachable(figures: readonly Figure[]): Figure[] {
  const seen = new Set<Figure>()
  const visit = (figure: Figure) => {
    if (seen.has(figure)) return
    if (figure.kind !== 'given') for (const input of figure.inputs) visit(input)
    seen.add(figure)
  }
  for (const figure of figures) visit(figure)
  return [...seen]
}
