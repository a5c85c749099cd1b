/** The toy's driver, which a real product has from a package: one connection, requests answered in their order. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { Endpoint } from '../../src/engines/engine.ts'

/** The server's word for what it does not do. */
export class Refused extends Error {}
export type ToyClient = Awaited<ReturnType<typeof openClient>>

export async function openClient({ host, port, user, password }: Endpoint) {
  const waiting: PromiseWithResolvers<unknown>[] = []
  let closed: Error | null = null
  const close = (cause: Error) => {
    closed ??= cause
    for (const each of waiting.splice(0)) each.reject(closed)
  }
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  socket.on('error', close).on('close', () => close(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })))
  const lines = createInterface({ input: socket }).on('error', close)
  lines.on('line', (line) => {
    const { said, refused } = JSON.parse(line) as { said?: unknown; refused?: string }
    if (refused === undefined) waiting.shift()?.resolve(said)
    else waiting.shift()?.reject(new Refused(refused))
  })

  async function ask<Said>(command: string, request: object = {}): Promise<Said> {
    if (closed !== null) throw closed
    const answer = Promise.withResolvers<unknown>()
    waiting.push(answer)
    socket.write(`${JSON.stringify({ command, ...request })}\n`)
    return (await answer.promise) as Said
  }

  const end = () => void socket.destroy()
  await ask('login', { user, password }).catch((error: unknown) => {
    end()
    throw error
  })
  return { ask, end, items: (prefix: string) => ask<{ key: string; value: string }[]>('items', { key: prefix }) }
}
