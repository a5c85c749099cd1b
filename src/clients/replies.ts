/** What several engines answer alike. */
import type { Answer } from '../data/value.ts'
import type { Parity, Reply, Said } from '../engines/engine.ts'

export function readReply(rows: number, answer: () => Answer): Reply {
  return { outcome: rows > 0 ? 'ok' : 'miss', rows, retries: 0, answer }
}

export function wroteReply(rows: number, retries: number): Reply {
  const outcome = rows > 0 ? 'ok' : 'miss'
  return { outcome, rows, retries, answer: () => ({ kind: 'wrote', outcome, rows }) }
}

/** Settings as the server says they are; `asked`: in place of what was set, where there is more to say of it. */
export function settingsParity(
  settings: Record<string, string>,
  effectiveOf: (name: string) => string,
  asked: (name: string) => string | undefined,
  isSizing: (name: string) => boolean,
  isSame = (set: string, effective: string) => set === effective,
): Parity[] {
  return Object.entries(settings).map(([what, set]) => {
    const effective = effectiveOf(what)
    return { what, asked: asked(what) ?? set, set, effective, ok: isSame(set, effective), ...(isSizing(what) ? { sizing: true as const } : {}) }
  })
}

/** What the role of the operations may do; `more` than to read and write rows, '' for nothing. */
export const rightsOf = (role: string, more: string): Said => ({
  effective: `${role} ${more === '' ? 'has rights on rows alone' : more}`,
  ok: more === '',
})

/** A namespace of an engine that takes names. */
export const named = (name: string) => ({ namespace: name, name })
