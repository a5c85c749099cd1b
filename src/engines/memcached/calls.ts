/** What is Memcached's own in a call about an item: how it is printed, its mark, its times and its refusals. */
import type { Call, Refusals } from '../../clients/item-operations.ts'

/** What the driver marks bytes with, which it hands back as they are. */
export const binaryFlag = 8

export const refusals: Refusals = { notStored: 'NOT_STORED', changed: 'EXISTS' }

export function shownCall(call: Call, values: string): string {
  if (!('item' in call)) return `${call.command} ${call.key}`
  return `${call.command} ${call.key} ${binaryFlag} ${call.seconds} <bytes>${call.cas === '' ? '' : ` ${call.cas}`}\n  ${values}`
}

const mostRelativeSeconds = 30 * 86_400
const latestSeconds = 2 ** 31 - 1

/** As a command says it: beyond thirty days the server takes it for a time of the clock; what lies beyond its times is for ever. */
export function expiryTime(seconds: number): number {
  if (seconds <= mostRelativeSeconds) return seconds
  const at = Math.floor(Date.now() / 1000) + seconds
  return at > latestSeconds ? 0 : at
}
