/** `make pooler`: point reads and short transactions behind a pooler and straight at the server, at few clients and at many, in turns on the same core. */

import { rowSource } from '../src/data/rows.ts'
import type { Engine } from '../src/engines/engine.ts'
import { engineNamed, pooledEngines } from '../src/engines/registry.ts'
import { allOperations, deriveModel } from '../src/families/derive.ts'
import { bindToCores } from '../src/host/processes.ts'
import { parseScenario } from '../src/scenario/read.ts'
import { median } from '../src/stats/median.ts'
import { columns } from '../src/terminal/tables.ts'
import { clientCore, closedLoop, datasetOf, startServer } from './peers/contest.ts'

const [roundsText = '5', secondsText = '4'] = process.argv.slice(2)
const [rounds, seconds] = [Number(roundsText), Number(secondsText)]
const clients = [32, 512]
const scenario = parseScenario(
  `
name: pooler
summary: "short work of many clients"
seed: 1
epoch: 2026-01-01T00:00:00Z
entities:
  account: { count: 100000, fields: { id: { type: int, key: true }, balance: { type: int, range: [0, 5000] } } }
  teller: { count: 1000, fields: { id: { type: int, key: true }, balance: { type: int, range: [0, 5000] } } }
operations:
  read: { get: account, fields: [balance], rate: 1/s, p99: 1s }
  move: { transaction: [{ update: account, set: { balance: any } }, { update: teller, set: { balance: any } }], rate: 1/s, p99: 1s }
requirements: { peak: 1x, durability: relaxed }
candidates: [postgres]
`,
  'pooler',
)

/** The same server with room for a connection of every client: who comes straight needs one each. */
function roomy(engine: Engine): Engine {
  const start: Engine['server']['start'] = (context) => {
    const command = engine.server.start(context)
    return { ...command, arguments: [...command.arguments, '-c', `max_connections=${Math.max(...clients) + 50}`] }
  }
  return { ...engine, server: { ...engine.server, start } }
}

async function side(engine: Engine) {
  const instance = await startServer(roomy(engine), 'relaxed')
  const compiled = engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'relaxed')
  {
    await using session = await engine.connect(instance.endpoint, compiled, { connections: 1 })
    await session.create()
    await session.load(rowSource(datasetOf(scenario), 0, 1), true)
    await session.settle()
  }
  await instance.confine()
  await instance.pause()
  const measured = async (operation: string, connections: number) => {
    await instance.resume()
    const before = (await instance.sample())?.cpuSeconds ?? 0
    const { perSecond } = await closedLoop(instance, compiled, operation, { connections, seconds })
    // One second of warm-up more than is counted.
    const cpuUsPerOp = ((((await instance.sample())?.cpuSeconds ?? 0) - before) / (perSecond * (seconds + 1))) * 1e6
    await instance.pause()
    return { perSecond, cpuUsPerOp }
  }
  return { instance, measured }
}

const [pooled] = pooledEngines
if (pooled === undefined) throw new Error('no engine has a pooler')
const sides = { straight: await side(engineNamed(pooled.name)), pooled: await side(pooled) }
await using _straight = sides.straight.instance
await using _pooled = sides.pooled.instance
await bindToCores(process.pid, [clientCore])
const rows: string[][] = []
for (const operation of ['read', 'move'])
  for (const connections of clients) {
    const found = { straight: [] as number[], pooled: [] as number[] }
    const cpu = { straight: [] as number[], pooled: [] as number[] }
    for (let round = 0; round < rounds; round++)
      for (const which of round % 2 === 0 ? (['straight', 'pooled'] as const) : (['pooled', 'straight'] as const)) {
        const { perSecond, cpuUsPerOp } = await sides[which].measured(operation, connections)
        found[which].push(perSecond)
        cpu[which].push(cpuUsPerOp)
      }
    const middle = (values: number[]) => median(values) ?? Number.NaN
    const told = (values: number[]) => Math.round(middle(values)).toLocaleString('en')
    rows.push([
      ...[operation, String(connections), told(found.straight), told(found.pooled)],
      ...[(middle(found.pooled) / middle(found.straight)).toFixed(2), told(cpu.straight), told(cpu.pooled)],
    ])
  }
console.log(columns([['operation', 'clients', 'straight/s', 'pooled/s', 'ratio', 'server CPU µs/op', 'with the pooler'], ...rows], 1))
