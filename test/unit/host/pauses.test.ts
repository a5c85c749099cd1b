/** Pauses of the host: which windows they take from a trial, and that only the host's are seen. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { PauseWatch } from '../../../src/host/pause-watch.ts'
import { hostPausesOf, keptSeconds, keptWindows, pauseLimitNs } from '../../../src/host/pauses.ts'
import { bindToCores } from '../../../src/host/processes.ts'
import { judgeValidity } from '../../../src/measure/validity.ts'
import { realClock } from '../../../src/replay/clock.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

const operationWith = (...limitsMs: number[]) => ({ name: 'read', objectives: limitsMs.map((limitMs) => ({ limitMs })) }) as Operation
const measureNs = 100e9
const leftOut = (isKept: boolean[]) => isKept.flatMap((kept, window) => (kept ? [] : [window]))
/** At seconds of the window, so many ms. */
const pause = (atSeconds: number, ms: number, core = 1) => ({ core, endNs: measureNs + atSeconds * 1e9 + ms * 1e6, lateNs: ms * 1e6 })

describe('the rule', () => {
  const trial = { measureNs, windows: 20, aheadNs: 20e6, unanswered: Array.from({ length: 21 }, () => 3) }

  test('a pause takes its window, and the one before where what began there was still on its way', () => {
    expect(leftOut(keptWindows({ ...trial, pauses: [pause(1.1, 5)] }))).toEqual([4])
    expect(leftOut(keptWindows({ ...trial, pauses: [pause(1.01, 5)] }))).toEqual([3, 4])
    expect(leftOut(keptWindows({ ...trial, pauses: [pause(1.249, 5)] }))).toEqual([4, 5])
    expect(leftOut(keptWindows({ ...trial, pauses: [] }))).toEqual([])
  })

  test('the windows after it are out until no more starts are without an answer than before', () => {
    const unanswered = trial.unanswered.map((waiting, edge) => (edge === 5 ? 90 : edge === 6 ? 20 : waiting))
    expect(leftOut(keptWindows({ ...trial, unanswered, pauses: [pause(1.1, 5)] }))).toEqual([4, 5, 6])
    // What waits elsewhere is the server's own: without a pause nothing is left out.
    expect(leftOut(keptWindows({ ...trial, unanswered, pauses: [] }))).toEqual([])
    expect(leftOut(keptWindows({ ...trial, unanswered, pauses: [pause(3.1, 5)] }))).toEqual([12])
  })

  test('a saturated loop has a backlog anyhow: it keeps the windows after a pause', () => {
    const unanswered = trial.unanswered.map((_, edge) => 100 * edge)
    expect(leftOut(keptWindows({ ...trial, unanswered, pauses: [pause(1.1, 5)] }))).toEqual([4])
  })

  test('pauses of the warm-up and of the drain touch what they reach into', () => {
    expect(leftOut(keptWindows({ ...trial, pauses: [pause(-0.1, 5), pause(-3, 5), pause(6, 5)] }))).toEqual([])
    const unanswered = trial.unanswered.map((waiting, edge) => (edge === 0 ? 50 : waiting))
    expect(leftOut(keptWindows({ ...trial, unanswered, pauses: [pause(-0.1, 5)] }))).toEqual([0])
    expect(leftOut(keptWindows({ ...trial, pauses: [pause(5.01, 5)] }))).toEqual([19])
  })

  test('a pause counts from a tenth of the tightest objective on; in a closed loop from a hundredth of a window on', () => {
    const operations = [operationWith(50), operationWith(100, 20)]
    expect(pauseLimitNs(operations, 'open')).toBe(2e6)
    expect(pauseLimitNs(operations, 'closed')).toBe(2.5e6)
    expect(pauseLimitNs([operationWith(1)], 'open'), 'no thread wakes by itself in less').toBe(0.25e6)
    expect(pauseLimitNs([], 'closed')).toBe(Number.POSITIVE_INFINITY)
  })

  test('5 ms beside an objective of 20 ms: that window is out, with its backlog, and counted', () => {
    const unanswered = trial.unanswered.map((waiting, edge) => (edge === 5 ? 40 : waiting))
    const pauses = [pause(1.1, 5), pause(2.1, 1.9), pause(3.1, 30, 0), pause(-0.5, 9)]
    const found = hostPausesOf(pauses, [1], [operationWith(20)], { seconds: 5, unanswered }, 'open', measureNs)
    expect(found).toMatchObject({ limitMs: 2, count: 1, longestMs: 5, windowsLeftOut: 2 })
    // Where nothing has an objective no pause counts, and the result can be saved.
    expect(hostPausesOf(pauses, [1], [operationWith()], { seconds: 5, unanswered }, 'open', measureNs)).toMatchObject({ limitMs: null, count: 0 })
    expect(leftOut(found.isKept)).toEqual([4, 5])
    expect(keptSeconds(5, found.isKept)).toBe(4.5)
    expect(keptSeconds(0.6, [true, false, true])).toBeCloseTo(0.35, 9)
  })
})

