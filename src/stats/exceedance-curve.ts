/**
 * The response curve of one operation: the share of its answers over a limit, against the offered rate. All open-loop trials are one
 * experiment: the share grows with the rate, bursts count once (beta-binomial), and starts of the server differ. What comes out is the rate
 * at which the share passes the allowed one, with all that the trials leave open: a posterior distribution on a grid, so that few trials give
 * a wide answer and no single one decides.
 *
 * share(x) = f + (1 − f) · σ(c + b · (x − bound − start)), x = ln multiple; f a floor that has nothing to do with load, b the steepness.
 */
import { type Count, correlations, Likelihood, logit, placeOf, usualWeights } from './beta-binomial.ts'

/** One trial: the multiple of the average load that was offered, and which start of the server it belongs to. */
export interface CurvePoint extends Count {
  multiple: number
  start: number
}
export interface Curve {
  /** Multiples at which the share passes the allowed one: the middle, and the ends of the interval that holds it with 80 %. */
  low: number
  mid: number
  high: number
  /** How likely each of `correlations` is. */
  correlations: number[]
  /** Of the tried multiples. */
  lowest: number
  highest: number
  /** The share at a multiple, by the likeliest steepness and floor. */
  share(multiple: number): number
  /** Probability that the share is within the limit at a multiple. */
  holds(multiple: number): number
  /** The multiple below which the bound lies with this probability. */
  quantile(share: number): number
}

/** Steps of 3 %. */
const step = 0.03
/** How far beyond the tried rates the bound may lie. */
const beyond = Math.log(4)
/** Between a p99 that creeps over its limit while the rate doubles, and a queue that fills within a few per cent. */
const steepness = [2.5, 4, 6, 9, 14, 22, 40]
/** As parts of the allowed share. */
const floors = [0.02, 0.5]
/** By how much the bounds of two starts of one server differ (standard deviation of the logarithm), and how likely that is beforehand. */
const startSpreads = [
  { sigma: 0, weight: 0.2 },
  { sigma: 0.06, weight: 0.4 },
  { sigma: 0.15, weight: 0.4 },
]

/** Fits curves of operations that were tried together: what they share is computed once. `allowed`: the share that may be over the limit, as 0.01 of a p99. */
export function curveFitter(): (points: readonly CurvePoint[], allowed: number) => Curve {
  const grids = new Map<string, Grid>()
  return (points, allowed) => {
    const name = JSON.stringify([points, allowed])
    const known = fitted.get(name)
    if (known !== undefined) return known
    const multiples = points.map((point) => point.multiple)
    const [lowest, highest] = [Math.min(...multiples), Math.max(...multiples)]
    const tried = JSON.stringify([lowest, highest, allowed])
    const grid = grids.get(tried) ?? new Grid(lowest, highest, allowed)
    grids.set(tried, grid)
    const curve = fit(points, grid)
    if (fitted.size >= maxKept) fitted.clear()
    fitted.set(name, curve)
    return curve
  }
}

export const fitCurve = (points: readonly CurvePoint[], allowed: number): Curve => curveFitter()(points, allowed)

/** One run asks for the curve of the same trials again and again: to choose a rate, to write what there is, to print it. */
const fitted = new Map<string, Curve>()
const maxKept = 1000

/** A steepness and a floor. */
interface Shape {
  slope: number
  floor: number
  centre: number
}

/** Bounds that are weighed, as logarithms of the multiple, and what share each would have let a trial exceed, by every shape. */
class Grid {
  readonly from: number
  readonly cells: number
  readonly shapes: readonly Shape[]
  readonly minPlace: number
  readonly lowest: number
  readonly highest: number
  readonly #places = new Map<number, Float64Array[]>()

  constructor(lowest: number, highest: number, allowed: number) {
    this.lowest = lowest
    this.highest = highest
    this.from = Math.log(lowest) - beyond
    this.cells = Math.ceil((Math.log(highest) + beyond - this.from) / step) + 1
    this.shapes = steepness.flatMap((slope) =>
      floors.map((part) => ({ slope, floor: part * allowed, centre: logit((allowed - part * allowed) / (1 - part * allowed)) })),
    )
    this.minPlace = placeOf(logit(Math.min(...floors) * allowed))
  }

