/** The two ways out: results on stdout, everything else on stderr. What others wrote cannot steer the terminal, and no message carries a password. */

import { withoutControls } from '../controls.ts'
import { redact } from '../secrets.ts'

/** Results carry no password: their free texts were redacted when they were made. */
export const print = (text: string) => void process.stdout.write(`${withoutControls(text)}\n`)
export const note = (text: string) => void process.stderr.write(`${withoutControls(redact(text))}\n`)

/** A reader that has gone, as `head` does, has read enough. */
const isGone = ({ code }: NodeJS.ErrnoException) => code === 'EPIPE' || code === 'EIO'

/**
 * Nobody who stops reading, and no full disk behind a pipe, ends the program: what it measures is worth more than what it says.
 * Returns what could not be written to stdout, and why; undefined: nothing was lost, or nobody wanted it.
 */
export function outliveReaders(): () => Error | undefined {
  let lost: Error | undefined
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!isGone(error)) lost ??= error
  })
  process.stderr.on('error', () => {}) // There is nowhere left to say it.
  return () => lost
}

/** Resolves when all that was said is on its way; at once where nobody reads any more. */
export async function flushed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) if (stream.writable) await new Promise<void>((resolve) => stream.write('', () => resolve()))
}
