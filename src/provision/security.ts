/** What a server of our own is secured with: an authority and a certificate made for it alone, and a role for the operations. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Endpoint, ServerContext, ServerSecurity } from '../engines/engine.ts'
import { TrialError } from '../errors.ts'
import { keepSecret } from '../secrets.ts'
import { newPassword } from './account.ts'

/** One that no name service has: clients connect to an address and verify this. */
const name = 'server.dbtrial.internal'
/** Longer than any run. */
const validDays = '30'
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
// A replica set's member calls itself by its loopback address, and is a client then.
const extensions = `subjectAltName=DNS:${name},IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n`

/** `directory`: of the run, on a disk. The authority's key is gone when this is done: nothing else is ever signed by it. @throws TrialError */
export async function makeSecurity(directory: string): Promise<ServerSecurity> {
  const work = mkdtempSync(join(directory, 'authority-')) // Nobody else looks in: mode 0700, and 0600 for each key.
  const text = (file: string) => readFileSync(join(work, file), 'utf8')
  try {
    writeFileSync(join(work, 'extensions'), extensions)
    await openssl(
      work,
      'req',
      '-x509',
      ...newKey,
      '-days',
      validDays,
      '-subj',
      '/CN=dbtrial authority',
      '-keyout',
      'authority.key',
      '-out',
      'authority.pem',
    )
    await openssl(work, 'req', '-new', ...newKey, '-subj', `/CN=${name}`, '-keyout', 'server.key', '-out', 'request.pem')
    await openssl(
      work,
      ...['x509', '-req', '-in', 'request.pem', '-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial'],
      ...['-days', validDays, '-extfile', 'extensions', '-out', 'server.pem'],
    )
    const key = text('server.key')
    keepSecret(key)
    return { certificate: text('server.pem'), key, authority: text('authority.pem'), name, role: { user: 'application', password: newPassword() } }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** How clients reach it. */
export function securedBy({ security }: ServerContext): Pick<Endpoint, 'tls' | 'role'> {
  if (security === undefined) return {}
  const { authority, role } = security
  return { tls: { verify: true, authority, name: security.name }, role }
}

async function openssl(cwd: string, ...arguments_: string[]): Promise<void> {
  try {
    await promisify(execFile)('openssl', arguments_, { cwd })
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string }
    const why = code === 'ENOENT' ? 'openssl is not on the PATH' : `openssl failed: ${stderr?.trim().split('\n').at(-1)}`
    throw new TrialError('no-certificate', `security is on, and no certificate could be made: ${why}`, {
      hint: 'install openssl (Debian: openssl)',
      cause: error,
    })
  }
}
