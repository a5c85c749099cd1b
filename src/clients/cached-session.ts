/** A store's session with a cache in front, through both drivers: gets ask the cache first and fill it, writes take out what they changed. */
import type { ParamSource } from '../data/parameters.ts'
import type { Answer } from '../data/value.ts'
import type { CacheClient } from '../engines/caching.ts'
import type { Compiled, Reply, Session } from '../engines/engine.ts'
import type { Cache } from '../scenario/scenario.ts'
import {
  type CachedKeys,
  type CachedRead,
  cachedKey,
  cachedKeysOf,
  decodeCached,
  encodeCached,
  keyValuesOf,
  monotonicNs,
  storeAskedAt,
  targetsOf,
} from './cached-keys.ts'
import { readReply } from './replies.ts'

export function cachedSession(store: Session, client: CacheClient, compiled: Compiled, cache: Cache): Session {
  const keys = cachedKeysOf(compiled, cache)
  return {
    ...store,
    perform(operation, params) {
      const read = keys.reads[operation]
      return read ? readThrough(store, client, cache, { operation, params, read }) : writeThrough(store, client, keys, operation, params)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([store[Symbol.asyncDispose](), client[Symbol.asyncDispose]()])
    },
  }
}

interface Asked {
  operation: number
  params: ParamSource
  read: CachedRead
}

async function readThrough(store: Session, client: CacheClient, { ttlMs }: Cache, { operation, params, read }: Asked): Promise<Reply> {
  const key = cachedKey(read.prefix, keyValuesOf(read, params))
  const kept = await client.get(key)
  if (kept !== null) return { ...readReply(1, () => decodeCached(kept, 0, kept.length)), cachedNs: storeAskedAt(kept, 0) }
  const askedNs = monotonicNs()
  const reply = await store.perform(operation, params)
  if (reply.outcome === 'ok') await client.set(key, encodeCached(askedNs, reply.answer() as Extract<Answer, { kind: 'rows' }>), ttlMs)
  return reply
}

/** Whatever became of the write: one that failed may have been done. */
async function writeThrough(store: Session, client: CacheClient, keys: CachedKeys, operation: number, params: ParamSource): Promise<Reply> {
  const gone = outdatedKeys(keys, operation, params)
  if (gone.length === 0) return await store.perform(operation, params)
  try {
    return await store.perform(operation, params)
  } finally {
    await Promise.all(gone.map((key) => client.delete(key)))
  }
}

const outdatedKeys = ({ outdated }: CachedKeys, operation: number, params: ParamSource): string[] =>
  (outdated[operation] ?? []).flatMap((write) => {
    const rows = write.row === null ? targetsOf(write, params).map((key) => [key]) : [keyValuesOf(write.row, params)]
    return rows.flatMap((values) => write.prefixes.map((prefix) => cachedKey(prefix, values)))
  })
