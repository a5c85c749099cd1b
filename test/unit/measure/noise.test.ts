/** Others on the machine: absolute limits, by core and by window; a busy machine is said before the first trial. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { busyText } from '../../../src/host/busy.ts'
import { usedBetween } from '../../../src/host/usage.ts'
import { calibrate } from '../../../src/measure/calibrate.ts'
import type { Resources } from '../../../src/measure/resources.ts'
import type { Sample } from '../../../src/measure/sampler.ts'
import { judgeValidity } from '../../../src/measure/validity.ts'

const directory = mkdtempSync(join(tmpdir(), 'dbtrial-noise-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe('a trial', () => {
  const resources = (others: Resources['others']): Resources => ({
    ...{ server: { cpuCores: 0.5, residentBytes: 1 }, disk: null, others },
    client: { cpuCores: 1, busyShare: 0.1, cpuUsPerOperation: 1 },
  })
  const window = (othersOnServerCores: number | null, othersOnHarnessCores: number | null, othersCores = 0) =>
    ({ othersCores, othersOnServerCores, othersOnHarnessCores }) as Sample
  const judged = (others: Resources['others'], timeline: Sample[]) => judgeValidity([], [], resources(others), timeline, 'open', null)

  test('is noisy from a tenth of a core on, on those of the server or of the harness, and says whose', () => {
    expect(judged({ cpuCores: 0.16, onServerCores: 0.08, onHarnessCores: 0.08 }, []).verdict).toBe('valid')
    expect(judged({ cpuCores: 0.16, onServerCores: 0.13, onHarnessCores: 0.03 }, [])).toMatchObject({
      verdict: 'noisy',
      reasons: ['others used 0.13 cores of those of the server, more than 0.1'],
    })
    expect(judged({ cpuCores: 0.4, onServerCores: 0, onHarnessCores: 0.4 }, []).reasons).toEqual([
      'others used 0.40 cores of those of the harness, more than 0.1',
    ])
  })

  test('is noisy by one window that others took most of, however little that is of the whole', () => {
    const timeline = [window(0.01, 0), window(0.7, 0), window(0, 0.3)]
    expect(judged({ cpuCores: 0.06, onServerCores: 0.06, onHarnessCores: 0 }, timeline)).toMatchObject({
      verdict: 'noisy',
      reasons: ['others used 0.70 cores of those of the server for 250 ms, more than 0.5'],
    })
    expect(judged({ cpuCores: 0.06, onServerCores: 0.06, onHarnessCores: 0 }, [window(0.4, 0.4)]).verdict).toBe('valid')
  })

  test('is judged by the whole machine where nobody is bound to cores', () => {
    expect(judged({ cpuCores: 0.2, onServerCores: null, onHarnessCores: null }, []).reasons).toEqual(['others used 0.20 cores, more than 0.1'])
    expect(judged({ cpuCores: 0.05, onServerCores: null, onHarnessCores: null }, [window(null, null, 0.9)]).verdict).toBe('noisy')
    expect(judged(null, []).verdict).toBe('valid')
  })
})

describe('a harness that works more than 65 % of its core', () => {
  const judged = (loop: 'open' | 'closed', busyShare: number, serverCores: number | null, cores = 1) =>
    judgeValidity(
      [],
      [],
      {
        ...{ server: serverCores === null ? null : { cpuCores: serverCores, residentBytes: 1 }, disk: null, others: null },
        client: { cpuCores: 1, busyShare, cpuUsPerOperation: 1 },
      },
      [],
      loop,
      null,
      null,
      cores,
    )

  test('ended a closed loop where it was busier than the server', () => {
    expect(judged('closed', 0.9, 0.7)).toMatchObject({
      verdict: 'client-bound',
      reasons: ['the harness worked 90 % of its core, more than 65 %, and more than the server of its own (70 %)'],
    })
    expect(judged('closed', 0.9, 1.4, 2).verdict).toBe('client-bound')
    expect(judged('closed', 0.9, 0.95).verdict).toBe('valid')
    expect(judged('closed', 0.6, 0.3).verdict).toBe('valid')
    // Of a server that somebody else runs nobody knows.
    expect(judged('closed', 0.9, null).verdict).toBe('client-bound')
  })

  test('is late in an open loop, whatever the server does', () => {
    expect(judged('open', 0.7, 0.95).verdict).toBe('client-bound')
  })
})

test('what is busy on a core beside the one that is bound to it, and what watches it, is of others', () => {
  const reading = (seconds: number, server: number, client: number, byCore: number[]) => ({
    ...{ atNs: seconds * 1e9, server: { cpuSeconds: server, residentBytes: 1 }, clientSeconds: client, watchSeconds: 0.01 * seconds, disk: null },
    ...{ busySeconds: byCore.reduce((sum, each) => sum + each, 0), busyByCore: byCore, stolenByCore: [] },
  })
  const [before, after] = [reading(10, 5, 3, [50, 60, 70]), reading(12, 6, 5, [52, 61.22, 71.6])]
  const used = usedBetween(before, after, { server: [1], harness: [0] })
  expect(used.othersOnServerCores).toBeCloseTo(0.1, 9)
  expect(used.othersOnHarnessCores).toBeCloseTo(0, 9)
  // The third core is nobody's.
  expect(used.othersCores).toBeCloseTo(0.9, 9)
  expect(usedBetween(before, after, null)).toMatchObject({ othersOnServerCores: null, othersOnHarnessCores: null })
})

test('a machine that is busy is waited for, and then named with what uses it', async () => {
  const neighbour: ChildProcess = spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' })
  try {
    const said: string[] = []
    const found = await calibrate(directory, { idleSeconds: 0.5, patienceSeconds: 1.2, report: (text) => said.push(text) })
    expect(found.waitedSeconds).toBeGreaterThanOrEqual(0.5)
    expect(found.busy?.cores).toBeGreaterThan(0.1)
    expect(found.busy?.chiefly?.pid).not.toBe(process.pid)
    // On a machine that many use a loop may get less than a fifth of what they take.
    if (found.busy !== null && found.busy.cores < 1.2) expect(found.busy.chiefly).toEqual({ command: 'sh', pid: neighbour.pid })
    expect(said).toEqual([
      expect.stringMatching(
        /^waiting for a quiet machine, 1.2 s at most: \d\.\d\d cores used by others, (chiefly by \S+ \(pid \d+\)|by no one process that is to be seen from here)$/,
      ),
    ])
  } finally {
    neighbour.kill('SIGKILL')
  }
}, 30_000)

test('what cannot be seen is not named', () => {
  expect(busyText({ cores: 0.5, chiefly: null })).toBe('0.50 cores used by others, by no one process that is to be seen from here')
})
