/** The library's distributions against printed tables (Abramowitz and Stegun, "Handbook of Mathematical Functions", 1964) and against closed forms: it is untyped, and intervals rest on it. Its t is right to 8 digits, the inverse to 7. */
import jstat from 'jstat'
import { describe, expect, test } from 'vitest'

describe('Student’s t', () => {
  test.each([
    // Table 26.10, two-sided 95 % and 99 %.
    [1, 12.706, 63.657],
    [2, 4.303, 9.925],
    [3, 3.182, 5.841],
    [4, 2.776, 4.604],
    [9, 2.262, 3.25],
    [30, 2.042, 2.75],
    [120, 1.98, 2.617],
  ])('with %i degrees of freedom', (freedom, of95, of99) => {
    expect(jstat.studentt.inv(0.975, freedom)).toBeCloseTo(of95, 3)
    expect(jstat.studentt.inv(0.995, freedom)).toBeCloseTo(of99, 3)
  })

  test('with one and with two degrees of freedom is a closed form', () => {
    for (const t of [-40, -3, -0.5, 0.1, 1, 2.5, 12]) {
      expect(jstat.studentt.cdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 8)
      expect(jstat.studentt.cdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 8)
    }
  })

  test('its quantile is the inverse of its distribution, degrees of freedom that are no whole number included', () => {
    for (const freedom of [1.7, 2, 5.3, 40])
      for (const p of [0.01, 0.2, 0.6, 0.975]) expect(jstat.studentt.cdf(jstat.studentt.inv(p, freedom), freedom)).toBeCloseTo(p, 7)
  })
})

test.each([
  // Table 26.5.
  [0.5, 0],
  [0.9, 1.281552],
  [0.975, 1.959964],
  [0.99, 2.326348],
  [0.999, 3.090232],
])('the normal quantile of %f', (p, z) => {
  expect(jstat.normal.inv(p, 0, 1)).toBeCloseTo(z, 5)
  expect(jstat.normal.inv(1 - p, 0, 1)).toBeCloseTo(-z, 5)
})

describe('ln Γ', () => {
  test('of whole numbers is the sum of logarithms', () => {
    let sum = 0
    for (let n = 1; n < 2000; n++) {
      expect(jstat.gammaln(n)).toBeCloseTo(sum, 7)
      sum += Math.log(n)
    }
  })

  test('of ½ is that of √π, and Γ(x + 1) = x Γ(x) for shares', () => {
    expect(jstat.gammaln(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 9)
    for (const x of [1e-4, 0.03, 0.7, 5.5, 1e5]) expect(jstat.gammaln(x + 1) - jstat.gammaln(x)).toBeCloseTo(Math.log(x), 7)
  })
})
