/** One server per engine for many scenarios: each is loaded into a namespace of its own, and every answer compared with the reference. */
import { rmSync } from 'node:fs'
import { LaneAnswers } from '../../src/clients/lane-answers.ts'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Endpoint, Engine } from '../../src/engines/engine.ts'
import { messageOf } from '../../src/errors.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { local } from '../../src/provision/local.ts'
import { thisProcess } from '../../src/provision/owner.ts'
import { type Instance, isUnobtainable } from '../../src/provision/provision.ts'
import type { Durability, Scenario } from '../../src/scenario/scenario.ts'
import type { Shares } from '../../src/scenario/shares.ts'
import { Reference } from '../../src/verify/reference.ts'
import { verify } from '../../src/verify/verify.ts'
import { Replay } from './replay.ts'
import { shortLived } from './short-lived.ts'

export interface Findings {
  /** What differs from the reference; empty: the engine is right. */
  wrong: string[]
  excuses: string[]
  checked: number
}

const { signal } = new AbortController()
const maxShown = 6
const strongest = ({ capabilities }: Engine) => capabilities.durability[0] as Durability

export class TestBed implements AsyncDisposable {
  readonly #directory = makeRunDirectory()
  readonly #servers = new Map<string, Promise<Instance>>()
  #namespaces = 0

  /** Loads the scenario, then compares the answers of both clients, writes included, and the totals; where asked for, replays it and checks the invariants. */
  async try(engine: Engine, scenario: Scenario, answersPerOperation = 24, replaySeconds = 0, shares: Shares | number = 1): Promise<Findings> {
    const findings: Findings = { wrong: [], excuses: [], checked: 0 }
    let step = 'compile'
    try {
      const operations = allOperations(scenario)
      const compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, strongest(engine))
      findings.excuses = operations.flatMap((operation, index) => (compiled.programs[index] === null ? [operation.name] : []))
      const dataset = makeDataset(scenario, shares)
      step = 'start'
      const instance = await this.server(engine)
      const reference = new Reference(dataset, operations)
      const namespace = await engine.external.create(instance.endpoint, `dbtrial_bed_${++this.#namespaces}`)
      const endpoint: Endpoint = { ...instance.endpoint, namespace }
      try {
        step = 'connect'
        // Without the administration tool, which may take longer to start than all of this: the contract suite has it.
        await using session = await engine.connect(endpoint, compiled, { connections: 8 })
        step = 'create'
        await session.create()
        step = 'load'
        await session.load(rowSource(dataset, 0, 0.5), false)
        await session.load(rowSource(dataset, 0.5, 1), true)
        step = 'settle'
        await session.settle()
        step = 'verify driver'
        const { wrong } = findings
        const collect = (result: Awaited<ReturnType<typeof verify>>) => {
          findings.checked += result.checked
          if (result.wrong > 0) wrong.push(`${result.wrong} of ${result.checked} answers wrong`)
          for (const each of result.differences.slice(0, maxShown))
            wrong.push(`${each.client} ${each.operation}(${each.parameters}): expected ${each.expected} got ${each.got}`)
        }
        collect(await verify(session, 'driver', compiled, dataset, reference, answersPerOperation, signal))
        step = 'verify wire'
        await using lane = await openLane(engine, endpoint, compiled, 2)
        collect(await verify(new LaneAnswers(lane), 'wire', compiled, dataset, reference, answersPerOperation, signal))
        step = 'totals'
        for (const entity of scenario.entities) {
          // Expired rows may or may not have been removed.
          if (entity.ttlMs !== null || entity.owner !== null) continue
          const [expected, got] = [reference.total(entity.name).rows, (await session.total(entity.name)).rows]
          if (expected !== got) wrong.push(`rows of ${entity.name}: reference ${expected}, engine ${got}`)
          for (const field of entity.fields.filter((each) => each.type === 'int' || each.type === 'decimal')) {
            const [sum, own] = [reference.total(entity.name, field.name).sum, (await session.total(entity.name, field.name)).sum]
            if (sum !== own) wrong.push(`sum of ${entity.name}.${field.name}: reference ${sum}, engine ${own}`)
          }
        }
        if (replaySeconds > 0 && wrong.length === 0) {
          step = 'replay'
          const replay = await Replay.of(session, compiled, dataset, reference)
          await using lane = await openLane(engine, endpoint, compiled, 4)
          wrong.push(...(await replay.run(lane, replaySeconds)))
        }
      } finally {
        await engine.external.drop(endpoint, namespace).catch(() => {})
      }
    } catch (error) {
      findings.wrong.push(`${step}: ${messageOf(error)}`)
    }
    return findings
  }

  /** On the engine's server, in a namespace of its own, which is dropped afterwards. */
  async inNamespace<T>(engine: Engine, work: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    const { endpoint } = await this.server(engine)
    const namespace = await engine.external.create(endpoint, `dbtrial_own_${++this.#namespaces}`)
    try {
      return await work({ ...endpoint, namespace })
    } finally {
      await engine.external.drop(endpoint, namespace)
    }
  }

  server(engine: Engine): Promise<Instance> {
    const started = this.#servers.get(engine.name) ?? this.#start(engine)
    this.#servers.set(engine.name, started)
    return started
  }

  async #start(engine: Engine): Promise<Instance> {
    const instance = await local.start({
      engine: shortLived(engine),
      candidate: engine.name,
      limits: { cpus: 1, memoryBytes: 2 ** 31 },
      durability: strongest(engine),
      cores: [0, 1],
      owner: thisProcess(),
      directory: this.#directory,
      signal,
      report: () => {},
    })
    if (isUnobtainable(instance)) throw new Error(`no ${engine.name}: ${instance.tried.join('; ')}; ${instance.mend}`)
    return instance
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) await server.then((instance) => instance[Symbol.asyncDispose]()).catch(() => {})
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
