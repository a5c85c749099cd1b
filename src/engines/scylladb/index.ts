/** ScyllaDB: what differs from Cassandra, whose tables, statements, driver and wire client it shares (protocol 4). Reached where somebody runs it, or in its image. */
import { execFileSync } from 'node:child_process'
import image from '../../../docker/scylladb/image.json' with { type: 'json' }
import { throwingServerErrors } from '../../clients/driver-errors.ts'
import { cassandraError } from '../cassandra/errors.ts'
import { accessOf, ask, asking, cassandra, makeKeyspace } from '../cassandra/index.ts'
import { promises } from '../cassandra/parity.ts'
import { configurationOf, settingsOf } from '../configuration.ts'
import type { Endpoint, Engine, Guards, Limits, ServerContext } from '../engine.ts'
import { certificateFiles, emptyDirectory } from '../server-files.ts'

const name = 'scylladb'
const system = 'docs.scylladb.com, System Requirements'
const { plan, controls } = cassandra.traits

export const scylladb: Engine = throwingServerErrors(cassandraError, {
  ...cassandra,
  name,
  traits: {
    ...cassandra.traits,
    plan: {
      ...plan,
      commandThreads: { count: null, source: `${system}: a shard for each core` },
      smallestServer: { vcpus: 2, memoryGib: 16, source: `${system}: 16 GB or 2 GB for each logical core, whichever is higher` },
      fixedMemoryGib: { range: { low: 1, mid: 1.5, high: 2, confidence: null }, source: 'assumed: what it leaves to the system, without a heap' },
      cacheOfRest: { range: { low: 0.5, mid: 0.7, high: 0.85, confidence: null }, source: `${system}: all memory caches rows, but for memtables` },
      diskReserve: { range: { low: 1.25, mid: 1.43, high: 2, confidence: null }, source: `${system}: filled to 50 to 80 % by the compaction` },
    },
    minimum: { cpus: 1, memoryBytes: 4 * 2 ** 30, source: `${system}: 4 GB in production` },
    licence: { kind: 'source-available', value: 'ScyllaDB Source Available License; AGPLv3 up to 6.2', source: 'scylladb.com' },
    controls: { ...controls, 'encryption at rest': { by: 'product', value: 'encrypted tables', source: 'docs.scylladb.com, Encryption at Rest' } },
  },
  external: { ...cassandra.external, schemes: ['scylladb', 'scylla', 'cql'], tlsSchemes: ['scyllas', 'cqls'] },
  server: {
    ...cassandra.server,
    major: '2026',
    image,
    ports: [9042, 7000, 10_000],
    package: null,
    needs: [{ program: 'scylla', hint: `run it in a container, which pulls ${image.image}, or give --endpoint NAME=scylladb://…` }],
    files: configurationFiles,
    prepare: emptyDirectory,
    start: ({ home, directory, dataDirectory, limits: { cpus, memoryBytes } }) => ({
      program: `${home}/scylla`,
      arguments: [
        ...['--options-file', `${directory}/scylla.yaml`, '--workdir', dataDirectory, '--smp', String(Math.max(1, Math.floor(cpus)))],
        ...['--memory', `${memoryMegabytes({ cpus, memoryBytes })}M`, '--overprovisioned', '--default-log-level', 'warn'],
      ],
    }),
    initiate: makeKeyspace,
    administer: ({ home, spare }, given) => ({ program: `${home}/nodetool`, arguments: ['-h', '127.0.0.1', '-p', String(spare[1]), ...given] }),
  },
  compile(model, operations, scenario, durability) {
    const { commitlog_sync: sync = '' } = settingsOf(name, durability)
    const settings = { commitlog_sync: sync, memory: `${memoryMegabytes(scenario.bench)} MiB`, replication: 'SimpleStrategy, factor 1' }
    return { ...cassandra.compile(model, operations, scenario, durability), engine: name, settings }
  },
  // It has no JMX: its figures have names of their own, and no exporter beside it.
  handbook: (compiled) => {
    const { exporter: _, ...handbook } = cassandra.handbook(compiled)
    return handbook
  },
  // It tells Cassandra's drivers a release of Cassandra; its own stands here, and nothing else has this table.
  ready: async (endpoint) => String((await ask(endpoint, "SELECT version FROM system.versions WHERE key = 'local'"))[0]?.version),
  guards,
  async connect(endpoint, compiled, options) {
    const session = await cassandra.connect(endpoint, compiled, options)
    return {
      ...session,
      async facts() {
        const { commitlog_sync: set = '' } = settingsOf(name, compiled.durability)
        const effective = (await configured(endpoint)).get('commitlog_sync') ?? 'unknown'
        const [space] = await ask(endpoint, `SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = '${endpoint.namespace}'`)
        const sync = { what: 'commitlog_sync', asked: `durability ${compiled.durability}`, set, effective, ok: effective === set }
        return { version: await scylladb.ready(endpoint), parity: [sync, ...promises(compiled, space?.replication)] }
      },
    }
  },
})

/** Of the limit; the rest is for what is no memory of its shards. */
const memoryMegabytes = ({ memoryBytes }: Limits) => Math.floor((memoryBytes * 0.8) / 2 ** 20)

function configurationFiles({ address, directory, port, spare, user, password, durability, security }: ServerContext) {
  // crypt(3) is what it wants, and Node has none.
  const salted = execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: password, encoding: 'utf8' }).trim()
  const waits = ['read_request', 'range_request', 'write_request', 'truncate_request', 'cas_contention', 'request']
  const yaml = [
    ...['cluster_name: dbtrial', 'endpoint_snitch: SimpleSnitch', 'listen_address: 127.0.0.1', `rpc_address: ${address}`],
    ...['broadcast_rpc_address: 127.0.0.1', `native_transport_port: ${port}`, `storage_port: ${spare[0]}`, `api_port: ${spare[1]}`],
    ...['seed_provider:', '  - class_name: org.apache.cassandra.locator.SimpleSeedProvider', '    parameters:', '      - seeds: "127.0.0.1"'],
    ...waits.map((each) => `${each}_timeout_in_ms: 30000`),
    ...['batch_size_warn_threshold_in_kb: 1024', 'batch_size_fail_threshold_in_kb: 5120', 'auto_snapshot: false', 'developer_mode: true'],
    ...['authenticator: PasswordAuthenticator', 'authorizer: CassandraAuthorizer'],
    ...[`auth_superuser_name: ${user}`, `auth_superuser_salted_password: "${salted}"`],
    configurationOf(name, durability),
  ]
  if (security !== undefined)
    yaml.push('client_encryption_options:', '  enabled: true', `  certificate: ${directory}/server.crt`, `  keyfile: ${directory}/server.key`)
  return [{ name: 'scylla.yaml', text: `${yaml.join('\n')}\n` }, ...certificateFiles({ security })]
}

/** Values are told as JSON. */
const configured = async (endpoint: Endpoint) =>
  new Map((await ask(endpoint, 'SELECT name, value FROM system.config')).map((row) => [String(row.name), String(row.value).replaceAll('"', '')]))

async function guards(endpoint: Endpoint): Promise<Guards> {
  const [settings, clients] = [
    await configured(endpoint),
    await asking(endpoint, (query) => query('SELECT ssl_enabled, ssl_protocol FROM system.clients')),
  ]
  const protocols = [...new Set(clients.map((row) => row.ssl_protocol ?? 'plain'))].join(' · ')
  return {
    transport: { effective: `TLS of its clients: ${protocols}`, ok: clients.length > 0 && clients.every((row) => row.ssl_enabled === true) },
    access: await accessOf(endpoint, settings),
  }
}
