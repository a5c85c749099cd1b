/** A toy: the smallest engine that there can be, as an example and a test of the contract. It is known to tests alone. */
import { readFileSync } from 'node:fs'
import { compileItems } from '../../src/clients/compile-items.ts'
import { throwingServerErrors } from '../../src/clients/driver-errors.ts'
import { named } from '../../src/clients/replies.ts'
import { codesOf, ServerError } from '../../src/clients/server-error.ts'
import type { Endpoint, Engine } from '../../src/engines/engine.ts'
import { openClient, Refused, type ToyClient } from './client.ts'
import { traits } from './facts.ts'
import { refusals, settings, toySession } from './session.ts'

const name = 'toy'
const mark = 'namespace:'
const program = readFileSync(new URL('./server.mjs', import.meta.url), 'utf8')
const codeOf = codesOf({ denied: ['denied'], 'out-of-resources': ['full'] })
const errorOf = (thrown: Error) =>
  thrown instanceof Refused ? new ServerError(codeOf(thrown.message), thrown.message, { detail: thrown.message }) : null

export const toy: Engine = throwingServerErrors(errorOf, {
  name,
  family: 'key-value',
  native: false,
  capabilities: {
    durability: ['volatile'],
    atomicity: 'row',
    rollback: false,
    access: 'keys',
    findsNulls: false,
    maxAggregatedRows: null,
    dataSurvivesRestart: false,
  },
  traits,
  pace: { startSeconds: 0.2, loadSeconds: 0.5, loadRowsPerSecond: 30_000, settleSeconds: 0, verifySeconds: 4, warmUpSeconds: 2 },
  namespace: 'dbtrial',
  external: {
    schemes: ['toy'],
    tlsSchemes: [],
    namespaces: /^\w{1,80}$/,
    port: 4444,
    list: (endpoint) => asking(endpoint, async (client) => (await client.items(mark)).map(({ key }) => named(key.slice(mark.length)))),
    // A namespace is a prefix of keys, which needs no making: an item marks it, so that it is found again.
    create: (endpoint, namespace) =>
      asking(endpoint, async (client) => {
        const outcome = await client.ask('add', { key: `${mark}${namespace}`, value: '', seconds: 0 })
        if (outcome !== 'done') throw new ServerError('unavailable', `there is a namespace ${namespace} already`)
        return namespace
      }),
    drop: (endpoint, namespace) =>
      asking(endpoint, async (client) => {
        const marked = { key: `${mark}${namespace}` }
        if ((await client.ask('get', marked)) === null) return
        for (const { key } of [...(await client.items(`${namespace}/`)), marked]) await client.ask('delete', { key })
      }),
  },
  server: {
    major: '1',
    image: { image: null, digest: null, home: '', offline: null },
    ports: [4444],
    // What is looked for runs the server; the server itself lies among its files, where its user reads it.
    onPath: { program: 'node', versionArguments: ['--version'], supported: /^v(1[89]|[2-9]\d)\./, supportedText: '18 and newer' },
    package: null,
    needs: [{ program: 'node', hint: 'install Node 18 or newer, so that it is on the PATH' }],
    stopSignal: 'SIGTERM',
    user: 'dbtrial',
    files: ({ user, password }) => [
      { name: 'server.mjs', text: program },
      { name: 'account', text: `${user} ${password}` },
    ],
    prepare: () => null,
    start: ({ home, directory, address, port, limits }) => ({
      program: `${home}/node`,
      arguments: [`${directory}/server.mjs`, address, String(port), `${directory}/account`, settings(limits).maxBytes],
    }),
  },
  compile: compileItems({ engine: name, settings, refusals, shown: (call, values) => `${call.command} ${call.key} ${values}`.trim() }),
  handbook: () => ({
    schema: [],
    migrations: [],
    backup: [],
    restore: [],
    grants: [],
    rowRights: { how: ['none'], statements: [] },
    alerts: ['the server refuses with "full"'],
  }),
  ready: (endpoint) => asking(endpoint, async (client) => (await client.ask<{ version: string }>('server')).version),
  guards: async () => ({
    transport: { effective: 'no TLS', ok: false },
    access: { effective: 'one account, which may do everything', ok: false },
  }),
  connect: async (endpoint, compiled) => toySession(await openClient(endpoint), endpoint.namespace, compiled),
})

async function asking<T>(endpoint: Endpoint, question: (client: ToyClient) => Promise<T>): Promise<T> {
  const client = await openClient(endpoint)
  try {
    return await question(client)
  } finally {
    client.end()
  }
}
