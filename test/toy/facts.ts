/** What is known of the toy as a product. */
import type { EngineTraits } from '../../src/engines/engine.ts'

const source = 'test/toy/server.mjs'
const range = (low: number, mid: number, high: number) => ({ range: { low, mid, high, confidence: null }, source })
const nothing = (value: string) => ({ by: 'nothing' as const, value, source })

export const traits: EngineTraits = {
  plan: {
    topology: {
      ...{ kind: 'primary', name: 'one server', copies: 1, consulted: { strong: 1, session: 1, eventual: 1 }, source },
      ...{ sharded: false, fewestShards: 2, beside: [], localDisk: false },
    },
    memoryBound: true,
    commandThreads: { count: 1, source },
    atomicity: { acrossParts: false, readsToo: false, source },
    smallestServer: { vcpus: 1, memoryGib: 1, source },
    fixedMemoryGib: range(0.1, 0.2, 0.4),
    cacheOfRest: range(0.2, 0.25, 0.3),
    failoverSeconds: range(1, 60, 600),
    lostSeconds: range(3600, 86_400, 30 * 86_400),
    diskReserve: range(1, 1, 1),
    replicaWork: range(1, 1, 1),
  },
  minimum: null,
  licence: { kind: 'permissive', value: 'MIT', source: 'LICENSE' },
  transactions: { value: 'none; one item at a time, with its version where it was read before', source },
  isolation: { value: 'one request at a time', source },
  sharding: { value: 'none', source },
  topologies: { value: 'one server', source },
  controls: {
    'transport encryption': nothing('no TLS'),
    'access control': nothing('one account, which may do everything'),
    'audit trail': nothing('none'),
    'encryption at rest': { by: 'product', value: 'nothing is at rest', source },
  },
}
