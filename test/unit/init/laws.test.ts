/** Laws that statistics of a server lead to, from statistics that those laws made. */
import { expect, test } from 'vitest'
import { growthOf, lifeOf, skewText } from '../../../src/init/laws.ts'

/** The hundred most common of `n` things that are drawn by a zipfian law. */
function popularity(n: number, theta: number, sampled = 30_000) {
  const weights = Array.from({ length: n }, (_, at) => (at + 1) ** -theta)
  const sum = weights.reduce((a, b) => a + b, 0)
  return { shares: weights.slice(0, 100).map((weight) => weight / sum), distinct: n, sampled }
}

test.each([
  [20_000, 0.99],
  [20_000, 1.3],
  [500, 0.9],
  [50, 0.8],
])('the exponent of %s things is found: %s', (n, theta) => {
  expect(skewText(popularity(n, theta), n)).toBe(`, skew: zipfian(${theta})`)
})

test('things that are equally common, or differ by chance, have no law', () => {
  expect(skewText(popularity(50, 0), 50)).toBe('')
  expect(skewText({ shares: [0.0006, 0.0005], distinct: 5000, sampled: 20_000 }, 5000)).toBe('')
  expect(skewText({ shares: [0.2, 0.16, 0.1], distinct: 10, sampled: 50 }, 10)).toBe('')
  expect(skewText(undefined, 10)).toBe('')
})

test('growth is found by the ages of rows', () => {
  const months = 84
  const perMonth = Math.log(1.05)
  const mean = 1 / perMonth - months / Math.expm1(months * perMonth)
  const days = 365.25 / 12
  expect(growthOf({ oldest: months * days + 10, newest: 10, mean: mean * days + 10 })).toBe('5%/month')
  expect(growthOf({ oldest: 1000, newest: 0, mean: 500 })).toBeUndefined()
  expect(growthOf({ oldest: 1000, newest: 0, mean: 700 })).toBeUndefined()
  expect(growthOf({ oldest: 3, newest: 0, mean: 1 })).toBeUndefined()
})

test('a life in whole units', () => {
  expect([1, 29.9, 0.02, 1e-5].map(lifeOf)).toEqual(['24h', '30d', '29min', '1s'])
})
