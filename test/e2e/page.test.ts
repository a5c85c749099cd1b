/** The page of a report in a real browser: opened from the disk, wide and narrow, light and dark, with a keyboard, and printed. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installedBrowser } from '../../src/commands/pdf.ts'
import { dbtrial, dbtrialWith, root, temporaryDirectory } from './commands.ts'

const out = temporaryDirectory()
const page = pathToFileURL(join(out, 'report.html')).href
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
let browser: Browser

beforeAll(async () => {
  const result = JSON.parse(readFileSync(join(root, 'test/golden/results/ecommerce.json'), 'utf8'))
  // The run was before servers were asked how they read.
  const [postgres] = result.candidates
  postgres.explanations = [{ operation: 'get_order', plan: 'Index Scan', read: { rows: 4, returned: 4 }, scans: [], sortedRows: 0 }]
  writeFileSync(join(out, 'result.json'), JSON.stringify(result))
  expect((await dbtrial('report', out)).code).toBe(0)
  browser = await chromium.launch({ executablePath: installedBrowser(), args: ['--no-sandbox'] })
}, 120_000)
afterAll(async () => {
  await browser?.close()
  rmSync(out, { recursive: true, force: true })
})

interface View {
  width: number
  colorScheme: 'light' | 'dark'
}

/** Runs with the page open; `said`: what the console, the policy and the network had to say. */
async function opened<T>({ width, colorScheme }: View, work: (own: Page) => Promise<T>): Promise<{ found: T; said: string[] }> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme })
  const said: string[] = []
  try {
    const own = await context.newPage()
    own.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
    own.on('pageerror', (error) => said.push(String(error)))
    own.on('request', (request) => request.url() === page || request.url().startsWith('data:') || said.push(`asked for ${request.url()}`))
    await own.goto(page)
    return { found: await work(own), said }
  } finally {
    await context.close()
  }
}

const wide: View = { width: 1300, colorScheme: 'light' }

