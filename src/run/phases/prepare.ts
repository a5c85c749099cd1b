/** Everything before the first timed operation: load in two shares, settle, verify, explain. */

import { LaneAnswers } from '../../clients/lane-answers.ts'
import { DrawnParameters } from '../../data/drawn.ts'
import { rowSource } from '../../data/rows.ts'
import { planInWords, type Session } from '../../engines/engine.ts'
import { messageOf, rethrowOwnFault, TrialError } from '../../errors.ts'
import type { Instance } from '../../provision/provision.ts'
import { writesOf } from '../../scenario/scenario.ts'
import { takeTotals } from '../../verify/invariants.ts'
import { addVerification, blocks, verify } from '../../verify/verify.ts'
import type { CandidateRun } from '../candidate.ts'
import type { RunContext } from '../orders.ts'
import { securityParity } from './security.ts'

/** Storage is measured at two shares of one load: the slope is what a row costs. */
const firstShare = 0.5

export async function loadCandidate(run: CandidateRun, { dataset, signal }: RunContext): Promise<void> {
  await run.withSession(1, async (session) => {
    await session.create()
    let seconds = 0
    let rows = 0
    for (const [from, to] of [
      [0, firstShare],
      [firstShare, 1],
    ] as const) {
      const source = rowSource(dataset, from, to, signal)
      const start = performance.now()
      await session.load(source, to === 1)
      seconds += (performance.now() - start) / 1000
      rows += source.rows
      if (to < 1) await recordStorage(run, session, to, rows)
    }
    run.load = { rows, seconds }
  })
}

async function recordStorage(run: CandidateRun, session: Session, share: number, rows: number): Promise<void> {
  await session.settle()
  run.storage.push({ share, rows, ...(await session.storage()) })
}

/** Flushes, takes the sizes on disk, and asks the server what it runs with. */
export async function settleCandidate(run: CandidateRun, instance: Instance): Promise<void> {
  await run.withSession(1, async (session) => {
    await recordStorage(run, session, 1, run.load?.rows ?? 0)
    const { scenario } = run.compiled
    const { parity } = await session.facts({ cpus: scenario.bench.cpus, memoryBytes: scenario.bench.memoryBytes })
    if (scenario.bench.security === 'on') parity.push(...(await securityParity(run.engine, instance.endpoint, scenario)))
    run.parity = parity
    // What follows from the limits is no promise of a server whose limits are unknown.
    const broken = parity.filter((each) => !each.ok && !(each.sizing === true && instance.kind === 'external'))
    if (broken.length > 0) {
      throw new TrialError(
        'parity-mismatch',
        `the server does not run with what was asked: ${broken.map((each) => `${each.what} is ${each.effective}, asked was ${each.set}`).join('; ')}`,
      )
    }
  })
}

/** Through all its clients; a candidate that answers wrong is not measured: it failed. */
export async function verifyCandidate(run: CandidateRun, context: RunContext): Promise<void> {
  await verifyBoth(run, context)
  // Of what both sides hold now, the writes of the verification included: the reference knows them.
  if (!context.plan.budget.compares) return
  await run.withSession(1, (session) => session.settle())
  await run.takeSnapshot()
}

async function verifyBoth(run: CandidateRun, { dataset, plan, signal }: RunContext): Promise<void> {
  const reference = run.makeReference()
  await run.withOperations(16, async (session) => {
    run.verification = await verify(session, 'driver', run.compiled, dataset, reference, plan.answersPerOperation, signal)
    await using lane = await run.openWire(1)
    if (lane !== null)
      addVerification(
        run.verification,
        await verify(new LaneAnswers(lane), 'wire', run.compiled, dataset, reference, plan.answersPerOperation, signal),
      )
    if (run.verification.wrong > 0) {
      const [first] = run.verification.differences
      throw new TrialError(
        'wrong-answers',
        `${run.verification.wrong} of ${run.verification.checked} answers were wrong, first in ${first?.operation}`,
      )
    }
  })
  await run.withSession(1, async (session) => {
    run.explanations = await explain(run, session, dataset)
    run.totals = await takeTotals(session, dataset.scenario)
    run.verified = true
  })
}

async function explain(run: CandidateRun, session: Session, dataset: RunContext['dataset']): Promise<CandidateRun['explanations']> {
  const params = new DrawnParameters(dataset, run.compiled.operations, 'explanation', blocks.explanation, run.nowMs)
  const plans: CandidateRun['explanations'] = []
  for (const index of run.supported) {
    const operation = run.compiled.operations[index]
    if (operation === undefined || writesOf(operation).length > 0) continue
    params.next(index)
    const { text: plan, ...told } = await session.explain(index, params).catch((error: unknown) => {
      rethrowOwnFault(error)
      return planInWords(`not explained: ${messageOf(error)}`)
    })
    plans.push({ operation: operation.name, plan, ...told })
  }
  return plans
}
