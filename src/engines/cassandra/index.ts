/** Cassandra: how one node runs, its tables and statements, its client. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'cassandra-driver'
import image from '../../../docker/cassandra/image.json' with { type: 'json' }
import { throwingServerErrors } from '../../clients/driver-errors.ts'
import type { CqlLogin } from '../../clients/protocols/cql.ts'
import { named } from '../../clients/replies.ts'
import { tlsOptions } from '../../clients/socket.ts'
import { TrialError } from '../../errors.ts'
import { archiving } from '../../families/archive.ts'
import type { PhysicalModel, Store } from '../../families/model.ts'
import { conversation, type Program } from '../../families/program.ts'
import { grantsOf } from '../../families/wide-column/grants.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { asRole, type Compiled, type Endpoint, type Engine, type Guards, type Said } from '../engine.ts'
import { archiveOf } from './archive.ts'
import { createTable, id, selectGroup, selectPage, selectWords } from './cql.ts'
import { cassandraError } from './errors.ts'
import { exporter } from './exporter.ts'
import { traits } from './facts.ts'
import { heapMegabytes } from './jvm.ts'
import { openCassandraLane } from './lane.ts'
import { pageStarts } from './pages.ts'
import { rehearsed } from './rehearsal.ts'
import { storeFor } from './rows.ts'
import { configurationFiles, memberKeyCommand, nodetoolCommand, startCommand } from './server.ts'
import { CassandraSession, type Driver } from './session.ts'

const namespace = 'dbtrial'
const replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"

export const cassandra: Engine = throwingServerErrors(cassandraError, {
  name: 'cassandra',
  family: 'wide-column',
  native: false,
  capabilities: {
    durability: ['fsync', 'relaxed'],
    atomicity: 'new rows',
    rollback: false,
    access: 'parts',
    findsNulls: false,
    maxAggregatedRows: null,
    dataSurvivesRestart: true,
  },
  traits,
  pace: {
    startSeconds: 8,
    loadSeconds: 8,
    loadRowsPerSecond: 18_000,
    settleSeconds: 4,
    verifySeconds: 11,
    warmUpSeconds: 6,
    compilers: /^C[12] Compiler/,
  },
  namespace,
  external: {
    schemes: ['cassandra', 'cql'],
    tlsSchemes: ['cqls'],
    namespaces: /^\w{1,48}$/,
    port: 9042,
    list: async (endpoint) =>
      (await ask(endpoint, 'SELECT keyspace_name FROM system_schema.keyspaces')).map((row) => named(String(row.keyspace_name))),
    async create(endpoint, proposed) {
      await ask(endpoint, `CREATE KEYSPACE ${proposed} WITH replication = ${replication}`)
      return proposed
    },
    drop: async (endpoint, name) => void (await ask(endpoint, `DROP KEYSPACE IF EXISTS ${name}`)),
  },
  server: {
    major: '5',
    image,
    ports: [9042, 7000, 7199],
    onPath: null,
    package: {
      manager: 'maven',
      name: 'org.apache.cassandra:cassandra-all',
      version: '5.0.9',
      server: '5.0.9',
      home: 'package',
      files: { any: { name: '', sha256: 'ab7546b5bffe145cb57a9b55f1028c1c8edb4db08e55f7bb3dacac33865f4cad' } },
    },
    needs: [
      { program: 'java', hint: 'install a JDK, version 11 or 17 (Debian: openjdk-17-jdk-headless)' },
      { program: 'mvn', hint: 'install Maven (Debian: maven)' },
    ],
    stopSignal: 'SIGTERM',
    user: 'dbtrial',
    files: configurationFiles,
    prepare: memberKeyCommand,
    start: startCommand,
    async initiate(endpoint) {
      await replaceFirstRole(endpoint)
      await makeKeyspace(endpoint)
    },
    administer: nodetoolCommand,
  },
  compile(model, operations, scenario, durability) {
    const compiled: Compiled<string> = {
      engine: 'cassandra',
      durability,
      scenario,
      operations,
      model,
      ddl: model.stores.map((store) => createTable(store, scenario)),
      afterLoad: [],
      programs: programsOf(model, operations),
      settings: {
        commitlog_sync: durability === 'fsync' ? 'batch' : 'periodic, 10 s',
        heap: `${heapMegabytes(scenario.bench)} MiB, G1`,
        replication: 'SimpleStrategy, factor 1',
      },
    }
    for (const [index, program] of compiled.programs.entries())
      if (program !== null && program.shown.length === 0) program.shown = rehearsed(compiled, index)
    return compiled
  },
  handbook: (compiled) => ({
    schema: compiled.ddl,
    migrations: compiled.model.stores.map((store, at) => ({
      name: `table_${store.name}`,
      up: compiled.ddl[at] as string,
      down: `DROP TABLE ${id(store.name)}`,
    })),
    backup: ['nodetool snapshot -t "$TAG" dbtrial, then copy the snapshot directories of every node'],
    ...archiving(archiveOf(compiled)),
    restore: ['copy the snapshot back into the table directories and run nodetool refresh'],
    rowRights: {
      how: [
        'No rights by row: roles end at tables. In tables of queries the tenant is a part of the partition that is asked for; of a row that is asked for by its key the client compares it. A keyspace for each tenant, with a role of its own, would hold whatever a client forgets, where tenants are few.',
      ],
      statements: [],
    },
    grants: ['CREATE ROLE application', ...grantsOf(compiled.model, compiled.operations, id)],
    alerts: [
      'pending compactions > 20',
      'dropped mutations > 0',
      'heap after GC > 75 %',
      'largest partition > 100 MB',
      'disk > 50 % (compaction reserve)',
    ],
    exporter,
  }),
  async ready(endpoint) {
    const [row] = await ask(endpoint, 'SELECT release_version FROM system.local')
    return String(row?.release_version)
  },
  guards,
  async connect(endpoint, compiled, options) {
    const driver = await import('cassandra-driver')
    const client = clientOf(driver, endpoint, endpoint.namespace)
    await client.connect()
    return new CassandraSession(driver, client, own(compiled), options, loginOf(endpoint))
  },
  openLane: (endpoint, compiled, slots) => openCassandraLane(loginOf(endpoint), own(compiled), slots),
})

/** Of this engine's family, as `compile` made it. */
const own = (compiled: Compiled) => compiled as Compiled<string>

