/** Servers with passwords and TLS, as somebody else would run them: the engines' own, started with other settings. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Endpoint, Engine, ServerSpec } from '../../src/engines/engine.ts'
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

/** The engine with a server that lets nobody in without this password, over TLS where `tls`. */
export function secured(name: string, password: string, tls: Certificates): Secured {
  const engine = engineNamed(name)
  const { server } = engine
  const as = (user: string, spec: Partial<ServerSpec>, ready?: Engine['ready']): Engine => {
    const withLogin = (endpoint: Endpoint): Endpoint => ({
      ...endpoint,
      user,
      password,
      tls: { verify: true, authority: readFileSync(tls.authority, 'utf8') },
    })
    return { ...engine, server: { ...server, ...spec }, ready: ready ?? ((endpoint) => engine.ready(withLogin(endpoint))) }
  }
  const verify = (own: Certificates) => `tls=true&ca=${encodeURIComponent(own.authority)}`
  switch (name) {
    case 'postgres':
      return {
        scheme: 'postgres',
        user: 'postgres',
        parameters: (own) => `sslmode=verify-full&sslrootcert=${encodeURIComponent(own.authority)}`,
        engine: as('postgres', {
          files: () => [
            { name: 'password', text: password },
            { name: 'server.crt', text: tls.certificate },
            { name: 'server.key', text: tls.key },
            { name: 'pg_hba.conf', text: 'hostssl all all all scram-sha-256\n' },
          ],
          prepare: (context) => ({
            program: 'sh',
            arguments: [
              '-c',
              `chmod 600 server.key && exec "$0" -D "$1" -U postgres -A scram-sha-256 --pwfile=password --no-sync --encoding=UTF8 --locale=C`,
              `${context.home}/initdb`,
              context.dataDirectory,
            ],
          }),
          start(context) {
            const command = server.start(context)
            const options = ['ssl=on', `ssl_cert_file=${context.directory}/server.crt`, `ssl_key_file=${context.directory}/server.key`]
            return { ...command, arguments: [...command.arguments, ...options.flatMap((option) => ['-c', option])] }
          },
        }),
      }
    case 'mongodb':
      return {
        scheme: 'mongodb',
        user: 'root',
        parameters: verify,
        engine: as(
          'root',
          {
            files: (context) => [
              ...server.files(context),
              { name: 'server.pem', text: tls.certificate + tls.key },
              { name: 'keyfile', text: 'c2VjcmV0' },
              { name: 'ca.pem', text: readFileSync(tls.authority, 'utf8') },
            ],
            prepare: ({ dataDirectory }) => ({ program: 'sh', arguments: ['-c', 'chmod 600 keyfile && mkdir -p "$0"', dataDirectory] }),
            initiate: async () => {}, // The first user does it, over TLS.
            start(context) {
              const command = server.start(context)
              const at = (file: string) => `${context.directory}/${file}`
              return {
                ...command,
                arguments: [
                  ...command.arguments,
                  '--auth',
                  '--keyFile',
                  at('keyfile'),
                  '--tlsMode',
                  'requireTLS',
                  '--tlsCertificateKeyFile',
                  at('server.pem'),
                  '--tlsCAFile',
                  at('ca.pem'),
                  '--tlsAllowConnectionsWithoutCertificates',
                ],
              }
            },
          },
          (endpoint) => firstUser(endpoint, password, tls),
        ),
      }
    case 'cassandra':
      return {
        scheme: 'cqls',
        user: 'cassandra',
        parameters: (own) => `ca=${encodeURIComponent(own.authority)}`,
        engine: as(
          'cassandra',
          {
            files: (context) =>
              server.files(context).map((file) =>
                file.name === 'cassandra.yaml'
                  ? {
                      ...file,
                      text: `${file.text}authenticator: PasswordAuthenticator\nauthorizer: CassandraAuthorizer\nclient_encryption_options:\n  enabled: true\n  optional: false\n  keystore: ${context.directory}/server.p12\n  keystore_password: ${tls.storePassword}\n  store_type: PKCS12\n`,
                    }
                  : file,
              ),
            prepare: (context) => ({
              program: 'sh',
              arguments: ['-c', 'echo "$0" | base64 -d > "$1"', tls.store.toString('base64'), `${context.directory}/server.p12`],
            }),
          },
          (endpoint) => changePassword(engine, endpoint, password, tls),
        ),
      }
    default:
      return {
        scheme: 'redis',
        user: 'default',
        parameters: () => '',
        engine: {
          ...engine,
          server: {
            ...server,
            files: (context) => server.files(context).map((file) => ({ ...file, text: `${file.text}requirepass ${password}\n` })),
          },
          ready: (endpoint) => engine.ready({ ...endpoint, user: 'default', password }),
        },
      }
  }
}

/** The first user is made through the exception for the local host, which then closes. */
async function firstUser(endpoint: Endpoint, password: string, tls: Certificates): Promise<string> {
  const { MongoClient } = await import('mongodb')
  const options = { directConnection: true, tls: true, tlsCAFile: tls.authority, serverSelectionTimeoutMS: 1000 }
  const client = new MongoClient(`mongodb://127.0.0.1:${endpoint.port}/`, options)
  try {
    const admin = client.db('admin')
    await admin.command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: `127.0.0.1:${endpoint.port}` }] } }).catch(() => {})
    const hello = await admin.command({ hello: 1 })
    if (hello.isWritablePrimary !== true) throw new Error('no primary yet')
    await admin.command({ createUser: 'root', pwd: password, roles: ['root'] })
    return 'ready'
  } finally {
    await client.close()
  }
}

async function changePassword(engine: Engine, endpoint: Endpoint, password: string, tls: Certificates): Promise<string> {
  const driver = await import('cassandra-driver')
  const client = new driver.Client({
    contactPoints: [`127.0.0.1:${endpoint.port}`],
    localDataCenter: 'datacenter1',
    authProvider: new driver.auth.PlainTextAuthProvider('cassandra', 'cassandra'),
    sslOptions: { ca: readFileSync(tls.authority, 'utf8'), host: '127.0.0.1' },
  })
  try {
    await client.connect()
    await client.execute(`ALTER ROLE cassandra WITH PASSWORD = '${password}'`)
    return engine.name
  } finally {
    await client.shutdown()
  }
}
