/** One work done by us and by a native tool, in turns, both on the same core; what each managed, and what its client's CPU cost. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { makeDataset } from '../../src/data/dataset.ts'
import type { ClientKind, Compiled, Engine } from '../../src/engines/engine.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { local } from '../../src/provision/local.ts'
import { thisProcess } from '../../src/provision/owner.ts'
import { type Instance, isUnobtainable } from '../../src/provision/provision.ts'
import { realClock } from '../../src/replay/clock.ts'
import { WorkerPool } from '../../src/replay/pool.ts'
import { parseScenario } from '../../src/scenario/read.ts'
import type { Durability, Scenario } from '../../src/scenario/scenario.ts'

/** The clients' core; the server has the other one. */
export const clientCore = 0
const serverCore = 1

export interface Side {
  perSecond: number
  /** Client CPU per operation, µs. */
  cpuUsPerOp: number
}
export interface Contest {
  work: string
  peer: string
  goals: Goal[]
  ours(): Promise<Side>
  theirs(): Promise<Side>
}
export interface Goal {
  of: 'throughput' | 'client CPU'
  least?: number
  most?: number
}
/** Contests on one server, and how it is asked for its CPU. */
export interface Arena extends AsyncDisposable {
  contests: Contest[]
  instance: Instance
}

export async function startServer(named: string | Engine, durability: Durability): Promise<Instance> {
  const engine = typeof named === 'string' ? engineNamed(named) : named
  const order = {
    engine,
    candidate: `peers-${engine.name}`,
    limits: { cpus: 1, memoryBytes: 2 * 2 ** 30 },
    durability,
    cores: [serverCore],
    owner: thisProcess(),
    directory: makeRunDirectory(),
    signal: new AbortController().signal,
    report: () => {},
  }
  const instance = await local.start(order)
  if (isUnobtainable(instance)) throw new Error(`no ${engine.name}: ${instance.tried.join('; ')}`)
  return instance
}

export function compileFor(engine: string, text: string, durability: Durability): { compiled: Compiled; scenario: Scenario } {
  const scenario = parseScenario(text, 'peers')
  const product = engineNamed(engine)
  return { scenario, compiled: product.compile(deriveModel(product, scenario), allOperations(scenario), scenario, durability) }
}

let block = 100

/** A closed loop of one operation through the production's workers. */
export async function closedLoop(
  instance: Instance,
  compiled: Compiled,
  operation: string,
  { client = 'wire', workers = 1, connections, seconds }: { client?: ClientKind; workers?: number; connections: number; seconds: number },
): Promise<Side> {
  const { shares } = makeDataset(compiled.scenario, 1)
  await using pool = new WorkerPool(workers)
  await pool.open({ client, compiled, endpoint: instance.endpoint, shares, connections })
  const ratesPerSecond = compiled.operations.map((each) => (each.name === operation ? 1 : 0))
  const run = (spec: { seconds: number; warmUpSeconds: number }) =>
    pool.run({
      spec: { loop: 'closed', arrival: 'poisson', ratesPerSecond, concurrency: connections, seed: 1, stream: `peers ${block}`, ...spec },
      block: block++,
      nowMs: compiled.scenario.epochMs,
      startNs: realClock.nowNs(),
    })
  await run({ seconds: 1, warmUpSeconds: 0 })
  const recording = await run({ seconds, warmUpSeconds: 0 })
  const record = recording.operations[compiled.operations.findIndex((each) => each.name === operation)]
  if (record === undefined || record.errorCount > 0) throw new Error(`${operation}: ${JSON.stringify(record?.errors)}`)
  await pool.close()
  return { perSecond: record.ok / seconds, cpuUsPerOp: (recording.cpuSeconds / recording.completed) * 1e6 }
}

/** Runs a tool on the clients' core; its output, and the CPU that it used. */
export async function runTool(
  program: string,
  arguments_: string[],
  environment: Record<string, string> = {},
): Promise<{ output: string; cpuSeconds: number }> {
  // The shell's own `time` is the one way to a child's CPU that every machine has.
  const { stdout, stderr } = await promisify(execFile)(
    'bash',
    ['-c', 'TIMEFORMAT="cpu %U %S"; time taskset -c "$0" "$@"', String(clientCore), program, ...arguments_],
    { env: { ...process.env, ...environment }, maxBuffer: 1 << 26 },
  )
  const [, user = '0', system = '0'] = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? []
  return { output: stdout + stderr, cpuSeconds: Number(user) + Number(system) }
}

export const datasetOf = (scenario: Scenario) => makeDataset(scenario, 1)
