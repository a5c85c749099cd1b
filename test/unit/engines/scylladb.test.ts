/** What differs from Cassandra, as far as it can be told without a server: configuration, start, model, facts. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { ServerContext } from '../../../src/engines/engine.ts'
import { engineNamed } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { parseEndpoint } from '../../../src/provision/external.ts'
import { readScenario } from '../../../src/scenario/read.ts'

const scylladb = engineNamed('scylladb')
const cassandra = engineNamed('cassandra')
const context: ServerContext = {
  ...{ home: '/usr/bin', address: '0.0.0.0', directory: '/d', dataDirectory: '/d/store/data', port: 9042, spare: [7000, 10_000] },
  ...{ user: 'dbtrial', password: 'pl4in', limits: { cpus: 2, memoryBytes: 2 ** 31 }, durability: 'fsync' },
}
const configured = (given: Partial<ServerContext> = {}) => parse(scylladb.server.files({ ...context, ...given })[0]?.text ?? '')

test('its configuration keeps the promise that was asked for, and lets in nobody but the account of the run', () => {
  expect(configured()).toMatchObject({
    commitlog_sync: 'batch',
    authenticator: 'PasswordAuthenticator',
    authorizer: 'CassandraAuthorizer',
    auth_superuser_name: 'dbtrial',
    auth_superuser_salted_password: expect.stringMatching(/^\$6\$[^$]+\$[\w./]{86}$/),
    read_request_timeout_in_ms: 30_000,
  })
  expect(configured({ durability: 'relaxed' })).toMatchObject({ commitlog_sync: 'periodic', commitlog_sync_period_in_ms: 10_000 })
  expect(JSON.stringify(scylladb.server.files(context))).not.toContain('pl4in')
})

test('with security its clients speak TLS', () => {
  const security = { certificate: 'C', key: 'K', authority: 'A', name: 'n', role: { user: 'application', password: 'r' } }
  expect(configured({ security }).client_encryption_options).toEqual({ enabled: true, certificate: '/d/server.crt', keyfile: '/d/server.key' })
  const files = scylladb.server.files({ ...context, security })
  expect(files.slice(1)).toEqual([
    { name: 'server.crt', text: 'C' },
    { name: 'server.key', text: 'K' },
  ])
})

test('its shards and its memory are within the limits', () => {
  const { program, arguments: given } = scylladb.server.start(context)
  expect(program).toBe('/usr/bin/scylla')
  expect(given.join(' ')).toContain('--smp 2 --memory 1638M')
})

test('is asked what Cassandra is asked', () => {
  const scenario = readScenario(fileURLToPath(new URL('../../engines/kinds.yaml', import.meta.url)))
  const of = (engine: typeof scylladb) => engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'fsync')
  const { engine, settings, ...own } = of(scylladb)
  const { engine: _, settings: __, ...other } = of(cassandra)
  expect(own).toEqual(other)
  expect(engine).toBe('scylladb')
  expect(settings).toEqual({ commitlog_sync: 'batch', memory: '1638 MiB', replication: 'SimpleStrategy, factor 1' })
})

test('is reached by its own schemes', () => {
  const { engine, endpoint } = parseEndpoint('s', scylladb, 'scylladb://me:pw@127.0.0.1')
  expect(engine).toBe(scylladb)
  expect(endpoint).toMatchObject({ host: '127.0.0.1', port: 9042, namespace: 'dbtrial' })
  expect(parseEndpoint('s', scylladb, 'scyllas://me:pw@127.0.0.1').endpoint.tls).toEqual({ verify: true })
})
