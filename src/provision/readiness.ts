/** Waits until a server of our own takes work, and says why one never does. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ServerError } from '../clients/server-error.ts'
import type { Endpoint, Engine } from '../engines/engine.ts'
import { isOwnFault, messageOf, TrialError } from '../errors.ts'
import { type Exit, endOf } from './provision.ts'

const readyWithinMs = 120_000

/** The server's version. `exited` resolves where the server ends instead. */
export async function whenReady(
  engine: Engine,
  endpoint: Endpoint,
  exited: Promise<Exit>,
  signal: AbortSignal,
  withinMs = readyWithinMs,
): Promise<string> {
  const deadline = Date.now() + withinMs
  let gone: Exit | undefined
  void exited.then((exit) => (gone = exit))
  let last: unknown
  while (Date.now() < deadline) {
    signal.throwIfAborted()
    if (gone !== undefined) {
      throw new TrialError('server-ended', `${engine.name} ended while it started (${gone.signal ?? `exit code ${gone.code}`}): ${endOf(gone, 3)}`, {
        hint: 'the lines are the last ones the server wrote',
      })
    }
    try {
      await engine.server.initiate?.(endpoint)
      return await engine.ready(endpoint)
    } catch (error) {
      // Waiting changes nothing, unless it is the server that said so.
      if (isOwnFault(error) || (error instanceof TrialError && !(error instanceof ServerError))) throw error
      last = error
      await sleep(100)
    }
  }
  throw new TrialError('server-not-ready', `${engine.name} was not ready within ${withinMs / 1000} s: ${messageOf(last)}`, {
    hint: "look at the machine's load and memory",
  })
}
