/** The same need on managed offers: only what they price, beside the same lines run by oneself. */
import type { CapacityPlan } from './capacity-plan.ts'
import type { CostPlan } from './cost.ts'
import { backupCopies } from './kept.ts'
import { bytesPerBilledGb, type ManagedOffer } from './prices.ts'
import { middleOf } from './simulate.ts'
import { cheapest, hoursPerMonth, linesOf, type Need, nodesOf } from './supply.ts'

export interface ManagedCost {
  service: string
  provider: string
  /** null: no price for a shape that carries it. */
  usdPerMonth: number | null
  /** What the lines that it prices cost when run by oneself, before a region's factor. */
  selfRunUsdPerMonth: number | null
  what: string
  missing: string[]
  /** Engineer hours a month that it may save before it costs more than it saves; negative: it is cheaper anyway. */
  breakEvenHours: number | null
}

export const engineerUsdPerHour = 100

/** The same need on a managed offer, at the middle of all ranges; what it does not price is named, and left out of what it is compared with. */
export function managedCost(
  plan: CapacityPlan,
  need: Need,
  offer: ManagedOffer,
  provider: string,
  { block }: CostPlan,
  own: { name: string; usdPerMonth: { p50: number } }[],
): ManagedCost {
  const { topology, memoryBound } = plan.facts
  const { coordinators } = topology
  const terms = plan.terms({ ...block, usdPerGbMonth: offer.storageUsdPerGbMonth ?? 0 }, [])
  const priced = offer.shapes.filter((shape) => shape.usdPerHour !== null)
  const isStoragePriced = offer.storageUsdPerGbMonth !== null
  const missing = [
    ...offer.shapes
      .filter((shape) => shape.usdPerHour === null)
      .map(
        (shape) =>
          `on-demand price of ${shape.name}${shape.threeYearsUsdPerHour === undefined ? '' : ` (for a term of three years: ${Math.round(shape.threeYearsUsdPerHour * hoursPerMonth)} USD a month)`}`,
      ),
    ...(isStoragePriced || memoryBound ? [] : ['storage']),
    ...(offer.backupUsdPerGbMonth === undefined ? ['backup'] : []),
  ]
  const perNode = priced.map((shape) => ({
    ...shape,
    usdPerHour: offer.per === 'cluster' ? (shape.usdPerHour as number) / topology.copies : shape.usdPerHour,
  }))
  const best = cheapest(perNode, need, terms)
  const shape = perNode[best.shape]
  const divided = best.parts > 1 && !topology.sharded
  if (shape === undefined || divided)
    return {
      service: offer.service,
      provider,
      usdPerMonth: null,
      selfRunUsdPerMonth: null,
      what: '—',
      missing: [...missing, ...(divided ? ['a size that carries it on one primary'] : [])],
      breakEvenHours: null,
    }
  const fleet = { ...best, nodes: nodesOf(best, topology) }
  const lines = linesOf(shape, fleet, need, terms, shape.usdPerHour as number)
  const backup = (middleOf(plan.storage.bytes(0)) / bytesPerBilledGb) * backupCopies.mid * (offer.backupUsdPerGbMonth ?? 0)
  const usdPerMonth = lines.servers + lines.storage + backup
  const compared = new Set([
    'servers',
    ...(isStoragePriced ? ['storage', 'provisionedIo'] : []),
    ...(offer.backupUsdPerGbMonth === undefined ? [] : ['backup']),
  ])
  const selfRunUsdPerMonth = own.reduce((sum, line) => sum + (compared.has(line.name) ? line.usdPerMonth.p50 : 0), 0)
  return {
    service: offer.service,
    provider,
    usdPerMonth,
    selfRunUsdPerMonth,
    what: offer.per === 'cluster' ? `${fleet.parts} × ${shape.name}` : `${fleet.nodes} × ${shape.name}`,
    missing: [...missing, ...(fleet.parts > 1 && coordinators !== undefined ? [coordinators.what] : [])],
    breakEvenHours: (usdPerMonth - selfRunUsdPerMonth) / engineerUsdPerHour,
  }
}
