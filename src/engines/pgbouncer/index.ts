/** PgBouncer in front of PostgreSQL, in transaction mode: one candidate, on one set of cores, in one container. Whoever connects, connects to it. */
import image from '../../../docker/pgbouncer/image.json' with { type: 'json' }
import { throwingServerErrors } from '../../clients/driver-errors.ts'
import type { Endpoint, Engine, Guards, ServerContext } from '../engine.ts'
import type { Exporter } from '../handbook.ts'
import { postgresError } from '../postgres/errors.ts'
import { ask, postgres } from '../postgres/index.ts'

const pooler = 'pgbouncer'
const settings = { pool_mode: 'transaction', default_pool_size: '20' } // For each login, its own default.
const loopback = '127.0.0.1'

/** Beside those of the server: a second exporter, of the pooler. */
const withPools = ({ name, rules, ...rest }: Exporter): Exporter => ({
  ...rest,
  name: `${name}; pgbouncer_exporter (github.com/prometheus-community/pgbouncer_exporter)`,
  rules: [
    ...rules,
    {
      alert: 'pgbouncer_callers_wait',
      expr: 'max by (instance) (pgbouncer_pools_client_maxwait_seconds) > 1',
      for: '1m',
      severity: 'act',
      summary: 'callers of {{ $labels.instance }} wait for a connection to the server',
    },
  ],
})

export const pgbouncer: Engine = throwingServerErrors(postgresError, {
  ...postgres,
  pooler,
  traits: {
    ...postgres.traits,
    licence: { kind: 'permissive', value: 'PostgreSQL Licence; PgBouncer: ISC', source: 'postgresql.org/about/licence; pgbouncer.org' },
    topologies: {
      value: 'primary with streaming replicas, a PgBouncer in front of each',
      source: 'PostgreSQL documentation, chapter 26; pgbouncer.org',
    },
  },
  pace: { ...postgres.pace, startSeconds: 2 },
  server: {
    ...postgres.server,
    image,
    ports: [6432, 5432],
    beside: {
      program: 'pgbouncer',
      hint: 'install PgBouncer (Debian, as root: apt-get install pgbouncer, and stop the service that it starts), so that pgbouncer is on the PATH',
    },
    files: (context) => [
      ...postgres.server.files(behind(context)),
      { name: 'pgbouncer.ini', text: configuration(context) },
      { name: 'logins', text: logins(context) },
      ...(context.security === undefined ? [] : [{ name: 'authority.crt', text: context.security.authority }]),
    ],
    start(context) {
      const server = postgres.server.start(behind(context))
      // The shell becomes the server, whose child the pooler is: signals, cores and CPU are of both. Where the pooler ends, so does the server.
      const script = '(PATH="$PATH:/usr/local/sbin:/usr/sbin" pgbouncer "$0"; kill -INT $$) & exec "$@"'
      return { ...server, program: 'sh', arguments: ['-c', script, `${context.directory}/pgbouncer.ini`, server.program, ...server.arguments] }
    },
  },
  compile(...given) {
    const compiled = postgres.compile(...given)
    return { ...compiled, pooler, settings: { ...compiled.settings, ...settings } }
  },
  handbook: (compiled) => {
    const { alerts, exporter, ...handbook } = postgres.handbook(compiled)
    return {
      ...handbook,
      ...(exporter === undefined ? {} : { exporter: withPools(exporter) }),
      alerts: [...alerts, 'SHOW POOLS: maxwait > 1 s', 'CPU of PgBouncer, which has one thread, > 75 % of a core'],
    }
  },
  ready: async (endpoint) => `${await postgres.ready(endpoint)} behind ${await versionOf(endpoint)}`,
  guards,
  async connect(endpoint, compiled, options) {
    const session = await postgres.connect(endpoint, compiled, options)
    return {
      ...session,
      async facts(limits) {
        const { version, parity } = await session.facts(limits)
        const [own, said] = [await versionOf(endpoint), await configured(endpoint)]
        const set = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
        const effective = Object.keys(settings).map((name) => `${name} ${said.get(name)}`)
        const row = { what: 'pooler', asked: `${pooler} between clients and the server`, set: set.join(', ') }
        parity.push(
          { ...row, effective: `${own}: ${effective.join(', ')}`, ok: effective.join() === set.join() },
          { ...unprepared, set: 'parsed with each execution', ok: true },
        )
        return { version: `${version} behind ${own}`, parity }
      },
    }
  },
})

const unprepared = {
  what: 'prepared statements',
  asked: 'what PgBouncer of every version does in transaction mode',
  effective: 'none is kept from one transaction to the next: the server parses and plans each time',
}

/** The server itself is reached from beside it alone. */
const behind = (context: ServerContext): ServerContext => ({ ...context, address: loopback, port: context.spare[0] as number })

/** Text of its login file: it lets these in, and logs in to the server as they do. */
const logins = ({ user, password, security }: ServerContext) =>
  [{ user, password }, ...(security === undefined ? [] : [security.role])].map((each) => `"${each.user}" "${each.password}"\n`).join('')

function configuration({ address, port, spare, user, directory, security }: ServerContext): string {
  const lines = [
    ...['[databases]', `* = host=${loopback} port=${spare[0]}`, '[pgbouncer]'],
    ...[`listen_addr = ${address}`, `listen_port = ${port}`, 'unix_socket_dir ='],
    ...['auth_type = scram-sha-256', `auth_file = ${directory}/logins`, `stats_users = ${user}`],
    ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
    ...['max_client_conn = 2000', 'log_connections = 0', 'log_disconnections = 0'],
    'ignore_startup_parameters = options', // The server's own settings keep the promises that clients ask for there.
    'server_login_retry = 0.2', // It is up before the server is, and would wait for 15 s.
  ]
  if (security !== undefined)
    lines.push(
      ...['client_tls_sslmode = require', `client_tls_cert_file = ${directory}/server.crt`, `client_tls_key_file = ${directory}/server.key`],
      ...['server_tls_sslmode = verify-ca', `server_tls_ca_file = ${directory}/authority.crt`],
    )
  return `${lines.join('\n')}\n`
}

/** Its own console is a database of this name. */
const consoleOf = (endpoint: Endpoint): Endpoint => ({ ...endpoint, namespace: 'pgbouncer' })
const versionOf = async (endpoint: Endpoint) => String((await ask(consoleOf(endpoint), 'SHOW VERSION'))[0]?.version)
const configured = async (endpoint: Endpoint) =>
  new Map((await ask(consoleOf(endpoint), 'SHOW CONFIG')).map((row) => [String(row.key), String(row.value)]))

/** Of both ways: to the pooler, and on to the server. */
async function guards(endpoint: Endpoint): Promise<Guards> {
  const { transport, access } = await postgres.guards(endpoint)
  const mode = (await configured(endpoint)).get('client_tls_sslmode')
  return {
    transport: { effective: `client_tls_sslmode ${mode}; on to the server ${transport.effective}`, ok: mode === 'require' && transport.ok },
    access,
  }
}
