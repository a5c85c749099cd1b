/** One suite over all engines, on real servers: every kind of operation against the reference, storage, facts, load, totals. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { driverLane } from '../../src/clients/driver-lane.ts'
import { LaneAnswers } from '../../src/clients/lane-answers.ts'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Compiled, Lane, Session } from '../../src/engines/engine.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { processIds, processTree } from '../../src/host/processes.ts'
import { container } from '../../src/provision/container.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { local } from '../../src/provision/local.ts'
import { thisProcess } from '../../src/provision/owner.ts'
import { type Instance, isUnobtainable, type Provisioner } from '../../src/provision/provision.ts'
import { containerRuntime } from '../../src/provision/runtime.ts'
import { readScenario } from '../../src/scenario/read.ts'
import type { Durability, Operation } from '../../src/scenario/scenario.ts'
import { Reference } from '../../src/verify/reference.ts'
import { verify } from '../../src/verify/verify.ts'
import { Replay } from '../differential/replay.ts'
import { contractedWithPoolers } from './contracted.ts'
import { isExpected } from './obtainable.ts'
import { permittedExcuses } from './permitted.ts'

const scenario = readScenario(fileURLToPath(new URL('./kinds.yaml', import.meta.url)))
const operations = allOperations(scenario)
const dataset = makeDataset(scenario, 1)
const limits = { cpus: 1, memoryBytes: 2 ** 31 }
const { signal } = new AbortController()
/** Both where a container engine answers: what differs is where the server runs, never what it is asked. */
const provisioners: Provisioner[] = [local, ...((await containerRuntime().catch(() => null)) === null ? [] : [container])]

/** What others may see of a process, and its environment. */
function visibleOf(pid: number): string {
  try {
    return ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'latin1')).join('\n')
  } catch {
    return '' // It ended.
  }
}

const wanted = contractedWithPoolers.flatMap((engine) =>
  provisioners.map((provisioner) => [engine.pooler ?? engine.name, provisioner.kind, engine, provisioner] as const),
)
const had = await Promise.all(wanted.map(([, , engine, provisioner]) => isExpected(engine, provisioner)))

