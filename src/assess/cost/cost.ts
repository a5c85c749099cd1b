/** What a plan costs: one path of fleets of a catalogue, month by month, with every line. */
import { secondsPerMonth } from '../../scenario/units.ts'
import { isReadOperation } from '../capacity/calls.ts'
import type { Demand } from '../demand/demand.ts'
import { diskBytesOf } from '../demand/need.ts'
import { assumed, derived, derivedFrom, type Figure, given, productOf, sumOf } from '../figures/figure.ts'
import { FigureMemo } from '../figures/figure-memo.ts'
import type { CapacityPlan } from '../fleet/capacity-plan.ts'
import { isAffordable, usdOf } from '../fleet/cheapest.ts'
import { choiceOf, encodeChoice, fleetText } from '../fleet/choice.ts'
import { fitsLeast } from '../fleet/plan-facts.ts'
import { type Purchases, purchasesOf } from '../fleet/purchases.ts'
import { type Need, nodesOf } from '../fleet/supply.ts'
import { undominated } from '../fleet/undominated.ts'
import { billOf, type CostLine, type Source } from './bill.ts'
import { hoursPerMonth, linesOf } from './fleet-cost.ts'
import { archiveOf, backupOf, logBytesPerSecond } from './kept.ts'
import { type Labour, labourOf } from './labour.ts'
import { type BlockStorage, bytesPerBilledGb, type Catalogue, type Shape } from './prices.ts'

export interface CostPlan {
  block: BlockStorage
  /** Of the catalogue's servers, those that another one does not beat in everything. */
  shapes: Shape[]
  /** What is bought, and when: one path for all draws. */
  purchases: Purchases
  /** The fleet that the path has then, for `choiceOf`. */
  choice(month: number): Figure<'ratio'>
  lines(month: number): {
    servers: Figure<'USD/month'>
    storage: Figure<'USD/month'>
    provisionedIo: Figure<'USD/month'>
    shards: Figure<'USD/month'>
    backup: Figure<'USD/month'>
    archive: Figure<'USD/month'>
    transfer: Figure<'USD/month'>
  }
  /** All lines of that fleet, times the region's factor. */
  total(month: number): Figure<'USD/month'>
  /** The same for the cheapest fleet that carries each draw, as if its numbers had been known: what moves it is asked of this one. */
  needed(month: number): Figure<'USD/month'>
  /** 1 where a fleet that carries the draw is within the budget in that month, else 0; null: there is no budget. */
  affordable(month: number): Figure<'ratio'> | null
  /** What a region without a price list of its own adds; null: it has one. */
  regionExtra(month: number): Figure<'USD/month'> | null
  /** Of those who run it; on no bill. */
  labour(month: number): Labour
  /** The total where servers are bound to a term of so many years; null: nothing is published. */
  committed(month: number, years: 1 | 3): { total: Figure<'USD/month'>; source: Source } | null
  /** All of these with what they rest on. */
  bill(month: number): CostLine[]
  horizon: Figure<'USD'>
  perMillionOperations: Figure<'USD/million operations'>
}
const regionFactor = assumed(1, 1.1, 1.2)
/** Share of the reads that leave their zone. */
const readsAcrossZones = assumed(0, 0.5, 0.67)

/** Nobody knows what a change takes before it was tried. */
const migrationEffort = assumed(0.5, 1, 2)

/** Servers of a catalogue that the product can run on; none where it prices none, or no disks for them. */
export const pricedShapes = ({ facts }: CapacityPlan, { instances, blockStorage }: Catalogue): Shape[] =>
  blockStorage === undefined
    ? []
    : undominated(
        instances.filter(
          (shape) => shape.usdPerHour !== null && (shape.localDiskGib === undefined || facts.topology.localDisk) && fitsLeast(shape, facts),
        ),
      )

