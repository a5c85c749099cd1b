/** Of what age the rows are that were picked by age. */
import type { Operation } from '../scenario/scenario.ts'
import { stepsOf } from '../scenario/scenario.ts'
import type { Dataset, EntityData } from './dataset.ts'
import { tierAt, tierStarts } from './distributions.ts'
import { isMissing, linesPerOwner } from './fields.ts'

interface Picked {
  data: EntityData
  starts: Float64Array
  /** Tiers of the steps before it. */
  before: number
}

export class PickedTiers {
  /** By operation, by step; null: it picks by ranks. */
  readonly #picked: (Picked | null)[][]
  /** Of each operation: those of the steps of a transaction one after the other. */
  readonly counts: number[]

  constructor({ entities }: Dataset, operations: readonly Operation[]) {
    this.counts = operations.map(() => 0)
    this.#picked = operations.map((operation, index) =>
      stepsOf(operation).map(({ entity, pick: { skew } }) => {
        if (skew.kind !== 'tiers') return null
        const before = this.counts[index] as number
        this.counts[index] = before + skew.tiers.length
        const data = entities.get(entity) as EntityData
        return { data, starts: tierStarts(skew, data.rows), before }
      }),
    )
  }

  /** Of a row that a step picked; −1: by its rank, or a row that is not there. */
  tierOf(operation: number, step: number, row: number): number {
    const picked = (this.#picked[operation] as (Picked | null)[])[step] as Picked | null
    if (picked === null || isMissing(picked.data.entity, row)) return -1
    return picked.before + tierAt(picked.starts, picked.data.entity.owner === null ? row : Math.floor(row / linesPerOwner))
  }
}
