/** What ends a candidate, what ends the run, and what is kept beside both. */
import { expect, test } from 'vitest'
import { ServerError } from '../../../src/clients/server-error.ts'
import type { Engine, Session } from '../../../src/engines/engine.ts'
import { engines } from '../../../src/engines/registry.ts'
import { TrialError } from '../../../src/errors.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { emptyRecording } from '../../../src/measure/recorder.ts'
import type { Exit, Instance } from '../../../src/provision/provision.ts'
import { CandidateRun } from '../../../src/run/candidate.ts'
import type { RunContext } from '../../../src/run/orders.ts'
import { verifyCandidate } from '../../../src/run/phases/prepare.ts'
import { dataset, scenario } from '../replay/sessions.ts'

const [real] = engines as [Engine]
const operations = allOperations(scenario)
const context = {
  dataset,
  signal: new AbortController().signal,
  laws: new Map(),
  plan: { answersPerOperation: 2, budget: { compares: false } },
  commonMix: () => new Set<number>(),
} as unknown as RunContext

function candidateWith(session: Partial<Session>, instance: Partial<Instance> = {}, within = context, own: Partial<Engine> = {}): CandidateRun {
  const engine = {
    ...real,
    ...own,
    ready: async () => '1.0',
    connect: async () => ({ [Symbol.asyncDispose]: async () => {}, ...session }),
  } as unknown as Engine
  const compiled = real.compile(deriveModel(real, scenario), operations, scenario, 'fsync')
  const run = new CandidateRun({ name: 'tried', engine: engine.name, durability: 'fsync' } as never, engine, compiled, within, [])
  const nothing = async () => {}
  run.attach({
    kind: 'local',
    endpoint: {},
    exited: new Promise<Exit>(() => {}),
    pause: nothing,
    resume: nothing,
    ...instance,
  } as unknown as Instance)
  return run
}

test('a TypeError in a session ends the run: the candidate did not fail, and gave no wrong answer', async () => {
  const run = candidateWith({
    perform: async () => {
      throw new TypeError('rows is not iterable')
    },
  })
  await expect(run.visit(() => verifyCandidate(run, context))).rejects.toThrow(TypeError)
  expect(run.failure).toBeNull()
  expect(run.verification.wrong).toBe(0)
})

test('an error of its server fails the candidate, and so does what the system refused', async () => {
  const refused = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
  for (const error of [new ServerError('denied', 'no entry'), new TrialError('container-failed', 'no entry'), refused]) {
    const run = candidateWith({})
    await run.visit(async () => {
      throw error
    })
    expect(run.failure).toBe(error.message)
  }
})

test('a snapshot that cannot be taken is kept with its reason, and the run goes on', async () => {
  const run = candidateWith({}, { snapshot: () => Promise.reject(new TrialError('snapshot-failed', 'no room for a second copy')) })
  await run.visit(() => run.takeSnapshot())
  expect(run.failure).toBeNull()
  expect(run.otherFailures).toEqual([{ what: 'snapshot', reason: 'no room for a second copy', times: 1 }])
  const broken = candidateWith({}, { snapshot: () => Promise.reject(new TypeError('copy is not a function')) })
  await expect(broken.visit(() => broken.takeSnapshot())).rejects.toThrow(TypeError)
})

test('a server that comes back empty is not kept as a snapshot, and is not started again when it ends', async () => {
  for (const dataSurvivesRestart of [true, false]) {
    const asked: string[] = []
    const end = Promise.withResolvers<Exit>()
    const machine = { exited: end.promise, snapshot: async () => void asked.push('snapshot'), restart: async () => void asked.push('restart') }
    const run = candidateWith({}, machine, context, { capabilities: { ...real.capabilities, dataSurvivesRestart } })
    run.verified = true
    await run.visit(() => run.takeSnapshot())
    end.resolve({ code: 1, signal: null, lastWords: 'no memory' })
    await end.promise
    await new Promise((resolve) => setImmediate(resolve))
    expect(asked).toEqual(dataSurvivesRestart ? ['snapshot'] : [])
    expect(run.failure).toBe(dataSurvivesRestart ? null : 'the server ended (exit code 1): no memory')
  }
})

test('a purge that fails breaks its trials, and is told once for all of them', async () => {
  const nothing = async () => {}
  const purgeFailure = 'the purge of expired rows failed: a foreign key'
  const ended = async () => ({ ...emptyRecording(0.25, operations), purgeFailure })
  const pool = { open: nothing, close: nothing, collect: nothing, run: ended, pids: [] }
  const none = () => null
  const trials = {
    ...context,
    pool,
    device: null,
    start: 1,
    blockOf: () => 4,
    harnessCores: none,
    pauses: none,
    hostSpeed: none,
    fullSpeedUs: none,
    plan: { ...context.plan, client: 'wire', operations: [] },
  } as unknown as RunContext
  const machine = { enforced: { cpu: 'configured', memory: 'configured' }, cores: [], sample: async () => null, watch: () => () => null } as const
  const run = candidateWith({}, machine as unknown as Partial<Instance>, trials)
  const order = { phase: 'warm-up', loop: 'closed', multiple: null, concurrency: 2, warmUpSeconds: 0, seconds: 0.25 } as const
  await run.visit(async () => {
    for (const repeat of [0, 1]) await run.runTrial({ ...order, repeat })
  })
  expect(run.failure).toBeNull()
  expect(run.trials.map(({ validity }) => validity)).toEqual(Array(2).fill({ verdict: 'broken', reasons: [purgeFailure], clientBound: [] }))
  expect(run.otherFailures).toEqual([{ what: 'purge', reason: purgeFailure, times: 2 }])
})

test('uses of indexes are of all starts: what a server has counted is read before it is started anew', async () => {
  const uses = [3, 4, 5]
  const indexUse = async () => [{ table: 'order', index: 'order_pkey', uses: uses.shift() as number }]
  const asked: string[] = []
  const machine = {
    snapshot: async () => {},
    restore: async () => void asked.push(`restore after ${3 - uses.length} answers`),
    confine: async () => {},
  }
  const run = candidateWith({ indexUse }, machine)
  await run.visit(async () => {
    await run.takeSnapshot()
    await run.restore(true)
    await run.restore(true)
    await run.withSession(1, (session) => run.countIndexUse(session))
  })
  expect(run.failure).toBeNull()
  expect(asked).toEqual(['restore after 1 answers', 'restore after 2 answers'])
  expect(run.indexUse).toEqual([{ table: 'order', index: 'order_pkey', uses: 12 }])
})

test('a server that cannot tell any more is started on its snapshot all the same, and no use of an index is claimed', async () => {
  const refuse = async () => {
    throw new ServerError('unavailable', 'the connection ended')
  }
  const machine = { snapshot: async () => {}, restore: async () => {}, confine: async () => {} }
  const run = candidateWith({ indexUse: refuse }, machine)
  await run.visit(async () => {
    await run.takeSnapshot()
    expect(await run.restore(true)).toBe(true)
  })
  expect(run.failure).toBeNull()
  expect(run.restores).toBe(1)
  expect(run.indexUse).toBeNull()
})
