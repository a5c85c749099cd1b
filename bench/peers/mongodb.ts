/** MongoDB: the wire client beside the official driver, both through the production's workers. */
import { rowSource } from '../../src/data/rows.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { type Arena, closedLoop, compileFor, datasetOf, startServer } from './contest.ts'

const connections = 32
const seconds = 4
const scenarioText = `
name: documents
summary: "documents by _id"
seed: 1
epoch: 2026-01-01T00:00:00Z
entities:
  thing: { count: 100k, fields: { id: { type: int, key: true }, text: { type: words, count: [5, 9] }, n: { type: int, range: [1, 1000] } } }
operations:
  read: { get: thing, rate: 1/s, p99: 1s }
requirements: { peak: 1x, durability: fsync }
candidates: [mongodb]
`

export async function mongodbArena(): Promise<Arena> {
  const instance = await startServer('mongodb', 'fsync')
  const { compiled, scenario } = compileFor('mongodb', scenarioText, 'fsync')
  await using session = await engineNamed('mongodb').connect(instance.endpoint, compiled, { connections: 2 })
  await session.create()
  await session.load(rowSource(datasetOf(scenario), 0, 1), true)
  await session.settle()
  await instance.confine()
  return {
    instance,
    contests: [
      {
        work: 'MongoDB find by _id, 32 connections',
        peer: 'the official driver, same process model',
        goals: [{ of: 'client CPU', most: 0.3 }],
        ours: () => closedLoop(instance, compiled, 'read', { connections, seconds }),
        theirs: () => closedLoop(instance, compiled, 'read', { client: 'driver', connections, seconds }),
      },
    ],
    [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose](),
  }
}
