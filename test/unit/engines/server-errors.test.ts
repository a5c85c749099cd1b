/** What went wrong has the same key for every engine, whichever client met it; what is no error of a server stays what it is. */
import { createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { isOurs, serverErrorOf } from '../../../src/clients/driver-errors.ts'
import { openLane } from '../../../src/clients/open-lane.ts'
import { ServerError } from '../../../src/clients/server-error.ts'
import { cassandraError } from '../../../src/engines/cassandra/errors.ts'
import type { Endpoint } from '../../../src/engines/engine.ts'
import { mariadbError } from '../../../src/engines/mariadb/errors.ts'
import { driverError } from '../../../src/engines/memcached/errors.ts'
import { mongoError } from '../../../src/engines/mongodb/errors.ts'
import { postgresError } from '../../../src/engines/postgres/errors.ts'
import { redisError } from '../../../src/engines/redis/errors.ts'
import { engines } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { readScenario } from '../../../src/scenario/read.ts'
import type { Durability } from '../../../src/scenario/scenario.ts'

const scenario = readScenario(fileURLToPath(new URL('../../engines/kinds.yaml', import.meta.url)))
const operations = allOperations(scenario)

async function listening(serve: (socket: Socket) => void): Promise<{ port: number; end: () => void }> {
  const server = createServer(serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as { port: number }).port, end: () => server.close() }
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof ServerError ? error.code : error),
  )

test.each(engines.map((engine) => [engine.name, engine] as const))(
  '%s: a server that is not there, or hangs up, is a lost connection',
  async (_, engine) => {
    const compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, engine.capabilities.durability[0] as Durability)
    const hangsUp = await listening((socket) => void socket.on('error', () => {}).destroy())
    const nobody = await listening(() => {})
    nobody.end()
    for (const { port } of [nobody, hangsUp]) {
      const endpoint: Endpoint = { host: '127.0.0.1', port, user: 'somebody', password: 'secret', namespace: engine.namespace }
      expect(await codeOf(openLane(engine, endpoint, compiled, 2))).toBe('connection-lost')
      // A driver may try a server that hangs up again and again.
      if (port === nobody.port) expect(await codeOf(engine.ready(endpoint))).toBe('connection-lost')
    }
    hangsUp.end()
  },
  30_000,
)

/** As each driver throws it; the drivers' own classes are not for sale. */
const thrown: [string, (thrown: Error) => ServerError | null, Record<string, object>][] = [
  [
    'postgres',
    postgresError,
    {
      'constraint 23505': { severity: 'ERROR', code: '23505', message: 'duplicate key' },
      'transient 40001': { severity: 'ERROR', code: '40001', message: 'could not serialize access' },
      'connection-lost 57P01': { severity: 'FATAL', code: '57P01', message: 'terminating connection' },
      'connection-lost': { message: 'Connection terminated unexpectedly' },
      timeout: { message: 'Query read timeout' },
    },
  ],
  [
    'mariadb',
    mariadbError,
    {
      'constraint 1062': { name: 'SqlError', errno: 1062, sqlState: '23000', message: 'Duplicate entry' },
      'transient 1213': { name: 'SqlError', errno: 1213, sqlState: '40001', message: 'Deadlock found' },
      'connection-lost': { name: 'SqlError', errno: 45009, sqlState: '08S01', message: 'socket has unexpectedly been closed' },
      timeout: { name: 'SqlError', errno: 45012, sqlState: '08S01', message: 'connection timeout' },
    },
  ],
  [
    'mongodb',
    mongoError,
    {
      'constraint 11000': { name: 'MongoServerError', code: 11000, message: 'E11000 duplicate key' },
      'transient WriteConflict': { name: 'MongoServerError', code: 112, codeName: 'WriteConflict', message: 'write conflict' },
      'connection-lost': { name: 'MongoServerSelectionError', message: 'connect ECONNREFUSED' },
      timeout: { name: 'MongoNetworkTimeoutError', message: 'timed out' },
    },
  ],
  [
    'cassandra',
    cassandraError,
    {
      'timeout WriteTimeout': { name: 'ResponseError', info: 'the server', code: 4352, message: 'write timed out' },
      'connection-lost': { name: 'NoHostAvailableError', info: 'no host', innerErrors: {}, message: 'All host(s) tried for query failed.' },
      'denied BadCredentials': { name: 'ResponseError', info: 'the server', code: 256, message: 'bad credentials' },
      timeout: { name: 'OperationTimedOutError', info: 'the client', message: 'The host did not reply' },
    },
  ],
  [
    'redis',
    redisError,
    {
      'constraint UNIQUE': { name: 'ReplyError', message: 'UNIQUE another row has this value of a unique field' },
      'out-of-resources OOM': { name: 'ReplyError', message: 'OOM command not allowed' },
      'connection-lost': { message: "Stream isn't writeable and enableOfflineQueue options is false" },
      timeout: { message: 'Command timed out' },
    },
  ],
  [
    'memcached',
    driverError,
    {
      'out-of-resources SERVER_ERROR out of memory storing object': { message: 'SERVER_ERROR out of memory storing object' },
      'denied CLIENT_ERROR unauthenticated': { message: 'CLIENT_ERROR unauthenticated' },
      'connection-lost': { message: 'socket close' },
      timeout: { message: 'Command timeout' },
    },
  ],
]

test.each(thrown)('%s: what its driver throws', (_, translate, errors) => {
  for (const [key, error] of Object.entries(errors)) {
    const said = serverErrorOf(Object.assign(new Error(), error), translate)
    expect(said).toBeInstanceOf(ServerError)
    expect((said as ServerError).key).toBe(key)
  }
})

test.each(thrown)('%s: what is alike for all drivers, and what is a fault of ours', (_, translate) => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
  expect((serverErrorOf(reset, translate) as ServerError).key).toBe('connection-lost ECONNRESET')
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' })
  expect(serverErrorOf(full, translate)).toBe(full)
  let outOfRange: unknown
  try {
    Buffer.alloc(4).writeInt32BE(2 ** 40)
  } catch (error) {
    outOfRange = error
  }
  expect((serverErrorOf(outOfRange, translate) as ServerError).key).toBe('invalid OutOfRange')
  for (const own of [new TypeError('x is not a function'), new Error('counted 1 rows of 2')]) expect(serverErrorOf(own, translate)).toBe(own)
})

test('who made an error is told by the first frame that is not Node’s own', () => {
  const stacked = (...frames: string[]) =>
    Object.assign(new Error('x'), { stack: ['Error: x', ...frames.map((each) => `    at ${each}`)].join('\n') })
  const source = fileURLToPath(new URL('../../../src/', import.meta.url))
  expect(isOurs(stacked('parse (/app/node_modules/pg-protocol/parser.js:1:1)', `run (file://${source}run/bench.ts:1:1)`))).toBe(false)
  expect(isOurs(stacked('Socket.emit (node:events:1:1)', `feed (file://${source}clients/socket.ts:1:1)`))).toBe(true)
  expect(isOurs(stacked('TCP.onStreamRead (node:internal/stream_base_commons:1:1)'))).toBe(false)
})
