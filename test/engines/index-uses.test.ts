/** What a server tells of its indexes: all that connections used which have ended, and nothing of the start before. A run adds up by both. */
import { rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { rowSource } from '../../src/data/rows.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { small, startLocally } from '../e2e/commands.ts'

const directory = makeRunDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const calls = 200

test('counters begin anew on a snapshot', async () => {
  const scenario = readScenario(small)
  const operations = allOperations(scenario)
  const dataset = makeDataset(scenario, 0.01)
  const engine = engineNamed('postgres')
  const compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, 'fsync')
  await using instance = await startLocally(engine, directory)
  const uses = async () => {
    await using session = await engine.connect(instance.endpoint, compiled, { connections: 1 })
    return (await session.indexUse()).reduce((sum, each) => sum + each.uses, 0)
  }
  const prepare = async () => {
    await using session = await engine.connect(instance.endpoint, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
  }
  const read = async () => {
    await using lane = await openLane(engine, instance.endpoint, compiled, 1)
    const params = new DrawnParameters(dataset, operations, 'uses', 9, scenario.epochMs)
    const get = operations.findIndex(({ name }) => name === 'read')
    for (let call = 0; call < calls; call++)
      await new Promise<void>((resolve) => {
        lane.onDone = () => resolve()
        params.next(get)
        lane.send(0, get, params, false)
        lane.flush()
      })
  }
  await prepare()
  await instance.pause()
  await instance.snapshot?.()
  await instance.resume()
  const before = await uses()
  await read()
  // A process of the server that ends tells what it counted a moment after its client has left.
  await expect.poll(async () => (await uses()) - before, { timeout: 5000 }).toBeGreaterThanOrEqual(calls)
  await instance.restore?.()
  expect(await uses()).toBeLessThan(calls)
}, 60_000)
