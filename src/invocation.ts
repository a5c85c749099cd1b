/** Commands in hints, as this program was started: what is printed can be pasted into the same shell. */

/** `node bin/dbtrial.mjs` as the launcher was called; from make, the same file. */
const program = process.env.DBTRIAL_PROGRAM ?? 'node bin/dbtrial.mjs'

export const commandLine = (...arguments_: string[]) => [program, ...arguments_.map(quoted)].join(' ')

/** The command that runs now with one option more, or that option with another value. */
export function sameCommandWith(option: string, value: string): string {
  const made = process.env.DBTRIAL_MAKE
  if (made !== undefined) {
    const others = made.split(/(?<!\\) /).filter((word) => !word.startsWith(`${option}=`))
    return [...others, `${option}=${quoted(value)}`].join(' ')
  }
  const own = process.argv.slice(2)
  const at = own.indexOf(`--${option}`)
  const others = own.filter((_, index) => at < 0 || (index !== at && index !== at + 1)).filter((word) => !word.startsWith(`--${option}=`))
  return commandLine(...others, `--${option}`, value)
}

function quoted(text: string): string {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