  /** Of a trial at a multiple: for each shape, where the share by each bound lies in tables of likelihoods. */
  places(multiple: number): readonly Float64Array[] {
    const x = Math.log(multiple)
    const known =
      this.#places.get(multiple) ??
      this.shapes.map((shape) =>
        Float64Array.from({ length: this.cells }, (_, cell) => placeOf(logit(Math.min(1 - 1e-9, shareAt(shape, x - this.from - cell * step))))),
      )
    this.#places.set(multiple, known)
    return known
  }
}

/** One shape with one correlation, weighed: ln of the likelihood of each start by each bound. */
interface Weighed {
  shape: Shape
  correlation: number
  starts: Float64Array[]
}

/** What is e^60 times less likely than something else changes no digit. */
const negligible = 60

function weigh(points: readonly CurvePoint[], grid: Grid): Weighed[] {
  const starts = [...Map.groupBy(points, (point) => point.start).values()].map((own) =>
    own.map((point) => ({ places: grid.places(point.multiple), likelihood: new Likelihood(point, grid.minPlace) })),
  )
  return grid.shapes.flatMap((shape, at) =>
    correlations.map((_, correlation) => ({
      shape,
      correlation,
      starts: starts.map((own) => {
        const total = new Float64Array(grid.cells)
        for (const { places, likelihood } of own) likelihood.addTo(total, places[at] as Float64Array, correlation)
        return total
      }),
    })),
  )
}

/** One that is weighed, with one spread of the starts, in the cells where it matters. */
interface Spread {
  shape: Shape
  correlation: number
  /** By cells; nothing before `from`, and nothing from `to` on. */
  log: Float64Array
  from: number
  to: number
  peak: number
}

function spreadOut(weighed: readonly Weighed[], cells: number): Spread[] {
  const usual = (correlation: number) => Math.log(usualWeights[correlation] as number)
  // Where starts do not differ, their likelihoods are multiplied.
  const reached = Math.max(...weighed.map(({ starts, correlation }) => usual(correlation) + peakOf(sumOf(starts, cells))))
  return weighed.flatMap(({ shape, correlation, starts }) => {
    const { from, to } = mattering(starts, cells, reached - negligible - usual(correlation))
    if (from >= to) return []
    const logs = startSpreads.map(({ weight }) =>
      new Float64Array(cells).fill(Number.NEGATIVE_INFINITY).fill(Math.log(weight * (usualWeights[correlation] as number)), from, to),
    )
    for (const own of starts) for (const [at, log] of logs.entries()) addSmeared(log, own, kernels[at] as Float64Array, from, to)
    return logs.map((log) => ({ shape, correlation, log, from, to, peak: peakOf(log) }))
  })
}

/** Cells in which starts together may reach `least`: however they differ, none is likelier than where it is likeliest within the reach of a kernel. */
function mattering(starts: readonly Float64Array[], cells: number, least: number): { from: number; to: number } {
  const blocks = Math.ceil(cells / widest)
  const peaks = starts.map((own) => Array.from({ length: blocks }, (_, block) => peakOf(own, block * widest, Math.min(cells, (block + 1) * widest))))
  const matters = Array.from({ length: blocks }, (_, block) => {
    const around = (own: number[]) =>
      Math.max(own[block - 1] ?? Number.NEGATIVE_INFINITY, own[block] as number, own[block + 1] ?? Number.NEGATIVE_INFINITY)
    return peaks.reduce((sum, own) => sum + around(own), 0) > least
  })
  const first = matters.indexOf(true)
  return first < 0 ? { from: 0, to: 0 } : { from: first * widest, to: Math.min(cells, (matters.lastIndexOf(true) + 1) * widest) }
}

function add(to: Float64Array, values: Float64Array): void {
  for (let at = 0; at < to.length; at++) to[at] = (to[at] as number) + (values[at] as number)
}

function sumOf(all: readonly Float64Array[], length: number): Float64Array {
  const sum = new Float64Array(length)
  for (const each of all) add(sum, each)
  return sum
}