test('a trial of which less than a second is left is noisy; one that lost some windows is not', () => {
  const resources = { server: null, disk: null, others: null, client: { cpuCores: 1, busyShare: 0.1, cpuUsPerOperation: 1 } }
  const judged = (windowsLeftOut: number) =>
    judgeValidity([], [], resources, [], 'open', null, {
      windowsLeftOut,
      longestMs: 8.06,
      isKept: Array.from({ length: 12 }, (_, window) => window >= windowsLeftOut),
    })
  expect(judged(8)).toEqual({ verdict: 'valid', reasons: [], clientBound: [] })
  expect(judged(9)).toMatchObject({
    verdict: 'noisy',
    reasons: ["the host paused the server's cores, for up to 8.1 ms: 9 of 12 windows are left out"],
  })
})

describe('on this machine', () => {
  const core = cpus().length - 1
  const spinning = async (): Promise<ChildProcess> => {
    const child = spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' })
    await bindToCores(child.pid as number, [core])
    return child
  }

  test('threads that fill the core are no pauses of it, and nothing is left running', async ({ skip }) => {
    await using watch = new PauseWatch([core])
    const refusal = await watch.settle()
    if (refusal !== null) {
      expect(watch.pids).toEqual([])
      expect(refusal).toMatch(/^(no permission for real-time priority|chrt of util-linux is missing|taskset)/)
      return skip(refusal)
    }
    const others = [await spinning(), await spinning()]
    try {
      // Two that take turns of some ms each: whoever waits behind them is late all the time.
      watch.begin(3e6, realClock.nowNs() + 0.9e9)
      const beganNs = realClock.nowNs()
      await sleep(1000)
      const pauses = await watch.end()
      const pausedNs = (pauses ?? []).reduce((sum, each) => sum + each.lateNs, 0)
      // The host itself may pause the core meanwhile, and on a busy one it does.
      expect(pausedNs).toBeLessThan(0.3e9)
      for (const each of pauses ?? []) expect(each).toMatchObject({ core })
      for (const { endNs } of pauses ?? []) expect(endNs).toBeGreaterThan(beganNs)
    } finally {
      for (const other of others) other.kill('SIGKILL')
    }
    const [pid] = watch.pids
    await watch[Symbol.asyncDispose]()
    expect(watch.pids).toEqual([])
    expect(() => process.kill(pid as number, 0)).toThrow('ESRCH')
  }, 30_000)

  test('a core that stands still is seen, for as long as it does', async ({ skip }) => {
    await using watch = new PauseWatch([core])
    const refusal = await watch.settle()
    if (refusal !== null) return skip(refusal)
    watch.begin(5e6, realClock.nowNs())
    const [pid] = watch.pids as [number]
    // To the thread that watches, a signal that stops it is what a host is that takes its core away. Some fall between two of its slices.
    const stops = 100
    for (let stop = 0; stop < stops; stop++) {
      await sleep(5 + (stop % 17))
      process.kill(pid, 'SIGSTOP')
      await sleep(20)
      process.kill(pid, 'SIGCONT')
    }
    await sleep(100)
    const seen = ((await watch.end()) ?? []).filter(({ lateNs }) => lateNs > 15e6)
    expect(seen.length).toBeGreaterThanOrEqual(stops)
    expect(await watch.end(), 'since the last order').not.toBeNull()
  }, 30_000)

  test('without the permission nothing watches, and that is said', ({ skip }) => {
    if (process.getuid?.() !== 0) return skip('only root can give the permission up')
    const program = `const { PauseWatch } = await import(${JSON.stringify(new URL('../../../src/host/pause-watch.ts', import.meta.url).href)})
      const watch = new PauseWatch([${core}])
      console.log(await watch.settle(), watch.pids.length)`
    const ended = spawnSync('setpriv', ['--bounding-set', '-sys_nice', process.execPath, '--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(ended.stdout, ended.stderr).toBe('no permission for real-time priority 0\n')
  }, 60_000)

  test('a watcher that is gone knows nothing', async ({ skip }) => {
    await using watch = new PauseWatch([core])
    const refusal = await watch.settle()
    if (refusal !== null) return skip(refusal)
    watch.begin(5e6, realClock.nowNs())
    process.kill(watch.pids[0] as number, 'SIGKILL')
    expect(await watch.end()).toBeNull()
  }, 30_000)
})
