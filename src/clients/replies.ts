/** What several engines answer alike. */
import type { Answer } from '../data/value.ts'
import type { Reply, Said } from '../engines/engine.ts'

export function readReply(rows: number, answer: () => Answer): Reply {
  return { outcome: rows > 0 ? 'ok' : 'miss', rows, retries: 0, answer }
}

/** `found`: rows that were written; null: a guard did not hold. */
export function wroteReply(found: number | null, retries: number): Reply {
  const rows = found ?? 0
  const outcome = found === null ? 'conflict' : rows > 0 ? 'ok' : 'miss'
  return { outcome, rows, retries, answer: () => ({ kind: 'wrote', outcome, rows }) }
}

/** What the role of the operations may do; `more` than to read and write rows, '' for nothing. */
export const rowRightsOf = (role: string, more: string): Said => ({
  effective: `${role} ${more === '' ? 'has rights on rows alone' : more}`,
  ok: more === '',
})

/** A namespace of an engine that takes names. */
export const named = (name: string) => ({ namespace: name, name })
