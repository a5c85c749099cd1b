/** MariaDB, and MySQL 8 where somebody runs one: its model as SQL, its client (mariadb), what an operator needs. */

import { compilingSql } from '../../clients/compile-sql.ts'
import { throwingServerErrors } from '../../clients/driver-errors.ts'
import { openAll } from '../../clients/open-all.ts'
import { named, rowRightsOf } from '../../clients/replies.ts'
import { tlsOptions } from '../../clients/socket.ts'
import { withClient } from '../../clients/with-client.ts'
import { archiving } from '../../families/archive.ts'
import type { Statement } from '../../families/relational/compile.ts'
import { archiveOf, grantsOf, migrationsOf, type SqlShell, upkeepOf } from '../../families/relational/handbook.ts'
import { asRole, type Compiled, type Endpoint, type Engine, type Guards } from '../engine.ts'
import { dialect, indexing } from './dialect.ts'
import { mariadbError } from './errors.ts'
import { exporter } from './exporter.ts'
import { traits } from './facts.ts'
import { openMariadbLane } from './lane.ts'
import { id } from './names.ts'
import { namespace, server } from './server.ts'
import { type Client, MariadbSession } from './session.ts'
import { serverSettings } from './settings.ts'

/** What every connection begins with, whatever the server's own default is. */
const setup = [
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO', SESSION foreign_key_checks = 1, SESSION unique_checks = 1",
]

const quoted = (statement: string) => statement.replaceAll('`', '\\`')
const shell: SqlShell = {
  print: (query) => `mariadb application --batch -e "${quoted(query)}"`,
  run: (statement) => `mariadb application -e "${quoted(statement)}"`,
  ending: 'tsv',
  time: (day) => `'${day}'`,
}

export const mariadb: Engine = throwingServerErrors(mariadbError, {
  name: 'mariadb',
  family: 'relational',
  capabilities: {
    durability: ['fsync', 'relaxed'],
    atomicity: 'rows',
    rollback: true,
    access: 'queries',
    findsNulls: true,
    maxAggregatedRows: null,
    dataSurvivesRestart: true,
  },
  indexing,
  native: true,
  traits,
  pace: { startSeconds: 6, loadSeconds: 0.3, loadRowsPerSecond: 18_000, settleSeconds: 4, verifySeconds: 6, warmUpSeconds: 3 },
  namespace,
  external: {
    schemes: ['mariadb', 'mysql'],
    tlsSchemes: [],
    namespaces: /^[^/\0]{1,64}$/,
    port: 3306,
    list: (endpoint) => ask(outside(endpoint), 'SHOW DATABASES').then((rows) => rows.map((row) => named(String(Object.values(row)[0])))),
    async create(endpoint, proposed) {
      const collation = isMysql(await ready(outside(endpoint))) ? 'utf8mb4_0900_bin' : 'utf8mb4_nopad_bin'
      await ask(outside(endpoint), `CREATE DATABASE ${id(proposed)} CHARACTER SET utf8mb4 COLLATE ${collation}`)
      return proposed
    },
    drop: async (endpoint, name) => void (await ask(outside(endpoint), `DROP DATABASE IF EXISTS ${id(name)}`)),
  },
  server,
  compile: compilingSql(dialect, serverSettings),
  handbook: (compiled) => ({
    schema: ['CREATE DATABASE application CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin', ...compiled.ddl, ...compiled.afterLoad],
    migrations: migrationsOf(dialect, compiled),
    upkeep: upkeepOf(dialect, compiled),
    backup: ['mariadb-backup --backup --target-dir="$BACKUP"', 'binary logs are shipped for point-in-time recovery'],
    restore: [
      'mariadb-backup --prepare, then --copy-back into an empty data directory',
      'mariadb-binlog --start-position … | mariadb up to the time wanted',
    ],
    ...archiving(archiveOf(dialect, shell, compiled)),
    grants: ['CREATE ROLE application', ...grantsOf(dialect, compiled)],
    rowRights: {
      how: [
        'No rights by row: the conditions on the tenant in the statements are what there is. Views would hold whatever a statement forgets: one for each table, WITH CHECK OPTION, with a condition on a stored function that tells the tenant of the session, and the rights of the application on the views alone.',
      ],
      statements: [],
    },
    alerts: [
      'Seconds_Behind_Master > 10',
      'history list length > 1 million',
      'Innodb_log_waits grows',
      'Threads_connected > 80 % of max_connections',
      'disk > 75 %',
    ],
    exporter,
  }),
  ready,
  guards,
  async connect(endpoint, compiled, options) {
    // First, so that nothing is open yet where it fails.
    const version = await ready(endpoint)
    const open = () => openClient(endpoint)
    return new MariadbSession(await openAll(options.connections, open), open, own(compiled), isMysql(version))
  },
  openLane: ({ host, port, user, password, tls, namespace: database }, compiled, slots) =>
    openMariadbLane({ host, port, user: user ?? 'root', password, tls, database, setup }, own(compiled), slots),
})

