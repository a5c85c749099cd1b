/** What a row may be after writes that are known in part. */
import { expect, test } from 'vitest'
import { type Effect, Possible } from '../../../src/verify/possible.ts'

const effect = (of: Partial<Effect>): Effect => ({
  by: 'touch',
  kind: 'changes',
  isCertain: true,
  isMatched: true,
  sentNs: 1,
  doneNs: 2,
  values: new Map([['expires_at', 200]]),
  adds: new Map(),
  ...of,
})
const loaded = new Map([['expires_at', 100]])
const after = (touch: Effect, nowMs: number) => new Possible(loaded, [touch], { field: 'expires_at', nowMs })

test('a row that was renewed for certain is there until its new end, and may be gone at its old one where that is not certain', () => {
  expect(after(effect({}), 150).mayBeAbsent).toBe(false)
  expect(after(effect({}), 200).mayBeAbsent).toBe(true)
  expect(after(effect({ isCertain: false }), 150).mayBeAbsent).toBe(true)
  expect(after(effect({ isMatched: false }), 150).mayBeAbsent).toBe(true)
})
