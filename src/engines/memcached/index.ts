/** Memcached: how the server runs, its items, its client (memcache-client). */
import type { MemcacheClient } from 'memcache-client'
import image from '../../../docker/memcached/image.json' with { type: 'json' }
import { compileItems } from '../../clients/compile-items.ts'
import { throwingServerErrors } from '../../clients/driver-errors.ts'
import { MemcachedConnection, type MemcachedLogin } from '../../clients/protocols/memcached.ts'
import { named } from '../../clients/replies.ts'
import { ServerError } from '../../clients/server-error.ts'
import { tlsOptions } from '../../clients/socket.ts'
import { withClient } from '../../clients/with-client.ts'
import { archiving, handmade, leavingRows } from '../../families/archive.ts'
import { settingsOf } from '../configuration.ts'
import { asRole, type Endpoint, type Engine, type Guards, type Limits, type ServerSpec } from '../engine.ts'
import { certificateFiles, emptyDirectory } from '../server-files.ts'
import { cachingWith } from './cache.ts'
import { refusals, shownCall } from './calls.ts'
import { driverError } from './errors.ts'
import { exporter } from './exporter.ts'
import { traits } from './facts.ts'
import { openMemcachedLane } from './lane.ts'
import { itemsOf, MemcachedSession, settingsOfServer } from './session.ts'

const name = 'memcached'
/** The key that says whose a namespace is, which is a prefix of keys. */
const ownerKey = 'dbtrial.owner:'
const mebibyte = 2 ** 20
/** By default an item holds 1 MiB; the server wants this to be half of its memory at most. */
const maxItemBytes = 64 * mebibyte
/** Of the limit: the rest is for the table of keys, buffers of connections and the program. */
const memoryShare = 0.75

function settings({ cpus, memoryBytes }: Limits): Record<string, string> {
  const megabytes = Math.floor((memoryBytes * memoryShare) / mebibyte)
  return {
    ...settingsOf(name, 'volatile'),
    maxbytes: String(megabytes * mebibyte),
    num_threads: String(Math.max(1, Math.floor(cpus))),
    item_size_max: String(Math.min(maxItemBytes, Math.floor(megabytes / 2) * mebibyte)),
  }
}

/** `evicts`: whether items that were used least make room for others; else what does not fit is refused. */
const serverThat = (evicts: boolean): ServerSpec => ({
  major: '1',
  image,
  ports: [11211],
  onPath: { program: 'memcached', versionArguments: ['-V'], supported: /1\.6\./, supportedText: '1.6' },
  package: null,
  needs: [{ program: 'memcached', hint: 'install memcached 1.6, so that it is on the PATH (Debian: memcached)' }],
  stopSignal: 'SIGTERM',
  user: 'dbtrial',
  files: ({ user, password, security }) => [
    {
      name: 'accounts',
      text: [[user, password], ...(security === undefined ? [] : [[security.role.user, security.role.password]])]
        .map((each) => `${each.join(':')}\n`)
        .join(''),
    },
    ...certificateFiles({ security }),
  ],
  prepare: emptyDirectory,
  start: ({ home, address, port, directory, limits, security }) => {
    const { maxbytes, num_threads: threads, item_size_max: largest } = settings(limits)
    return {
      program: `${home}/memcached`,
      arguments: [
        ...['-l', address, '-p', String(port), '-U', '0', '-Y', `${directory}/accounts`],
        ...(evicts ? [] : ['-M']),
        ...['-m', String(Number(maxbytes) / mebibyte), '-t', String(threads), '-I', String(largest)],
        ...(security === undefined ? [] : ['-Z', '-o', `ssl_chain_cert=${directory}/server.crt,ssl_key=${directory}/server.key`]),
      ],
    }
  },
})

const loginOf = ({ host, port, user, password, tls }: Endpoint): MemcachedLogin => ({
  ...{ host, port },
  ...(user === undefined ? {} : { user }),
  ...(password === undefined ? {} : { password }),
  ...(tls === undefined ? {} : { tls }),
})