/** Of this engine's family, as `compile` made it. */
const own = (compiled: Compiled) => compiled as Compiled<Statement>

/** Its own name for what is not MariaDB stands behind the version. */
async function ready(endpoint: Endpoint): Promise<string> {
  const [row] = await ask(endpoint, 'SELECT VERSION() AS version')
  const version = String(row?.version)
  return version.includes('MariaDB') ? version : `${version} (MySQL)`
}
const isMysql = (version: string) => version.endsWith('(MySQL)')

/** Of no database: that of the endpoint may not be there. */
const outside = (endpoint: Endpoint): Endpoint => ({ ...endpoint, namespace: '' })

async function openClient({ host, port, user, password, tls, namespace: database }: Endpoint): Promise<Client> {
  const { createConnection } = await import('mariadb')
  const client = await createConnection({
    host,
    port,
    user: user ?? 'root',
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { ssl: tlsOptions({ host, tls }) }),
    ...(database === '' ? {} : { database }),
    connectTimeout: 5000,
    initSql: setup,
    // Cells as the wire client decodes them.
    ...{ dateStrings: true, bigIntAsNumber: true, insertIdAsNumber: true, decimalAsNumber: false, autoJsonMap: false },
    // Every statement of a scenario stays prepared.
    prepareCacheLength: 1000,
    allowPublicKeyRetrieval: true,
  })
  client.on('error', () => {}) // A lost connection fails the query that is in flight; without a listener it would end the process.
  return client
}

async function guards(endpoint: Endpoint): Promise<Guards> {
  const role = asRole(endpoint)
  const status = await ask(role, "SHOW SESSION STATUS WHERE Variable_name IN ('Ssl_version', 'Ssl_cipher')")
  const said = new Map(status.map((row) => [String(row.Variable_name), String(row.Value)]))
  const version = said.get('Ssl_version') ?? ''
  const grants = (await ask(role, 'SHOW GRANTS')).map((row) => String(Object.values(row)[0]))
  const wide = grants.filter((grant) => !/^GRANT (USAGE ON \*\.\*|SELECT, INSERT, UPDATE, DELETE ON `[^`]+`\.\*) /.test(grant))
  return {
    transport: { effective: version === '' ? 'Ssl_version: no TLS' : `${version}, ${said.get('Ssl_cipher')}`, ok: version !== '' },
    access: rowRightsOf(`role ${role.user}`, grants.length === 0 ? 'is unknown' : wide.map((grant) => grant.replace(/ TO .*/, '')).join('; ')),
  }
}

const ask = (endpoint: Endpoint, statement: string): Promise<Record<string, unknown>[]> =>
  withClient(
    () => openClient(endpoint),
    (client) => client.query(statement),
    (client) => client.end(),
  )
