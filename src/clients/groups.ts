/** Groups of an aggregate, for engines whose client adds them up. */
import { canonical, compareValues, type Value } from '../data/value.ts'
import { bucketMs } from '../families/buckets.ts'
import type { Aggregate } from '../scenario/scenario.ts'

export class Groups {
  readonly #op: Aggregate
  readonly #groups = new Map<string, { key: Value; count: number; sum: bigint }>()

  constructor(op: Aggregate) {
    this.#op = op
  }

  /** So many rows, and their sum, whose group field is `own`; none leave no group. */
  add(own: Value, count: number, sum: bigint): void {
    if (count === 0) return
    const { groupBy } = this.#op
    const key =
      groupBy === null
        ? null
        : groupBy.unit === null || own === null
          ? own
          : Math.floor(Number(own) / bucketMs[groupBy.unit]) * bucketMs[groupBy.unit]
    const name = canonical(key)
    const group = this.#groups.get(name)
    if (group === undefined) {
      this.#groups.set(name, { key, count, sum })
      return
    }
    group.count += count
    group.sum += sum
  }

  /** In the order of the keys: key, count, sum, each where asked for. */
  rows(): Value[][] {
    const { groupBy, sum } = this.#op
    return [...this.#groups.values()]
      .sort((a, b) => compareValues(a.key, b.key))
      .map((group) => [...(groupBy === null ? [] : [group.key]), group.count, ...(sum === null ? [] : [group.sum])])
  }
}