function peakOf(values: Float64Array, from = 0, to = values.length): number {
  let most = Number.NEGATIVE_INFINITY
  for (let at = from; at < to; at++) most = Math.max(most, values[at] as number)
  return most
}

function fit(points: readonly CurvePoint[], grid: Grid): Curve {
  const { from, cells, lowest, highest } = grid
  const all = spreadOut(weigh(points, grid), cells)
  const likeliest = all.reduce((a, b) => (b.peak > a.peak ? b : a))
  const mass = new Float64Array(cells)
  const byCorrelation = correlations.map(() => 0)
  for (const { correlation, log, from: first, to } of all)
    for (let cell = first; cell < to; cell++) {
      const own = Math.exp((log[cell] as number) - likeliest.peak)
      mass[cell] = (mass[cell] as number) + own
      byCorrelation[correlation] = (byCorrelation[correlation] as number) + own
    }
  const total = mass.reduce((sum, each) => sum + each, 0)
  /** Mass below each cell's lower edge. */
  const below = new Float64Array(cells + 1)
  for (let cell = 0; cell < cells; cell++) below[cell + 1] = (below[cell] as number) + (mass[cell] as number) / total
  const edge = (cell: number) => from + (cell - 0.5) * step
  const quantile = (share: number) => {
    let cell = 0
    while (cell < cells - 1 && (below[cell + 1] as number) < share) cell++
    const own = (below[cell + 1] as number) - (below[cell] as number)
    return Math.exp(edge(cell) + (own === 0 ? 0.5 : Math.min(1, Math.max(0, (share - (below[cell] as number)) / own))) * step)
  }
  const holds = (multiple: number) => {
    const place = Math.min(cells, Math.max(0, (Math.log(multiple) - edge(0)) / step))
    const cell = Math.min(cells - 1, Math.floor(place))
    return 1 - ((below[cell] as number) + (place - cell) * ((below[cell + 1] as number) - (below[cell] as number)))
  }
  const mid = quantile(0.5)
  const share = (multiple: number) => shareAt(likeliest.shape, Math.log(multiple / mid))
  return {
    low: quantile(0.1),
    mid,
    high: quantile(0.9),
    correlations: byCorrelation.map((each) => each / total),
    lowest,
    highest,
    share,
    holds,
    quantile,
  }
}

/** `x`: ln of the multiple over the bound. */
const shareAt = ({ slope, floor, centre }: Shape, x: number) => floor + (1 - floor) / (1 + Math.exp(-(centre + slope * x)))

/** Weights of neighbouring cells, a normal distribution; one cell where nothing is smeared. */
function kernelOf(sigma: number): Float64Array {
  const reach = Math.ceil((2.5 * sigma) / step)
  const weights = Array.from({ length: 2 * reach + 1 }, (_, at) => (sigma === 0 ? 1 : Math.exp(-0.5 * (((at - reach) * step) / sigma) ** 2)))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return Float64Array.from(weights, (weight) => weight / sum)
}
const kernels = startSpreads.map(({ sigma }) => kernelOf(sigma))
/** Cells that the widest of them reaches to either side. */
const widest = kernels.reduce((most, kernel) => Math.max(most, kernel.length >> 1), 0)

/** Adds ln of the average of e^values over the kernel, in some cells; beyond the ends the last value holds. */
function addSmeared(to: Float64Array, values: Float64Array, kernel: Float64Array, from: number, until: number): void {
  if (kernel.length === 1) {
    for (let cell = from; cell < until; cell++) to[cell] = (to[cell] as number) + (values[cell] as number)
    return
  }
  const most = peakOf(values)
  const reach = kernel.length >> 1
  const last = values.length - 1
  const plain = new Float64Array(until - from + 2 * reach)
  for (let at = 0; at < plain.length; at++) plain[at] = Math.exp((values[Math.min(last, Math.max(0, from - reach + at))] as number) - most)
  for (let cell = from; cell < until; cell++) {
    let sum = 0
    for (let at = 0; at < kernel.length; at++) sum += (kernel[at] as number) * (plain[cell - from + at] as number)
    // What is nothing beside the largest stays a number.
    to[cell] = (to[cell] as number) + (most + Math.log(Math.max(sum, 1e-300)))
  }
}
