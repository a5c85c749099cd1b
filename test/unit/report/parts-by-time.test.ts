/** What a report says of tables in parts by time: why, what operators run, and what is no finding any more. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import type { TimeDivision } from '../../../src/families/model.ts'
import { antiPatterns } from '../../../src/report/anti-patterns.ts'
import { designFiles } from '../../../src/report/design.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { securitySection } from '../../../src/report/sections/security.ts'
import { shardingSection } from '../../../src/report/sections/sharding.ts'
import type { Told } from '../../../src/report/told.ts'
import { type CandidateResult, type Result, readResult } from '../../../src/result/result.ts'

const saved = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const upkeep = [
  { name: 'next_part_of_order', up: 'MAKE THE NEXT', down: 'TAKE IT BACK' },
  { name: 'drop_oldest_part_of_order', up: 'DROP THE OLDEST', down: 'MAKE IT AGAIN' },
]
const inParts: TimeDivision = {
  parts: { field: 'created_at', unit: '1 month', keptMs: 1e10, prefix: 'order_part_' },
  why: 'partitioned by its time',
}

function divided(store: string, division: TimeDivision): Result {
  const result = structuredClone(saved)
  result.candidates = result.candidates.filter(({ name }) => name === 'postgres')
  const [candidate] = result.candidates as [CandidateResult]
  Object.assign(candidate.model.stores.find(({ name }) => name === store) as object, { division })
  candidate.handbook.upkeep = upkeep
  return result
}
const toldOf = (result: Result): Told => ({ result, assessment: assess(result), decision: null, charts: () => [] })
const order = divided('order', inParts)

test('section 7 has the reason and the statements in their order', () => {
  const text = toMarkdown(shardingSection(toldOf(order)))
  expect(text).toContain('order: partitioned by its time')
  expect(text.indexOf('MAKE THE NEXT;')).toBeLessThan(text.indexOf('DROP THE OLDEST;'))
  expect(toMarkdown(shardingSection(toldOf(divided('order', { parts: null, why: 'not partitioned by time: few rows' }))))).toContain(
    'order: not partitioned by time: few rows',
  )
  expect(shardingSection(toldOf(saved))).toEqual([])
})

test('each step is a file, with its way back', () => {
  const files = designFiles(toldOf(order)).filter(({ path }) => path.includes('/upkeep/'))
  expect(files.map(({ path, text }) => `${path}: ${text.trim()}`)).toEqual([
    'postgres/upkeep/0001_next_part_of_order.up.sql: MAKE THE NEXT;',
    'postgres/upkeep/0001_next_part_of_order.down.sql: TAKE IT BACK;',
    'postgres/upkeep/0002_drop_oldest_part_of_order.up.sql: DROP THE OLDEST;',
    'postgres/upkeep/0002_drop_oldest_part_of_order.down.sql: MAKE IT AGAIN;',
  ])
})

test('rows that go with their part are not deleted one by one, by nobody', () => {
  const found = ({ candidates: [candidate], scenario }: Result) =>
    antiPatterns(candidate as CandidateResult, scenario).flatMap((each) => (each.what === 'rows that must be deleted one by one' ? each.found : []))
  expect(found(divided('order', { parts: null, why: 'not partitioned by time' }))).toHaveLength(1)
  expect(found(order)).toEqual([])
  const purges = (result: Result) => toMarkdown(securitySection(toldOf(result))).includes('the purge of expired rows')
  expect(purges(order)).toBe(true)
  expect(purges(divided('session', inParts))).toBe(false)
})

test('a table in parts is not told to be divided when it has grown', () => {
  const actions = (result: Result) => {
    const { decision } = decide(result, assess(result), { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
    return (decision?.candidates ?? [])
      .flatMap(({ plan }) => plan?.triggers ?? [])
      .filter(({ stage }) => stage === 'partitions')
      .map(({ action }) => action)
  }
  const largest = actions(saved).join()
  expect(largest).toMatch(/^divide order_item by the time of its order/)
  const result = structuredClone(saved)
  for (const { model } of result.candidates)
    for (const store of model.stores) if (store.entity === 'order_item' || store.entity === 'order') Object.assign(store, { division: inParts })
  expect(actions(result).join()).not.toMatch(/divide order/)
}, 60_000)
