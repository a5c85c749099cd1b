/** Control characters of untrusted text, made visible: a name or a server's message must not clear a screen or set a title. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for; colours of our own (SGR) stay.
const controls = /\x1b\[[\d;]*m|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const colour = /^\x1b\[(?:0|1|2|22|31|32|33|36|39)?m$/

export function withoutControls(text: string): string {
  return text.replaceAll(controls, (found) => (colour.test(found) ? found : [...found].map(shown).join('')))
}

const shown = (character: string) => (character >= ' ' && character <= '~' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`)
