/** The purge beside a trial: never twice at once, and what it meets is told. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ServerError } from '../../../src/clients/server-error.ts'
import { emptyRecording, mergeRecordings } from '../../../src/measure/recorder.ts'
import { startPurge } from '../../../src/replay/purge.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('purges every second, and no more once it is stopped', async () => {
  let calls = 0
  const purge = startPurge(async () => ++calls)
  await vi.advanceTimersByTimeAsync(3500)
  expect(await purge.stop()).toBeNull()
  await vi.advanceTimersByTimeAsync(3500)
  expect(calls).toBe(3)
})

test('waits for a purge that takes long, and for that which is under way when it is stopped', async () => {
  let underWay = 0
  let most = 0
  let done = 0
  const purge = startPurge(async () => {
    most = Math.max(most, ++underWay)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    underWay--
    done++
  })
  await vi.advanceTimersByTimeAsync(5000)
  const stopped = purge.stop()
  await vi.advanceTimersByTimeAsync(2500)
  expect(await stopped).toBeNull()
  expect([most, underWay, done]).toEqual([1, 0, 2])
})

test('a purge that fails is told, and makes the trial of all threads one that failed to purge', async () => {
  let calls = 0
  const purge = startPurge(async () => {
    calls++
    throw new ServerError('constraint', 'update or delete on table "e" violates foreign key constraint')
  })
  await vi.advanceTimersByTimeAsync(3500)
  const failure = await purge.stop()
  expect(failure).toBe('the purge of expired rows failed: update or delete on table "e" violates foreign key constraint')
  expect(calls).toBe(1)
  const recordings = [emptyRecording(1, []), { ...emptyRecording(1, []), purgeFailure: failure }]
  expect(mergeRecordings(recordings).purgeFailure).toBe(failure)
})

test('a fault of ours in a purge is thrown', async () => {
  const purge = startPurge(async () => {
    throw new TypeError('stores is not iterable')
  })
  await vi.advanceTimersByTimeAsync(1500)
  await expect(purge.stop()).rejects.toThrow(TypeError)
})
