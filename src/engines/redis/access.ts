/** Who may do what on a server of our own: the role that operations come from, and what the server says that it is refused. */
import { type Account, asRole, type Endpoint, type Guards } from '../engine.ts'
import { ask } from './client.ts'
import { ownerKey } from './databases.ts'

/** What the operations need, and INFO, which drivers ask for before they send work. */
const rowCommands = ['+@read', '+@write', '+@transaction', '+@scripting', '+@connection', '-@dangerous', '+info']

/** No plain port, and a user for the operations. */
export const secured = (port: number, directory: string, { user, password }: Account) => [
  'port 0',
  `tls-port ${port}`,
  `tls-cert-file ${directory}/server.crt`,
  `tls-key-file ${directory}/server.key`,
  'tls-auth-clients no', // They have passwords.
  `user ${user} on >${password} ~* resetchannels -@all ${rowCommands.join(' ')}`,
]

export async function guards(endpoint: Endpoint): Promise<Guards> {
  const name = asRole(endpoint).user ?? 'default'
  const [port, tlsPort] = await ask(endpoint, (client) =>
    Promise.all(['port', 'tls-port'].map(async (what) => ((await client.config('GET', what)) as string[])[1] ?? 'none')),
  )
  // What rights come to is told in other words by each version: what they refuse is the same.
  const allowed = await ask(asRole(endpoint), async (client) => {
    const tried = ownersCommands.map((words) => client.call(words[0] as string, ...words.slice(1)).then(() => words, notPermitted))
    return (await Promise.all(tried)).filter((words) => words !== null)
  })
  const named = (commands: string[][]) => commands.map(([command]) => command).join(', ')
  return {
    transport: { effective: `port ${port}, tls-port ${tlsPort}`, ok: port === '0' },
    access: {
      effective: `user ${name} ${allowed.length === 0 ? `is refused ${named(ownersCommands)}` : `may ${named(allowed)}`}`,
      ok: allowed.length === 0,
    },
  }
}

/** Harmless ones of those that only who administers may give. */
const ownersCommands = [['CONFIG', 'GET', 'port'], ['ACL', 'LIST'], ['KEYS', ownerKey], ['CLIENT', 'LIST'], ['LASTSAVE']]

function notPermitted(error: Error): null {
  if (!error.message.startsWith('NOPERM')) throw error
  return null
}
