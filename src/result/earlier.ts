/** What an earlier dbtrial said otherwise, in a result that is read again. */

/** Open loops at rates around a capacity that was searched for: what the response curve is made from today. */
const phases = new Map([
  ['search', 'curve'],
  ['capacity', 'curve'],
  ['below-capacity', 'curve'],
])

/** The same document, as it is said today; what is no result stays as it is. */
export function withNamesOfToday(document: unknown): unknown {
  if (isObject(document)) for (const operation of listOf(document.scenario, 'operations')) withLists(operation)
  for (const candidate of listOf(document, 'candidates'))
    for (const trial of listOf(candidate, 'trials')) {
      const today = isObject(trial) && typeof trial.phase === 'string' ? phases.get(trial.phase) : undefined
      if (isObject(trial) && today !== undefined) trial.phase = today
    }
  return document
}

/** There was one range at most, and one list of constants. */
function withLists(operation: unknown): void {
  for (const name of ['bounds', 'among'])
    if (isObject(operation) && isObject(operation[name]) && !Array.isArray(operation[name])) operation[name] = [operation[name]]
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function listOf(value: unknown, name: string): unknown[] {
  const found = isObject(value) ? value[name] : undefined
  return Array.isArray(found) ? found : []
}
