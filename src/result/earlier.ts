/** What an earlier dbtrial called otherwise, in a result that is read again. */

/** Open loops at rates around a capacity that was searched for: what the response curve is made from today. */
const phases = new Map([
  ['search', 'curve'],
  ['capacity', 'curve'],
  ['below-capacity', 'curve'],
])

/** The same document, with the names of today; what is no result stays as it is. */
export function withNamesOfToday(document: unknown): unknown {
  for (const candidate of listOf(document, 'candidates'))
    for (const trial of listOf(candidate, 'trials')) {
      const today = isObject(trial) && typeof trial.phase === 'string' ? phases.get(trial.phase) : undefined
      if (isObject(trial) && today !== undefined) trial.phase = today
    }
  return document
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function listOf(value: unknown, name: string): unknown[] {
  const found = isObject(value) ? value[name] : undefined
  return Array.isArray(found) ? found : []
}
