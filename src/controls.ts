/** Characters that steer a terminal, in text that others wrote: a name or a server's message must not clear a screen, set a title or forge a line. */

/** Everything that moves the cursor, ends the line, reorders what is read or shows nothing; halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** Ends of lines and tabs of whole pages, and the colours that we set ourselves. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const ours = /\x1b\[(?:0|1|2|22|31|32|33|36|39)?m|[\n\t]/g

/** Foreign text in one line of a terminal, whatever is in it. */
export const printable = (text: string): string => text.replaceAll(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)

/** A page of a terminal: its lines and our colours stay. */
export function withoutControls(page: string): string {
  let at = 0
  let safe = ''
  for (const { index, 0: kept } of page.matchAll(ours)) {
    safe += printable(page.slice(at, index)) + kept
    at = index + kept.length
  }
  return safe + printable(page.slice(at))
}
