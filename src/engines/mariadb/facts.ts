/** What is known of MariaDB beside what is measured, each with its source. */
import type { EngineTraits } from '../engine.ts'

export const traits: EngineTraits = {
  plan: {
    topology: {
      kind: 'primary',
      name: 'primary and a replica',
      copies: 2,
      consulted: { strong: 1, session: 1, eventual: 1 },
      sharded: false,
      fewestShards: 2,
      beside: [{ nodes: 1, what: 'witness', when: 'always', votes: true }],
      localDisk: false,
      source:
        'MariaDB documentation, Replication Overview; two cannot tell who of them is cut off: MaxScale documentation, MariaDB Monitor, cooperative monitoring',
    },
    memoryBound: false,
    commandThreads: { count: null, source: 'MariaDB documentation, thread_handling: one-thread-per-connection' },
    atomicity: { acrossParts: false, readsToo: false, source: 'MariaDB documentation, Partitioning Overview: partitions are of one server' },
    smallestServer: {
      vcpus: 2,
      memoryGib: 4,
      source: 'judged by the makers of dbtrial, 2026: one core for purging and flushing beside one for clients',
    },
    fixedMemoryGib: {
      range: { low: 0.5, mid: 1, high: 2, confidence: null },
      source: 'connections at 1 to 4 MB, tables in the cache, and the system (MariaDB documentation, MariaDB Memory Allocation)',
    },
    cacheOfRest: {
      range: { low: 0.7, mid: 0.8, high: 0.9, confidence: null },
      source: 'MariaDB documentation, InnoDB Buffer Pool: 70 to 80 % of the memory of a dedicated server; pages go past the cache of the system',
    },
    failoverSeconds: {
      range: { low: 8, mid: 20, high: 60, confidence: null },
      source: 'MaxScale documentation, MariaDB Monitor: monitor_interval 2 s, failcount 5, then the promotion',
    },
    lostSeconds: {
      range: { low: 0, mid: 0.2, high: 5, confidence: null },
      source: 'MariaDB documentation, Semisynchronous Replication: replication is asynchronous unless that is switched on',
    },
    diskReserve: {
      range: { low: 1.1, mid: 1.4, high: 2, confidence: null },
      source: 'pages that splits leave half full, the undo log and the binary log',
    },
    replicaWork: {
      range: { low: 0.4, mid: 0.6, high: 1, confidence: null },
      source: 'a replica applies changed rows: it finds each by its key, without parsing and planning',
    },
  },
  minimum: null,
  licence: { kind: 'copyleft', value: 'GPL 2', source: 'MariaDB documentation, MariaDB Licenses' },
  transactions: { value: 'full, across tables', source: 'MariaDB documentation, Transactions' },
  isolation: {
    value: 'read uncommitted, read committed, repeatable read (default), serializable',
    source: 'MariaDB documentation, SET TRANSACTION',
  },
  sharding: {
    value: 'none in the server as it is installed; the Spider engine is a plugin',
    source: 'MariaDB documentation, Spider Storage Engine Overview',
  },
  topologies: { value: 'primary with replicas, or Galera Cluster', source: 'MariaDB documentation, Replication and Galera Cluster' },
  controls: {
    'transport encryption': { by: 'product', value: 'TLS', source: 'MariaDB documentation, Secure Connections Overview' },
    'access control': { by: 'product', value: 'accounts, roles and privileges', source: 'MariaDB documentation, GRANT and Roles Overview' },
    'audit trail': {
      by: 'product',
      value: 'the server_audit plugin, which comes with the server',
      source: 'MariaDB documentation, MariaDB Audit Plugin',
    },
    'encryption at rest': { by: 'product', value: 'encrypted tables and logs', source: 'MariaDB documentation, Data-at-Rest Encryption Overview' },
  },
}
