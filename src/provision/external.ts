/** Servers that somebody else runs: a new namespace on them, dropped at the end; their limits and their CPU are unknown. */
import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { Endpoint, Engine } from '../engines/engine.ts'
import { messageOf, rethrowOwnFault, TrialError } from '../errors.ts'
import { keepSecret } from '../secrets.ts'
import { isGone, ownerOf, ownerText } from './owner.ts'
import type { Exit, Instance, Provisioner } from './provision.ts'
import { askServer, type Namespaces } from './question.ts'

export interface ExternalServer {
  engine: Engine
  /** Without a namespace of ours: as the URL says, or the engine's usual one. */
  endpoint: Endpoint
}

const prefix = 'dbtrial_'
const maxVersionLength = 40
const known = new Set(['sslmode', 'tls', 'ssl', 'tlsAllowInvalidCertificates', 'insecure'])
const flags = new Map([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
])
/** Modes of libpq: `require` encrypts without looking at the certificate. */
const modes = new Map([
  ['disable', { tls: false, verify: false }],
  ['require', { tls: true, verify: false }],
  ['verify-ca', { tls: true, verify: true }],
  ['verify-full', { tls: true, verify: true }],
])

/** @throws TrialError, exit code 2 */
type Refuse = (why: string, hint?: string) => never

/** @throws TrialError, exit code 2, where the URL is none of this engine's. The password never stands in a message. */
export function parseEndpoint(candidate: string, engine: Engine, text: string, option = `--endpoint ${candidate}`): ExternalServer {
  const { external } = engine
  const refuse: Refuse = (why, hint = `for example ${external.schemes[0]}://user@127.0.0.1:${external.port}`) => {
    throw new TrialError('bad-endpoint', `${option}: ${why}`, { hint, exitCode: 2 })
  }
  const url = parseUrl(text, engine, refuse)
  const { tls, verify, authority } = encryptionOf(url, external, refuse)
  const user = decoded('user', url.username, refuse)
  const variable = `DBTRIAL_PASSWORD_${candidate.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
  const password = url.password === '' ? process.env[variable] : decoded('password', url.password, refuse)
  if (password !== undefined) keepSecret(password)
  const namespace = url.pathname.replace(/^\//, '') || engine.namespace
  if (!external.namespaces.test(namespace)) refuse(`"${namespace}" is no database of ${engine.name}`, `such as ${engine.namespace}`)
  return {
    engine,
    endpoint: {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? external.port : Number(url.port),
      ...(user === '' && password === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      ...(tls ? { tls: { verify, ...(authority === undefined ? {} : { authority }) } } : {}),
      namespace,
    },
  }
}

/** Of a host, by one of the engine's schemes. */
function parseUrl(text: string, { name, external: { schemes, tlsSchemes } }: Engine, refuse: Refuse): URL {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return refuse('this is no URL')
  }
  const all = [...schemes, ...tlsSchemes]
  if (!all.includes(schemeOf(url))) refuse(`${name} is reached by ${all.map((each) => `${each}://`).join(' or ')}, not ${schemeOf(url)}://`)
  if (url.hostname === '') refuse('the URL names no host')
  return url
}

const schemeOf = ({ protocol }: URL) => protocol.slice(0, -1)

/** What the scheme and the parameters say. */
function encryptionOf(url: URL, { tlsSchemes }: Engine['external'], refuse: Refuse): { tls: boolean; verify: boolean; authority?: string } {
  let tls = tlsSchemes.includes(schemeOf(url))
  let verify = true
  let authority: string | undefined
  for (const [name, value] of url.searchParams) {
    const mode = modes.get(value)
    const flag = flags.get(value)
    if (name === 'sslmode' && mode !== undefined) ({ tls, verify } = mode)
    else if ((name === 'tls' || name === 'ssl') && flag !== undefined) tls = flag
    else if ((name === 'tlsAllowInvalidCertificates' || name === 'insecure') && flag !== undefined) verify = !flag
    else if (['ca', 'sslrootcert', 'tlsCAFile'].includes(name)) {
      try {
        authority = readFileSync(value, 'utf8')
      } catch (error) {
        refuse(`the certificate of the authority cannot be read: ${messageOf(error)}`, 'give the path of a PEM file')
      }
    } else
      refuse(
        // A value may be a password, or the rest of one that has an unescaped sign: it is not repeated.
        known.has(name) ? `the value of "${name}" is not understood` : `"${/^\w{1,30}$/.test(name) ? name : '…'}" is no parameter that is understood`,
        'known are tls=true, sslmode=disable|require|verify-ca|verify-full, insecure=true, ca=FILE; a password with signs such as ? # % goes percent-encoded or into DBTRIAL_PASSWORD_<CANDIDATE>',
      )
  }
  return { tls, verify, ...(authority === undefined ? {} : { authority }) }
}