/** null where the catalogue has no priced servers for this product, or no disks for them; or no fleet of it carries any draw of today. */
export function costOf(plan: CapacityPlan, catalogue: Catalogue, demand: Demand, seed: number, draws?: number): CostPlan | null {
  const { blockStorage } = catalogue
  if (blockStorage === undefined) return null
  const name = plan.candidate
  const { topology } = plan.facts
  const shapes = pricedShapes(plan, catalogue)
  const purchases = shapes.length === 0 ? null : purchasesOf(plan, shapes, blockStorage, demand, seed, draws)
  if (purchases === null) return null
  const terms = plan.terms(blockStorage, shapes)
  const { regions } = demand.scenario.requirements
  const elsewhere = regions.length > 0 && !regions.includes(catalogue.region)
  const region = given(
    `cost.regionFactor`,
    'ratio',
    elsewhere ? regionFactor : 1,
    elsewhere ? 'assumed' : 'vendor',
    elsewhere ? `${regions.join(', ')} priced as ${catalogue.region} × 1.0–1.2` : `${catalogue.source}, ${catalogue.region}`,
  )
  const memo = new FigureMemo()
  const choice = (month: number) =>
    memo.once(`cost.${name}.choice@${month}`, (path) => {
      const bought = encodeChoice(purchases.fleet(month))
      // Its inputs are what it was chosen by, over all draws: none of them has another fleet.
      const figure = derivedFrom(
        path,
        'ratio',
        `one fleet for all draws, bought to carry ${percentOf(purchases.target)} of them`,
        plan.needFigures(month),
        () => bought,
      )
      return { ...figure, display: (value: number) => fleetText(choiceOf(value), shapes) }
    })
  const cheapestChoice = (month: number) =>
    memo.once(`cost.${name}.cheapest@${month}`, () => plan.choice(month, shapes, blockStorage, `cost.${name}.cheapest`))
  const volumeBytes = (month: number) => diskBytesOf(plan.needFigures(purchases.stage(month).until))
  const across = given(`cost.readsAcrossZones`, 'share', readsAcrossZones, 'assumed', 'share of the reads whose caller is in another zone')
  const line = (what: keyof typeof lineFormulas, month: number, path = `cost.${name}.${what}@${month}`, of = choice) =>
    memo.once(path, () => {
      // What each draw would need is of its own month; what is bought has room until the next look.
      const bytes = of === choice ? volumeBytes(month) : diskBytesOf(plan.needFigures(month))
      const inputs = [...plan.needFigures(month), of(month), bytes]
      const need = {} as Need
      return derivedFrom(path, 'USD/month', lineFormulas[what], inputs, (values) => {
        const fleet = choiceOf(values[inputs.length - 2] as number)
        const shape = shapes[fleet.shape] as Shape
        plan.needOf(values, need).bytes = values[inputs.length - 1] as number
        const each = linesOf(shape, { ...fleet, nodes: nodesOf(fleet, topology) }, need, terms, shape.usdPerHour as number)
        return what === 'infrastructure' ? each.servers + each.storage + each.provisionedIo + each.shards : each[what]
      })
    })
  const lines = (month: number) => ({
    servers: line('servers', month),
    storage: line('storage', month),
    provisionedIo: line('provisionedIo', month),
    shards: line('shards', month),
    backup: memo.once(`cost.${name}.backup@${month}`, () => backupOf(plan, catalogue, month)),
    archive: memo.once(`cost.${name}.archive@${month}`, () => archiveOf(plan, catalogue, demand, month)),
    transfer: memo.once(`cost.${name}.transfer@${month}`, () => transferOf(month)),
  })
  const totalOf = (path: string, month: number, servers: number, infrastructure = line('infrastructure', month)) =>
    memo.once(path, () => {
      const own = lines(month)
      const share = servers === 1 ? '' : ` × ${servers}`
      return derivedFrom(
        path,
        'USD/month',
        `(servers${share} + storage + provisionedIo + shards + backup + archive + transfer) × regionFactor`,
        [own.servers, infrastructure, own.backup, own.archive, own.transfer, region],
        (values) => {
          const [server, all, kept, archived, moved, factor] = values as [number, number, number, number, number, number]
          return (all - server * (1 - servers) + kept + archived + moved) * factor
        },
      )
    })
  const total = (month: number) => totalOf(`cost.${name}.total@${month}`, month, 1)
  const needed = (month: number) =>
    totalOf(`cost.${name}.needed@${month}`, month, 1, line('infrastructure', month, `cost.${name}.neededInfrastructure@${month}`, cheapestChoice))
  const budget = demand.scenario.requirements.budgetUsdPerMonth
  const effort = given(
    'plan.migrationEffort',
    'ratio',
    migrationEffort,
    'assumed',
    'of the hours and the double servers that a change is planned with',
  )
  const migrationUsd = purchases.changes.reduce((sum, { usd }) => sum + usd, 0)
  const own = plan.operations
  const average = sumOf(
    `cost.${name}.averageRate`,
    'operations/s',
    own.map((operation) => demand.rate(operation, 0)),
  )
  const beside = {
    lines,
    regionExtra: (month: number) =>
      !elsewhere
        ? null
        : memo.once(`cost.${name}.regionExtra@${month}`, (path) =>
            derived(path, 'USD/month', 'total − total ÷ regionFactor', [total(month), region], (usd, factor) => usd - usd / factor),
          ),
    labour: (month: number) => labourOf(name, month, topology, choice(month), demand.scenario),
    committed: (month: number, years: 1 | 3) => {
      const term = catalogue.terms.filter((each) => each.years === years).sort((a, b) => a.ofOnDemand - b.ofOnDemand)[0]
      if (term === undefined) return null
      const listed = term.source === undefined ? undefined : catalogue.sources[term.source]
      return {
        total: totalOf(`cost.${name}.committed${years}@${month}`, month, term.ofOnDemand),
        source: { from: `servers × ${term.ofOnDemand}, as ${term.what}: ${listed?.from ?? catalogue.source}`, date: listed?.date ?? null },
      }
    },
  }
  // Drawn once, told once: the same figures whenever they are asked for.
  const bills = new Map<number, CostLine[]>()
  const bill = (month: number) => {
    const made = bills.get(month) ?? billOf(beside, catalogue, topology.localDisk, month)
    bills.set(month, made)
    return made
  }
  return {
    ...beside,
    block: blockStorage,
    shapes,
    purchases,
    choice,
    total,
    bill,
    needed,
    affordable: (month) =>
      budget === null ? null : memo.once(`cost.${name}.affordable@${month}`, (path) => affordableOf(path, month, budget, purchases)),
    horizon: derivedFrom(
      `cost.${name}.horizon`,
      'USD',
      `sum of ${demand.months} months, straight between months ${demand.sampledMonths.join(', ')}, and ${purchases.changes.length} changes of ${Math.round(migrationUsd)} USD in all × migrationEffort`,
      [...demand.sampledMonths.map(total), effort],
      (values) => sumBetween(demand.sampledMonths, values) + migrationUsd * (values[demand.sampledMonths.length] as number),
    ),
    perMillionOperations: derived(
      `cost.${name}.perMillionOperations`,
      'USD/million operations',
      'total of month 0 ÷ (averageRate × seconds of a month ÷ 10⁶)',
      [total(0), average],
      (usd, rate) => usd / Math.max(1e-12, (rate * secondsPerMonth) / 1e6),
    ),
  }

  function affordableOf(path: string, month: number, most: number, { fleet, suffices }: Purchases): Figure<'ratio'> {
    const own = lines(month)
    const needs = plan.needFigures(month)
    const inputs = [...needs, own.backup, own.archive, own.transfer, region, volumeBytes(month)]
    const need = {} as Need
    const bought = fleet(month)
    let likely = bought.shape
    return derivedFrom(path, 'ratio', `1 where a fleet that carries it costs at most ${most} USD a month`, inputs, (values) => {
      const [kept, archived, moved, factor, bytes] = values.slice(needs.length) as [number, number, number, number, number]
      const left = most / factor - kept - archived - moved
      plan.needOf(values, need).bytes = bytes
      if (suffices(bought, need) && usdOf(shapes[bought.shape] as Shape, bought, need, terms) <= left) return 1
      const found = isAffordable(shapes, need, terms, left, likely)
      likely = found.shape
      return found.within ? 1 : 0
    })
  }

  /** Each copy beyond the first is in another zone, and both directions are charged: a ring sends values, all others their log. */
  function transferOf(month: number): Figure<'USD/month'> {
    const perByte = ((catalogue.transferUsdPerGb?.betweenZones ?? 0) * 2 * secondsPerMonth) / bytesPerBilledGb
    const sums = [true, false].map((reads) =>
      sumOf(
        `cost.${name}.${reads ? 'read' : 'written'}Payload@${month}`,
        'bytes/s',
        own
          .filter((operation) => isReadOperation(operation) === reads)
          .map((operation) =>
            productOf(`cost.${name}.${operation.name}.payload@${month}`, 'bytes/s', 'rate × payload', [
              demand.rate(operation, month),
              plan.payload(operation),
            ]),
          ),
      ),
    ) as [Figure<'bytes/s'>, Figure<'bytes/s'>]
    return derived(
      `cost.${name}.transfer@${month}`,
      'USD/month',
      `(readPayload × readsAcrossZones + ${topology.kind === 'ring' ? 'writtenPayload' : 'max(writtenPayload, log)'} × ${topology.copies - 1}) × seconds of a month × 2 × price between zones`,
      [sums[0], across, sums[1], logBytesPerSecond(plan, demand, month)],
      (read, share, written, log) => (read * share + (topology.kind === 'ring' ? written : Math.max(written, log)) * (topology.copies - 1)) * perByte,
    )
  }
}

/** Of every month but the last, on straight lines between those that are known. */
function sumBetween(months: readonly number[], values: readonly number[]): number {
  let sum = 0
  for (let at = 1; at < months.length; at++) {
    const [from, to] = [values[at - 1] as number, values[at] as number]
    const span = (months[at] as number) - (months[at - 1] as number)
    // span values from `from` on, each a span-th of the way further.
    sum += span * from + ((to - from) * (span - 1)) / 2
  }
  return sum
}

const percentOf = (share: number) => `${Number((share * 100).toPrecision(3))} %`

const lineFormulas = {
  infrastructure: 'servers + storage + provisionedIo + shards',
  servers: `nodes × price an hour × ${hoursPerMonth} h, and what stands beside the parts`,
  storage: 'nodes × volume that is as full as diskFill at the next look × price of block storage',
  provisionedIo: 'I/O and throughput beyond what comes with the volume',
  shards: 'labour of each shard beside the first, and of dividing where the product does not',
}
