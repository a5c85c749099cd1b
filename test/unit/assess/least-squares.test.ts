/** Least squares: parameters that are known, bounds that hold, and data that say nothing of a parameter. */
import { expect, test } from 'vitest'
import { leastSquares, type Model } from '../../../src/stats/least-squares.ts'

const x = Array.from({ length: 20 }, (_, at) => at / 4)
/** a · e^(−b·x) */
const decayOf = ([a, b]: readonly number[], at: number) => (a as number) * Math.exp(-(b as number) * at)
const decay: Model = {
  with: (p) => (at, slopes) => {
    slopes[0] = decayOf([1, p[1] as number], at)
    slopes[1] = -at * decayOf(p, at)
    return decayOf(p, at)
  },
  low: [0, 0],
  high: [100, 10],
}

test('finds the parameters that made the data', () => {
  const y = x.map((at) => 7 * Math.exp(-0.6 * at))
  const [a = 0, b = 0] = leastSquares(x, y, decay, [1, 0.1])
  expect(a).toBeCloseTo(7, 6)
  expect(b).toBeCloseTo(0.6, 6)
})

test('finds the least sum of squares where the data scatter: no step to either side is better', () => {
  const y = x.map((at, index) => 7 * Math.exp(-0.6 * at) + (index % 3) * 0.1)
  const squares = (p: readonly number[]) => x.reduce((sum, at, index) => sum + ((y[index] as number) - decayOf(p, at)) ** 2, 0)
  const found = leastSquares(x, y, decay, [1, 0.1])
  for (const step of [1e-4, -1e-4])
    for (const at of [0, 1]) expect(squares(found.map((each, own) => (own === at ? each + step : each)))).toBeGreaterThan(squares(found))
})

test('stays within the bounds', () => {
  const y = x.map((at) => 7 * Math.exp(-0.6 * at))
  const [a = 0, b = 0] = leastSquares(x, y, { ...decay, high: [5, 10] }, [1, 0.1])
  expect(a).toBe(5)
  expect(b).toBeLessThan(0.6)
})

test('leaves a parameter alone that changes nothing', () => {
  const y = x.map((at) => 2 * at)
  const model: Model = {
    with:
      ([a]) =>
      (at, slopes) => {
        slopes[0] = at
        return (a as number) * at
      },
    low: [-9, -9],
    high: [9, 9],
  }
  const [a = 0, idle = 0] = leastSquares(x, y, model, [1, 3])
  expect(a).toBeCloseTo(2, 9)
  expect(idle).toBe(3)
})
