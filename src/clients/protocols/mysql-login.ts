/** How a client of MySQL or MariaDB proves who it is: the server's greeting, and the answers of the plugins that it may ask for. */
import { constants, createHash, publicEncrypt } from 'node:crypto'
import { ServerError, unreadable } from '../server-error.ts'

/** What the server says first. */
export interface Greeting {
  capabilities: number
  plugin: string
  nonce: Buffer
}

/** Bits of the capabilities (MariaDB documentation, Connection Phase). */
export const capability = {
  longPassword: 1,
  /** An update tells how many rows it found, not how many it changed. */
  foundRows: 1 << 1,
  withDatabase: 1 << 3,
  protocol41: 1 << 9,
  tls: 1 << 11,
  transactions: 1 << 13,
  secureConnection: 1 << 15,
  plugins: 1 << 19,
  /** Rows follow their columns without a packet between them. */
  noEndOfColumns: 1 << 24,
}

const nonceBytes = 20

/** Protocol version 10. @throws ServerError where it is none. */
export function greetingOf(bytes: Buffer, from: number, to: number): Greeting {
  if (bytes[from] !== 10) throw unreadable('a greeting of another protocol than version 10')
  // The version, which a zero ends, and the number of the connection.
  let at = bytes.indexOf(0, from + 1) + 1 + 4
  const first = bytes.subarray(at, at + 8)
  at += 8 + 1
  const capabilities = (bytes.readUInt16LE(at) | (bytes.readUInt16LE(at + 5) << 16)) >>> 0
  // Both halves, the character set and the status between them, the length of the nonce, and ten bytes of no meaning here.
  at += 2 + 1 + 2 + 2 + 1 + 10
  const nonce = Buffer.concat([first, bytes.subarray(at, at + nonceBytes - first.length)])
  at += nonceBytes - first.length + 1
  return { capabilities, plugin: at < to ? textUntilZero(bytes, at, to) : 'mysql_native_password', nonce }
}

export function textUntilZero(bytes: Buffer, from: number, to: number): string {
  const end = bytes.indexOf(0, from)
  return bytes.toString('utf8', from, end < 0 || end > to ? to : end)
}

/** What is sent in the place of the password. @throws ServerError where the plugin is none of those that this client knows. */
export function proofOf(plugin: string, password: string, nonce: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0)
  if (plugin === 'mysql_native_password') {
    const once = digest('sha1', password)
    return exclusive(once, digest('sha1', nonce, digest('sha1', once)))
  }
  if (plugin === 'caching_sha2_password') {
    const once = digest('sha256', password)
    return exclusive(once, digest('sha256', digest('sha256', once), nonce))
  }
  throw new ServerError('denied', `the server asks for a login by ${plugin}, which this client does not know`)
}

/** The password for the server's own key, where the connection is not encrypted. */
export function encryptedPassword(password: string, nonce: Buffer, publicKey: string): Buffer {
  const text = Buffer.from(`${password}\0`)
  return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, exclusive(text, nonce))
}

/** The second is repeated as often as the first is longer. */
const exclusive = (a: Buffer, b: Buffer) => Buffer.from(a.map((byte, at) => byte ^ (b[at % b.length] as number)))
const digest = (name: string, ...parts: (string | Buffer)[]) => parts.reduce((hash, part) => hash.update(part), createHash(name)).digest()
