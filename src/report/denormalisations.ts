/** What a model stores twice or elsewhere than it belongs: why, and what keeps it in step. */
import type { CandidateResult } from '../result/result.ts'
import type { Scenario } from '../scenario/scenario.ts'
import type { Store } from './stored-columns.ts'

export const denormalisationHead = ['what is repeated or embedded', 'why', 'how it stays in sync']

type Model = CandidateResult['model']

export function denormalisations({ stores, ...model }: Model, scenario: Scenario): string[][] {
  return stores.flatMap((store) => [
    ...(store.base
      ? []
      : [[`${store.name}: ${copiedText(store)} of ${store.entity}`, store.reason, syncText(store, { stores, ...model }, scenario)]]),
    ...(store.embedded.length === 0
      ? []
      : [[`${store.embedded.join(', ')} inside ${store.name}`, store.reason, 'one write holds the owner with its rows: they cannot differ']]),
    ...store.indexes.flatMap(({ name, include, reason }) =>
      include.length === 0
        ? []
        : [[`${include.join(', ')} of ${store.name}, carried by ${name}`, reason, 'the server changes the index with the row']],
    ),
  ])
}

const copiedText = ({ columns }: Store) =>
  columns
    .filter(({ role }) => role !== 'bucket' && role !== 'token' && role !== 'version')
    .map(({ field }) => field)
    .join(', ')

/** Which operations write it, and how they do that beside the row itself. */
function syncText({ name }: Store, { accesses, emulations }: Model, { operations }: Scenario): string {
  const told = new Set(operations.map((each) => each.name))
  const writers = accesses.filter(
    ({ operation, steps }) => told.has(operation) && steps.some(({ action, store }) => store === name && (action === 'write' || action === 'delete')),
  )
  if (writers.length === 0) return 'no operation changes it: it is filled while loading'
  const names = writers.map(({ operation }) => operation)
  const how = [...new Set(emulations.filter(({ operation }) => names.includes(operation)).map((each) => each.how))]
  return `${names.join(', ')} ${names.length === 1 ? 'writes' : 'write'} it beside the row${how.length === 0 ? '' : `: ${how.join('; ')}`}`
}

/** In one sentence; what is repeated follows it. */
export function normalForm({ stores }: Model): string {
  if (stores.some(({ base }) => !base)) return 'not normalised, rows are repeated for the queries that read them.'
  if (stores.some(({ embedded }) => embedded.length > 0))
    return 'each fact is stored once, and owned rows lie inside their owner: not normalised, and nothing can disagree.'
  return 'a table for each entity, and each field in one place: third normal form, as far as the entities of the scenario are.'
}
