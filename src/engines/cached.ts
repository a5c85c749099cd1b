/** A store with a cache in front: one candidate of two servers, each a product's own. What operations do with them is in `clients/cached-session.ts` and `cached-lane.ts`. */
import { CachedLane } from '../clients/cached-lane.ts'
import { cachedSession } from '../clients/cached-session.ts'
import { openAll } from '../clients/open-all.ts'
import { TrialError } from '../errors.ts'
import type { Cache } from '../scenario/scenario.ts'
import type { Endpoint, Engine, Guards, Limits, Parity } from './engine.ts'

export function behindCache(store: Engine, cache: Engine, spec: Cache): Engine {
  const { caching } = cache
  if (caching === undefined) throw new TrialError('unknown-cache', `${cache.name} is no cache`, { exitCode: 2 })
  const { openLane } = store
  const limitsOf = (limits: Limits): { store: Limits; cache: Limits } => ({
    store: { ...limits, memoryBytes: limits.memoryBytes - spec.memoryBytes },
    cache: { ...limits, memoryBytes: spec.memoryBytes },
  })
  return {
    ...store,
    behindCache: { store, cache: { ...cache, server: caching.server }, limitsOf },
    pace: { ...store.pace, startSeconds: store.pace.startSeconds + cache.pace.startSeconds },
    compile(model, operations, scenario, durability) {
      const { memoryBytes } = limitsOf(scenario.bench).store
      const compiled = store.compile(model, operations, { ...scenario, bench: { ...scenario.bench, memoryBytes } }, durability)
      return { ...compiled, scenario, cache: spec }
    },
    ready: async (endpoint) => `${await store.ready(endpoint)} behind ${cache.name} ${await cache.ready(cacheAt(endpoint))}`,
    guards: (endpoint) => guardsOf(store, cache, endpoint),
    async connect(endpoint, compiled, options) {
      const session = await store.connect(endpoint, compiled, options)
      try {
        return {
          ...cachedSession(session, await caching.connect(cacheAt(endpoint)), compiled, spec),
          async facts(limits) {
            const own = limitsOf(limits)
            const [facts, beside] = [await session.facts(own.store), await caching.facts(cacheAt(endpoint), own.cache)]
            const version = `${facts.version} behind ${cache.name} ${beside.version}`
            return { version, parity: [...facts.parity, patternOf(cache, spec, beside.version), ...beside.parity] }
          },
        }
      } catch (error) {
        await session[Symbol.asyncDispose]()
        throw error
      }
    },
    ...(openLane === undefined
      ? {}
      : {
          openLane: async (endpoint, compiled, slots) => {
            const lane = await openLane(endpoint, compiled, slots)
            try {
              const connections = await openAll(slots, () => caching.open(cacheAt(endpoint)))
              return new CachedLane(lane, connections, caching.protocol, compiled, spec)
            } catch (error) {
              await lane[Symbol.asyncDispose]()
              throw error
            }
          },
        }),
  }
}

function cacheAt({ cache }: Endpoint): Endpoint {
  if (cache === undefined) throw new Error('the endpoint of a store with a cache has none of the cache')
  return cache
}

const patternOf = (cache: Engine, { ttlMs, for: names }: Cache, version: string): Parity => {
  const set = `cache-aside, ${ttlMs / 1000} s, for ${names.join(', ')}`
  return {
    what: 'cache in front',
    asked: `${cache.name} in front: reads fill it, writes by key take out what they change; an answer is at most so old`,
    set,
    effective: `${cache.name} ${version}: ${set}; on the cores of the store`,
    ok: true,
  }
}

async function guardsOf(store: Engine, cache: Engine, endpoint: Endpoint): Promise<Guards> {
  const [own, beside] = [await store.guards(endpoint), await cache.guards(cacheAt(endpoint))]
  const both = (of: (guards: Guards) => Guards['access']) => ({
    effective: `${of(own).effective}; ${cache.name}: ${of(beside).effective}`,
    ok: of(own).ok && of(beside).ok,
  })
  return { transport: both((guards) => guards.transport), access: both((guards) => guards.access) }
}
