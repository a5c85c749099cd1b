/** Memcached as a cache, which is what it was made for: items that expire, and go by their last use where there is no room. */
import type { MemcacheClient } from 'memcache-client'
import { errorOf, type FoundItem, findItem, MemcachedConnection, type MemcachedLogin } from '../../clients/protocols/memcached.ts'
import { memcachedKey } from '../../clients/protocols/memcached-errors.ts'
import { withClient } from '../../clients/with-client.ts'
import type { CacheProtocol, Caching } from '../caching.ts'
import type { Endpoint, Limits, Parity, ServerSpec } from '../engine.ts'
import { binaryFlag, expiryTime } from './calls.ts'
import { settingsOfServer } from './session.ts'
import { writeLength, writeTimeAndRoom } from './templates.ts'

interface Parts {
  server: ServerSpec
  settings: (limits: Limits) => Record<string, string>
  loginOf: (endpoint: Endpoint) => MemcachedLogin
  openClient: (endpoint: Endpoint) => Promise<MemcacheClient>
}

export const cachingWith = ({ server, settings, loginOf, openClient }: Parts): Caching => ({
  server,
  facts: (endpoint, limits) =>
    withClient(
      () => openClient(endpoint),
      async (client) => {
        const found = await settingsOfServer(client)
        const parity = Object.entries(settings(limits)).map(([what, set]): Parity => {
          const effective = found.get(what) ?? 'unknown'
          const sizing = what === 'evictions' ? {} : { sizing: true as const }
          return { what: `cache: ${what}`, asked: 'what is used least goes where there is no room', set, effective, ok: effective === set, ...sizing }
        })
        const [, version = ''] = await client.version()
        return { version, parity }
      },
      (client) => client.shutdown(),
    ),
  async connect(endpoint) {
    const client = await openClient(endpoint)
    return {
      get: async (key) => (await client.get<Buffer>(key))?.value ?? null,
      async set(key, value, ttlMs) {
        await client.set(key, value, { lifetime: expiryTime(ttlMs / 1000) })
      },
      async delete(key) {
        await client.delete(key).catch((error: Error) => {
          if (error.message !== 'NOT_FOUND') throw error
        })
      },
      async [Symbol.asyncDispose]() {
        client.shutdown()
      },
    }
  },
  open: (endpoint) => MemcachedConnection.open(loginOf(endpoint)),
  protocol,
})

const words = { get: Buffer.from('get '), set: Buffer.from('set '), delete: Buffer.from('delete '), flags: Buffer.from(` ${binaryFlag} `) }
const lineBreak = Buffer.from('\r\n')
const item: FoundItem = { from: -1, to: -1, casFrom: -1, casTo: -1 }

const protocol: CacheProtocol = {
  get(key, to) {
    to.append(words.get)
    to.appendPart(key.bytes, 0, key.length)
    to.append(lineBreak)
  },
  set(key, value, ttlMs, to) {
    to.append(words.set)
    to.appendPart(key.bytes, 0, key.length)
    to.append(words.flags)
    const lengthAt = writeTimeAndRoom(expiryTime(ttlMs / 1000), to)
    to.append(value)
    writeLength(value.length, to.bytes, lengthAt)
    to.append(lineBreak)
  },
  delete(key, to) {
    to.append(words.delete)
    to.appendPart(key.bytes, 0, key.length)
    to.append(lineBreak)
  },
  find(bytes, from, found) {
    findItem(bytes, from, item)
    found.from = item.from
    found.to = item.to
  },
  errorOf,
  keyOf: memcachedKey,
}
