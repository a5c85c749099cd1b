/** Whether a quote is open at the end of what was read so far of a statement of the MySQL family, which comes in parts. */

/** What changes the state, by what is open: nothing, a quote, a comment. */
const signs: Record<string, RegExp> = {
  '': /['"`#]|\/\*|--(?=\s|$)/g,
  "'": /['\\]/g,
  '"': /["\\]/g,
  '`': /`/g,
  '/*': /\*\//g,
}

export class OpenQuotes {
  #open = ''
  /** A part may end within an escape. */
  #isEscaped = false

  get isOpen(): boolean {
    return /^['"`]$/.test(this.#open)
  }

  read(part: string): void {
    let at = this.#isEscaped && part !== '' ? 1 : 0
    this.#isEscaped &&= part === ''
    for (;;) {
      const sign = signs[this.#open] as RegExp
      sign.lastIndex = at
      const found = sign.exec(part)?.[0]
      if (found === undefined) return
      at = sign.lastIndex
      if (found === '\\') {
        this.#isEscaped = at === part.length
        at++
      } else if (found === '#' || found === '--') {
        const end = part.indexOf('\n', at)
        if (end < 0) return
        at = end
      } else this.#open = this.#open === '' ? found : ''
    }
  }
}
