/** What is known of Memcached as a product, each with its source. */
import type { EngineTraits } from '../engine.ts'

const range = (low: number, mid: number, high: number) => ({ low, mid, high, confidence: null })
const daySeconds = 86_400

export const traits: EngineTraits = {
  plan: {
    topology: {
      kind: 'primary',
      name: 'servers that know nothing of each other; clients divide the keys, no row has a copy',
      copies: 1,
      consulted: { strong: 1, session: 1, eventual: 1 },
      sharded: true,
      fewestShards: 2,
      beside: [],
      localDisk: false,
      source: 'docs.memcached.org, About: servers are unaware of each other, the logic is half in the client; no synchronization, no replication',
    },
    memoryBound: true,
    commandThreads: { count: null, source: 'man memcached, -t: worker threads, each with connections of its own' },
    atomicity: {
      acrossParts: false,
      readsToo: false,
      source: 'doc/protocol.txt (github.com/memcached/memcached): a storing command is about one key',
    },
    smallestServer: { vcpus: 1, memoryGib: 1, source: 'judged by the makers of dbtrial, 2026: one core serves what a network of this size brings' },
    fixedMemoryGib: {
      range: range(0.2, 0.3, 0.6),
      source: 'the system, the table of keys and buffers of connections, which -m does not count (man memcached, -m: item memory)',
    },
    cacheOfRest: {
      range: range(0.75, 0.85, 0.95),
      source:
        'docs.memcached.org, User Internals: items stand in slabs of a few sizes, 25 % apart by default (-f 1.25), and each has a header of some 50 bytes',
    },
    failoverSeconds: {
      range: range(1, 60, 600),
      source: 'nothing takes over: until the server is started again, or clients give it up; from a timeout of a client to a new server',
    },
    lostSeconds: { range: range(3600, daySeconds, 30 * daySeconds), source: 'all that the server held is gone: as old as its oldest row' },
    diskReserve: { range: range(1, 1, 1), source: 'nothing is on a disk' },
    replicaWork: { range: range(1, 1, 1), source: 'there are no replicas' },
  },
  minimum: null,
  licence: { kind: 'permissive', value: 'BSD-3-Clause', source: 'LICENSE (github.com/memcached/memcached)' },
  transactions: { value: 'none; one item at a time, with cas where it was read before', source: 'doc/protocol.txt (github.com/memcached/memcached)' },
  isolation: { value: 'every command about an item stands for itself', source: 'doc/protocol.txt (github.com/memcached/memcached)' },
  sharding: { value: 'by clients, which hash the keys over the servers that they know', source: 'docs.memcached.org, About' },
  topologies: { value: 'servers side by side without copies; memory-bound', source: 'docs.memcached.org, About' },
  controls: {
    'transport encryption': {
      by: 'product',
      value: 'TLS, where it was built with it (--enable-tls)',
      source: 'doc/tls.txt (github.com/memcached/memcached)',
    },
    'access control': { by: 'nothing', value: 'accounts (SASL, or -Y), without rights', source: 'man memcached, -S and -Y' },
    'audit trail': { by: 'nothing', value: 'none', source: 'doc/protocol.txt, Watchers: what is stored and fetched, not by whom' },
    'encryption at rest': { by: 'product', value: 'nothing is at rest', source: 'docs.memcached.org, About: all in memory' },
  },
}
