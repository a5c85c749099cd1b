/** What outlives a killed run to clean up after it: a process of its own that waits for our end and then sweeps. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ExternalServer } from './external.ts'
import { ownerText, thisProcess } from './owner.ts'

/** One line each on the guard's standard input; its end without `done` means that we were killed. */
export type GuardMessage = { type: 'containers' } | { type: 'external'; engine: string; endpoint: ExternalServer['endpoint'] } | { type: 'done' }

export interface Guard {
  tell(message: GuardMessage): void
  /** Everything was cleaned up: there is nothing left to guard. */
  done(): void
}

/** `data`: the parent of data directories that the user chose. */
export function startGuard(data?: string): Guard {
  const child = spawn(
    process.execPath,
    [
      '--max-old-space-size=64',
      fileURLToPath(new URL('./reaper.ts', import.meta.url)),
      ownerText(thisProcess()),
      ...(data === undefined ? [] : [data]),
    ],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true, // A signal to our process group must not reach it.
      cwd: '/',
    },
  )
  child.on('error', () => {}) // Without it the next start sweeps.
  child.stdin.on('error', () => {})
  child.unref()
  ;(child.stdin as unknown as { unref?: () => void }).unref?.()
  const tell = (message: GuardMessage) => void child.stdin.write(`${JSON.stringify(message)}\n`)
  return {
    tell,
    done() {
      tell({ type: 'done' })
      child.stdin.end()
    },
  }
}