const loginOf = ({ host, port, user, password, tls, namespace: keyspace }: Endpoint): CqlLogin => ({ host, port, user, password, tls, keyspace })

/**
 * A new node has a role whose password everybody knows. Ours replaces it; who was faster than we are has left another role or is still
 * connected, and then the node is not ours alone.
 */
async function replaceFirstRole(endpoint: Endpoint): Promise<void> {
  const { user, password, role } = endpoint
  const ours = [user, role?.user]
  const known = 'cassandra'
  const create = `CREATE ROLE IF NOT EXISTS ${user} WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = '${password}'`
  await ask({ ...endpoint, user: known, password: known }, create).catch(() => {}) // Too early, which the next line finds out, or already done.
  await asking(endpoint, async (query) => {
    await query(`DROP ROLE IF EXISTS ${known}`)
    const roles = (await query('SELECT role FROM system_auth.roles')).filter((row) => !ours.includes(String(row.role)))
    const connected = async () => (await query('SELECT username FROM system_views.clients')).map((row) => row.username)
    // Who has not logged in can do nothing; our own connection under the known role has been closed a moment ago.
    const strangers = async () => (await connected()).some((name) => !ours.includes(String(name)) && name !== 'anonymous')
    for (let left = 100; roles.length > 0 || (await strangers()); left--) {
      if (roles.length > 0 || left === 0)
        throw new TrialError('not-alone', 'somebody else logged in to the new Cassandra node while it started', {
          hint: 'find out which program of this machine connects to new ports, then run again',
        })
      await sleep(50)
    }
  })
}

/** And the role that may read and write its rows, where there is to be one. */
export async function makeKeyspace({ role, ...endpoint }: Endpoint): Promise<void> {
  await ask(endpoint, `CREATE KEYSPACE IF NOT EXISTS ${endpoint.namespace} WITH replication = ${replication}`)
  if (role === undefined) return
  await asking(endpoint, async (query) => {
    await query(`CREATE ROLE IF NOT EXISTS ${role.user} WITH LOGIN = true AND PASSWORD = '${role.password}'`)
    for (const right of rowRights) await query(`GRANT ${right} ON KEYSPACE ${endpoint.namespace} TO ${role.user}`)
  })
}

/** To read and write rows. */
const rowRights = ['SELECT', 'MODIFY']

