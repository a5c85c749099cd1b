/** Who has ten minutes reads what to take, why, and what to do first; nobody is told to take what was not shown to be first. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { lateNow } from '../../../src/assess/fleet/latency-of-plan.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { firstMonth } from '../../../src/report/first-month.ts'
import { firstScreen, firstScreenText } from '../../../src/report/first-screen.ts'
import { recommendation } from '../../../src/report/recommendation.ts'
import { times, usd } from '../../../src/report/render/format.ts'
import { makeDocument } from '../../../src/report/report.ts'
import type { Told } from '../../../src/report/told.ts'
import { conditionOf } from '../../../src/report/verdict.ts'
import { readResult } from '../../../src/result/result.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const assessment = assess(result)
const { decision } = decide(result, assessment, { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
/** As if so many shared the first rank, or one stood alone. */
const ranked = (winner: string | null, names: string[]): Told => ({
  result,
  assessment,
  decision: { ...decision, ranking: { ...decision.ranking, winner, standings: names.map((name) => ({ name })) } } as never,
  charts: () => [],
})
const postgres = decision.candidates.find(({ name }) => name === 'postgres')
const first = ranked('postgres', ['postgres', 'mongodb'])
const textOf = (told: Told) => recommendation(told).map((block) => (block.kind === 'callout' ? block.text : ''))[0] ?? ''
const linesOf = (told: Told) => new Map(firstScreen(told).flatMap((block) => (block.kind === 'table' ? block.table.rows : [])) as [string, string][])
const itemsOf = (told: Told) => firstMonth(told).flatMap((block) => (block.kind === 'list' ? block.items : []))

test('the first that a reader sees is what to take, on how many servers, at which price', () => {
  const version = result.candidates.find(({ name }) => name === 'postgres')?.provision?.version
  const now = postgres?.plan?.fleet.now
  expect(textOf(first)).toContain(`The best of these, though not likely to hold all that is asked: postgres ${version}, primary and a replica`)
  const holding = decision.candidates.map((each) => ({ ...each, constraints: each.constraints.map((own) => ({ ...own, state: 'holds' as const })) }))
  expect(textOf({ ...first, decision: { ...(first.decision as typeof decision), candidates: holding } })).toContain(
    `Recommended: postgres ${version}, primary and a replica`,
  )
  expect(textOf(first)).toContain(`${now?.servers} × ${now?.shape}`)
  expect(textOf(first)).toContain(`${usd(now?.total.p50 as number)} USD a month now and `)
  const alone = ranked('postgres', ['postgres'])
  const [title, callout] = makeDocument(result, assessment, alone.decision, [])
  expect([title?.kind, callout]).toEqual(['heading', recommendation(alone)[0]])
})

test('it says why not the others: what each cannot do, or costs', () => {
  const text = linesOf(first).get('why') ?? ''
  for (const { name, marked, out } of decision.candidates) {
    if (name === 'postgres') continue
    expect(text).toContain(`${marked} ${out ? '' : 'ranks behind'}`)
  }
  const excused = result.excuses.filter(({ operation }) => operation !== null)
  expect(excused.length).toBeGreaterThan(0)
  for (const { engine, operation } of excused) expect(text).toMatch(new RegExp(`${engine}[ †]* cannot do [^;]*${operation}`))
})

test('the first screen answers what it carries, what it costs in a year, what breaks first and when, and how sure', () => {
  const lines = linesOf(first)
  expect([...lines.keys()]).toEqual(['why', 'capacity', 'cost', 'what breaks first', 'how sure', 'what would change it'])
  expect(lines.get('cost')).toContain(`${usd(postgres?.plan?.usdPerYear[0]?.usd.p50 as number)} in year 1`)
  for (const { operation } of lateNow(postgres?.plan?.latency as never)) expect(lines.get('what breaks first')).toContain(` of ${operation} (`)
  expect(lines.get('what breaks first')).toMatch(/month \d+/)
  expect(lines.get('how sure')).toMatch(/^little: how likely what is asked holds[^;]*: [^;]*objectives at peak (less than )?\d+ %/)
  expect(lines.get('capacity')).toContain(`${times(result.scenario.requirements.peak)} is asked`)
  expect(firstScreenText(first).split('\n')).toEqual([textOf(first), ...[...lines].map(([what, text]) => `${what}: ${text}`)])
})

test('a tie, nobody, and a run that compared nothing recommend nothing', () => {
  for (const told of [ranked(null, ['postgres', 'mongodb']), ranked(null, []), { ...first, decision: null }])
    expect([recommendation(told), firstScreen(told), firstMonth(told), firstScreenText(told)]).toEqual([[], [], [], ''])
  expect(textOf(ranked(null, ['mongodb']))).toMatch(/^The best of these, .*: mongodb/)
})

test('the first month has what the recommendation stands on, what is late on the planned servers, and what nobody tried', () => {
  const items = itemsOf(first)
  for (const operation of conditionOf(postgres as never)) expect(items.join()).toContain(`Keep ${operation} rolled up`)
  for (const { operation } of lateNow(postgres?.plan?.latency as never)) expect(items.join()).toContain(`Settle ${operation}: `)
  expect(items.filter((text) => /design\/postgres\/(migrations|schema\.\*|alerts\.yml)/.test(text))).toHaveLength(2)
  expect(items.join()).toMatch(/restore them once on a spare server/)
  const own = structuredClone(result)
  for (const each of own.candidates) each.durability = 'volatile'
  expect(itemsOf({ ...first, result: own }).join()).not.toMatch(/restore/)
})
