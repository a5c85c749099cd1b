import { describe, expect, test } from 'vitest'
import { keyOf, Source } from '../../../src/data/random.ts'
import { changePoints, gainsNoMore, steadySince, warmSince } from '../../../src/stats/change-points.ts'

const draws = new Source().restart(keyOf(3, 'steady'), 1)
/** Near enough to normal: twelve uniforms. */
const noise = (deviation: number) => (Array.from({ length: 12 }, () => draws.next()).reduce((sum, each) => sum + each, 0) - 6) * deviation
const level = (value: number, windows: number, deviation: number) => Array.from({ length: windows }, () => value + noise(deviation))

describe('a steady state', () => {
  test('a level that changes is found where it changes', () => {
    const points = changePoints([...level(1000, 20, 20), ...level(2000, 20, 20), ...level(2600, 20, 20)])
    expect(points.length).toBe(2)
    expect(Math.abs((points[0] as number) - 20)).toBeLessThanOrEqual(1)
    expect(Math.abs((points[1] as number) - 40)).toBeLessThanOrEqual(1)
  })

  test('noise alone is no change in at least 95 of 100 series', () => {
    const found = Array.from({ length: 100 }, () => changePoints(level(5000, 40, 400)).length).filter((points) => points > 0)
    expect(found.length).toBeLessThanOrEqual(5)
  })

  test('a server that still warms is not steady; one that has settled is, since then', () => {
    const warming = Array.from({ length: 40 }, (_, window) => 1000 + 100 * window + noise(20))
    expect(steadySince(warming, 12)).toBeNull()
    const settled = [...Array.from({ length: 20 }, (_, window) => 1000 + 100 * window + noise(20)), ...level(3000, 30, 20)]
    const since = steadySince(settled, 12)
    expect(since).not.toBeNull()
    expect(since as number).toBeGreaterThan(10)
    expect(since as number).toBeLessThan(26)
  })

  test('a plateau below the level of before is not the steady state', () => {
    const plateau = level(1000, 30, 20)
    expect(warmSince(plateau, 12, null)).toBe(0)
    expect(warmSince(plateau, 12, 3000)).toBeNull()
    const since = warmSince([...plateau, ...level(2900, 30, 20)], 12, 3000)
    expect(Math.abs((since as number) - 30)).toBeLessThanOrEqual(1)
  })

  test('starts of one server differ: what lies a tenth and a half below the level of before is level, too', () => {
    expect(warmSince(level(850, 30, 20), 12, 1000)).toBe(0)
    expect(warmSince(level(750, 30, 20), 12, 1000)).toBeNull()
  })

  test('a compiler is level once two pieces gain nothing, though compactions come and go', () => {
    const climbing = [...level(1000, 8, 50), ...level(2000, 8, 50), ...level(3000, 8, 50), ...level(4000, 8, 50)]
    expect(gainsNoMore(climbing, 8, null)).toBeNull()
    expect(gainsNoMore([...climbing, ...level(4200, 8, 50)], 8, null)).toBeNull()
    const settled = [...climbing, ...level(4200, 8, 50), ...level(3000, 4, 50), ...level(4100, 4, 50)]
    expect(gainsNoMore(settled, 8, null)).toBe(32)
    expect(gainsNoMore(settled, 8, 4200)).toBe(32)
    expect(gainsNoMore(settled, 8, 6000)).toBeNull()
  })

  test('few windows are never enough', () => {
    expect(steadySince(level(100, 4, 1), 8)).toBeNull()
  })
})
