/** The purge of expired rows that runs beside a trial, where the engine does not expire rows itself. */
import { messageOf } from '../errors.ts'

const everyMs = 1000

/** Calls `purge` every second, never twice at once, until it fails or is stopped; `stop` waits for what is under way and resolves with why it failed. */
export function startPurge(purge: () => Promise<unknown>): { stop(): Promise<string | null> } {
  let failure: string | null = null
  let stopped = false
  let underWay = Promise.resolve()
  let timer: NodeJS.Timeout
  const run = () => {
    underWay = purge().then(wait, (error: unknown) => {
      failure = `the purge of expired rows failed: ${messageOf(error)}`
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
      return failure
    },
  }
}
