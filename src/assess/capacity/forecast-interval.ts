/** Between what a forecast leaves the measured value: 80 % of what the model is unsure of and of what repeats differ by. */
import jstat from 'jstat'

export interface ForecastInterval {
  low: number
  high: number
}

/** Of a deviation that so many degrees of freedom estimated: the middle 80 % of Student's t reach so far to either side. */
export const reachOf80 = (freedom: number) => jstat.studentt.inv(0.9, freedom)
/** The same of a deviation that is known. */
export const reachOfKnown = 1.2816
/** The median of |a − b| over pairs of normal values, in standard deviations of one. */
const medianOfPairs = 0.954
/** A median of three and more differs by so many times what a mean does. */
const medianOverMean = 1.16

/** Half of the width that repeats leave their median, as a share of it; `noise`: as `noiseOf` tells it of so many. */
export function reachOfRepeats(noise: number, repeats: number): number {
  const error = (noise / medianOfPairs) * (repeats > 2 ? medianOverMean : 1)
  return (reachOf80(repeats - 1) * error) / Math.sqrt(repeats)
}

/** `measured`: half of the width of what was measured, in its unit. */
export function forecastInterval(predicted: number, model: ForecastInterval, measured: number): ForecastInterval {
  return {
    low: Math.max(0, predicted - Math.hypot(predicted - model.low, measured)),
    high: predicted + Math.hypot(model.high - predicted, measured),
  }
}

export const isWithin = (measured: number, { low, high }: ForecastInterval) => measured >= low && measured <= high
