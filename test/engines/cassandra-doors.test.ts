/** The other doors of a Cassandra node of our own: its members' port, its management port, the role that everybody knows. */
import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectSecurely } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerContext } from '../../src/engines/engine.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { processIds, workingDirectory } from '../../src/host/processes.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import type { Instance } from '../../src/provision/provision.ts'
import { startLocally } from '../e2e/commands.ts'

const cassandra = engineNamed('cassandra')
const directory = makeRunDirectory()
const closedWithinMs = 3000
let context: ServerContext
let instance: Instance

beforeAll(async () => {
  const { server } = cassandra
  const seen = (of: ServerContext) => {
    context = of
    return server.start(of)
  }
  instance = await startLocally({ ...cassandra, server: { ...server, start: seen } }, directory)
}, 120_000)
afterAll(async () => {
  await instance?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
}, 60_000)

/** How a stranger's connection ends; rejects where it is still open after a while. */
function endOf(socket: ReturnType<typeof connect>, first: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = []
    socket.on('data', (data: Buffer) => received.push(data))
    socket.on('error', (error) => resolve(error.message))
    socket.on('close', () => resolve(`closed after ${Buffer.concat(received).length} bytes`))
    socket.on('secureConnect', () => socket.write(first))
    socket.on('connect', () => socket.write(first))
    setTimeout(() => {
      socket.destroy()
      reject(new Error('it is still connected'))
    }, closedWithinMs)
  })
}

/** The first message of a member: magic, then a messaging connection of versions 12 to 14, with an address. */
const memberHello = Buffer.from('ca552dfa0000000e0c0e06047f0000011b5800000000', 'hex')

test("who shows the node's own key is taken for a member, and nobody else", async () => {
  const [port] = context.spare as [number]
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false }
  expect(await endOf(connect(port, '127.0.0.1'), memberHello)).toMatch(/closed after 0 bytes|ECONNRESET/)
  expect(await endOf(connectSecurely(options), memberHello)).toMatch(/certificate|handshake|ECONNRESET/)
  const own = { pfx: readFileSync(join(context.directory, 'member.p12')), passphrase: context.password }
  await expect(endOf(connectSecurely({ ...options, ...own }), Buffer.alloc(0))).rejects.toThrow('still connected')
}, 20_000)

test('management wants the password', async () => {
  const { program, arguments: arguments_ } = cassandra.server.administer?.(context, ['info']) ?? { program: '', arguments: [] }
  const at = arguments_.indexOf('-u')
  const anonymous = arguments_.toSpliced(at, 4)
  await expect(promisify(execFile)(program, anonymous)).rejects.toThrow(/[Cc]redentials|[Aa]uthentication/)
  expect(await instance.administer?.(['info'])).toMatch(/Native Transport active\s*: true/)
}, 60_000)

test('the role that everybody knows is gone', async () => {
  await expect(cassandra.ready({ ...instance.endpoint, user: 'cassandra', password: 'cassandra' })).rejects.toThrow(/incorrect/)
})

test('the libraries that it unpacks lie in its own directory', () => {
  const pids = processIds().filter((pid) => workingDirectory(pid) === context.directory)
  const mapped = pids.flatMap((pid) => readFileSync(`/proc/${pid}/maps`, 'utf8').match(/\S+\.so$/gm) ?? [])
  expect(mapped.filter((path) => path.startsWith('/tmp/'))).toEqual([])
  expect(mapped.filter((path) => path.startsWith(context.directory)).length).toBeGreaterThan(0)
})
