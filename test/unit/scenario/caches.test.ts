/** Caches in front of a candidate's store: what is understood, and which gets are refused, with the words that would mend it. */
import { expect, test } from 'vitest'
import { TrialError } from '../../../src/errors.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import type { KnownEngine } from '../../../src/scenario/scenario.ts'

const known: KnownEngine[] = [
  { name: 'postgres', durability: ['fsync', 'relaxed'] },
  { name: 'redis', durability: ['fsync', 'relaxed'], isCache: true },
  { name: 'memcached', durability: ['volatile'], isCache: true },
]

function read(cache: string, more: { operations?: string; entities?: string; tenant?: string } = {}) {
  const text = `name: s
summary: x
seed: 7
${more.tenant ?? ''}
entities:
  e: { count: 100, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] } } }
  l: { owned_by: e, per_owner: { range: [0, 3] }, fields: { q: { type: int, range: [0, 9] } } }
  t: { count: 100, ttl: 1h, fields: { id: { type: uuid, key: true } } }
  ${more.entities ?? ''}
operations:
  g: { get: e, rate: 1/s, p99: 1s, consistency: eventual, staleness: 5m }
  own: { get: e, with: [l], rate: 1/s, p99: 1s, consistency: eventual, staleness: 5m }
  strong: { get: e, rate: 1/s, p99: 1s, staleness: 5m }
  fresh: { get: e, rate: 1/s, p99: 1s, consistency: eventual }
  soon: { get: e, rate: 1/s, p99: 1s, consistency: eventual, staleness: 10s }
  alive: { get: t, rate: 1/s, p99: 1s, consistency: eventual, staleness: 5m }
  some: { list: e, where: { n: any }, order_by: n, limit: 5, rate: 1/s, p99: 1s, consistency: eventual, staleness: 5m }
  ${more.operations ?? ''}
requirements: { peak: 2x, durability: fsync }
candidates: [postgres, { name: postgres+redis, engine: postgres, cache: { ${cache} } }]
bench: { limits: { cpus: 1, memory: 1GiB } }
`
  try {
    return parseScenario(text, 's.yaml', known).candidates[1]?.cache
  } catch (error) {
    if (!(error instanceof TrialError)) throw error
    return error.message.split('\n').map((line) => line.replace(/^s\.yaml:\d+:\d+: candidates\.1\.cache\./, ''))
  }
}

test('a cache has a time to live, a quarter of the memory unless it is said, and gets that it answers', () => {
  expect(read('engine: redis, pattern: cache-aside, ttl: 5m, for: [g, own]')).toEqual({
    engine: 'redis',
    ttlMs: 300_000,
    memoryBytes: 2 ** 28,
    for: ['g', 'own'],
  })
  expect(read('engine: memcached, ttl: 30s, memory: 64MiB, for: [g]')).toMatchObject({ ttlMs: 30_000, memoryBytes: 2 ** 26 })
})

test.each([
  ['engine: radis, ttl: 5m, for: [g]', ['engine: there is no cache "radis": there are redis, memcached; did you mean "redis"?']],
  ['engine: postgres, ttl: 5m, for: [g]', ['engine: there is no cache "postgres": there are redis, memcached']],
  ['engine: redis, ttl: 1500ms, for: [g]', ['ttl: expected whole seconds']],
  ['engine: redis, ttl: 5m, memory: 600MiB, for: [g]', ['memory: the store keeps half of the memory of limits at least: give less']],
  ['engine: redis, ttl: 5m, for: [gg]', [expect.stringContaining('for.0: there is no operation "gg", did you mean "g"?')]],
  ['engine: redis, ttl: 5m, for: [g, g]', ['for.1: "g" is listed twice']],
  ['engine: redis, ttl: 5m, for: [some]', ['for.0: some is a list: a cache answers gets alone']],
  [
    'engine: redis, ttl: 5m, for: [strong]',
    [
      'for.0: strong is strong, and a cache may hold a row as it was up to 300 s ago: say "consistency: eventual" and "staleness: 300s" there, or leave it out here',
    ],
  ],
  ['engine: redis, ttl: 5m, for: [fresh]', ['for.0: fresh does not say how old an answer may be: say "staleness: 300s" there']],
  ['engine: redis, ttl: 5m, for: [soon]', ['for.0: soon may be 10 s old, and the cache keeps it for 300 s: give a "ttl" of 10s at most']],
  ['engine: redis, ttl: 5m, for: [alive]', ['for.0: rows of t expire, and a cache would keep them for longer']],
])('%s', (cache, problems) => {
  expect(read(cache)).toEqual(problems)
})

test('rows that are written without the key that the cache knows are not kept, nor those of a tenant', () => {
  const cache = 'engine: redis, ttl: 5m, for: [own]'
  expect(read(cache, { operations: 'touch_line: { update: l, set: { q: any }, rate: 1/s, p99: 1s }' })).toEqual([
    'for.0: touch_line writes rows that own reads with e, without its key: leave out "with", or cache another get',
  ])
  expect(
    read('engine: redis, ttl: 5m, for: [mine]', {
      tenant: 'tenant: shop_id',
      entities:
        'shop: { count: 5, fields: { id: { type: uuid, key: true } } }\n  p: { count: 9, fields: { id: { type: uuid, key: true }, shop_id: { ref: shop } } }',
      operations: 'mine: { get: p, rate: 1/s, p99: 1s, consistency: eventual, staleness: 5m }',
    }),
  ).toEqual(['for.0: rows of p are of a tenant, and a cache would answer another'])
})
