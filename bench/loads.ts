/** `make loads`: how fast each engine is loaded in a container, and who worked meanwhile: the generation of the rows, this process, the server. */
import { rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { makeDataset } from '../src/data/dataset.ts'
import { type RowSource, rowSource } from '../src/data/rows.ts'
import type { Engine } from '../src/engines/engine.ts'
import { engineNamed } from '../src/engines/registry.ts'
import { allOperations, deriveModel } from '../src/families/derive.ts'
import { container } from '../src/provision/container.ts'
import { makeRunDirectory } from '../src/provision/directories.ts'
import { thisProcess } from '../src/provision/owner.ts'
import { type Instance, isUnobtainable } from '../src/provision/provision.ts'
import { planFor } from '../src/run/bench.ts'
import { readScenario } from '../src/scenario/read.ts'
import { columns } from '../src/terminal/tables.ts'

const [names = 'postgres,mongodb,cassandra,redis', scenarioName = 'ecommerce', repeats = '1'] = process.argv.slice(2)
const scenario = readScenario(scenarioName)
const dataset = makeDataset(scenario, planFor(scenario, 'quick').shares)
const { signal } = new AbortController()
const directory = makeRunDirectory()

interface Loaded {
  rows: number
  seconds: number
  generationSeconds: number
  harnessCpuSeconds: number
  serverCpuSeconds: number
  settleSeconds: number
  tables: { name: string; bytes: number }[][]
}

/** The same rows, with the time that it takes to make them told. */
function timed(source: RowSource, told: (seconds: number) => void): RowSource {
  return {
    get rows() {
      return source.rows
    },
    *blocks() {
      const blocks = source.blocks()[Symbol.iterator]()
      for (;;) {
        const start = performance.now()
        const { done, value } = blocks.next()
        if (done === true) return
        for (const chunk of [value, ...value.owned]) void chunk.columns
        told((performance.now() - start) / 1000)
        yield value
      }
    },
  }
}

async function load(engine: Engine): Promise<Loaded> {
  const compiled = engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, scenario.requirements.durability)
  const limits = { cpus: scenario.bench.cpus, memoryBytes: scenario.bench.memoryBytes }
  const instance: Instance = await started(engine, limits)
  await using _server = instance
  await using session = await engine.connect(instance.endpoint, compiled, {
    connections: 1,
    alone: true,
    ...(instance.administer === undefined ? {} : { administer: instance.administer.bind(instance) }),
  })
  await session.create()
  const before = { cpu: process.cpuUsage(), server: (await instance.sample())?.cpuSeconds ?? 0 }
  const loaded: Loaded = {
    rows: 0,
    seconds: 0,
    generationSeconds: 0,
    harnessCpuSeconds: 0,
    serverCpuSeconds: 0,
    settleSeconds: 0,
    tables: [],
  }
  for (const [from, to] of [
    [0, 0.5],
    [0.5, 1],
  ] as const) {
    const rows = rowSource(dataset, from, to, signal)
    const start = performance.now()
    await session.load(
      // PostgreSQL's rows are written straight from their generators.
      engine.name === 'postgres' ? rows : timed(rows, (seconds) => (loaded.generationSeconds += seconds)),
      to === 1,
    )
    const end = performance.now()
    const { user, system } = process.cpuUsage(before.cpu)
    const server = (await instance.sample())?.cpuSeconds ?? Number.NaN
    loaded.rows += rows.rows
    loaded.seconds += (end - start) / 1000
    loaded.harnessCpuSeconds += (user + system) / 1e6
    loaded.serverCpuSeconds += server - before.server
    const settling = performance.now()
    await session.settle()
    loaded.settleSeconds += (performance.now() - settling) / 1000
    loaded.tables.push((await session.storage()).tables)
    before.cpu = process.cpuUsage()
    before.server = (await instance.sample())?.cpuSeconds ?? Number.NaN
  }
  return loaded
}

async function started(engine: Engine, limits: { cpus: number; memoryBytes: number }): Promise<Instance> {
  const instance = await container.start({
    engine,
    candidate: engine.name,
    limits,
    durability: scenario.requirements.durability,
    cores: [cpus().length - 1],
    owner: thisProcess(),
    directory,
    signal,
    report: () => {},
  })
  if (isUnobtainable(instance)) throw new Error(`no ${engine.name}: ${instance.tried.join('; ')}; ${instance.mend}`)
  return instance
}

const rows: string[][] = [['engine', 'rows', 's', 'rows/s', 'generation s', 'harness CPU s', 'server CPU s', 'settle s', 'MB at half', 'MB']]
try {
  for (const name of names.split(','))
    for (let repeat = 0; repeat < Number(repeats); repeat++) {
      const loaded = await load(engineNamed(name))
      const megabytes = loaded.tables.map((tables) => (tables.reduce((sum, each) => sum + each.bytes, 0) / 1e6).toFixed(1))
      const seconds = [loaded.generationSeconds, loaded.harnessCpuSeconds, loaded.serverCpuSeconds, loaded.settleSeconds]
      rows.push([
        name,
        loaded.rows.toLocaleString('en'),
        loaded.seconds.toFixed(1),
        Math.round(loaded.rows / loaded.seconds).toLocaleString('en'),
        ...seconds.map((each) => each.toFixed(1)),
        ...megabytes,
      ])
      console.log(rows.at(-1)?.join('  '))
    }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
console.log(columns(rows))
