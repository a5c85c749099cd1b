/** METHOD §6: what was loaded is what is measured. How far the rows of a candidate have grown since, and when that is too far. */
import { type Dataset, type EntityData, isLoaded } from '../data/dataset.ts'
import type { WriteLog } from '../measure/recorder.ts'
import type { Operation } from '../scenario/scenario.ts'
import { Writes } from '../verify/writes.ts'

/**
 * A small entity never grows by a tenth of all rows: it may double, unless that is so few rows that starting a server anew, cold, would
 * change more than they do.
 */
const maxGrownShare = 0.1
const maxGrownEntity = 1
const minGrownShare = 0.01

export interface Growth {
  /** New rows as a share of the loaded ones. */
  share: number
  isTooMuch: boolean
}

/** By what was acknowledged; owned rows come with their owners and are not counted. */
export function growthOf(operations: Operation[], dataset: Dataset, log: WriteLog, rowsLoaded: number): Growth {
  const fresh = new Map<string, Set<number>>()
  for (const { step, row, isCertain } of new Writes(operations, dataset, log, () => false).entries()) {
    if (!isCertain || (step.kind !== 'insert' && step.kind !== 'put') || isLoaded(dataset.entities.get(step.entity) as EntityData, row)) continue
    const rows = fresh.get(step.entity) ?? new Set()
    fresh.set(step.entity, rows.add(row))
  }
  const share = [...fresh.values()].reduce((total, rows) => total + rows.size, 0) / rowsLoaded
  const hasDoubled = [...fresh].some(
    ([entity, rows]) => rows.size > Math.max(maxGrownEntity * (dataset.entities.get(entity)?.rows ?? 1), minGrownShare * rowsLoaded),
  )
  return { share, isTooMuch: share > maxGrownShare || hasDoubled }
}
