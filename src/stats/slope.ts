/** Whether load drives the share of answers over a limit at all: the slope of its logit on the logarithm of the rate, with all that few trials leave open. */
import { type Count, correlations, Likelihood, logit, maxShare, placeOf, usualWeights } from './beta-binomial.ts'

/** ln of the load that was offered. */
interface SlopePoint extends Count {
  log: number
}
interface Slope {
  /** Probability that more load does not raise the share. */
  none: number
  /** Nine tenths of the probability lie below. */
  high: number
}

/** Far below what any limit allows. */
const lowestLevel = logit(1e-5)
const levelStep = 0.25
/** From a share that falls with the load to a queue that fills within a few per cent of it. */
const [fallsBy, steepest, slopeStep] = [-4, 20, 0.25]

/** Every level in the middle of the loads and every slope is as likely beforehand. */
export function slopeOf(points: readonly SlopePoint[]): Slope {
  const middle = points.reduce((sum, { log }) => sum + log, 0) / points.length
  const told = points.map((point) => ({ x: point.log - middle, likelihood: new Likelihood(point, 0) }))
  const slopes = Array.from({ length: (steepest - fallsBy) / slopeStep + 1 }, (_, at) => fallsBy + at * slopeStep)
  const levels = Array.from({ length: Math.ceil((logit(maxShare) - lowestLevel) / levelStep) + 1 }, (_, at) => lowestLevel + at * levelStep)
  const logs = slopes.map((slope) => {
    const places = told.map(({ x }) => Float64Array.from(levels, (level) => placeOf(level + slope * x)))
    return correlations.flatMap((_, correlation) => {
      const sums = new Float64Array(levels.length).fill(Math.log(usualWeights[correlation] as number))
      for (const [at, { likelihood }] of told.entries()) likelihood.addTo(sums, places[at] as Float64Array, correlation)
      return [...sums]
    })
  })
  const most = logs.reduce((all, own) => own.reduce((a, b) => Math.max(a, b), all), Number.NEGATIVE_INFINITY)
  const mass = logs.map((own) => own.reduce((sum, log) => sum + Math.exp(log - most), 0))
  const total = mass.reduce((sum, each) => sum + each, 0)
  let below = 0
  let [none, high] = [0, steepest]
  for (const [at, slope] of slopes.entries()) {
    const before = below
    below += (mass[at] as number) / total
    // A cell stands for what lies half a step on either side of it.
    if (slope === 0) none = (before + below) / 2
    if (before < 0.9 && below >= 0.9) high = slope
  }
  return { none, high }
}
