/** Scale-up on a real server: a server of one size is loaded, warmed and measured like any other; the law of three sizes is pure. */
import { rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { doublingOf } from '../../src/assess/capacity/scaling.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { WorkerPool } from '../../src/replay/pool.ts'
import { CandidateRun } from '../../src/run/candidate.ts'
import type { RunContext } from '../../src/run/orders.ts'
import { throughputOf } from '../../src/run/phases/sizes.ts'
import { planTrials } from '../../src/run/plan.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { small, startLocally } from '../e2e/commands.ts'

const directory = makeRunDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('a size is measured', async () => {
  const scenario = readScenario(small)
  const engine = engineNamed('postgres')
  const plan = planTrials(scenario, 'smoke', [engine.pace])
  const dataset = makeDataset(scenario, plan.shares)
  await using pool = new WorkerPool(1, true)
  const context: RunContext = {
    dataset,
    plan,
    pool,
    signal: new AbortController().signal,
    harnessCores: () => null,
    pauses: () => null,
    device: null,
    hostSpeed: () => null,
    fullSpeedUs: () => null,
    start: 1,
    laws: new Map(),
    blockOf: () => 1000,
    commonMix: () => new Set(scenario.operations.map((_, index) => index)),
  }
  const candidate = { name: 'postgres-1', engine: 'postgres', durability: 'fsync' as const }
  const run = new CandidateRun(
    candidate,
    engine,
    engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'fsync'),
    context,
    [],
  )
  run.attach(await startLocally(engine, directory))
  try {
    const best = await throughputOf(run, context)
    expect(run.failure).toBeNull()
    expect(best?.throughputPerSecond).toBeGreaterThan(50)
    expect(plan.budget.concurrencies).toContain(best?.connections)
  } finally {
    await run.stop()
  }
}, 120_000)

test('three sizes tell what a doubling gains; fewer tell nothing', () => {
  const at = (cpus: number, exponent: number) => ({ cpus, throughputPerSecond: 1000 * cpus ** exponent })
  expect(doublingOf([1, 2, 4].map((cpus) => at(cpus, Math.log2(1.6))))?.mid).toBeCloseTo(0.8, 9)
  expect(doublingOf([at(1, 1), at(2, 1)])).toBeNull()
  const bent = doublingOf([at(1, 1), at(2, 1), at(4, 0.8)])
  expect(bent?.low).toBeLessThan(bent?.mid as number)
  expect(bent?.high).toBeCloseTo(1, 9)
})

test('a plan names sizes that this machine cannot have', () => {
  const scenario = readScenario(small)
  scenario.bench.sizes = [1, 2, 4]
  const pace = engineNamed('postgres').pace
  expect(planTrials(scenario, 'quick', [pace], false, 'wire', 8).sizes).toEqual([1, 2, 4])
  const here = planTrials(scenario, 'quick', [pace], false, 'wire', 2)
  expect(here.sizes).toEqual([])
  expect(here.warnings.join()).toMatch(/1 of them leave a core of this machine's 2 to the harness, 3 are needed: scale-up is assumed/)
})
