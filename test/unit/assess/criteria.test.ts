/** By how much equals may differ in a criterion. */
import { expect, test } from 'vitest'
import { blurOf } from '../../../src/assess/decision/criteria.ts'
import type { KnownResolution } from '../../../src/assess/judge/machine-resolution.ts'

const known = (cpu: number, capacity: number): KnownResolution[] => [
  { engine: 'one', number: 'CPU per operation', ratio: cpu, from: 'equals' },
  { engine: 'one', number: 'capacity', ratio: capacity, from: 'equals' },
]
const utilities = Float64Array.from([0.5, 0.6])

test('servers are counted by what one carries: who repeats worse, its CPU per operation or its capacity, tells how far equals differ', () => {
  for (const criterion of ['money', 'headroom', 'operations']) {
    const blur = (cpu: number, capacity: number) => blurOf(criterion, 'one', known(cpu, capacity), utilities)?.utility
    expect(blur(1.1, 1.5), criterion).toBeGreaterThan(blur(1.1, 1.1) as number)
    expect(blur(1.1, 1.5), criterion).toBe(blur(1.5, 1.1))
  }
  expect(blurOf('latency', 'one', known(1.1, 1.5), utilities)?.utility).toBe(0)
  expect(blurOf('fit', 'one', known(1.1, 1.5), utilities)).toBeNull()
})
