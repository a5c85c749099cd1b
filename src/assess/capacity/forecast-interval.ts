/** Between what a forecast leaves the measured value: 80 % of what the model is unsure of and of what repeats differ by. */

export interface ForecastInterval {
  low: number
  high: number
}

/** Of a normal distribution: the middle 80 % reach so many standard deviations to either side. */
export const reachOf80 = 1.2816
/** The median of |a − b| over pairs of normal values, in standard deviations of one. */
export const medianOfPairs = 0.954

/** `noise`: as `noiseOf` tells it of so many repeats, whose median is what was measured; null: there is one, and only the model is doubted. */
export function forecastInterval(predicted: number, model: ForecastInterval, noise: number | null, repeats: number): ForecastInterval {
  const measured = noise === null ? 0 : (reachOf80 * predicted * (noise / medianOfPairs)) / Math.sqrt(repeats)
  return {
    low: Math.max(0, predicted - Math.hypot(predicted - model.low, measured)),
    high: predicted + Math.hypot(model.high - predicted, measured),
  }
}

export const isWithin = (measured: number, { low, high }: ForecastInterval) => measured >= low && measured <= high
