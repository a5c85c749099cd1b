/** How well the models predict trials that they were not shown, beside how far repeats of those differ. */
import type { Forecast } from '../assess/capacity/forecast.ts'
import { isWithin } from '../assess/capacity/forecast-interval.ts'
import type { Decision } from '../assess/decision/decision.ts'
import { bytes } from '../assess/figures/amount.ts'
import { type Block, details, paragraph, table } from './render/document.ts'
import { count, micros, percent } from './render/format.ts'

/** `shown`: the name of a candidate as it stands beside numbers. */
export function forecastBlocks({ forecasts: all }: Pick<Decision, 'forecasts'>, shown: (name: string) => string): Block[] {
  if (all.length === 0) return [paragraph('No trial could be held back to grade it.')]
  const within = all.filter((each) => each.error <= goodError).length
  const noise = noiseText(all)
  return [
    paragraph(
      `Trials that the model was not shown, predicted from the others: ${within} of ${all.length} within ${percent(goodError)}. Noise is how far two of the trials that were held back differ from each other, at the median of their pairs: no model can be much closer.${noise === null ? '' : ` ${noise}`} ${coverageText(all)}`,
    ),
    details('each prediction beside what was measured', [
      table(
        ['candidate', 'what', 'predicted', '80 % interval', 'measured', 'error', 'noise', 'how'],
        all.map((each) => [
          shown(each.candidate),
          each.what,
          forecastValue(each.predicted, each.unit),
          intervalText(each),
          forecastValue(each.measured, each.unit),
          shareText(each.error),
          each.noise === null ? '—' : shareText(each.noise),
          each.by,
        ]),
        [2, 3, 4, 5, 6],
      ),
    ]),
  ]
}

/** A model that is this close is one to plan with. */
export const goodError = 0.15
/** An error that is hardly more than two trials differ. */
const goodOverNoise = 1.5

/** Of so much that nobody reads its tenths: two digits. */
const shareText = (share: number) => (share < 1 ? percent(share) : `${Number((100 * share).toPrecision(2)).toLocaleString('en')} %`)

function intervalText({ interval, measured, unit }: Forecast): string {
  if (interval === null) return '—'
  const [low, high] = [interval.low, interval.high].map((value) => forecastValue(value, unit))
  return `${low} – ${high}${isWithin(measured, interval) ? '' : ', missed'}`
}

/** How often the intervals hold what was measured. */
function coverageText(all: readonly Forecast[]): string {
  const told = all.flatMap(({ interval, measured }) => (interval === null ? [] : [isWithin(measured, interval)]))
  if (told.length === 0) return 'No model says how sure it is.'
  return `The intervals are of the model and the noise together; ${told.filter((within) => within).length} of ${told.length} hold what was measured, where ${Math.round(0.8 * told.length)} are to be expected.`
}

function forecastValue(amount: number, unit: Forecast['unit']): string {
  if (unit === 'µs') return micros(amount)
  if (unit === 'bytes') return bytes(amount)
  if (unit === 'share') return `${Number((100 * amount).toPrecision(2))} %`
  return unit === 'cores' ? `${amount.toFixed(2)} cores` : `${count(amount)}/s`
}

/** null: no trial that was held back has a repeat. */
export function noiseText(all: readonly Forecast[]): string | null {
  const ratios = all
    .flatMap(({ candidate, what, error, noise }) => (noise === null || noise === 0 ? [] : [{ candidate, what, ratio: error / noise }]))
    .sort((a, b) => b.ratio - a.ratio)
  const [worst] = ratios
  if (worst === undefined) return null
  const good = ratios.filter(({ ratio }) => ratio <= goodOverNoise).length
  return `Error ÷ noise is at most ${Number(worst.ratio.toPrecision(2)).toLocaleString('en')} (${worst.candidate}, ${worst.what}), and at most ${goodOverNoise} in ${good} of ${ratios.length} cases.`
}
