/** What a MongoDB server says of itself: its settings against what was asked. */
import type { Document, MongoClient } from 'mongodb'
import type { Compiled, Limits, Parity } from '../engine.ts'

const GiB = 2 ** 30
/** No entity is named like this. */
const probe = '_probe'

export function cacheGigabytes({ memoryBytes }: Limits): string {
  // The server's own default: half of (memory − 1 GiB), at least 256 MiB (manual, storage.wiredTiger.engineConfig.cacheSizeGB).
  return Math.max(0.25, (memoryBytes / GiB - 1) / 2).toFixed(2)
}

export function settings(limits: Limits, durability: string): Record<string, string> {
  return {
    wiredTigerCacheSizeGB: cacheGigabytes(limits),
    writeConcern: durability === 'fsync' ? '{ w: "majority", j: true }' : '{ w: "majority", j: false }',
    replSet: 'rs0, one node',
  }
}

export async function mongoFacts(client: MongoClient, namespace: string, compiled: Compiled, limits: Limits) {
  const admin = client.db('admin')
  const [build, options, status, config] = await Promise.all([
    admin.command({ buildInfo: 1 }),
    admin.command({ getCmdLineOpts: 1 }),
    admin.command({ serverStatus: 1 }),
    admin.command({ replSetGetConfig: 1 }),
  ])
  const refused = await refusalOf(client, namespace, compiled)
  const parity: Parity[] = [
    {
      what: 'write concern',
      asked: `durability ${compiled.durability}`,
      set: settings(limits, compiled.durability).writeConcern as string,
      effective: refused === undefined ? 'accepted by the server' : refused.errmsg,
      ok: refused === undefined,
    },
    ...configured(options, status, config, Number(cacheGigabytes(limits)) * GiB),
    ...stated,
  ]
  return { version: String(build.version), parity }
}

/** What the server answers to a write that asks for the durability; undefined: it takes it. */
async function refusalOf(client: MongoClient, namespace: string, { durability }: Compiled): Promise<{ errmsg: string } | undefined> {
  const written = await client
    .db(namespace)
    .command({ insert: probe, documents: [{ _id: 0 }], writeConcern: { w: 'majority', j: durability === 'fsync' } })
    .catch((error: unknown) => ({ writeConcernError: { errmsg: String(error) } }))
  await client.db(namespace).dropCollection(probe)
  return (written as { writeConcernError?: { errmsg: string } }).writeConcernError
}

function configured(options: Document, status: Document, config: Document, wantedCacheBytes: number): Parity[] {
  const cache = Number(status.wiredTiger?.cache?.['maximum bytes configured'] ?? 0)
  return [
    {
      what: 'journal',
      asked: 'a journal',
      set: 'on',
      effective: `storage engine ${status.storageEngine?.name}, persistent ${status.storageEngine?.persistent}`,
      ok: status.storageEngine?.persistent === true,
    },
    {
      what: 'majority writes wait for the journal',
      asked: 'yes',
      set: 'default',
      effective: String(config.config?.writeConcernMajorityJournalDefault ?? true),
      ok: config.config?.writeConcernMajorityJournalDefault !== false,
    },
    {
      what: 'cache',
      asked: 'half of the memory limit above 1 GiB',
      set: `${wantedCacheBytes} bytes`,
      effective: `${cache} bytes`,
      ok: Math.abs(cache - wantedCacheBytes) < wantedCacheBytes * 0.02,
      sizing: true,
    },
    {
      what: 'replica set',
      asked: 'transactions',
      set: 'a replica set',
      effective: String(options.parsed?.replication?.replSet),
      ok: typeof options.parsed?.replication?.replSet === 'string',
    },
  ]
}

/** What each request says itself, and what this engine has not. */
const stated: Parity[] = [
  { what: 'isolation', asked: 'snapshot in transactions', set: 'readConcern snapshot', effective: 'stated with every transaction', ok: true },
  {
    what: 'consistency',
    asked: 'strong',
    set: 'primary, readConcern majority',
    effective: 'stated with every read; not linearizable across a failover',
    ok: true,
  },
  { what: 'referential integrity', asked: 'references point at rows', set: 'none', effective: 'not enforced by this engine', ok: true },
]
