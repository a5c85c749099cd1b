/** What a bulk load waits for, and why it cannot go on: its connections tell, its writer asks. */
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
