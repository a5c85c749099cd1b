/**
 * What a product can do, declared beside its facts: what it may be excused from follows from it, and the excuses of its model, where its family asks
 * for it. That is the key-value family: `row` with `keys` and `maxAggregatedRows` with `queries`. Others have no model yet of a product that can do less.
 */
import type { Durability } from '../scenario/scenario.ts'

export interface Capabilities {
  /** What it can promise of an acknowledged write, the strongest first. */
  durability: readonly Durability[]
  /**
   * What takes effect together, or not at all. `rows`: rows of any keys, with what was read of them · `new rows`: rows of any keys, as long as none
   * depends on what was there · `row`: one row, with what it owns and with what was read of it.
   */
  atomicity: 'rows' | 'new rows' | 'row'
  /** Whether a transaction that has written can be given up. */
  rollback: boolean
  /** What rows are found by, besides their keys. `queries`: whatever the model keeps for it · `parts`: a value or a span of time · `keys`: nothing. */
  access: 'queries' | 'parts' | 'keys'
  /** Whether rows are found by having no value of a field, and ordered among those that have one. */
  findsNulls: boolean
  /** Rows that one aggregate may read; null: any number. */
  maxAggregatedRows: number | null
  /** Whether a server that is started again has its data. */
  dataSurvivesRestart: boolean
}
