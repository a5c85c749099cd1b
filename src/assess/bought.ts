/** The fleet that stands in any month of the path, between two of its decisions too. */
import type { Chosen } from './fleet-plan.ts'
import type { Purchases } from './purchases.ts'

export function boughtIn({ fleet, changes }: Pick<Purchases, 'fleet' | 'changes'>, month: number): Chosen {
  return changes.findLast((change) => change.month <= month)?.to ?? fleet(0)
}
