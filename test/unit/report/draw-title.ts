/** Draws a chart and prints how many dark pixels its title has; run with system fonts hidden. */
import { createCanvas, loadImage } from '@napi-rs/canvas'
import { drawCharts } from '../../../src/report/charts/charts.ts'
import type { Result } from '../../../src/result/result.ts'

const candidate = {
  name: 'engine',
  provision: null,
  mix: 'full',
  steady: null,
  compiled: [],
  trials: [{ phase: 'sweep', arrival: { loop: 'closed', concurrency: 4 }, throughputPerSecond: 100, slowdown: 1, validity: { verdict: 'valid' } }],
  storage: { at: [] },
}
const result = { candidates: [candidate], scenario: { operations: [] }, trialPlan: { multiples: [] } } as unknown as Result
const [chart] = await drawCharts(result, { candidates: [], holds: [], comparisons: [], resolution: [] }, null)
if (chart === undefined) throw new Error('no chart')
const image = await loadImage(chart.png)
const canvas = createCanvas(image.width, image.height)
const context = canvas.getContext('2d')
context.drawImage(image, 0, 0)
const { data } = context.getImageData(0, 0, image.width, 45)
let dark = 0
for (let at = 0; at < data.length; at += 4) if ((data[at] as number) < 128) dark++
process.stdout.write(String(dark))
