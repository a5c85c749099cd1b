/** Servers behind a pooler: both are one candidate, with one end and one CPU, and clients are more than connections of the server. */
import { readFileSync, rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { rowSource } from '../../src/data/rows.ts'
import { engineNamed, engineOf, knownEngines, pooledEngines } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { cpuSecondsOfThread } from '../../src/host/processes.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { local } from '../../src/provision/local.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { orderOf, small, startLocally } from '../e2e/commands.ts'

const directory = makeRunDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const scenario = readScenario(small)
const operations = allOperations(scenario)
const dataset = makeDataset(scenario, 0.01)
const clients = 100
const nameOf = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'latin1').trim()

test.each(pooledEngines.map((engine) => [`${engine.name} behind ${engine.pooler}`, engine] as const))(
  '%s: one candidate with one end',
  async (_, engine) => {
    expect(engineOf({ engine: engine.name, pooler: engine.pooler as string })).toBe(engine)
    expect(knownEngines.find(({ name }) => name === engine.name)?.poolers).toContain(engine.pooler)
    const compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, 'fsync')
    await using instance = await startLocally(engine, directory)
    expect(instance.version).toMatch(new RegExp(`^\\d.* behind ${engine.pooler}`, 'i'))
    await using session = await engine.connect(instance.endpoint, compiled, { connections: 2 })
    expect((await session.facts({ cpus: 1, memoryBytes: 2 ** 30 })).parity.find(({ what }) => what === 'pooler')).toMatchObject({ ok: true })
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)

    const before = (await instance.processes()).length
    await using lane = await openLane(engine, instance.endpoint, compiled, clients)
    const params = new DrawnParameters(dataset, operations, 'pooled', 9, scenario.epochMs)
    const read = operations.findIndex(({ name }) => name === 'read')
    const outcomes = new Map<string, number>()
    await new Promise<void>((resolve) => {
      let completed = 0
      lane.onDone = (slot, outcome, _rows, _retries, error) => {
        outcomes.set(`${outcome} ${error}`, (outcomes.get(`${outcome} ${error}`) ?? 0) + 1)
        if (++completed === 30 * clients) resolve()
        else if (completed <= 29 * clients) send(slot)
      }
      const send = (slot: number) => {
        params.next(read)
        lane.send(slot, read, params, false)
        lane.flush()
      }
      for (let slot = 0; slot < clients; slot++) send(slot)
    })
    expect([...outcomes.keys()].filter((each) => !/^(ok|miss) $/.test(each))).toEqual([])
    expect((await instance.processes()).length - before).toBeLessThan(clients / 2)

    // What the pooler used is part of what the candidate used.
    const pooler = (await instance.processes()).find((pid) => nameOf(pid) === engine.pooler) as number
    const own = cpuSecondsOfThread(`/proc/${pooler}/stat`) as number
    expect(own).toBeGreaterThan(0)
    expect((await instance.sample())?.cpuSeconds).toBeGreaterThanOrEqual(own)

    process.kill(pooler, 'SIGKILL')
    await instance.exited
    await instance.restart?.()
    expect(await engine.ready(instance.endpoint)).toBe(instance.version)
  },
  90_000,
)

test('where the pooler is not installed the mend is what to install', async () => {
  const [engine] = pooledEngines
  if (engine === undefined) return
  const beside = { program: 'no-such-pooler', hint: 'install it' }
  const without = { ...engine, server: { ...engine.server, beside } }
  expect(await local.probe(without)).toEqual({ usable: 'no', what: 'no no-such-pooler on the PATH', fix: 'install it' })
  expect(await local.start(orderOf(without, directory))).toEqual({
    unobtainable: true,
    tried: ['no no-such-pooler on the PATH'],
    mend: 'install it',
  })
  expect(() => engineOf({ engine: engine.name, pooler: 'no-such-pooler' })).toThrow(/no pooler "no-such-pooler"/)
  expect(engineOf({ engine: engine.name })).toBe(engineNamed(engine.name))
})