async function guards(endpoint: Endpoint): Promise<Guards> {
  const [settings, clients] = await asking(endpoint, async (query) => [
    new Map((await query('SELECT name, value FROM system_views.settings')).map((row) => [String(row.name), String(row.value)])),
    await query('SELECT ssl_enabled, ssl_protocol, ssl_cipher_suite FROM system_views.clients'),
  ])
  const setting = (name: string) => settings.get(`client_encryption_options.${name}`)
  return {
    transport: {
      effective: `client_encryption_options enabled ${setting('enabled')}, optional ${setting('optional')}; ${[...new Set(clients.map((row) => `${row.ssl_protocol}, ${row.ssl_cipher_suite}`))].join(' · ')}`,
      ok: setting('enabled') === 'true' && setting('optional') === 'false' && clients.every((row) => row.ssl_enabled === true),
    },
    access: await accessOf(endpoint, settings),
  }
}

/** What the role of the operations may do; `settings`: of the server. */
export async function accessOf(endpoint: Endpoint, settings: Map<string, string>): Promise<Said> {
  const { user = 'anonymous' } = asRole(endpoint)
  const rights = await ask(endpoint, `LIST ALL PERMISSIONS OF ${user}`)
  const [own] = await ask(asRole(endpoint), `LIST ROLES OF ${user}`)
  const more = rights.filter(
    (row) => !rowRights.includes(String(row.permission)) || !String(row.resource).startsWith(`<keyspace ${endpoint.namespace}`),
  )
  const has =
    own?.super === true
      ? 'is a superuser'
      : more.length === 0
        ? 'has rights on rows alone'
        : `may ${more.map((row) => `${row.permission} ${row.resource}`).join(', ')}`
  return {
    effective: `${settings.get('authorizer')}, ${settings.get('authenticator')}; role ${user} ${has}`,
    ok: settings.get('authorizer') === 'CassandraAuthorizer' && own?.super !== true && more.length === 0,
  }
}

type Query = (statement: string) => Promise<Record<string, unknown>[]>
export const ask = (endpoint: Endpoint, statement: string) => asking(endpoint, (query) => query(statement))

export async function asking<T>(endpoint: Endpoint, work: (query: Query) => Promise<T>): Promise<T> {
  const client = clientOf(await import('cassandra-driver'), endpoint, undefined)
  try {
    await client.connect()
    return await work(async (statement) => (await client.execute(statement, [], { prepare: false })).rows)
  } finally {
    await client.shutdown()
  }
}

function clientOf(driver: Driver, { host, port, user, password, tls }: Endpoint, name: string | undefined): Client {
  const { AllowListPolicy, RoundRobinPolicy } = driver.policies.loadBalancing
  return new driver.Client({
    contactPoints: [`${host}:${port}`],
    ...(name === undefined ? {} : { keyspace: name }),
    ...(user === undefined ? {} : { authProvider: new driver.auth.PlainTextAuthProvider(user, password ?? '') }),
    ...(tls === undefined ? {} : { sslOptions: { host, ...tlsOptions({ host, tls }) } }),
    pooling: { coreConnectionsPerHost: { [driver.types.distance.local]: 1 }, maxRequestsPerConnection: 32768 },
    socketOptions: { connectTimeout: 5000, readTimeout: 30_000 },
    queryOptions: { prepare: true, consistency: driver.types.consistencies.quorum, fetchSize: 5000 },
    policies: {
      // The server's own clock, as the wire client has it: two clocks would let an older write win.
      timestampGeneration: null as never,
      // The node that was named, and no other.
      loadBalancing: new AllowListPolicy(new RoundRobinPolicy(), [`${host}:${port}`]),
      speculativeExecution: new driver.policies.speculativeExecution.NoSpeculativeExecutionPolicy(),
      retry: new driver.policies.retry.FallthroughRetryPolicy(),
    },
  })
}

/** Statements that are the same whatever they find; what a read or a write of rows asks depends on its answers, and is told by a rehearsal. */
function programsOf(model: PhysicalModel, operations: Operation[]): (Program<string> | null)[] {
  return operations.map((operation) => {
    if (model.excuses.some((excuse) => excuse.operation === operation.name)) return null
    const texts = queriesOf(storeFor(model, operation.name), operation)
    const variants = texts.map((text) => [text])
    return conversation(operation.name, texts, variants)
  })
}

function queriesOf(store: Store, operation: Operation): string[] {
  switch (operation.kind) {
    case 'list':
      // The key, then the row: told by a rehearsal.
      if (store.unique) return []
      return pageStarts(operation).map((start) => selectPage(store, operation, start))
    case 'search':
      return [selectWords(store, operation)]
    case 'aggregate':
      return [selectGroup(store, operation)]
    default:
      return []
  }
}
