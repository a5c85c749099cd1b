/** Each verdict on a trial, provoked on a real server through the real command. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { dbtrialUntil, dbtrialWith, matching, resultIn, root, small, temporaryDirectory } from './commands.ts'

const out = temporaryDirectory()
afterAll(() => rmSync(out, { recursive: true, force: true }))
const arguments_ = (place: string) => ['run', small, '--candidates', 'redis', '--provision', 'local', '--out', join(out, place)]
let stalls = 0
const confirmations = (place: string) =>
  resultIn(join(out, place), 'small').result.candidates[0]?.trials.filter((trial) => trial.phase === 'confirmation') ?? []

test('a worker that is kept busy: client-bound, and why', async () => {
  const hook = pathToFileURL(join(root, 'test/e2e/busy-worker.mjs')).href
  const ended = await dbtrialWith({ NODE_OPTIONS: `--import ${hook}` }, ...arguments_('busy'))
  expect([0, 99], ended.stderr).toContain(ended.code)
  // On a machine that others use as well the verdict is noisy: what the harness did is said beside it.
  const bound = confirmations('busy').filter((trial) => trial.validity.clientBound.includes('read'))
  expect(bound.length).toBeGreaterThan(0)
  expect(bound.map((trial) => trial.validity.verdict)).not.toContain('valid')
  expect(bound[0]?.validity.reasons.join()).toMatch(/read: \d+\.\d\d % over p99, \d+\.\d\d % without the gaps|the harness worked/)
}, 120_000)

test('a neighbour on the machine: noisy, and the trial is repeated once', async () => {
  const neighbours: ChildProcess[] = []
  const ended = await dbtrialUntil(
    /start 1 of 1: redis, open loops/,
    () => {
      for (let each = 0; each < 2; each++) neighbours.push(spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }))
    },
    ...arguments_('neighbour'),
  )
  for (const neighbour of neighbours) neighbour.kill('SIGKILL')
  expect(ended.acted).toBe(true)
  const trials = confirmations('neighbour')
  expect(trials.map((trial) => trial.validity.verdict)).toContain('noisy')
  const [first] = trials.filter((trial) => trial.validity.verdict === 'noisy')
  expect(first?.validity.reasons.join()).toMatch(/others used \d\.\d+ cores/)
  expect(trials.filter((trial) => trial.arrival.multiple === first?.arrival.multiple).length).toBe(2)
}, 120_000)

// What else the machine does in just these seconds makes a trial noisy: then it is tried again.
test('a server that stalls: missed with the harness out of the way; what has too few samples stays undetermined', {
  retry: 2,
  timeout: 120_000,
}, async () => {
  const place = `stalled-${++stalls}`
  const ended = await dbtrialUntil(
    /start 1 of 1: redis, open loops/,
    (pid) => {
      const servers = matching(pid, /redis-server/)
      const signal = (name: NodeJS.Signals) => {
        for (const server of servers) process.kill(server, name)
      }
      setTimeout(() => signal('SIGSTOP'), 1500)
      setTimeout(() => signal('SIGCONT'), 3000)
    },
    ...arguments_(place),
  )
  expect(ended.acted).toBe(true)
  const [trial] = confirmations(place)
  expect(trial).toMatchObject({ outcome: 'missed', validity: { clientBound: [] } })
  expect(trial?.missed).toContain('read')
  // Operations that were waiting when the server stood still are counted from when they should have started.
  expect(trial?.operations.read?.responseUs?.max).toBeGreaterThan(1_000_000)
  expect(trial?.validity.verdict).toBe('valid')
  const cells = resultIn(join(out, place), 'small').result.assessment as {
    candidates: { at: { multiple: number; cells: { operation: string; outcome: string }[] }[] }[]
  }
  // At the other rate, where the server stood still for nobody.
  const other = cells.candidates[0]?.at.find((at) => at.multiple !== trial?.arrival.multiple)
  expect(other?.cells.find((cell) => cell.operation === 'add')?.outcome).toBe('undetermined')
})

test('a core of the server that the host takes away: those windows are left out, and the report says their share', async ({ skip }) => {
  const ended = await dbtrialUntil(
    /start 1 of 1: redis, open loops/,
    (pid) => {
      // A thread of real-time priority does not run: only a host does that, or who stops it.
      const signal = (name: NodeJS.Signals) => {
        // Asked for each time: the watchers end with the run, which may be sooner than the last stop.
        for (const watcher of matching(pid, /host\/wake\.ts/)) process.kill(watcher, name)
      }
      for (let stop = 0; stop < 12; stop++) {
        setTimeout(() => signal('SIGSTOP'), 500 + 1000 * stop)
        setTimeout(() => signal('SIGCONT'), 530 + 1000 * stop)
      }
    },
    ...arguments_('paused'),
  )
  expect(ended.acted).toBe(true)
  const { result, directory } = resultIn(join(out, 'paused'), 'small')
  const trials = confirmations('paused')
  if (result.host.pausesUnseen !== null) {
    for (const trial of trials) expect(trial.hostPauses).toBeNull()
    return skip(result.host.pausesUnseen)
  }
  const paused = trials.filter((trial) => (trial.hostPauses?.longestMs ?? 0) > 25)
  expect(paused.length).toBeGreaterThan(0)
  for (const trial of paused) {
    const kept = trial.windows.filter((window) => !window.leftOut)
    expect(trial.hostPauses?.windowsLeftOut).toBeGreaterThan(0)
    expect(trial.seconds).toBeCloseTo(3 - (trial.hostPauses?.windowsLeftOut ?? 0) * 0.25, 6)
    const intended = Object.values(trial.operations).reduce((sum, operation) => sum + operation.intended, 0)
    expect(intended).toBe(kept.reduce((sum, window) => sum + window.intended, 0))
  }
  expect(readFileSync(join(directory, 'report.md'), 'utf8')).toMatch(
    /pauses of the host on the server’s cores: redis \d+ above 5 ms, the longest \d+\.\d ms, \d+(\.\d)? % of its windows left out/,
  )
  expect(matching(process.pid, /host\/wake\.ts/)).toEqual([])
}, 120_000)
