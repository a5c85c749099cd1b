/** Stores with a cache in front: every answer is right, whichever of the two gave it, writes take out what they change, and both are one candidate. */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { LaneAnswers } from '../../src/clients/lane-answers.ts'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { rowSource } from '../../src/data/rows.ts'
import { canonical } from '../../src/data/value.ts'
import { engineOf, engines } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { usageOf } from '../../src/host/processes.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { local } from '../../src/provision/local.ts'
import { isUnobtainable } from '../../src/provision/provision.ts'
import { provisionWhole } from '../../src/provision/with-cache.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { Reference } from '../../src/verify/reference.ts'
import { verify } from '../../src/verify/verify.ts'
import { orderOf } from '../e2e/commands.ts'

const directory = makeRunDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const scenario = readScenario(fileURLToPath(new URL('cached.yaml', import.meta.url)))
const operations = allOperations(scenario)
const dataset = makeDataset(scenario, 1)
const [candidate] = scenario.candidates
const spec = candidate?.cache as NonNullable<typeof candidate>['cache'] & object
const { signal } = new AbortController()
const caches = engines.filter((engine) => engine.caching !== undefined).map(({ name }) => name)
const stores = engines.filter(({ capabilities }) => capabilities.atomicity === 'rows' && capabilities.rollback).map(({ name }) => name)
/** Each cache before one store, each store behind one cache. */
const pairs = [
  ...caches.map((cache) => [stores[0] as string, cache] as const),
  ...stores.slice(1).map((store) => [store, caches[0] as string] as const),
]

async function started(store: string, cache: string, ttlMs = spec.ttlMs) {
  const engine = engineOf({ engine: store, cache: { ...spec, engine: cache, ttlMs } })
  const instance = await provisionWhole([local], { ...orderOf(engine, directory), durability: 'relaxed' })
  if (isUnobtainable(instance)) throw new Error(instance.tried.join())
  const compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, 'relaxed')
  {
    await using session = await engine.connect(instance.endpoint, compiled, { connections: 2, alone: true })
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
  }
  return { engine, instance, compiled }
}
const indexOf = (name: string) => operations.findIndex((each) => each.name === name)

test.each(pairs)(
  '%s behind %s: right answers, through both clients, of both servers',
  async (store, cache) => {
    const { engine, instance, compiled } = await started(store, cache)
    await using _ = instance
    expect(instance.version).toMatch(/^\d\S* behind \d/)
    await using session = await engine.connect(instance.endpoint, compiled, { connections: 4 })
    const { parity } = await session.facts({ cpus: 1, memoryBytes: 2 ** 30 })
    expect(parity.filter(({ ok }) => !ok)).toEqual([])
    expect(parity.find(({ what }) => what === 'cache in front')?.set).toBe('cache-aside, 60 s, for get_product, product_card, get_order')

    const reference = new Reference(dataset, operations)
    const driver = await verify(session, 'driver', compiled, dataset, reference, 24, signal)
    expect(driver.differences).toEqual([])
    await using lane = await openLane(engine, instance.endpoint, compiled, 1)
    const wire = await verify(new LaneAnswers(lane), 'wire', compiled, dataset, reference, 24, signal)
    expect(wire.differences).toEqual([])
    // What is asked twice was compared twice.
    expect(wire.byOperation.get_product?.checked).toBe(48)

    // A row is in the cache once it was read, by either client, and gone once it is written.
    const params = new DrawnParameters(dataset, operations, 'cached', 9, scenario.epochMs)
    params.next(indexOf('get_product'))
    await session.perform(indexOf('get_product'), params)
    const told = await session.perform(indexOf('get_product'), params)
    expect(told.cachedNs).toBeGreaterThan(0)
    let isCached: boolean | undefined
    const asked = await new Promise<string>((resolve) => {
      let answer = ''
      lane.onAnswer = (_slot, found) => (answer = canonical(found))
      lane.onDone = (_slot, _outcome, _rows, _retries, _error, cached) => {
        isCached = cached
        resolve(answer)
      }
      lane.send(0, indexOf('get_product'), params, true)
    })
    expect(isCached).toBe(true)
    expect(asked).toBe(canonical(told.answer()))

    // Both are paused, and what both used is told.
    const processes = await instance.processes()
    const used = (await instance.sample())?.cpuSeconds ?? 0
    expect(Math.abs(used - usageOf(processes).cpuSeconds)).toBeLessThan(0.5)
    await instance.pause()
    const paused = (await instance.sample())?.cpuSeconds
    await sleep(200)
    expect((await instance.sample())?.cpuSeconds).toBe(paused)
    await instance.resume()
  },
  180_000,
)

