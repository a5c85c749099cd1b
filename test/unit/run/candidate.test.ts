/** What ends a candidate, what ends the run, and what is kept beside both. */
import { expect, test } from 'vitest'
import { ServerError } from '../../../src/clients/server-error.ts'
import type { Engine, Session } from '../../../src/engines/engine.ts'
import { engines } from '../../../src/engines/registry.ts'
import { TrialError } from '../../../src/errors.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import type { Exit, Instance } from '../../../src/provision/provision.ts'
import { CandidateRun, type RunContext } from '../../../src/run/candidate.ts'
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

function candidateWith(session: Partial<Session>, instance: Partial<Instance> = {}): CandidateRun {
  const engine = {
    ...real,
    ready: async () => '1.0',
    connect: async () => ({ [Symbol.asyncDispose]: async () => {}, ...session }),
  } as unknown as Engine
  const compiled = real.compile(deriveModel(real.family, scenario), operations, scenario, 'fsync')
  const run = new CandidateRun({ name: 'tried', engine: engine.name, durability: 'fsync' } as never, engine, compiled, context, [])
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
