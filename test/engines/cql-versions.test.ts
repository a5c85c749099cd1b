/** Both versions of the CQL protocol on a real server: what one writes the other reads, messages longer than a frame included. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CqlConnection } from '../../src/clients/protocols/cql.ts'
import {
  beginExecute,
  decodeRows,
  endMessage,
  executeHead,
  executeTail,
  type PreparedStatement,
  types,
  type Version,
  writeNumber,
} from '../../src/clients/protocols/cql-messages.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import type { Instance } from '../../src/provision/provision.ts'
import { startLocally } from '../e2e/commands.ts'

const directory = makeRunDirectory()
const consistencyOne = 1
const longBytes = 400_000
let instance: Instance

beforeAll(async () => {
  instance = await startLocally(engineNamed('cassandra'), directory)
}, 120_000)
afterAll(async () => {
  await instance?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
}, 60_000)

const login = (keyspace: string) => {
  const { host, port, user = '', password = '' } = instance.endpoint
  return { host, port, user, password, keyspace }
}

/** One statement with an int and, where given, a blob. */
function execute(connection: CqlConnection, prepared: PreparedStatement, id: number, blob?: Buffer): Promise<Record<string, unknown>[]> {
  return new Promise((resolve, reject) => {
    connection.onReply = (stream, code, bytes, from) => {
      if (stream === 3 && code < 0) resolve(decodeRows(bytes, from, prepared.columns).rows)
      else reject(new Error(`stream ${stream}, code ${code}`))
    }
    const { request } = connection
    const start = beginExecute(request, connection.version, 3, executeHead(prepared, consistencyOne))
    request.reserve(8)
    request.length = writeNumber(types.int, id, 0, request.bytes, request.length)
    if (blob !== undefined) {
      request.reserve(4)
      request.length = request.bytes.writeInt32BE(blob.length, request.length)
      request.append(blob)
    }
    request.append(executeTail(null))
    endMessage(request, start)
    connection.flush()
  })
}

describe('CQL', () => {
  test('the newest version that the server speaks is chosen', async () => {
    const connection = await CqlConnection.open(login('system'))
    expect(connection.version).toBe(5)
    connection.end()
  })

  test('an engine that shares it is not taken for another', async () => {
    await expect(engineNamed('scylladb').ready(instance.endpoint)).rejects.toMatchObject({ name: 'ServerError' })
  })

  test('a server tells a version that it does not speak', async () => {
    await expect(CqlConnection.openVersion(login('system'), 7 as Version)).rejects.toMatchObject({ code: 'invalid', detail: 'ProtocolError' })
  })

  test('what one version writes the other reads', async () => {
    const setUp = await CqlConnection.open(login('system'))
    await setUp.query("CREATE KEYSPACE versions WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    await setUp.query('CREATE TABLE versions.blobs (id int PRIMARY KEY, value blob)')
    setUp.end()
    const connections = new Map(
      await Promise.all(([4, 5] as const).map(async (version) => [version, await CqlConnection.openVersion(login('versions'), version)] as const)),
    )
    for (const [version, connection] of connections)
      for (const bytes of [10, longBytes]) {
        const value = Buffer.alloc(bytes, version)
        const insert = await connection.prepare('INSERT INTO blobs (id, value) VALUES (?, ?)')
        expect(await execute(connection, insert, version * 1_000_000 + bytes, value)).toEqual([])
      }
    for (const connection of connections.values()) {
      const select = await connection.prepare('SELECT value FROM blobs WHERE id = ?')
      for (const writer of connections.keys())
        for (const bytes of [10, longBytes]) {
          const [row] = await execute(connection, select, writer * 1_000_000 + bytes)
          expect((row?.value as Buffer | undefined)?.equals(Buffer.alloc(bytes, writer))).toBe(true)
        }
      connection.end()
    }
  })
})
