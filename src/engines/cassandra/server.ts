/** How a Cassandra node is configured and started from its jars: the package has neither configuration nor scripts. */

import { configurationOf } from '../configuration.ts'
import type { Command, ServerContext } from '../engine.ts'
import { jvmArguments, moduleFlags } from './jvm.ts'

export function startCommand({ home, dataDirectory, directory, spare, limits }: ServerContext): Command {
  return {
    program: 'java',
    arguments: [
      ...jvmArguments(limits),
      `-Dcassandra.config=file://${directory}/cassandra.yaml`,
      `-Dcassandra.storagedir=${dataDirectory}`,
      '-Dcassandra-foreground=yes',
      `-Dcassandra.jmx.local.port=${spare[1]}`,
      '-Dcassandra.skip_wait_for_gossip_to_settle=0',
      '-Dcassandra.ring_delay_ms=0',
      '-Dcassandra.superuser_setup_delay_ms=0',
      // The password is random: one round of bcrypt protects it as well as a thousand, which each connection would pay for.
      '-Dcassandra.auth_bcrypt_gensalt_log2_rounds=4',
      '-Dcom.sun.management.jmxremote.authenticate=true',
      `-Dcom.sun.management.jmxremote.password.file=${directory}/jmx.password`,
      // What libraries unpack goes away with the server.
      `-Djava.io.tmpdir=${directory}`,
      `-Dlogback.configurationFile=${directory}/logback.xml`,
      '-cp',
      `${home}/*`,
      'org.apache.cassandra.service.CassandraDaemon',
    ],
  }
}

/** The members' port knows no passwords: it lets in who shows this key, which nobody but the node has. */
export function memberKeyCommand({ directory }: ServerContext): Command {
  return {
    program: 'keytool',
    arguments: [
      ...['-genkeypair', '-alias', 'node', '-dname', 'CN=dbtrial', '-keyalg', 'EC', '-groupname', 'secp256r1'],
      ...['-storetype', 'PKCS12', '-keystore', `${directory}/member.p12`, '-storepass:file', `${directory}/password`],
      '-J-XX:TieredStopAtLevel=1',
    ],
  }
}

/** nodetool, from the same jars. */
export function nodetoolCommand({ home, directory, spare, user }: ServerContext, arguments_: string[]): Command {
  return {
    program: 'java',
    arguments: [
      ...moduleFlags,
      '-Xmx128M',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      `${home}/*`,
      'org.apache.cassandra.tools.NodeTool',
      '-h',
      '127.0.0.1',
      '-p',
      String(spare[1]),
      ...['-u', user, '-pwf', `${directory}/jmx.password`],
      ...arguments_,
    ],
  }
}

/** No other server gives a request up by itself: what takes too long is for the client to say, for every candidate alike. */
export const timeouts = [
  ...['read', 'range', 'write', 'truncate'].map((what) => `${what}_request_timeout`),
  'cas_contention_timeout',
  'request_timeout',
]
export const timeout = '30s'

/** Clients speak TLS, and rights are looked at; like roles they are looked up once. */
const secured = (directory: string) => [
  'client_encryption_options:',
  '  enabled: true',
  '  optional: false',
  `  keystore: ${directory}/client.pem`,
  '  ssl_context_factory:',
  '    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory',
  'authorizer: CassandraAuthorizer',
  'permissions_validity: 24h',
]

export function configurationFiles({
  address,
  directory,
  dataDirectory,
  port,
  spare,
  user,
  password,
  durability,
  security,
}: ServerContext): { name: string; text: string }[] {
  const yaml = [
    'cluster_name: dbtrial',
    'num_tokens: 16',
    'partitioner: org.apache.cassandra.dht.Murmur3Partitioner',
    'endpoint_snitch: SimpleSnitch',
    'listen_address: 127.0.0.1',
    `rpc_address: ${address}`,
    'broadcast_rpc_address: 127.0.0.1',
    `native_transport_port: ${port}`,
    `storage_port: ${spare[0]}`,
    'seed_provider:',
    '  - class_name: org.apache.cassandra.locator.SimpleSeedProvider',
    '    parameters:',
    `      - seeds: "127.0.0.1:${spare[0]}"`,
    `data_file_directories: ["${dataDirectory}/data"]`,
    `commitlog_directory: ${dataDirectory}/commitlog`,
    `hints_directory: ${dataDirectory}/hints`,
    `saved_caches_directory: ${dataDirectory}/saved_caches`,
    `cdc_raw_directory: ${dataDirectory}/cdc_raw`,
    configurationOf('cassandra', durability),
    ...timeouts.map((name) => `${name}: ${timeout}`),
    'authenticator: PasswordAuthenticator',
    // Who we are is looked up once, not every two seconds in the middle of a trial; a password that no longer holds opens nothing.
    'roles_validity: 24h',
    'credentials_validity: 0ms',
    'server_encryption_options:',
    '  internode_encryption: all',
    '  optional: false',
    '  require_client_auth: true',
    ...['keystore', 'truststore'].flatMap((store) => [`  ${store}: ${directory}/member.p12`, `  ${store}_password: "${password}"`]),
    '  store_type: PKCS12',
    ...(security === undefined ? [] : secured(directory)),
    'auto_bootstrap: false',
    'auto_snapshot: false',
    'batch_size_fail_threshold: 5120KiB',
    'batch_size_warn_threshold: 1024KiB',
  ]
  const logback =
    '<configuration><appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%-5level %logger{0} %msg%n</pattern></encoder></appender><root level="WARN"><appender-ref ref="OUT"/></root></configuration>'
  return [
    { name: 'cassandra.yaml', text: `${yaml.join('\n')}\n` },
    { name: 'logback.xml', text: logback },
    { name: 'jmx.password', text: `${user} ${password}\n` },
    { name: 'password', text: password },
    ...(security === undefined ? [] : [{ name: 'client.pem', text: security.key + security.certificate }]),
  ]
}
