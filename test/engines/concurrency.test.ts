/** So many operations are in flight as the trial says, whatever the number of workers: on a real server. */
import { rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { makeDataset } from '../../src/data/dataset.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { realClock } from '../../src/replay/clock.ts'
import { WorkerPool } from '../../src/replay/pool.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { small, startLocally } from '../e2e/commands.ts'

const directory = makeRunDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('one in flight is one with two workers, and three are three', async () => {
  const scenario = readScenario(small)
  const engine = engineNamed('redis')
  const compiled = engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'relaxed')
  await using server = await startLocally(engine, directory)
  await engine.ready(server.endpoint)
  await using pool = new WorkerPool(2)
  const { shares } = makeDataset(scenario, 0.01)
  for (const concurrency of [1, 3]) {
    await pool.open({ client: 'wire', compiled, endpoint: server.endpoint, shares, connections: concurrency })
    const ratesPerSecond = compiled.operations.map(({ name }) => (name === 'read' ? 1 : 0))
    const spec = { loop: 'closed', arrival: 'poisson', ratesPerSecond, concurrency, warmUpSeconds: 0.5, seconds: 1, seed: 1, stream: 'x' } as const
    const recording = await pool.run({ spec, block: 100 + concurrency, nowMs: scenario.epochMs, startNs: realClock.nowNs() })
    const read = recording.operations[compiled.operations.findIndex(({ name }) => name === 'read')]
    // Little's law: what is in flight is what comes per second times how long it stays.
    const inFlight = ((read?.completed ?? 0) / recording.seconds) * ((read?.service.meanNs ?? 0) / 1e9)
    expect(inFlight).toBeGreaterThan(concurrency * 0.6)
    expect(inFlight).toBeLessThan(concurrency * 1.05)
    await pool.close()
  }
}, 60_000)
