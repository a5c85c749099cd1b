/** A chart as an SVG: its letters are letters, in the colours and the room that the picture has for them, and its lines are those of the picture. */
import { expect, test } from 'vitest'
import { draw, lines, type Slide } from '../../../src/report/charts/slide.ts'

const chart = await draw({
  file: 'made.png',
  title: `A title & what follows it ${'goes on and on '.repeat(20)}`,
  subtitle: 'a < b',
  alternative: 'made',
  type: 'line',
  datasets: [
    { label: 'whole', data: [{ x: 1, y: 1 }, { x: 2, y: 10 }], ...lines(0) }, // biome-ignore format: a line each
    { label: 'dashed', data: [{ x: 1, y: 2 }, { x: 2, y: 20 }], ...lines(1) }, // biome-ignore format: a line each
  ] as Slide['datasets'],
  x: { title: 'load', type: 'linear', ticks: (value) => `${value}×` },
  y: { title: 'time', type: 'logarithmic' },
})
const texts = [...chart.svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)].map(([, attributes = '', text = '']) => ({
  text,
  ...Object.fromEntries([...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value])),
})) as (Record<string, string> & { text: string })[]
const saying = (text: string) => texts.find((each) => each.text === text)

test('letters that a font joins are written as they are, and what is markup is escaped', () => {
  expect(texts.map(({ text }) => text)).toEqual(expect.arrayContaining(['1.5×', 'a &lt; b', 'load', 'whole', 'dashed']))
  expect(chart.svg).not.toMatch(/[\ue000-\uf8ff]/)
})

test('a text has the room that it was laid out in, whatever fonts its reader has', () => {
  const title = texts.find(({ text }) => text.startsWith('A title &amp; what'))
  expect(Number(title?.['textLength'])).toBeLessThanOrEqual(chart.width - 40)
  expect(Number(title?.['textLength'])).toBeGreaterThan(800)
  for (const { textLength, text } of texts) expect(Number(textLength), text).toBeGreaterThan(0)
  expect(saying('time')?.['transform']).toMatch(/^matrix\(0 -1 1 0 /)
})

test('a legend has the colour of ink, and its lines those of their marks', () => {
  expect([saying('whole')?.['fill'], saying('dashed')?.['fill']]).toEqual(['#1b1f24', '#1b1f24'])
  // Skia draws dashes as shapes of their own.
  expect(chart.svg).toMatch(/<path fill="none" stroke="#0072B2" stroke-width="3"/)
  expect(chart.svg).toMatch(/<path fill="#D55E00" d="M[^"]*Z?M[^"]*"/)
  expect(chart.svg).toContain('clip-path="url(#cl_')
})

test('it scales, needs nothing beside it, and is small: with its letters as outlines it would be ten times as large', () => {
  expect(chart.svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 1000 540" /)
  expect(chart.svg).not.toMatch(/NaN|undefined|href|<script|<style/)
  expect(chart.svg.length).toBeLessThan(25_000)
})
