/** Which number of connections a candidate is measured with, and which trials of an interrupted run are those of its continuation. */
import { describe, expect, test } from 'vitest'
import { labelOf, type TrialOrder } from '../../../src/run/orders.ts'
import { preferred } from '../../../src/run/phases/open-loops.ts'

describe('the number of connections', () => {
  const choice = (...holds: [number, number, number]) =>
    preferred([16, 64, 4], new Map([16, 64, 4].map((connections, at) => [connections, holds[at] as number])))

  test('is the usual one where it is likely to hold, whatever others do', () => {
    expect(choice(0.4, 0.99, 0.99)).toBe(16)
  })

  test('is the usual one where all are alike bad, or only a little better', () => {
    expect(choice(0.01, 0.01, 0.01)).toBe(16)
    expect(choice(0.09, 0.45, 0.3)).toBe(16)
  })

  test('is the one that is most likely to hold where the usual one clearly misses', () => {
    expect(choice(0.02, 0.6, 0.97)).toBe(4)
    expect(choice(0.02, 0.97, 0.6)).toBe(64)
  })

  test('is the usual one where its trial was spoiled: nothing speaks against it', () => {
    expect(preferred([16, 64, 4], new Map([[64, 0.99]]))).toBe(16)
  })
})

test('a trial with rates of its own has the label that its result has', () => {
  const result = { phase: 'work', loop: 'closed', multiple: null, concurrency: 16, repeat: 3 } as const
  const order: TrialOrder = { ...result, warmUpSeconds: 0.2, seconds: 1, ratesPerSecond: [1, 2] }
  expect(labelOf(order)).toBe(labelOf(result))
})
