/** Answers that a cache gave during the replay and that were kept: how many were of rows that had been written meanwhile, and whether one was older than promised. */
import type { Dataset } from '../data/dataset.ts'
import { type KeptAnswer, logOutcomes, type WriteLog } from '../measure/recorder.ts'
import { type Cache, entityOf, type Operation } from '../scenario/scenario.ts'
import { Writes } from './writes.ts'

export interface CachedAnswers {
  judged: number
  /** Of rows that were written between the store was asked and the cache; allowed within the bound. */
  outdated: number
  /** Older than the bound: wrong. */
  expired: number
}
type Cached = KeptAnswer & { cached: NonNullable<KeptAnswer['cached']> }

/** Caches count time in whole seconds, and one that was paused looks at its clock a moment later. */
const toleranceMs = 2000

/** By name of the operation. `log`: all writes since the cache was empty. */
export function judgeCached(kept: KeptAnswer[], log: WriteLog, operations: Operation[], dataset: Dataset, cache: Cache): Map<string, CachedAnswers> {
  const answers = Map.groupBy(
    kept.filter((each): each is Cached => each.cached !== undefined),
    ({ operation }) => operation,
  )
  const writes = new Writes(operations, dataset, log, () => false)
  return new Map(
    [...answers].map(([index, own]) => {
      const { name, entity } = operations[index] as Operation
      const rows = new Set(own.map(({ row }) => row))
      const written = writes.entriesOf(entityOf(dataset.scenario, entity), (row) => rows.has(row))
      const isOutdated = ({ row, cached: { storeAskedNs, sentNs } }: Cached) =>
        (written.get(row) ?? []).some(
          (at) => log.outcome[at] === logOutcomes.ok && (log.sentNs[at] as number) > storeAskedNs && (log.doneNs[at] as number) < sentNs,
        )
      const expired = own.filter(({ cached }) => (cached.sentNs - cached.storeAskedNs) / 1e6 > cache.ttlMs + toleranceMs).length
      return [name, { judged: own.length, outdated: own.filter(isOutdated).length, expired }]
    }),
  )
}