test('what a write through one client changed is out of the cache for the other, by key and by what it refers to', async () => {
  const { engine, instance, compiled } = await started(pairs[0]?.[0] as string, pairs[0]?.[1] as string)
  await using _ = instance
  await using session = await engine.connect(instance.endpoint, compiled, { connections: 2 })
  await using lane = await openLane(engine, instance.endpoint, compiled, 1)
  const wire = new LaneAnswers(lane)
  const params = new DrawnParameters(dataset, operations, 'changes', 10, scenario.epochMs)
  const get = indexOf('get_product')
  const keyOf = (value: unknown) => Buffer.from(value as Uint8Array).toString('hex')
  const isKept = async (key: Uint8Array) =>
    (await session.perform(get, { next: () => {}, value: () => key, values: () => [key] })).cachedNs !== undefined
  for (const name of ['reprice', 'put_product'])
    for (const client of [session, wire]) {
      params.force = { miss: false }
      params.next(indexOf(name))
      const key = params.value(0) as Uint8Array
      await isKept(key)
      expect(await isKept(key), name).toBe(true)
      await client.perform(indexOf(name), params)
      expect(await isKept(key), name).toBe(false)
    }
  for (const client of [session, wire]) {
    params.next(indexOf('place_order'))
    const targets = params
      .values()
      .find(
        (value): value is Uint8Array[][] =>
          Array.isArray(value) && Array.isArray(value[0]) && value[0]?.length === 2 && value[0][0] instanceof Uint8Array,
      )
    const [key] = targets?.[0] ?? []
    await isKept(key as Uint8Array)
    expect(await isKept(key as Uint8Array), keyOf(key)).toBe(true)
    await client.perform(indexOf('place_order'), params)
    expect(await isKept(key as Uint8Array)).toBe(false)
  }
}, 120_000)

test('what it holds goes when its time is over, and is gone when either server was started anew', async () => {
  const { engine, instance, compiled } = await started(pairs[0]?.[0] as string, pairs[0]?.[1] as string, 1000)
  await using _ = instance
  const params = new DrawnParameters(dataset, operations, 'old', 11, scenario.epochMs)
  params.next(indexOf('get_product'))
  {
    await using session = await engine.connect(instance.endpoint, compiled, { connections: 1 })
    const ask = async () => (await session.perform(indexOf('get_product'), params)).cachedNs !== undefined
    expect([await ask(), await ask()]).toEqual([false, true])
    await sleep(1100)
    expect(await ask()).toBe(false)
  }
  await instance.pause()
  await instance.snapshot?.()
  await instance.resume()
  for (const anew of ['restore', 'restart'] as const) {
    if (anew === 'restart') await instance.kill()
    await instance[anew]?.()
    await using session = await engine.connect(instance.endpoint, compiled, { connections: 1 })
    const reply = await session.perform(indexOf('get_product'), params)
    expect([reply.outcome, reply.cachedNs]).toEqual(['ok', undefined])
  }
}, 120_000)

test('the end of the cache is the end of the candidate', async () => {
  const { instance } = await started(pairs[0]?.[0] as string, pairs[0]?.[1] as string)
  await using _ = instance
  process.kill((await instance.processes()).at(-1) as number, 'SIGKILL')
  expect((await instance.exited).signal).toBe('SIGKILL')
}, 120_000)
