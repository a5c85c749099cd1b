/** The charts of a report, each where the result has data for it. */
import type { ChartDataset } from 'chart.js'
import { bindingOf, countOf, curvesOf, isUsable, loadOf, type OperationCurve } from '../../assess/capacity/response-curve.ts'
import type { Decision } from '../../assess/decision/decision.ts'
import { digits } from '../../assess/figures/amount.ts'
import type { Assessment } from '../../assess/judge/assess.ts'
import { markedName } from '../../assess/judge/cautions.ts'
import { ownEvidence } from '../../assess/judge/own-evidence.ts'
import type { CandidateResult, Result } from '../../result/result.ts'
import type { Scenario } from '../../scenario/scenario.ts'
import { median } from '../../stats/median.ts'
import type { Chart } from '../render/document.ts'
import { count, times } from '../render/format.ts'
import { intervalText } from '../rivals.ts'
import { courseSlides } from './course.ts'
import { percentileSlide } from './percentiles.ts'
import { costSlide, scalabilitySlide } from './planned.ts'
import { colours, decade, draw, type Kind, lines, marks, named, type Slide } from './slide.ts'

const limitColour = '#6e2c00'

/** The limit that everything is a share of. */
function objectiveLine(data: ChartDataset<'line'>['data']): ChartDataset<'line'> {
  return { type: 'line', label: 'objective', data, borderColor: limitColour, borderWidth: 2, borderDash: [4, 4], pointRadius: 0, pointStyle: 'line' }
}

/** Each chart that the result has data for. */
export async function drawCharts(result: Result, assessment: Assessment, decision: Decision | null): Promise<Chart[]> {
  const { scenario } = result
  const measured = result.candidates.filter((candidate) => candidate.trials.length > 0)
  const slides = [
    ...(['full', 'partial'] as const).flatMap((mix) => loadSlide(measured, mix, result) ?? []),
    ...result.trialPlan.multiples.flatMap((multiple) => objectiveSlide(measured, assessment, scenario, multiple) ?? []),
    percentileSlide(measured, scenario),
    throughputSlide(measured),
    storageSlide(measured),
    ...measured.flatMap(courseSlides),
    ...(['full', 'partial'] as const).flatMap((mix) =>
      decision === null ? [] : [costSlide(decision, mix), scalabilitySlide(measured, decision, mix)],
    ),
  ]
  const charts: Chart[] = []
  for (const slide of slides) if (slide !== undefined) charts.push(await draw(slide))
  return charts
}

/** Answers over the binding objective against the offered rate: every trial, the curve through them, and where it passes the limit. Full and partial mixes never share an axis. */
function loadSlide(candidates: CandidateResult[], mix: 'full' | 'partial', result: Result): Slide | undefined {
  const { operations } = result.scenario
  const own = candidates.flatMap((candidate) => {
    if (candidate.mix !== mix) return []
    const binding = bindingOf(curvesOf(ownEvidence(candidate, operations)) ?? [])
    return binding === undefined ? [] : [{ candidate, binding, points: loadPoints(candidate, binding) }]
  })
  if (own.length === 0) return undefined
  const found = own.map(({ candidate }) => `${markedName(candidate)} ${intervalText(candidate.capacity.objectives)}`)
  const tried = own.flatMap(({ points }) => points.map(({ x }) => x))
  const [lowest, highest] = [Math.min(...tried), Math.max(...tried)]
  return {
    file: `load-${mix}-mix.png`,
    title: `Objectives hold up to: ${found.join('; ')}`,
    subtitle: `Answers over the binding objective by trial (hollow: disturbed, not counted), their curve, the bound with 80 %; ${mix} mix`,
    alternative: `Answers over the binding objective against offered load, ${mix} mix: ${found.join('; ')}`,
    type: 'line',
    datasets: own.flatMap(({ candidate, binding, points }) => {
      const style = lines(candidates.indexOf(candidate))
      const { curve, objective, operation } = binding
      const allowed = 100 * (1 - objective.quantile)
      const along = Array.from({ length: 41 }, (_, at) => lowest * (highest / lowest) ** (at / 40))
      return [
        {
          label: `${named(candidate)}: ${objective.name} of ${operation}`,
          data: points,
          ...style,
          showLine: false,
          pointBackgroundColor: points.map((point) => (point.counts ? style.borderColor : '#ffffff')),
          pointBorderWidth: 2.5,
        },
        { label: '', data: along.map((x) => ({ x, y: shownPercent(100 * curve.share(x)) })), ...style, pointRadius: 0 },
        {
          label: '',
          data: [curve.low, curve.mid, curve.high].map((x) => ({ x: Math.min(x, 2 * highest), y: allowed })),
          ...style,
          borderWidth: 9,
          borderDash: [],
          pointRadius: 0,
        },
      ]
    }) as ChartDataset<Kind>[],
    x: {
      title: 'load in multiples of the average, at the full speed of the cores',
      type: 'logarithmic',
      ticks: (value) => decade(value, times),
      text: times,
    },
    y: {
      title: 'answers over the objective',
      type: 'logarithmic',
      ticks: (value) => decade(value, (each) => `${each} %`),
      text: (value) => (value > minShown ? `${digits(value)} %` : `${minShown} % or fewer`),
    },
  }
}

/** A logarithmic axis has no zero: fewer than one in ten thousand lie on its floor. */
const minShown = 0.01
const shownPercent = (percent: number) => Math.max(minShown, percent)

