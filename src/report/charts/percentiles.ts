/** Percentiles of the busiest operation at average load, of all rounds of a candidate together. */
import type { ChartDataset } from 'chart.js'
import { isUsable } from '../../assess/capacity/response-curve.ts'
import { markedName } from '../../assess/judge/cautions.ts'
import type { Histogram } from '../../measure/histogram.ts'
import { mergedHistogram, percentileUs } from '../../measure/merged.ts'
import type { CandidateResult } from '../../result/result.ts'
import type { Scenario } from '../../scenario/scenario.ts'
import { micros } from '../render/format.ts'
import { decade, type Kind, lines, named, type Slide } from './slide.ts'

const shown: [name: string, quantile: number][] = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p99.9', 0.999],
  ['max', 1],
]

export function percentileSlide(candidates: CandidateResult[], { operations }: Pick<Scenario, 'operations'>): Slide | undefined {
  const [busiest] = [...operations].sort((a, b) => b.ratePerSecond - a.ratePerSecond)
  if (busiest === undefined) return undefined
  const curves = candidates.flatMap((candidate) => {
    const merged = answersAtAverage(candidate, busiest.name)
    return merged.count === 0 ? [] : [{ candidate, us: shown.map(([, quantile]) => percentileUs(merged, quantile)) }]
  })
  if (curves.length === 0) return undefined
  const tails = curves.flatMap(({ candidate, us }) => {
    const p99 = us[shown.findIndex(([name]) => name === 'p99')]
    return p99 == null ? [] : [`${markedName(candidate)} ${micros(p99)}`]
  })
  const title =
    tails.length === 0 ? `${busiest.name}: too few answers at average load for a p99` : `${busiest.name}: p99 at average load is ${tails.join(', ')}`
  return {
    file: 'percentiles.png',
    title,
    subtitle:
      'Response time from the intended start, all rounds merged, all at the same rate, where answers suffice; an upper bound where the harness was late',
    alternative: title,
    type: 'line',
    labels: shown.map(([name]) => name),
    datasets: curves.map(({ candidate, us }) => ({
      label: named(candidate),
      data: us.map((each) => (each === null ? null : each / 1000)),
      spanGaps: true,
      ...lines(candidates.indexOf(candidate)),
    })) as ChartDataset<Kind>[],
    x: { title: 'percentile of the operations' },
    y: { title: 'response time, ms', type: 'logarithmic', ticks: (value) => decade(value, (each) => `${Number(each.toPrecision(3))}`) },
  }
}

/** Those of the table of objectives; none of a saturated server, whose answers only tell how long it was loaded. */
function answersAtAverage({ trials }: CandidateResult, operation: string): Histogram {
  const rounds = trials.filter((trial) => trial.phase === 'confirmation' && trial.mix !== 'common' && trial.arrival.multiple === 1 && isUsable(trial))
  return mergedHistogram(rounds.some(({ saturated }) => saturated) ? [] : rounds.map((trial) => trial.operations[operation]?.responseUs))
}
