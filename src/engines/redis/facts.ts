/** What is known of Redis and Valkey as products, each fact with its source; they differ in their licences and in who has an audit trail. */
import type { ControlFact, EngineTraits } from '../engine.ts'

export const traitsOf = (licence: EngineTraits['licence'], audit: ControlFact): EngineTraits => ({
  plan,
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
})

const plan: EngineTraits['plan'] = {
  topology: {
    kind: 'primary',
    name: 'primary and a replica, memory-bound',
    copies: 2,
    consulted: { strong: 1, session: 1, eventual: 1 },
    sharded: true,
    fewestShards: 3,
    beside: [{ nodes: 1, what: 'Sentinel', when: 'whole', votes: true }],
    localDisk: false,
    source: 'Redis documentation, Replication and Cluster specification: three primaries at least; Sentinel: three of them, two beside the servers',
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
}
