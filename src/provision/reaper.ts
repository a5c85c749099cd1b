/** The guard's process: reads until its owner is gone, then removes what it left. Says nothing; the next start sweeps what it could not. */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { engineNamed } from '../engines/registry.ts'
import { type ExternalServer, sweepNamespaces } from './external.ts'
import type { GuardMessage } from './guard.ts'
import { isGone, ownerOf } from './owner.ts'
import { sweepContainers } from './runtime.ts'
import { sweepProcesses } from './sweep.ts'

const goneWithinMs = 30_000
/** All rounds together: what is left then, the next start sweeps. */
const endsWithinMs = 240_000
/** The container engine may still be starting what the owner ordered last. */
const rounds = 5

process.on('SIGHUP', () => {}) // The terminal may go away with the owner.
const owner = ownerOf(process.argv[2] ?? '')
const servers: ExternalServer[] = []
let containers = false
let done = false
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as GuardMessage
  if (message.type === 'done') done = true
  else if (message.type === 'containers') containers = true
  else servers.push({ engine: engineNamed(message.engine), endpoint: message.endpoint })
}
if (!done && owner !== undefined) {
  setTimeout(() => process.exit(0), endsWithinMs)
  for (const end = Date.now() + goneWithinMs; !isGone(owner) && Date.now() < end; ) await sleep(50)
  const quietly = (work: Promise<void>) => work.catch(() => {})
  for (let round = 0; round < rounds; round++) {
    for (const base of new Set([process.argv[3], undefined])) await quietly(Promise.resolve().then(() => sweepProcesses(base)))
    if (containers) await quietly(sweepContainers())
    for (const server of servers) await quietly(sweepNamespaces(server))
    await sleep(500)
  }
}
process.exit(0)