function decoded(what: string, encoded: string, refuse: Refuse): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return refuse(`the ${what} of the URL is not percent-encoded as it should be`, 'write % as %25')
  }
}

/** Load goes to this machine, unless the user says otherwise. @throws TrialError, exit code 2 */
export async function checkLoopback(candidate: string, { endpoint }: ExternalServer): Promise<void> {
  const { host } = endpoint
  const addresses = isIP(host) ? [host] : (await lookup(host, { all: true }).catch(() => [])).map((each) => each.address)
  if (addresses.length > 0 && addresses.every((address) => address.startsWith('127.') || address === '::1')) return
  throw new TrialError('remote-refused', `--endpoint ${candidate}: ${host} is not this machine`, {
    hint: 'a trial loads a server to its limit: give --allow-remote where that server is yours to load',
    exitCode: 2,
  })
}

/** `register` hands over what must be dropped where this process is killed. */
export function external(servers: Map<string, ExternalServer>, register: (server: ExternalServer) => void): Provisioner {
  return {
    kind: 'external',
    async probe(engine) {
      return { usable: 'no', what: 'no address', fix: `--endpoint NAME=${engine.external.schemes[0]}://user@127.0.0.1:${engine.external.port}` }
    },
    async sweep(signal) {
      for (const server of servers.values()) await sweepNamespaces(server, signal).catch(() => {}) // It is said when the server is asked for work.
    },
    async start(order) {
      const server = servers.get(order.candidate)
      if (server === undefined) return { unobtainable: true, tried: ['no endpoint was given'], mend: `give --endpoint ${order.candidate}=URL` }
      const { engine, endpoint } = server
      const where = `${engine.name} at ${endpoint.host}:${endpoint.port}`
      const version = await askServer(engine.name, endpoint, { ask: 'ready' }, order.signal).catch((error: unknown) => {
        order.signal.throwIfAborted()
        rethrowOwnFault(error)
        throw new TrialError('external-refused', `${where} refused: ${messageOf(error)}`, {
          hint: 'check that the server runs there, then user, password and TLS of the URL',
        })
      })
      register(server)
      const proposed = `${prefix}${ownerText(order.owner)}_${candidateNumber(servers, order.candidate)}`
      const namespace = await askServer(engine.name, endpoint, { ask: 'create', proposed }, order.signal).catch((error: unknown) => {
        order.signal.throwIfAborted()
        rethrowOwnFault(error)
        throw new TrialError('no-namespace', `${where} gives no namespace of our own: ${messageOf(error)}`, {
          hint: 'the user needs the right to create and drop one',
        })
      })
      return new ExternalInstance(server, String(namespace), String(version).slice(0, maxVersionLength))
    },
  }
}

const candidateNumber = (servers: Map<string, ExternalServer>, candidate: string) => [...servers.keys()].indexOf(candidate).toString(36)

/** Drops the namespaces that a process of this machine made and that is provably gone. */
export async function sweepNamespaces({ engine, endpoint }: ExternalServer, signal?: AbortSignal): Promise<void> {
  for (const { namespace, name } of (await askServer(engine.name, endpoint, { ask: 'list' }, signal)) as Namespaces) {
    const owner = name.startsWith(prefix) ? ownerOf(name.slice(prefix.length).replace(/_[0-9a-z]+$/, '')) : undefined
    if (owner !== undefined && isGone(owner)) await askServer(engine.name, endpoint, { ask: 'drop', namespace }, signal)
  }
}

class ExternalInstance implements Instance {
  readonly kind = 'external'
  readonly endpoint: Endpoint
  readonly version: string
  readonly origin: string
  readonly image = null
  readonly enforced = { cpu: 'unknown', memory: 'unknown' } as const
  readonly cores: number[] = []
  readonly exited = new Promise<Exit>(() => {}) // Nobody tells us.
  readonly #server: ExternalServer

  constructor(server: ExternalServer, namespace: string, version: string) {
    this.#server = server
    const { host, port, user, tls } = server.endpoint
    this.endpoint = { ...server.endpoint, namespace }
    this.version = version
    this.origin = `${user === undefined ? '' : `${user}@`}${host}:${port}${tls === undefined ? '' : ', TLS'}, namespace ${namespace}; its limits and its CPU are unknown, and it runs on while others are measured`
  }

  async confine() {}

  async release() {}

  async processes() {
    return []
  }
  watch() {
    return () => null
  }

  async sample() {
    return null
  }
  async pause() {}
  async resume() {}
  async kill() {}

  async [Symbol.asyncDispose]() {
    await askServer(this.#server.engine.name, this.#server.endpoint, { ask: 'drop', namespace: this.endpoint.namespace })
  }
}
