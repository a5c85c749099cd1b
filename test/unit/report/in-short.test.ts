/** The first screen has the design in a dozen lines, each with the numbers of the plan that it stands for. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import type { CandidatePlan } from '../../../src/assess/fleet/candidate-plan.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { inShort, topologyText } from '../../../src/report/in-short.ts'
import { cost } from '../../../src/report/plan.ts'
import { replicationSection } from '../../../src/report/sections/replication.ts'
import type { Told } from '../../../src/report/told.ts'
import { readResult } from '../../../src/result/result.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const assessment = assess(result)
const { decision } = decide(result, assessment, { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
/** As if this one alone were ranked. */
const ranked = (name: string): Told['decision'] => ({ ...decision, ranking: { ...decision.ranking, standings: [{ name }] } }) as never
function linesOf(own: Told['decision']): Map<string, string> {
  const [block] = inShort({ result, assessment, decision: own, charts: () => [] })
  return new Map(block?.kind === 'table' ? block.table.rows.map(([name, text]) => [name as string, text as string]) : [])
}

const plan = decision.candidates.find(({ name }) => name === 'postgres')?.plan
const lines = linesOf(ranked('postgres'))

test('what it costs is what the plan says', () => {
  expect(lines.get('USD a month')).toContain(`${cost(plan?.usdPerMonth.now as never)} now`)
  expect(lines.get('USD a month')).toContain(`in month ${decision.months}`)
})

test('whether the limits hold is told of the servers that are proposed, with what misses them', () => {
  const late = plan?.latency.calls.filter(({ month, load, holds }) => month === 0 && load === 'average' && holds < 0.5) ?? []
  const text = lines.get('the limits on these servers')
  expect(text).toMatch(/; on average all hold in .*; at peak all hold in /)
  for (const { operation } of late.slice(0, 3)) expect(text).toContain(` of ${operation} `)
  const slow = decision.candidates.find(({ name }) => name === 'postgres')?.atScale.filter(({ probabilityNow }) => probabilityNow >= 0.5) ?? []
  expect(late.length + slow.length === 0).toBe(text?.startsWith('now, at the average load') ?? false)
})

test('a year costs what its months do, and the hours that no invoice shows stand beside it', () => {
  const years = plan?.usdPerYear.map(({ usd: { p50 } }) => p50) ?? []
  const [first = 0, last = 0] = [...(lines.get('USD a year') ?? '').matchAll(/([\d,]+) in year/g)].map(([, text = '']) =>
    Number(text.replaceAll(',', '')),
  )
  expect([first / (years[0] ?? 1), last / (years[1] ?? 1)]).toEqual([expect.closeTo(1, 2), expect.closeTo(1, 2)])
  expect(lines.get('USD a year')).toMatch(/in year 1, .* in year 3; beside it about [\d,]+ a month of hours/)
})

test('a fleet with more servers than its topology names says what the others are for', () => {
  const { traits } = result.candidates.find(({ name }) => name === 'postgres') as (typeof result.candidates)[number]
  const of = (servers: number, parts: number) =>
    topologyText(traits.plan?.topology, { topology: 'primary and a replica', fleet: { now: { servers, parts } } as CandidatePlan['fleet'] })
  expect(of(2, 1)).toBe('primary and a replica')
  expect(of(3, 1)).toBe('primary and a replica, with 1 copy more for reads that may be old')
  expect(of(8, 2)).toBe('primary and a replica, with 2 copies more for reads that may be old')
})

test('what breaks first is a change within the horizon, and how long before it must begin', () => {
  expect(lines.get('what breaks first, and when')).toMatch(/^(nothing within|month \d+(, [\w/ ]+ used up)?: .*\(begin (a week|\d+ weeks) before\))/)
})

test('storage is told for now and for the years to come', () => {
  const months = [...(lines.get('stored, with indexes') ?? '').matchAll(/in month (\d+)/g)].map(([, month]) => Number(month))
  expect(lines.get('stored, with indexes')).toMatch(/^[\d.]+ GB now, /)
  expect(months).toEqual([...months].sort((a, b) => a - b))
  expect(months.at(-1)).toBe(decision.months)
})

test('what the numbers rest on stands beside them', () => {
  expect(lines.get('how sure')).toMatch(/^measured on [\d.]+ % of the rows.*on one server: no copies, no network/)
})

test('nobody ranked has a design, and nothing was compared without a decision', () => {
  expect(linesOf({ ...decision, ranking: { ...decision.ranking, standings: [] } }).size).toBe(0)
  expect(linesOf(null).size).toBe(0)
})

test('replicas are counted as they are planned, and what is assumed of them is told as most likely, with its range', () => {
  const blocks = replicationSection({ result, assessment, decision: ranked('postgres'), charts: () => [] })
  const [table] = blocks.flatMap((block) => (block.kind === 'table' ? [block.table] : []))
  const members = (plan?.fleet.now.servers as number) / (plan?.fleet.now.parts as number)
  expect(table?.rows[0]?.[1]).toMatch(new RegExp(`^${members}: primary and a replica`))
  expect(table?.head[2]).toBe('seconds until writes go on: most likely (least–most)')
})
