/** Databases of a server that somebody else runs: they have numbers, so a key in each says whose it is. */
import { ServerError } from '../../clients/server-error.ts'
import type { External } from '../engine.ts'
import { ask } from './client.ts'

/** Those of rows and sets have a colon. */
export const ownerKey = 'dbtrial.owner'
const databases = 16

export const external: External = {
  schemes: ['redis'],
  tlsSchemes: ['rediss'],
  namespaces: /^\d{1,5}$/,
  port: 6379,
  async list(endpoint) {
    const found: { namespace: string; name: string }[] = []
    for (let database = 0; database < databases; database++) {
      const owner = await ask({ ...endpoint, namespace: String(database) }, (client) => client.get(ownerKey)).catch(() => null)
      if (owner !== null) found.push({ namespace: String(database), name: owner })
    }
    return found
  },
  /** The last empty one is taken, and marked. */
  async create(endpoint, proposed) {
    for (let database = databases - 1; database > 0; database--) {
      const taken = await ask(
        { ...endpoint, namespace: String(database) },
        async (client) => (await client.dbsize()) === 0 && (await client.set(ownerKey, proposed, 'NX')) === 'OK',
      ).catch(() => false)
      if (taken) return String(database)
    }
    throw new ServerError('unavailable', `none of its databases 1 to ${databases - 1} is empty`)
  },
  drop: (endpoint, namespace) =>
    ask({ ...endpoint, namespace }, async (client) => void ((await client.exists(ownerKey)) === 1 && (await client.flushdb()))),
}
