/** What an earlier dbtrial called otherwise, in a result that is read again. */

/** Open loops at rates around a capacity that was searched for: what the response curve is made from today. */
const phases = new Map([
  ['search', 'curve'],
  ['capacity', 'curve'],
  ['below-capacity', 'curve'],
])

/** The same document, with the names of today; what is no result stays as it is. */
export function withNamesOfToday(document: unknown): unknown {
  const { candidates } = (document ?? {}) as { candidates?: { trials?: { phase?: string }[] }[] }
  if (!Array.isArray(candidates)) return document
  for (const { trials } of candidates) {
    if (!Array.isArray(trials)) continue
    for (const trial of trials) trial.phase = phases.get(trial.phase ?? '') ?? trial.phase
  }
  return document
}
