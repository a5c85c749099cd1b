/** SCRAM-SHA-256 (RFC 5802, RFC 7677), the client's side, without channel binding. */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import { ServerError, unreadable } from '../server-error.ts'

const keyBytes = 32
const minIterations = 4096
/** Servers ask for 4,096 to some 100,000; a million take a second. */
const maxIterations = 1_000_000

export class Scram {
  readonly #user: string
  readonly #password: string
  readonly #nonce: string
  #signature = Buffer.alloc(0)

  constructor(user: string, password: string, nonce = randomBytes(18).toString('base64')) {
    this.#user = user.replaceAll('=', '=3D').replaceAll(',', '=2C')
    this.#password = password.normalize('NFKC')
    this.#nonce = nonce
  }

  first(): string {
    return `n,,${this.#firstBare()}`
  }

  /** @throws ServerError where the server's first message is not an answer to ours. */
  final(serverFirst: string): string {
    const { r: nonce = '', s: salt = '', i: iterations = '0' } = attributes(serverFirst)
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) throw unreadable('the server answered another login than ours')
    if (!(Number(iterations) <= maxIterations))
      throw unreadable(`the server asks for ${iterations.slice(0, 20)} iterations, more than ${maxIterations}`)
    if (Number(iterations) < minIterations) throw unreadable(`the server asks for ${iterations} iterations, fewer than ${minIterations}`)
    const salted = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), Number(iterations), keyBytes, 'sha256')
    const clientKey = hmac(salted, 'Client Key')
    const withoutProof = `c=biws,r=${nonce}`
    const message = `${this.#firstBare()},${serverFirst},${withoutProof}`
    const proof = hmac(createHash('sha256').update(clientKey).digest(), message)
    for (let at = 0; at < proof.length; at++) proof[at] = (proof[at] as number) ^ (clientKey[at] as number)
    this.#signature = hmac(hmac(salted, 'Server Key'), message)
    return `${withoutProof},p=${proof.toString('base64')}`
  }

  /** @throws ServerError where the server does not know the password either. */
  check(serverFinal: string): void {
    const { v: signature = '', e: error } = attributes(serverFinal)
    const given = Buffer.from(signature, 'base64')
    if (error !== undefined || given.length !== this.#signature.length || !timingSafeEqual(given, this.#signature))
      throw new ServerError('denied', `the server did not prove that it knows the password${error === undefined ? '' : `: ${error}`}`)
  }

  #firstBare(): string {
    return `n=${this.#user},r=${this.#nonce}`
  }
}

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()

function attributes(message: string): Record<string, string> {
  return Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
}
