/** Section 10: what carries the load from now to the horizon, and what that costs. */
import { capacityPlan } from '../plan.ts'
import type { Block } from '../render/document.ts'
import type { Told } from '../told.ts'

export function capacitySection({ decision, charts }: Told): Block[] {
  return decision === null ? [] : [...charts('cost-partial'), ...capacityPlan(decision)]
}