describe.each(wanted.filter((_, at) => had[at]))('%s, %s', (name, kind, engine, provisioner) => {
  const directory = makeRunDirectory()
  const model = deriveModel(engine, scenario)
  const [durability, ...weaker] = engine.capabilities.durability as [Durability, ...Durability[]]
  const permitted = permittedExcuses(engine.capabilities, scenario, operations).sort()
  const compiled: Compiled = engine.compile(model, operations, scenario, durability)
  /** The first of these operations that it does not decline. */
  const indexOf = (...names: string[]) =>
    names.map((each) => operations.findIndex((operation) => operation.name === each)).find((index) => compiled.programs[index] !== null) as number
  let instance: Instance
  let session: Session
  let rows = 0
  const reference = new Reference(dataset, operations)

  beforeAll(async () => {
    const started = await provisioner.start({
      engine,
      candidate: name,
      limits,
      durability,
      cores: [0],
      owner: thisProcess(),
      directory,
      signal,
      report: () => {},
    })
    if (isUnobtainable(started)) throw new Error(`no ${name}: ${started.tried.join('; ')}; ${started.mend}`)
    instance = started
    session = await engine.connect(instance.endpoint, compiled, {
      connections: 8,
      alone: true,
      ...(instance.administer === undefined ? {} : { administer: instance.administer }),
    })
    await session.create()
    const halves = [rowSource(dataset, 0, 0.5), rowSource(dataset, 0.5, 1)] as const
    await session.load(halves[0], false)
    await session.load(halves[1], true)
    await session.settle()
    rows = halves[0].rows + halves[1].rows
  }, 180_000)

  afterAll(async () => {
    await session?.[Symbol.asyncDispose]()
    await instance?.[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  }, 60_000)

  /** One that was just thawed or started needs a moment. */
  async function answering(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await engine.ready(instance.endpoint)
        return
      } catch (error) {
        if (attempt > 100) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }

  test('excuses only what is permitted', () => {
    const declined = model.excuses.map((excuse) => excuse.operation).sort()
    expect(declined, `what the model of the ${engine.family} family excuses, beside what these capabilities decline`).toEqual(permitted)
    expect(compiled.programs.flatMap((each, index) => (each === null ? [operations[index]?.name] : [])).sort()).toEqual(permitted)
  })

  test('is structured-cloneable once compiled', () => {
    expect(structuredClone(compiled)).toEqual(compiled)
  })

  test('runs with the settings that were asked for', async () => {
    const { version, parity } = await session.facts(limits)
    expect(version).toMatch(/^\d+\.\d+/)
    expect(parity.filter((each) => !each.ok)).toEqual([])
    const told = parity.map((each) => each.what).join(', ')
    expect(parity.length, `its settings, isolation, uniqueness and referential integrity: ${told}`).toBeGreaterThan(4)
  })

  test('lets in who has the password of this run, and shows it to nobody', async () => {
    const { host, port, namespace, user, password = '' } = instance.endpoint
    expect(password).toMatch(/^\w{32,}$/)
    const shops = async (login: { user?: string; password?: string }) => {
      await using own = await engine.connect({ host, port, namespace, ...login }, compiled, { connections: 1 })
      return (await own.total('shop')).rows
    }
    const named = user === undefined ? {} : { user }
    for (const login of [{}, named, { ...named, password: 'wrong' }, { user: name, password: name }]) await expect(shops(login)).rejects.toThrow()
    expect(await shops({ ...named, password })).toBeGreaterThan(0n)
    for (const pid of processIds()) expect(visibleOf(pid)).not.toContain(password)
    if (kind === 'local')
      for (const place of readdirSync(directory).filter((each) => each.startsWith(name)))
        expect(statSync(join(directory, place)).mode & 0o077).toBe(0)
  })

  test('holds every generated row', async () => {
    let total = 0n
    for (const entity of scenario.entities) total += (await session.total(entity.name)).rows
    expect(total).toBe(BigInt(rows))
    let quantity = 0n
    for (const block of rowSource(dataset, 0, 1).blocks()) {
      const part = block.owned.find((chunk) => chunk.entity === 'part')
      const column = part?.columns.find((each) => each.field.name === 'quantity')
      if (column?.kind === 'numbers') for (const value of column.numbers) quantity += BigInt(value)
    }
    expect((await session.total('part', 'quantity')).sum).toBe(quantity)
  })

  test('reports its storage', async () => {
    const { tables, indexes } = await session.storage()
    expect(tables.length + indexes.length).toBeGreaterThanOrEqual(model.stores.length)
    expect(tables.reduce((sum, table) => sum + table.bytes, 0)).toBeGreaterThan(10_000)
  })

  test('answers every operation like the reference, writes included', async () => {
    const result = await verify(session, 'driver', compiled, dataset, reference, 24, signal)
    expect(result.differences).toEqual([])
    expect(result.checked).toBe(24 * (operations.length - permitted.length))
  }, 120_000)

  test('answers every operation like the reference through the wire client, too', async () => {
    await using lane = await openLane(engine, instance.endpoint, compiled, 2)
    const result = await verify(new LaneAnswers(lane), 'wire', compiled, dataset, reference, 24, signal)
    expect(result.differences).toEqual([])
    expect(result.checked).toBe(24 * (operations.length - permitted.length))
  }, 120_000)

  test('keeps its invariants through a replay, and a second step that is lost is found and named', async () => {
    const whole = operations.findIndex((operation) => operation.name === 'book')
    const declines = compiled.programs[whole] === null
    // One more operation, which does the first step alone: what the replay sends as `book` may be that.
    const faulty = declines ? compiled : engine.compile(model, [...operations, torn(operations[whole] as Operation)], scenario, durability)
    const replay = await Replay.of(session, compiled, dataset, reference)
    const run = async (losesStep: boolean) => {
      await using lane = await openLane(engine, instance.endpoint, faulty, 4)
      const { send } = lane
      if (losesStep)
        lane.send = (slot, operation, params, keep) => send.call(lane, slot, operation === whole ? operations.length : operation, params, keep)
      return await replay.run(lane, 2)
    }
    expect(await run(false)).toEqual([])
    expect(new Set(replay.log.operation).size).toBeGreaterThan(8)
    if (declines) return
    // What an append expects as the version of a seat has not counted it, either.
    expect(await run(true)).toEqual([
      expect.stringMatching(/^acknowledged writes of seat: .* lost \(.*level is -?\d, written by .*step 2 of book/),
      expect.stringMatching(/^seat\.level counts the writes: \d+ written rows read back, [1-9]/),
    ])
  }, 60_000)

  test('explains its reads', async () => {
    const params = new DrawnParameters(dataset, operations, 'explain', 9, scenario.epochMs)
    for (const [index, operation] of operations.entries()) {
      if (compiled.programs[index] === null || !['get', 'list', 'search', 'aggregate'].includes(operation.kind)) continue
      params.next(index)
      const { text, read } = await session.explain(index, params)
      expect(text, operation.name).not.toBe('')
      if (read !== null) expect(read.rows, `${operation.name}: ${text}`).toBeGreaterThanOrEqual(operation.kind === 'aggregate' ? 0 : read.returned)
    }
  })

  test('serves a lane: as many completions as sends, rows counted, errors as codes', async () => {
    const lane: Lane = driverLane(session, 8)
    const params = new DrawnParameters(dataset, operations, 'lane', 10, scenario.epochMs)
    // Nobody deletes shops: of the items the replay above has left what the machine's speed allows.
    const index = indexOf('newest', 'get_shop')
    let completed = 0
    let found = 0
    await new Promise<void>((resolve) => {
      lane.onDone = (slot, outcome, count, _retries, error) => {
        expect(error).toBe('')
        expect(['ok', 'miss']).toContain(outcome)
        completed++
        found += count
        if (completed === 200) resolve()
        else if (completed <= 192) send(slot)
      }
      const send = (slot: number) => {
        params.next(index)
        lane.send(slot, index, params, false)
      }
      for (let slot = 0; slot < 8; slot++) send(slot)
    })
    expect(completed).toBe(200)
    expect(found).toBeGreaterThan(100)
  })

  test('pauses as a whole: no CPU is used until it is resumed', async () => {
    await instance.pause()
    const before = (await instance.sample())?.cpuSeconds
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect((await instance.sample())?.cpuSeconds).toBe(before)
    await instance.resume()
    await answering()
    expect((await session.total('shop')).rows).toBeGreaterThanOrEqual(40n)
  })

  // The threads of a container are none of this process.
  if (kind === 'local')
    test('is bound to its cores, all its threads, and let go again', async () => {
      const masks = () =>
        new Set(
          processTree(process.pid).flatMap((pid) =>
            pid === process.pid
              ? []
              : readdirSync(`/proc/${pid}/task`).map(
                  (task) => /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))?.[1],
                ),
          ),
        )
      const before = masks()
      await instance.confine()
      expect([...masks()]).toEqual(['0'])
      await instance.release()
      expect(masks()).toEqual(before)
    })

  // One that keeps nothing has no snapshot to go back to.
  if (engine.capabilities.dataSurvivesRestart)
    test('goes back to its snapshot: what was written since is gone, what was there before is not', async () => {
      const count = async () => (await session.total('item')).rows
      await session.settle()
      await instance.pause()
      await instance.snapshot?.()
      await instance.resume()
      await answering()
      const before = await count()
      const params = new DrawnParameters(dataset, operations, 'snapshot', 11, scenario.epochMs)
      const add = operations.findIndex((operation) => operation.name === 'add_item')
      for (let each = 0; each < 20; each++) {
        params.next(add)
        await session.perform(add, params)
      }
      expect(await count()).toBe(before + 20n)
      await session[Symbol.asyncDispose]()
      await instance.restore?.()
      await answering()
      session = await engine.connect(instance.endpoint, compiled, {
        connections: 8,
        alone: true,
        ...(instance.administer === undefined ? {} : { administer: instance.administer }),
      })
      expect(await count()).toBe(before)
    }, 120_000)

  test('does at once what it does by itself now and then', async () => {
    await session.maintain()
    expect((await session.total('shop')).rows).toBeGreaterThanOrEqual(40n)
  }, 60_000)

  test.each(weaker)('runs %s where that was asked for', async (weak) => {
    const order = {
      engine,
      candidate: `${name}-${weak}`,
      limits,
      durability: weak,
      cores: [0],
      owner: thisProcess(),
      directory,
      signal,
      report: () => {},
    }
    const started = await provisioner.start(order)
    if (isUnobtainable(started)) throw new Error(`no ${name}`)
    await using second = started
    const relaxed = engine.compile(model, operations, scenario, weak)
    await using own = await engine.connect(
      second.endpoint,
      relaxed,
      second.administer === undefined ? { connections: 1 } : { connections: 1, administer: second.administer },
    )
    await own.create()
    await own.load(rowSource(dataset, 0, 1), true)
    // What has settled is seen at once, by the strictest reader: the first answer after it already counts.
    await own.settle()
    expect((await verify(own, 'driver', relaxed, dataset, new Reference(dataset, operations), 4, signal)).differences).toEqual([])
    const { parity } = await own.facts(limits)
    expect(parity.filter((each) => !each.ok)).toEqual([])
    expect(relaxed.settings).not.toEqual(compiled.settings)
  }, 90_000)

  test('a killed server is a lost connection to both clients, whatever the engine, and nothing of it is left', async () => {
    const tree = processTree(process.pid).length
    const wire = await openLane(engine, instance.endpoint, compiled, 2)
    const index = indexOf('newest', 'get_item')
    const lanes = [driverLane(session, 2), wire].map((lane) => endless(lane, index))
    await Promise.all(lanes.map(({ underWay }) => underWay))
    await instance.kill()
    await instance.exited
    // Calls that were under way end, too: a client that forgets them would let a replay wait for ever.
    for (const { ended } of lanes) for (const error of await ended) expect(error.split(' ')[0]).toBe('connection-lost')
    await expect(session.total('shop')).rejects.toMatchObject({ name: 'ServerError', code: 'connection-lost' })
    await wire[Symbol.asyncDispose]()
    if (kind === 'local') expect(processTree(process.pid).length).toBeLessThan(tree)
  }, 60_000)
})

/** Two calls at any time, each followed by the next, until both ended in an error. */
function endless(lane: Lane, operation: number): { underWay: Promise<void>; ended: Promise<string[]> } {
  const params = new DrawnParameters(dataset, operations, 'lost', 12, scenario.epochMs)
  const [underWay, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<string[]>()]
  const errors: string[] = []
  let answered = 0
  const send = (slot: number) => {
    params.next(operation)
    lane.send(slot, operation, params, false)
    lane.flush()
  }
  lane.onDone = (slot, _outcome, _rows, _retries, error) => {
    if (error !== '' && errors.push(error) === 2) ended.resolve(errors)
    if (error !== '') return
    if (++answered === 50) underWay.resolve()
    send(slot)
  }
  send(0)
  send(1)
  return { underWay: underWay.promise, ended: ended.promise }
}

/** The first step of a transaction; its parameters come first, too. */
function torn(operation: Operation): Operation {
  if (operation.kind !== 'transaction') throw new Error(`${operation.name} is no transaction`)
  return { ...operation, name: `half of ${operation.name}`, steps: operation.steps.slice(0, 1) }
}
