/** The driver's client (ioredis), and who it connects as. */
import type { Redis } from 'ioredis'
import type { RedisLogin } from '../../clients/protocols/resp.ts'
import { ServerError } from '../../clients/server-error.ts'
import { tlsOptions } from '../../clients/socket.ts'
import { withClient } from '../../clients/with-client.ts'
import type { Endpoint } from '../engine.ts'

export const loginOf = ({ host, port, user, password, tls, namespace }: Endpoint): RedisLogin => ({
  host,
  port,
  user,
  password,
  tls,
  database: Number(namespace),
})

/** One connection carries all requests, as the driver's users have it: the server runs them one at a time anyway. */
export async function openClient({ host, port, user, password, tls, namespace }: Endpoint): Promise<Redis> {
  const { Redis: Client } = await import('ioredis')
  const client = new Client({
    host,
    port,
    db: Number(namespace),
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: tlsOptions({ host, tls }) }),
    lazyConnect: true,
    connectTimeout: 5000,
    retryStrategy: () => null, // A lost connection fails what is in flight; nothing is sent twice behind our back.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  })
  // It fails the requests too; a failing connection tells its reason only here.
  let reason: Error | undefined
  client.on('error', (error: Error) => (reason = error))
  try {
    await client.connect()
  } catch (error) {
    client.disconnect()
    throw reason ?? error
  }
  return client
}

export const ask = <T>(endpoint: Endpoint, question: (client: Redis) => Promise<T>): Promise<T> =>
  withClient(
    () => openClient(endpoint),
    question,
    (client) => client.disconnect(),
  )

/** One attempt: resolves with the server's version once it takes work. */
export const ready = (endpoint: Endpoint): Promise<string> =>
  ask(endpoint, async (client) => {
    const info = await client.info('server')
    const version = /^valkey_version:([\d.]+)\s*$/m.exec(info) ?? /^redis_version:([\d.]+)\s*$/m.exec(info)
    if (version?.[1] === undefined) throw new ServerError('unreadable', 'its INFO names no version: it is neither Redis nor Valkey')
    await client.ping() // INFO is answered while data is still being read from disk; this is not.
    return version[1]
  })
