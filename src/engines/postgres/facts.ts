/** What is known of PostgreSQL beside what is measured, each with its source. */
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
      source: 'PostgreSQL documentation, chapter 26; two cannot tell who of them is cut off: Patroni documentation, etcd asks for three voters',
    },
    memoryBound: false,
    commandThreads: { count: null, source: 'PostgreSQL 18 documentation, 51.2, How Connections Are Established: a process for each connection' },
    atomicity: { acrossParts: false, readsToo: false, source: 'PostgreSQL documentation, 5.12: partitions are of one server' },
    smallestServer: {
      vcpus: 2,
      memoryGib: 4,
      source: 'judged by the makers of dbtrial, 2026: one core for vacuum and checkpoints beside one for clients',
    },
    fixedMemoryGib: {
      range: { low: 0.5, mid: 1, high: 2, confidence: null },
      source: 'backends at 5 to 10 MB, maintenance_work_mem, and the system (PostgreSQL documentation, 19.4)',
    },
    cacheOfRest: { range: { low: 0.7, mid: 0.85, high: 0.95, confidence: null }, source: 'shared buffers and the page cache of the system' },
    failoverSeconds: {
      range: { low: 15, mid: 40, high: 90, confidence: null },
      source: 'Patroni documentation, Dynamic configuration settings (patroni.readthedocs.io): ttl 30 s, loop_wait 10 s, then the promotion',
    },
    lostSeconds: {
      range: { low: 0, mid: 0.2, high: 5, confidence: null },
      source: 'PostgreSQL documentation, 26.2.8: streaming replication is asynchronous unless synchronous_standby_names is set',
    },
    diskReserve: { range: { low: 1.1, mid: 1.4, high: 2, confidence: null }, source: 'dead rows between vacuums, and the write-ahead log' },
    replicaWork: { range: { low: 0.3, mid: 0.5, high: 1, confidence: null }, source: 'a replica replays the log: no parsing, no planning' },
  },
  minimum: null,
  licence: { kind: 'permissive', value: 'PostgreSQL Licence', source: 'postgresql.org/about/licence' },
  transactions: { value: 'full, across tables', source: 'PostgreSQL documentation, chapter 13' },
  isolation: { value: 'read committed (default), repeatable read, serializable', source: 'PostgreSQL documentation, 13.2' },
  sharding: { value: 'none built in; partitioning within a node', source: 'PostgreSQL documentation, 5.12' },
  topologies: { value: 'primary with streaming replicas', source: 'PostgreSQL documentation, chapter 26' },
  controls: {
    'transport encryption': { by: 'product', value: 'TLS', source: 'PostgreSQL documentation, 18.9' },
    'access control': { by: 'product', value: 'roles, privileges, row security', source: 'PostgreSQL documentation, chapters 5 and 21' },
    'audit trail': { by: 'beside', value: 'the pgaudit extension', source: 'github.com/pgaudit/pgaudit' },
    'encryption at rest': { by: 'beside', value: 'encrypted disks', source: 'PostgreSQL documentation, 18.8' },
  },
}
