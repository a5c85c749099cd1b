/** What is known of Cassandra beside what is measured, each with its source. */
import type { EngineTraits } from '../engine.ts'

export const traits: EngineTraits = {
  plan: {
    topology: {
      kind: 'ring',
      name: 'ring, replication factor 3',
      copies: 3,
      consulted: { strong: 2, session: 2, eventual: 1 },
      sharded: true,
      fewestShards: 1,
      beside: [],
      localDisk: true,
      source: 'Cassandra documentation, Dynamo; racks as zones, as many as copies: Cassandra documentation, Snitch',
    },
    memoryBound: false,
    commandThreads: { count: null, source: 'cassandra.yaml, concurrent_reads and concurrent_writes: pools of 32 threads each unless set' },
    atomicity: { acrossParts: true, readsToo: false, source: 'Cassandra documentation, BATCH: logged batches are atomic across partitions' },
    smallestServer: {
      vcpus: 4,
      memoryGib: 16,
      source: 'Cassandra documentation, Hardware Choices: 2 cores and 8 GB at the least, 8 cores and 32 GB typically; between the two',
    },
    fixedMemoryGib: {
      range: { low: 6, mid: 10, high: 14, confidence: null },
      source:
        'conf/cassandra-env.sh (github.com/apache/cassandra): a heap of a quarter of the memory, 8 GB at most; about as much again off heap for filters, summaries and compression is assumed',
    },
    diskReserve: {
      range: { low: 1.3, mid: 1.6, high: 2, confidence: null },
      source: 'DataStax documentation, Calculating usable disk capacity: disks are filled to 50 to 80 % depending on the compaction',
    },
    cacheOfRest: {
      range: { low: 0.7, mid: 0.85, high: 0.95, confidence: null },
      source: 'the page cache of the system beside heap and off-heap memory',
    },
    failoverSeconds: { range: { low: 0, mid: 0, high: 0, confidence: null }, source: 'Cassandra documentation, Dynamo: there is no primary' },
    lostSeconds: {
      range: { low: 0, mid: 0, high: 0, confidence: null },
      source: 'Cassandra documentation, Dynamo: writes are acknowledged by a quorum',
    },
    replicaWork: { range: { low: 1, mid: 1, high: 1, confidence: null }, source: 'every replica does the same work' },
  },
  minimum: { cpus: 2, memoryBytes: 8 * 2 ** 30, source: 'Cassandra documentation, Hardware Choices' },
  licence: { kind: 'permissive', value: 'Apache-2.0', source: 'cassandra.apache.org' },
  transactions: { value: 'none across partitions; lightweight transactions within one', source: 'Cassandra documentation, Guarantees' },
  isolation: { value: 'row-level within a partition', source: 'Cassandra documentation, Guarantees' },
  sharding: { value: 'built in, consistent hashing of the partition key', source: 'Cassandra documentation, Dynamo' },
  topologies: { value: 'ring without a primary', source: 'Cassandra documentation, Architecture' },
  controls: {
    'transport encryption': { by: 'product', value: 'TLS', source: 'Cassandra documentation, Security' },
    'access control': { by: 'product', value: 'roles', source: 'Cassandra documentation, Security' },
    'audit trail': { by: 'product', value: 'audit logging', source: 'Cassandra documentation, Audit Logging' },
    'encryption at rest': { by: 'beside', value: 'encrypted disks', source: 'Cassandra documentation, Security' },
  },
}
