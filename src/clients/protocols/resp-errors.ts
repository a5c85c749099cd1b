/** First words of errors that Redis and those who speak like it answer, as trials count them. `UNIQUE` is of our own scripts. */
import { codesOf, keysOf, ServerError } from '../server-error.ts'

const codeOf = codesOf({
  transient: ['TRYAGAIN'],
  unavailable: ['ASK', 'BUSY', 'CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'MOVED', 'NOREPLICAS', 'READONLY'],
  'out-of-resources': ['MAXCLIENTS', 'MISCONF', 'OOM'],
  constraint: ['UNIQUE'],
  denied: ['DENIED', 'NOAUTH', 'NOPERM', 'WRONGPASS'],
  invalid: ['ERR', 'NOPROTO', 'NOSCRIPT', 'WRONGTYPE'],
})

/** The first word of an error, which is the server's code for it; one that says nothing has a word of ours. */
export const firstWord = (message: string) =>
  /^ERR max number of clients/.test(message) ? 'MAXCLIENTS' : (/^[A-Z]{3,}\b/.exec(message)?.[0] ?? 'ERR')
export const respKey = keysOf(codeOf)
export const respError = (message: string, cause?: unknown) =>
  new ServerError(codeOf(firstWord(message)), message, { detail: firstWord(message), cause })
