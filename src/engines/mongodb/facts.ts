/** What is known of MongoDB beside what is measured, each with its source. */
import type { EngineTraits } from '../engine.ts'

export const traits: EngineTraits = {
  plan: {
    topology: {
      kind: 'primary',
      name: 'replica set of three',
      copies: 3,
      consulted: { strong: 1, session: 1, eventual: 1 },
      sharded: true,
      localDisk: true,
      fewestShards: 2,
      beside: [{ nodes: 3, what: 'config servers', when: 'divided', votes: false }],
      source:
        'MongoDB manual, Sharded Cluster Components (mongodb.com/docs/manual/core/sharded-cluster-components): shards and config servers as replica sets of three, two shards at least; routers stand with the application',
    },
    memoryBound: false,
    diskReserve: { range: { low: 1.1, mid: 1.3, high: 1.8, confidence: null }, source: 'fragmentation, journal and oplog' },
    commandThreads: { count: null, source: 'MongoDB manual, Production Notes: a thread for each connection' },
    atomicity: { acrossParts: true, readsToo: false, source: 'MongoDB manual, Transactions: distributed transactions since 4.2' },
    smallestServer: {
      vcpus: 2,
      memoryGib: 8,
      source: 'MongoDB manual, Production Notes: two cores; Atlas offers 8 GiB (M30) as the least for production',
    },
    fixedMemoryGib: {
      range: { low: 1, mid: 1.5, high: 3, confidence: null },
      source: 'MongoDB manual: the cache leaves 1 GiB and half of the rest; connections at up to 1 MB each, sorts at up to 100 MB',
    },
    cacheOfRest: {
      range: { low: 0.5, mid: 0.75, high: 0.9, confidence: null },
      source: 'MongoDB manual: half of memory less 1 GiB, and the page cache of the system',
    },
    failoverSeconds: {
      range: { low: 5, mid: 12, high: 30, confidence: null },
      source: 'MongoDB manual, Replica Set Elections (mongodb.com/docs/manual/core/replica-set-elections): the median should not exceed 12 s',
    },
    lostSeconds: {
      range: { low: 0, mid: 0, high: 0, confidence: null },
      source: 'MongoDB manual, Write Concern: what a majority acknowledged is not rolled back',
    },
    replicaWork: { range: { low: 0.4, mid: 0.7, high: 1, confidence: null }, source: 'a secondary applies the oplog' },
  },
  minimum: { cpus: 2, memoryBytes: 0, source: 'MongoDB manual, Production Notes' },
  licence: { kind: 'source-available', value: 'SSPL (not OSI approved)', source: 'mongodb.com/licensing/server-side-public-license' },
  transactions: { value: 'across documents and collections, on replica sets', source: 'MongoDB manual, Transactions' },
  isolation: { value: 'snapshot in transactions, single documents atomic', source: 'MongoDB manual, Read Isolation' },
  sharding: { value: 'built in, by range or hash', source: 'MongoDB manual, Sharding' },
  topologies: { value: 'replica set, sharded cluster', source: 'MongoDB manual, Replication' },
  controls: {
    'transport encryption': { by: 'product', value: 'TLS', source: 'MongoDB manual, TLS/SSL' },
    'access control': { by: 'product', value: 'roles', source: 'MongoDB manual, Role-Based Access Control' },
    'audit trail': { by: 'other edition', value: 'MongoDB Enterprise or Atlas', source: 'MongoDB manual, Auditing' },
    'encryption at rest': { by: 'beside', value: 'encrypted disks', source: 'MongoDB manual, Encryption at Rest: of its own in Enterprise only' },
  },
}
