/** The same need on managed offers: only what they price, beside the same lines run by oneself. */

import { derivedFrom, type Figure } from '../figures/figure.ts'
import { middleOf } from '../figures/simulate.ts'
import type { Complete } from '../fleet/candidate-plan.ts'
import type { CapacityPlan } from '../fleet/capacity-plan.ts'
import { cheapest, suffices } from '../fleet/cheapest.ts'
import { fitsLeast } from '../fleet/plan-facts.ts'
import { besideOf, type Need, nodesOf } from '../fleet/supply.ts'
import type { CostPlan } from './cost.ts'
import { linesOf, volumeGb } from './fleet-cost.ts'
import { backupCopies } from './kept.ts'
import { type BlockStorage, bytesPerBilledGb, type Catalogue, type ManagedOffer } from './prices.ts'

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

/** The same need on a managed offer, at the middle of all ranges; what it does not price is named, and left out of what it is compared with. */
export function managedCost(
  plan: CapacityPlan,
  need: Need,
  offer: ManagedOffer,
  provider: string,
  { block }: CostPlan,
  own: { name: string; usdPerMonth: { middle: number } }[],
  usdPerHour: number,
): ManagedCost {
  const { topology, memoryBound } = plan.facts
  const isStoragePriced = offer.storageUsdPerGbMonth !== null || offer.storageIncluded === true
  const missing = [
    ...offer.missing,
    ...(isStoragePriced || memoryBound ? [] : ['storage']),
    ...(offer.provisionedIo !== undefined || memoryBound || offer.storageIncluded === true ? [] : ['provisioned I/O']),
    ...(offer.backupUsdPerGbMonth === undefined ? ['backup'] : []),
  ]
  const { best, shape, divided } = fitting(plan, need, offer, block)
  if (shape === null)
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
  const usdPerMonth = usdOf(plan, need, offer, block, middleOf(plan.storage.bytes(0)))
  const compared = new Set([
    'servers',
    ...(isStoragePriced ? ['storage'] : []),
    ...(offer.provisionedIo === undefined ? [] : ['provisionedIo']),
    ...(offer.backupUsdPerGbMonth === undefined ? [] : ['backup']),
  ])
  const selfRunUsdPerMonth = own.reduce((sum, line) => sum + (compared.has(line.name) ? line.usdPerMonth.middle : 0), 0)
  return {
    service: offer.service,
    provider,
    usdPerMonth,
    selfRunUsdPerMonth,
    what: offer.per === 'cluster' ? `${fleet.parts} × ${shape.name}` : `${fleet.nodes} × ${shape.name}`,
    missing: [
      ...missing,
      ...(offer.per === 'cluster' ? besideOf(fleet, topology).filter(({ when }) => when === 'divided') : []).map(({ what }) => what),
    ],
    breakEvenHours: (usdPerMonth - selfRunUsdPerMonth) / usdPerHour,
  }
}

/** The cheapest size that carries it, of those that are not too small for the product; null: none does, or only divided where the offer does not divide. */
function fitting(plan: CapacityPlan, need: Need, offer: ManagedOffer, block: BlockStorage) {
  const { topology } = plan.facts
  const terms = plan.terms(diskOf(block, offer), [])
  const perNode = offer.shapes
    .filter((shape) => shape.usdPerHour !== null && fitsLeast(shape, plan.facts))
    .map((shape) => ({ ...shape, usdPerHour: offer.per === 'cluster' ? (shape.usdPerHour as number) / topology.copies : shape.usdPerHour }))
  const best = cheapest(perNode, need, terms)
  const shape = perNode[best.shape]
  const divided = best.parts > 1 && topology.kind !== 'ring' && (!topology.sharded || !terms.divisible)
  return { best, terms, divided, shape: shape === undefined || divided || !suffices(shape, best, need, terms) ? null : shape }
}

/** 0 where no size carries it. */
function usdOf(plan: CapacityPlan, need: Need, offer: ManagedOffer, block: BlockStorage, storedBytes: number): number {
  const { best, shape, terms } = fitting(plan, need, offer, block)
  if (shape === null) return 0
  const fleet = { ...best, nodes: nodesOf(best, plan.facts.topology) }
  const lines = linesOf(shape, fleet, need, terms, shape.usdPerHour as number)
  const backup = backupUsd(offer, (storedBytes / bytesPerBilledGb) * backupCopies.mid, fleet.nodes * volumeGb(fleet, need, terms))
  return lines.servers + lines.storage + lines.provisionedIo + backup
}

/** What each offer costs in a month, for `--explain`. */
export function managedFigures({ plan, cost, candidate }: Complete, catalogues: readonly Catalogue[], month: number): Figure<'USD/month'>[] {
  const offers = catalogues.flatMap(({ managed }) => managed.filter(({ engines }) => engines.includes(candidate.engine)))
  const need = {} as Need
  const inputs = [...plan.needFigures(month), plan.storage.bytes(month)]
  return offers.map((offer) =>
    derivedFrom(
      `cost.${plan.candidate}.managed.${offer.service.toLowerCase().replace(/[^a-z0-9]+/g, '-')}@${month}`,
      'USD/month',
      'the cheapest of its sizes that carries it, with storage, I/O and backup as it prices them; 0 where none does',
      inputs,
      (values) => usdOf(plan, plan.needOf(values, need), offer, cost.block, values[inputs.length - 1] as number),
    ),
  )
}

/** Its own price of storage and I/O; what it has no price of costs nothing here, and is left out of what it is compared with. */
export function diskOf(block: BlockStorage, { storageUsdPerGbMonth, provisionedIo }: ManagedOffer): BlockStorage {
  return {
    ...block,
    usdPerGbMonth: storageUsdPerGbMonth ?? 0,
    freeIops: provisionedIo?.freeIops ?? block.freeIops,
    usdPerIopsMonth: provisionedIo?.usdPerIopsMonth ?? 0,
    usdPerMbPerSecondMonth: 0,
  }
}

/** Of what is kept, beyond what is free with the storage. */
export function backupUsd({ backupUsdPerGbMonth, backupFreeShareOfStorage }: ManagedOffer, keptGb: number, storageGb: number): number {
  return Math.max(0, keptGb - (backupFreeShareOfStorage ?? 0) * storageGb) * (backupUsdPerGbMonth ?? 0)
}
