/** Redis beside redis-benchmark: GET of one key, no pipeline, the production executor over a lane that knows this one command. */

import { bulkOf, isNull, RedisConnection, type RedisLogin } from '../../src/clients/protocols/resp.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import type { Lane } from '../../src/engines/engine.ts'
import { realClock } from '../../src/replay/clock.ts'
import { Executor } from '../../src/replay/executor.ts'
import { type Arena, compileFor, datasetOf, runTool, type Side, startServer } from './contest.ts'

const connections = 50
const seconds = 4
/** About as many as fit into the same time. */
const requests = 300_000
/** As redis-benchmark names and fills it. */
const key = 'key:__rand_int__'
const value = 'VXK'
const scenarioText = `
name: get
summary: "one key"
seed: 1
epoch: 2026-01-01T00:00:00Z
entities:
  thing: { count: 1, fields: { id: { type: int, key: true } } }
operations:
  read: { get: thing, rate: 1/s, p99: 1s }
requirements: { peak: 1x, durability: relaxed }
candidates: [redis]
`

export async function redisArena(): Promise<Arena> {
  const instance = await startServer('redis', 'relaxed')
  await instance.confine()
  const { host, port, password = '' } = instance.endpoint
  const login = { host, port, password, database: 0 }
  const setter = await RedisConnection.open(login)
  await setter.ask(['SET', key, value])
  setter.end()
  return {
    instance,
    contests: [
      {
        work: 'Redis GET, 50 connections, no pipeline',
        peer: 'redis-benchmark -t get -c 50',
        goals: [{ of: 'throughput', least: 1 }],
        ours: () => ours(login),
        async theirs() {
          const { output, cpuSeconds } = await runTool('redis-benchmark', [
            '-p',
            String(port),
            ...['-a', password], // It takes it in no other way; the server dies with this contest.
            '-t',
            'get',
            '-c',
            String(connections),
            '-n',
            String(requests),
            '--csv',
          ])
          return { perSecond: Number(/"GET","([\d.]+)"/.exec(output)?.[1]), cpuUsPerOp: (cpuSeconds / requests) * 1e6 }
        },
      },
    ],
    [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose](),
  }
}

async function ours(login: RedisLogin): Promise<Side> {
  const { scenario } = compileFor('redis', scenarioText, 'relaxed')
  const lane = await openGetLane(login)
  const dataset = datasetOf(scenario)
  const run = async (forSeconds: number) => {
    const params = new DrawnParameters(dataset, scenario.operations, 'get', 1, scenario.epochMs)
    const spec = {
      loop: 'closed' as const,
      arrival: 'poisson' as const,
      ratesPerSecond: [1],
      concurrency: connections,
      warmUpSeconds: 0,
      seconds: forSeconds,
      seed: 1,
      stream: 'get',
    }
    const before = process.cpuUsage()
    const recording = await new Executor(lane, realClock, spec, scenario.operations, params).run()
    const { user, system } = process.cpuUsage(before)
    return { perSecond: (recording.operations[0]?.ok ?? 0) / forSeconds, cpuUsPerOp: (user + system) / recording.completed }
  }
  await run(1)
  const side = await run(seconds)
  await lane[Symbol.asyncDispose]()
  return side
}

async function openGetLane(login: RedisLogin): Promise<Lane> {
  const slots = await Promise.all(Array.from({ length: connections }, () => RedisConnection.open(login)))
  const command = Buffer.concat([Buffer.from('*2\r\n'), bulkOf('GET'), bulkOf(key)])
  for (const [slot, connection] of slots.entries()) {
    connection.onReply = (bytes, from) => lane.onDone(slot, isNull(bytes, from) ? 'miss' : 'ok', 1, 0, '')
  }
  const lane: Lane = {
    slots: connections,
    onDone: () => {},
    onAnswer: () => {},
    flush: () => {},
    send(slot) {
      const { request } = slots[slot] as RedisConnection
      request.length = 0
      request.append(command)
      slots[slot]?.send()
    },
    async [Symbol.asyncDispose]() {
      for (const connection of slots) connection.end()
    },
  }
  return lane
}
