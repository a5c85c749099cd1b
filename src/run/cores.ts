/** Which cores are the server's, and which the harness's. */
import { cpus } from 'node:os'

export interface Cores {
  server: number[]
  harness: number[]
  /** Whether no core is both's. */
  separate: boolean
}

/** Whole cores: the server gets the last ones, the harness keeps at least one. */
export function divideCores(asked: number): Cores {
  const all = Array.from({ length: cpus().length }, (_, core) => core)
  if (all.length === 1) return { server: all, harness: all, separate: false }
  const wanted = Math.min(asked, all.length - 1)
  return { server: all.slice(all.length - wanted), harness: all.slice(0, all.length - wanted), separate: true }
}
