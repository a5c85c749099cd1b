/** Redis and Valkey as a cache: strings that expire, and go by their last use where there is no room. */
import { bulkOf, errorOf, isNull, lengthOfBulk, RedisConnection, startOfBulk } from '../../clients/protocols/resp.ts'
import { respKey } from '../../clients/protocols/resp-errors.ts'
import type { RequestBuffer } from '../../clients/request.ts'
import { writeDigits } from '../../data/whole-numbers.ts'
import type { CacheProtocol, Caching } from '../caching.ts'
import type { Limits, Parity } from '../engine.ts'
import { ask, loginOf, openClient, ready } from './client.ts'
import { type Build, serverOf } from './server.ts'
import { maxMemory } from './session.ts'

const settings = (limits: Limits): Record<string, string> => ({
  appendonly: 'no',
  maxmemory: String(maxMemory(limits)),
  'maxmemory-policy': 'allkeys-lru',
})

export const cachingOf = (build: Build): Caching => ({
  server: serverOf(build, settings),
  async facts(endpoint, limits) {
    const set = settings(limits)
    const parity = await ask(endpoint, async (client) => {
      const rows: Parity[] = []
      for (const [what, value] of Object.entries(set)) {
        const [, effective = 'unknown'] = (await client.config('GET', what)) as string[]
        const sizing = what === 'maxmemory' ? { sizing: true as const } : {}
        rows.push({
          what: `cache: ${what}`,
          asked: 'what is used least goes where there is no room; nothing is kept',
          set: value,
          effective,
          ok: effective === value,
          ...sizing,
        })
      }
      return rows
    })
    return { version: await ready(endpoint), parity }
  },
  async connect(endpoint) {
    const client = await openClient(endpoint)
    return {
      get: (key) => client.getBuffer(key),
      async set(key, value, ttlMs) {
        await client.set(key, value, 'PX', ttlMs)
      },
      async delete(key) {
        await client.del(key)
      },
      async [Symbol.asyncDispose]() {
        client.disconnect()
      },
    }
  },
  open: (endpoint) => RedisConnection.open(loginOf(endpoint)),
  protocol,
})

const heads = {
  get: Buffer.concat([Buffer.from('*2\r\n'), bulkOf('GET')]),
  set: Buffer.concat([Buffer.from('*5\r\n'), bulkOf('SET')]),
  delete: Buffer.concat([Buffer.from('*2\r\n'), bulkOf('DEL')]),
}
const expiry = bulkOf('PX')

const protocol: CacheProtocol = {
  get(key, to) {
    to.append(heads.get)
    appendBulk(key.bytes, key.length, to)
  },
  set(key, value, ttlMs, to) {
    to.append(heads.set)
    appendBulk(key.bytes, key.length, to)
    appendBulk(value, value.length, to)
    to.append(expiry)
    to.append(bulkOf(String(ttlMs)))
  },
  delete(key, to) {
    to.append(heads.delete)
    appendBulk(key.bytes, key.length, to)
  },
  find(bytes, from, found) {
    found.from = isNull(bytes, from) ? -1 : startOfBulk(bytes, from)
    found.to = found.from < 0 ? -1 : found.from + lengthOfBulk(bytes, from)
  },
  errorOf,
  keyOf: respKey,
}

const dollar = 0x24
const mostDigits = 16

function appendBulk(bytes: Buffer, length: number, to: RequestBuffer): void {
  to.reserve(mostDigits + length + 4)
  to.bytes[to.length++] = dollar
  to.length = lineEnd(to.bytes, writeDigits(length, to.bytes, to.length))
  to.appendPart(bytes, 0, length)
  to.reserve(2)
  to.length = lineEnd(to.bytes, to.length)
}

function lineEnd(bytes: Buffer, at: number): number {
  bytes[at] = 0x0d
  bytes[at + 1] = 0x0a
  return at + 2
}
