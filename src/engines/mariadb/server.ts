/** How MariaDB's server is made and started: Debian's package or a binary of one's own on the PATH, or the image. */
import image from '../../../docker/mariadb/image.json' with { type: 'json' }
import type { ServerContext, ServerSpec } from '../engine.ts'
import { certificateFiles } from '../server-files.ts'
import { id } from './names.ts'
import { serverSettings } from './settings.ts'

/** The database on a server of our own. */
export const namespace = 'dbtrial'

export const server: ServerSpec = {
  major: '10',
  image,
  ports: [3306],
  onPath: {
    program: 'mariadbd',
    versionArguments: ['--no-defaults', '--version'],
    supported: /\bVer (10\.(6|11)|1[12]\.\d+)\.\d+-MariaDB/,
    supportedText: '10.6, 10.11, 11 and 12',
  },
  package: null,
  needs: [
    {
      program: 'mariadbd',
      hint: 'install MariaDB 10.6 to 12 (Debian, as root: apt-get install mariadb-server, and stop the service that it starts), so that mariadbd is on the PATH',
    },
  ],
  stopSignal: 'SIGTERM',
  user: 'root',
  files: (context) => [{ name: 'accounts.sql', text: accounts(context) }, ...certificateFiles(context)],
  prepare: ({ home, dataDirectory }) => ({
    program: `${home}/../bin/mariadb-install-db`,
    arguments: [
      ...['--no-defaults', `--basedir=${home}/..`, `--datadir=${dataDirectory}`, '--skip-test-db', '--skip-name-resolve'],
      ...['--auth-root-authentication-method=normal', '--innodb-flush-log-at-trx-commit=0'],
    ],
  }),
  start: ({ home, address, dataDirectory, directory, port, limits, durability, security }) => ({
    program: `${home}/mariadbd`,
    arguments: [
      ...['--no-defaults', `--basedir=${home}/..`, `--datadir=${dataDirectory}`, `--tmpdir=${directory}`, `--init-file=${directory}/accounts.sql`],
      ...Object.entries({
        ...serverSettings(limits, durability),
        log_bin: 'binlog', // The name of its files.
        bind_address: address,
        port: String(port),
        socket: 'mariadb.sock', // Within the data directory: a longer path than a socket may have.
        pid_file: 'mariadb.pid',
        ...(security === undefined
          ? {}
          : { ssl_cert: `${directory}/server.crt`, ssl_key: `${directory}/server.key`, require_secure_transport: 'ON' }),
      }).map(([name, value]) => `--${name.replaceAll('_', '-')}=${value}`),
    ],
  }),
}

/** Run by each start before the port is opened: nobody was ever let in but the run's own account, and the role of its operations. */
function accounts({ user, password, security }: ServerContext): string {
  const account = (name: string) => `'${name}'@'%'`
  const kept = [user, ...(security === undefined ? [] : [security.role.user])]
  const lines = [
    `CREATE DATABASE IF NOT EXISTS ${id(namespace)}`,
    `DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys' AND NOT (Host = '%' AND User IN (${kept.map((name) => `'${name}'`).join(', ')}))`,
    'FLUSH PRIVILEGES',
    `CREATE USER IF NOT EXISTS ${account(user)} IDENTIFIED BY '${password}'`,
    `GRANT ALL PRIVILEGES ON *.* TO ${account(user)} WITH GRANT OPTION`,
    ...(security === undefined
      ? []
      : [
          `CREATE USER IF NOT EXISTS ${account(security.role.user)} IDENTIFIED BY '${security.role.password}'`,
          `GRANT SELECT, INSERT, UPDATE, DELETE ON ${id(namespace)}.* TO ${account(security.role.user)}`,
        ]),
  ]
  return lines.map((line) => `${line};\n`).join('')
}
