import { expect, test } from 'vitest'
import type { CqlConnection } from '../../../src/clients/protocols/cql.ts'
import { types } from '../../../src/clients/protocols/cql-messages.ts'
import { RequestBuffer } from '../../../src/clients/request.ts'
import { makeDataset } from '../../../src/data/dataset.ts'
import { cell, columnOf, rowSource } from '../../../src/data/rows.ts'
import { cassandra } from '../../../src/engines/cassandra/index.ts'
import { CassandraLoad } from '../../../src/engines/cassandra/load.ts'
import { CassandraRows } from '../../../src/engines/cassandra/rows.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { parseScenario } from '../../../src/scenario/read.ts'

const writeTimeout = 0x1100
const syntaxError = 0x2000
const scenarioOf = (operation: string) =>
  parseScenario(
    [
      ...['name: own', 'summary: "Own"', 'seed: 7', 'epoch: 2026-03-01T12:00:00Z', 'entities:'],
      '  e: { count: 1000, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] } } }',
      ...['operations:', `  o: { ${operation}, rate: 10/s, p99: 1s }`, 'requirements: { peak: 2x, durability: fsync }', 'candidates: [cassandra]'],
    ].join('\n'),
    'own.yaml',
  )
const typeOf: Record<string, number> = { id: types.uuid, n: types.int }

/** Loads over a connection that answers each message with what `answer` says: −1, or an error's code. */
async function load(answer: (message: Buffer, stream: number) => number, scenario = scenarioOf('get: e')): Promise<Buffer[]> {
  const compiled = cassandra.compile(deriveModel(cassandra, scenario), allOperations(scenario), scenario, 'fsync')
  const sent: Buffer[] = []
  const text = Buffer.from('\0\0\0\0\0\x04late', 'latin1')
  const connection = {
    version: 4,
    request: new RequestBuffer(),
    onReply: (_stream: number, _code: number, _bytes: Buffer, _from: number) => {},
    prepare: async (text: string) => ({
      version: 4,
      id: Buffer.from('\0\x02id', 'latin1'),
      parameters: [...text.matchAll(/"(\w+)"[,)]/g)].map(([, name = '']) => ({ name, type: typeOf[name] })),
      columns: [],
    }),
    flush() {
      const message = Buffer.from(this.request.bytes.subarray(0, this.request.length))
      this.request.length = 0
      sent.push(message)
      const stream = message.readInt16BE(2)
      setImmediate(() => this.onReply(stream, answer(message, stream), text, 0))
    },
  }
  const loading = new CassandraLoad(connection as unknown as CqlConnection, compiled, new CassandraRows(compiled))
  for (const block of rowSource(makeDataset(scenario, 1), 0, 1).blocks()) await loading.block(block)
  await loading.finish()
  return sent
}

const statementsOf = (message: Buffer) => message.readUInt16BE(10)

test('every row travels in an unlogged batch, once', async () => {
  const sent = await load(() => -1)
  expect(sent.map((message) => message[9])).toEqual(sent.map(() => 1))
  expect(sent.reduce((sum, message) => sum + statementsOf(message), 0)).toBe(1000)
})

test('a table for a constant is given its rows alone', async () => {
  const scenario = scenarioOf('list: e, where: { n: 3 }, order_by: id, limit: 5')
  const blocks = [...rowSource(makeDataset(scenario, 1), 0, 1).blocks()]
  const fitting = blocks.flatMap((block) => Array.from({ length: block.rows }, (_, row) => cell(columnOf(block, 'n'), row))).filter((n) => n === 3)
  const sent = await load(() => -1, scenario)
  expect(fitting.length).toBeGreaterThan(50)
  expect(sent.reduce((sum, message) => sum + statementsOf(message), 0)).toBe(1000 + fitting.length)
})

test('a batch that the node was late with is sent again, byte by byte', async () => {
  const late = new Set<string>()
  const sent = await load((message) => {
    const first = !late.has(message.toString('latin1'))
    late.add(message.toString('latin1'))
    return first ? writeTimeout : -1
  })
  const times = Map.groupBy(sent, (message) => message.toString('latin1'))
  expect([...times.values()].map((each) => each.length)).toEqual([...times.values()].map(() => 2))
  expect([...times.values()].reduce((sum, [message]) => sum + statementsOf(message as Buffer), 0)).toBe(1000)
})

test('one that is refused, or late for ever, ends the load with the server’s name for it', async () => {
  await expect(load(() => syntaxError)).rejects.toMatchObject({ code: 'invalid', detail: 'SyntaxError', message: 'late' })
  await expect(load(() => writeTimeout)).rejects.toMatchObject({ code: 'timeout', detail: 'WriteTimeout' })
})
