/** The purge of expired rows that runs beside a trial, where the engine does not expire rows itself. */
import { isOwnFault, messageOf } from '../errors.ts'

const everyMs = 1000

/** Calls `purge` every second, never twice at once, until it fails or is stopped; `stop` waits for what is under way, resolves with why it failed and throws a fault of ours. */
export function startPurge(purge: () => Promise<unknown>): { stop(): Promise<string | null> } {
  let failure: string | null = null
  let fault: { thrown: unknown } | null = null
  let stopped = false
  let underWay = Promise.resolve()
  let timer: NodeJS.Timeout
  const run = () => {
    underWay = purge().then(wait, (error: unknown) => {
      if (isOwnFault(error)) fault = { thrown: error }
      else failure = `the purge of expired rows failed: ${messageOf(error)}`
    })
  }
  const wait = () => {
    if (!stopped) timer = setTimeout(run, everyMs)
  }
  wait()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await underWay
      if (fault !== null) throw fault.thrown
      return failure
    },
  }
}
