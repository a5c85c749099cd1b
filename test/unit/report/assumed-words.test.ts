/** Who reads a report learns what an assumption is, and not only what the program calls it. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { inWords } from '../../../src/report/assumed-words.ts'
import { readResult } from '../../../src/result/result.ts'

test('every assumption of a plan has words, but for those that are of one measurement', () => {
  const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
  const { decision } = decide(result, assess(result), { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
  const paths = [
    ...decision.assumed.map(({ path }) => path).filter((path) => !path.startsWith('latency.')),
    ...decision.composites.flatMap(({ movers }) => movers.map(({ path }) => path)),
  ]
  expect(paths.length).toBeGreaterThan(40)
  expect(paths.filter((path) => inWords(path) === path)).toEqual([])
})

test('they say of what', () => {
  expect(inWords('demand.order.growthSpread')).toBe('how fast order grows beside what was stated')
  expect(inWords('demand.load.daily_revenue.growthSpread')).toBe('how fast the calls of daily_revenue grow beside what was stated')
  expect(inWords('plan.mongodb.doubling')).toBe('what mongodb gains from twice the cores in a server')
  expect(inWords('capacity.postgres.sustained')).toBe('capacity.postgres.sustained')
})
