/** The two ways out: results on stdout, everything else on stderr; neither carries a password. */
import { redact } from '../secrets.ts'

export const print = (text: string) => void process.stdout.write(`${redact(text)}\n`)
export const note = (text: string) => void process.stderr.write(`${redact(text)}\n`)