describe.each([wide, { ...wide, colorScheme: 'dark' as const }, { ...wide, width: 400 }])('$width px, $colorScheme', (view) => {
  test('nothing is asked for, refused, cut or empty', async () => {
    const { found, said } = await opened(view, (own) =>
      own.evaluate<Shown>(`document.querySelectorAll('details').forEach((each) => (each.open = true)), ({
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        charts: [...document.querySelectorAll('figure.chart svg')].map((each) => ({ width: each.getBoundingClientRect().width, words: each.getAttribute('aria-label').length })),
        cut: [...document.querySelectorAll('figure.chart')].flatMap((figure) => {
          const sheet = figure.firstElementChild.getBoundingClientRect()
          const isCut = ({ left, right, top, bottom }) => left < sheet.left || right > sheet.right || top < sheet.top || bottom > sheet.bottom
          return [...figure.querySelectorAll('text')].filter((text) => isCut(text.getBoundingClientRect())).map((text) => text.textContent)
        }),
        frames: [...document.querySelectorAll('clipPath')].map(({ id }) => id),
        diagrams: [...document.querySelectorAll('figure.scroll svg')].map((each) => each.getBoundingClientRect().width),
      })`),
    )
    expect(said).toEqual([])
    expect(found.overflow).toBeLessThanOrEqual(0)
    expect(found.charts.length).toBeGreaterThan(5)
    for (const chart of found.charts) expect(chart.words).toBeGreaterThan(20)
    for (const chart of found.charts) expect(chart.width).toBeGreaterThan(600)
    expect(found.cut).toEqual([])
    expect(new Set(found.frames).size).toBe(found.frames.length)
    expect(found.diagrams.length).toBeGreaterThan(0)
    for (const width of found.diagrams) expect(width).toBeGreaterThan(100)
  }, 60_000)

  test('axe finds nothing serious', async () => {
    const { found } = await opened(view, async (own) => {
      await own.evaluate(axe)
      return await own.evaluate<Violation[]>(
        'axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, first: nodes[0]?.html.slice(0, 200) })))',
      )
    })
    expect(found.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
  }, 60_000)
})

interface Violation {
  id: string
  impact: string
  first: string
}
interface Shown {
  /** Pixels by which the page is wider than its window. */
  overflow: number
  charts: { width: number; words: number }[]
  /** Texts that leave their chart, in a font that it was not laid out in. */
  cut: string[]
  /** What clips a part of a chart, by its name on the page. */
  frames: string[]
  diagrams: number[]
}

test('a candidate that is left out is nowhere to be seen, and comes back', async () => {
  const { found } = await opened(wide, async (own) => {
    const seen = () => own.getByRole('columnheader', { name: /^redis/ }).count()
    const before = await seen()
    const box = own.getByRole('checkbox', { name: 'redis' })
    await box.focus()
    await own.keyboard.press('Space')
    const without = await seen()
    await own.keyboard.press('Space')
    return { before, without, after: await seen() }
  })
  expect(found.before).toBeGreaterThan(3)
  expect(found).toMatchObject({ without: 0, after: found.before })
}, 60_000)

test('what a sentence announces of a candidate that is left out goes with it', async () => {
  const { found } = await opened(wide, async (own) => {
    const announced = () =>
      own
        .locator('p:visible')
        .filter({ hasText: /^postgres, one call of each read/ })
        .count()
    const tables = () => own.locator('table:visible').count()
    const before = [await announced(), await tables()] as const
    await own.getByRole('checkbox', { name: 'postgres' }).uncheck()
    return { before, after: [await announced(), await tables()] as const }
  })
  expect(found.before[0]).toBe(1)
  expect(found.after[0]).toBe(0)
  expect(found.after[1]).toBeLessThan(found.before[1])
}, 60_000)

test('each point of a chart tells its numbers where it is drawn', async () => {
  const { found } = await opened(wide, (own) =>
    own.evaluate<{ points: number; outside: number; text: string }>(`(() => {
      const figures = [...document.querySelectorAll('figure.chart')]
      const within = (one, other) => one.left >= other.left && one.right <= other.right && one.top >= other.top && one.bottom <= other.bottom
      const circles = figures.flatMap((figure) => [...figure.querySelectorAll('circle')].map((circle) => [circle, figure.querySelector('svg')]))
      return {
        points: circles.length,
        outside: circles.filter(([circle, picture]) => !within(circle.getBoundingClientRect(), picture.getBoundingClientRect())).length,
        text: figures[0].querySelector('title').textContent,
      }
    })()`),
  )
  expect(found.points).toBeGreaterThan(50)
  expect(found.outside).toBe(0)
  expect(found.text).toMatch(/^\w+: \w+ of \w+: load in multiples of the average.* [\d.]+×, answers over the objective ([\d.]+ %|0\.01 % or fewer)$/)
}, 60_000)

test('on a telephone each row of a table is a card that names its columns, and none scrolls sideways', async () => {
  const { found } = await opened({ ...wide, width: 400 }, async (own) =>
    own.evaluate<{ scrolling: string[]; named: string }>(`({
      scrolling: [...document.querySelectorAll('.scroll:has(> table)')].filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.getAttribute('aria-label')),
      named: getComputedStyle(document.querySelector('table.cards td:nth-child(2)'), '::before').content,
    })`),
  )
  expect(found.scrolling).toEqual([])
  expect(found.named.length).toBeGreaterThan(4)
})

test('a table is sorted by its amounts, whatever their units, by the keyboard', async () => {
  const { found } = await opened(wide, async (own) => {
    const table = own.getByRole('region', { name: /^Table: operation, does, calls a second/ }).first()
    const column = () => table.locator('tbody tr td:nth-child(3)').allTextContents()
    const head = table.getByRole('button', { name: 'calls a second' })
    await head.focus()
    await own.keyboard.press('Enter')
    const ascending = await column()
    await own.keyboard.press('Enter')
    return {
      ascending,
      descending: await column(),
      sorted: await table.getByRole('columnheader', { name: 'calls a second' }).getAttribute('aria-sort'),
    }
  })
  const amounts = (texts: string[]) => texts.map((text) => Number.parseFloat(text.replaceAll(',', '')))
  expect(found.ascending.length).toBeGreaterThan(3)
  expect(amounts(found.ascending)).toEqual(amounts(found.ascending).sort((a, b) => a - b))
  expect(amounts(found.descending)).toEqual(amounts(found.ascending).reverse())
  expect(found.sorted).toBe('descending')
}, 60_000)

test('it is printed as a PDF; without a browser the command says what to install', async () => {
  const printed = await dbtrial('report', out, '--format', 'pdf')
  expect(printed).toMatchObject({ code: 0, stdout: `${join(out, 'report.pdf')}\n` })
  const pdf = readFileSync(join(out, 'report.pdf'), 'latin1')
  expect(pdf.slice(0, 5)).toBe('%PDF-')
  expect(pdf.match(/\/Type\s*\/Page\b/g)?.length).toBeGreaterThan(10)
  const without = await dbtrialWith({ PATH: '/nowhere' }, 'report', out, '--format', 'pdf')
  expect(without.code).toBe(3)
  expect(without.stderr).toMatch(/a PDF is printed by Chromium, and none of .* is on the PATH\n→ install it \(Debian: chromium\)/)
}, 120_000)
