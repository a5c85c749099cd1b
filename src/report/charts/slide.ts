/** One chart as a slide: a title that states the finding, units on the axes, colours and marks that survive colour blindness. */
import { createRequire } from 'node:module'
import type { ChartConfiguration, ChartDataset, Chart as DrawnChart, Plugin } from 'chart.js'
import { ChartJSNodeCanvas } from 'chartjs-node-canvas'
import { digits } from '../../assess/figures/amount.ts'
import { markedName } from '../../assess/judge/cautions.ts'
import type { CandidateResult } from '../../result/result.ts'
import type { Chart, ChartPoint } from '../render/document.ts'

const width = 1000
const height = 540
/** Pixels of the picture for each of its units, on either side: screens of today and printers show them. */
const sharpness = 2
const fontFamily = 'Inter'
/** Okabe and Ito's palette; each series also has its own mark and dash. */
export const colours = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9']
export const marks = ['circle', 'triangle', 'rect', 'rectRot', 'star', 'cross'] as const
const dashes = [[], [8, 4], [3, 3], [10, 3, 3, 3], [2, 5], [12, 4]]
const ink = '#1b1f24'

type Format = 'png' | 'svg'
const studios: Partial<Record<Format, ChartJSNodeCanvas>> = {}

function studio(format: Format): ChartJSNodeCanvas {
  studios[format] ??= newStudio(format)
  return studios[format]
}

/** Fonts come with a package: without one, charts on a machine without fonts would have no text, and no error. */
function newStudio(format: Format): ChartJSNodeCanvas {
  const canvas = new ChartJSNodeCanvas({
    ...(format === 'svg' ? { type: 'svg' as const } : {}),
    width,
    height,
    backgroundColour: 'white',
    chartCallback: (chart) => {
      chart.defaults.font.family = fontFamily
      chart.defaults.font.size = 15
      chart.defaults.color = ink
      chart.defaults.devicePixelRatio = format === 'svg' ? 1 : sharpness
    },
  })
  const { resolve } = createRequire(import.meta.url)
  canvas.registerFont(resolve('@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf'), { family: fontFamily })
  canvas.registerFont(resolve('@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf'), { family: fontFamily, weight: '600' })
  return canvas
}

export type Kind = 'line' | 'bar' | 'scatter'
export interface Slide {
  file: string
  title: string
  subtitle: string
  alternative: string
  type: Kind
  labels?: string[]
  /** `hover`: what its points are of, where a legend does not name them. */
  datasets: (ChartDataset<Kind> & { hover?: string })[]
  /** `text`: a value of a point, where ticks are of round values alone. */
  x: {
    title: string
    type?: 'linear' | 'logarithmic' | 'category'
    min?: number
    max?: number
    ticks?: (value: number) => string
    text?: (value: number) => string
  }
  /** A second scale on the right; datasets name it by `yAxisID: 'y2'`. */
  y2?: { title: string; min?: number; ticks?: (value: number) => string }
  y: { title: string; type?: 'linear' | 'logarithmic'; ticks?: (value: number) => string; text?: (value: number) => string; min?: number }
  stacked?: boolean
}

