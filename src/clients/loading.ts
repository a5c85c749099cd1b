/** What a bulk load waits for, and why it cannot go on: its connections tell, its writer asks. */
import type { RowSource } from '../data/rows.ts'
import { messageOf, TrialError } from '../errors.ts'

export class Loading {
  #failure: Error | null = null
  #wake: () => void = () => {}

  /** Of what went wrong the first is told. */
  fail(cause: Error): void {
    this.#failure ??= cause
    this.#wake()
  }

  /** Something has changed: whoever waits looks again. */
  wake(): void {
    this.#wake()
  }

  /** Resolves when `holds`. @throws what failed. */
  async until(holds: () => boolean): Promise<void> {
    while (this.#failure === null && !holds()) await new Promise<void>((resolve) => (this.#wake = resolve))
    if (this.#failure !== null) throw this.#failure
  }
}

/** What a load throws where the server refused a row because its limit was reached. */
export function outOfMemory(rows: RowSource, entity: string, cause: unknown): TrialError {
  const after = `while ${entity} was loaded, after ${rows.rows.toLocaleString('en')} rows`
  return new TrialError('out-of-memory', `the memory limit was reached ${after}: ${messageOf(cause)}`, {
    hint: 'this is a finding: the data does not fit; raise bench.limits.memory or lower bench.scale to measure the rest',
  })
}
