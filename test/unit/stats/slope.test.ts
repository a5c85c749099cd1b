/** Load drives a share, or does not, or too little was seen to tell. */
import { expect, test } from 'vitest'
import { slopeOf } from '../../../src/stats/slope.ts'

const points = (share: (multiple: number) => number, intended = 2000, loads = [0.25, 0.5, 1, 2]) =>
  loads.flatMap((multiple) => [1, 2].map(() => ({ log: Math.log(multiple), intended, exceeded: Math.round(share(multiple) * intended) })))

test('a share that is the same at every load has no slope, and surely no steep one', () => {
  const slope = slopeOf(points(() => 0.03))
  expect(slope.none).toBeGreaterThan(0.3)
  expect(slope.high).toBeLessThan(1)
})

test('so has one that is far above what can be told apart', () => {
  expect(slopeOf(points(() => 1))).toMatchObject({ none: expect.closeTo(0.5, 0) })
})

test('a share that grows with the load has one', () => {
  const slope = slopeOf(points((multiple) => 0.02 * multiple ** 2))
  expect(slope.none).toBeLessThan(0.01)
  expect(slope.high).toBeGreaterThan(1.5)
})

test('few answers leave it open: neither none nor a steep one is excluded', () => {
  const slope = slopeOf(points(() => 0.03, 60, [0.9, 1, 1.1]))
  expect(slope.none).toBeGreaterThan(0.05)
  expect(slope.high).toBeGreaterThan(2.5)
})