export async function draw(slide: Slide): Promise<Chart> {
  const { ticks } = slide.y
  const points: ChartPoint[] = []
  const configuration: ChartConfiguration<Kind> = {
    type: slide.type,
    data: { ...(slide.labels === undefined ? {} : { labels: slide.labels }), datasets: slide.datasets },
    plugins: [collecting(slide, points)] as Plugin<Kind>[],
    options: {
      responsive: false,
      animation: false,
      layout: { padding: { top: 12, right: 28, bottom: 12, left: 12 } },
      plugins: {
        title: { display: true, text: slide.title, align: 'start', font: { size: 21, weight: 600 }, padding: { bottom: 4 } },
        subtitle: { display: true, text: slide.subtitle, align: 'start', color: '#57606a', font: { size: 14 }, padding: { bottom: 16 } },
        legend: { position: 'bottom', labels: { usePointStyle: true, boxWidth: 28, padding: 18, filter: (item) => item.text !== '' } },
      },
      scales: {
        x: {
          type: slide.x.type ?? 'category',
          title: { display: true, text: slide.x.title },
          grid: { display: false },
          stacked: slide.stacked ?? false,
          ...(slide.x.min === undefined ? {} : { min: slide.x.min }),
          ...(slide.x.max === undefined ? {} : { max: slide.x.max }),
          ticks: slide.x.ticks === undefined ? {} : { callback: (value) => slide.x.ticks?.(Number(value)) ?? '' },
        },
        y: {
          type: slide.y.type ?? 'linear',
          title: { display: true, text: slide.y.title },
          grid: { color: '#e6e9ed' },
          stacked: slide.stacked ?? false,
          ...(slide.y.min === undefined ? {} : { min: slide.y.min }),
          ticks: ticks === undefined ? {} : { callback: (value) => ticks(Number(value)) },
        },
        ...(slide.y2 === undefined ? {} : { y2: rightScale(slide.y2) }),
      },
    },
  }
  // chart.js's types tie the kind of scale to the kind of chart more tightly than the library does.
  const drawn = (format: Format) => studio(format).renderToBuffer(configuration as unknown as ChartConfiguration)
  const { file, title, alternative } = slide
  return { file, title, alternative, png: await drawn('png'), svg: (await drawn('svg')).toString(), width, height, points }
}

/** Keeps where the points of a chart lie once it is drawn, and what they say. */
const collecting = ({ x, y }: Slide, points: ChartPoint[]): Plugin => ({
  id: 'points',
  afterDraw(chart) {
    points.length = 0
    for (const { index, data } of chart.getSortedVisibleDatasetMetas()) {
      const { label = '', pointRadius, hover = label } = chart.data.datasets[index] as ChartDataset<'line'> & { hover?: string }
      // Of a line without marks each place is as good as the next.
      if (hover === '' || pointRadius === 0) continue
      for (const [at, element] of data.entries()) {
        const values = valuesAt(chart, index, at)
        if (values === undefined || !Number.isFinite(element.x) || !Number.isFinite(element.y)) continue
        const across = typeof values.x === 'string' ? values.x : textOf(x, values.x)
        points.push({ x: element.x, y: element.y, text: `${hover}: ${x.title} ${across}, ${y.title} ${textOf(y, values.y)}` })
      }
    }
  },
})

const textOf = ({ text, ticks }: Pick<Slide['y'], 'text' | 'ticks'>, value: number) => text?.(value) ?? (ticks?.(value) || digits(value))

/** undefined: nothing is drawn there. `x`: the name of a place, or a number. */
function valuesAt({ data: { datasets, labels } }: DrawnChart, dataset: number, at: number): { x: string | number; y: number } | undefined {
  const value = datasets[dataset]?.data[at]
  if (typeof value === 'number') return { x: String(labels?.[at] ?? ''), y: value }
  if (value === null || value === undefined || Array.isArray(value)) return undefined
  return { x: value.x ?? 0, y: value.y ?? 0 }
}

function rightScale({ title, min, ticks }: NonNullable<Slide['y2']>) {
  return {
    type: 'linear' as const,
    position: 'right' as const,
    title: { display: true, text: title },
    grid: { display: false },
    ...(min === undefined ? {} : { min }),
    ticks: ticks === undefined ? {} : { callback: (value: number | string) => ticks(Number(value)) },
  }
}

export function lines(index: number): Partial<ChartDataset<'line'>> {
  const colour = colours[index % colours.length] as string
  return {
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: 3,
    pointStyle: marks[index % marks.length] as 'circle',
    pointRadius: 6,
    borderDash: dashes[index % dashes.length] as number[],
    tension: 0,
  }
}

/** In a legend. */
export const named = (candidate: CandidateResult) => `${markedName(candidate)}${candidate.mix === 'partial' ? ' (partial mix)' : ''}`

/** Powers of ten and their halves; other ticks of a logarithmic axis would overlap. */
export const decade = (value: number, text: (value: number) => string) => {
  const lead = value / 10 ** Math.floor(Math.log10(value) + 1e-9)
  return [1, 2, 5].some((each) => Math.abs(lead - each) < 1e-6) ? text(value) : ''
}
