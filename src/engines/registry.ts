/** The engines there are: one line each. */
import { TrialError } from '../errors.ts'
import type { Cache, KnownEngine } from '../scenario/scenario.ts'
import { behindCache } from './cached.ts'
import { cassandra } from './cassandra/index.ts'
import type { Engine } from './engine.ts'
import { mariadb } from './mariadb/index.ts'
import { memcached } from './memcached/index.ts'
import { mongodb } from './mongodb/index.ts'
import { pgbouncer } from './pgbouncer/index.ts'
import { postgres } from './postgres/index.ts'
import { redis, valkey } from './redis/index.ts'
import { scylladb } from './scylladb/index.ts'

export const engines: Engine[] = [postgres, mariadb, mongodb, cassandra, scylladb, redis, valkey, memcached]

/** Those of them that a candidate can have behind a pooler. */
export const pooledEngines: Engine[] = [pgbouncer]

/** As scenarios are read with. */
export const knownEngines: KnownEngine[] = engines.map(({ name, capabilities, caching }) => ({
  name,
  durability: capabilities.durability,
  isCache: caching !== undefined,
  poolers: pooledEngines.flatMap((each) => (each.name === name && each.pooler !== undefined ? [each.pooler] : [])),
}))

/** Of a candidate, or of what was compiled for one. @throws TrialError where there is no such engine, no such pooler of it, or no such cache. */
export function engineOf({ cache, ...store }: { engine: string; pooler?: string; cache?: Cache }): Engine {
  return cache === undefined ? storeOf(store) : behindCache(storeOf(store), engineNamed(cache.engine), cache)
}

function storeOf({ engine: name, pooler }: { engine: string; pooler?: string }): Engine {
  if (pooler === undefined) return engineNamed(name)
  const found = pooledEngines.find((each) => each.name === name && each.pooler === pooler)
  if (found === undefined) throw new TrialError('unknown-pooler', `there is no pooler "${pooler}" of ${name}`, { exitCode: 2 })
  return found
}

/** @throws TrialError where there is no such engine. */
export function engineNamed(name: string): Engine {
  const engine = engines.find((each) => each.name === name)
  if (engine === undefined) {
    throw new TrialError('unknown-engine', `there is no engine "${name}"`, {
      hint: `known are ${engines.map((each) => each.name).join(', ')}`,
      exitCode: 2,
    })
  }
  return engine
}
