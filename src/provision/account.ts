/** The one account of a run's server: a name of the engine's and a random password. Other users of the machine reach the port, and are not let in. */
import { randomBytes } from 'node:crypto'
import type { Engine, ServerContext } from '../engines/engine.ts'
import { keepSecret } from '../secrets.ts'

export function newAccount({ server: { user } }: Engine): Pick<ServerContext, 'user' | 'password'> {
  return { user, password: newPassword() }
}

/** Letters and digits alone: it stands in configuration files of five syntaxes. */
export function newPassword(): string {
  const password = randomBytes(24).toString('hex')
  keepSecret(password)
  return password
}