export const memcached: Engine = throwingServerErrors(driverError, {
  name,
  family: 'key-value',
  native: false,
  capabilities: {
    durability: ['volatile'],
    atomicity: 'row',
    rollback: false,
    access: 'keys',
    findsNulls: false,
    maxAggregatedRows: null,
    dataSurvivesRestart: false,
  },
  traits,
  pace: { startSeconds: 0.2, loadSeconds: 0.5, loadRowsPerSecond: 60_000, settleSeconds: 0, verifySeconds: 4, warmUpSeconds: 2 },
  namespace: 'dbtrial',
  external: {
    schemes: ['memcached'],
    tlsSchemes: ['memcacheds'],
    namespaces: /^[\w.-]{1,80}$/,
    port: 11211,
    list: (endpoint) =>
      asking(endpoint, async (connection) => [...(await itemsOf(connection, ownerKey)).keys()].map((key) => named(key.slice(ownerKey.length)))),
    /** A prefix needs no making: it is marked, so that it is found again. */
    create: (endpoint, proposed) =>
      asking(endpoint, async (connection) => {
        const reply = await connection.ask(`add ${ownerKey}${proposed} 0 0 0\r\n\r\n`)
        if (!reply.toString().startsWith('STORED')) throw new ServerError('unavailable', `there is a namespace ${proposed} already`)
        return proposed
      }),
    drop: (endpoint, namespace) =>
      asking(endpoint, async (connection) => {
        const mark = `${ownerKey}${namespace}`
        if (!(await itemsOf(connection, mark)).has(mark)) return
        for (const key of (await itemsOf(connection, `${namespace}:`)).keys()) await connection.ask(`delete ${key}\r\n`)
        await connection.ask(`delete ${mark}\r\n`)
      }),
  },
  server: serverThat(false),
  caching: cachingWith({ server: serverThat(true), settings: (limits) => ({ ...settings(limits), evictions: 'on' }), loginOf, openClient }),
  compile: compileItems({ engine: name, settings, refusals, shown: shownCall }),
  handbook: ({ scenario }) => ({
    ...archiving(leavingRows(scenario).map(handmade)),
    schema: [],
    migrations: [],
    backup: ['none: what an item holds must be found elsewhere, or may be lost'],
    restore: ['start the server, and let clients fill it again'],
    rowRights: { how: ['No rights at all by key: the client compares the tenant of an item that it reads.'], statements: [] },
    grants: ['a line `application:…` in the file of -Y; an account may do everything'],
    alerts: [
      'bytes > 80 % of limit_maxbytes',
      'store_no_memory > 0',
      'evictions > 0',
      'curr_connections > 80 % of max_connections',
      'uptime that starts anew',
    ],
    exporter,
  }),
  ready: (endpoint) =>
    asking(endpoint, async (connection) => {
      const [, version] = /^VERSION (\S+)/.exec((await connection.ask('version\r\n')).toString()) ?? []
      if (version === undefined) throw new ServerError('unreadable', 'it tells no version: it is no Memcached')
      return version
    }),
  guards,
  async connect(endpoint, compiled) {
    return new MemcachedSession(await openClient(endpoint), loginOf(endpoint), endpoint.namespace, compiled, settings)
  },
  openLane: (endpoint, compiled, slots) => openMemcachedLane(loginOf(endpoint), endpoint.namespace, compiled, slots),
})

/** One connection: only the first is told the account, and whatever it asks goes out without waiting for answers. */
async function openClient({ host, port, user, password, tls }: Endpoint): Promise<MemcacheClient> {
  const { MemcacheClient: Client } = await import('memcache-client')
  const client = new Client({
    server: { server: `${host}:${port}`, maxConnections: 1 },
    connectTimeout: 5000,
    cmdTimeout: 30_000,
    ...(tls === undefined ? {} : { tls: tlsOptions({ host, tls }) }),
  })
  try {
    if (password !== undefined) await client.set('login', `${user ?? ''} ${password}`, { lifetime: 0 })
    return client
  } catch (error) {
    client.shutdown()
    throw error
  }
}

const asking = <T>(endpoint: Endpoint, question: (connection: MemcachedConnection) => Promise<T>): Promise<T> =>
  withClient(
    () => MemcachedConnection.open(loginOf(endpoint)),
    question,
    (connection) => connection.end(),
  )

/** Whoever has an account may do everything: there are no rights. */
async function guards(endpoint: Endpoint): Promise<Guards> {
  const found = await withClient(
    () => openClient(asRole(endpoint)),
    settingsOfServer,
    (client) => client.shutdown(),
  )
  const encrypted = found.get('ssl_enabled') ?? 'no'
  return {
    transport: { effective: `ssl_enabled ${encrypted}`, ok: encrypted === 'yes' },
    access: { effective: `account ${asRole(endpoint).user ?? 'none'} may do everything, which includes the server's settings`, ok: false },
  }
}
