/** What a terminal adds to plain text: its width, and colours where it shows them; files and pipes get the text as it is. */
import { styleText } from 'node:util'

type Colour = Parameters<typeof styleText>[0]

/** A terminal narrower than this does not know its width, or shows no table at all. */
export const narrowest = 40

/** Of stdout, in characters; Infinity where it is no terminal. */
export const terminalWidth = (): number => {
  const { isTTY, columns } = process.stdout
  return isTTY && columns >= narrowest ? columns : Number.POSITIVE_INFINITY
}

const marks: [RegExp, Colour][] = [
  [/✓|\bmet\b|(?<= {2})ok$/gm, 'green'],
  [/✗|\bmissed\b/g, 'red'],
  [/(?<= )\?(?= |$)/gm, 'yellow'],
]

/** Marks and verdicts in colour; `NO_COLOR` and `FORCE_COLOR` are heeded. */
export function coloured(text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return marks.reduce((so, [pattern, colour]) => so.replaceAll(pattern, (mark) => styleText(colour, mark, { stream })), text)
}
