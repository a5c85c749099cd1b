/** Servers with passwords and TLS, as somebody else would run them: the engines' own, started with other settings. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command, Endpoint, Engine, ServerContext, ServerSpec } from '../../src/engines/engine.ts'
import { engineNamed } from '../../src/engines/registry.ts'

export interface Certificates {
  /** Path of the authority's certificate. */
  authority: string
  certificate: string
  key: string
  /** PKCS #12, the way Java wants it. */
  store: Buffer
  storePassword: string
}

/** An authority and a certificate for 127.0.0.1, made by openssl. */
export function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'dbtrial-tls-'))
  const openssl = (...arguments_: string[]) => execFileSync('openssl', arguments_, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
  const storePassword = 'store-password'
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=dbtrial test authority', '-keyout', 'ca.key', '-out', 'ca.pem')
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=127.0.0.1',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
  )
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-copy_extensions',
    'copy',
    '-out',
    'server.pem',
  )
  openssl('pkcs12', '-export', '-in', 'server.pem', '-inkey', 'server.key', '-out', 'server.p12', '-passout', `pass:${storePassword}`)
  const text = (name: string) => readFileSync(join(directory, name), 'utf8')
  return {
    authority: join(directory, 'ca.pem'),
    certificate: text('server.pem'),
    key: text('server.key'),
    store: readFileSync(join(directory, 'server.p12')),
    storePassword,
  }
}

export interface Secured {
  engine: Engine
  user: string
  /** What follows `?` in the URL. */
  parameters: (tls: Certificates) => string
  scheme: string
}

/** The engine with a server that lets nobody in without this password, over TLS where it has TLS. */
export function secured(name: string, password: string, tls: Certificates): Secured {
  const engine = engineNamed(name)
  const { server } = engine
  const chosen = (context: ServerContext): ServerContext => ({ ...context, password })
  const reached = (endpoint: Endpoint): Endpoint => ({
    ...endpoint,
    password,
    ...(name === 'redis' ? {} : { tls: { verify: true, authority: readFileSync(tls.authority, 'utf8') } }),
  })
  const as = (spec: Partial<ServerSpec> = {}): Engine => ({
    ...engine,
    server: {
      ...server,
      files: (context) => server.files(chosen(context)),
      initiate: async (endpoint) => server.initiate?.(reached(endpoint)),
      ...spec,
    },
    ready: (endpoint) => engine.ready(reached(endpoint)),
  })
  const withArguments = (more: (context: ServerContext) => string[]) => (context: ServerContext) => {
    const command = server.start(context)
    return { ...command, arguments: [...command.arguments, ...more(context)] }
  }
  const verify = (own: Certificates) => `tls=true&ca=${encodeURIComponent(own.authority)}`
  const { user } = server
  switch (name) {
    case 'postgres':
      return {
        scheme: 'postgres',
        user,
        parameters: (own) => `sslmode=verify-full&sslrootcert=${encodeURIComponent(own.authority)}`,
        engine: as({
          files: (context) => [
            ...server.files(chosen(context)).filter((file) => file.name !== 'pg_hba.conf'),
            { name: 'server.crt', text: tls.certificate },
            { name: 'server.key', text: tls.key },
            { name: 'pg_hba.conf', text: 'hostssl all all all scram-sha-256\n' },
          ],
          start: withArguments(({ directory }) =>
            ['ssl=on', `ssl_cert_file=${directory}/server.crt`, `ssl_key_file=${directory}/server.key`].flatMap((option) => ['-c', option]),
          ),
        }),
      }
    case 'mongodb':
      return {
        scheme: 'mongodb',
        user,
        parameters: verify,
        engine: as({
          files: (context) => [
            ...server.files(chosen(context)),
            { name: 'server.pem', text: tls.certificate + tls.key },
            { name: 'ca.pem', text: readFileSync(tls.authority, 'utf8') },
          ],
          start: withArguments(({ directory }) => [
            ...['--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', `${directory}/server.pem`, '--tlsCAFile', `${directory}/ca.pem`],
            '--tlsAllowConnectionsWithoutCertificates',
          ]),
        }),
      }
    case 'cassandra':
      return {
        scheme: 'cqls',
        user,
        parameters: (own) => `ca=${encodeURIComponent(own.authority)}`,
        engine: as({
          files: (context) =>
            server.files(chosen(context)).map((file) =>
              file.name === 'cassandra.yaml'
                ? {
                    ...file,
                    text: `${file.text}client_encryption_options:\n  enabled: true\n  optional: false\n  keystore: ${context.directory}/server.p12\n  keystore_password: ${tls.storePassword}\n  store_type: PKCS12\n`,
                  }
                : file,
            ),
          prepare(context) {
            const { program, arguments: arguments_ } = server.prepare(context) as Command
            const script = 'echo "$0" | base64 -d > "$1"; shift; exec "$@"'
            return {
              program: 'sh',
              arguments: ['-c', script, tls.store.toString('base64'), `${context.directory}/server.p12`, program, ...arguments_],
            }
          },
        }),
      }
    default:
      return { scheme: 'redis', user, parameters: () => '', engine: as() }
  }
}
