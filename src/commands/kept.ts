/** Small files beside the reports: what earlier runs have learnt of this machine. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'

export class KeptFile<Entry> {
  readonly #name: string
  readonly #entries: z.ZodType<Entry[]>

  constructor(name: string, entries: z.ZodType<Entry[]>) {
    this.#name = name
    this.#entries = entries
  }

  /** [] where there is no file, or one of something else. */
  read(reports: string): Entry[] {
    try {
      return this.#entries.parse(JSON.parse(readFileSync(join(reports, this.#name), 'utf8')))
    } catch {
      return []
    }
  }

  /** Whole or not at all: other runs may read it meanwhile. Returns where it lies. */
  write(reports: string, entries: readonly Entry[]): string {
    const file = join(reports, this.#name)
    mkdirSync(reports, { recursive: true })
    writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(entries, null, 2)}\n`)
    renameSync(`${file}.${process.pid}`, file)
    return file
  }
}
