/** Charts of what was derived: cost month by month with its range, and the scalability law beside the sweep it was fitted to. */
import type { ChartDataset } from 'chart.js'
import { sweepOf, throughputAt } from '../../assess/capacity/scaling.ts'
import type { Decision } from '../../assess/decision/decision.ts'
import { drawsText } from '../../assess/figures/simulate.ts'
import { markedName } from '../../assess/judge/cautions.ts'
import type { CandidateResult } from '../../result/result.ts'
import { count, usd } from '../render/format.ts'
import { type Kind, lines, type Slide } from './slide.ts'

const curvePoints = 60

type Mix = CandidateResult['mix']
/** Numbers of a smaller job share no axis with those of the whole. */
const ofMix = (mix: Mix) => (mix === 'partial' ? ', partial mix' : '')

export function costSlide(decision: Decision, mix: Mix): Slide | undefined {
  const planned = decision.candidates.flatMap(({ marked: name, mix: own, plan }, at) => (plan === null || own !== mix ? [] : [{ name, plan, at }]))
  if (planned.length === 0) return undefined
  const { months, budgetUsdPerMonth: budget } = decision
  const found = planned.map(({ name, plan }) => `${name} ${usd(plan.usdPerMonth.horizon.p50)}`)
  return {
    file: `cost-${mix}-mix.png`,
    title: `Cost in month ${months}, USD a month${ofMix(mix)}: ${found.join(', ')}`,
    subtitle: `One path of servers that carry the peak with one member lost; the median and, between thin lines, 80 % of ${drawsText} draws`,
    alternative: `Cost month by month${ofMix(mix)}: in month ${months} ${found.join(', ')} USD`,
    type: 'line',
    datasets: [
      ...planned.flatMap(({ name, plan, at }) => {
        const style = lines(at)
        const edge = (of: 'p10' | 'p90') => ({
          label: '',
          data: plan.usdPerMonth.months.map((spread) => ({ x: spread.month, y: spread[of] })),
          ...style,
          stepped: true,
          clip: 10,
          borderWidth: 1,
          pointRadius: 0,
        })
        return [
          {
            label: name,
            data: plan.usdPerMonth.months.map((spread) => ({ x: spread.month, y: spread.p50 })),
            ...style,
            // A fleet is bought in a month, and paid until the next.
            stepped: true,
            clip: 10,
          },
          edge('p10'),
          edge('p90'),
        ]
      }),
      ...(budget === null
        ? []
        : [
            {
              label: 'budget',
              data: [
                { x: 0, y: budget },
                { x: months, y: budget },
              ],
              borderColor: '#6e2c00',
              borderWidth: 2,
              borderDash: [4, 4],
              pointRadius: 0,
              pointStyle: 'line',
            },
          ]),
    ] as ChartDataset<Kind>[],
    x: { title: 'month', type: 'linear', max: months },
    y: { title: 'USD a month', min: 0, ticks: (value) => count(value) },
  }
}

export function scalabilitySlide(candidates: CandidateResult[], decision: Decision, mix: Mix): Slide | undefined {
  const fitted = candidates.flatMap((candidate, at) => {
    if (candidate.mix !== mix) return []
    const law = decision.candidates.find((each) => each.name === candidate.name)?.plan?.scalability
    return law == null ? [] : [{ candidate, law, at }]
  })
  if (fitted.length === 0) return undefined
  const points = (candidate: CandidateResult) => sweepOf(candidate).map(({ concurrency, perSecond }) => ({ x: concurrency, y: perSecond }))
  const most = Math.max(...fitted.flatMap(({ candidate }) => points(candidate).map((point) => point.x)))
  const found = fitted.map(
    ({ candidate, law }) => `${markedName(candidate)} ${law.mostPerSecond === null ? 'has no highest' : `at most ${count(law.mostPerSecond)}/s`}`,
  )
  return {
    file: `scalability-${mix}-mix.png`,
    title: `By the scalability law${ofMix(mix)}: ${found.join(', ')}`,
    subtitle: 'Points: closed-loop sweep; lines: Universal Scalability Law fitted to them, for this size of server only',
    alternative: `Universal Scalability Law${ofMix(mix)}: ${found.join(', ')}`,
    type: 'line',
    datasets: fitted.flatMap(({ candidate, law, at }) => [
      {
        label: markedName(candidate),
        data: Array.from({ length: curvePoints }, (_, point) => {
          const x = most ** (point / (curvePoints - 1))
          return { x, y: throughputAt(law, x) }
        }),
        ...lines(at),
        pointRadius: 0,
      },
      { label: '', hover: markedName(candidate), data: points(candidate), ...lines(at), showLine: false },
    ]) as ChartDataset<Kind>[],
    x: { title: 'operations in flight', type: 'logarithmic' },
    y: { title: 'operations per second', min: 0, ticks: (value) => count(value) },
  }
}
