/** Servers that some need would choose: the others are left out before fleets are tried, and no fleet costs more for it. */

import type { Shape } from '../cost/prices.ts'
import { networkBytesPerSecond } from './plan-assumptions.ts'

/** By vCPUs. A shape is left out where another has no less of anything and costs no more: each fleet of it can be one of the other. */
export function undominated<T extends Shape>(shapes: readonly T[]): T[] {
  return shapes
    .filter((shape, at) => !shapes.some((other, index) => dominates(other, shape) && (index < at || !dominates(shape, other))))
    .sort((a, b) => a.vcpus - b.vcpus)
}

/** Of two that are alike each dominates the other. */
function dominates(one: Shape, other: Shape): boolean {
  return (
    one.usdPerHour !== null &&
    one.usdPerHour <= (other.usdPerHour ?? Number.POSITIVE_INFINITY) &&
    one.vcpus >= other.vcpus &&
    one.memoryGib >= other.memoryGib &&
    networkBytesPerSecond(one) >= networkBytesPerSecond(other) &&
    (one.volumeIops ?? Number.POSITIVE_INFINITY) >= (other.volumeIops ?? Number.POSITIVE_INFINITY) &&
    (one.localDiskGib === undefined) === (other.localDiskGib === undefined) &&
    (one.localDiskGib ?? 0) >= (other.localDiskGib ?? 0) &&
    (one.shardable !== false || other.shardable === false)
  )
}
