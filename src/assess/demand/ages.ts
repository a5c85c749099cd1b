/** How old the rows of a month to come are. */
import type { Entity } from '../../scenario/scenario.ts'
import { monthMs } from '../../scenario/units.ts'

/**
 * The law of the ages that the scenario states, as it will be: the oldest row gets older while rows are added and none is old enough to go, and
 * the stock grew on average as it did until today and was planned to since. What does not grow keeps its ages: as much goes as comes.
 */
export function agedIn(entity: Entity, month: number, rows: number): Pick<Entity, 'ageMs' | 'growthPerMonth'> {
  const { ageMs, growthPerMonth, count } = entity
  if (growthPerMonth <= 0) return entity
  const past = ageMs / monthMs
  const grown = Math.log1p(growthPerMonth) * past + Math.log(Math.max(1, rows) / count)
  const keptMs = entity.ttlMs ?? entity.retentionMs ?? Number.POSITIVE_INFINITY
  return { ageMs: Math.max(ageMs, Math.min(ageMs + month * monthMs, keptMs)), growthPerMonth: Math.expm1(grown / (past + month)) }
}