function loadPoints(candidate: CandidateResult, { operation, objective }: OperationCurve): { x: number; y: number; counts: boolean }[] {
  return candidate.trials.flatMap((trial) => {
    const own = trial.operations[operation]
    if (trial.mix === 'common' || !judged.has(trial.phase) || own === undefined || own.intended === 0) return []
    const y = shownPercent((100 * Math.min(own.intended, own.exceeded[objective.name] ?? 0)) / own.intended)
    return [{ x: loadOf(trial), y, counts: isUsable(trial) && countOf(trial, operation, objective.name) !== null }]
  })
}
const judged = new Set(['confirmation', 'curve', 'held-back'])

/** p99 of every operation against its objective at one load, the same absolute rates for all. */
function objectiveSlide(candidates: CandidateResult[], assessment: Assessment, scenario: Scenario, multiple: number): Slide | undefined {
  const operations = scenario.operations.filter((operation) => operation.objectives.some((objective) => objective.name === 'p99'))
  const shares = candidates.map((candidate) => {
    const at = assessment.candidates.find((each) => each.name === candidate.name)?.at.find((each) => each.multiple === multiple)
    return operations.map((operation) => {
      const p99 = at?.cells.find((cell) => cell.operation === operation.name)?.p99Us ?? null
      return p99 === null ? null : p99 / ((operation.objectives.find((objective) => objective.name === 'p99')?.limitMs as number) * 1000)
    })
  })
  if (shares.flat().every((share) => share === null)) return undefined
  const isHeld = ({ name }: CandidateResult) =>
    assessment.candidates.find((each) => each.name === name)?.at.find((at) => at.multiple === multiple)?.outcome === 'met'
  const held = candidates.filter(isHeld).map(markedName)
  const load = multiple === 1 ? 'average load' : `${times(multiple)} load`
  const title =
    held.length === 0
      ? `No candidate is shown to meet every objective at ${load}`
      : `${held.join(' and ')} ${held.length === 1 ? 'meets' : 'meet'} every tested objective at ${load}`
  return {
    file: `objectives-${String(multiple).replace('.', '_')}x.png`,
    title,
    subtitle: 'p99 of all valid trials at this rate as a share of the objective; no bar: excused, saturated or too few answers',
    alternative: title,
    type: 'bar',
    labels: operations.map((operation) => operation.name),
    datasets: [
      ...candidates.map((candidate, index) => ({
        label: named(candidate),
        data: shares[index] ?? [],
        backgroundColor: colours[index % colours.length],
        pointStyle: marks[index % marks.length],
      })),
      objectiveLine(operations.map(() => 1)),
    ] as ChartDataset<Kind>[],
    x: { title: 'operation' },
    y: { title: 'p99 ÷ objective', type: 'logarithmic', ticks: (value) => decade(value, (each) => `${each}×`) },
  }
}

/** Closed loop: what the client gets through at a number of operations in flight. */
function throughputSlide(candidates: CandidateResult[]): Slide | undefined {
  const sweeps = candidates.map((candidate) => candidate.trials.filter((trial) => trial.phase === 'sweep' && trial.validity.verdict !== 'broken'))
  if (sweeps.every((trials) => trials.length === 0)) return undefined
  const levels = [...new Set(sweeps.flat().map((trial) => trial.arrival.concurrency as number))].sort((a, b) => a - b)
  const middle = (index: number, level: number) =>
    median((sweeps[index] ?? []).filter((trial) => trial.arrival.concurrency === level).map((trial) => trial.throughputPerSecond))
  const best = candidates.map(
    (candidate, index) => `${markedName(candidate)} ${count(Math.max(0, ...levels.map((level) => middle(index, level) ?? 0)))}/s`,
  )
  return {
    file: 'throughput.png',
    title: `Closed loop: ${best.join(', ')}`,
    subtitle: 'Operations per second of the mix at a fixed number in flight; each candidate with the operations it supports',
    alternative: `Throughput against concurrency: ${best.join(', ')}`,
    type: 'line',
    labels: levels.map(String),
    datasets: candidates.map((candidate, index) => ({
      label: named(candidate),
      data: levels.map((level) => middle(index, level)),
      ...lines(index),
    })) as ChartDataset<Kind>[],
    x: { title: 'operations in flight' },
    y: { title: 'operations per second', min: 0, ticks: (value) => count(value) },
  }
}

export function storageSlide(candidates: CandidateResult[]): Slide | undefined {
  const own = candidates.filter((candidate) => candidate.storage.at.length > 0)
  if (own.length === 0) return undefined
  const sizes = own.map((candidate) => {
    const at = candidate.storage.at.at(-1)
    const total = (parts: { bytes: number }[]) => parts.reduce((sum, part) => sum + part.bytes, 0) / 1e6
    return { tables: total(at?.tables ?? []), indexes: total(at?.indexes ?? []) }
  })
  const rows = own[0]?.storage.at.at(-1)?.rows ?? 0
  const ranked = own
    .map((candidate, index) => ({ name: markedName(candidate), size: (sizes[index]?.tables ?? 0) + (sizes[index]?.indexes ?? 0) }))
    .sort((a, b) => a.size - b.size)
  const title = `Tables and indexes together: ${ranked.map((each) => `${each.name} ${each.size.toPrecision(3)} MB`).join(', ')}`
  return {
    file: 'storage.png',
    title,
    subtitle: `After loading ${count(rows)} rows and settling, as the servers report it; query tables of a wide-column model count as tables`,
    alternative: ranked.map((each) => `${each.name} ${each.size.toPrecision(3)} MB`).join(', '),
    type: 'bar',
    labels: own.map(markedName),
    datasets: [
      { label: 'tables', data: sizes.map((each) => each.tables), backgroundColor: colours[0], pointStyle: 'rect' as const },
      { label: 'indexes', data: sizes.map((each) => each.indexes), backgroundColor: colours[4], pointStyle: 'triangle' as const },
    ] as ChartDataset<Kind>[],
    x: { title: 'candidate' },
    y: { title: 'MB on disk', min: 0 },
    stacked: true,
  }
}
