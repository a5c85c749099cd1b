/** Tables whose rows all live equally long are compacted by windows of time: the files of a window expire together, and are dropped whole. */
import { entityOf, type Operation, type Scenario, writesOf } from '../../scenario/scenario.ts'
import type { Store, TimeDivision } from '../model.ts'

/** The documentation of the strategy asks for twenty to thirty windows in the life of a row. */
const windowsOfALife = 30
const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** Of fewer rows nobody asks how they go. */
const manyRows = 12e6

export interface CompactionWindow {
  unit: 'HOURS' | 'MINUTES'
  size: number
}

/** null: rows of the store do not expire, or some are changed or removed before they do, or replaced. */
export function compactionWindow({ entity, expiry }: Store, { operations }: Pick<Scenario, 'operations'>): CompactionWindow | null {
  if (expiry === null || changing(operations, entity).length > 0) return null
  const ms = expiry.ttlMs / windowsOfALife
  return ms >= hourMs ? { unit: 'HOURS', size: Math.round(ms / hourMs) } : { unit: 'MINUTES', size: Math.max(1, Math.round(ms / minuteMs)) }
}

/** undefined: nobody would ask. */
export function windowDivision(store: Store, scenario: Scenario): TimeDivision | undefined {
  const { retentionMs, owner, count } = entityOf(scenario, store.entity)
  const window = compactionWindow(store, scenario)
  const whole = (why: string): TimeDivision => ({ parts: null, why })
  if (window !== null)
    return whole(`compacted by windows of ${window.size} ${window.unit.toLowerCase()}: rows that expire together lie in files that are dropped whole`)
  if (!store.base || count < manyRows || owner !== null) return undefined
  const changes = changing(scenario.operations, store.entity).map(({ name }) => name)
  if (store.expiry !== null)
    return whole(`not compacted by windows of time: rows are written again before they expire (${changes.join(', ')}), so that no file goes whole`)
  if (retentionMs === null) return undefined
  return whole(
    changes.length > 0
      ? `not compacted by windows of time: rows are written again (${changes.join(', ')}); what is too old is deleted by its key`
      : 'not compacted by windows of time: nothing expires here; with a default_time_to_live of what rows are kept for, windows of a thirtieth of it would go whole',
  )
}

const changing = (operations: Operation[], entity: string) =>
  operations.filter((operation) => writesOf(operation).some((write) => write.entity === entity && write.kind !== 'insert'))
