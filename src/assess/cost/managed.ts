/** The same need on managed offers: only what they price, beside the same lines run by oneself. */
import { derivedFrom, type Figure } from '../figures/figure.ts'
import { middleOf } from '../figures/simulate.ts'
import type { Complete } from '../fleet/candidate-plan.ts'
import type { CapacityPlan } from '../fleet/capacity-plan.ts'
import type { Choice } from '../fleet/cheapest.ts'
import { enoughFleets, meanOf } from '../fleet/enough.ts'
import { fitsLeast } from '../fleet/plan-facts.ts'
import { besideOf, type Need, nodesOf, type Terms } from '../fleet/supply.ts'
import type { CostPlan } from './cost.ts'
import { linesOf, volumeGb } from './fleet-cost.ts'
import { backupCopies } from './kept.ts'
import { type BlockStorage, bytesPerBilledGb, type Catalogue, type ManagedOffer, type Shape } from './prices.ts'

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

/**
 * What a managed offer would take in place of the fleet that is bought now: sizes that are enough in as many draws until it is looked at again, priced
 * at the middle of all ranges. What it does not price is named, and left out of what it is compared with.
 */
export function managedCost(
  plan: CapacityPlan,
  need: Need,
  offer: ManagedOffer,
  provider: string,
  cost: CostPlan,
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
  const bought = boughtOf(plan, cost, offer, 0)
  if (bought === null)
    return {
      service: offer.service,
      provider,
      usdPerMonth: null,
      selfRunUsdPerMonth: null,
      what: '—',
      missing: [...missing, `a size that carries it${divides(plan) ? '' : ' on one primary'}`],
      breakEvenHours: null,
    }
  const { fleet, shape } = bought
  const usdPerMonth = usdOf(plan, need, offer, bought, middleOf(plan.storage.bytes(0)))
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
    what: `${offer.per === 'cluster' ? fleet.parts : nodesOf(fleet, topology)} × ${shape.name}`,
    missing: [
      ...missing,
      ...(offer.per === 'cluster' ? besideOf(fleet, topology).filter(({ when }) => when === 'divided') : []).map(({ what }) => what),
    ],
    breakEvenHours: (usdPerMonth - selfRunUsdPerMonth) / usdPerHour,
  }
}

/** Sizes of an offer in place of a fleet. */
interface Bought {
  fleet: Choice
  shape: Shape & { usdPerHour: number }
  terms: Terms
}

/** What the offer itself divides: nobody divides it in the application to be rid of its servers. */
const divides = ({ facts: { topology }, torn }: CapacityPlan) => topology.kind === 'ring' || (topology.sharded && torn.length === 0)

/**
 * As the fleet of that month is bought: the cheapest sizes that are enough in as many of the draws, of those that sustain their cores and are not
 * too small for the product; null: none are.
 */
function boughtOf(plan: CapacityPlan, { purchases, block }: CostPlan, offer: ManagedOffer, month: number): Bought | null {
  const { from, until, share } = purchases.stage(month)
  const terms = { ...plan.terms(diskOf(block, offer), []), divisible: divides(plan) }
  const shapes = offer.shapes.flatMap((shape) => {
    if (shape.usdPerHour === null || shape.burstable === true || !fitsLeast(shape, plan.facts)) return []
    return { ...shape, usdPerHour: offer.per === 'cluster' ? shape.usdPerHour / plan.facts.topology.copies : shape.usdPerHour }
  })
  const months = [purchases.needs(from), purchases.needs(until)]
  const [fleet] = enoughFleets(shapes, [...shapes.keys()], months, meanOf(months.flat()), terms, share, 1)
  const shape = fleet === undefined ? undefined : shapes[fleet.shape]
  return fleet === undefined || shape === undefined ? null : { fleet, shape, terms }
}

function usdOf(plan: CapacityPlan, need: Need, offer: ManagedOffer, { fleet: chosen, shape, terms }: Bought, storedBytes: number): number {
  const fleet = { ...chosen, nodes: nodesOf(chosen, plan.facts.topology) }
  const lines = linesOf(shape, fleet, need, terms, shape.usdPerHour)
  const backup = backupUsd(offer, (storedBytes / bytesPerBilledGb) * backupCopies.mid, fleet.nodes * volumeGb(fleet, need, terms))
  return lines.servers + lines.storage + lines.provisionedIo + backup
}

/** What each offer costs in a month, for `--explain`. */
export function managedFigures({ plan, cost, candidate }: Complete, catalogues: readonly Catalogue[], month: number): Figure<'USD/month'>[] {
  const offers = catalogues.flatMap(({ managed }) => managed.filter(({ engines }) => engines.includes(candidate.engine)))
  const need = {} as Need
  const inputs = [...plan.needFigures(month), plan.storage.bytes(month)]
  return offers.flatMap((offer) => {
    const bought = boughtOf(plan, cost, offer, month)
    if (bought === null) return []
    return derivedFrom(
      `cost.${plan.candidate}.managed.${offer.service.toLowerCase().replace(/[^a-z0-9]+/g, '-')}@${month}`,
      'USD/month',
      'the cheapest of its sizes that carry it in as many draws as the fleet that is bought, with storage, I/O and backup as it prices them',
      inputs,
      (values) => usdOf(plan, plan.needOf(values, need), offer, bought, values[inputs.length - 1] as number),
    )
  })
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
