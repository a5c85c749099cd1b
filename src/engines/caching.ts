/** What a product does as a cache in front of another: values of bytes under keys, each for so long; where there is no room the one that was used least lately goes. */
import type { RequestBuffer } from '../clients/request.ts'
import type { TalkConnection } from '../clients/talk-lane.ts'
import type { Endpoint, Limits, Parity, ServerSpec } from './engine.ts'

export interface Caching {
  /** Set up as a cache: nothing is kept on a disk, and what does not fit makes room. */
  server: ServerSpec
  /** What it says of its settings. */
  facts(endpoint: Endpoint, limits: Limits): Promise<{ version: string; parity: Parity[] }>
  /** Through the official driver. */
  connect(endpoint: Endpoint): Promise<CacheClient>
  /** One connection of the wire client, which speaks `protocol`. */
  open(endpoint: Endpoint): Promise<TalkConnection>
  protocol: CacheProtocol
}

/** Keys are printable ASCII without blanks, 250 bytes at most. */
export interface CacheClient extends AsyncDisposable {
  /** null: there is none. */
  get(key: string): Promise<Buffer | null>
  set(key: string, value: Buffer, ttlMs: number): Promise<void>
  delete(key: string): Promise<void>
}

/** Each command that is appended has one reply. */
export interface CacheProtocol {
  get(key: RequestBuffer, to: RequestBuffer): void
  set(key: RequestBuffer, value: Buffer, ttlMs: number, to: RequestBuffer): void
  delete(key: RequestBuffer, to: RequestBuffer): void
  /** Where the value of a reply to `get` lies; `from` < 0: there is none. */
  find(bytes: Buffer, from: number, found: Span): void
  /** The server's own name of an error; '': it is none. */
  errorOf(bytes: Buffer, from: number, to: number): string
  /** The key that trials count an error by. */
  keyOf(error: string): string
}
export interface Span {
  from: number
  to: number
}
