/** What is known to go wrong with designs like this one, looked for in this one: each finding with its number. */
import { bytes } from '../assess/figures/amount.ts'
import { isUseCounted, unusedIndexes } from '../assess/judge/fixes.ts'
import { isInParts } from '../families/model.ts'
import { rowBytes } from '../families/sizes.ts'
import type { CandidateResult } from '../result/result.ts'
import { entityOf, type Scenario } from '../scenario/scenario.ts'
import { arePlansTold, sortsWithoutIndex, thrownAway, wholeReads } from './call-plans.ts'
import { count, percent } from './render/format.ts'
import type { Store } from './stored-columns.ts'

export interface Looked {
  /** What was looked for. */
  what: string
  found: string[]
}

/** Of one candidate. */
export function antiPatterns(candidate: CandidateResult, scenario: Scenario): Looked[] {
  const { model } = candidate
  return [
    ...(arePlansTold(candidate)
      ? [
          { what: 'calls that read a store whole', found: wholeReads(candidate, scenario) },
          { what: 'calls that look at many rows for each that they find', found: thrownAway(candidate, scenario) },
          { what: 'calls that sort many rows', found: sortsWithoutIndex(candidate, scenario) },
        ]
      : []),
    ...(isUseCounted(candidate)
      ? [{ what: 'indexes that no call used and no constraint needs', found: unusedIndexes(candidate).map(unusedText) }]
      : []),
    { what: 'indexes that take more than the rows, where rows are written', found: model.stores.flatMap((store) => heavyIndexes(store, candidate)) },
    { what: 'calls that ask the server many times', found: manyRequests(candidate, scenario) },
    { what: 'rows embedded without a bound', found: model.stores.flatMap((store) => largeEmbedding(store, scenario)) },
    {
      what: 'random keys of a table that grows',
      found: orderedFamilies.has(model.family) ? model.stores.flatMap((store) => randomKeys(store, scenario)) : [],
    },
    { what: 'rows that must be deleted one by one', found: model.stores.flatMap((store) => agedRows(store, scenario)) },
  ]
}

const unusedText = ({ store, index }: { store: string; index: string }) => `no call used ${index} of ${store} in any trial: every write pays for it`

function heavyIndexes({ name }: Store, { storage, model }: CandidateResult): string[] {
  const isWritten = model.accesses.some(({ steps }) =>
    steps.some(({ action, store }) => store === name && (action === 'write' || action === 'delete')),
  )
  if (!isWritten) return []
  const at = storage.at.at(-1)
  const rows = at?.tables.find((each) => each.name === name)?.bytes
  const indexes = (at?.indexes ?? []).filter(({ table }) => table === name).reduce((sum, each) => sum + each.bytes, 0)
  return rows === undefined || indexes <= rows ? [] : [`the indexes of ${name} take ${bytes(indexes)}, its rows ${bytes(rows)} (measured, as loaded)`]
}

/** A round trip between zones for each would pass most limits. */
const manyAtOnce = 8

function manyRequests({ model: { accesses } }: CandidateResult, { operations }: Scenario): string[] {
  const told = new Set(operations.map(({ name }) => name))
  return accesses.flatMap(({ operation, steps }) => {
    const requests = steps.reduce((sum, each) => sum + each.requests, 0)
    return told.has(operation) && requests > manyAtOnce ? [`one ${operation} asks ${requests} times as a rule`] : []
  })
}

/** Half of what the families allow at most. */
const largeBytes = 500_000

function largeEmbedding({ name, embedded }: Store, scenario: Scenario): string[] {
  return embedded.flatMap((each) => {
    const owned = entityOf(scenario, each)
    const most = owned.owner?.most ?? 0
    const size = most * rowBytes(owned)
    return size > largeBytes
      ? [`up to ${count(most)} rows of ${each} lie inside one row of ${name}: ${bytes(size)} are read and written with it`]
      : []
  })
}

/** Families that find a row by an ordered index of keys; others place it by a hash. */
const orderedFamilies = new Set<CandidateResult['model']['family']>(['relational', 'document'])
/** In a month: fewer touch few pages wherever they go. */
const manyNewRows = 1_000_000

function randomKeys({ base, entity: name, partition }: Store, scenario: Scenario): string[] {
  const { key, fields, growthPerMonth, count: rows } = entityOf(scenario, name)
  const generator = fields.find((each) => each.name === key[0])?.generator
  const isRandom = base && generator?.kind === 'uuid' && generator.version === 4 && partition[0] === key[0]
  return isRandom && growthPerMonth * rows >= manyNewRows
    ? [
        `${name}.${key[0]} is random and ${name} grows by ${percent(growthPerMonth)} a month: new rows touch pages all over an ordered index; keys that begin with the time keep them together`,
      ]
    : []
}

function agedRows(store: Store, scenario: Scenario): string[] {
  const { base, entity: name, bucket } = store
  const { retentionMs, owner } = entityOf(scenario, name)
  return base && owner === null && retentionMs !== null && bucket === null && !isInParts(store)
    ? [`${name} is kept for a stated time and is not divided by it: what is too old is deleted row by row (section 7 says why, where it was asked)`]
    : []
}
